//! The jobs in memory: what the journal says, applied.
//!
//! The replay and the running server go through the same [`Table::apply`], so that what is in memory is what a replay
//! would find. Shadows are shared (`Arc`) and replaced, never changed in place: a listing of 100,000 jobs clones
//! 100,000 pointers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::JobId;
use crate::document::{Document, Growth};
use crate::journal::Record;
use crate::progress::Cell;
use crate::shadow::{DocumentState, Shadow};

/// All jobs of a spool.
#[derive(Default)]
pub(crate) struct Table {
    jobs: BTreeMap<JobId, Arc<Shadow>>,
    ended: BTreeSet<(u64, JobId)>,
    document_bytes: u64,
    /// Documents that are being received.
    pub(crate) growing: HashMap<JobId, (Document, Arc<Growth>)>,
    /// Jobs that are being played.
    pub(crate) playing: HashMap<JobId, Arc<Cell>>,
    /// The next id to give out.
    pub(crate) next_id: u32,
    /// Ids below this are covered by a record.
    pub(crate) ceiling: u32,
    /// What the machine was booted as when the spool was opened last.
    pub(crate) boot: Option<[u8; 16]>,
}

impl Table {
    /// Takes a record in. False for one that does not fit what came before it, which only a damaged journal holds.
    pub(crate) fn apply(&mut self, record: Record) -> bool {
        match record {
            Record::Opened { boot, .. } => self.boot = Some(boot),
            Record::Ids { next } => self.ceiling = self.ceiling.max(next),
            Record::Announced { id, direct, ticket } => {
                let mut shadow = Shadow::receiving(id, *ticket);
                if direct {
                    shadow.document = DocumentState::None { bytes: 0 };
                }
                self.insert(shadow);
            }
            Record::Committed { id, bytes, crc32c, ticket, .. } => {
                let announced = self.jobs.get(&id).map(|shadow| Shadow::clone(shadow));
                let Some(mut shadow) =
                    announced.or_else(|| ticket.map(|ticket| Shadow::receiving(id, *ticket)))
                else {
                    return false;
                };
                shadow.document = DocumentState::Whole { bytes, crc32c };
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
            Record::Snapshot(shadow) => self.insert(*shadow),
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

    /// Puts a shadow in the place of the one with its id.
    pub(crate) fn insert(&mut self, shadow: Shadow) {
        let id = shadow.id;
        self.forget(id);
        if let Some(ended_ms) = shadow.state.ended_ms() {
            self.ended.insert((ended_ms, id));
        }
        self.document_bytes = self.document_bytes.saturating_add(kept_bytes(&shadow));
        self.jobs.insert(id, Arc::new(shadow));
    }

    /// Takes a job out.
    pub(crate) fn remove(&mut self, id: JobId) -> Option<Arc<Shadow>> {
        let shadow = self.jobs.get(&id).cloned();
        self.forget(id);
        self.jobs.remove(&id);
        shadow
    }

    /// Takes what the indices say about a job back.
    fn forget(&mut self, id: JobId) {
        if let Some(old) = self.jobs.get(&id) {
            if let Some(ended_ms) = old.state.ended_ms() {
                self.ended.remove(&(ended_ms, id));
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
}

fn kept_bytes(shadow: &Shadow) -> u64 {
    if shadow.has_document() { shadow.bytes().unwrap_or(0) } else { 0 }
}
