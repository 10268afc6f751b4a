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

use std::sync::Arc;

use crate::JobId;
use crate::error::{Error, Result};
use crate::limits::{EXTRA_PAIRS, TEXT_BYTES};

/// What the submitter said of a job. Every text is at most [`TEXT_BYTES`] long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The printer it is for. Changed by a move.
    pub printer: Arc<str>,
    /// The job's name, as people see it.
    pub title: Box<str>,
    /// The user who submitted it.
    pub user: Box<str>,
    /// Where it came from, for example `ipp://127.0.0.1`.
    pub host: Box<str>,
    /// MIME type of the document; `application/octet-stream` where nothing is known.
    pub format: Box<str>,
    /// The print processor's datatype, for example `RAW`.
    pub datatype: Box<str>,
    /// How often to play the document, at least 1.
    pub copies: u16,
    /// 1 (lowest) to 100; 50 where nobody said.
    pub priority: u8,
    /// Not to be played before a person or the clock releases it.
    pub hold: Hold,
    /// When it was submitted, in ms since 1970.
    pub submitted_ms: u64,
    /// More that a front end wants to give back to its client, at most [`EXTRA_PAIRS`] pairs.
    pub extra: Vec<(Box<str>, Box<str>)>,
}

impl Ticket {
    /// A ticket for one copy at middle priority, all texts empty but the printer.
    pub fn new(printer: impl Into<Arc<str>>) -> Self {
        Self {
            printer: printer.into(),
            title: "".into(),
            user: "".into(),
            host: "".into(),
            format: "application/octet-stream".into(),
            datatype: "RAW".into(),
            copies: 1,
            priority: 50,
            hold: Hold::No,
            submitted_ms: 0,
            extra: Vec::new(),
        }
    }

    /// Refuses what the journal could not keep.
    pub fn check(&self) -> Result<()> {
        let bad = |field, why| Err(Error::BadTicket { field, why });
        let texts = [
            ("printer", &*self.printer),
            ("title", &self.title),
            ("user", &self.user),
            ("host", &self.host),
            ("format", &self.format),
            ("datatype", &self.datatype),
        ];
        if let Some((field, _)) = texts.iter().find(|(_, text)| text.len() > TEXT_BYTES) {
            return bad(field, "is longer than 1023 bytes");
        }
        if self.printer.is_empty() {
            return bad("printer", "is missing");
        }
        if self.copies == 0 {
            return bad("copies", "is 0; it is at least 1");
        }
        if !(1..=100).contains(&self.priority) {
            return bad("priority", "is not from 1 to 100");
        }
        if self.extra.len() > EXTRA_PAIRS {
            return bad("extra", "has more than 32 pairs");
        }
        if self.extra.iter().any(|(name, value)| name.len().max(value.len()) > TEXT_BYTES) {
            return bad("extra", "has a text longer than 1023 bytes");
        }
        Ok(())
    }
}

/// Whether a job waits for a person or for the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Play it when its turn comes.
    No,
    /// Until a person releases it.
    Indefinite,
    /// Until this time, in ms since 1970.
    Until(u64),
}

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
    pub ticket: Box<Ticket>,
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
    Edit(Box<Ticket>),
    /// The device confirmed so much.
    Confirm(Confirmed),
}

impl Change {
    fn wanted(&self) -> &'static str {
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
            ticket: Box::new(ticket),
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
        self.ticket.hold = Hold::No;
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
        self.ticket.hold = Hold::No;
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

    fn reprint(&mut self) {
        self.ticket.hold = Hold::No;
        self.state = State::Pending;
        self.prepared = false;
        self.played = Played::default();
        self.confirmed = Confirmed::default();
        self.recovery = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Shadow {
        let mut job = Shadow::receiving(JobId::new(7).unwrap(), Ticket::new("label"));
        job.document = DocumentState::Whole { bytes: 10, crc32c: 0 };
        job
    }

    #[test]
    fn the_table_of_states() {
        let why = || "x".into();
        let changes = [
            Change::Hold { why: why() },
            Change::Release,
            Change::Start { at_ms: 1 },
            Change::Cancel { at_ms: 1, why: why() },
            Change::Complete { at_ms: 1 },
            Change::Reprint,
            Change::Edit(Box::new(Ticket::new("other"))),
        ];
        let states = [
            (State::Pending, "H-SC--E"),
            (State::Held { why: why() }, "-R-C--E"),
            (State::Processing, "---CF--"),
            (State::Canceled { at_ms: 1, why: why() }, "-----P-"),
            (State::Aborted { at_ms: 1, why: why() }, "-----P-"),
            (State::Completed { at_ms: 1 }, "-----P-"),
        ];
        for (state, allowed) in states {
            for (change, letter) in changes.iter().zip(allowed.chars()) {
                let mut job = Shadow { state: state.clone(), ..job() };
                assert_eq!(job.apply(change).is_ok(), letter != '-', "{state:?} {change:?}");
            }
        }
    }

    #[test]
    fn a_job_without_a_document_is_not_printed_again() {
        let mut job = job();
        job.document = DocumentState::None { bytes: 10 };
        job.state = State::Completed { at_ms: 1 };
        let refused = job.apply(&Change::Reprint).unwrap_err();
        assert_eq!(refused.to_string(), "job 7 is completed: it cannot be printed again");
    }

    #[test]
    fn recovery_keeps_or_forgets_the_offset() {
        let recover = |deed| {
            Change::Recover(Recovery { cause: Cause::Crash, deed, maybe_on_paper: 5, at_ms: 9 })
        };
        let cut_off = || Shadow {
            state: State::Processing,
            played: Played { accepted: 5, offered: 8 },
            ..job()
        };

        let mut resumed = cut_off();
        resumed.apply(&recover(Deed::Resumed)).unwrap();
        assert_eq!(
            (resumed.played, &resumed.state),
            (Played { accepted: 5, offered: 5 }, &State::Pending)
        );

        let mut restarted = cut_off();
        restarted.apply(&recover(Deed::Restarted)).unwrap();
        assert_eq!(restarted.played, Played::default());

        let mut held = cut_off();
        held.apply(&recover(Deed::Held)).unwrap();
        assert_eq!(held.played, Played { accepted: 5, offered: 8 });
        assert_eq!(held.state.name(), "pending-held");
    }
}
