//! The disk thread: one sync for all who wait.
//!
//! Requests queue while a sync is under way; the next sync serves all of them. When several submitters are at work the
//! thread waits a moment (a quarter of what the last sync took) for as many as came the last time, if anybody is writing,
//! so that they stay together instead of splitting into a lone one and the rest.
//!
//! ```text
//!   queue ──► group ──► name the landed documents ──► sync names ──► append their records ──► sync journal ──► answer
//! ```
//!
//! What is to be durable soon waits for somebody else's sync, or [`SOON`]. At the end the ids that are left are given back.
//!
//! The invariant: nobody is answered `Ok` before a sync that began after the request came has succeeded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::JobId;
use crate::error::{Error, Result};
use crate::journal;
use crate::limits::{GROUP_REQUESTS, SOON};
use crate::spool::{Inner, Then};
use crate::writer::Landing;

/// What the disk thread is asked for.
pub(crate) enum Request {
    /// Sync the journal. A commit that turns out not to be durable is taken back.
    Sync { committed: Option<JobId>, then: Option<Then> },
    /// Sync the journal within [`SOON`].
    Soon,
    /// Give a large document its name and its record.
    Land { landing: Box<Landing>, then: Then },
    /// Remove the file of a job whose removal is recorded. Large files take a while, so this is done after the answers;
    /// `then` is called when its place is free.
    Unlink { name: String, then: Option<Then> },
    /// Sync and end.
    Stop,
}

impl Request {
    /// Answers without having done anything.
    pub(crate) fn answer(self, with: Result<()>) {
        match self {
            Self::Sync { then: Some(then), .. }
            | Self::Land { then, .. }
            | Self::Unlink { then: Some(then), .. } => then(with),
            Self::Sync { then: None, .. }
            | Self::Soon
            | Self::Unlink { then: None, .. }
            | Self::Stop => {}
        }
    }
}

/// What is to be durable soon, and whether the disk thread looks at that by itself: while jobs end one after the other
/// nobody has to wake it.
#[derive(Default)]
pub(crate) struct Soon {
    wanted: AtomicBool,
    watched: AtomicBool,
}

impl Soon {
    /// Something is. True where the disk thread has to be told.
    pub(crate) fn want(&self) -> bool {
        self.wanted.store(true, Ordering::SeqCst);
        !self.watched.swap(true, Ordering::SeqCst)
    }

    fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::SeqCst)
    }

    /// A sync begins, which serves all that was wanted before.
    fn serve(&self) {
        self.wanted.store(false, Ordering::SeqCst);
    }

    /// From now on the disk thread has to be told. False where something was wanted in this very moment, and nobody told.
    fn rest(&self) -> bool {
        self.watched.store(false, Ordering::SeqCst);
        !self.is_wanted() || self.watched.swap(true, Ordering::SeqCst)
    }
}

/// What the last group was like.
#[derive(Default)]
struct Group {
    requests: usize,
    took: Duration,
}

/// The thread's own.
pub(crate) struct Disk {
    spool: Arc<Inner>,
    queue: Receiver<Request>,
    last: Group,
    /// When to look whether something is to be durable soon.
    due: Option<Instant>,
    compacting: Option<JoinHandle<()>>,
}

impl Disk {
    pub(crate) fn new(spool: Arc<Inner>, queue: Receiver<Request>) -> Self {
        Self { spool, queue, last: Group::default(), due: None, compacting: None }
    }

    /// Serves the queue until it is told to stop.
    pub(crate) fn run(mut self) {
        while let Some(first) = self.next() {
            let group = self.gather(first);
            let stop = group.iter().any(|request| matches!(request, Request::Stop));
            if stop {
                self.spool.return_ids();
            }
            self.serve(group);
            if stop {
                break;
            }
            self.compact_if_it_pays();
        }
        if let Some(compacting) = self.compacting.take() {
            let _ = compacting.join();
        }
        for left in self.queue.try_iter() {
            left.answer(Err(Error::Closed));
        }
    }

