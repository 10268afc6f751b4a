//! What can wait until the next job's bytes are on their way: news of jobs, the log, preparing.
//!
//! ```text
//!   Ended ──► processor ──► provider ──► processor ──► language ──► port: the next job
//!                              └──────── the others' turns ────────────► afterwards
//! ```
//!
//! The parts of the road take turns on one thread. Between the end of one job and the beginning of the next there are only
//! those that it takes. In a burst of jobs, news and log lines of several go out together.
//!
//! The invariant: news of jobs are told in the order in which they came about.

use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use despool_spool::{Shadow, State};

use super::LocalPrintProvider;
use crate::limits::NEWS_PACE;

/// News of jobs that are yet to be told.
#[derive(Default)]
pub(super) struct Untold {
    jobs: Vec<Arc<Shadow>>,
    /// They will be.
    due: bool,
    /// When some were last.
    told: Option<Instant>,
}

impl LocalPrintProvider {
    /// Does `then` when the other parts of the road have had their turns.
    pub(super) fn afterwards(
        &self,
        ctx: &mut Context<Self>,
        then: impl FnOnce(&mut Self, &mut Context<Self>) + 'static,
    ) {
        let turns = tokio::task::yield_now().into_actor(self);
        ctx.spawn(turns.map(|(), this, ctx| then(this, ctx)));
    }

    /// Tells of a job afterwards; after [`NEWS_PACE`] where some were told just now; or with other news of a job.
    pub(super) fn tell_job_afterwards(&mut self, shadow: Arc<Shadow>, ctx: &mut Context<Self>) {
        self.untold.jobs.push(shadow);
        if std::mem::replace(&mut self.untold.due, true) {
            return;
        }
        let tell = |this: &mut Self| {
            this.tell_untold();
            (this.untold.due, this.untold.told) = (false, Some(Instant::now()));
        };
        if self.untold.told.is_some_and(|told| told.elapsed() < NEWS_PACE) {
            ctx.run_later(NEWS_PACE, move |this, _| tell(this));
        } else {
            self.afterwards(ctx, move |this, _| tell(this));
        }
    }

    /// Tells of a job.
    pub(super) fn tell_job(&mut self, shadow: Arc<Shadow>) {
        self.tell_untold();
        self.tell_job_now(shadow);
    }

    /// Tells what was put off.
    pub(super) fn tell_untold(&mut self) {
        for shadow in std::mem::take(&mut self.untold.jobs) {
            if let State::Completed { .. } = shadow.state {
                let (ticket, bytes) = (&shadow.ticket, shadow.played.accepted);
                tracing::info!(job = %shadow.id, printer = %ticket.printer, user = %ticket.user, bytes, "printed");
            }
            self.tell_job_now(shadow);
        }
    }
}
