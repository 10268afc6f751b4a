//! Epson's ESC/POS, as far as status goes (Epson ESC/POS command reference: `DLE EOT`, `GS a`, `GS r`).
//!
//! | | is | when |
//! | --- | --- | --- |
//! | `GS a 15` | automatic status back: four bytes at every change, from then on | when the printer comes, after each job (a job's `ESC @` switches it off) |
//! | `DLE EOT n` | a question that is answered at once, off line and with a full buffer too | when the printer comes, after each job; then again and again where the printer does not report by itself |
//! | `GS r n` | a question that waits its turn | where `DLE EOT` is not answered |
//!
//! In the middle of a job `DLE EOT` is a trap: between two commands it is taken out of the data, but inside one (a bit
//! image, the parameter of `ESC 3`) many printers print it ("should not be used within the data sequence of another
//! command that consists of 2 or more bytes"). So it is asked there only where the document was read and understood up to
//! that place ([`Commands`]), and only where the printer's `status_queries` lets it. A command that [`Commands`] does not
//! know ends the asking in that job.
//!
//! What it is not: identification. `GS I` is printed by some of those who speak a little ESC/POS.

mod back;
mod commands;
mod sensors;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use self::back::{Back, Reply};
use self::commands::Commands;
use self::sensors::Sensors;
use super::questions::{Due, Questions};
use super::{Action, Boundaries, DeviceNote, Finding, JobNote, Language, Over, Setup, Status};
use crate::config::StatusQueries;
use crate::limits::{STATUS_PACE, STATUS_PACE_BUSY, STATUS_PACE_JOB, STATUS_PACE_SILENT};

/// `GS a`: report changes of the drawer, of being on line, of errors, of paper.
const REPORT: &[u8] = b"\x1da\x0f";

/// `DLE EOT n`, in an order in which a printer that does not know the third kind is not misunderstood.
const ASK: &[u8] = b"\x10\x04\x01\x10\x04\x02\x10\x04\x04\x10\x04\x03";
const ASKED: [u8; 4] = [1, 2, 4, 3];

/// `GS r n`: paper, drawer.
const ASK_SLOWLY: &[u8] = b"\x1dr\x01\x1dr\x02";
const ASKED_SLOWLY: [u8; 2] = [1, 2];

/// The language's state.
pub(super) struct Escpos {
    queries: StatusQueries,
    job_is_connection: bool,
    back: Back,
    sensors: Sensors,
    /// Which `DLE EOT` will be answered next.
    asked: VecDeque<u8>,
    /// Which `GS r` will be answered next.
    asked_slowly: VecDeque<u8>,
    questions: Questions,
    /// It has answered `DLE EOT`.
    answers: bool,
    /// It reports by itself.
    reports: bool,
    in_job: bool,
    stalled: bool,
    told: Status,
}

impl Escpos {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            queries: setup.queries,
            job_is_connection: false,
            back: Back::default(),
            sensors: Sensors::default(),
            asked: VecDeque::new(),
            asked_slowly: VecDeque::new(),
            questions: Questions::default(),
            answers: false,
            reports: false,
            in_job: false,
            stalled: false,
            told: Status::default(),
        }
    }

    fn asked(&mut self, now: Instant) {
        self.asked = ASKED.into();
        self.questions.asked(now);
    }

    /// Between jobs: has it report, and asks.
    fn greet(&mut self, now: Instant, out: &mut Vec<Action>) {
        out.push(Action::say(REPORT));
        self.ask(now, out);
    }

    fn ask(&mut self, now: Instant, out: &mut Vec<Action>) {
        out.push(if self.in_job { Action::Ask(Bytes::from_static(ASK)) } else { Action::say(ASK) });
        self.asked(now);
    }

    /// When to ask next: soon where there is a fault to be cured, hardly where it reports by itself.
    fn rest(&mut self, now: Instant) {
        let pace = match self.queries {
            _ if !self.in_job && self.reports => STATUS_PACE_SILENT,
            _ if !self.in_job && self.told.stops() => STATUS_PACE_BUSY,
            _ if !self.in_job => STATUS_PACE,
            StatusQueries::WhilePrinting => STATUS_PACE_JOB,
            StatusQueries::WhenStalled if self.stalled => STATUS_PACE_JOB,
            StatusQueries::WhenStalled | StatusQueries::BetweenJobs => {
                return self.questions.stop();
            }
        };
        self.questions.rest(now, pace);
    }

    /// Takes in what was sent; false where it answers a question that was never asked, which is no answer.
    fn take(&mut self, reply: Reply) -> bool {
        let asked = match reply {
            Reply::Automatic(_) => None,
            Reply::Realtime(_) => self.asked.pop_front(),
            Reply::Slow(_) => self.asked_slowly.pop_front(),
        };
        match (reply, asked) {
            (Reply::Automatic(bytes), _) => {
                self.reports = true;
                self.sensors.automatic(bytes);
            }
            (Reply::Realtime(byte), Some(n)) => {
                self.answers = true;
                self.sensors.realtime(n, byte);
            }
            (Reply::Slow(byte), Some(n)) => self.sensors.slow(n, byte),
            (Reply::Realtime(_) | Reply::Slow(_), None) => return false,
        }
        true
    }

    fn tell(&mut self, status: Status, out: &mut Vec<Action>) {
        if self.told != status {
            self.told.clone_from(&status);
            out.push(Action::Found(Finding::Status(status)));
        }
    }

    fn missed(&mut self, now: Instant, out: &mut Vec<Action>) {
        // Late answers to what was asked would be taken for others.
        self.asked.clear();
        self.asked_slowly.clear();
        if !self.answers && !self.in_job {
            out.push(Action::say(ASK_SLOWLY));
            self.asked_slowly = ASKED_SLOWLY.into();
        }
        self.rest(now);
    }
}

