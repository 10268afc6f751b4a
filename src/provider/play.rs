//! Playing: when a job begins, how it ends, and how it is stopped.
//!
//! ```text
//!            Prepare        durable          Ended
//!   queue ──────────► … ──────────► Playing ───────► Completed
//!     ▲                               │ │
//!     │  recover                      │ └─ Lost, Failed, canceled, cut off ──► Stopping ──► (queue, or ended)
//!     └───────────────────────────────┴────────────────────────────────────────────┘
//! ```

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use despool_spool::{
    Cause, Change, Deed, JobId, Played as PlayedBytes, Recovery, Shadow, State, Ticket,
};

use super::entry::{Current, Entry, Leaving, Phase, Stop};
use super::messages::{OpenPrinter, Played};
use super::recovery::{CutOff, Verdicts, keeps_place};
use super::resources::{Pressure, minute_of_day, to_next_minute};
use super::{LocalPrintProvider, now_ms, startup};
use crate::config::Datatype;
use crate::error::{Error, Result};
use crate::limits::{ABORT_WAIT, RESOURCE_PAUSE};
use crate::monitor::port::{AbortDoc, DocAborted, How, PortMonitor};
use crate::monitor::{Monitor, Outcome, PlayId};
use crate::processor::{Forget, Play, PlaySource, WhatOf};
use crate::supervise::Live;

/// The record that playing may begin is durable.
#[derive(Message)]
#[rtype(result = "()")]
struct Prepared {
    printer: Arc<str>,
    job: JobId,
}

/// What a printer should do now.
enum Pick {
    Nothing,
    Wait(String),
    /// The same, and look again after this long: nobody tells when it is over.
    WaitFor(String, Duration),
    Prepare(JobId),
    Start(JobId),
}

/// What came of beginning a job.
enum Begun {
    Yes,
    /// It cannot be played at all, and has been given up.
    Never,
    /// Not now: why.
    NotNow(String),
}

impl LocalPrintProvider {
    pub(super) fn schedule_all(&mut self, ctx: &mut Context<Self>) {
        let names: Vec<Arc<str>> =
            self.printers.values().map(|entry| entry.config.name.clone()).collect();
        for name in names {
            self.schedule(&name, ctx);
        }
        self.set_alarm(ctx);
    }

    /// Begins the next job of a printer, if this is a good time.
    pub(super) fn schedule(&mut self, printer: &str, ctx: &mut Context<Self>) {
        loop {
            let pick = self.pick(printer);
            let Some(entry) = self.entry_mut(printer) else { return };
            entry.waits_for = None;
            match pick {
                Pick::Start(job) => match self.start(printer, job, ctx) {
                    Begun::Yes => self.prepare_next(printer, ctx),
                    Begun::Never => continue,
                    Begun::NotNow(why) => self.wait_for(printer, why, RESOURCE_PAUSE, ctx),
                },
                Pick::Prepare(job) => self.prepare(printer, job, ctx),
                Pick::WaitFor(why, pause) => self.wait_for(printer, why, pause, ctx),
                Pick::Wait(why) => entry.waits_for = Some(why),
                Pick::Nothing => {}
            }
            break;
        }
        self.tell_printer(printer);
    }

    /// Looks at a printer again after a while. However often it is asked for, there is one such look under way.
    fn wait_for(&mut self, printer: &str, why: String, pause: Duration, ctx: &mut Context<Self>) {
        let look = {
            let printer = printer.to_owned();
            ctx.run_later(pause, move |this, ctx| {
                if let Some(entry) = this.entry_mut(&printer) {
                    entry.look = None;
                }
                this.schedule(&printer, ctx);
            })
        };
        let Some(entry) = self.entry_mut(printer) else { return };
        entry.waits_for = Some(why);
        if let Some(overtaken) = entry.look.replace(look) {
            ctx.cancel_future(overtaken);
        }
    }

    fn pick(&self, printer: &str) -> Pick {
        let Ok(entry) = self.entry(printer) else { return Pick::Nothing };
        let Some(job) = entry.queue.iter().next() else { return Pick::Nothing };
        let closing = self.parking.is_some() || entry.leaving.is_some();
        if entry.current.is_some() || entry.paused || closing {
            return Pick::Nothing;
        }
        if !entry.device.is_present() {
            return Pick::Wait(entry.device.message());
        }
        if let Some(hours) = entry.config.hours.filter(|hours| !hours.contains(minute_of_day())) {
            return Pick::WaitFor(format!("waiting for {hours}"), to_next_minute(now_ms()));
        }
        if let Some(other) = self.other_on(&entry.parts.port_key) {
            return Pick::Wait(format!("waiting for printer {other}, which is on the same port"));
        }
        if let Some(why) = self.controller_busy(entry) {
            return Pick::WaitFor(why, RESOURCE_PAUSE);
        }
        if let Some(why) = Pressure::read().objection(&self.config.scheduler) {
            return Pick::WaitFor(why, RESOURCE_PAUSE);
        }
        let receiving = self.road.spool.job(job).is_ok_and(|shadow| !shadow.has_document());
        match &entry.preparing {
            // Nobody was promised anything yet: a record that the job may be on paper would say nothing of use.
            _ if receiving => Pick::Start(job),
            _ if entry.ready.contains(&job) => Pick::Start(job),
            Some(_) => Pick::Nothing,
            None => Pick::Prepare(job),
        }
    }

