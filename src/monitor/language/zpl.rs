//! Zebra's ZPL II, as far as status goes (ZPL II Programming Guide: `~HS`, `~HQ`, `~HI`, `~JX`; SGD: `getvar`).
//!
//! | | is | when |
//! | --- | --- | --- |
//! | `~HI` | what it is | when the printer comes |
//! | `~HS`, `~HQES` | how it is: sensors, labels to be printed, errors, warnings | when the printer comes, after each job until it is printed, then again and again |
//! | `getvar "odometer.total_label_count"` | labels printed in its life | when it comes and when a job is printed; only where `~HI` tells of a firmware that knows SGD |
//! | `~JX` | forget the half format | after a job that was canceled |
//!
//! ```text
//!   job over ──► ~HS ──► formats, labels left? ──► ~HS …          (STATUS_PACE_BUSY)
//!                          └─ none, no fault ──► getvar ──► printed, so many labels
//! ```
//!
//! A `~` command is executed as soon as the printer comes to it, within a format too; but not within binary graphics. So in
//! the middle of a job it is asked only where the document was read and understood up to that place ([`Formats`]), and only
//! where the printer's `status_queries` lets it.
//!
//! What it is not: `^HH` (the configuration label as text), which tells nothing of the state.

mod answer;
mod formats;
mod sensors;

use std::collections::VecDeque;
use std::time::Instant;

use despool_spool::JobId;

use self::answer::{Answer, Answers, Identity};
use self::formats::Formats;
use self::sensors::Sensors;
use super::asking::{Asking, Next};
use super::questions::Due;
use super::{Action, Boundaries, DeviceNote, Finding, JobNote, Language, Over, Setup, Status};
use crate::limits::{STATUS_MISSES, STATUS_PACE, STATUS_PACE_BUSY, UNPRINTED_JOBS};
use crate::monitor::port::How;

const IDENTIFY: &[u8] = b"~HI";
const ASK: &[u8] = b"~HS~HQES";
const COUNT: &[u8] = b"! U1 getvar \"odometer.total_label_count\"\r\n";
const DROP_FORMAT: &[u8] = b"~JX";

/// The language's state.
pub(super) struct Zpl {
    asking: Asking,
    answers: Answers,
    /// What has been answered of the question that is out; `None`: none is.
    asked: Option<Sensors>,
    /// It has answered `~HQES`.
    tells_errors: bool,
    counter: Counter,
    /// Jobs that were given to it whole, and whether they are printed nobody knows.
    unprinted: VecDeque<JobId>,
}

/// The count of labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counter {
    /// It can be asked for.
    known: bool,
    asked: Option<Counting>,
    labels: Option<u64>,
}

/// What the count was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    /// To know it.
    ToBegin,
    /// To know how many labels were printed; so many other questions were answered since.
    Printed(u32),
}

impl Zpl {
    pub(super) fn new(setup: Setup) -> Self {
        Self::with(Asking::new(setup.queries))
    }

    fn with(asking: Asking) -> Self {
        Self {
            asking,
            answers: Answers::default(),
            asked: None,
            tells_errors: false,
            counter: Counter::default(),
            unprinted: VecDeque::new(),
        }
    }

    fn ask(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.asked = Some(Sensors::default());
        self.asking.ask(ASK, now, out);
    }

    /// When to ask next: soon where there is something to be cured or to be printed.
    fn rest(&mut self, now: Instant) {
        let busy = self.asking.told().stops() || !self.unprinted.is_empty();
        self.asking.rest(now, if busy { STATUS_PACE_BUSY } else { STATUS_PACE });
    }

    fn understand(&mut self, answer: Answer, now: Instant, out: &mut Vec<Action>) {
        match (answer, &mut self.asked) {
            (Answer::Identity(Identity { name, knows_sgd }), _) => {
                self.counter.known |= knows_sgd;
                out.push(Action::Found(Finding::Identity(name)));
                self.count(Counting::ToBegin, out);
            }
            (Answer::Value(value), _) => self.counted(&value, out),
            (Answer::Line(line), Some(asked)) => asked.line = Some(line),
            (Answer::Print(print), Some(asked)) => asked.print = Some(print),
            (Answer::Memory, Some(_)) if !self.tells_errors => self.look(out),
            (Answer::Flags(flags), Some(asked)) => {
                asked.flags = Some(flags);
                self.tells_errors = true;
                self.conclude(now, out);
            }
            // The answer to a question that was never asked is no answer.
            (Answer::Memory | Answer::Line(_) | Answer::Print(_) | Answer::Flags(_), _) => {}
        }
    }

