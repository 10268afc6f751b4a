//! HP's Printer Job Language, as far as status goes (PJL Technical Reference Manual, HP 5961-0936, chapters 4 and 7).
//!
//! The device is told once to report by itself (`USTATUS`); from then on it sends, while it prints or not:
//!
//! ```text
//!   @PJL USTATUS DEVICE\r\n CODE=10001\r\n DISPLAY="READY"\r\n ONLINE=TRUE\r\n \f
//!   @PJL USTATUS PAGE\r\n 3\r\n \f
//!   @PJL USTATUS JOB\r\n END\r\n NAME="despool-42"\r\n PAGES=3\r\n \f
//! ```
//!
//! It is asked, once, what it is, how it is, how many pages it has printed and what it has left (`INFO`). So nothing has
//! to be said in the middle of a job. A device that falls silent (a job may have said `USTATUSOFF`) is told again, once; one
//! that never answered is not: it may print what it is told.
//!
//! What it is not: a change of the job. The envelope (`JOB`, `EOJ`) is put around a job only where the printer's
//! configuration asks for it.

mod code;
mod message;
mod supplies;

use std::time::Instant;

use self::message::{Info, Message, Messages};
use self::supplies::Supplies;
use super::questions::{Due, Questions};
use super::{Action, DeviceNote, Finding, JobNote, Language, Over, Setup, Status};
use crate::limits::{PJL_NAME_BYTES, PJL_SILENCE, PJL_TIMED};
use crate::monitor::port::How;

/// Universal Exit Language: leaves whatever language the device is in.
const UEL: &str = "\x1b%-12345X";

/// Marks what we say as not being part of a job.
const MARK: &str = "@PJL COMMENT despool\r\n";

/// What our job names begin with.
const JOB_NAME: &str = "despool-";

/// The language's state.
pub(super) struct Pjl {
    envelope: bool,
    device: DeviceNote,
    messages: Messages,
    /// What was asked and has not been answered.
    asked: Vec<Info>,
    questions: Questions,
    /// The device has shown that it speaks PJL.
    speaks: bool,
    job: Option<JobNote>,
    supplies: Supplies,
}

impl Pjl {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            envelope: setup.envelope,
            device: DeviceNote::default(),
            messages: Messages::default(),
            asked: Vec::new(),
            questions: Questions::default(),
            speaks: false,
            job: None,
            supplies: Supplies::default(),
        }
    }

    /// Tells the device to report, and asks it everything.
    fn greeting(&mut self, now: Instant) -> Vec<u8> {
        self.asked = Info::ALL.to_vec();
        self.questions.asked(now);
        let timed = format!("USTATUS TIMED = {}", PJL_TIMED.as_secs());
        let reports = ["USTATUS DEVICE = ON", "USTATUS JOB = ON", "USTATUS PAGE = ON", &timed];
        let reports = reports.iter().map(|report| format!("@PJL {report}\r\n"));
        let infos = Info::ALL.iter().map(|info| format!("@PJL INFO {}\r\n", info.word()));
        let lines: String = reports.chain(infos).collect();
        format!("{UEL}@PJL\r\n{MARK}{lines}{UEL}").into_bytes()
    }

    fn understand(&mut self, message: Message, out: &mut Vec<Action>) {
        if let Some(info) = message.info() {
            // The answer to somebody else's question is for somebody else.
            let Some(at) = self.asked.iter().position(|asked| *asked == info) else { return };
            self.asked.swap_remove(at);
        }
        if let Some(supplies) = self.supplies.learn(message.supplies()) {
            out.push(Action::Found(Finding::Supplies(supplies)));
        }
        if let Some(finding) = message.finding() {
            out.push(Action::Found(finding));
        }
    }
}

impl Language for Pjl {
    fn present(&mut self, device: &DeviceNote, now: Instant, out: &mut Vec<Action>) {
        self.device = device.clone();
        if !device.job_is_connection {
            let greeting = self.greeting(now);
            out.push(Action::Say(greeting.into()));
        }
    }

    fn absent(&mut self) {
        let (envelope, job) = (self.envelope, self.job.take());
        *self =
            Self { envelope, job, ..Self::new(Setup { envelope, queries: Default::default() }) };
    }

    fn begin(&mut self, job: &JobNote, now: Instant, out: &mut Vec<Action>) {
        if self.device.job_is_connection {
            let greeting = self.greeting(now);
            out.push(Action::write(greeting));
        }
        // A job that goes on in the middle has had its beginning.
        if self.envelope && job.from == 0 {
            let display = printable(&job.ticket.title);
            let name = job.job;
            let begin =
                format!("{UEL}@PJL JOB NAME = \"{JOB_NAME}{name}\" DISPLAY = \"{display}\"\r\n");
            out.push(Action::write(begin.into_bytes()));
        }
        self.job = Some(job.clone());
    }

    fn end(&mut self, _: Instant, out: &mut Vec<Action>) {
        if let Some(job) = self.job.as_ref().filter(|_| self.envelope) {
            let end = format!("{UEL}@PJL EOJ NAME = \"{JOB_NAME}{}\"\r\n{UEL}", job.job);
            out.push(Action::write(end.into_bytes()));
        }
        out.push(Action::End);
    }

    fn over(&mut self, how: Over, _: Instant, out: &mut Vec<Action>) {
        self.job = None;
        if let Over::Stopped(How::Cancel, _) = how {
            out.push(Action::say(UEL.as_bytes()));
        }
    }

    fn torn(&mut self) {
        self.messages.tear();
    }

    fn heard(&mut self, bytes: &[u8], now: Instant, out: &mut Vec<Action>) {
        let mut messages = std::mem::take(&mut self.messages);
        messages.take(bytes, |message| {
            self.speaks = true;
            self.questions.answered();
            self.questions.rest(now, PJL_SILENCE);
            self.understand(message, out);
        });
        self.messages = messages;
    }

    fn due(&self) -> Option<Instant> {
        self.questions.due()
    }

    fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        match self.questions.tick(now) {
            Due::Nothing => {}
            // What is said in the middle of a job comes after it; it is early enough then.
            Due::Ask if self.job.is_some() => self.questions.rest(now, PJL_SILENCE),
            Due::Ask if self.device.job_is_connection => self.questions.stop(),
            Due::Ask => {
                let greeting = self.greeting(now);
                out.push(Action::Say(greeting.into()));
            }
            Due::Missed | Due::Silent => {
                self.questions.stop();
                if self.speaks {
                    out.push(Action::Found(Finding::Status(Status::default())));
                }
            }
        }
    }
}

/// What can stand in a PJL string: printable ASCII without quotes, at most 80 characters.
fn printable(text: &str) -> String {
    let plain = |c: char| if (c.is_ascii_graphic() && c != '"') || c == ' ' { c } else { '?' };
    text.chars().map(plain).take(PJL_NAME_BYTES).collect()
}

#[cfg(test)]
mod tests;
