//! Bulk-OUT transfers in flight, and what becomes of each byte of them.
//!
//! ```text
//!   taken ──► flying ──ended as it should──► accepted
//!               │ ▲
//!        halt   │ │ sent again, from the first byte that did not leave
//!               ▼ │
//!             backlog ──cancel──► withdrawn
//! ```
//!
//! No I/O of its own: it is handed the pipes and the time. The one invariant: `taken = accepted + in flight`, and transfers
//! leave in the order in which they were taken, or the port is given up.

use std::collections::VecDeque;
use std::io;
use std::time::Instant;

use super::pipes::{Outcome, Pipes, Sent};
use super::window::Window;
use crate::limits::{STALL, USB_HALTS, USB_TRANSFERS};
use crate::stall::Stall;
use crate::{Canceled, Lent};

/// See the module.
#[derive(Debug)]
pub(super) struct Flights {
    window: Window,
    /// Lengths of the transfers under way, the oldest first.
    flying: VecDeque<usize>,
    flying_bytes: usize,
    /// What a halt kept from leaving, to be sent again.
    backlog: VecDeque<Vec<u8>>,
    /// The endpoint halted: nothing is sent until that has been cleared.
    halted: bool,
    /// Halts since a byte left.
    halts: u32,
    canceling: bool,
    canceled: Canceled,
    /// Bytes taken in this job.
    job_bytes: u64,
    /// Bytes that left, ever.
    left: u64,
    stall: Stall,
    /// Buffers to use again.
    spare: Vec<Vec<u8>>,
}

impl Default for Flights {
    fn default() -> Self {
        Self {
            window: Window::default(),
            flying: VecDeque::new(),
            flying_bytes: 0,
            backlog: VecDeque::new(),
            halted: false,
            halts: 0,
            canceling: false,
            canceled: Canceled::default(),
            job_bytes: 0,
            left: 0,
            stall: Stall::new(STALL),
            spare: Vec::new(),
        }
    }
}

impl Flights {
    /// The counts of a new job.
    pub(super) fn begin_job(&mut self) {
        self.job_bytes = 0;
    }