    /// Another printer that is playing on this port.
    fn other_on(&self, port_key: &Arc<str>) -> Option<Arc<str>> {
        let playing = |entry: &&Entry| entry.current.is_some() && entry.parts.port_key == *port_key;
        self.printers.values().find(playing).map(|entry| entry.config.name.clone())
    }

    fn controller_busy(&self, entry: &Entry) -> Option<String> {
        let controller = despool_hw::host_controller(&entry.config.port)?;
        let on_it = |other: &&Entry| {
            other.current.is_some()
                && despool_hw::host_controller(&other.config.port).as_ref() == Some(&controller)
        };
        let busy = self.printers.values().filter(on_it).count();
        (busy >= self.config.scheduler.jobs_per_controller)
            .then(|| format!("waiting for other jobs on host controller {controller}"))
    }

    /// Has it recorded, durably, that playing may begin.
    fn prepare(&mut self, printer: &str, job: JobId, ctx: &mut Context<Self>) {
        let Some(entry) = self.entry_mut(printer) else { return };
        entry.preparing = Some(job);
        let (name, to) = (entry.config.name.clone(), ctx.address().recipient());
        // A disk that failed has been reported; what is on it can still be printed.
        let then = Box::new(move |_| to.do_send(Prepared { printer: name, job }));
        if let Err(error) = self.road.spool.update(job, Change::Prepare, Some(then)) {
            tracing::error!(%job, %error, "the job cannot be prepared");
            self.not_prepared(printer, job, &error, ctx);
        }
    }

    /// A disk that takes no record may take one later; a job that is not pending any more has no place in the queue.
    fn not_prepared(
        &mut self,
        printer: &str,
        job: JobId,
        error: &despool_spool::Error,
        ctx: &mut Context<Self>,
    ) {
        let Some(entry) = self.entry_mut(printer) else { return };
        entry.preparing = None;
        if error.is_disk() {
            self.wait_for(printer, error.to_string(), RESOURCE_PAUSE, ctx);
        } else {
            entry.queue.remove(job);
        }
    }

    /// Prepares the job that comes next while this one is being played, so that no time is lost between them.
    fn prepare_next(&mut self, printer: &str, ctx: &mut Context<Self>) {
        let Ok(entry) = self.entry(printer) else { return };
        let next = entry
            .queue
            .iter()
            .next()
            .filter(|job| !entry.ready.contains(job) && entry.preparing.is_none());
        if let Some(job) = next
            && self.road.spool.job(job).is_ok_and(|shadow| shadow.has_document())
        {
            self.prepare(printer, job, ctx);
        }
    }

    fn start(&mut self, printer: &str, job: JobId, ctx: &mut Context<Self>) -> Begun {
        match self.ready_to_play(job) {
            Ok(play) => {
                let Some(entry) = self.entry_mut(printer) else { return Begun::Yes };
                entry.queue.remove(job);
                entry.ready.remove(&job);
                entry.current = Some(Current { play: play.play, job, phase: Phase::Playing });
                let (name, id) = (entry.config.name.clone(), play.play);
                entry.parts.processor.tell(play);
                self.road.shared().stage.insert(name, (id, job));
                self.tell_job_of(job);
                Begun::Yes
            }
            Err(Error::Spool(error)) if error.may_pass() => Begun::NotNow(error.to_string()),
            Err(error) => {
                tracing::error!(%job, %error, "the job cannot be played");
                if let Some(entry) = self.entry_mut(printer) {
                    entry.queue.remove(job);
                }
                if let Ok(shadow) = self.abort(job, &error) {
                    self.ended_early(&shadow, error, ctx);
                }
                Begun::Never
            }
        }
    }

