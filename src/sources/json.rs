//! The payloads of our own notification types: one JSON object each, keys in a fixed order.

use std::fmt::Write;

use bytes::Bytes;
use despool_hw::{Line, Lines};
use jiff::Timestamp;
use serde_json::Value;

use crate::event::{Event, PortChange, PortEvent};
use crate::monitor::language::Supply;
use crate::provider::{JobView, PrinterView};

/// Bytes from the back channel that are shown.
const SHOWN_BYTES: usize = 64;

/// `{"seq","time","printer","job":{"id","state","reasons","bytes_done","bytes_total","title","user"}}`; `bytes_total` is
/// null while it is not known.
pub(super) fn job(event: &Event, view: &JobView) -> Bytes {
    let ticket = &view.shadow.ticket;
    let job = object([
        ("id", view.shadow.id.number().into()),
        ("state", view.state.name().into()),
        ("reasons", view.reasons.clone().into()),
        ("bytes_done", view.played().accepted.into()),
        ("bytes_total", view.total_bytes().into()),
        ("title", (*ticket.title).into()),
        ("user", (*ticket.user).into()),
    ]);
    let mut text = opened(event);
    put(&mut text, "printer", &(*ticket.printer).into());
    let _ = write!(text, ",\"job\":{job}}}");
    text.into()
}

/// `{"seq","time","printer","state","reasons","message","supplies"}`.
pub(super) fn printer(event: &Event, view: &PrinterView) -> Bytes {
    let mut text = opened(event);
    put(&mut text, "printer", &(*view.config.name).into());
    put(&mut text, "state", &view.state.name().into());
    put(&mut text, "reasons", &view.reasons.clone().into());
    put(&mut text, "message", &view.message.as_str().into());
    let _ = write!(text, ",\"supplies\":{}}}", supplies(&view.supplies));
    text.into()
}

/// What a device says of its supplies: `[{"name","kind","color","percent"}]`, the last two null where it does not say.
fn supplies(supplies: &[Supply]) -> String {
    let supply = |supply: &Supply| {
        object([
            ("name", supply.name.as_str().into()),
            ("kind", supply.kind.keyword().into()),
            ("color", supply.color.into()),
            ("percent", supply.percent.into()),
        ])
    };
    let supplies: Vec<String> = supplies.iter().map(supply).collect();
    format!("[{}]", supplies.join(","))
}

/// `{"seq","time","port","printers","event", …}`: `attached` with `identity` (or null), `detached` with `why`, `line` with
/// what the lines say (what a wire cannot say is left out), `back-channel` with the number of `bytes` that came, the first of
/// them as `hex`, and how many were `dropped` before them.
pub(super) fn port(event: &Event, port: &PortEvent) -> Bytes {
    let mut text = opened(event);
    put(&mut text, "port", &(*port.port).into());
    let printers: Vec<Value> = port.printers.iter().map(|name| (**name).into()).collect();
    put(&mut text, "printers", &printers.into());
    match &port.what {
        PortChange::Attached { identity } => {
            put(&mut text, "event", &"attached".into());
            put(&mut text, "identity", &identity.clone().into());
        }
        PortChange::Detached { why } => {
            put(&mut text, "event", &"detached".into());
            put(&mut text, "why", &why.as_str().into());
        }
        PortChange::Line(line) => {
            put(&mut text, "event", &"line".into());
            let _ = write!(text, ",\"line\":{}", lines(line));
        }
        PortChange::BackChannel { bytes, dropped } => {
            let hex = bytes.iter().take(SHOWN_BYTES).fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            put(&mut text, "event", &"back-channel".into());
            put(&mut text, "bytes", &bytes.len().into());
            put(&mut text, "hex", &hex.into());
            put(&mut text, "dropped", &(*dropped).into());
        }
    }
    text.push('}');
    text.into()
}

