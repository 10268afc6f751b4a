//! What is seen, for people (a line of text) and for programs (a JSON object a line).
//!
//! Payloads come from somewhere else: nothing of them reaches the terminal as a control character. Invariant: a payload
//! that cannot be read is shown as bytes; none is passed over.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::asyncui::{Button, ButtonId, Request, default_string, show};
use crate::bidi;
use crate::cli::Failed;
use crate::cli::{time, units};
use crate::notify::{NotificationType, Style};
use crate::pan::client::Wanted;
use crate::sources::types;

/// Bytes that are shown of a payload that nobody here understands.
const SHOWN_BYTES: usize = 64;

/// What a subscription is about.
#[derive(Clone, Debug)]
pub(in crate::cli) struct About {
    /// The printer; none: the server itself.
    pub(in crate::cli) printer: Option<String>,
    pub(in crate::cli) notification_type: NotificationType,
    pub(in crate::cli) style: Style,
}

impl About {
    pub(in crate::cli) fn new(printer: Option<&str>, wanted: &Wanted) -> Self {
        let printer = printer.map(str::to_owned);
        Self { printer, notification_type: wanted.notification_type, style: wanted.style }
    }

    /// The type's name, or its GUID.
    fn name(&self) -> String {
        let name = types::name_of(self.notification_type);
        name.map_or_else(|| self.notification_type.to_string(), str::to_owned)
    }

    fn words(&self) -> String {
        let of = match &self.printer {
            Some(printer) => format!("printer {}", plain(printer)),
            None => "the server".to_owned(),
        };
        let questions = if self.style == Style::Bidirectional { ", questions" } else { "" };
        format!("{of}, {}{questions}", self.name())
    }
}

/// What a subscription, or a question, has come to.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Seen {
    Registered,
    Notification(Bytes),
    /// The printer was deleted.
    Released,
    /// It tries again after the pause.
    Lost {
        why: String,
        pause: Duration,
    },
    /// A conversation that ended before it began.
    Withdrawn,
    /// A conversation that failed.
    Broken {
        why: String,
    },
    /// A question, under its number.
    Question(u64, Bytes),
    /// The answer has reached whoever asked.
    Answered(u64, String),
    /// The answer was too late.
    TooLate(u64, &'static str),
    /// Nobody here will answer.
    GivenUp(u64),
}

/// A line of output.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Line {
    pub(in crate::cli) about: About,
    pub(in crate::cli) seen: Seen,
}

/// Where lines go.
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(super) fn show(&mut self, line: &Line) -> Result<(), Failed> {
        let now = Timestamp::now();
        if self.json {
            return print(&format!("{}\n", line.json(now)));
        }
        let text = line.words();
        let at = time::local(now.as_second());
        if matches!(line.seen, Seen::Registered | Seen::Lost { .. }) {
            // How the connection stands is no notification.
            eprintln!("{at}  {text}");
            return Ok(());
        }
        print(&format!("{at}  {text}\n"))
    }

    /// Something for the person who is asked. Programs are told by events.
    pub(super) fn prompt(&self, text: &str) {
        if !self.json {
            eprint!("{text}");
        }
    }
}

fn print(text: &str) -> Result<(), Failed> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failed(format!("standard output: {error}")))
}

impl Line {
    /// For people.
    pub(in crate::cli) fn words(&self) -> String {
        let about = &self.about;
        match &self.seen {
            Seen::Registered => format!("registered: {}", about.words()),
            Seen::Notification(payload) => describe(about, payload),
            Seen::Released => format!("deleted: {}; nothing more will come", about.words()),
            Seen::Lost { why, pause } => {
                let seconds = pause.as_secs_f64();
                format!("lost: {}: {}; tried again in {seconds:.0} s", about.words(), plain(why))
            }
            Seen::Withdrawn => "a question was withdrawn, or somebody else has answered".to_owned(),
            Seen::Broken { why } => format!("a question was lost: {}", plain(why)),
            Seen::Question(number, payload) => {
                format!("question {number}: {}", describe(about, payload))
            }
            Seen::Answered(number, answer) => format!("question {number}: answered {answer}"),
            Seen::TooLate(number, why) => format!("question {number}: too late, {why}"),
            Seen::GivenUp(number) => format!("question {number}: left to others"),
        }
    }

    /// For programs.
    fn json(&self, now: Timestamp) -> Value {
        let about = &self.about;
        let style = match about.style {
            Style::Unidirectional => "unidirectional",
            Style::Bidirectional => "bidirectional",
        };
        let (event, more) = self.event();
        let mut object = Map::from_iter([
            ("time".to_owned(), json!(now.to_string())),
            ("event".to_owned(), json!(event)),
            ("printer".to_owned(), json!(about.printer)),
            ("type".to_owned(), json!(about.name())),
            ("guid".to_owned(), json!(about.notification_type.to_string())),
            ("style".to_owned(), json!(style)),
        ]);
        object.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
        Value::Object(object)
    }

