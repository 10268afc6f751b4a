//! A PJL printer: job language around a page language it does not look into.
//!
//! ```text
//!                    UEL                         ENTER LANGUAGE, or a line that is not PJL
//!   Data (idle) ───────────► Commands ───────────────────────────────────────────────────────► Data
//!      ▲                        ▲                                                            printing
//!      │                        └────────────────── UEL: the page is ejected ───────────────────┤
//!      └─────────────── end of connection, no data for a while: the page is ejected ────────────┘
//! ```
//!
//! Commands are read as they come, also while the printer is off line; data bytes wait for paper. A page ends at each
//! form feed, and at the end of the data if something was put on it (a PCL reset, `ESC E`, puts nothing on it).
//!
//! Source: HP PJL Technical Reference Manual ch. 4 (UEL, JOB, EOJ), 7 (status readback), p. 11-24 (timeouts).

mod command;
mod line;
mod pages;
mod report;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use self::line::{Device, Fault};
use self::pages::Pages;
use self::report::Status;
use super::bench::Bench;
use super::scan::{count, find};
use super::sort::{ESC, UEL};
use crate::limits::{SIM_PJL_JOB_TIMEOUT, SIM_PJL_LINE_BYTES, SIM_PJL_TIMEOUT};

#[derive(Debug, Default)]
pub(super) struct Pjl {
    mode: Mode,
    /// So many bytes of a UEL were seen.
    uel: usize,
    /// The command line so far.
    line: Vec<u8>,
    overlong: bool,
    pages: Pages,
    /// When data last came, while a page language is printing.
    printing: Option<Instant>,
    unsolicited: Unsolicited,
    /// The code last shown.
    shown: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Data,
    Commands,
}

/// What the host wants to hear without asking.
#[derive(Clone, Copy, Debug, Default)]
struct Unsolicited {
    device: Device,
    job: bool,
    page: bool,
    timed: Option<Timer>,
}

#[derive(Clone, Copy, Debug)]
struct Timer {
    seconds: u16,
    next: Instant,
}

/// What one step on the input did; `None`: the next byte is data, and nothing can be printed now.
type Step = Option<usize>;

impl Pjl {
    /// Works on the oldest bytes; how many were used up. Fewer than all: the rest waits until something can be
    /// printed.
    pub(super) fn eat(&mut self, bytes: &[u8], bench: &mut Bench<'_>) -> usize {
        let mut at = 0usize;
        while let Some((first, _)) = bytes.get(at..).and_then(<[u8]>::split_first) {
            let rest = bytes.get(at..).unwrap_or_default();
            let step = match self.mode {
                _ if self.uel > 0 => Some(self.eat_uel(rest, bench)),
                Mode::Commands => self.eat_command(*first, rest, bench),
                Mode::Data => self.eat_data(rest, bench),
            };
            let Some(used) = step else { break };
            at = at.saturating_add(used);
        }
        at
    }

    /// The sensors changed, or printing began or ended.
    pub(super) fn changed(&mut self, bench: &mut Bench<'_>) {
        let status = self.status(bench);
        let before = self.shown.replace(status.code).unwrap_or(report::READY);
        if before != status.code && self.unsolicited.device != Device::Off {
            bench.say(&status.report("USTATUS DEVICE"));
        }
        if let Some(last) = &mut self.printing {
            *last = bench.now;
        }
    }

    /// The connection closed, or no data came for too long.
    pub(super) fn end_of_job(&mut self, bench: &mut Bench<'_>) {
        if self.uel > 0 {
            self.not_a_uel(bench);
        }
        self.finish_data(bench);
        self.enter(Mode::Data);
    }

    /// Does what is due; `idle`: nothing waits in the input buffer.
    pub(super) fn tick(&mut self, idle: bool, bench: &mut Bench<'_>) {
        if idle && !bench.blocked() && self.timeout().is_some_and(|at| at <= bench.now) {
            self.end_of_job(bench);
        }
        let status = self.status(bench);
        let Some(timer) = &mut self.unsolicited.timed else { return };
        if timer.next <= bench.now {
            let period = Duration::from_secs(timer.seconds.into());
            let next = timer.next.checked_add(period).filter(|next| *next > bench.now);
            timer.next = next.or_else(|| bench.now.checked_add(period)).unwrap_or(timer.next);
            bench.say(&status.report("USTATUS TIMED"));
        }
    }

    /// When `tick` has something to do next.
    pub(super) fn next_event(&self, idle: bool, online: bool) -> Option<Instant> {
        let timeout = self.timeout().filter(|_| idle && online);
        let timed = self.unsolicited.timed.map(|timer| timer.next);
        [timeout, timed].into_iter().flatten().min()
    }

