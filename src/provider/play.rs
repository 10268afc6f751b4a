//! A job being played: how it ends, and how it is stopped.
//!
//! ```text
//!   schedule.rs           Ended
//!   ────────────► Playing ─────────────────────────────────► Completed
//!                   │ │ └─ Lost ──────────────────────┐
//!                   │ └─── Failed ──► Stopping (Over) │
//!                   └── canceled, cut off, moved ──► Stopping ──► stopped.rs ──► queue, or ended
//! ```
//!
//! The invariant: a playing is finished once; what is told of it later is stale, and dropped.

use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use despool_spool::{Cause, Change, JobId, Played as PlayedBytes, Shadow, State};

use super::entry::{Current, Entry, Phase, Stop};
use super::messages::{OpenPrinter, Played};
use super::{LocalPrintProvider, now_ms};
use crate::error::{Error, Result};
use crate::limits::ABORT_WAIT;
use crate::monitor::port::{AbortDoc, DocAborted, How, PortMonitor, Stopped};
use crate::monitor::{Monitor, Outcome, PlayId};
use crate::processor::{Forget, WhatOf};
use crate::supervise::Live;

impl LocalPrintProvider {
    pub(super) fn abort(&mut self, id: JobId, error: &Error) -> Result<Arc<Shadow>> {
        let change = Change::Abort { at_ms: now_ms(), why: error.to_string().into() };
        Ok(self.road.spool.update(id, change, None)?)
    }

    /// Stops a job if it is being played.
    pub(super) fn stop_job(&mut self, shadow: &Shadow, stop: Stop, ctx: &mut Context<Self>) {
        if let Some(entry) = self.entry_mut(&shadow.ticket.printer)
            && entry.is_current(shadow.id)
        {
            let printer = entry.config.name.clone();
            self.stop(&printer, stop, ctx);
        }
    }

    /// Stops what a printer is playing. The port answers at once, also when the device is dead.
    pub(super) fn stop(&mut self, printer: &str, stop: Stop, ctx: &mut Context<Self>) {
        let Some(entry) = self.entry_mut(printer) else { return };
        let Some(current) = &mut entry.current else { return };
        let play = current.play;
        let how = match &stop {
            Stop::Over | Stop::Move(_) => How::Cancel,
            Stop::CutOff(Cause::Parked) => How::Close,
            Stop::CutOff(_) => How::Park,
        };
        current.phase = Phase::Stopping(stop);
        let port = entry.parts.port.clone();
        let printer: Arc<str> = printer.into();
        let abort = async move { abort(&port, play, how).await };
        ctx.spawn(abort.into_actor(self).map(move |aborted, this, ctx| {
            let stopped = aborted.unwrap_or_else(|error| {
                tracing::error!(%printer, %error, "the port did not answer an abort; what was noted last holds");
                None
            });
            this.stopped_playing(&printer, DocAborted { play, how, stopped }, ctx);
        }));
        self.tell_printer_of_play(play);
    }

    fn tell_printer_of_play(&mut self, play: PlayId) {
        let playing = self.printers.values().find(|entry| entry.is_playing(play));
        if let Some(name) = playing.map(|entry| entry.config.name.clone()) {
            self.tell_printer(&name);
        }
    }

    /// The port has stopped.
    fn stopped_playing(&mut self, printer: &str, aborted: DocAborted, ctx: &mut Context<Self>) {
        let played = aborted.stopped.map(|stopped| stopped.played);
        let Some(current) = self.finish(printer, aborted.play) else { return };
        if let Ok(entry) = self.entry(printer) {
            entry.parts.monitor().tell(aborted);
        }
        let stop = match current.phase {
            Phase::Stopping(stop) => stop,
            Phase::Playing => Stop::Over,
        };
        match (stop, self.road.spool.job(current.job)) {
            (_, Err(_)) | (Stop::Over, _) => {}
            (Stop::CutOff(cause), Ok(shadow)) => self.cut_off(&shadow, cause, played, ctx),
            (Stop::Move(target), Ok(shadow)) => self.move_stopped(&shadow, target, played, ctx),
        }
        self.after_play(printer, ctx);
    }

    /// The playing is over: nobody needs to hear of it any more.
    fn finish(&mut self, printer: &str, play: PlayId) -> Option<Current> {
        let entry = self.entry_mut(printer)?;
        let current = entry.current.take_if(|current| current.play == play)?;
        entry.parts.processor.tell(Forget { play });
        let name = entry.config.name.clone();
        self.road.shared().stage.remove(&name);
        Some(current)
    }

    fn after_play(&mut self, printer: &str, ctx: &mut Context<Self>) {
        let port_key = self.entry(printer).map(|entry| entry.parts.port_key.clone()).ok();
        self.schedule(printer, ctx);
        self.expire();
        self.parked_if_idle();
        // Others may have waited for the port.
        let waiting = |entry: &&Entry| {
            Some(&entry.parts.port_key) == port_key.as_ref() && &*entry.config.name != printer
        };
        let waiting: Vec<Arc<str>> =
            self.printers.values().filter(waiting).map(|entry| entry.config.name.clone()).collect();
        for other in waiting {
            self.schedule(&other, ctx);
        }
        self.reload_if_parked(ctx);
    }