impl Language for Escpos {
    fn present(&mut self, device: &DeviceNote, now: Instant, out: &mut Vec<Action>) {
        self.job_is_connection = device.job_is_connection;
        if !device.job_is_connection && !self.in_job {
            self.greet(now, out);
        }
    }

    fn absent(&mut self) {
        let Self { queries, job_is_connection, in_job, .. } = *self;
        let fresh = Self::new(Setup { envelope: false, queries });
        *self = Self { job_is_connection, in_job, ..fresh };
    }

    fn begin(&mut self, job: &JobNote, now: Instant, out: &mut Vec<Action>) {
        (self.in_job, self.stalled) = (true, false);
        if self.job_is_connection && job.from == 0 {
            out.push(Action::write([REPORT, ASK].concat()));
            self.asked(now);
        } else {
            self.rest(now);
        }
    }

    fn over(&mut self, _: Over, now: Instant, out: &mut Vec<Action>) {
        (self.in_job, self.stalled) = (false, false);
        match self.job_is_connection {
            true => self.questions.stop(),
            false => self.greet(now, out),
        }
    }

    fn torn(&mut self) {
        self.back = Back::default();
        self.asked.clear();
        self.asked_slowly.clear();
    }

    fn heard(&mut self, bytes: &[u8], now: Instant, out: &mut Vec<Action>) {
        let mut alive = false;
        for byte in bytes {
            if let Some(reply) = self.back.take(*byte) {
                alive |= self.take(reply);
            }
        }
        if !alive {
            return;
        }
        self.tell(self.sensors.status(), out);
        self.questions.answered();
        if self.asked.is_empty() {
            self.rest(now);
        } else {
            // The rest of the answers is on its way.
            self.questions.asked(now);
        }
    }

    fn stalled(&mut self, stalled: bool, now: Instant, out: &mut Vec<Action>) {
        self.stalled = stalled;
        if !self.in_job || self.queries == StatusQueries::BetweenJobs {
            return;
        }
        match stalled {
            true => self.ask(now, out),
            false => self.rest(now),
        }
    }

    fn due(&self) -> Option<Instant> {
        self.questions.due()
    }

    fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        match self.questions.tick(now) {
            Due::Nothing => {}
            Due::Ask if self.job_is_connection && !self.in_job => self.questions.stop(),
            Due::Ask => self.ask(now, out),
            Due::Missed => self.missed(now, out),
            Due::Silent => {
                self.sensors = Sensors::default();
                self.tell(Status::default(), out);
                self.missed(now, out);
            }
        }
    }

    fn boundaries(&self) -> Option<Box<dyn Boundaries>> {
        (self.queries != StatusQueries::BetweenJobs)
            .then(|| Box::<Commands>::default() as Box<dyn Boundaries>)
    }
}

#[cfg(test)]
mod tests;
