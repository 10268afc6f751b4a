//! What becomes of a job that was stopped in the middle: by its printer's policy (recovery.rs), or moved.

use std::sync::Arc;

use actix::prelude::*;
use despool_spool::{
    Cause, Change, Deed, JobId, Played as PlayedBytes, Recovery, Shadow, State, Ticket,
};

use super::entry::Leaving;
use super::recovery::{CutOff, Verdicts, keeps_place};
use super::{LocalPrintProvider, now_ms, startup};
use crate::error::Error;

impl LocalPrintProvider {
    /// A job was cut off in the middle: the printer's policy says what becomes of it.
    pub(super) fn cut_off(
        &mut self,
        shadow: &Arc<Shadow>,
        cause: Cause,
        played: Option<PlayedBytes>,
        ctx: &mut Context<Self>,
    ) {
        if shadow.state != State::Processing {
            return;
        }
        let Ok(entry) = self.entry(&shadow.ticket.printer) else { return };
        // On another device it does not stand in the middle of anything.
        let stays = entry.leaving != Some(Leaving::Goes);
        let (policy, keeps) = (entry.config.recover, stays && keeps_place(&entry.config.port));
        if self.road.shared().direct.contains_key(&shadow.id) {
            let error = Error::Port {
                why: "the device went away, and a direct job is not kept".to_owned(),
            };
            if let Ok(shadow) = self.abort(shadow.id, &error) {
                self.ended_early(&shadow, error, ctx);
            }
            return;
        }
        let played = played.unwrap_or(shadow.played);
        let total = match cause {
            Cause::Crash | Cause::Parked => startup::total(&self.road.spool, shadow),
            Cause::PowerLoss | Cause::DeviceGone | Cause::ActorDied => None,
        };
        let cut_off =
            CutOff { cause, played, certain: played.is_certain(), total, keeps_place: keeps };
        let verdict = cut_off.verdict(policy);
        tracing::warn!(job = %shadow.id, printer = %shadow.ticket.printer, ?cause, accepted = played.accepted,
            offered = played.offered, deed = ?verdict.deed, "the job was cut off");
        let change = match verdict.deed {
            Verdicts::Done => Change::Complete { at_ms: now_ms() },
            Verdicts::Recover(deed) => Change::Recover(Recovery {
                cause,
                deed,
                maybe_on_paper: verdict.maybe_on_paper,
                at_ms: now_ms(),
            }),
        };
        self.record_recovery(shadow.id, change, ctx);
    }

    fn record_recovery(&mut self, job: JobId, change: Change, ctx: &mut Context<Self>) {
        match self.road.spool.update(job, change, None) {
            Ok(shadow) => {
                self.road.spool.sync_soon();
                self.enqueue_in_place(&shadow);
                self.tell_job(shadow);
                self.set_alarm(ctx);
            }
            Err(error) => {
                tracing::error!(%job, %error, "what becomes of the job could not be recorded");
            }
        }
    }

    /// Puts a job that was cut off back into the queue; the caller schedules.
    fn enqueue_in_place(&mut self, shadow: &Shadow) {
        if let Some(entry) = self.entry_mut(&shadow.ticket.printer)
            && shadow.state == State::Pending
        {
            entry.queue.enter_again(shadow);
        }
    }

    pub(super) fn move_stopped(
        &mut self,
        shadow: &Arc<Shadow>,
        target: Arc<str>,
        played: Option<PlayedBytes>,
        ctx: &mut Context<Self>,
    ) {
        let maybe_on_paper = played.unwrap_or(shadow.played).offered;
        let recovery = Recovery {
            cause: Cause::Parked,
            deed: Deed::Restarted,
            maybe_on_paper,
            at_ms: now_ms(),
        };
        let ticket = Ticket { printer: target, ..Ticket::clone(&shadow.ticket) };
        let moved = self
            .road
            .spool
            .update(shadow.id, Change::Recover(recovery), None)
            .and_then(|_| self.road.spool.update(shadow.id, Change::Edit(ticket.into()), None));
        match moved {
            Ok(moved) => {
                self.road.spool.sync_soon();
                self.tell_job(moved.clone());
                self.enqueue(&moved, ctx);
            }
            Err(error) => tracing::error!(job = %shadow.id, %error, "the job could not be moved"),
        }
    }
}
