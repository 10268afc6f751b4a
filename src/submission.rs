//! A document on its way in: what a front end holds between `StartDocPrinter` and the end.
//!
//! ```text
//!   StartDocPrinter ──► Submission ── append* ──► finish ──► accepted: durable (spooled), or printed (direct)
//!                            └──────── abort, or drop: nothing is left
//! ```
//!
//! The bytes go straight into the spool file (on a thread where blocking is allowed), not through a mailbox. A short piece
//! that nobody can follow yet waits for the next or for the end, so that a small job goes to that thread once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use despool_spool::{JobId, Writer};
use tokio::sync::oneshot;

use crate::direct::Pipe;
use crate::error::{Error, Result};
use crate::limits::LATE_BYTES;
use crate::provider::{AbortDocPrinter, EndDocPrinter, LocalPrintProvider, SUBMISSION_INTERRUPTED};
use crate::supervise::Live;

/// A document that is being received.
pub struct Submission {
    job: JobId,
    way: Way,
}

enum Way {
    /// Into the spool. The writer is `None` while an append is under way, and after one was broken off. `late` came last,
    /// and goes to the disk together with what comes next.
    Spooled { writer: Option<Writer>, late: Bytes, end: SpooledEnd },
    /// Past the spool, to the device. The end of the job is awaited.
    Direct { pipe: DirectEnd, ended: oneshot::Receiver<Result<()>> },
}

/// Lets the provider know that the document is over, however it ended. Dropped after the writer, which records that.
struct SpooledEnd {
    job: JobId,
    provider: Live<LocalPrintProvider>,
    told: Arc<AtomicBool>,
}

impl SpooledEnd {
    /// Waits until the provider knows.
    async fn tell(self) {
        self.told.store(true, Ordering::Release);
        // A provider made anew finds the job by itself.
        let _ = self.provider.ask(EndDocPrinter { jobs: vec![self.job] }).await;
    }

    /// For the end of a commit, on whatever thread. The spool has told the provider of a durable job before: what the sender
    /// asks next, it asks behind that.
    fn once_durable(
        &self,
        to: oneshot::Sender<Result<()>>,
    ) -> impl FnOnce(despool_spool::Result<()>) + Send + 'static {
        let told = self.told.clone();
        move |done| {
            told.fetch_or(done.is_ok(), Ordering::AcqRel);
            // The sender may be gone.
            let _ = to.send(done.map_err(Error::from));
        }
    }
}

impl Drop for SpooledEnd {
    fn drop(&mut self) {
        if !self.told.swap(true, Ordering::AcqRel) {
            self.provider.tell(EndDocPrinter { jobs: vec![self.job] });
        }
    }
}

/// Breaks the pipe off when it is dropped before its end, and lets the provider know: the job may be waiting for its device.
struct DirectEnd {
    job: JobId,
    pipe: Pipe,
    provider: Live<LocalPrintProvider>,
    /// Why it is over; `None` where it ended as it should.
    broken: Option<Arc<str>>,
}

impl Drop for DirectEnd {
    fn drop(&mut self) {
        self.pipe.break_off();
        if let Some(why) = self.broken.take() {
            self.provider.tell(AbortDocPrinter { job: self.job, why });
        }
    }
}

impl Submission {
    pub(crate) fn spooled(writer: Writer, provider: Live<LocalPrintProvider>) -> Self {
        let job = writer.job();
        let end = SpooledEnd { job, provider, told: Arc::default() };
        Self { job, way: Way::Spooled { writer: Some(writer), late: Bytes::new(), end } }
    }

    pub(crate) fn direct(
        job: JobId,
        pipe: Pipe,
        ended: oneshot::Receiver<Result<()>>,
        provider: Live<LocalPrintProvider>,
    ) -> Self {
        let broken = Some("its sender gave it up".into());
        let pipe = DirectEnd { job, pipe, provider, broken };
        Self { job, way: Way::Direct { pipe, ended } }
    }

    /// The job's number.
    pub fn job(&self) -> JobId {
        self.job
    }

    /// Takes bytes. After an error only [`Self::abort`] makes sense.
    pub async fn append(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let job = self.job;
        match &mut self.way {
            Way::Direct { pipe, .. } => {
                if pipe.pipe.push(bytes).await {
                    Ok(())
                } else {
                    Err(Error::Canceled { id: job })
                }
            }
            Way::Spooled { writer, late, .. } => {
                let mut taken = writer.take().ok_or_else(|| broken_off(job))?;
                if late.is_empty() && bytes.len() <= LATE_BYTES && !taken.is_announced() {
                    (*late, *writer) = (bytes, Some(taken));
                    return Ok(());
                }
                let first = std::mem::take(late);
                let appended = blocking(move || {
                    let appended = taken.append(&first).and_then(|()| taken.append(&bytes));
                    (taken, appended)
                });
                let (back, appended) = appended.await?;
                *writer = Some(back);
                Ok(appended?)
            }
        }
    }

    /// Says that the document is whole. Returns when the job is accepted: durable, or (direct) printed.
    pub async fn finish(self) -> Result<JobId> {
        let job = self.job;
        match self.way {
            Way::Direct { mut pipe, ended } => {
                pipe.pipe.finish();
                let ended = ended.await;
                // Whoever ended it has told everybody.
                pipe.broken = None;
                ended.map_err(|_| Error::Restarting)??;
            }
            Way::Spooled { writer, late, end } => {
                let mut writer = writer.ok_or_else(|| broken_off(job))?;
                let (to, tell) = oneshot::channel();
                let then = end.once_durable(to);
                if writer.is_small_with(late.len()) {
                    writer.commit_small(late, then);
                } else {
                    blocking(move || writer.append(&late).map(|()| writer.commit(then))).await??;
                }
                tell.await.map_err(|_| Error::Stopping)??;
            }
        }
        Ok(job)
    }

    /// Says that what came is all there will be, though the sender did not say so: it is kept, and waits for a person. A
    /// job that is on its way to the device already cannot wait; it is given up.
    pub async fn finish_held(mut self, why: &str) -> Result<JobId> {
        let job = self.job;
        let held = match &mut self.way {
            Way::Spooled { writer: Some(writer), .. } => writer.hold((SUBMISSION_INTERRUPTED, why)),
            _ => false,
        };
        if held {
            return self.finish().await;
        }
        self.abort(why).await;
        Err(broken_off(job))
    }

    /// Gives the document up.
    pub async fn abort(self, why: &str) {
        let why: Arc<str> = why.into();
        match self.way {
            Way::Direct { mut pipe, .. } => pipe.broken = Some(why),
            Way::Spooled { writer: None, .. } => {}
            Way::Spooled { writer: Some(writer), end, .. } => {
                let _ = blocking(move || writer.abort(&why)).await;
                end.tell().await;
            }
        }
    }
}

fn broken_off(job: JobId) -> Error {
    Error::BrokenOff { why: format!("job {job} was given up") }
}

/// Runs what touches the disk where it may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Restarting)
}
