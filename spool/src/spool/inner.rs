//! What all handles of a spool share, and what is done with it under which lock.
//!
//! The locks, in the order in which they are taken: who makes room, the table, then the journal. The table is never waited
//! for by whoever holds the journal.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::{Listener, Options, now_ms};
use crate::JobId;
use crate::compact::Pace;
use crate::disk::{Request, Soon};
use crate::document::{Document, Growth};
use crate::error::{Error, Result};
use crate::journal::{Journal, Record, Room};
use crate::limits::{ID_BLOCK, ID_LAST, INLINE_BYTES, WRITERS};
use crate::shadow::{Change, DocumentState, Shadow, State, Ticket};
use crate::small::{Last, Small};
use crate::space::Share;
use crate::store::{File, Store};
use crate::sync::locked;
use crate::table::Table;
use crate::writer::Writer;

/// What all handles share.
pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(super) options: Mutex<Options>,
    /// Locked before the journal, never after.
    pub(crate) table: Mutex<Table>,
    pub(crate) journal: Journal,
    pub(super) requests: crossbeam_channel::Sender<Request>,
    pub(super) small: crossbeam_channel::Sender<Small>,
    pub(crate) soon: Soon,
    pub(super) poison: Mutex<Option<Arc<str>>>,
    pub(crate) writers: AtomicUsize,
    pub(crate) listener: OnceLock<Listener>,
    /// Held by whoever makes room on the disk. Locked before the table.
    pub(crate) making_room: Mutex<()>,
    pub(crate) compacting: Mutex<()>,
    pub(crate) pace: Pace,
    pub(super) _lock: Box<dyn Send + Sync>,
}

impl Inner {
    pub(crate) fn options(&self) -> Options {
        locked(&self.options).clone()
    }

    pub(super) fn begin(
        self: &Arc<Self>,
        ticket: Ticket,
        expected_bytes: Option<u64>,
    ) -> Result<Writer> {
        self.check_poison()?;
        let options = self.options();
        let expected = expected_bytes.unwrap_or(0);
        if expected > options.max_job_bytes {
            return Err(Error::TooLarge { limit_bytes: options.max_job_bytes });
        }
        self.check_disk(expected)?;
        let share = Share::of(self.clone(), expected)?;
        if self.writers.fetch_add(1, Ordering::AcqRel) >= WRITERS {
            self.writers.fetch_sub(1, Ordering::AcqRel);
            return Err(Error::TooManyWriters { limit: WRITERS });
        }
        // A large document's space is reserved now.
        let allocated = if expected > INLINE_BYTES as u64 { expected } else { 0 };
        let file = |id| (allocated > 0).then(|| self.new_file(id, allocated)).transpose();
        let made = self.next_id().and_then(|id| Ok((id, file(id)?)));
        let (id, file) = made.inspect_err(|_| {
            self.writers.fetch_sub(1, Ordering::AcqRel);
        })?;
        Ok(Writer::new(share, self.clone(), id, ticket, file, allocated))
    }

    /// Makes the file of a document that is whole, under its name. Nothing is left of it where that fails.
    pub(crate) fn whole_file(&self, id: JobId, document: &[u8]) -> Result<Arc<dyn File>> {
        let name = id.file_name();
        let file = self.store.create(&name).map_err(Error::disk("creating", &*name))?;
        file.write_at(document, 0).map_err(|source| {
            let _ = self.store.remove(&name);
            self.write_failed(source, id, document.len())
        })?;
        Ok(file)
    }

    pub(crate) fn write_failed(&self, source: io::Error, id: JobId, more: usize) -> Error {
        if Error::is_no_space(&source) {
            let needed_bytes = u64::try_from(more).unwrap_or(u64::MAX);
            Error::Full { free_bytes: self.free_bytes(), needed_bytes }
        } else {
            Error::disk("writing", id.file_name())(source)
        }
    }

    pub(crate) fn new_file(&self, id: JobId, expected_bytes: u64) -> Result<Arc<dyn File>> {
        let name = id.file_name();
        let file = self.store.create_unnamed().map_err(Error::disk("creating", &*name))?;
        if expected_bytes > 0 {
            file.allocate(expected_bytes, true).map_err(|source| {
                if Error::is_no_space(&source) {
                    Error::Full { free_bytes: self.free_bytes(), needed_bytes: expected_bytes }
                } else {
                    Error::disk("reserving space for", name)(source)
                }
            })?;
        }
        Ok(file)
    }

    /// The next id; a new block is recorded well before the old one is used up.
    pub(super) fn next_id(&self) -> Result<JobId> {
        let mut table = locked(&self.table);
        if table.closed {
            return Err(Error::Closed);
        }
        let number = table.next_id;
        let id = JobId::new(number).ok_or(Error::NoIdsLeft)?;
        if number.saturating_add(ID_BLOCK / 2) >= table.ceiling {
            let ceiling = number.saturating_add(ID_BLOCK).min(ID_LAST.saturating_add(1));
            self.journal.append(&[Record::Ids { next: ceiling }], Room::Upkeep)?;
            table.ceiling = ceiling;
            let _ = self.requests.try_send(Request::Sync { committed: None, then: None });
        }
        table.next_id = number.saturating_add(1);
        Ok(id)
    }

    /// Gives back the ids that were set aside and not used. For the end: nobody can begin a job any more.
    pub(crate) fn return_ids(&self) {
        let mut table = locked(&self.table);
        table.closed = true;
        let next = table.next_id;
        match self.journal.append(&[Record::Ids { next }], Room::Upkeep) {
            Ok(_) => table.ceiling = next,
            Err(error) => tracing::debug!(%error, "the ids that are left cannot be given back"),
        }
    }

