//! Preparing jobs: the record that a job may be on paper is durable before its first byte is offered.
//!
//! ```text
//!   queue ──► wanted ──► preparing ── one sync for all of them ──► ready ──► played
//! ```
//!
//! While one job is played the next is prepared, so that the port does not lie idle between them. Where jobs are played
//! fast, more are: as many as are played during four syncs or [`PREPARED_TIME`], and again when half of those are gone
//! (during one sync that is under way, and the next). Not more than that, for every one that was prepared waits for a
//! person after a loss of power.
//!
//! The invariant: at most [`PREPARED_JOBS`] of the front of the queue are prepared ahead.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use despool_spool::{Change, JobId};

use super::LocalPrintProvider;
use crate::limits::{PREPARED_JOBS, PREPARED_TIME};

/// Which jobs of a printer are prepared, and how fast that goes beside playing them.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    ready: BTreeSet<JobId>,
    /// Those whose records are on the way to the disk, and since when.
    preparing: Option<(Instant, Vec<JobId>)>,
    sync: Duration,
    /// How long the last job was played.
    play: Option<Duration>,
}

impl Prepared {
    /// True where the job may be played.
    pub(super) fn is_ready(&self, job: JobId) -> bool {
        self.ready.contains(&job)
    }

    /// True while records are on the way to the disk.
    pub(super) fn is_under_way(&self) -> bool {
        self.preparing.is_some()
    }

    /// The job is played, or leaves the queue.
    pub(super) fn remove(&mut self, job: JobId) {
        self.ready.remove(&job);
    }

    /// Takes in how long the last job was played.
    pub(super) fn played(&mut self, took: Duration) {
        self.play = Some(took);
    }

    /// How many of the front of the queue are to be prepared.
    fn ahead(&self) -> usize {
        let Some(play) = self.play else { return 1 };
        let time = self.sync.saturating_mul(4).max(PREPARED_TIME);
        let during = time.as_nanos().div_ceil(play.as_nanos().max(1));
        usize::try_from(during).unwrap_or(usize::MAX).clamp(1, PREPARED_JOBS)
    }

    /// Those of the front of the queue that are not prepared yet, once half of them are not: so the disk syncs for several
    /// at a time.
    fn wanted(&self, queue: impl Iterator<Item = JobId>) -> Vec<JobId> {
        let ahead = self.ahead();
        let front: Vec<JobId> = queue.take(ahead).collect();
        let ready = front.iter().take_while(|job| self.ready.contains(job)).count();
        let enough = ready > ahead / 2;
        front.into_iter().filter(|job| !enough && !self.ready.contains(job)).collect()
    }

    fn begin(&mut self, jobs: Vec<JobId>, now: Instant) {
        self.preparing = Some((now, jobs));
    }

    /// The records of these jobs are durable. Jobs that have left the queue meanwhile are forgotten.
    fn end(&mut self, now: Instant, jobs: &[JobId], is_queued: impl Fn(JobId) -> bool) {
        self.ready.extend(jobs.iter().filter(|job| is_queued(**job)));
        // Those of a printer that was taken off the road and put back may not be ours.
        if let Some((begun, _)) = self.preparing.take_if(|(_, preparing)| preparing == jobs) {
            self.sync = now.saturating_duration_since(begun);
        }
    }
}

/// The records are durable.
#[derive(Message)]
#[rtype(result = "()")]
struct Durable {
    printer: Arc<str>,
    jobs: Vec<JobId>,
}

/// What preparing came to.
pub(super) enum Preparing {
    /// Records are on the way to the disk.
    UnderWay,
    /// There is nothing to prepare.
    Nothing,
}

impl LocalPrintProvider {
    /// Prepares the jobs that come next, unless some are on the way to the disk already. A document that is still being
    /// received is not prepared: nobody was promised anything yet. A job that is not pending any more leaves the queue.
    ///
    /// Errors: the disk takes no record of the next job now. It may later.
    pub(super) fn prepare(
        &mut self,
        printer: &str,
        ctx: &mut Context<Self>,
    ) -> despool_spool::Result<Preparing> {
        let spool = self.road.spool.clone();
        let Some(entry) = self.entry_mut(printer) else { return Ok(Preparing::Nothing) };
        if entry.prepared.is_under_way() {
            return Ok(Preparing::UnderWay);
        }
        let mut recorded = Vec::new();
        for job in entry.prepared.wanted(entry.queue.iter()) {
            if spool.job(job).is_ok_and(|shadow| !shadow.has_document()) {
                continue;
            }
            match spool.update(job, Change::Prepare, None) {
                Ok(_) => recorded.push(job),
                Err(error) if error.is_disk() && recorded.is_empty() => return Err(error),
                Err(error) if error.is_disk() => break,
                Err(error) => {
                    tracing::error!(%job, %error, "the job cannot be prepared");
                    entry.queue.remove(job);
                }
            }
        }
        if recorded.is_empty() {
            return Ok(Preparing::Nothing);
        }
        entry.prepared.begin(recorded.clone(), Instant::now());
        let (printer, to) = (entry.config.name.clone(), ctx.address().recipient());
        // A disk that failed has been reported; what is on it can still be printed.
        spool.sync(Box::new(move |_| to.do_send(Durable { printer, jobs: recorded })));
        Ok(Preparing::UnderWay)
    }