    fn timeout(&self) -> Option<Instant> {
        let limit = if self.pages.in_job() { SIM_PJL_JOB_TIMEOUT } else { SIM_PJL_TIMEOUT };
        self.printing.and_then(|last| last.checked_add(limit))
    }

    fn status(&self, bench: &Bench<'_>) -> Status {
        Status::of(bench.condition, self.printing.is_some())
    }

    fn enter(&mut self, mode: Mode) {
        self.mode = mode;
        self.uel = 0;
        self.line.clear();
        self.overlong = false;
    }

    fn eat_data(&mut self, rest: &[u8], bench: &mut Bench<'_>) -> Step {
        if bench.blocked() {
            return self.pass_uel(rest, bench);
        }
        let data = rest.get(..find(rest, ESC).unwrap_or(rest.len())).unwrap_or_default();
        if data.is_empty() {
            self.uel = 1;
            return Some(1);
        }
        self.data(data, bench);
        Some(data.len())
    }

    /// While blocked: a UEL is not data and passes, but only a whole one.
    fn pass_uel(&mut self, rest: &[u8], bench: &mut Bench<'_>) -> Step {
        rest.starts_with(UEL).then(|| {
            self.leave(bench);
            UEL.len()
        })
    }

    /// Goes on with a UEL that began.
    fn eat_uel(&mut self, rest: &[u8], bench: &mut Bench<'_>) -> usize {
        for (at, byte) in rest.iter().enumerate() {
            if UEL.get(self.uel) != Some(byte) {
                let reset = self.uel == 1 && *byte == b'E';
                if reset {
                    self.enter(Mode::Data);
                    self.begin_printing(bench);
                } else {
                    self.not_a_uel(bench);
                }
                return at.saturating_add(usize::from(reset));
            }
            self.uel = self.uel.saturating_add(1);
            if self.uel == UEL.len() {
                self.leave(bench);
                return at.saturating_add(1);
            }
        }
        rest.len()
    }

    /// What looked like a UEL was data.
    fn not_a_uel(&mut self, bench: &mut Bench<'_>) {
        self.enter(Mode::Data);
        self.begin_printing(bench);
        self.pages.mark();
    }

    /// A UEL: the page language ends, PJL begins.
    fn leave(&mut self, bench: &mut Bench<'_>) {
        self.finish_data(bench);
        self.enter(Mode::Commands);
    }

    fn begin_printing(&mut self, bench: &mut Bench<'_>) {
        if self.printing.replace(bench.now).is_none() {
            self.changed(bench);
        }
    }

    fn data(&mut self, data: &[u8], bench: &mut Bench<'_>) {
        self.begin_printing(bench);
        for _ in 0..self.pages.data(data) {
            self.page(bench);
        }
    }

    fn finish_data(&mut self, bench: &mut Bench<'_>) {
        if self.pages.eject() {
            self.page(bench);
        }
        if self.printing.take().is_some() {
            self.changed(bench);
        }
    }

    fn page(&mut self, bench: &mut Bench<'_>) {
        let page = self.pages.count();
        bench.page();
        if self.unsolicited.page {
            bench.say(&report::answer("USTATUS PAGE", page.to_string().as_bytes()));
        }
    }

    fn eat_command(&mut self, byte: u8, rest: &[u8], bench: &mut Bench<'_>) -> Step {
        match (self.line.len(), byte) {
            (0, b'\r' | b'\n' | b' ' | b'\t') => {}
            (0, ESC) if bench.blocked() => return self.pass_uel(rest, bench),
            (0, ESC) => self.uel = 1,
            (_, ESC) => {
                self.fault(Fault::Illegal, bench);
                self.enter(Mode::Commands);
                self.uel = 1;
            }
            (at @ 0..4, _) if !b"@PJL".get(at).is_some_and(|it| it.eq_ignore_ascii_case(&byte)) => {
                self.not_pjl(bench);
                return Some(0);
            }
            (_, b'\n') => self.command(bench),
            (SIM_PJL_LINE_BYTES.., _) => self.overlong = true,
            _ => self.line.push(byte),
        }
        Some(1)
    }

    /// The line does not begin with `@PJL`: it is data in the default language, from its first byte on.
    fn not_pjl(&mut self, bench: &mut Bench<'_>) {
        let line = std::mem::take(&mut self.line);
        self.enter(Mode::Data);
        if !line.is_empty() {
            self.data(&line, bench);
        }
    }
}
