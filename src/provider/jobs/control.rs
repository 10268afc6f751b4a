//! What people do to jobs: cancel, hold, release, print again, move, prioritize, and say what becomes of one that was cut off.
//!
//! Each is one change in the spool, and is answered when the change is durable.

use std::future::ready;
use std::sync::Arc;

use actix::prelude::*;
use despool_spool::{
    Change, Deed, Error as SpoolError, Hold, JobId, Recovery, Shadow, State, Ticket,
};
use tokio::sync::oneshot;

use crate::config::Start;
use crate::error::{Error, Result};
use crate::provider::entry::{Entry, Stop};
use crate::provider::messages::{ControlJob, JobControl};
use crate::provider::{LocalPrintProvider, now_ms};

impl LocalPrintProvider {
    fn control(&mut self, id: JobId, what: JobControl, ctx: &mut Context<Self>) -> Result<Durable> {
        let shadow = self.road.spool.job(id)?;
        match what {
            JobControl::Cancel { why } => self.cancel(&shadow, why, ctx),
            JobControl::Hold(hold) => {
                self.hold(&shadow, hold, ctx).map_err(|error| not_to_be("held", error))
            }
            JobControl::Release => self.release(&shadow, ctx),
            JobControl::Reprint if is_held_after_crash(&shadow) => {
                self.resolve(&shadow, Deed::Restarted, ctx)
            }
            JobControl::Reprint => self.reprint(&shadow, ctx),
            JobControl::Move { printer } => {
                self.move_to(&shadow, &printer, ctx).map_err(|error| not_to_be("moved", error))
            }
            JobControl::Prioritize(priority) => self.prioritize(&shadow, priority),
            JobControl::Resolve(deed) => self.resolve(&shadow, deed, ctx),
        }
    }

    /// Records a change, durably, and tells of it.
    fn change(&mut self, id: JobId, change: Change) -> Result<(Arc<Shadow>, Durable)> {
        let (told, durable) = oneshot::channel();
        let then = Box::new(move |done| drop(told.send(done)));
        let shadow = self.road.spool.update(id, change, Some(then))?;
        Ok((shadow, Durable(durable)))
    }

    fn cancel(&mut self, shadow: &Shadow, why: String, ctx: &mut Context<Self>) -> Result<Durable> {
        let (shadow, durable) =
            self.change(shadow.id, Change::Cancel { at_ms: now_ms(), why: why.into() })?;
        self.dequeue(&shadow);
        self.ended_early(&shadow, Error::Canceled { id: shadow.id }, ctx);
        Ok(durable)
    }

    fn hold(&mut self, shadow: &Shadow, hold: Hold, ctx: &mut Context<Self>) -> Result<Durable> {
        if hold == Hold::No {
            return self.release(shadow, ctx);
        }
        let ticket = Ticket { hold, ..Ticket::clone(&shadow.ticket) };
        self.road.spool.update(shadow.id, Change::Edit(ticket.into()), None)?;
        let (shadow, durable) = match &shadow.state {
            State::Held { .. } => (self.road.spool.job(shadow.id)?, self.synced()),
            _ => self.change(shadow.id, Change::Hold { why: "job-hold-until-specified".into() })?,
        };
        self.dequeue(&shadow);
        self.set_alarm(ctx);
        self.tell_job(shadow);
        Ok(durable)
    }

    pub(in crate::provider) fn release(
        &mut self,
        shadow: &Shadow,
        ctx: &mut Context<Self>,
    ) -> Result<Durable> {
        let (shadow, durable) = self.change(shadow.id, Change::Release)?;
        self.enqueue_if_there(&shadow, ctx);
        Ok(durable)
    }

    /// A job whose document is not whole yet is enqueued when it is, unless its printer begins immediately.
    fn enqueue_if_there(&mut self, shadow: &Arc<Shadow>, ctx: &mut Context<Self>) {
        let immediately = self
            .entry(&shadow.ticket.printer)
            .is_ok_and(|entry| entry.config.start == Start::Immediately);
        if shadow.bytes().is_some() || immediately {
            self.enqueue(shadow, ctx);
        }
        self.tell_job(shadow.clone());
    }

