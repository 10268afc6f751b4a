//! Receiving a document: begin, append, commit or abort.
//!
//! ```text
//!  begin ──► append* ──► commit ──► (callback: durable, or why not)
//!               └──────► abort, or drop: the space is free again, nothing is left
//! ```
//!
//! A document up to `INLINE_BYTES` waits in memory for its end, and rides in its commit record, so that one sync of the
//! journal makes it durable; its own file may be written back whenever the kernel likes, and recovery rebuilds it from the
//! journal if the power went first. A larger one, or one that is followed, goes straight into a file that has no name yet;
//! where it has outgrown the journal it is synced under its name before the record is written.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::JobId;
use crate::disk::Request;
use crate::document::{Document, End, Growth};
use crate::error::{Error, Result};
use crate::journal::{Record, Room};
use crate::limits::{EXTRA_PAIRS, INLINE_BYTES, SPACE_CHECK_BYTES};
use crate::shadow::{Hold, Ticket};
use crate::small::Last;
use crate::space::Share;
use crate::spool::Inner;
use crate::store::File;

/// A document that is being received. Dropping it aborts.
pub struct Writer {
    spool: Arc<Inner>,
    share: Option<Share>,
    id: JobId,
    /// `None` once the job was announced: its ticket is in the journal then.
    ticket: Option<Box<Ticket>>,
    /// Made when the document is no longer small, or somebody follows it.
    file: Option<Arc<dyn File>>,
    growth: Arc<Growth>,
    /// The document so far, while it is small.
    inline: Option<Vec<u8>>,
    bytes: u64,
    crc32c: u32,
    allocated: u64,
    space_check_at: u64,
    settled: bool,
}

impl Writer {
    pub(crate) fn new(
        share: Share,
        spool: Arc<Inner>,
        id: JobId,
        ticket: Ticket,
        file: Option<Arc<dyn File>>,
        allocated: u64,
    ) -> Self {
        Self {
            spool,
            share: Some(share),
            id,
            ticket: Some(Box::new(ticket)),
            file,
            growth: Growth::open(),
            inline: Some(Vec::new()),
            bytes: 0,
            crc32c: 0,
            allocated,
            space_check_at: SPACE_CHECK_BYTES,
            settled: false,
        }
    }

    /// The job's number. It is this job's for ever, also if the document never becomes whole.
    pub fn job(&self) -> JobId {
        self.id
    }

    /// Whether others see the job already.
    pub fn is_announced(&self) -> bool {
        self.ticket.is_none()
    }

    /// How much was appended.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The document so far, to be followed while it grows.
    pub fn document(&mut self) -> Result<Document> {
        Ok(Document::new(self.file()?, self.growth.clone(), self.id.file_name()))
    }

