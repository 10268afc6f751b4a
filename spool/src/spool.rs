//! The spool itself: what the server holds.
//!
//! ```text
//!   front ends ── begin ──► Writer ── commit ──┐                      ┌── callback
//!   provider ──── update ──────────────────────┤► journal (page cache) ──► disk thread (group sync)
//!   port threads ─ Progress::note ─────────────┘
//! ```
//!
//! Every change is one record, appended at once under the journal's lock (so a killed process loses nothing), and
//! durable after the next group sync. Whoever needs to know that gives a callback.
//!
//! The invariant: the table in memory is what a replay of the journal would give.

mod inner;

use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use crossbeam_channel::bounded;

use crate::JobId;
use crate::compact::Pace;
use crate::disk::{Disk, Request, Soon};
use crate::disk_store::DiskStore;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::journal::{Record, Room};
use crate::limits::{DISK_QUEUE, WRITERS};
use crate::progress::{Cell, Progress};
use crate::recover::{self, Report};
use crate::served::Served;
use crate::shadow::{Change, Shadow, Ticket};
use crate::small::{Small, serve};
use crate::store::Store;
use crate::sync::locked;
use crate::writer::Writer;
pub(crate) use inner::Inner;

/// A callback for the end of a durable operation. Called once, from the disk thread or from the caller.
pub type Then = Box<dyn FnOnce(Result<()>) + Send>;

/// What hears of documents that are durable now, see [`Spool::on_durable`].
pub type Listener = Box<dyn Fn(&[JobId]) + Send + Sync>;

/// Settings of a spool.
#[derive(Clone, Debug)]
pub struct Options {
    /// A document may be this long.
    pub max_job_bytes: u64,
    /// All documents together may be this long; `None`: as the disk allows.
    pub max_bytes: Option<u64>,
    /// New documents are refused where they would leave less than this free on the disk, and jobs that have ended cannot
    /// make room.
    pub min_free_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_job_bytes: 4 << 30, max_bytes: None, min_free_bytes: 512 << 20 }
    }
}

/// How long finished jobs stay for a reprint. A job goes when either bound is passed.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// This many at most.
    pub jobs: usize,
    /// This long at most, in ms.
    pub age_ms: u64,
}

/// An open spool. Cheap to clone; closed when the last clone is gone.
#[derive(Clone)]
pub struct Spool {
    inner: Arc<Inner>,
    threads: Arc<Threads>,
}

/// In the order in which they end: what the first has written the second makes durable.
struct Threads {
    small: Served<Small>,
    disk: Served<Request>,
}

impl Spool {
    /// Opens the spool in `path` (making it where it is missing), recovers what is there, and says what it found.
    pub fn open(path: &Path, options: Options) -> Result<(Self, Report)> {
        let store =
            DiskStore::open(path).map_err(Error::disk("opening", path.to_string_lossy()))?;
        Self::open_on(Arc::new(store), options)
    }

    /// Opens the spool on a store of the caller's.
    pub fn open_on(store: Arc<dyn Store>, options: Options) -> Result<(Self, Report)> {
        let recovered = recover::recover(&*store)?;
        let (disk, requests) = bounded(DISK_QUEUE);
        let (small, documents) = bounded(WRITERS.saturating_add(1));
        let inner = Arc::new(Inner {
            store,
            options: Mutex::new(options),
            table: Mutex::new(recovered.table),
            journal: recovered.journal,
            requests: disk.clone(),
            small: small.clone(),
            soon: Soon::default(),
            poison: Mutex::new(None),
            listener: OnceLock::new(),
            writers: AtomicUsize::new(0),
            making_room: Mutex::new(()),
            compacting: Mutex::new(()),
            pace: Pace::default(),
            _lock: recovered.lock,
        });
        let syncing = Disk::new(inner.clone(), requests);
        let threads = Threads {
            small: Served::start("spool-small", small, || Small::Stop, move || serve(&documents))?,
            disk: Served::start("spool-disk", disk, || Request::Stop, move || syncing.run())?,
        };
        Ok((Self { inner, threads: Arc::new(threads) }, recovered.report))
    }

    /// Has `listener` hear of every committed document when it is durable: of all that one sync has served at once, on the disk
    /// thread, and before any of their submitters. Only the first listener is kept.
    pub fn on_durable(&self, listener: Listener) {
        let _ = self.inner.listener.set(listener);
    }

    /// Replaces the settings (a reload of the configuration).
    pub fn set_options(&self, options: Options) {
        *locked(&self.inner.options) = options;
    }

    /// Begins a document. `expected_bytes`, where the submitter said it, reserves the space now, so that a full disk
    /// shows before the first byte.
    pub fn begin(&self, ticket: Ticket, expected_bytes: Option<u64>) -> Result<Writer> {
        ticket.check()?;
        self.inner.begin(ticket, expected_bytes)
    }

    /// Records a job whose bytes go past the spool. It is lost with the process, and recorded as aborted then.
    pub fn begin_direct(&self, ticket: Ticket) -> Result<JobId> {
        ticket.check()?;
        self.inner.check_poison()?;
        let id = self.inner.next_id()?;
        let record = Record::Announced { id, direct: true, ticket: Box::new(ticket) };
        self.inner.enter(record, Room::NewWork, |_| ())?;
        Ok(id)
    }

