//! How a printer is asked that must be asked: what `escpos` and `zpl` have in common.
//!
//! | | between jobs | in the middle of a job |
//! | --- | --- | --- |
//! | a question | is said | is put in where that is harmless ([`Action::Ask`]), as far as `status_queries` lets it |
//! | the next | after the language's own pace | after [`STATUS_PACE_JOB`]; `when-stalled`: only while the printer takes nothing |
//! | silence | means that nothing is known | means nothing |
//!
//! Where each job is a connection of its own, it is asked at the beginning of each and never between them.
//!
//! The invariant: a status is told when it differs from the one before, and only then.

use std::time::{Duration, Instant};

use bytes::Bytes;
use despool_spool::JobId;

use super::questions::{Due, Questions};
use super::{Action, Boundaries, DeviceNote, Finding, JobNote, Status};
use crate::config::StatusQueries;
use crate::limits::STATUS_PACE_JOB;

/// See the module.
#[derive(Debug)]
pub(super) struct Asking {
    queries: StatusQueries,
    job_is_connection: bool,
    questions: Questions,
    /// The job on its way.
    job: Option<JobId>,
    stalled: bool,
    told: Status,
}

/// What follows from a stall, or from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    Ask,
    Rest,
}

impl Asking {
    pub(super) fn new(queries: StatusQueries) -> Self {
        Self {
            queries,
            job_is_connection: false,
            questions: Questions::default(),
            job: None,
            stalled: false,
            told: Status::default(),
        }
    }

    /// The device is there; true where it can be spoken to now.
    pub(super) fn present(&mut self, device: &DeviceNote) -> bool {
        self.job_is_connection = device.job_is_connection;
        self.is_free()
    }

    /// The device went away: a new one, to which the same is sent.
    pub(super) fn absent(&self) -> Self {
        let Self { queries, job_is_connection, job, .. } = *self;
        Self { job_is_connection, job, ..Self::new(queries) }
    }

    /// It is spoken to between jobs, and no job is on its way.
    pub(super) fn is_free(&self) -> bool {
        self.job.is_none() && !self.job_is_connection
    }

    pub(super) fn in_job(&self) -> bool {
        self.job.is_some()
    }

    /// What was told last.
    pub(super) fn told(&self) -> &Status {
        &self.told
    }

    /// A document begins; true where it is a connection whose first bytes are ours.
    pub(super) fn begin(&mut self, job: &JobNote) -> bool {
        (self.job, self.stalled) = (Some(job.job), false);
        self.job_is_connection && job.from == 0
    }

    /// The document is over: which one, unless nothing can be said of it any more.
    pub(super) fn over(&mut self) -> Option<JobId> {
        self.stalled = false;
        let job = self.job.take();
        if self.job_is_connection {
            self.questions.stop();
            return None;
        }
        job
    }

    /// Asks.
    pub(super) fn ask(&mut self, question: &'static [u8], now: Instant, out: &mut Vec<Action>) {
        out.push(match self.job {
            Some(_) => Action::Ask(Bytes::from_static(question)),
            None => Action::say(question),
        });
        self.wait(now);
    }

    /// An answer is on its way.
    pub(super) fn wait(&mut self, now: Instant) {
        match self.job {
            Some(_) => self.questions.asked_in_job(now),
            None => self.questions.asked(now),
        }
    }

    /// It lives.
    pub(super) fn answered(&mut self) {
        self.questions.answered();
    }

    /// When to ask next; `pace`: between jobs.
    pub(super) fn rest(&mut self, now: Instant, pace: Duration) {
        let pace = match (self.job, self.queries) {
            (None, _) => pace,
            (_, StatusQueries::WhilePrinting) => STATUS_PACE_JOB,
            (_, StatusQueries::WhenStalled) if self.stalled => STATUS_PACE_JOB,
            (_, StatusQueries::WhenStalled | StatusQueries::BetweenJobs) => {
                return self.questions.stop();
            }
        };
        self.questions.rest(now, pace);
    }

    /// The device takes nothing, or takes again.
    pub(super) fn stalled(&mut self, stalled: bool) -> Next {
        self.stalled = stalled;
        match stalled {
            _ if self.job.is_none() || self.queries == StatusQueries::BetweenJobs => Next::Nothing,
            true => Next::Ask,
            false => Next::Rest,
        }
    }

    pub(super) fn tell(&mut self, status: Status, out: &mut Vec<Action>) {
        if self.told != status {
            self.told.clone_from(&status);
            out.push(Action::Found(Finding::Status(status)));
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.questions.due()
    }

    pub(super) fn tick(&mut self, now: Instant) -> Due {
        match self.questions.tick(now) {
            Due::Ask if self.job_is_connection && self.job.is_none() => {
                self.questions.stop();
                Due::Nothing
            }
            due => due,
        }
    }

    /// How documents are read, where that is wanted.
    pub(super) fn boundaries<B: Boundaries + Default + 'static>(
        &self,
    ) -> Option<Box<dyn Boundaries>> {
        (self.queries != StatusQueries::BetweenJobs)
            .then(|| Box::<B>::default() as Box<dyn Boundaries>)
    }
}
