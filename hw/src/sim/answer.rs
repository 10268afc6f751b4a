//! The answers of the control language: one JSON object (RFC 8259) each, with these keys and perhaps more some day.
//!
//! ```text
//!   {"ok":true}
//!   {"error":"what is wrong; what would be right"}
//!   {"bytes":N,"sha256":"hex","monitor_bytes":N,"jobs":N,"pages":N,"buffered":N,"discarded":N}
//!   {"plugged":true,"hosts":N,"paper_out":false,…}
//! ```

use std::fmt::{Display, Write};

use super::{Condition, Received, Snapshot, Sum};

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done; there is nothing more to say.
    Done,
    /// Not done, and why.
    Refused(String),
    /// What was received.
    Received(Received),
    /// What can be seen from outside.
    State(Box<Snapshot>),
}

impl Answer {
    /// The answer as one JSON object, without a line end. `sha256` is `null` where another digest (or none) was asked
    /// for when the printer was made.
    pub fn to_json(&self) -> String {
        match self {
            Self::Done => Object::new().put("ok", true).close(),
            Self::Refused(why) => Object::new().text("error", why).close(),
            Self::Received(received) => received_json(received),
            Self::State(snapshot) => state_json(snapshot),
        }
    }
}

fn received_json(received: &Received) -> String {
    let Received { bytes, sum, monitor_bytes, jobs, pages, buffered, discarded } = received;
    let object = Object::new().put("bytes", bytes);
    let object = match sum {
        Sum::Sha256(_) => object.text("sha256", &sum.hex()),
        Sum::Crc32c(_) => object.put("sha256", "null").text("crc32c", &sum.hex()),
        Sum::Off => object.put("sha256", "null"),
    };
    object
        .put("monitor_bytes", monitor_bytes)
        .put("jobs", jobs)
        .put("pages", pages)
        .put("buffered", buffered)
        .put("discarded", discarded)
        .close()
}

fn state_json(snapshot: &Snapshot) -> String {
    let condition = snapshot.condition;
    let Condition { paper_out, paper_low, cover_open, offline, drawer_open, .. } = condition;
    let Condition { ribbon_out, cutter_jam, overheated, broken, .. } = condition;
    let object = Object::new()
        .put("plugged", snapshot.plugged)
        .put("hosts", snapshot.hosts)
        .put("paper_out", paper_out)
        .put("paper_low", paper_low)
        .put("cover_open", cover_open)
        .put("offline", offline)
        .put("drawer_open", drawer_open)
        .put("ribbon_out", ribbon_out)
        .put("cutter_jam", cutter_jam)
        .put("overheated", overheated)
        .put("broken", broken)
        .put("toner", condition.toner())
        .put("stalled", snapshot.stalled);
    let object = match snapshot.speed {
        Some(speed) => object.put("speed", speed),
        None => object.put("speed", "null"),
    };
    object
        .put("bytes", snapshot.bytes)
        .put("monitor_bytes", snapshot.monitor_bytes)
        .put("jobs", snapshot.jobs)
        .put("pages", snapshot.pages)
        .put("buffered", snapshot.buffered)
        .put("discarded", snapshot.discarded)
        .put("back_waiting", snapshot.back_waiting)
        .put("back_sent", snapshot.back_sent)
        .put("back_lost", snapshot.back_lost)
        .close()
}

/// A JSON object under way.
struct Object(String);

impl Object {
    fn new() -> Self {
        Self("{".to_owned())
    }

    /// Adds a value that is JSON as it prints: a number, `true`, `null`.
    fn put(mut self, key: &str, value: impl Display) -> Self {
        let comma = if self.0.len() > 1 { "," } else { "" };
        // Writing into a string cannot fail.
        let _ = write!(self.0, "{comma}\"{key}\":{value}");
        self
    }

    fn text(self, key: &str, value: &str) -> Self {
        self.put(key, format_args!("\"{}\"", escape(value)))
    }

    fn close(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A string's inside in JSON (RFC 8259 §7).
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{0}'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        assert_eq!(Answer::Done.to_json(), r#"{"ok":true}"#);
        let refused = Answer::Refused("a \"b\" \\ \n é".into());
        assert_eq!(refused.to_json(), r#"{"error":"a \"b\" \\ \u000a é"}"#);
        let sum = Sum::Crc32c(1);
        let (monitor_bytes, jobs, pages, buffered, discarded) = (4, 1, 2, 3, 0);
        let received = Received { bytes: 3, sum, monitor_bytes, jobs, pages, buffered, discarded };
        assert_eq!(
            Answer::Received(received).to_json(),
            r#"{"bytes":3,"sha256":null,"crc32c":"00000001","monitor_bytes":4,"jobs":1,"pages":2,"buffered":3,"discarded":0}"#
        );
        assert_eq!(
            Answer::State(Box::default()).to_json(),
            r#"{"plugged":false,"hosts":0,"paper_out":false,"paper_low":false,"cover_open":false,"offline":false,"drawer_open":false,"ribbon_out":false,"cutter_jam":false,"overheated":false,"broken":false,"toner":100,"stalled":false,"speed":null,"bytes":0,"monitor_bytes":0,"jobs":0,"pages":0,"buffered":0,"discarded":0,"back_waiting":0,"back_sent":0,"back_lost":0}"#
        );
    }
}
