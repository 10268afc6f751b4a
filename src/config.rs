//! The configuration: `despool.toml`, read once, checked as a whole.
//!
//! ```toml
//! [server]     state_dir, name, stop_grace
//! [listen]     ipp, lpd, http, rpc, epm            absent = off; port 0 = any free port
//!              idle_timeout
//! [spool]      max_job_bytes, max_bytes, min_free_bytes, keep_jobs, keep_for
//! [scheduler]  memory_pressure, io_pressure, jobs_per_controller
//! [usb]        quirks
//! [[printer]]  name, port, language, datatype, start, recover, appsocket, ask,
//!              direct, envelope, idle, idle_timeout, hours, info, location
//! [security]   users_file, domain, admins, rpc_min_level
//! ```
//!
//! What it is not: a place where anything is opened. A configuration that reads well may still name a device that is not
//! there; its printer waits then.

mod reader;
pub(crate) mod units;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use despool_hw::DeviceUri;

pub use reader::Problem;
use reader::{Section, Source};
pub use units::Hours;

use crate::limits::{
    APPSOCKET_IDLE, CLIENT_IDLE, JOBS_PER_CONTROLLER, KEEP_FOR, KEEP_JOBS, PRESSURE_PERCENT,
    STOP_GRACE,
};

/// Everything the administrator decides.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: ServerConfig,
    /// `[listen]`
    pub listen: ListenConfig,
    /// `[spool]`
    pub spool: SpoolConfig,
    /// `[scheduler]`
    pub scheduler: SchedulerConfig,
    /// `[usb]`
    pub usb: UsbConfig,
    /// `[[printer]]`
    pub printers: Vec<Arc<PrinterConfig>>,
    /// `[security]`
    pub security: SecurityConfig,
}

/// `[server]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Spool and state.
    pub state_dir: PathBuf,
    /// The server's name in [MS-PAN] printer names.
    pub name: String,
    /// How long running jobs may go on when the server is told to stop, before they are parked.
    pub stop_grace: Duration,
}

/// `[usb]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsbConfig {
    /// Printers that are to be treated differently from what the built-in table says.
    pub quirks: Vec<despool_hw::Quirk>,
}

/// `[listen]`: addresses, each `None` where that front end is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenConfig {
    /// IPP over HTTP.
    pub ipp: Option<SocketAddr>,
    /// LPD.
    pub lpd: Option<SocketAddr>,
    /// The web page.
    pub http: Option<SocketAddr>,
    /// DCE/RPC: [MS-PAN].
    pub rpc: Option<SocketAddr>,
    /// The endpoint mapper.
    pub epm: Option<SocketAddr>,
    /// How long a client in the middle of a request may be silent. (A raw TCP sender: see the printer's.)
    pub idle_timeout: Duration,
}

impl Default for ListenConfig {
    fn default() -> Self {
        Self { ipp: None, lpd: None, http: None, rpc: None, epm: None, idle_timeout: CLIENT_IDLE }
    }
}

/// `[spool]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolConfig {
    /// A job may be this long.
    pub max_job_bytes: u64,
    /// All jobs together may be this long.
    pub max_bytes: Option<u64>,
    /// Below this, new jobs are refused.
    pub min_free_bytes: u64,
    /// This many finished jobs stay for a reprint …
    pub keep_jobs: usize,
    /// … for this long.
    pub keep_for: Duration,
}

impl Default for SpoolConfig {
    fn default() -> Self {
        Self {
            max_job_bytes: 4 << 30,
            max_bytes: None,
            min_free_bytes: 512 << 20,
            keep_jobs: KEEP_JOBS,
            keep_for: KEEP_FOR,
        }
    }
}

/// `[scheduler]`: when a new job waits although its printer is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchedulerConfig {
    /// Share of the last 10 s that somebody waited for memory (`/proc/pressure/memory`, `some avg10`), in percent.
    pub memory_pressure: u8,
    /// The same for the disk (`/proc/pressure/io`).
    pub io_pressure: u8,
    /// Jobs that may run at the same time on ports of one USB host controller.
    pub jobs_per_controller: usize,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            memory_pressure: PRESSURE_PERCENT,
            io_pressure: PRESSURE_PERCENT,
            jobs_per_controller: JOBS_PER_CONTROLLER,
        }
    }
}

