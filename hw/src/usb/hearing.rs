//! What the printer says: one bulk-IN transfer that is always pending, and an inbox.
//!
//! ```text
//!   listening ──bytes──► inbox ──room──► listening          no room: the printer waits (NAK), and so do its bytes
//!       │ nothing, too fast                  ▲
//!       └──────────► pausing ────────────────┘
//! ```
//!
//! Many printers answer at once with nothing when they have nothing to say, and a broken one may talk without end: neither
//! may keep us busy. A back channel that fails is given up, not the printer. No I/O of its own.

use std::time::Instant;

use super::pipes::{Outcome, Pipes};
use crate::limits::{
    USB_BACK_EVERY, USB_BACK_TURNS, USB_HALTS, USB_INBOX_BYTES, USB_SILENCE_FIRST, USB_SILENCE_LAST,
};
use crate::poll::Ladder;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The printer cannot talk, or not any more.
    Deaf,
    /// The transfer is pending.
    Listening,
    /// The transfer is not pending: to be queued at this time, if there is room.
    Pausing(Instant),
    /// The endpoint halted.
    Halted,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Hearing {
    state: State,
    there: bool,
    inbox: Vec<u8>,
    silence: Ladder,
    /// Halts since a byte came.
    halts: u32,
    /// Transfers that ended since then.
    turns: (Instant, u32),
}

impl Hearing {
    /// `there`: the interface has a way back.
    pub(super) fn new(there: bool, now: Instant) -> Self {
        Self {
            state: if there { State::Pausing(now) } else { State::Deaf },
            there,
            inbox: Vec::new(),
            silence: Ladder::new(USB_SILENCE_FIRST, USB_SILENCE_LAST),
            halts: 0,
            turns: (now, 0),
        }
    }

    /// True where bytes can come back.
    pub(super) fn is_there(&self) -> bool {
        self.there
    }

    /// Takes in what has come, and listens on. The error says why the device is of no use any more.
    pub(super) fn take_in(&mut self, pipes: &mut dyn Pipes, now: Instant) -> Result<(), String> {
        // Listens first: only who has looked for bytes is woken by them.
        self.go_on(pipes, now);
        if self.state == State::Listening
            && let Some((bytes, outcome)) = pipes.heard()
        {
            self.ended(&bytes, &outcome, now)?;
        }
        self.go_on(pipes, now);
        Ok(())
    }

    fn ended(&mut self, bytes: &[u8], outcome: &Outcome, now: Instant) -> Result<(), String> {
        self.inbox.extend_from_slice(bytes);
        self.state = match outcome {
            Outcome::Done if bytes.is_empty() => {
                State::Pausing(now.checked_add(self.silence.step()).unwrap_or(now))
            }
            Outcome::Done => {
                self.silence.reset();
                self.halts = 0;
                State::Pausing(self.paced(now))
            }
            Outcome::Halted if self.halts < USB_HALTS => {
                self.halts = self.halts.saturating_add(1);
                State::Halted
            }
            Outcome::Canceled => State::Pausing(now),
            Outcome::Gone => return Err("it was unplugged or switched off".to_owned()),
            Outcome::Halted | Outcome::Failed(_) => {
                tracing::warn!(?outcome, "the printer's back channel does not work");
                State::Deaf
            }
        };
        Ok(())
    }

    /// When to listen again after some bytes: at once, unless it talks without end.
    fn paced(&mut self, now: Instant) -> Instant {
        let (since, turns) = self.turns;
        let over = since.checked_add(USB_BACK_EVERY).unwrap_or(now);
        self.turns = if over <= now { (now, 1) } else { (since, turns.saturating_add(1)) };
        if over > now && turns >= USB_BACK_TURNS { over } else { now }
    }

    /// Listens again, where it is time and there is room.
    fn go_on(&mut self, pipes: &mut dyn Pipes, now: Instant) {
        if self.due().is_some_and(|due| due <= now) {
            pipes.listen();
            self.state = State::Listening;
        }
    }

    /// When to listen again; `None`: not by time.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.state {
            State::Pausing(at) if self.inbox.len() < USB_INBOX_BYTES => Some(at),
            _ => None,
        }
    }

    /// True while the endpoint is halted.
    pub(super) fn is_halted(&self) -> bool {
        self.state == State::Halted
    }

    /// The halt has been cleared.
    pub(super) fn mended(&mut self, now: Instant) {
        if self.state == State::Halted {
            self.state = State::Pausing(now);
        }
    }

    /// True if there are bytes to read.
    pub(super) fn has_some(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Takes bytes out of the inbox; how many.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> usize {
        let count = self.inbox.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(self.inbox.drain(..count)) {
            *to = from;
        }
        count
    }
}
