//! The port status, asked for now and then: no printer tells of a change by itself.

use std::time::{Duration, Instant};

use super::class::line_of;
use super::pipes::{Outcome, Pipes};
use crate::Line;
use crate::limits::{USB_HALTS, USB_STATUS_BUSY, USB_STATUS_IDLE};

/// What the printer said last of itself. No I/O of its own.
#[derive(Debug)]
pub(super) struct Status {
    /// False: this printer is not to be asked, or has no status to give.
    asks: bool,
    /// A request is under way.
    asked: bool,
    due: Instant,
    line: Line,
    /// Requests it refused in a row.
    refused: u32,
}

impl Status {
    pub(super) fn new(asks: bool, now: Instant) -> Self {
        Self { asks, asked: false, due: now, line: Line::default(), refused: 0 }
    }

    /// What is known of the line.
    pub(super) fn line(&self) -> Line {
        self.line
    }

    /// Takes in an answer, and asks when it is time; `busy`: a job is under way. The error says why the device is of no use.
    pub(super) fn take_in(
        &mut self,
        pipes: &mut dyn Pipes,
        busy: bool,
        now: Instant,
    ) -> Result<(), String> {
        let every = if busy { USB_STATUS_BUSY } else { USB_STATUS_IDLE };
        // A job that begins does not wait for the idle turn.
        self.due = self.due.min(after(now, every));
        if self.asks && !self.asked && self.due <= now {
            pipes.ask_status();
            self.asked = true;
        }
        // Asked for at once: only who has looked for an answer is woken by it.
        if self.asked
            && let Some(answer) = pipes.status()
        {
            self.due = after(now, every);
            self.answered(answer)?;
        }
        Ok(())
    }

    fn answered(&mut self, answer: Result<u8, Outcome>) -> Result<(), String> {
        self.asked = false;
        match answer {
            Ok(status) => {
                self.line = line_of(status);
                self.refused = 0;
            }
            Err(Outcome::Gone) => return Err("it was unplugged or switched off".to_owned()),
            Err(refused @ (Outcome::Halted | Outcome::Failed(_) | Outcome::Done)) => {
                self.refused = self.refused.saturating_add(1);
                self.asks = self.refused < USB_HALTS;
                self.line = Line::default();
                if !self.asks {
                    tracing::info!(?refused, "the printer has no port status to give");
                }
            }
            // Nobody answers: it may be busy with itself. It is asked again.
            Err(Outcome::Canceled) => self.line = Line::default(),
        }
        Ok(())
    }

    /// When to ask next; `None`: not by time.
    pub(super) fn due(&self) -> Option<Instant> {
        (self.asks && !self.asked).then_some(self.due)
    }
}

fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now)
}