    fn event(&self) -> (&'static str, Vec<(&'static str, Value)>) {
        let data = |payload: &Bytes| ("data", data(&self.about, payload));
        let question = |number: &u64| ("question", json!(number));
        match &self.seen {
            Seen::Registered => ("registered", vec![]),
            Seen::Notification(payload) => ("notification", vec![data(payload)]),
            Seen::Released => ("released", vec![]),
            Seen::Lost { why, pause } => {
                let pause = pause.as_millis().to_string().parse::<u64>().unwrap_or(u64::MAX);
                ("lost", vec![("why", json!(why)), ("pause_ms", json!(pause))])
            }
            Seen::Withdrawn => ("withdrawn", vec![]),
            Seen::Broken { why } => ("broken", vec![("why", json!(why))]),
            Seen::Question(number, payload) => ("question", vec![question(number), data(payload)]),
            Seen::Answered(number, answer) => {
                ("answered", vec![question(number), ("answer", json!(answer))])
            }
            Seen::TooLate(number, why) => ("too-late", vec![question(number), ("why", json!(why))]),
            Seen::GivenUp(number) => ("given-up", vec![question(number)]),
        }
    }
}

/// Without control characters.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

/// What stands on a button.
pub(super) fn label(button: &Button) -> String {
    let resource = |(id, dll): &(i64, Option<String>)| match dll {
        None => default_string(*id).map(plain),
        Some(_) => None,
    };
    match (button.id, button.label.as_ref().and_then(resource)) {
        (_, Some(label)) => label,
        (ButtonId::Ok, None) => "OK".to_owned(),
        (ButtonId::Cancel, None) => "Cancel".to_owned(),
        (ButtonId::Number(number), None) => format!("button {number}"),
    }
}

/// A payload for people.
fn describe(about: &About, payload: &Bytes) -> String {
    plain(
        &match about.notification_type {
            types::ASYNCUI => Request::parse(payload).ok().map(|request| ui(about, &request)),
            types::PRINTER_CONFIGURATION | types::PRINTER_CONFIGURATION_AS_PRINTED => {
                bidi::Notification::parse(payload).ok().map(|changes| configuration(&changes))
            }
            types::JOB => object(payload).as_ref().and_then(job),
            types::PRINTER => object(payload).as_ref().and_then(printer),
            types::PORT => object(payload).as_ref().and_then(port),
            _ => None,
        }
        .unwrap_or_else(|| format!("{}: {} bytes {}", about.name(), payload.len(), hex(payload))),
    )
}

/// A payload for programs.
fn data(about: &About, payload: &Bytes) -> Value {
    let printer = about.printer.as_deref().unwrap_or_default();
    let parsed = match about.notification_type {
        types::ASYNCUI => Request::parse(payload).ok().map(|request| ui_json(printer, &request)),
        types::PRINTER_CONFIGURATION | types::PRINTER_CONFIGURATION_AS_PRINTED => {
            bidi::Notification::parse(payload).ok().map(|changes| configuration_json(&changes))
        }
        types::JOB | types::PRINTER | types::PORT => object(payload),
        _ => None,
    };
    let all = || payload.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    parsed.unwrap_or_else(|| json!({ "bytes": payload.len(), "hex": all() }))
}

fn hex(payload: &[u8]) -> String {
    let hex: String =
        payload.iter().take(SHOWN_BYTES).map(|octet| format!("{octet:02x}")).collect();
    if payload.len() > SHOWN_BYTES { format!("{hex}…") } else { hex }
}

fn object(payload: &[u8]) -> Option<Value> {
    serde_json::from_slice(payload).ok().filter(Value::is_object)
}

fn reasons(of: &Value) -> String {
    let reasons = of.get("reasons").and_then(Value::as_array);
    let reasons: Vec<&str> = reasons.into_iter().flatten().filter_map(Value::as_str).collect();
    let reasons: Vec<&str> = reasons.into_iter().filter(|reason| *reason != "none").collect();
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) }
}

