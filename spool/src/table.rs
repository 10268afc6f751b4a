//! The jobs in memory: what the journal says, applied.
//!
//! The replay and the running server go through the same [`Table::apply`], so that what is in memory is what a replay
//! would find. Shadows are shared (`Arc`) and replaced, never changed in place: a listing of 100,000 jobs clones
//! 100,000 pointers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::JobId;
use crate::document::{Document, Growth};
use crate::journal::Record;
use crate::progress::Cell;
use crate::shadow::{DocumentState, Hold, Shadow, State};
use crate::short::Short;

/// Where a job that has not ended stands among its like: what is being played, what goes on in its middle, then the others,
/// by priority and number.
type Turn = (u8, Reverse<u8>, JobId);

/// All jobs of a spool.
#[derive(Default)]
pub(crate) struct Table {
    jobs: BTreeMap<JobId, Arc<Shadow>>,
    ended: BTreeSet<(u64, JobId)>,
    /// Jobs that have not ended.
    live: BTreeSet<Turn>,
    /// Jobs that wait for the clock.
    timed: BTreeSet<(u64, JobId)>,
    document_bytes: u64,
    /// What documents that are being received take of the quota.
    pub(crate) receiving_bytes: u64,
    /// Documents that are being received.
    pub(crate) growing: HashMap<JobId, (Document, Arc<Growth>)>,
    /// Jobs that are being played.
    pub(crate) playing: HashMap<JobId, Arc<Cell>>,
    pub(crate) short: Short,
    /// The next id to give out.
    pub(crate) next_id: u32,
    /// Ids below this are covered by a record.
    pub(crate) ceiling: u32,
    /// The ids that are left were given back: no more are given out.
    pub(crate) closed: bool,
    /// What the machine was booted as when the spool was opened last.
    pub(crate) boot: Option<[u8; 16]>,
}

impl Table {
    /// Takes a record in. False for one that does not fit what came before it, which only a damaged journal holds.
    pub(crate) fn apply(&mut self, record: Record) -> bool {
        match record {
            Record::Opened { boot, .. } => self.boot = Some(boot),
            // The last one holds: an orderly end gives back what it did not use.
            Record::Ids { next } => self.ceiling = next,
            Record::Announced { id, direct, ticket } => {
                let mut shadow = Shadow::receiving(id, *ticket);
                if direct {
                    shadow.document = DocumentState::None { bytes: 0 };
                }
                self.insert(shadow);
            }
            Record::Committed { id, bytes, crc32c, ticket, inline } => {
                let announced = self.jobs.get(&id).map(|shadow| Shadow::clone(shadow));
                let Some(mut shadow) =
                    announced.or_else(|| ticket.map(|ticket| Shadow::receiving(id, *ticket)))
                else {
                    return false;
                };
                shadow.document = DocumentState::Whole { bytes, crc32c };
                if let Some(document) = inline {
                    self.short.keep(id, document);
                }
                self.insert(shadow);
            }
            Record::Changed { id, change } => {
                return self.change(id, |shadow| shadow.apply(&change).is_ok());
            }
            Record::Progress { id, played } => {
                return self.change(id, |shadow| {
                    shadow.played = played;
                    true
                });
            }
            Record::Snapshot(shadow) => drop(self.insert(*shadow)),
            Record::Removed { id } => return self.remove(id).is_some(),
        }
        true
    }

    fn change(&mut self, id: JobId, change: impl FnOnce(&mut Shadow) -> bool) -> bool {
        let Some(shadow) = self.jobs.get(&id) else { return false };
        let mut shadow = Shadow::clone(shadow);
        let changed = change(&mut shadow);
        self.insert(shadow);
        changed
    }

