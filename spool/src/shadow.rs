//! A job's life: its ticket, its state, and the one function that changes it.
//!
//! This is the *shadow* of a job (the name is Windows': `.SPL` holds the bytes, `.SHD` what is known about them). Here
//! it is a value; the journal keeps it.
//!
//! ```text
//!              Hold             Start              Complete
//!     Held ◄────────── Pending ────────► Processing ────────► Completed ─┐
//!       └──Release────────►▲                │  │                         │ Reprint
//!                          └───Requeue──────┘  │ (Cancel, Abort from     │
//!                          └───────────────────┼──every state left of it)│
//!                                              ▼                         ▼
//!                                     Canceled, Aborted ────────────► Pending
//! ```
//!
//! Orthogonal to the state is the document: `Receiving` until it is committed, then `Whole`. A job may be `Processing`
//! while its document is still `Receiving` (`start = "immediately"`).
//!
//! The invariant: [`Shadow::apply`] is the only writer of a shadow, in the running server and in the replay alike.

mod change;
mod ticket;

use std::sync::Arc;

use crate::JobId;
use crate::error::{Error, Result};
pub use change::{Cause, Change, Deed, Recovery};
pub use ticket::{Hold, Ticket};

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Waiting for its turn.
    Pending,
    /// Waiting for a person or the clock.
    Held {
        /// Why, as a keyword: `job-hold-until-specified`, `held-after-crash` …
        why: Box<str>,
    },
    /// With the print processor.
    Processing,
    /// Canceled by a person.
    Canceled {
        /// When, in ms since 1970.
        at_ms: u64,
        /// Why, for people.
        why: Box<str>,
    },
    /// Given up by the server.
    Aborted {
        /// When, in ms since 1970.
        at_ms: u64,
        /// Why, for people.
        why: Box<str>,
    },
    /// Played to its end.
    Completed {
        /// When, in ms since 1970.
        at_ms: u64,
    },
}

impl State {
    /// The IPP name (RFC 8011 §5.3.7).
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held { .. } => "pending-held",
            Self::Processing => "processing",
            Self::Canceled { .. } => "canceled",
            Self::Aborted { .. } => "aborted",
            Self::Completed { .. } => "completed",
        }
    }

    /// When the job ended, in ms since 1970; `None` while it has not.
    pub fn ended_ms(&self) -> Option<u64> {
        match self {
            Self::Canceled { at_ms, .. }
            | Self::Aborted { at_ms, .. }
            | Self::Completed { at_ms } => Some(*at_ms),
            Self::Pending | Self::Held { .. } | Self::Processing => None,
        }
    }
}

/// A job's document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentState {
    /// Still being received.
    Receiving,
    /// Committed.
    Whole {
        /// Length in bytes.
        bytes: u64,
        /// CRC-32C of all of it.
        crc32c: u32,
    },
    /// Played past the spool (a direct job) or lost; there is nothing to play again.
    None {
        /// How long it was.
        bytes: u64,
    },
}

/// How much of a job the driver has, counted in bytes as played (datatype and copies included).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// The driver accepted everything before this offset.
    pub accepted: u64,
    /// The driver may have accepted up to here: a write was begun whose end was not recorded. Equal to `accepted` where
    /// the offset is exact.
    pub offered: u64,
}

impl Played {
    /// True where the offset is exact.
    pub fn is_certain(self) -> bool {
        self.accepted == self.offered
    }
}

/// What the device itself confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confirmed {
    /// Bytes, where the device counts them (or all, when it reported the end of the job).
    pub bytes: u64,
    /// Pages.
    pub pages: u32,
}

/// One job, as the journal knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadow {
    /// Its number.
    pub id: JobId,
    /// What the submitter said.
    pub ticket: Arc<Ticket>,
    /// Its document.
    pub document: DocumentState,
    /// Where it stands.
    pub state: State,
    /// When playing began last, in ms since 1970; 0: never.
    pub started_ms: u64,
    /// A record says that playing may have begun, durably, before the first byte was offered.
    pub prepared: bool,
    /// What the driver has.
    pub played: Played,
    /// What the device confirmed.
    pub confirmed: Confirmed,
    /// The last time it was cut off.
    pub recovery: Option<Box<Recovery>>,
    /// How often it was played from its first byte.
    pub attempts: u16,
}

