//! A printer as a pure state machine: bytes and the time go in, bytes and counts come out. No I/O, no clock, no
//! thread.
//!
//! ```text
//!   wire ──► room? ──► tally ──► real-time ──► input buffer ──► language ──► pages
//!            pace      counts,   requests      (fills while     (needs the      │
//!            stall     digest    answered      nothing can be   printer on      │
//!            buffer    keep      at once       printed)         line for data)  │
//!   wire ◄── back channel ◄──────────┴──────────────────────────────┴──────────┘
//! ```
//!
//! Two things hold a host back. `stall` and the pace stop the intake at once, as a wire does. Paper out, an open
//! cover and off line stop the *printing*: the printer goes on taking bytes until its buffer is full, as real ones
//! do.
//!
//! Where real-time requests exist (ESC/POS, ZPL), a printer that has said "busy" still takes up to
//! [`SIM_EXPRESS_BYTES`] more, and any number of requests, so that it can be asked why.
//!
//! The one invariant: of the bytes offered, a prefix is taken; each one taken is counted once, kept once, and reaches
//! the language once and in order, or is counted as discarded.

mod back;
mod bench;
mod digest;
mod escpos;
mod fifo;
mod intake;
mod interpreter;
mod options;
mod pace;
mod packets;
mod panel;
mod pjl;
mod realtime;
mod scan;
mod sort;
mod tally;
#[cfg(test)]
mod tests;
mod zpl;

use std::collections::VecDeque;
use std::time::Instant;

use self::back::Back;
pub use self::digest::{Checksum, Sum};
use self::fifo::Fifo;
use self::interpreter::Interpreter;
pub use self::options::{ModelOptions, Snapshot};
use self::pace::Pace;
use self::packets::Link;
use self::realtime::Realtime;
use self::tally::Tally;
pub use self::tally::{JobSpan, Keep, Received};
use super::event::{Event, Log};
use super::{Condition, Language};
use crate::limits::{SIM_EXPRESS_BYTES, SIM_JOB_ENDS};
use crate::poll::earlier;

/// A simulated printer. See the module.
#[derive(Debug)]
pub struct Model {
    language: Language,
    capacity: usize,
    condition: Condition,
    plugged: bool,
    stalled: bool,
    serial: bool,
    pace: Pace,
    tally: Tally,
    realtime: Realtime,
    input: Fifo,
    /// Bytes that ever went to the language.
    eaten: u64,
    /// Where jobs end, counted like `eaten`.
    ends: VecDeque<u64>,
    /// Bytes taken after the printer said that it is busy.
    express: usize,
    interpreter: Interpreter,
    /// Its end of IEEE 1284.4, where it speaks that.
    link: Option<Link>,
    back: Back,
    pages: u64,
    discarded: u64,
    noise: u64,
    log: Log,
}

impl Model {
    /// A printer that is plugged in, on line and empty.
    pub fn new(language: Language, options: ModelOptions, now: Instant) -> Self {
        let ModelOptions { buffer_bytes, checksum, keep, speed, seed } = options;
        Self {
            language,
            capacity: buffer_bytes.max(1),
            condition: Condition::default(),
            plugged: true,
            stalled: false,
            serial: false,
            pace: Pace::new(speed, now),
            tally: Tally::new(language, checksum, keep),
            realtime: Realtime::new(language),
            input: Fifo::default(),
            eaten: 0,
            ends: VecDeque::new(),
            express: 0,
            interpreter: Interpreter::new(language),
            link: link(language),
            back: Back::new(link(language).is_some()),
            pages: 0,
            discarded: 0,
            noise: seed,
            log: Log::default(),
        }
    }

    /// What it speaks.
    pub fn language(&self) -> Language {
        self.language
    }

    /// What its sensors see.
    pub fn condition(&self) -> Condition {
        self.condition
    }

    /// Is the cable in?
    pub fn plugged(&self) -> bool {
        self.plugged
    }

    /// How many bytes of a job it takes now.
    pub fn room(&self, now: Instant) -> usize {
        match self.link {
            Some(_) => self.link_room(now),
            None if self.busy() => 0,
            None => self.free().min(self.pace.room(now)),
        }
    }