/// `[[printer]]`
#[derive(Clone, Debug, PartialEq)]
pub struct PrinterConfig {
    /// Its name: unique, without regard to case.
    pub name: Arc<str>,
    /// Where it hangs.
    pub port: DeviceUri,
    /// What it speaks on the back channel.
    pub language: LanguageName,
    /// The datatype of jobs that do not name one.
    pub datatype: Datatype,
    /// When a job may be played.
    pub start: Start,
    /// What becomes of a job that was cut off half-way.
    pub recover: Recover,
    /// This printer's own raw TCP port.
    pub appsocket: Option<SocketAddr>,
    /// Where a person is asked.
    pub ask: Vec<Ask>,
    /// Jobs go past the spool: nothing is kept, the sender waits for the device.
    pub direct: bool,
    /// The language's envelope is put around each job.
    pub envelope: bool,
    /// What becomes of a raw TCP job whose sender falls silent.
    pub idle: Idle,
    /// How long a raw TCP sender may be silent.
    pub idle_timeout: Duration,
    /// When jobs are played.
    pub hours: Option<Hours>,
    /// For people: what it is.
    pub info: String,
    /// For people: where it is.
    pub location: String,
}

impl PrinterConfig {
    /// A printer with all settings at their defaults.
    pub fn new(name: &str, port: DeviceUri) -> Self {
        Self {
            name: name.into(),
            port,
            language: LanguageName::None,
            datatype: Datatype::Raw,
            start: Start::AfterLastByte,
            recover: Recover::Auto,
            appsocket: None,
            ask: vec![Ask::MediaEmpty, Ask::HeldAfterCrash],
            direct: false,
            envelope: false,
            idle: Idle::Abort,
            idle_timeout: APPSOCKET_IDLE,
            hours: None,
            info: String::new(),
            location: String::new(),
        }
    }
}

/// What a printer speaks on its back channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LanguageName {
    /// Nothing that we know.
    None,
    /// HP's Printer Job Language.
    Pjl,
    /// Epson's ESC/POS.
    Escpos,
    /// Zebra's ZPL II.
    Zpl,
    /// IEEE 1284.4 packets.
    Ieee1284_4,
    /// What the device id says.
    Auto,
}

/// The words of `language`.
pub const LANGUAGES: [(&str, LanguageName); 6] = [
    ("none", LanguageName::None),
    ("pjl", LanguageName::Pjl),
    ("escpos", LanguageName::Escpos),
    ("zpl", LanguageName::Zpl),
    ("ieee1284.4", LanguageName::Ieee1284_4),
    ("auto", LanguageName::Auto),
];

/// What the print processor does with a document. The names are those of Windows' winprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datatype {
    /// Nothing at all.
    Raw,
    /// A form feed is put behind it.
    RawFfAppended,
    /// A form feed is put behind it unless it ends with one.
    RawFfAuto,
    /// Text: line ends become CR LF, and a form feed is put behind it unless it ends with one.
    Text,
}

/// The words of `datatype`.
pub const DATATYPES: [(&str, Datatype); 6] = [
    ("raw", Datatype::Raw),
    ("RAW [FF appended]", Datatype::RawFfAppended),
    ("RAW [FF auto]", Datatype::RawFfAuto),
    ("text", Datatype::Text),
    ("raw-ff-appended", Datatype::RawFfAppended),
    ("raw-ff-auto", Datatype::RawFfAuto),
];

impl Datatype {
    /// The datatype of this name, without regard to case.
    pub fn named(name: &str) -> Option<Self> {
        DATATYPES
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(name))
            .map(|(_, datatype)| *datatype)
    }

    /// Its name, as winprint writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "RAW",
            Self::RawFfAppended => "RAW [FF appended]",
            Self::RawFfAuto => "RAW [FF auto]",
            Self::Text => "TEXT",
        }
    }
}

/// When a job may be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// When all of it was received, and is durable.
    AfterLastByte,
    /// While it is still being received.
    Immediately,
}

/// What becomes of a job that was cut off half-way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recover {
    /// Resumed where the device still stands in the middle of it and the offset is certain, restarted where the device
    /// dropped it, held where nobody can say.
    Auto,
    /// From its first byte.
    Restart,
    /// From the offset that the driver had accepted.
    Resume,
    /// Waits for a person.
    Hold,
}

/// Where a person is asked what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Paper is out: retry or cancel.
    MediaEmpty,
    /// A job was held after a crash: reprint, continue, discard.
    HeldAfterCrash,
}

/// What becomes of a raw TCP job whose sender falls silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// What came is held for a person to release.
    Hold,
    /// What came is thrown away.
    Abort,
}

/// `[security]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityConfig {
    /// Accounts, relative to `state_dir`.
    pub users_file: PathBuf,
    /// NTLM domain name shown to clients.
    pub domain: String,
    /// Accounts that are administrators although their account does not say so.
    pub admins: Vec<String>,
    /// Lowest authentication level that RPC takes.
    pub rpc_min_level: RpcLevel,
}