impl Shadow {
    /// A job whose document is still being received.
    pub fn receiving(id: JobId, ticket: Ticket) -> Self {
        let state = match ticket.hold {
            Hold::No => State::Pending,
            Hold::Indefinite | Hold::Until(_) => {
                State::Held { why: "job-hold-until-specified".into() }
            }
        };
        Self {
            id,
            ticket: Arc::new(ticket),
            document: DocumentState::Receiving,
            state,
            started_ms: 0,
            prepared: false,
            played: Played::default(),
            confirmed: Confirmed::default(),
            recovery: None,
            attempts: 0,
        }
    }

    /// Length of the document; `None` while it is being received.
    pub fn bytes(&self) -> Option<u64> {
        match self.document {
            DocumentState::Receiving => None,
            DocumentState::Whole { bytes, .. } | DocumentState::None { bytes } => Some(bytes),
        }
    }

    /// True where there is a document that can be played again.
    pub fn has_document(&self) -> bool {
        matches!(self.document, DocumentState::Whole { .. })
    }

    /// True where a job that waits goes on in its middle, where its device stands.
    pub fn is_begun(&self) -> bool {
        let waits = matches!(self.state, State::Pending | State::Held { .. });
        waits && self.played.accepted > 0
    }

    /// The rules: whether `change` may happen now.
    pub fn allows(&self, change: &Change) -> bool {
        use State::{Aborted, Canceled, Completed, Held, Pending, Processing};
        match (change, &self.state) {
            (Change::Hold { .. }, Pending)
            | (Change::Release, Held { .. })
            | (Change::Prepare, Pending)
            | (Change::Start { .. }, Pending)
            | (Change::Complete { .. }, Processing)
            | (Change::Edit(_), Pending | Held { .. })
            | (Change::Cancel { .. } | Change::Abort { .. }, Pending | Held { .. } | Processing)
            | (
                Change::Confirm(_),
                Processing | Completed { .. } | Canceled { .. } | Aborted { .. },
            ) => true,
            (Change::Recover(_), Processing | Pending | Held { .. }) => true,
            (Change::Reprint, Canceled { .. } | Aborted { .. } | Completed { .. }) => {
                self.has_document()
            }
            _ => false,
        }
    }

    /// Makes `change`, or says why it may not be made.
    pub fn apply(&mut self, change: &Change) -> Result<()> {
        if !self.allows(change) {
            return Err(Error::WrongState {
                id: self.id,
                state: self.state.name(),
                wanted: change.wanted(),
            });
        }
        match change {
            Change::Hold { why } => self.state = State::Held { why: why.clone() },
            Change::Release => self.release(),
            Change::Prepare => self.prepared = true,
            Change::Start { at_ms } => self.start(*at_ms),
            Change::Recover(recovery) => self.recover(*recovery),
            Change::Cancel { at_ms, why } => {
                self.state = State::Canceled { at_ms: *at_ms, why: why.clone() }
            }
            Change::Abort { at_ms, why } => {
                self.state = State::Aborted { at_ms: *at_ms, why: why.clone() }
            }
            Change::Complete { at_ms } => self.state = State::Completed { at_ms: *at_ms },
            Change::Reprint => self.reprint(),
            Change::Edit(ticket) => self.ticket = ticket.clone(),
            Change::Confirm(confirmed) => self.confirmed = *confirmed,
        }
        Ok(())
    }

    fn release(&mut self) {
        self.hold_no_more();
        self.state = State::Pending;
    }

    fn start(&mut self, at_ms: u64) {
        self.state = State::Processing;
        self.started_ms = at_ms;
        if self.played.accepted == 0 {
            self.attempts = self.attempts.saturating_add(1);
        }
    }

    fn recover(&mut self, recovery: Recovery) {
        self.recovery = Some(Box::new(recovery));
        self.prepared = false;
        self.hold_no_more();
        match recovery.deed {
            Deed::Resumed => self.played.offered = self.played.accepted,
            Deed::Restarted => self.played = Played::default(),
            Deed::Held => {
                self.state = State::Held { why: "held-after-crash".into() };
                return;
            }
        }
        self.state = State::Pending;
    }

    fn hold_no_more(&mut self) {
        if self.ticket.hold != Hold::No {
            Arc::make_mut(&mut self.ticket).hold = Hold::No;
        }
    }

    fn reprint(&mut self) {
        self.hold_no_more();
        self.state = State::Pending;
        self.prepared = false;
        self.played = Played::default();
        self.confirmed = Confirmed::default();
        self.recovery = None;
    }
}

#[cfg(test)]
mod tests;
