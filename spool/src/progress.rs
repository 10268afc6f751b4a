//! What the driver has accepted of a job that is being played.
//!
//! Whoever writes to the device notes a record before each write (`offered > accepted`) and one after the last
//! (`offered == accepted`); while it streams without waiting, the record after one write is the record before the next.
//! After a crash the last record says where the device stands, or between which two offsets.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use crate::JobId;
use crate::error::{Error, Result};
use crate::journal::{Record, Room};
use crate::shadow::Played;
use crate::spool::Inner;

/// The place where a player and the table meet. Written under the journal's lock only.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    accepted: AtomicU64,
    offered: AtomicU64,
    closed: AtomicBool,
}

impl Cell {
    pub(crate) fn new(played: Played) -> Arc<Self> {
        Arc::new(Self {
            accepted: played.accepted.into(),
            offered: played.offered.into(),
            closed: false.into(),
        })
    }

    pub(crate) fn played(&self) -> Played {
        Played {
            accepted: self.accepted.load(Ordering::Acquire),
            offered: self.offered.load(Ordering::Acquire),
        }
    }

    /// No note is taken any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}

/// Notes how far a job has been played. One for each playing of a job; of no effect once the job has left the state
/// *processing*.
#[derive(Clone, Debug)]
pub struct Progress {
    pub(crate) spool: Weak<Inner>,
    pub(crate) id: JobId,
    pub(crate) cell: Arc<Cell>,
}

impl Progress {
    /// The job.
    pub fn job(&self) -> JobId {
        self.id
    }

    /// What was noted last.
    pub fn played(&self) -> Played {
        self.cell.played()
    }

    /// Notes an offset. It survives a crash of the process at once, and a loss of power after the next sync. When this
    /// fails no byte may be offered: the offset would be silently wrong after a crash.
    pub fn note(&self, played: Played) -> Result<()> {
        let spool = self.spool.upgrade().ok_or(Error::Closed)?;
        let record = Record::Progress { id: self.id, played };
        let open = || !self.cell.closed.load(Ordering::Acquire);
        spool.journal.append_if(&[record], Room::Upkeep, open, || {
            self.cell.accepted.store(played.accepted, Ordering::Release);
            self.cell.offered.store(played.offered, Ordering::Release);
        })
    }
}