    /// Puts a shadow in the place of the one with its id, and gives it back.
    pub(crate) fn insert(&mut self, shadow: Shadow) -> Arc<Shadow> {
        let id = shadow.id;
        self.forget(id);
        match shadow.state.ended_ms() {
            Some(ended_ms) => {
                self.short.forget(id);
                self.ended.insert((ended_ms, id))
            }
            None => self.live.insert(turn(&shadow)),
        };
        if let Some(due_ms) = due_ms(&shadow) {
            self.timed.insert((due_ms, id));
        }
        self.document_bytes = self.document_bytes.saturating_add(kept_bytes(&shadow));
        let shadow = Arc::new(shadow);
        self.jobs.insert(id, shadow.clone());
        shadow
    }

    /// Takes a job out.
    pub(crate) fn remove(&mut self, id: JobId) -> Option<Arc<Shadow>> {
        let shadow = self.jobs.get(&id).cloned();
        self.forget(id);
        self.short.forget(id);
        self.jobs.remove(&id);
        shadow
    }

    /// Takes what the indices say about a job back.
    fn forget(&mut self, id: JobId) {
        if let Some(old) = self.jobs.get(&id) {
            match old.state.ended_ms() {
                Some(ended_ms) => self.ended.remove(&(ended_ms, id)),
                None => self.live.remove(&turn(old)),
            };
            if let Some(due_ms) = due_ms(old) {
                self.timed.remove(&(due_ms, id));
            }
            self.document_bytes = self.document_bytes.saturating_sub(kept_bytes(old));
        }
    }

    /// A job as it stands now.
    pub(crate) fn job(&self, id: JobId) -> Option<Arc<Shadow>> {
        self.jobs.get(&id).map(|shadow| self.current(shadow))
    }

    /// All jobs as they stand now, by id.
    pub(crate) fn all(&self) -> impl Iterator<Item = Arc<Shadow>> {
        self.jobs.values().map(|shadow| self.current(shadow))
    }

    /// Jobs that have not ended: what is being played, then by priority and number.
    pub(crate) fn live(&self) -> impl Iterator<Item = Arc<Shadow>> {
        self.live.iter().filter_map(|(_, _, id)| self.job(*id))
    }

    /// Jobs that have ended, the last one first.
    pub(crate) fn over(&self) -> impl Iterator<Item = Arc<Shadow>> {
        self.ended.iter().rev().filter_map(|(_, id)| self.job(*id))
    }

    /// Jobs that wait for the clock, and until when, the next one first.
    pub(crate) fn timed(&self) -> impl Iterator<Item = (u64, JobId)> {
        self.timed.iter().copied()
    }

    /// A shadow with the offset that its player has reached.
    fn current(&self, shadow: &Arc<Shadow>) -> Arc<Shadow> {
        match self.playing.get(&shadow.id) {
            Some(cell) => Arc::new(Shadow { played: cell.played(), ..Shadow::clone(shadow) }),
            None => shadow.clone(),
        }
    }

    /// How many jobs.
    pub(crate) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Jobs that ended, longest ago first.
    pub(crate) fn ended(&self) -> &BTreeSet<(u64, JobId)> {
        &self.ended
    }

    /// Bytes of all documents.
    pub(crate) fn document_bytes(&self) -> u64 {
        self.document_bytes
    }

    /// Bytes of a job's document that count.
    pub(crate) fn bytes_of(&self, id: JobId) -> u64 {
        self.jobs.get(&id).map_or(0, |shadow| kept_bytes(shadow))
    }
}

fn turn(shadow: &Shadow) -> Turn {
    match shadow.state {
        State::Processing => (0, Reverse(0), shadow.id),
        _ if shadow.is_begun() => (1, Reverse(shadow.ticket.priority), shadow.id),
        _ => (2, Reverse(shadow.ticket.priority), shadow.id),
    }
}

/// When the clock releases a job.
fn due_ms(shadow: &Shadow) -> Option<u64> {
    match (&shadow.state, shadow.ticket.hold) {
        (State::Held { .. }, Hold::Until(ms)) => Some(ms),
        _ => None,
    }
}

fn kept_bytes(shadow: &Shadow) -> u64 {
    if shadow.has_document() { shadow.bytes().unwrap_or(0) } else { 0 }
}
