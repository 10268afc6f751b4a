//! Jobs: taking them in, and showing them. What people do to them is in [`control`].

mod control;

use std::sync::Arc;

use actix::prelude::*;
use despool_spool::{Hold, JobId, Shadow, State, Ticket, Writer};
use tokio::sync::oneshot;

use super::entry::Stop;
use super::messages::{AbortDocPrinter, EndDocPrinter, Job, Jobs, StartDocPrinter, Which};
use super::parts::DirectJob;
use super::view::JobView;
use super::{LocalPrintProvider, now_ms};
use crate::config::{Datatype, Start};
use crate::direct::Pipe;
use crate::error::{Error, Result};
use crate::follow::Follower;
use crate::limits::LISTED_JOBS;
use crate::submission::Submission;

impl Handler<StartDocPrinter> for LocalPrintProvider {
    type Result = Result<Submission>;

    fn handle(&mut self, start: StartDocPrinter, ctx: &mut Self::Context) -> Self::Result {
        let StartDocPrinter { mut ticket, expected_bytes, announce, follower } = start;
        if self.parking.is_some() {
            return Err(Error::Stopping);
        }
        let entry = self.entry(&ticket.printer)?;
        if !entry.said.accepting {
            return Err(Error::NotAccepting { printer: entry.config.name.clone() });
        }
        let config = entry.config.clone();
        ticket.printer = config.name.clone();
        ticket.submitted_ms = now_ms();
        ticket.datatype = datatype(&ticket, config.datatype)?.name().into();
        if config.direct {
            return self.start_direct(ticket, follower, ctx);
        }
        let immediately = config.start == Start::Immediately;
        let mut writer = self.road.spool.begin(ticket, expected_bytes)?;
        self.follow(writer.job(), follower);
        if announce || immediately {
            self.announce(&mut writer, immediately, ctx)?;
        }
        Ok(Submission::spooled(writer, self.road.provider.clone()))
    }
}

fn datatype(ticket: &Ticket, default: Datatype) -> Result<Datatype> {
    if ticket.datatype.is_empty() {
        return Ok(default);
    }
    Datatype::named(&ticket.datatype)
        .ok_or_else(|| Error::NoSuchDatatype { name: ticket.datatype.to_string() })
}

impl LocalPrintProvider {
    /// Shows a job before its document is whole, and lets it be played if its printer begins immediately.
    fn announce(&mut self, writer: &mut Writer, play: bool, ctx: &mut Context<Self>) -> Result<()> {
        writer.announce()?;
        let shadow = self.road.spool.job(writer.job())?;
        self.tell_job(shadow.clone());
        if play {
            self.enqueue(&shadow, ctx);
        }
        Ok(())
    }

    /// A document is over.
    fn end_doc(&mut self, job: JobId, ctx: &mut Context<Self>) {
        match self.road.spool.job(job) {
            Ok(shadow) if shadow.state.ended_ms().is_some() => {
                self.dequeue(&shadow);
                self.tell_job(shadow);
            }
            Ok(shadow) => {
                self.tell_job(shadow.clone());
                self.enqueue(&shadow, ctx);
            }
            // It never came to be a job: nobody had heard of it but its sender.
            Err(_) => drop(self.road.shared().followers.remove(&job)),
        }
    }

    fn follow(&self, job: JobId, follower: Option<Follower>) {
        if let Some(follower) = follower {
            self.road.shared().followers.insert(job, follower);
        }
    }

    fn start_direct(
        &mut self,
        ticket: Ticket,
        follower: Option<Follower>,
        ctx: &mut Context<Self>,
    ) -> Result<Submission> {
        if ticket.copies > 1 || ticket.hold != Hold::No {
            return Err(Error::DirectOnce { printer: ticket.printer });
        }
        let id = self.road.spool.begin_direct(ticket)?;
        self.follow(id, follower);
        let (told, ended) = oneshot::channel();
        let pipe = Pipe::default();
        self.road.shared().direct.insert(id, DirectJob { pipe: pipe.clone(), ended: Some(told) });
        let shadow = self.road.spool.job(id)?;
        self.tell_job(shadow.clone());
        self.enqueue(&shadow, ctx);
        Ok(Submission::direct(id, pipe, ended, self.road.provider.clone()))
    }