    fn file(&mut self) -> Result<Arc<dyn File>> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        let file = self.spool.new_file(self.id, 0)?;
        if let Some(document) = &self.inline {
            let written = file.write_at(document, 0);
            written.map_err(|source| self.spool.write_failed(source, self.id, document.len()))?;
        }
        Ok(self.file.insert(file).clone())
    }

    /// Makes the job visible (listed, playable, cancelable) before its document is whole.
    pub fn announce(&mut self) -> Result<()> {
        if self.is_announced() {
            return Ok(());
        }
        let document = self.document()?;
        let Some(ticket) = self.ticket.take() else { return Ok(()) };
        let record = Record::Announced { id: self.id, direct: false, ticket };
        let growth = self.growth.clone();
        self.spool.enter(record, Room::NewWork, |table| {
            table.growing.insert(self.id, (document, growth));
        })
    }

    /// Lets the job wait for a person once it is committed, and notes why. False where the job was announced: it may be at
    /// the device already.
    pub fn hold(&mut self, note: (&str, &str)) -> bool {
        let Some(ticket) = &mut self.ticket else { return false };
        ticket.hold = Hold::Indefinite;
        ticket.extra.truncate(EXTRA_PAIRS.saturating_sub(1));
        ticket.extra.push((note.0.into(), note.1.into()));
        true
    }

    /// Appends bytes. After an error only an abort makes sense.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if self.growth.end() == End::Broken {
            return Err(Error::Canceled { id: self.id });
        }
        let added = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let total = self.bytes.saturating_add(added);
        let limit_bytes = self.spool.options().max_job_bytes;
        if total > limit_bytes {
            return Err(Error::TooLarge { limit_bytes });
        }
        if let Some(share) = &mut self.share {
            share.reach(total)?;
        }
        if total > self.space_check_at.max(self.allocated) {
            self.spool.check_disk(added)?;
            self.space_check_at = total.saturating_add(SPACE_CHECK_BYTES);
        }
        let small = self.is_small_with(bytes.len());
        if self.file.is_some() || !small {
            let written = self.file()?.write_at(bytes, self.bytes);
            written.map_err(|source| self.spool.write_failed(source, self.id, bytes.len()))?;
        }
        self.crc32c = crc32c::crc32c_append(self.crc32c, bytes);
        match &mut self.inline {
            Some(inline) if small => inline.extend_from_slice(bytes),
            inline => *inline = None,
        }
        self.bytes = total;
        self.growth.set(total, End::Open);
        Ok(())
    }

    /// Makes the document durable, and calls `then` (from the disk thread) when it is, or when it could not be. A large
    /// document is synced here, in the caller's thread: call this where blocking is allowed.
    pub fn commit(mut self, then: impl FnOnce(Result<()>) + Send + 'static) {
        match self.settle() {
            Ok(None) => self
                .spool
                .disk(Request::Sync { committed: Some(self.id), then: Some(Box::new(then)) }),
            Ok(Some(landing)) => {
                self.spool.disk(Request::Land { landing: Box::new(landing), then: Box::new(then) });
            }
            Err(error) => {
                self.spool.give_up(self.id, &error.to_string());
                then(Err(error));
            }
        }
    }

    /// Whether the document, with so many more bytes, rides in the journal.
    pub fn is_small_with(&self, more: usize) -> bool {
        self.inline.as_ref().is_some_and(|inline| inline.len().saturating_add(more) <= INLINE_BYTES)
    }

    /// Appends the last bytes and commits, on a thread of the spool's: nothing is waited for here. `then` is called once, as
    /// for [`Self::commit`]. For documents that stay small ([`Self::is_small_with`]): another one would keep all of them
    /// waiting.
    pub fn commit_small(
        self,
        last: impl AsRef<[u8]> + Send + 'static,
        then: impl FnOnce(Result<()>) + Send + 'static,
    ) {
        let spool = self.spool.clone();
        spool.commit_small(Last { writer: self, bytes: Box::new(last), then: Box::new(then) });
    }

    /// Everything of a commit that the caller's thread does.
    fn settle(&mut self) -> Result<Option<Landing>> {
        self.spool.check_poison()?;
        if self.growth.end() == End::Broken {
            return Err(Error::Canceled { id: self.id });
        }
        let (file, named) = match (&self.file, &self.inline) {
            (None, Some(document)) => (self.spool.whole_file(self.id, document)?, true),
            _ => (self.file()?, false),
        };
        if self.allocated > self.bytes {
            file.set_bytes(self.bytes).map_err(Error::disk("cutting", self.id.file_name()))?;
        }
        let record = Record::Committed {
            id: self.id,
            bytes: self.bytes,
            crc32c: self.crc32c,
            ticket: self.ticket.take(),
            inline: self.inline.take(),
        };
        let landing = Landing {
            id: self.id,
            record,
            file,
            growth: self.growth.clone(),
            _share: self.share.take(),
        };
        let small = matches!(&landing.record, Record::Committed { inline: Some(_), .. });
        if !small {
            let synced = landing.file.sync();
            synced.map_err(|source| self.spool.poison("syncing", &self.id.file_name(), source))?;
            self.settled = true;
            return Ok(Some(landing));
        }
        if !named {
            landing.name()?;
        }
        self.settled = true;
        landing.enter(&self.spool)?;
        Ok(None)
    }

    /// Gives the document up, saying why: its space is free again, and the job, if it was announced, is aborted.
    /// Dropping does the same without a reason.
    pub fn abort(mut self, why: &str) {
        self.give_up(why);
    }

    fn give_up(&mut self, why: &str) {
        if !std::mem::replace(&mut self.settled, true) {
            self.spool.give_up(self.id, why);
            self.growth.break_off();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.spool.writers.fetch_sub(1, Ordering::AcqRel);
        self.give_up("the submission was broken off");
    }
}

/// A document whose bytes are all there, on the way to its name and its record.
pub(crate) struct Landing {
    pub(crate) id: JobId,
    record: Record,
    file: Arc<dyn File>,
    growth: Arc<Growth>,
    /// Until the table counts the document itself.
    _share: Option<Share>,
}

impl Landing {
    /// Gives the file its name.
    pub(crate) fn name(&self) -> Result<()> {
        let name = self.id.file_name();
        self.file.name(&name).map_err(Error::disk("naming", name))
    }

    /// Writes the record. The job exists from here on.
    pub(crate) fn enter(self, spool: &Inner) -> Result<()> {
        let Record::Committed { bytes, .. } = self.record else { return Ok(()) };
        let id = self.id;
        let entered = spool.enter(self.record, Room::NewWork, |table| {
            table.growing.remove(&id);
        });
        match entered {
            Ok(()) => self.growth.set(bytes, End::Whole),
            Err(_) => {
                self.growth.break_off();
                let _ = spool.store.remove(&id.file_name());
            }
        }
        entered
    }
}