    /// Prepares what comes next while a job is being played. What is not prepared now is when it is its turn.
    pub(super) fn prepare_ahead(&mut self, printer: &str, ctx: &mut Context<Self>) {
        if let Err(error) = self.prepare(printer, ctx) {
            tracing::warn!(printer, %error, "the next job cannot be prepared");
        }
    }
}

impl Handler<Durable> for LocalPrintProvider {
    type Result = ();

    fn handle(&mut self, Durable { printer, jobs }: Durable, ctx: &mut Self::Context) {
        let Some(entry) = self.entry_mut(&printer) else { return };
        let queue = &entry.queue;
        entry.prepared.end(Instant::now(), &jobs, |job| queue.contains(job));
        self.schedule(&printer, ctx);
        if self.entry(&printer).is_ok_and(|entry| entry.current.is_some()) {
            self.prepare_ahead(&printer, ctx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(numbers: std::ops::Range<u32>) -> Vec<JobId> {
        numbers.filter_map(JobId::new).collect()
    }

    fn after(sync_us: u64, play_us: u64) -> Prepared {
        let mut prepared = Prepared::default();
        let begun = Instant::now();
        prepared.begin(Vec::new(), begun);
        prepared.end(begun + Duration::from_micros(sync_us), &[], |_| true);
        prepared.played(Duration::from_micros(play_us));
        prepared
    }

    #[test]
    fn as_many_as_are_played_during_four_syncs_or_a_short_time() {
        for (sync_us, play_us, ahead) in
            [(500, 1_000_000, 1), (500, 5000, 2), (500, 800, 10), (5000, 4000, 5), (5000, 2000, 10)]
        {
            assert_eq!(after(sync_us, play_us).ahead(), ahead, "{sync_us} {play_us}");
        }
        assert_eq!(after(0, 0).ahead(), PREPARED_JOBS);
        assert_eq!(Prepared::default().ahead(), 1, "nobody knows how long they take");
    }

    #[test]
    fn more_when_half_are_gone_and_whatever_comes_first() {
        let mut prepared = after(5000, 5000);
        let prepare = |prepared: &mut Prepared, range| {
            prepared.begin(jobs(range), Instant::now());
            let (begun, preparing) = prepared.preparing.clone().unwrap();
            prepared.end(begun + Duration::from_micros(5000), &preparing, |_| true);
        };
        assert_eq!(prepared.wanted(jobs(1..9).into_iter()), jobs(1..5));
        prepare(&mut prepared, 1..5);
        prepared.remove(jobs(1..2)[0]);
        assert_eq!(prepared.wanted(jobs(2..9).into_iter()), []);
        let urgent = jobs(20..21).into_iter().chain(jobs(2..9));
        assert_eq!(prepared.wanted(urgent), jobs(20..21), "it is not ready: it cannot wait");
        prepared.remove(jobs(2..3)[0]);
        assert_eq!(prepared.wanted(jobs(3..9).into_iter()), jobs(5..7));
    }

    #[test]
    fn the_front_of_the_queue_once_each() {
        let mut prepared = after(3000, 4000);
        assert_eq!(prepared.wanted(jobs(1..9).into_iter()), jobs(1..4));
        prepared.begin(jobs(1..4), Instant::now());
        assert!(prepared.is_under_way());
        let done = Instant::now() + Duration::from_micros(3000);
        prepared.end(done, &jobs(5..6), |_| true);
        assert!(prepared.is_under_way(), "others are durable");
        prepared.remove(jobs(5..6)[0]);
        prepared.end(done, &jobs(1..4), |job| job.number() != 2);
        assert!(!prepared.is_under_way());
        assert!(prepared.is_ready(jobs(1..2)[0]) && !prepared.is_ready(jobs(2..3)[0]));
        prepared.remove(jobs(1..2)[0]);
        assert!(!prepared.is_ready(jobs(1..2)[0]));
        let next = prepared.wanted(jobs(3..9).into_iter());
        assert!(next.starts_with(&jobs(4..5)) && !next.contains(&jobs(3..4)[0]));
    }
}