    /// All has been answered that will be.
    fn conclude(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.look(out);
        let done = self.asked.take().is_some_and(|sensors| sensors.is_done());
        self.asking.answered();
        if done && !self.asking.in_job() && !self.unprinted.is_empty() {
            self.done(out);
        }
        self.rest(now);
    }

    /// All labels are printed: how many?
    fn done(&mut self, out: &mut Vec<Action>) {
        match &mut self.counter.asked {
            Some(Counting::Printed(rounds)) if *rounds < STATUS_MISSES => {
                *rounds = rounds.saturating_add(1);
            }
            Some(Counting::Printed(_)) => {
                self.counter = Counter::default();
                self.printed(None, out);
            }
            _ if self.counter.known => self.count(Counting::Printed(0), out),
            _ => self.printed(None, out),
        }
    }

    /// Tells how it is, by what has been answered so far.
    fn look(&mut self, out: &mut Vec<Action>) {
        if let Some(sensors) = self.asked {
            self.asking.tell(sensors.status(), out);
        }
    }

    /// Asks for the count of labels, between jobs.
    fn count(&mut self, counting: Counting, out: &mut Vec<Action>) {
        if self.counter.known && self.asking.is_free() {
            self.counter.asked = Some(counting);
            out.push(Action::say(COUNT));
        }
    }

    fn counted(&mut self, value: &str, out: &mut Vec<Action>) {
        let Some(counting) = self.counter.asked.take() else { return };
        let labels = value.trim().parse().ok();
        self.counter.known = labels.is_some();
        if let Some(labels) = labels {
            out.push(Action::Found(Finding::PageCount(labels)));
        }
        let before = std::mem::replace(&mut self.counter.labels, labels);
        if let Counting::Printed(_) = counting {
            let more = before.zip(labels).and_then(|(before, now)| now.checked_sub(before));
            self.printed(more.and_then(|more| u32::try_from(more).ok()), out);
        }
    }

    /// What it was given is printed; so many labels, where it was one job.
    fn printed(&mut self, labels: Option<u32>, out: &mut Vec<Action>) {
        let pages = labels.filter(|_| self.unprinted.len() == 1);
        let printed = self.unprinted.drain(..);
        out.extend(printed.map(|job| Action::Found(Finding::Printed { job: Some(job), pages })));
    }

    /// An answer is overdue: a printer without `~HQES` has said what it can.
    fn missed(&mut self, now: Instant, out: &mut Vec<Action>) -> bool {
        let answered = self.asked.is_some_and(|it| it.line.is_some() && it.print.is_some());
        if answered {
            self.tells_errors = false;
            self.conclude(now, out);
        } else {
            self.asked = None;
            self.rest(now);
        }
        answered
    }
}

impl Language for Zpl {
    fn present(&mut self, device: &DeviceNote, now: Instant, out: &mut Vec<Action>) {
        if self.asking.present(device) {
            out.push(Action::say(IDENTIFY));
            self.ask(now, out);
        }
    }

    fn absent(&mut self) {
        *self = Self::with(self.asking.absent());
    }

    fn begin(&mut self, job: &JobNote, now: Instant, out: &mut Vec<Action>) {
        if self.asking.begin(job) {
            out.push(Action::write(ASK));
            self.asked = Some(Sensors::default());
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
        match how {
            Over::Ended => {
                if self.unprinted.len() >= UNPRINTED_JOBS {
                    self.unprinted.pop_front();
                }
                self.unprinted.extend(job);
            }
            Over::Stopped(How::Cancel, _) => out.push(Action::say(DROP_FORMAT)),
            Over::Stopped(..) | Over::Lost => {}
        }
        self.ask(now, out);
    }

    fn unasked(&mut self) {
        self.asked = None;
    }

    fn torn(&mut self) {
        self.answers = Answers::default();
    }

    fn heard(&mut self, bytes: &[u8], now: Instant, out: &mut Vec<Action>) {
        for byte in bytes {
            if let Some(answer) = self.answers.take(*byte) {
                self.understand(answer, now, out);
            }
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
            Due::Missed => drop(self.missed(now, out)),
            Due::Silent => {
                if !self.missed(now, out) {
                    self.unprinted.clear();
                    self.asking.tell(Status::default(), out);
                }
            }
        }
    }

    fn boundaries(&self) -> Option<Box<dyn Boundaries>> {
        self.asking.boundaries::<Formats>()
    }
}

#[cfg(test)]
mod tests;
