//! What can happen to a job. When each may happen, and what it does: [`Shadow::apply`](super::Shadow::apply).

use std::sync::Arc;

use super::{Confirmed, Ticket};

/// A change in a job's life. Each is one record of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Wait for a person or the clock.
    Hold {
        /// Why, as a keyword.
        why: Box<str>,
    },
    /// Go on after a hold.
    Release,
    /// Playing may begin from now on (durable before the first byte is offered).
    Prepare,
    /// Playing begins.
    Start {
        /// When, in ms since 1970.
        at_ms: u64,
    },
    /// Was cut off; goes on, starts again, or waits.
    Recover(Recovery),
    /// Canceled by a person.
    Cancel {
        /// When, in ms since 1970.
        at_ms: u64,
        /// Why, for people.
        why: Box<str>,
    },
    /// Given up by the server.
    Abort {
        /// When, in ms since 1970.
        at_ms: u64,
        /// Why, for people.
        why: Box<str>,
    },
    /// Played to its end.
    Complete {
        /// When, in ms since 1970.
        at_ms: u64,
    },
    /// Play it again.
    Reprint,
    /// Replace the ticket (move, priority, hold-until, copies).
    Edit(Arc<Ticket>),
    /// The device confirmed so much.
    Confirm(Confirmed),
}

impl Change {
    pub(super) fn wanted(&self) -> &'static str {
        match self {
            Self::Hold { .. } => "held",
            Self::Release => "released",
            Self::Prepare | Self::Start { .. } => "played",
            Self::Recover(_) => "recovered",
            Self::Cancel { .. } => "canceled",
            Self::Abort { .. } => "aborted",
            Self::Complete { .. } => "completed",
            Self::Reprint => "printed again",
            Self::Edit(_) => "changed",
            Self::Confirm(_) => "confirmed",
        }
    }
}

/// What was done about a job that was cut off half-way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// What cut it off.
    pub cause: Cause,
    /// What was done.
    pub deed: Deed,
    /// How many bytes of the job may have been on paper before.
    pub maybe_on_paper: u64,
    /// When, in ms since 1970.
    pub at_ms: u64,
}

/// What cuts a job off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Our process ended without parking the job, on a machine that went on running.
    Crash,
    /// The machine stopped: what was not synced is not known.
    PowerLoss,
    /// The device went away.
    DeviceGone,
    /// A part of the server was made anew.
    ActorDied,
    /// The server was stopped in good order.
    Parked,
}

/// What can be done about a job that was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Goes on at `accepted`.
    Resumed,
    /// Goes again from its first byte.
    Restarted,
    /// Waits for a person.
    Held,
}