    fn reprint(&mut self, shadow: &Shadow, ctx: &mut Context<Self>) -> Result<Durable> {
        let (shadow, durable) = self.change(shadow.id, Change::Reprint)?;
        self.enqueue_if_there(&shadow, ctx);
        Ok(durable)
    }

    /// What a person says of a job that was held after it had been cut off.
    fn resolve(&mut self, shadow: &Shadow, deed: Deed, ctx: &mut Context<Self>) -> Result<Durable> {
        let Some(recovery) = shadow.recovery.as_deref().filter(|_| is_held_after_crash(shadow))
        else {
            let wanted = "continued or begun again: it was not held after a crash";
            return Err(SpoolError::WrongState {
                id: shadow.id,
                state: shadow.state.name(),
                wanted,
            }
            .into());
        };
        let change = Change::Recover(Recovery { deed, at_ms: now_ms(), ..*recovery });
        let (shadow, durable) = self.change(shadow.id, change)?;
        self.enqueue_if_there(&shadow, ctx);
        Ok(durable)
    }

    fn move_to(
        &mut self,
        shadow: &Arc<Shadow>,
        printer: &str,
        ctx: &mut Context<Self>,
    ) -> Result<Durable> {
        let target = self.entry(printer)?;
        if !target.said.accepting {
            return Err(Error::NotAccepting { printer: target.config.name.clone() });
        }
        let printer = target.config.name.clone();
        if self.entry(&shadow.ticket.printer).is_ok_and(|entry| entry.is_current(shadow.id)) {
            self.stop_job(shadow, Stop::Move(printer), ctx);
            return Ok(self.synced());
        }
        if shadow.is_begun() {
            // What another printer has of it is of no use to this one.
            self.dequeue(shadow);
            self.move_stopped(shadow, printer, None, ctx);
            return Ok(self.synced());
        }
        let ticket = Ticket { printer, ..Ticket::clone(&shadow.ticket) };
        let (moved, durable) = self.change(shadow.id, Change::Edit(ticket.into()))?;
        self.dequeue(shadow);
        self.enqueue_if_there(&moved, ctx);
        Ok(durable)
    }

    fn prioritize(&mut self, shadow: &Shadow, priority: u8) -> Result<Durable> {
        let ticket = Ticket { priority, ..Ticket::clone(&shadow.ticket) };
        ticket.check()?;
        let (shadow, durable) = self.change(shadow.id, Change::Edit(ticket.into()))?;
        let waits = |entry: &&mut Entry| entry.queue.contains(shadow.id);
        if let Some(entry) = self.entry_mut(&shadow.ticket.printer).filter(waits) {
            entry.queue.put(shadow.id, priority);
        }
        self.tell_job(shadow);
        Ok(durable)
    }

    /// Waits for everything that was recorded so far.
    fn synced(&self) -> Durable {
        let (told, durable) = oneshot::channel();
        self.road.spool.sync(Box::new(move |done| drop(told.send(done))));
        Durable(durable)
    }
}

/// The spool knows changes of a ticket; people asked for something else.
fn not_to_be(wanted: &'static str, error: Error) -> Error {
    match error {
        Error::Spool(SpoolError::WrongState { id, state, wanted: "changed" }) => {
            SpoolError::WrongState { id, state, wanted }.into()
        }
        error => error,
    }
}

fn is_held_after_crash(shadow: &Shadow) -> bool {
    matches!(&shadow.state, State::Held { why } if &**why == "held-after-crash")
}

/// The promise that a change becomes durable.
pub(in crate::provider) struct Durable(oneshot::Receiver<despool_spool::Result<()>>);

impl Durable {
    async fn wait(self) -> Result<()> {
        match self.0.await {
            Ok(Ok(())) => Ok(()),
            // The change holds as long as this process lives; the disk has been reported by the one who noticed.
            Ok(Err(SpoolError::Poisoned { .. })) => Ok(()),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(Error::Stopping),
        }
    }
}

impl Handler<ControlJob> for LocalPrintProvider {
    type Result = ResponseFuture<Result<()>>;

    fn handle(
        &mut self,
        ControlJob { id, what }: ControlJob,
        ctx: &mut Self::Context,
    ) -> Self::Result {
        match self.control(id, what, ctx) {
            Ok(durable) => Box::pin(durable.wait()),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }
}
