//! `[[printer]]`: its settings, their words, and how they are read.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use despool_hw::{DeviceUri, UriError};

use super::reader::Section;
use super::units::{self, Hours};
use crate::limits::APPSOCKET_IDLE;

/// One `[[printer]]`.
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
    /// When the device may be asked for its status.
    pub status_queries: StatusQueries,
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
            status_queries: StatusQueries::default(),
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
    /// Nothing but what the port's status lines say.
    UsbPrinterClass,
    /// What the device id says.
    Auto,
}

/// The words of `language`.
pub const LANGUAGES: [(&str, LanguageName); 7] = [
    ("none", LanguageName::None),
    ("pjl", LanguageName::Pjl),
    ("escpos", LanguageName::Escpos),
    ("zpl", LanguageName::Zpl),
    ("ieee1284.4", LanguageName::Ieee1284_4),
    ("usb-printer-class", LanguageName::UsbPrinterClass),
    ("auto", LanguageName::Auto),
];

/// When a printer whose language has to ask for the status is asked. Printers that report by themselves do so at any
/// time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusQueries {
    /// Never in the middle of a job.
    BetweenJobs,
    /// In the middle of a job too, if the device takes nothing any more.
    #[default]
    WhenStalled,
    /// In the middle of a job too, again and again.
    WhilePrinting,
}

const STATUS_QUERIES: [(&str, StatusQueries); 3] = [
    ("between-jobs", StatusQueries::BetweenJobs),
    ("when-stalled", StatusQueries::WhenStalled),
    ("while-printing", StatusQueries::WhilePrinting),
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

/// All printers of a file; no two of one name, and no two that have a device set up differently.
pub(super) fn printers(sections: Vec<Section<'_, '_>>) -> Vec<Arc<PrinterConfig>> {
    let mut others = Others::default();
    let numbered = sections.into_iter().zip(1..);
    numbered
        .filter_map(|(section, number)| printer(section, number, &mut others).map(Arc::new))
        .collect()
}

/// What the printers before this one have taken, and their numbers.
#[derive(Default)]
struct Others {
    names: HashMap<String, usize>,
    ports: HashMap<String, (usize, DeviceUri)>,
}

impl Others {
    fn name(&mut self, text: &str, number: usize) -> Result<String, String> {
        let name = units::printer_name(text)?;
        match self.names.insert(name.to_lowercase(), number) {
            Some(other) => Err(format!("\"{name}\" is the name of printer[{other}] already")),
            None => Ok(name),
        }
    }

    /// Printers may share a device, but it is opened once: with one kind of port and one set of settings.
    fn port(&mut self, text: &str, number: usize) -> Result<DeviceUri, String> {
        let port: DeviceUri = text.parse().map_err(|error: UriError| error.to_string())?;
        let (other, first) =
            self.ports.entry(port.port_key()).or_insert_with(|| (number, port.clone()));
        if *first == port {
            return Ok(port);
        }
        Err(format!(
            "{port}: is the device of printer[{other}] too, set up otherwise; write {first}"
        ))
    }
}

fn printer(
    mut section: Section<'_, '_>,
    number: usize,
    others: &mut Others,
) -> Option<PrinterConfig> {
    let name = section.text("name", |text| others.name(text, number));
    let port = section.text("port", |text| others.port(text, number));
    let default = PrinterConfig::new("", DeviceUri::File("/dev/null".into()));
    let plain = |text: &str| Ok::<_, String>(text.to_owned());
    let printer = PrinterConfig {
        name: name.as_deref().unwrap_or_default().into(),
        language: section.one_of("language", &LANGUAGES).unwrap_or(default.language),
        datatype: section.one_of("datatype", &DATATYPES).unwrap_or(default.datatype),
        start: section.one_of("start", &STARTS).unwrap_or(default.start),
        recover: section.one_of("recover", &RECOVERS).unwrap_or(default.recover),
        appsocket: section.address("appsocket"),
        ask: section.list_of("ask", &ASKS).unwrap_or(default.ask),
        direct: section.flag("direct").unwrap_or(default.direct),
        envelope: section.flag("envelope").unwrap_or(default.envelope),
        status_queries: section
            .one_of("status_queries", &STATUS_QUERIES)
            .unwrap_or(default.status_queries),
        idle: section.one_of("idle", &IDLES).unwrap_or(default.idle),
        idle_timeout: section.text("idle_timeout", units::patience).unwrap_or(default.idle_timeout),
        hours: section.text("hours", units::hours),
        info: section.text("info", plain).unwrap_or_default(),
        location: section.text("location", plain).unwrap_or_default(),
        port: port.clone().unwrap_or(default.port),
    };
    if name.is_none() && !section.complained("name") {
        section.complain("name", "is missing; write name = \"label\"");
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
