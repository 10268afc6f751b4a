//! What is seen, for people (a line of text) and for programs (a JSON object a line).
//!
//! Payloads come from somewhere else: nothing of them reaches the terminal as a control character. Invariant: a payload
//! that cannot be read is shown as bytes; none is passed over.

mod payload;

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::payload::{data, describe};
pub(super) use self::payload::{label, plain};
use crate::cli::Failed;
use crate::cli::time;
use crate::notify::{NotificationType, Style};
use crate::pan::client::Wanted;
use crate::sources::types;

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

#[cfg(test)]
mod tests;