    /// How many bytes it takes now from a wire that does not say whose they are: like [`Model::room`], and a few more
    /// while it is busy but can be asked for its state.
    pub fn wire_room(&self, now: Instant) -> usize {
        if !self.busy() || self.is_deaf() {
            return self.room(now);
        }
        SIM_EXPRESS_BYTES.saturating_sub(self.express).min(self.pace.room(now))
    }

    /// Busy, and cannot even be asked for its state.
    fn is_deaf(&self) -> bool {
        self.busy() && !(self.plugged && self.realtime.any())
    }

    /// Takes nothing, whatever the pace; where it carries packets, these are taken with a full buffer too.
    fn is_held(&self) -> bool {
        match self.link {
            Some(_) => !self.plugged || self.stalled,
            None => self.is_deaf(),
        }
    }

    /// Unplugged, stalled, or its buffer is full: it takes nothing more of a job until something changes.
    pub fn busy(&self) -> bool {
        !self.plugged || self.stalled || self.free() == 0
    }

    /// Bytes in the input buffer.
    pub fn buffered(&self) -> usize {
        self.input.len()
    }

    fn free(&self) -> usize {
        self.capacity.saturating_sub(self.input.len())
    }

    /// A job begins, on wires that show it.
    pub fn begin_job(&mut self) {
        self.tally.begin();
        self.log.push(Event::JobBegan);
    }

    /// The running job's last byte was taken.
    pub fn end_of_job(&mut self, now: Instant) {
        self.finish_job(true, now);
    }

    /// The running job is cut off; what it left in the buffer is printed all the same.
    pub fn break_job(&mut self, now: Instant) {
        self.finish_job(false, now);
    }

    fn finish_job(&mut self, complete: bool, now: Instant) {
        let held = self.realtime.flush();
        self.feed(held.bytes(), now);
        if self.ends.len() < SIM_JOB_ENDS {
            self.ends.push_back(self.eaten.saturating_add(self.input.len() as u64));
        }
        self.run(now);
        self.close_job(complete);
    }

    fn close_job(&mut self, complete: bool) {
        if let Some(JobSpan { bytes, complete, .. }) = self.tally.end(complete) {
            self.log.push(Event::JobEnded { bytes, complete });
        }
    }

    /// Does what is due by the clock.
    pub fn tick(&mut self, now: Instant) {
        let idle = self.input.is_empty();
        self.with_language(now, |it, _, bench| it.tick(idle, bench));
    }

    /// When something will change by itself: room on a paced wire, or something that [`Model::tick`] does.
    pub fn next_event(&self, now: Instant) -> Option<Instant> {
        let online = self.condition.online();
        let language = self.interpreter.next_event(self.input.is_empty(), online);
        let pace = if self.is_held() { None } else { self.pace.next(now) };
        earlier(language, pace)
    }

    /// Moves everything that it wants to send behind what is in `out`; at most the limit of the back channel.
    pub fn reply(&mut self, out: &mut Vec<u8>) {
        self.back.drain(out);
    }

    /// Moves what it wants to send into `into`; how many bytes.
    pub fn read_back(&mut self, into: &mut [u8]) -> usize {
        self.back.read(into)
    }

    /// Bytes that it wants to send.
    pub fn back_waiting(&self) -> usize {
        self.back.waiting()
    }

    /// The bytes of jobs kept since the last call (see [`Keep::Memory`]).
    pub fn take_kept(&mut self) -> Vec<u8> {
        self.tally.take_kept()
    }

    /// Where the last jobs lay in the bytes of jobs, oldest first.
    pub fn jobs(&self) -> Vec<JobSpan> {
        self.tally.spans()
    }

    /// The line is serial: `xoff` and `xon` mean something.
    pub(super) fn set_serial(&mut self) {
        self.serial = true;
    }

    pub(super) fn log(&mut self) -> &mut Log {
        &mut self.log
    }
}

fn link(language: Language) -> Option<Link> {
    matches!(language, Language::Ieee1284_4).then(Link::default)
}