    /// The next request; a sync when one is due. None when nobody can ask any more.
    fn next(&mut self) -> Option<Request> {
        while let Some(due) = self.due {
            match self.queue.recv_deadline(due) {
                Ok(request) => return Some(request),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    let wanted = self.spool.soon.is_wanted();
                    let rests = !wanted && self.spool.soon.rest();
                    self.due = if rests { None } else { Instant::now().checked_add(SOON) };
                    if wanted {
                        return Some(Request::Sync { committed: None, then: None });
                    }
                }
            }
        }
        self.queue.recv().ok()
    }

    /// The requests that one sync will serve.
    fn gather(&self, first: Request) -> Vec<Request> {
        let mut group = vec![first];
        let patience = Instant::now() + self.last.took / 4;
        while group.len() < GROUP_REQUESTS {
            let others = self.spool.writers.load(Ordering::Acquire) > 0;
            let next = if others && group.len() < self.last.requests {
                self.queue.recv_deadline(patience).ok()
            } else {
                self.queue.try_recv().ok()
            };
            match next {
                Some(request) => group.push(request),
                None => break,
            }
        }
        group
    }

    fn serve(&mut self, group: Vec<Request>) {
        let begun = Instant::now();
        let mut waiting: Vec<(Option<JobId>, Option<Then>)> = Vec::new();
        let mut landing = Vec::new();
        let mut unlink = Vec::new();
        for request in group {
            match request {
                Request::Sync { committed, then } => waiting.push((committed, then)),
                Request::Soon => self.due = self.due.or(begun.checked_add(SOON)),
                Request::Land { landing: document, then } => landing.push((document, then)),
                Request::Unlink { name, then } => unlink.push((name, then)),
                Request::Stop => waiting.push((None, None)),
            }
        }
        self.land(landing, &mut waiting);
        if waiting.is_empty() && unlink.is_empty() {
            return;
        }
        self.last.requests = waiting.len();
        let synced = self.sync_journal();
        self.last.took = begun.elapsed();
        self.answer(waiting, &synced);
        self.unlink(unlink, &synced);
    }

    /// Names the documents, syncs the names, writes the records. Who fails is answered here; the others wait for the
    /// sync of the journal.
    fn land(
        &self,
        landing: Vec<(Box<Landing>, Then)>,
        waiting: &mut Vec<(Option<JobId>, Option<Then>)>,
    ) {
        if landing.is_empty() {
            return;
        }
        let mut named = Vec::new();
        for (document, then) in landing {
            match document.name() {
                Ok(()) => named.push((document, then)),
                Err(error) => self.refuse(document.id, then, error),
            }
        }
        let synced = self.spool.store.sync_names();
        let synced =
            synced.map_err(|source| self.spool.poison("syncing", "the spool directory", source));
        for (document, then) in named {
            let id = document.id;
            match synced.clone().and_then(|()| document.enter(&self.spool)) {
                Ok(()) => waiting.push((Some(id), Some(then))),
                Err(error) => self.refuse(id, then, error),
            }
        }
    }

    fn refuse(&self, id: JobId, then: Then, error: Error) {
        self.spool.give_up(id, &error.to_string());
        then(Err(error));
    }

    fn sync_journal(&mut self) -> Result<()> {
        self.spool.soon.serve();
        self.spool.check_poison()?;
        let synced = self.spool.journal.file().sync();
        synced.map_err(|source| self.spool.poison("syncing", journal::NAME, source))
    }

    fn answer(&self, waiting: Vec<(Option<JobId>, Option<Then>)>, synced: &Result<()>) {
        if let (Ok(()), Some(listener)) = (synced, self.spool.listener.get()) {
            let durable: Vec<JobId> = waiting.iter().filter_map(|(job, _)| *job).collect();
            if !durable.is_empty() {
                listener(&durable);
            }
        }
        for (committed, then) in waiting {
            if let (Some(id), Err(error)) = (committed, synced) {
                self.spool.give_up(id, &error.to_string());
            }
            if let Some(then) = then {
                then(synced.clone());
            }
        }
    }

    /// Only after the sync: a power cut must not find the file gone and its removal not recorded.
    fn unlink(&self, names: Vec<(String, Option<Then>)>, synced: &Result<()>) {
        for (name, then) in names {
            if synced.is_ok()
                && let Err(error) = self.spool.store.remove(&name)
            {
                tracing::warn!(%name, %error, "a spool file could not be removed");
            }
            if let Some(then) = then {
                then(synced.clone());
            }
        }
    }

    fn compact_if_it_pays(&mut self) {
        if self.compacting.as_ref().is_some_and(|thread| !thread.is_finished())
            || !self.spool.compaction_pays()
        {
            return;
        }
        let spool = self.spool.clone();
        let work = move || {
            if let Err(error) = spool.compact() {
                tracing::error!(%error, "the journal could not be compacted; it goes on growing");
            }
        };
        self.compacting = std::thread::Builder::new().name("spool-compact".into()).spawn(work).ok();
    }
}