/// What is known of the lines.
fn lines(line: &Line) -> String {
    let modem = line.modem;
    let modem = |which: fn(Lines) -> bool| modem.map(which);
    let known = [
        ("paper_out", line.paper_out),
        ("online", line.online),
        ("fault", line.fault),
        ("held_back", line.held_back),
        ("cts", modem(|lines| lines.cts)),
        ("dsr", modem(|lines| lines.dsr)),
        ("dcd", modem(|lines| lines.dcd)),
        ("ri", modem(|lines| lines.ri)),
    ];
    object(known.into_iter().filter_map(|(key, value)| Some((key, value?.into()))))
}

/// The beginning that all have: the event's number in this process, and its time (RFC 3339, UTC).
fn opened(event: &Event) -> String {
    let ms = i64::try_from(event.at_ms).unwrap_or(i64::MAX);
    let time = Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |at| at.to_string());
    let mut text = format!("{{\"seq\":{}", event.seq);
    put(&mut text, "time", &time.into());
    text
}

fn put(text: &mut String, key: &str, value: &Value) {
    let _ = write!(text, ",\"{key}\":{value}");
}

/// An object whose keys stay in this order.
fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> String {
    let members: Vec<String> =
        members.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::What;
    use crate::sources::tests::{job_view, printer_view};

    fn event(what: What) -> Event {
        Event { seq: 17, at_ms: 1_795_263_096_120, what }
    }

    #[test]
    fn jobs_to_the_letter() {
        let view = job_view("ann", "a \"b\"");
        let event = event(What::Job(view.clone()));
        assert_eq!(
            job(&event, &view),
            r#"{"seq":17,"time":"2026-11-21T12:11:36.12Z","printer":"label","job":{"id":1,"state":"pending","reasons":["job-queued"],"bytes_done":0,"bytes_total":null,"title":"a \"b\"","user":"ann"}}"#
        );
    }

    #[test]
    fn printers_to_the_letter() {
        let view = printer_view("label");
        let event = event(What::Printer(Arc::new(view.clone())));
        assert_eq!(
            printer(&event, &view),
            r##"{"seq":17,"time":"2026-11-21T12:11:36.12Z","printer":"label","state":"idle","reasons":["media-empty"],"message":"out of paper","supplies":[{"name":"TONER","kind":"toner","color":"#000000","percent":80},{"name":"x","kind":"other","color":null,"percent":null}]}"##
        );
    }

    #[test]
    fn ports_to_the_letter() {
        let no_paper = Line { paper_out: Some(true), ..Line::default() };
        let modem = Some(Lines { dsr: true, ..Lines::default() });
        let serial = Line { held_back: Some(true), modem, ..Line::default() };
        for (what, rest) in [
            (
                PortChange::Attached { identity: Some("MFG:x;".into()) },
                r#""event":"attached","identity":"MFG:x;""#,
            ),
            (PortChange::Attached { identity: None }, r#""event":"attached","identity":null"#),
            (
                PortChange::Detached { why: "unplugged".into() },
                r#""event":"detached","why":"unplugged""#,
            ),
            (
                PortChange::Line(Line { online: Some(true), modem: None, ..no_paper }),
                r#""event":"line","line":{"paper_out":true,"online":true}"#,
            ),
            (
                PortChange::Line(serial),
                r#""event":"line","line":{"held_back":true,"cts":false,"dsr":true,"dcd":false,"ri":false}"#,
            ),
            (
                PortChange::BackChannel { bytes: Bytes::from_static(b"\x00\xff"), dropped: 5 },
                r#""event":"back-channel","bytes":2,"hex":"00ff","dropped":5"#,
            ),
        ] {
            let change = PortEvent { port: "/dev/x".into(), printers: vec!["label".into()], what };
            let event = event(What::Port(change.clone()));
            let head = r#"{"seq":17,"time":"2026-11-21T12:11:36.12Z","port":"/dev/x","printers":["label"],"#;
            assert_eq!(port(&event, &change), format!("{head}{rest}}}"));
        }
    }
}