impl Default for SecurityConfig {
    fn default() -> Self {
        Self {
            users_file: "users".into(),
            domain: "WORKGROUP".into(),
            admins: Vec::new(),
            rpc_min_level: RpcLevel::Packet,
        }
    }
}

/// Authentication levels of RPC, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RpcLevel {
    /// 4
    Packet,
    /// 5
    Integrity,
    /// 6
    Privacy,
}

impl Config {
    /// Reads a file. All problems at once.
    pub fn load(file: &Path) -> Result<Self, Vec<Problem>> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            let message = format!("cannot be read: {error}");
            vec![Problem { file: file.into(), line: 1, key: String::new(), message }]
        })?;
        Self::parse(file, &text)
    }

    /// Reads a text; `file` is for messages.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Vec<Problem>> {
        let source = Source::new(file, text);
        let config = read(source.root());
        let problems = source.into_problems();
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// What `despool serve` does with no configuration file: loopback, unprivileged ports.
    pub fn without_file() -> Self {
        let loopback = |port| Some(SocketAddr::from(([127, 0, 0, 1], port)));
        Self {
            server: ServerConfig {
                state_dir: default_state_dir(),
                name: host_name(),
                stop_grace: STOP_GRACE,
            },
            listen: ListenConfig { ipp: loopback(8631), ..ListenConfig::default() },
            spool: SpoolConfig::default(),
            scheduler: SchedulerConfig::default(),
            usb: UsbConfig::default(),
            printers: Vec::new(),
            security: SecurityConfig::default(),
        }
    }
}

/// `/var/lib/despool` for root; below `$XDG_STATE_HOME` (or `~/.local/state`) for others.
pub fn default_state_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return "/var/lib/despool".into();
    }
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .unwrap_or_else(std::env::temp_dir)
        .join("despool")
}

fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "despool".into() } else { name }
}

fn read(mut root: Section<'_, '_>) -> Config {
    let config = Config {
        server: server(root.section("server")),
        listen: listen(root.section("listen")),
        spool: spool(root.section("spool")),
        scheduler: scheduler(root.section("scheduler")),
        usb: usb(root.section("usb")),
        printers: printers(root.sections("printer")),
        security: security(root.section("security")),
    };
    root.finish();
    config
}

fn server(mut section: Section<'_, '_>) -> ServerConfig {
    let server = ServerConfig {
        state_dir: section.text("state_dir", absolute).unwrap_or_else(default_state_dir),
        name: section.text("name", units::printer_name).unwrap_or_else(host_name),
        stop_grace: section.text("stop_grace", units::duration).unwrap_or(STOP_GRACE),
    };
    section.finish();
    server
}

fn listen(mut section: Section<'_, '_>) -> ListenConfig {
    let listen = ListenConfig {
        ipp: section.text("ipp", address),
        lpd: section.text("lpd", address),
        http: section.text("http", address),
        rpc: section.text("rpc", address),
        epm: section.text("epm", address),
        idle_timeout: section.text("idle_timeout", units::duration).unwrap_or(CLIENT_IDLE),
    };
    section.finish();
    listen
}

fn spool(mut section: Section<'_, '_>) -> SpoolConfig {
    let default = SpoolConfig::default();
    let count =
        |text: &str| text.parse().map_err(|_| format!("\"{text}\" is not a number of jobs"));
    let spool = SpoolConfig {
        max_job_bytes: section
            .number_or_text("max_job_bytes", units::bytes)
            .unwrap_or(default.max_job_bytes),
        max_bytes: section.number_or_text("max_bytes", units::bytes),
        min_free_bytes: section
            .number_or_text("min_free_bytes", units::bytes)
            .unwrap_or(default.min_free_bytes),
        keep_jobs: section.number_or_text("keep_jobs", count).unwrap_or(default.keep_jobs),
        keep_for: section.text("keep_for", units::duration).unwrap_or(default.keep_for),
    };
    section.finish();
    spool
}

fn scheduler(mut section: Section<'_, '_>) -> SchedulerConfig {
    let default = SchedulerConfig::default();
    let count = |text: &str| {
        let number = text.parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| format!("\"{text}\" is not a number of jobs; write at least 1"))
    };
    let scheduler = SchedulerConfig {
        memory_pressure: section
            .number_or_text("memory_pressure", units::percent)
            .unwrap_or(default.memory_pressure),
        io_pressure: section
            .number_or_text("io_pressure", units::percent)
            .unwrap_or(default.io_pressure),
        jobs_per_controller: section
            .number_or_text("jobs_per_controller", count)
            .unwrap_or(default.jobs_per_controller),
    };
    section.finish();
    scheduler
}