    /// Changes a job's life. In memory and with the kernel when this returns; `then`, if given, is called when it is
    /// durable (or cannot be made so).
    pub fn update(&self, id: JobId, change: Change, then: Option<Then>) -> Result<Arc<Shadow>> {
        let shadow = self.inner.update(id, change)?;
        if let Some(then) = then {
            self.inner.disk(Request::Sync { committed: None, then: Some(then) });
        }
        Ok(shadow)
    }

    /// Makes durable what was appended so far, and calls `then`.
    pub fn sync(&self, then: Then) {
        self.inner.disk(Request::Sync { committed: None, then: Some(then) });
    }

    /// The same, asked for within [`crate::limits::SOON`], without anybody waiting for it. A sync that comes sooner serves.
    pub fn sync_soon(&self) {
        if self.inner.soon.want() {
            self.inner.disk(Request::Soon);
        }
    }

    /// A job as it stands now.
    pub fn job(&self, id: JobId) -> Result<Arc<Shadow>> {
        locked(&self.inner.table).job(id).ok_or(Error::NoSuchJob { id })
    }

    /// All jobs as they stand now, by id.
    pub fn jobs(&self) -> Vec<Arc<Shadow>> {
        locked(&self.inner.table).all().collect()
    }

    /// Of the jobs that have not ended, the first `limit` that are wanted: what is being played, what goes on in its middle,
    /// then by priority and number. Looks at no more of them than it must.
    pub fn live_jobs(&self, limit: usize, wanted: impl Fn(&Shadow) -> bool) -> Vec<Arc<Shadow>> {
        locked(&self.inner.table).live().filter(|job| wanted(job)).take(limit).collect()
    }

    /// Of the jobs that have ended, the last `limit` that are wanted, the very last first.
    pub fn ended_jobs(&self, limit: usize, wanted: impl Fn(&Shadow) -> bool) -> Vec<Arc<Shadow>> {
        locked(&self.inner.table).over().filter(|job| wanted(job)).take(limit).collect()
    }

    /// When the clock releases the next job that waits for it, in ms since 1970.
    pub fn next_due_ms(&self) -> Option<u64> {
        locked(&self.inner.table).timed().next().map(|(due_ms, _)| due_ms)
    }

    /// Jobs that have waited for the clock for long enough, by when they were due.
    pub fn due_jobs(&self, now_ms: u64) -> Vec<Arc<Shadow>> {
        let table = locked(&self.inner.table);
        let due = table.timed().take_while(|(due_ms, _)| *due_ms <= now_ms);
        due.filter_map(|(_, id)| table.job(id)).collect()
    }

    /// The document of a job, whole or growing.
    pub fn document(&self, id: JobId) -> Result<Document> {
        self.inner.document(id)
    }

    /// The place to note how far a job has been played. The job must be processing.
    pub fn progress(&self, id: JobId) -> Result<Progress> {
        let mut table = locked(&self.inner.table);
        let shadow = table.job(id).ok_or(Error::NoSuchJob { id })?;
        let cell = table.playing.entry(id).or_insert_with(|| Cell::new(shadow.played)).clone();
        Ok(Progress { spool: Arc::downgrade(&self.inner), id, cell })
    }

    /// Forgets a job that has ended, with its document.
    pub fn remove(&self, id: JobId) -> Result<()> {
        self.inner.remove(id)
    }

    /// Forgets the jobs that retention gives up; which.
    pub fn expire(&self, retention: Retention, now_ms: u64) -> Vec<JobId> {
        let expired: Vec<JobId> = {
            let table = locked(&self.inner.table);
            let surplus = table.ended().len().saturating_sub(retention.jobs);
            let old = |ended_ms: u64| ended_ms.saturating_add(retention.age_ms) < now_ms;
            let ended = table.ended().iter().enumerate();
            ended
                .take_while(|(n, (ended_ms, _))| *n < surplus || old(*ended_ms))
                .map(|(_, (_, id))| *id)
                .collect()
        };
        expired.into_iter().filter(|id| self.inner.remove(*id).is_ok()).collect()
    }

    /// Why no new work is accepted, if so.
    pub fn poisoned(&self) -> Option<Error> {
        self.inner.check_poison().err()
    }

    /// Free bytes on the spool's disk.
    pub fn free_bytes(&self) -> u64 {
        self.inner.free_bytes()
    }

    /// How many jobs there are, and how many bytes their documents have.
    pub fn usage(&self) -> (usize, u64) {
        let table = locked(&self.inner.table);
        (table.len(), table.document_bytes())
    }

    /// Writes the journal anew with only what is alive. Done by itself when it pays.
    pub fn compact(&self) -> Result<()> {
        self.inner.compact()
    }

    /// Syncs and stops the threads. Later requests are answered with [`Error::Closed`].
    pub fn close(&self) {
        self.threads.small.stop();
        self.threads.disk.stop();
    }
}

/// The time, in ms since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
