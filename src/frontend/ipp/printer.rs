//! A printer as IPP shows it.

use std::net::SocketAddr;

use jiff::Timestamp;

use super::attributes::OF_PRINTER;
use super::service::OPERATIONS;
use super::wire::{Attributes, DateTime, OutOfBand, PrinterState, Requested, Value};
use super::{hold, target};
use crate::config::DATATYPES;
use crate::limits::IPP_OPEN_JOB;
use crate::provider::PrinterView;

/// Document formats that are taken. None of them is looked into: a raw printer gets what was sent.
pub(super) const FORMATS: [&str; 18] = [
    "application/octet-stream",
    "application/vnd.cups-raw",
    "text/plain",
    "application/postscript",
    "application/pdf",
    "application/vnd.hp-PCL",
    "application/vnd.hp-PCLXL",
    "application/vnd.hp-HPGL",
    "application/vnd.zebra-zpl",
    "application/vnd.zebra-epl",
    "application/vnd.epson-escpos",
    "application/vnd.cups-command",
    "application/vnd.cups-raster",
    "image/pwg-raster",
    "image/urf",
    "image/jpeg",
    "image/png",
    "image/tiff",
];

/// CUPS's `printer-type` bits of a local raw printer that does copies: none of the capabilities that would make CUPS
/// clients convert anything.
const PRINTER_TYPE: i32 = 0x0004;

/// How a client reached us, for the URIs that it gets back.
#[derive(Clone, Debug)]
pub(super) struct Here {
    /// Host and port, as the client named them, or as the socket says.
    pub(super) authority: String,
}

impl Here {
    pub(super) fn new(host: Option<&str>, local: SocketAddr) -> Self {
        let plain = |host: &&str| {
            !host.is_empty()
                && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]_".contains(c))
        };
        Self { authority: host.filter(plain).map_or_else(|| local.to_string(), str::to_owned) }
    }

    pub(super) fn printer(&self, name: &str) -> String {
        format!("ipp://{}/printers/{}", self.authority, target::encode(name))
    }

    pub(super) fn job(&self, id: impl std::fmt::Display) -> String {
        format!("ipp://{}/jobs/{id}", self.authority)
    }
}

/// The attributes of a printer that are wanted.
pub(super) fn attributes(
    view: &PrinterView,
    number: i32,
    here: &Here,
    wanted: &Requested<'_>,
) -> Attributes {
    let mut all = Attributes::new();
    description(&mut all, view, number, here);
    state(&mut all, view);
    constants(&mut all);
    job_template(&mut all, view);
    wanted.select(&all)
}

/// Reads what a request wants of a printer.
pub(super) fn wanted(operation: &Attributes) -> Result<Requested<'_>, super::wire::AttributeError> {
    Requested::read(operation, OF_PRINTER, &["all"])
}

fn description(all: &mut Attributes, view: &PrinterView, number: i32, here: &Here) {
    let config = &view.config;
    let info = if config.info.is_empty() { &*config.name } else { &config.info };
    all.put_name("printer-name", &config.name)
        .put("printer-id", number)
        .put_uri("printer-uri-supported", &here.printer(&config.name))
        .put_keyword("uri-authentication-supported", "requesting-user-name")
        .put_keyword("uri-security-supported", "none")
        .put_text("printer-info", info)
        .put_text("printer-location", &config.location)
        .put_uri("printer-more-info", &format!("http://{}/", here.authority))
        .put_text(
            "printer-make-and-model",
            view.identity.as_deref().unwrap_or("despool raw printer"),
        )
        .put_uri("device-uri", &config.port.to_string())
        .put_uri("printer-uuid", &uuid("printer", &config.name))
        .put("printer-is-shared", true)
        .put_enum("printer-type", PRINTER_TYPE);
    if let Some(identity) = view.identity.as_deref().filter(|identity| identity.contains(':')) {
        all.put_text("printer-device-id", identity);
    }
}

fn state(all: &mut Attributes, view: &PrinterView) {
    let state = PrinterState::from_name(view.state.name()).unwrap_or(PrinterState::Stopped);
    let reasons = if view.reasons.is_empty() { vec!["none"] } else { strings(&view.reasons) };
    let now = Timestamp::now().as_second();
    all.put("printer-state", state)
        .put_keywords("printer-state-reasons", reasons)
        .put_text("printer-state-message", &view.message)
        .put("printer-state-change-time", seconds(view.changed_ms))
        .put("printer-state-change-date-time", moment(view.changed_ms))
        .put("printer-is-accepting-jobs", view.accepting)
        .put("queued-job-count", i32::try_from(view.queued).unwrap_or(i32::MAX))
        .put("printer-up-time", i32::try_from(now).unwrap_or(i32::MAX))
        .put("printer-current-time", date_time(now));
}