    /// Puts a job into its printer's queue, if it may be played.
    pub(super) fn enqueue(&mut self, shadow: &Shadow, ctx: &mut Context<Self>) {
        if shadow.state != State::Pending {
            self.set_alarm(ctx);
            return;
        }
        let printer = shadow.ticket.printer.clone();
        if let Some(entry) = self.entry_mut(&printer)
            && !entry.is_current(shadow.id)
        {
            entry.queue.enter(shadow);
            self.schedule(&printer, ctx);
        }
    }

    /// Takes a job out of its printer's queue.
    fn dequeue(&mut self, shadow: &Shadow) {
        if let Some(entry) = self.entry_mut(&shadow.ticket.printer) {
            entry.queue.remove(shadow.id);
            entry.prepared.remove(shadow.id);
        }
    }

    /// A job has ended before its time: the device is told, a direct sender too.
    pub(super) fn ended_early(
        &mut self,
        shadow: &Arc<Shadow>,
        error: Error,
        ctx: &mut Context<Self>,
    ) {
        tracing::info!(job = %shadow.id, printer = %shadow.ticket.printer, why = %error, "not printed");
        self.end_direct(shadow.id, Err(error));
        self.stop_job(shadow, Stop::Over, ctx);
        self.tell_job(shadow.clone());
        self.expire();
    }

    /// Lets the sender of a direct job know how it ended.
    pub(super) fn end_direct(&mut self, id: JobId, how: Result<()>) {
        let direct = self.road.shared().direct.remove(&id);
        if let Some(DirectJob { pipe, ended }) = direct {
            pipe.break_off();
            if let Some(ended) = ended {
                // The sender may be gone.
                let _ = ended.send(how);
            }
        }
    }

    fn list(&self, jobs: &Jobs) -> Result<Vec<JobView>> {
        let printer = jobs.printer.as_deref().map(|name| self.entry(name)).transpose()?;
        let printer = printer.map(|entry| entry.config.name.clone());
        let wanted = |shadow: &Shadow| {
            printer.as_ref().is_none_or(|name| shadow.ticket.printer.eq_ignore_ascii_case(name))
                && jobs.user.as_ref().is_none_or(|user| *user == *shadow.ticket.user)
                && shadow.id.number() >= jobs.first
        };
        let spool = &self.road.spool;
        let limit = jobs.limit.unwrap_or(LISTED_JOBS).min(LISTED_JOBS);
        let mut found = match jobs.which {
            Which::NotCompleted | Which::All => spool.live_jobs(limit, wanted),
            Which::Completed => Vec::new(),
        };
        if jobs.which != Which::NotCompleted {
            found.extend(spool.ended_jobs(limit.saturating_sub(found.len()), wanted));
        }
        Ok(found.into_iter().map(|shadow| self.job_view(shadow)).collect())
    }
}

impl Handler<EndDocPrinter> for LocalPrintProvider {
    type Result = ();

    fn handle(&mut self, EndDocPrinter { jobs }: EndDocPrinter, ctx: &mut Self::Context) {
        jobs.into_iter().for_each(|job| self.end_doc(job, ctx));
    }
}

impl Handler<AbortDocPrinter> for LocalPrintProvider {
    type Result = ();

    fn handle(&mut self, AbortDocPrinter { job, why }: AbortDocPrinter, ctx: &mut Self::Context) {
        let error = Error::BrokenOff { why: why.to_string() };
        // One that has ended already stays as it is.
        if let Ok(shadow) = self.abort(job, &error) {
            self.dequeue(&shadow);
            self.ended_early(&shadow, error, ctx);
        }
    }
}

impl Handler<Jobs> for LocalPrintProvider {
    type Result = Result<Vec<JobView>>;

    fn handle(&mut self, jobs: Jobs, _: &mut Self::Context) -> Self::Result {
        self.list(&jobs)
    }
}

impl Handler<Job> for LocalPrintProvider {
    type Result = Result<JobView>;

    fn handle(&mut self, Job { id }: Job, _: &mut Self::Context) -> Self::Result {
        Ok(self.job_view(self.road.spool.job(id)?))
    }
}