    /// Appends a record that makes a job and takes it into the table.
    pub(crate) fn enter(
        &self,
        record: Record,
        room: Room,
        also: impl FnOnce(&mut Table),
    ) -> Result<()> {
        let mut table = locked(&self.table);
        self.journal.append(std::slice::from_ref(&record), room)?;
        table.apply(record);
        also(&mut table);
        Ok(())
    }

    pub(crate) fn update(&self, id: JobId, change: Change) -> Result<Arc<Shadow>> {
        let mut table = locked(&self.table);
        let mut shadow = Shadow::clone(&*table.job(id).ok_or(Error::NoSuchJob { id })?);
        shadow.apply(&change)?;
        let leaves = !matches!(shadow.state, State::Processing);
        let cell = if leaves { table.playing.remove(&id) } else { None };
        let close = || {
            if let Some(cell) = &cell {
                cell.close();
            }
        };
        self.journal.append_if(&[Record::Changed { id, change }], Room::Upkeep, || true, close)?;
        if shadow.state.ended_ms().is_some()
            && let Some((_, growth)) = table.growing.remove(&id)
        {
            growth.break_off();
        }
        Ok(table.insert(shadow))
    }

    /// Ends a job whose document will never be whole.
    pub(crate) fn give_up(&self, id: JobId, why: &str) {
        let change = Change::Abort { at_ms: now_ms(), why: why.into() };
        match self.update(id, change.clone()) {
            Ok(_) | Err(Error::NoSuchJob { .. } | Error::WrongState { .. }) => {}
            Err(error) => {
                tracing::error!(%id, %error, "the end of a job could not be recorded");
                locked(&self.table).apply(Record::Changed { id, change });
            }
        }
        // Whoever follows the document hears of its end when the reason is on record.
        if let Some((_, growth)) = locked(&self.table).growing.remove(&id) {
            growth.break_off();
        }
    }

    pub(super) fn document(&self, id: JobId) -> Result<Document> {
        let bytes = {
            let table = locked(&self.table);
            if let Some((document, _)) = table.growing.get(&id) {
                return Ok(document.clone());
            }
            if let Some(document) = table.short.of(id) {
                return Ok(Document::short(document));
            }
            match table.job(id).ok_or(Error::NoSuchJob { id })?.document {
                DocumentState::Whole { bytes, .. } => bytes,
                DocumentState::Receiving | DocumentState::None { .. } => {
                    return Err(Error::Damaged {
                        name: id.file_name(),
                        why: "the job has no document".into(),
                    });
                }
            }
        };
        let name = id.file_name();
        let file = self.store.open(&name).map_err(Error::disk("opening", &*name))?;
        let there = file.bytes().map_err(Error::disk("reading", &*name))?;
        if there != bytes {
            return Err(Error::Damaged {
                name,
                why: format!("it has {there} bytes, the journal says {bytes}"),
            });
        }
        Ok(Document::new(file, Growth::whole(bytes), name))
    }

    pub(super) fn remove(&self, id: JobId) -> Result<()> {
        let unlink = self.remove_from(&mut locked(&self.table), id)?;
        unlink.into_iter().for_each(|request| self.disk(request));
        Ok(())
    }

    /// Takes a job that has ended out of the table. What the disk thread is to do about it is handed to it when the table is
    /// free again: it may need the table to get on with its queue.
    pub(crate) fn remove_from(&self, table: &mut Table, id: JobId) -> Result<Option<Request>> {
        let shadow = table.job(id).ok_or(Error::NoSuchJob { id })?;
        if shadow.state.ended_ms().is_none() {
            return Err(Error::WrongState { id, state: shadow.state.name(), wanted: "removed" });
        }
        self.journal.append(&[Record::Removed { id }], Room::Upkeep)?;
        table.remove(id);
        Ok(shadow.has_document().then(|| Request::Unlink { name: id.file_name(), then: None }))
    }

    /// Hands a request to the disk thread, waiting while its queue is full. Never with the table locked.
    pub(crate) fn disk(&self, request: Request) {
        if let Err(crossbeam_channel::SendError(request)) = self.requests.send(request) {
            request.answer(Err(Error::Closed));
        }
    }

    /// Hands a document to the small documents' thread. Its queue has room for every writer there may be.
    pub(crate) fn commit_small(&self, last: Last) {
        if let Err(crossbeam_channel::SendError(Small::Commit(last))) =
            self.small.send(Small::Commit(Box::new(last)))
        {
            last.refuse();
        }
    }

    pub(crate) fn check_poison(&self) -> Result<()> {
        match &*locked(&self.poison) {
            Some(why) => Err(Error::Poisoned { why: why.clone() }),
            None => Ok(()),
        }
    }

    /// Remembers that the disk failed to keep something: nothing can be promised from now on.
    pub(crate) fn poison(&self, doing: &'static str, name: &str, source: io::Error) -> Error {
        let error = Error::disk(doing, name)(source);
        let mut poison = locked(&self.poison);
        let why = poison.get_or_insert_with(|| {
            tracing::error!(%error, "no new work is accepted until the server is restarted");
            error.to_string().into()
        });
        Error::Poisoned { why: why.clone() }
    }

    pub(crate) fn free_bytes(&self) -> u64 {
        self.store.free_bytes().unwrap_or(0)
    }
}
