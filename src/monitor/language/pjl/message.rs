//! PJL's readback messages: `@PJL KIND`, lines, a form feed (PJL Technical Reference Manual ch. 7).
//!
//! Whatever does not begin with `@PJL` is not for us (a program behind the job may be talking to the device in a language
//! of its own). The invariant: at most [`PJL_MESSAGE_BYTES`] of an unfinished message are kept; a longer one is skipped to
//! its end.

use super::supplies::{self, Level};
use super::{JOB_NAME, code};
use crate::limits::PJL_MESSAGE_BYTES;
use crate::monitor::language::{Finding, Status};

/// Begins each message of the device.
const START: &str = "@PJL ";

/// Cuts the back channel into messages.
#[derive(Debug, Default)]
pub(super) struct Messages {
    message: Vec<u8>,
}

impl Messages {
    /// Takes bytes; `each` is called for each message that is complete and understood.
    pub(super) fn take(&mut self, bytes: &[u8], mut each: impl FnMut(Message)) {
        for byte in bytes {
            if *byte == b'\x0c' {
                let message = std::mem::take(&mut self.message);
                if let Some(message) = Message::read(&message) {
                    each(message);
                }
            } else {
                if self.message.len() >= PJL_MESSAGE_BYTES {
                    self.make_room();
                }
                self.message.push(*byte);
            }
        }
    }

    /// Bytes were lost: what is half there is void.
    pub(super) fn tear(&mut self) {
        self.message.clear();
    }

    /// Drops noise before a message, or a message that is longer than any we know. What may become the beginning of the
    /// next one stays: noise does not end with a form feed.
    fn make_room(&mut self) {
        let last = self.message.windows(START.len()).rposition(|bytes| bytes == START.as_bytes());
        let tail = self.message.len().saturating_sub(START.len().saturating_sub(1));
        let from = last.filter(|at| *at > 0).unwrap_or(tail);
        self.message.drain(..from);
    }
}

/// What can be asked by `INFO`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Info {
    Id,
    Status,
    PageCount,
    Supplies,
}

impl Info {
    pub(super) const ALL: [Self; 4] = [Self::Id, Self::Status, Self::PageCount, Self::Supplies];

    /// Its category.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Id => "ID",
            Self::Status => "STATUS",
            Self::PageCount => "PAGECOUNT",
            Self::Supplies => "SUPPLIES",
        }
    }
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Info(Info),
    Device,
    Job,
    Page,
}

/// A message of a kind that is known.
#[derive(Debug)]
pub(super) struct Message {
    kind: Kind,
    lines: Vec<String>,
}

impl Message {
    fn read(message: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(message);
        // Garbage may stand before the message; a device can also be cut off in one and begin another.
        let text = text.get(text.rfind(START)?..)?;
        let mut lines = text.lines().map(str::trim);
        let words = lines.next()?.strip_prefix(START)?.to_ascii_uppercase();
        let words: Vec<&str> = words.split_whitespace().collect();
        let kind = match words.as_slice() {
            ["USTATUS", "DEVICE" | "TIMED"] => Kind::Device,
            ["USTATUS", "PAGE"] => Kind::Page,
            ["USTATUS", "JOB"] => Kind::Job,
            ["INFO", word] => Kind::Info(Info::ALL.into_iter().find(|info| info.word() == *word)?),
            _ => return None,
        };
        let lines = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
        Some(Self { kind, lines })
    }

    /// The question that it answers.
    pub(super) fn info(&self) -> Option<Info> {
        match self.kind {
            Kind::Info(info) => Some(info),
            Kind::Device | Kind::Job | Kind::Page => None,
        }
    }

    /// What it says of supplies: some printers do so in a status message.
    pub(super) fn supplies(&self) -> Vec<Level> {
        match self.kind {
            Kind::Info(Info::Supplies | Info::Status) | Kind::Device => {
                self.lines.iter().filter_map(|line| supplies::read(line)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What it means.
    pub(super) fn finding(&self) -> Option<Finding> {
        let first = self.lines.first().map(String::as_str);
        match self.kind {
            Kind::Device | Kind::Info(Info::Status) => self.status(),
            Kind::Page => first?.parse().ok().map(Finding::Pages),
            Kind::Job => self.job(),
            Kind::Info(Info::Id) => Some(Finding::Identity(unquoted(first?).to_owned())),
            Kind::Info(Info::PageCount) => {
                let count = value(first?, "PAGECOUNT").unwrap_or(first?);
                unquoted(count).parse().ok().map(Finding::PageCount)
            }
            Kind::Info(Info::Supplies) => None,
        }
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| value(line, key)).map(unquoted)
    }

    fn status(&self) -> Option<Finding> {
        let codes = self.lines.iter().filter_map(|line| value(line, "CODE")?.parse::<u32>().ok());
        let codes: Vec<u32> = codes.filter(|code| code::is_of_device(*code)).collect();
        if codes.is_empty() {
            return None;
        }
        let online = self.value("ONLINE").map(|online| !online.eq_ignore_ascii_case("FALSE"));
        let reasons = codes.iter().filter_map(|code| code::reason(*code, online != Some(false)));
        let message = self.value("DISPLAY").unwrap_or_default();
        let mut status = Status::new(reasons, message);
        if online == Some(false) && !status.stops() {
            status = Status::new(status.reasons.into_iter().chain([code::OFFLINE]), message);
        }
        Some(Finding::Status(status))
    }

    fn job(&self) -> Option<Finding> {
        if !self.lines.first()?.eq_ignore_ascii_case("END") {
            return None;
        }
        let number = self.value("NAME").and_then(|name| name.strip_prefix(JOB_NAME));
        let job = number.and_then(|number| number.parse().ok());
        let pages = self.value("PAGES").and_then(|pages| pages.parse().ok());
        Some(Finding::Printed { job, pages })
    }
}

/// The value of `KEY=VALUE`, with blanks around the `=` as some devices put them.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (name, value) = line.split_once('=')?;
    name.trim().eq_ignore_ascii_case(key).then(|| value.trim())
}

/// A value without its quotes, and without the blanks that fill a display.
pub(super) fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).trim()
}

#[cfg(test)]
mod tests;
