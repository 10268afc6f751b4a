//! Epson's ESC/POS, as far as status goes (Epson ESC/POS command reference: `DLE EOT`, `GS a`, `GS r`).
//!
//! | | is | when |
//! | --- | --- | --- |
//! | `GS a 15` | automatic status back: four bytes at every change, from then on | when the printer comes, after each job (a job's `ESC @` switches it off) |
//! | `DLE EOT n` | a question that is answered at once, off line and with a full buffer too | when the printer comes, after each job; then again and again where the printer does not report by itself |
//! | `GS r n` | a question that waits its turn: its answer says that what was sent before is printed | after each job; and where `DLE EOT` is not answered |
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
use despool_spool::JobId;

use self::back::{Back, Reply};
use self::commands::Commands;
use self::sensors::Sensors;
use super::questions::{Due, Questions};
use super::{Action, Boundaries, DeviceNote, Finding, JobNote, Language, Over, Setup, Status};
use crate::config::StatusQueries;
use crate::limits::{
    STATUS_PACE, STATUS_PACE_BUSY, STATUS_PACE_JOB, STATUS_PACE_SILENT, UNPRINTED_JOBS,
};

/// `GS a`: report changes of the drawer, of being on line, of errors, of paper.
const REPORT: &[u8] = b"\x1da\x0f";

/// `DLE EOT n`, in an order in which a printer that does not know the third kind is not misunderstood.
const ASK: &[u8] = b"\x10\x04\x01\x10\x04\x02\x10\x04\x04\x10\x04\x03";
const ASKED: [u8; 4] = [1, 2, 4, 3];

/// `GS r n`: paper, drawer.
const ASK_SLOWLY: &[u8] = b"\x1dr\x01\x1dr\x02";
const ASKED_SLOWLY: [u8; 2] = [1, 2];

/// `GS r 1`, behind a job.
const ASK_LAST: &[u8] = b"\x1dr\x01";

/// The language's state.
pub(super) struct Escpos {
    queries: StatusQueries,
    job_is_connection: bool,
    back: Back,
    sensors: Sensors,
    /// Which `DLE EOT` will be answered next.
    asked: VecDeque<u8>,
    /// Which `GS r` will be answered next, and what is printed then.
    asked_slowly: VecDeque<(u8, Option<JobId>)>,
    questions: Questions,
    /// It has answered `DLE EOT`.
    answers: bool,
    /// It reports by itself.
    reports: bool,
    /// The job on its way.
    job: Option<JobId>,
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
            job: None,
            stalled: false,
            told: Status::default(),
        }
    }

    fn asked(&mut self, now: Instant) {
        self.asked = ASKED.into();
        self.wait(now);
    }

    fn wait(&mut self, now: Instant) {
        match self.job {
            Some(_) => self.questions.asked_in_job(now),
            None => self.questions.asked(now),
        }
    }

    /// Between jobs: has it report, and asks.
    fn greet(&mut self, now: Instant, out: &mut Vec<Action>) {
        out.push(Action::say(REPORT));
        self.ask(now, out);
    }

    fn ask(&mut self, now: Instant, out: &mut Vec<Action>) {
        out.push(match self.job {
            Some(_) => Action::Ask(Bytes::from_static(ASK)),
            None => Action::say(ASK),
        });
        self.asked(now);
    }

    /// When to ask next: soon where there is a fault to be cured, hardly where it reports by itself.
    fn rest(&mut self, now: Instant) {
        let pace = match (self.job, self.queries) {
            (None, _) if self.reports => STATUS_PACE_SILENT,
            (None, _) if self.told.stops() => STATUS_PACE_BUSY,
            (None, _) => STATUS_PACE,
            (_, StatusQueries::WhilePrinting) => STATUS_PACE_JOB,
            (_, StatusQueries::WhenStalled) if self.stalled => STATUS_PACE_JOB,
            (_, StatusQueries::WhenStalled | StatusQueries::BetweenJobs) => {
                return self.questions.stop();
            }
        };
        self.questions.rest(now, pace);
    }

    /// Takes in what was sent; false where it answers a question that was never asked, which is no answer.
    fn take(&mut self, reply: Reply, out: &mut Vec<Action>) -> bool {
        match reply {
            Reply::Automatic(bytes) => {
                self.reports = true;
                self.sensors.automatic(bytes);
            }
            Reply::Realtime(byte) => {
                let Some(n) = self.asked.pop_front() else { return false };
                self.answers = true;
                self.sensors.realtime(n, byte);
            }
            Reply::Slow(byte) => {
                let Some((n, job)) = self.asked_slowly.pop_front() else { return false };
                self.sensors.slow(n, byte);
                let printed = |job| Finding::Printed { job: Some(job), pages: None };
                out.extend(job.map(|job| Action::Found(printed(job))));
            }
        }
        true
    }

    /// Asks behind a job, to hear when it is printed.
    fn ask_last(&mut self, job: JobId, out: &mut Vec<Action>) {
        // One that has never answered is not asked without end.
        if self.asked_slowly.len() >= UNPRINTED_JOBS {
            return;
        }
        self.asked_slowly.push_back((1, Some(job)));
        out.push(Action::say(ASK_LAST));
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
        if !self.answers && self.job.is_none() && self.asked_slowly.is_empty() {
            out.push(Action::say(ASK_SLOWLY));
            self.asked_slowly = ASKED_SLOWLY.map(|n| (n, None)).into();
        }
        self.rest(now);
    }
}

impl Language for Escpos {
    fn present(&mut self, device: &DeviceNote, now: Instant, out: &mut Vec<Action>) {
        self.job_is_connection = device.job_is_connection;
        if !device.job_is_connection && self.job.is_none() {
            self.greet(now, out);
        }
    }

    fn absent(&mut self) {
        let Self { queries, job_is_connection, job, .. } = *self;
        let fresh = Self::new(Setup { envelope: false, queries });
        *self = Self { job_is_connection, job, ..fresh };
    }

    fn begin(&mut self, job: &JobNote, now: Instant, out: &mut Vec<Action>) {
        (self.job, self.stalled) = (Some(job.job), false);
        if self.job_is_connection && job.from == 0 {
            out.push(Action::write([REPORT, ASK].concat()));
            self.asked(now);
        } else {
            self.rest(now);
        }
    }

    fn over(&mut self, how: Over, now: Instant, out: &mut Vec<Action>) {
        self.stalled = false;
        let job = self.job.take();
        if self.job_is_connection {
            return self.questions.stop();
        }
        if let Some(job) = job.filter(|_| how == Over::Ended) {
            self.ask_last(job, out);
        }
        self.greet(now, out);
    }

    fn unasked(&mut self) {
        self.asked.clear();
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
                alive |= self.take(reply, out);
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
            self.wait(now);
        }
    }

    fn stalled(&mut self, stalled: bool, now: Instant, out: &mut Vec<Action>) {
        self.stalled = stalled;
        if self.job.is_none() || self.queries == StatusQueries::BetweenJobs {
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
            Due::Ask if self.job_is_connection && self.job.is_none() => self.questions.stop(),
            Due::Ask => self.ask(now, out),
            Due::Missed => self.missed(now, out),
            Due::Silent => {
                self.sensors = Sensors::default();
                self.asked_slowly.clear();
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