fn usb(mut section: Section<'_, '_>) -> UsbConfig {
    let quirks = section.texts("quirks", str::parse).unwrap_or_default();
    section.finish();
    UsbConfig { quirks }
}

fn printers(sections: Vec<Section<'_, '_>>) -> Vec<Arc<PrinterConfig>> {
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut printers = Vec::new();
    for (n, section) in sections.into_iter().enumerate() {
        let number = n.saturating_add(1);
        let check = |section: &Section<'_, '_>, name: &str| {
            if let Some(other) = names.insert(name.to_lowercase(), number) {
                section.complain(
                    "name",
                    format_args!("\"{name}\" is the name of printer[{other}] already"),
                );
            }
        };
        printers.extend(printer(section, check).map(Arc::new));
    }
    printers
}

fn printer(
    mut section: Section<'_, '_>,
    check_name: impl FnOnce(&Section<'_, '_>, &str),
) -> Option<PrinterConfig> {
    let name = section.text("name", units::printer_name);
    let port = section.text("port", str::parse::<DeviceUri>);
    let default = PrinterConfig::new("", DeviceUri::File("/dev/null".into()));
    let plain = |text: &str| Ok::<_, String>(text.to_owned());
    let printer = PrinterConfig {
        name: name.as_deref().unwrap_or_default().into(),
        language: section.one_of("language", &LANGUAGES).unwrap_or(default.language),
        datatype: section.one_of("datatype", &DATATYPES).unwrap_or(default.datatype),
        start: section.one_of("start", &STARTS).unwrap_or(default.start),
        recover: section.one_of("recover", &RECOVERS).unwrap_or(default.recover),
        appsocket: section.text("appsocket", address),
        ask: section.list_of("ask", &ASKS).unwrap_or(default.ask),
        direct: section.flag("direct").unwrap_or(default.direct),
        envelope: section.flag("envelope").unwrap_or(default.envelope),
        idle: section.one_of("idle", &IDLES).unwrap_or(default.idle),
        idle_timeout: section.text("idle_timeout", units::duration).unwrap_or(default.idle_timeout),
        hours: section.text("hours", units::hours),
        info: section.text("info", plain).unwrap_or_default(),
        location: section.text("location", plain).unwrap_or_default(),
        port: port.clone().unwrap_or(default.port),
    };
    match &name {
        Some(name) => check_name(&section, name),
        None if !section.complained("name") => {
            section.complain("name", "is missing; write name = \"label\"");
        }
        None => {}
    }
    if port.is_none() && !section.complained("port") {
        section.complain(
            "port",
            "is missing; write port = \"serial:/dev/ttyUSB0?baud=9600\", or another device URI",
        );
    }
    section.finish();
    (name.is_some() && port.is_some()).then_some(printer)
}

const STARTS: [(&str, Start); 2] =
    [("after-last-byte", Start::AfterLastByte), ("immediately", Start::Immediately)];
const RECOVERS: [(&str, Recover); 4] = [
    ("auto", Recover::Auto),
    ("restart", Recover::Restart),
    ("resume", Recover::Resume),
    ("hold", Recover::Hold),
];
const ASKS: [(&str, Ask); 2] =
    [("media-empty", Ask::MediaEmpty), ("held-after-crash", Ask::HeldAfterCrash)];
const IDLES: [(&str, Idle); 2] = [("hold", Idle::Hold), ("abort", Idle::Abort)];
const LEVELS: [(&str, RpcLevel); 3] = [
    ("packet", RpcLevel::Packet),
    ("integrity", RpcLevel::Integrity),
    ("privacy", RpcLevel::Privacy),
];

fn security(mut section: Section<'_, '_>) -> SecurityConfig {
    let default = SecurityConfig::default();
    let file = |text: &str| {
        if text.is_empty() { Err("is empty; write a file name") } else { Ok(PathBuf::from(text)) }
    };
    let security = SecurityConfig {
        users_file: section.text("users_file", file).unwrap_or(default.users_file),
        domain: section.text("domain", units::domain).unwrap_or(default.domain),
        admins: section.texts("admins", account).unwrap_or(default.admins),
        rpc_min_level: section.one_of("rpc_min_level", &LEVELS).unwrap_or(default.rpc_min_level),
    };
    section.finish();
    security
}

fn account(text: &str) -> Result<String, String> {
    crate::accounts::name::check(text).map(|()| text.to_owned())
}

fn absolute(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(format!("\"{text}\" is not an absolute path; begin with /"))
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("\"{text}\" is not an address and a port; write it like \"127.0.0.1:631\" or \"[::1]:631\"")
    })
}

#[cfg(test)]
mod tests;
