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

use despool_spool::JobId;

use self::back::{Back, Reply};
use self::commands::Commands;
use self::sensors::Sensors;
use super::asking::{Asking, Next};
use super::questions::Due;
use super::{Action, Boundaries, DeviceNote, Finding, JobNote, Language, Over, Setup, Status};
use crate::limits::{STATUS_PACE, STATUS_PACE_BUSY, STATUS_PACE_SILENT, UNPRINTED_JOBS};

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
    asking: Asking,
    back: Back,
    sensors: Sensors,
    /// Which `DLE EOT` will be answered next.
    asked: VecDeque<u8>,
    /// Which `GS r` will be answered next, and what is printed then.
    asked_slowly: VecDeque<(u8, Option<JobId>)>,
    /// It has answered `DLE EOT`.
    answers: bool,
    /// It reports by itself.
    reports: bool,
}

impl Escpos {
    pub(super) fn new(setup: Setup) -> Self {
        Self::with(Asking::new(setup.queries))
    }

    fn with(asking: Asking) -> Self {
        Self {
            asking,
            back: Back::default(),
            sensors: Sensors::default(),
            asked: VecDeque::new(),
            asked_slowly: VecDeque::new(),
            answers: false,
            reports: false,
        }
    }

    /// Between jobs: has it report, and asks.
    fn greet(&mut self, now: Instant, out: &mut Vec<Action>) {
        out.push(Action::say(REPORT));
        self.ask(now, out);
    }

    fn ask(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.asked = ASKED.into();
        self.asking.ask(ASK, now, out);
    }

    /// When to ask next: soon where there is a fault to be cured, hardly where it reports by itself.
    fn rest(&mut self, now: Instant) {
        let pace = match () {
            () if self.reports => STATUS_PACE_SILENT,
            () if self.asking.told().stops() => STATUS_PACE_BUSY,
            () => STATUS_PACE,
        };
        self.asking.rest(now, pace);
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

    fn missed(&mut self, now: Instant, out: &mut Vec<Action>) {
        // Late answers to what was asked would be taken for others.
        self.asked.clear();
        if !self.answers && !self.asking.in_job() && self.asked_slowly.is_empty() {
            out.push(Action::say(ASK_SLOWLY));
            self.asked_slowly = ASKED_SLOWLY.map(|n| (n, None)).into();
        }
        self.rest(now);
    }
}

impl Language for Escpos {
    fn present(&mut self, device: &DeviceNote, now: Instant, out: &mut Vec<Action>) {
        if self.asking.present(device) {
            self.greet(now, out);
        }
    }

    fn absent(&mut self) {
        *self = Self::with(self.asking.absent());
    }

    fn begin(&mut self, job: &JobNote, now: Instant, out: &mut Vec<Action>) {
        if self.asking.begin(job) {
            out.push(Action::write([REPORT, ASK].concat()));
            self.asked = ASKED.into();
            self.asking.wait(now);
        } else {
            self.rest(now);
        }
    }

    fn over(&mut self, how: Over, now: Instant, out: &mut Vec<Action>) {
        let job = self.asking.over();
        if !self.asking.is_free() {
            return;
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
        self.asking.tell(self.sensors.status(), out);
        self.asking.answered();
        if self.asked.is_empty() {
            self.rest(now);
        } else {
            // The rest of the answers is on its way.
            self.asking.wait(now);
        }
    }

    fn stalled(&mut self, stalled: bool, now: Instant, out: &mut Vec<Action>) {
        match self.asking.stalled(stalled) {
            Next::Nothing => {}
            Next::Ask => self.ask(now, out),
            Next::Rest => self.rest(now),
        }
    }

    fn due(&self) -> Option<Instant> {
        self.asking.due()
    }

    fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        match self.asking.tick(now) {
            Due::Nothing => {}
            Due::Ask => self.ask(now, out),
            Due::Missed => self.missed(now, out),
            Due::Silent => {
                self.sensors = Sensors::default();
                self.asked_slowly.clear();
                self.asking.tell(Status::default(), out);
                self.missed(now, out);
            }
        }
    }

    fn boundaries(&self) -> Option<Box<dyn Boundaries>> {
        self.asking.boundaries::<Commands>()
    }
}

#[cfg(test)]
mod tests;