    /// Takes the front of the loan, as far as there is room; how many bytes. The error is the document's.
    pub(super) fn send(
        &mut self,
        pipes: &mut dyn Pipes,
        lent: Lent<'_>,
        now: Instant,
    ) -> io::Result<usize> {
        let room = self.room().min(lent.bytes.len());
        if room == 0 {
            return Ok(0);
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.resize(room, 0);
        let count = lent.copy_to(&mut bytes)?;
        bytes.truncate(count);
        if count == 0 {
            // Its bytes are mapped, so they were there once.
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file was cut short"));
        }
        self.job_bytes = self.job_bytes.saturating_add(count as u64);
        self.launch(pipes, bytes, now);
        Ok(count)
    }

    fn launch(&mut self, pipes: &mut dyn Pipes, bytes: Vec<u8>, now: Instant) {
        self.window.sent(self.flying.is_empty(), now);
        self.flying.push_back(bytes.len());
        self.flying_bytes = self.flying_bytes.saturating_add(bytes.len());
        pipes.send(bytes);
        self.stall.note(self.left, true, now);
    }

    /// How many bytes may be taken now.
    pub(super) fn room(&self) -> usize {
        if self.halted || self.canceling || !self.backlog.is_empty() {
            return 0;
        }
        self.window.room(self.flying_bytes, self.flying.len())
    }

    /// Takes in what has ended. The error says why the device is of no use any more.
    pub(super) fn take_in(&mut self, pipes: &mut dyn Pipes, now: Instant) -> Result<(), String> {
        // A fake stack may answer without end; a real one has no more than are under way.
        for _ in 0..=USB_TRANSFERS {
            let Some(sent) = pipes.sent() else { break };
            self.ended(pipes, sent, now)?;
        }
        self.stall.note(self.left, !self.flying.is_empty(), now);
        Ok(())
    }

    fn ended(&mut self, pipes: &mut dyn Pipes, sent: Sent, now: Instant) -> Result<(), String> {
        let length = self.flying.front().copied().unwrap_or(0);
        let count = sent.count.min(length);
        match &sent.outcome {
            // Nothing is known of it: it stays in flight.
            Outcome::Gone => return Err("it was unplugged or switched off".to_owned()),
            Outcome::Failed(why) => return Err(format!("the USB bus failed: {why}")),
            Outcome::Done if count < length => {
                return Err(format!("it took {count} of {length} bytes and called that all"));
            }
            Outcome::Done | Outcome::Halted | Outcome::Canceled => {}
        }
        if count > 0 && !self.backlog.is_empty() {
            return Err("it took bytes behind others that it had refused".to_owned());
        }
        self.flying.pop_front();
        self.flying_bytes = self.flying_bytes.saturating_sub(length);
        self.left = self.left.saturating_add(count as u64);
        if count > 0 {
            self.halts = 0;
            self.window.taken(count, now);
        }
        self.keep(sent.bytes, count);
        if sent.outcome == Outcome::Halted && !self.halted {
            self.halt(pipes)?;
        }
        Ok(())
    }

    /// What did not leave is sent again, or withdrawn.
    fn keep(&mut self, mut bytes: Vec<u8>, count: usize) {
        let rest = bytes.len().saturating_sub(count);
        if rest > 0 && self.canceling {
            self.canceled.withdrawn_bytes =
                self.canceled.withdrawn_bytes.saturating_add(rest as u64);
        } else if rest > 0 {
            bytes.drain(..count);
            self.backlog.push_back(bytes);
            return;
        }
        if self.spare.len() < USB_TRANSFERS {
            self.spare.push(bytes);
        }
    }

    /// The endpoint halted: what is behind must not overtake what was refused.
    fn halt(&mut self, pipes: &mut dyn Pipes) -> Result<(), String> {
        self.halted = true;
        self.halts = self.halts.saturating_add(1);
        pipes.take_back();
        match self.halts > USB_HALTS {
            true => Err(format!("it refused data {} times without taking any", self.halts)),
            false => Ok(()),
        }
    }

    /// True once the halted endpoint can be seen to: nothing is under way any more.
    pub(super) fn is_halted(&self) -> bool {
        self.halted && self.flying.is_empty()
    }

    /// The halt has been cleared: goes on where it was.
    pub(super) fn go_on(&mut self, pipes: &mut dyn Pipes, now: Instant) {
        self.halted = false;
        while let Some(bytes) = self.backlog.pop_front() {
            self.launch(pipes, bytes, now);
        }
    }

    /// Bytes that were taken and have not left for certain.
    pub(super) fn in_flight(&self) -> u64 {
        let waiting: usize = self.backlog.iter().map(Vec::len).sum();
        self.flying_bytes.saturating_add(waiting) as u64
    }

    /// True while transfers are under way.
    pub(super) fn is_flying(&self) -> bool {
        !self.flying.is_empty()
    }

    /// Bytes taken in this job.
    pub(super) fn job_bytes(&self) -> u64 {
        self.job_bytes
    }

    /// True while the device takes nothing.
    pub(super) fn is_stalled(&self) -> bool {
        self.stall.held()
    }

    /// When the device will be known to take nothing.
    pub(super) fn stall_due(&self) -> Option<Instant> {
        self.stall.due()
    }

    /// Takes back everything; what becomes of it is known when nothing flies any more.
    pub(super) fn cancel(&mut self, pipes: &mut dyn Pipes) {
        self.canceling = true;
        self.canceled = Canceled::default();
        pipes.take_back();
    }

    /// The end of a cancel: what became of the bytes. What still flies is unknown.
    pub(super) fn withdraw(&mut self) -> Canceled {
        let waiting: usize = self.backlog.drain(..).map(|bytes| bytes.len()).sum();
        let mut canceled = std::mem::take(&mut self.canceled);
        canceled.withdrawn_bytes = canceled.withdrawn_bytes.saturating_add(waiting as u64);
        canceled.unknown_bytes = self.flying_bytes as u64;
        self.canceling = false;
        self.job_bytes = 0;
        canceled
    }
}

#[cfg(test)]
mod tests;
