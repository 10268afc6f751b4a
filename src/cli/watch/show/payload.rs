//! Payloads, for people and for programs.
//!
//! Invariant: a payload that cannot be read is shown as bytes; none is passed over.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::About;
use crate::asyncui::{Button, ButtonId, Request, default_string, show};
use crate::bidi;
use crate::cli::units;
use crate::sources::types;

/// Bytes that are shown of a payload that nobody here understands.
const SHOWN_BYTES: usize = 64;

/// Without control characters.
pub(in crate::cli::watch) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

/// What stands on a button.
pub(in crate::cli::watch) fn label(button: &Button) -> String {
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
pub(super) fn describe(about: &About, payload: &Bytes) -> String {
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
pub(super) fn data(about: &About, payload: &Bytes) -> Value {
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
