//! When a job begins.
//!
//! ```text
//!              Prepare          durable              Start
//!   queue ──────────────► … ──────────────► ready ───────────► playing (play.rs)
//!     │  printer paused or leaving, device absent, port or controller busy, hours, pressure: not now
//!     └─► and where nobody tells when that is over, one look again later
//! ```
//!
//! The invariant: a printer plays one job at a time, and so does a port.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use despool_spool::{Change, JobId};

use super::entry::{Current, Entry, Phase};
use super::prepare::Preparing;
use super::resources::{minute_of_day, to_next_minute};
use super::{LocalPrintProvider, now_ms};
use crate::config::Datatype;
use crate::error::{Error, Result};
use crate::limits::{PROGRESS_PACE, RESOURCE_PAUSE};
use crate::monitor::PlayId;
use crate::processor::{Play, PlaySource};

/// What a printer should do now.
enum Pick {
    Nothing,
    Wait(String),
    /// The same, and look again after this long: nobody tells when it is over.
    WaitFor(String, Duration),
    Prepare,
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
                    Begun::Yes => return self.begun(printer, ctx),
                    Begun::Never => continue,
                    Begun::NotNow(why) => self.wait_for(printer, why, RESOURCE_PAUSE, ctx),
                },
                Pick::Prepare => match self.prepare(printer, ctx) {
                    Ok(Preparing::UnderWay) => {}
                    Ok(Preparing::Nothing) => continue,
                    Err(error) => {
                        self.wait_for(printer, error.to_string(), RESOURCE_PAUSE, ctx);
                    }
                },
                Pick::WaitFor(why, pause) => self.wait_for(printer, why, pause, ctx),
                Pick::Wait(why) => entry.waits_for = Some(why),
                Pick::Nothing => {}
            }
            break;
        }
        self.tell_printer(printer);
    }

    /// What follows when a job has begun.
    fn begun(&self, printer: &str, ctx: &mut Context<Self>) {
        let printer = printer.to_owned();
        self.afterwards(ctx, move |this, ctx| {
            this.prepare_ahead(&printer, ctx);
            this.tell_printer(&printer);
        });
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
        if entry.current.is_some() || entry.said.paused || closing {
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
        if let Some(why) = self.gauge.read().objection(&self.config.scheduler) {
            return Pick::WaitFor(why, RESOURCE_PAUSE);
        }
        let receiving = self.road.spool.job(job).is_ok_and(|shadow| !shadow.has_document());
        if receiving || entry.prepared.is_ready(job) {
            // Of a document that is being received nobody was promised anything: a record would say nothing of use.
            return Pick::Start(job);
        }
        if entry.prepared.is_under_way() { Pick::Nothing } else { Pick::Prepare }
    }

    /// Another printer that is playing on this port.
    fn other_on(&self, port_key: &Arc<str>) -> Option<Arc<str>> {
        let playing = |entry: &&Entry| entry.current.is_some() && entry.parts.port_key == *port_key;
        self.printers.values().find(playing).map(|entry| entry.config.name.clone())
    }

    fn controller_busy(&self, entry: &Entry) -> Option<String> {
        let controller = entry.controller.as_ref()?;
        let on_it = |other: &&Entry| {
            other.current.is_some() && other.controller.as_ref() == Some(controller)
        };
        let busy = self.printers.values().filter(on_it).count();
        (busy >= self.config.scheduler.jobs_per_controller)
            .then(|| format!("waiting for other jobs on host controller {controller}"))
    }

    fn start(&mut self, printer: &str, job: JobId, ctx: &mut Context<Self>) -> Begun {
        match self.ready_to_play(job) {
            Ok(play) => {
                let Some(entry) = self.entry_mut(printer) else { return Begun::Yes };
                entry.queue.remove(job);
                entry.prepared.remove(job);
                let begun = Instant::now();
                entry.current =
                    Some(Current { play: play.play, job, begun, phase: Phase::Playing });
                let (name, id) = (entry.config.name.clone(), play.play);
                let shadow = play.job.clone();
                entry.parts.processor.tell(play);
                self.road.shared().stage.insert(name, (id, job));
                self.tell_job_afterwards(shadow, ctx);
                self.follow_progress(ctx);
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

    /// Tells now and then how far jobs are, as long as one is being played: a server with nothing to do is not woken.
    pub(super) fn follow_progress(&mut self, ctx: &mut Context<Self>) {
        if self.progress.is_some() || self.printers.values().all(|entry| entry.current.is_none()) {
            return;
        }
        self.progress = Some(ctx.run_later(PROGRESS_PACE, |this, ctx| {
            this.progress = None;
            let playing = this.printers.values().filter_map(|entry| entry.current.as_ref());
            let jobs: Vec<JobId> = playing.map(|current| current.job).collect();
            jobs.into_iter().for_each(|job| this.tell_job_of(job));
            this.follow_progress(ctx);
        }));
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

    /// Wakes the scheduler when a hold ends.
    pub(super) fn set_alarm(&mut self, ctx: &mut Context<Self>) {
        let at_ms = self.road.spool.next_due_ms();
        if at_ms == self.alarm.map(|(at_ms, _)| at_ms) {
            return;
        }
        if let Some((_, alarm)) = self.alarm.take() {
            ctx.cancel_future(alarm);
        }
        let Some(at_ms) = at_ms else { return };
        let pause = Duration::from_millis(at_ms.saturating_sub(now_ms()).max(1));
        let alarm = ctx.run_later(pause, |this, ctx| {
            this.alarm = None;
            this.release_due(ctx);
            this.schedule_all(ctx);
        });
        self.alarm = Some((at_ms, alarm));
    }

    fn release_due(&mut self, ctx: &mut Context<Self>) {
        for shadow in self.road.spool.due_jobs(now_ms()) {
            if let Err(error) = self.release(&shadow, ctx) {
                tracing::error!(job = %shadow.id, %error, "the job could not be released");
            }
        }
    }
}
