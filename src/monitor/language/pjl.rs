//! HP's Printer Job Language, as far as status goes (PJL Technical Reference Manual, HP 5961-0936).
//!
//! The device is asked once to report by itself (`USTATUS`); from then on it sends, while it prints or not:
//!
//! ```text
//!   @PJL USTATUS DEVICE\r\n CODE=10001\r\n DISPLAY="READY"\r\n ONLINE=TRUE\r\n \f
//!   @PJL USTATUS PAGE\r\n 3\r\n \f
//!   @PJL USTATUS JOB\r\n END\r\n NAME="despool-42"\r\n PAGES=3\r\n \f
//! ```
//!
//! A message ends with a form feed. Whatever does not begin with `@PJL` is not for us (a program behind the job may be
//! talking to the device in a language of its own).
//!
//! What it is not: a change of the job. The envelope (`JOB`, `EOJ`) is put around a job only where the printer's
//! configuration asks for it.

mod code;

use std::time::Instant;

use super::{Finding, JobNote, Language, Status};
use crate::limits::{PJL_MESSAGE_BYTES, PJL_NAME_BYTES};

/// Universal Exit Language: leaves whatever language the device is in.
const UEL: &str = "\x1b%-12345X";

/// Marks what we say as not being part of a job.
const MARK: &str = "@PJL COMMENT despool\r\n";

/// Begins each message of the device.
const START: &str = "@PJL ";

const JOB_NAME: &str = "despool-";

/// The language's state: what was heard of an unfinished message.
pub(super) struct Pjl {
    envelope: bool,
    message: Vec<u8>,
}

impl Pjl {
    pub(super) fn new(envelope: bool) -> Self {
        Self { envelope, message: Vec::new() }
    }
}

impl Language for Pjl {
    fn greet(&mut self) -> Vec<u8> {
        let asks = ["USTATUS DEVICE = ON", "USTATUS JOB = ON", "USTATUS PAGE = ON", "INFO STATUS"];
        let asks: String = asks.iter().map(|ask| format!("@PJL {ask}\r\n")).collect();
        format!("{UEL}@PJL\r\n{MARK}{asks}{UEL}").into_bytes()
    }

    fn begin(&mut self, job: &JobNote) -> Vec<u8> {
        if !self.envelope {
            return Vec::new();
        }
        let display = printable(&job.title);
        format!("{UEL}@PJL JOB NAME = \"{JOB_NAME}{}\" DISPLAY = \"{display}\"\r\n", job.job)
            .into_bytes()
    }

    fn end(&mut self, job: &JobNote) -> Vec<u8> {
        if !self.envelope {
            return Vec::new();
        }
        format!("{UEL}@PJL EOJ NAME = \"{JOB_NAME}{}\"\r\n{UEL}", job.job).into_bytes()
    }

    fn canceled(&mut self) -> Vec<u8> {
        UEL.into()
    }

    fn lost(&mut self) {
        self.message.clear();
    }

    fn heard(&mut self, bytes: &[u8], _: Instant, found: &mut dyn FnMut(Finding)) {
        for byte in bytes {
            if *byte == b'\x0c' {
                let message = std::mem::take(&mut self.message);
                if let Some(finding) = understand(&message) {
                    found(finding);
                }
            } else {
                if self.message.len() >= PJL_MESSAGE_BYTES {
                    self.make_room();
                }
                self.message.push(*byte);
            }
        }
    }
}

impl Pjl {
    /// Drops noise before a message, or a message that is longer than any we know. What may become the beginning of the
    /// next one stays: noise does not end with a form feed.
    fn make_room(&mut self) {
        let last = self.message.windows(START.len()).rposition(|bytes| bytes == START.as_bytes());
        let tail = self.message.len().saturating_sub(START.len().saturating_sub(1));
        let from = last.filter(|at| *at > 0).unwrap_or(tail);
        self.message.drain(..from);
    }
}

/// What can stand in a PJL string: printable ASCII without quotes, at most 80 characters.
fn printable(text: &str) -> String {
    let plain = |c: char| if (c.is_ascii_graphic() && c != '"') || c == ' ' { c } else { '?' };
    text.chars().map(plain).take(PJL_NAME_BYTES).collect()
}

/// What a whole message means; `None` for what is not ours or not of use.
fn understand(message: &[u8]) -> Option<Finding> {
    let text = String::from_utf8_lossy(message);
    // Garbage may stand before the message; a device can also be cut off in one and begin another.
    let text = text.get(text.rfind(START)?..)?;
    let mut lines = text.lines().map(str::trim);
    let head = lines.next()?.strip_prefix(START)?.split_whitespace().collect::<Vec<_>>().join(" ");
    let rest: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    match head.to_ascii_uppercase().as_str() {
        "USTATUS DEVICE" | "USTATUS TIMED" | "INFO STATUS" => status(&rest),
        "USTATUS PAGE" => rest.first()?.parse().ok().map(Finding::Pages),
        "USTATUS JOB" => job(&rest),
        "INFO ID" => rest.first().map(|id| Finding::Identity(unquoted(id).to_owned())),
        _ => None,
    }
}

fn status(lines: &[&str]) -> Option<Finding> {
    let codes: Vec<u32> =
        lines.iter().filter_map(|line| value(line, "CODE")?.parse().ok()).collect();
    if codes.is_empty() {
        return None;
    }
    let online = lines.iter().find_map(|line| value(line, "ONLINE"));
    let offline = online.is_some_and(|online| online.eq_ignore_ascii_case("FALSE"));
    let message =
        lines.iter().find_map(|line| value(line, "DISPLAY")).map(unquoted).unwrap_or_default();
    let mut reasons: Vec<_> = codes.iter().filter_map(|code| code::reason(*code)).collect();
    if offline && !reasons.iter().any(|reason| reason.stops) {
        reasons.push(code::OFFLINE);
    }
    reasons.sort_unstable();
    reasons.dedup();
    Some(Finding::Status(Status { reasons, message: message.to_owned() }))
}

fn job(lines: &[&str]) -> Option<Finding> {
    if !lines.first()?.eq_ignore_ascii_case("END") {
        return None;
    }
    let name = lines.iter().find_map(|line| value(line, "NAME")).map(unquoted);
    let job =
        name.and_then(|name| name.strip_prefix(JOB_NAME)).and_then(|number| number.parse().ok());
    let pages =
        lines.iter().find_map(|line| value(line, "PAGES")).and_then(|pages| pages.parse().ok());
    Some(Finding::Printed { job, pages })
}

/// The value of `KEY=VALUE`, with blanks around the `=` as some devices put them.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (name, value) = line.split_once('=')?;
    name.trim().eq_ignore_ascii_case(key).then(|| value.trim())
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests;
