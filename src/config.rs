//! The configuration: `despool.toml`, read once, checked as a whole.
//!
//! ```toml
//! [server]     state_dir, name, stop_grace
//! [listen]     ipp, lpd, http, rpc, epm            absent = off; port 0 = any free port
//!              idle_timeout
//! [spool]      max_job_bytes, max_bytes, min_free_bytes, keep_jobs, keep_for
//! [scheduler]  memory_pressure, io_pressure, jobs_per_controller
//! [notify]     queue
//! [usb]        quirks
//! [[printer]]  name, port, language, datatype, start, recover, appsocket, ask,
//!              direct, envelope, status_queries, idle, idle_timeout, hours, info, location
//! [security]   users_file, domain, admins, rpc_min_level
//! ```
//!
//! What it is not: a place where anything is opened. A configuration that reads well may still name a device that is not
//! there; its printer waits then.

mod printer;
mod reader;
mod sections;
pub(crate) mod units;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use printer::{
    Ask, DATATYPES, Datatype, Idle, LANGUAGES, LanguageName, PrinterConfig, Recover, Start,
    StatusQueries,
};
pub use reader::Problem;
use reader::Source;
pub use units::Hours;

use crate::limits::{
    CLIENT_IDLE, JOBS_PER_CONTROLLER, KEEP_FOR, KEEP_JOBS, NOTIFY_QUEUE, PRESSURE_PERCENT,
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
    /// `[notify]`
    pub notify: NotifyConfig,
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

/// `[notify]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyConfig {
    /// Notifications that wait for one listener; newer ones are dropped. Read when the server starts.
    pub queue: usize,
}

impl Default for NotifyConfig {
    fn default() -> Self {
        Self { queue: NOTIFY_QUEUE }
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
        let config = sections::read(source.root());
        let problems = source.into_problems();
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// The printer of this name, in any case.
    pub fn printer(&self, name: &str) -> Option<&Arc<PrinterConfig>> {
        self.printers.iter().find(|printer| printer.name.eq_ignore_ascii_case(name))
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
            listen: ListenConfig {
                ipp: loopback(8631),
                rpc: loopback(0),
                ..ListenConfig::default()
            },
            spool: SpoolConfig::default(),
            scheduler: SchedulerConfig::default(),
            notify: NotifyConfig::default(),
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

#[cfg(test)]
mod tests;