fn constants(all: &mut Attributes) {
    all.put_charset("charset-configured", "utf-8")
        .put_charset("charset-supported", "utf-8")
        .put_language("natural-language-configured", "en")
        .put_language("generated-natural-language-supported", "en")
        .put_keyword("compression-supported", "none")
        .put_mime_type("document-format-default", "application/octet-stream")
        .put_all("document-format-supported", FORMATS.map(Value::mime_type))
        .put_keywords("ipp-versions-supported", ["1.0", "1.1", "2.0", "2.1"])
        .put_all("operations-supported", OPERATIONS.iter().copied())
        .put_keyword("pdl-override-supported", "not-attempted")
        .put("multiple-document-jobs-supported", true)
        .put(
            "multiple-operation-time-out",
            i32::try_from(IPP_OPEN_JOB.as_secs()).unwrap_or(i32::MAX),
        )
        .put_keyword("multiple-operation-time-out-action", "abort-job")
        .put("job-k-octets-supported", 0..=i32::MAX)
        .put_keywords("which-jobs-supported", ["completed", "not-completed", "all"])
        .put_keywords(
            "job-creation-attributes-supported",
            [
                "copies",
                "despool-datatype",
                "document-format",
                "job-hold-until",
                "job-name",
                "job-priority",
            ],
        );
}

fn job_template(all: &mut Attributes, view: &PrinterView) {
    let copies = if view.config.direct { 1 } else { i32::from(u16::MAX) };
    all.put("copies-default", 1)
        .put("copies-supported", 1..=copies)
        .put("job-priority-default", 50)
        .put("job-priority-supported", 100)
        .put_keyword("job-hold-until-default", "no-hold")
        .put_keywords("job-hold-until-supported", hold::KEYWORDS)
        .put_keyword("multiple-document-handling-default", "separate-documents-collated-copies")
        .put_keyword("multiple-document-handling-supported", "separate-documents-collated-copies")
        .put_name("despool-datatype-default", view.config.datatype.name())
        .put_all(
            "despool-datatype-supported",
            DATATYPES.iter().take(4).map(|(_, datatype)| Value::name(datatype.name())),
        );
}

pub(super) fn strings(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// Seconds since 1970: what CUPS counts `printer-up-time` in too, so that times mean the same after a restart.
pub(super) fn seconds(ms: u64) -> i32 {
    i32::try_from(ms / 1000).unwrap_or(i32::MAX)
}

/// The same as a date and time; `no-value` for 0.
pub(super) fn moment(ms: u64) -> Value {
    if ms == 0 { OutOfBand::NoValue.into() } else { date_time(i64::from(seconds(ms))) }
}

fn date_time(seconds: i64) -> Value {
    DateTime::utc(seconds).into()
}

/// A name-based UUID (RFC 4122 version 8, our own digest): the same printer has the same for ever.
pub(super) fn uuid(kind: &str, name: &str) -> String {
    let half = |salt: &str| {
        let text = format!("{salt} {kind} {name}");
        // FNV-1a, 64 bits: nothing here is a secret, it only has to differ.
        text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    let (high, low) = (half("despool"), half("looped"));
    let high = (high & 0xffff_ffff_ffff_0fff) | 0x8000;
    let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    format!(
        "urn:uuid:{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn here_is_where_the_client_is() {
        let local = "127.0.0.1:631".parse().unwrap();
        let authority = |host: Option<&str>| Here::new(host, local).authority;
        assert_eq!(authority(Some("printsrv:8631")), "printsrv:8631");
        assert_eq!(authority(Some("[::1]:631")), "[::1]:631");
        for unusable in [None, Some(""), Some("a b"), Some("x/\r\ny")] {
            assert_eq!(authority(unusable), "127.0.0.1:631");
        }
    }

    #[test]
    fn uuids_differ_and_stay() {
        let uuid_of = |name| uuid("printer", name);
        assert_eq!(uuid_of("label"), uuid_of("label"));
        assert_ne!(uuid_of("label"), uuid_of("laser"));
        assert_eq!(uuid_of("label").len(), "urn:uuid:00000000-0000-8000-8000-000000000000".len());
    }
}