fn job(event: &Value) -> Option<String> {
    let job = event.get("job")?;
    let printer = event.get("printer")?.as_str()?;
    let (id, state) = (job.get("id")?, job.get("state")?.as_str()?);
    let title = job.get("title").and_then(Value::as_str).unwrap_or_default();
    let title = if title.is_empty() { String::new() } else { format!(" \u{201c}{title}\u{201d}") };
    let done = job.get("bytes_done").and_then(Value::as_u64).unwrap_or_default();
    let of = match job.get("bytes_total").and_then(Value::as_u64) {
        Some(total) => format!("{} of {}", units::bytes(done), units::bytes(total)),
        None => units::bytes(done),
    };
    Some(format!("job {id}{title} on {printer}: {state}{}, {of}", reasons(job)))
}

fn printer(event: &Value) -> Option<String> {
    let (name, state) = (event.get("printer")?.as_str()?, event.get("state")?.as_str()?);
    let message = event.get("message").and_then(Value::as_str).unwrap_or_default();
    let says = if message.is_empty() {
        String::new()
    } else {
        format!(", it says \u{201c}{message}\u{201d}")
    };
    Some(format!("printer {name}: {state}{}{says}", reasons(event)))
}

fn port(event: &Value) -> Option<String> {
    let (port, what) = (event.get("port")?.as_str()?, event.get("event")?.as_str()?);
    let more = match what {
        "detached" => event.get("why")?.as_str()?.to_owned(),
        "attached" => event.get("identity")?.as_str().unwrap_or_default().to_owned(),
        "line" => event.get("line")?.to_string(),
        _ => format!("{} bytes {}", event.get("bytes")?, event.get("hex")?.as_str()?),
    };
    let more = if more.is_empty() { more } else { format!(": {more}") };
    Some(format!("port {port}: {what}{more}"))
}

fn ui(about: &About, request: &Request) -> String {
    let printer = about.printer.as_deref().unwrap_or("the printer");
    match request {
        Request::Balloon(balloon) => {
            let title = show(std::slice::from_ref(&balloon.title), printer);
            format!("{title}: {}", show(&balloon.body, printer))
        }
        Request::MessageBox(asked) => {
            let title = show(std::slice::from_ref(&asked.title), printer);
            let buttons = asked.buttons.iter();
            let buttons =
                buttons.map(|button| format!("[{} {}]", button.id.number(), label(button)));
            let buttons: Vec<String> = buttons.collect();
            format!("{title}: {} {}", show(&asked.body, printer), buttons.join(" "))
        }
        Request::CustomUi { code, .. } | Request::CustomData { code, .. } => {
            format!("{} of {} would be called; it is not", code.entrypoint, code.dll)
        }
    }
}

fn ui_json(printer: &str, request: &Request) -> Value {
    match request {
        Request::Balloon(balloon) => json!({
            "kind": "balloon",
            "title": show(std::slice::from_ref(&balloon.title), printer),
            "body": show(&balloon.body, printer),
        }),
        Request::MessageBox(asked) => {
            let button =
                |button: &Button| json!({ "id": button.id.number(), "label": label(button) });
            json!({
                "kind": "message-box",
                "title": show(std::slice::from_ref(&asked.title), printer),
                "body": show(&asked.body, printer),
                "buttons": asked.buttons.iter().map(button).collect::<Vec<_>>(),
            })
        }
        Request::CustomUi { code, .. } => json!({
            "kind": "custom-ui", "dll": code.dll, "entrypoint": code.entrypoint, "text": code.data,
        }),
        Request::CustomData { code, data, .. } => json!({
            "kind": "custom-data", "dll": code.dll, "entrypoint": code.entrypoint,
            "bytes": data.len(),
        }),
    }
}

fn configuration(changes: &bidi::Notification) -> String {
    let change = |change: &bidi::Change| match change {
        bidi::Change::Schema(name, value) => format!("{name} = {}", value_text(value)),
        bidi::Change::Reduced(name) => format!("{name} has changed"),
    };
    let all: Vec<String> = changes.changes.iter().map(change).collect();
    format!("configuration of {}: {}", changes.printer, all.join(", "))
}

fn configuration_json(changes: &bidi::Notification) -> Value {
    let change = |change: &bidi::Change| match change {
        bidi::Change::Schema(name, value) => (name.clone(), json!(value_text(value))),
        bidi::Change::Reduced(name) => (name.clone(), Value::Null),
    };
    let all: Map<String, Value> = changes.changes.iter().map(change).collect();
    json!({ "printer": changes.printer, "changes": all })
}

fn value_text(value: &bidi::Value) -> String {
    match value {
        bidi::Value::String(text)
        | bidi::Value::Text(text)
        | bidi::Value::Enum(text)
        | bidi::Value::Float(text)
        | bidi::Value::Blob(text) => text.clone(),
        bidi::Value::Int(number) => number.to_string(),
        bidi::Value::Bool(yes) => yes.to_string(),
    }
}

#[cfg(test)]
mod tests;