    fn ended(&mut self, printer: &str, play: PlayId, ctx: &mut Context<Self>) {
        let Some(current) = self.finish(printer, play) else { return };
        if let Some(entry) = self.entry_mut(printer) {
            entry.prepared.played(current.begun.elapsed());
        }
        let completed =
            self.road.spool.update(current.job, Change::Complete { at_ms: now_ms() }, None);
        match completed {
            Ok(shadow) => {
                self.road.spool.sync_soon();
                self.tell_job_afterwards(shadow, ctx);
                self.end_direct(current.job, Ok(()));
            }
            // It was canceled in the very moment of its end.
            Err(error) => tracing::debug!(job = %current.job, %error, "the job had ended already"),
        }
        self.after_play(printer, ctx);
    }

    /// It cannot go on by our fault or the disk's, or because its sender gave it up.
    fn failed(&mut self, printer: &str, play: PlayId, why: String, ctx: &mut Context<Self>) {
        let Some(current) = self.entry(printer).ok().and_then(|entry| entry.current.clone()) else {
            return;
        };
        if current.play != play {
            return;
        }
        let error = Error::Port { why };
        if let Ok(shadow) = self.abort(current.job, &error) {
            tracing::error!(job = %current.job, printer, %error, "the job was aborted");
            self.end_direct(current.job, Err(error));
            self.tell_job(shadow);
        }
        self.stop(printer, Stop::Over, ctx);
    }

    fn lost(
        &mut self,
        printer: &str,
        play: PlayId,
        cause: Cause,
        played: PlayedBytes,
        ctx: &mut Context<Self>,
    ) {
        let Some(current) = self.finish(printer, play) else { return };
        if let Ok(shadow) = self.road.spool.job(current.job) {
            self.cut_off(&shadow, cause, Some(played), ctx);
        }
        self.after_play(printer, ctx);
    }

    /// A provider made anew finds jobs being played: it goes on with those whose processor still knows them.
    pub(super) fn adopt_playing(&mut self, ctx: &mut Context<Self>) {
        self.tell_followers();
        let stage: Vec<(Arc<str>, (PlayId, JobId))> = self
            .road
            .shared()
            .stage
            .iter()
            .map(|(printer, play)| (printer.clone(), *play))
            .collect();
        for (printer, (play, job)) in stage {
            let is_over = !self.is_processing(job);
            let Some(entry) = self.entry_mut(&printer) else { continue };
            let begun = Instant::now();
            entry.current = Some(Current { play, job, begun, phase: Phase::Playing });
            if is_over {
                // It was canceled in our predecessor's last moment.
                self.stop(&printer, Stop::Over, ctx);
                continue;
            }
            let processor = entry.parts.processor.clone();
            let ask = async move { processor.ask(WhatOf { play }).await };
            ctx.spawn(ask.into_actor(self).map(move |answer, this, ctx| match answer {
                // What it told while nobody listened.
                Ok(Some(Some(outcome))) => this.hear(&printer, play, outcome, ctx),
                Ok(Some(None)) => {}
                Ok(None) | Err(_) => this.stop(&printer, Stop::CutOff(Cause::ActorDied), ctx),
            }));
        }
        self.follow_progress(ctx);
    }

    /// Senders that wait for the end of a job that came in our predecessor's last moment.
    fn tell_followers(&mut self) {
        let followed: Vec<JobId> = self.road.shared().followers.keys().copied().collect();
        let jobs = followed.into_iter().filter_map(|job| self.road.spool.job(job).ok());
        let ended: Vec<_> = jobs.filter(|shadow| shadow.state.ended_ms().is_some()).collect();
        ended.into_iter().for_each(|shadow| self.tell_job(shadow));
    }

    fn is_processing(&self, job: JobId) -> bool {
        self.road.spool.job(job).is_ok_and(|shadow| shadow.state == State::Processing)
    }

    fn hear(&mut self, printer: &str, play: PlayId, outcome: Outcome, ctx: &mut Context<Self>) {
        match outcome {
            Outcome::Room => {}
            Outcome::Ended(_) => self.ended(printer, play, ctx),
            Outcome::Lost { cause, played, why } => {
                tracing::warn!(printer, ?cause, why, "the device was lost");
                self.lost(printer, play, cause, played, ctx);
            }
            Outcome::Failed { why, .. } => self.failed(printer, play, why, ctx),
        }
    }
}

/// Aborts at a port. One that is stuck in its driver is not waited for: no note of the playing is taken any more, so it
/// writes nothing more either.
async fn abort(port: &Live<PortMonitor>, play: PlayId, how: How) -> Result<Option<Stopped>> {
    let answer = tokio::time::timeout(ABORT_WAIT, port.ask(AbortDoc { play, how })).await;
    answer.map_err(|_| Error::Port { why: "it is stuck in its driver".to_owned() })??
}

impl Handler<Played> for LocalPrintProvider {
    type Result = ();

    fn handle(&mut self, Played { printer, play, outcome }: Played, ctx: &mut Self::Context) {
        self.hear(&printer, play, outcome, ctx);
    }
}

impl Handler<OpenPrinter> for LocalPrintProvider {
    type Result = Result<Monitor>;

    fn handle(
        &mut self,
        OpenPrinter { printer }: OpenPrinter,
        _: &mut Self::Context,
    ) -> Self::Result {
        Ok(self.entry(&printer)?.parts.monitor())
    }
}