    fn ready_to_play(&self, id: JobId) -> Result<Play> {
        let spool = &self.road.spool;
        let pipe = self.road.shared().direct.get(&id).map(|direct| direct.pipe.clone());
        let bytes = match pipe {
            Some(pipe) => PlaySource::Direct(pipe),
            None => PlaySource::Spooled(spool.document(id)?),
        };
        let datatype = spool.job(id)?.ticket.datatype.to_string();
        let datatype =
            Datatype::named(&datatype).ok_or(Error::NoSuchDatatype { name: datatype })?;
        let job = spool.update(id, Change::Start { at_ms: now_ms() }, None)?;
        let progress = spool.progress(id)?;
        let follower = self.road.shared().followers.get(&id).cloned();
        Ok(Play {
            play: PlayId::fresh(),
            from: job.played.accepted,
            job,
            datatype,
            bytes,
            progress,
            follower,
        })
    }

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
            let played = aborted.unwrap_or_else(|error| {
                tracing::error!(%printer, %error, "the port did not answer an abort; what was noted last holds");
                None
            });
            this.stopped_playing(&printer, play, how, played, ctx);
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
    fn stopped_playing(
        &mut self,
        printer: &str,
        play: PlayId,
        how: How,
        played: Option<PlayedBytes>,
        ctx: &mut Context<Self>,
    ) {
        let Some(current) = self.finish(printer, play) else { return };
        if let Ok(entry) = self.entry(printer) {
            entry.parts.monitor().tell(DocAborted { play, how });
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
            if shadow.is_begun() {
                entry.queue.put_first(shadow.id, shadow.ticket.priority);
            } else {
                entry.queue.put_back(shadow.id, shadow.ticket.priority);
            }
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
        let moved =
            self.road.spool.update(shadow.id, Change::Recover(recovery), None).and_then(|_| {
                self.road.spool.update(shadow.id, Change::Edit(Box::new(ticket)), None)
            });
        match moved {
            Ok(moved) => {
                self.road.spool.sync_soon();
                self.tell_job(moved.clone());
                self.enqueue(&moved, ctx);
            }
            Err(error) => tracing::error!(job = %shadow.id, %error, "the job could not be moved"),
        }
    }

    fn ended(&mut self, printer: &str, play: PlayId, ctx: &mut Context<Self>) {
        let Some(current) = self.finish(printer, play) else { return };
        match self.road.spool.update(current.job, Change::Complete { at_ms: now_ms() }, None) {
            Ok(shadow) => {
                self.road.spool.sync_soon();
                self.tell_job(shadow);
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
            entry.current = Some(Current { play, job, phase: Phase::Playing });
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

    /// Wakes the scheduler when a hold ends or a part of the day begins.
    pub(super) fn set_alarm(&mut self, ctx: &mut Context<Self>) {
        if let Some(alarm) = self.alarm.take() {
            ctx.cancel_future(alarm);
        }
        let holds = self.road.spool.jobs().into_iter().filter_map(|shadow| {
            match (&shadow.state, shadow.ticket.hold) {
                (State::Held { .. }, despool_spool::Hold::Until(ms)) => Some(ms),
                _ => None,
            }
        });
        let now_ms = now_ms();
        let hours = self
            .printers
            .values()
            .any(|entry| entry.config.hours.is_some() && entry.queue.len() > 0);
        let next_minute = hours.then(|| now_ms.next_multiple_of(60_000));
        let Some(at_ms) = holds.chain(next_minute).min() else { return };
        let pause = Duration::from_millis(at_ms.saturating_sub(now_ms).max(1));
        self.alarm = Some(ctx.run_later(pause, |this, ctx| {
            this.alarm = None;
            this.release_due(ctx);
            this.schedule_all(ctx);
        }));
    }

    fn release_due(&mut self, ctx: &mut Context<Self>) {
        let now_ms = now_ms();
        for shadow in self.road.spool.jobs() {
            let due = matches!(shadow.ticket.hold, despool_spool::Hold::Until(ms) if ms <= now_ms);
            if due
                && matches!(shadow.state, State::Held { .. })
                && let Err(error) = self.release(&shadow, ctx)
            {
                tracing::error!(job = %shadow.id, %error, "the job could not be released");
            }
        }
    }
}

/// Aborts at a port. One that is stuck in its driver is not waited for: no note of the playing is taken any more, so it
/// writes nothing more either.
async fn abort(port: &Live<PortMonitor>, play: PlayId, how: How) -> Result<Option<PlayedBytes>> {
    let answer = tokio::time::timeout(ABORT_WAIT, port.ask(AbortDoc { play, how })).await;
    answer.map_err(|_| Error::Port { why: "it is stuck in its driver".to_owned() })??
}

impl Handler<Prepared> for LocalPrintProvider {
    type Result = ();

    fn handle(&mut self, Prepared { printer, job }: Prepared, ctx: &mut Self::Context) {
        if let Some(entry) = self.entry_mut(&printer) {
            entry.preparing.take_if(|preparing| *preparing == job);
            if entry.queue.contains(job) {
                entry.ready.insert(job);
            }
            self.schedule(&printer, ctx);
            if self.entry(&printer).is_ok_and(|entry| entry.current.is_some()) {
                self.prepare_next(&printer, ctx);
            }
        }
    }
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
