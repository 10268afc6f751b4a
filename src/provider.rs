//! LocalPrintProvider: owns printers, jobs and the spool, and decides when a job is played.
//!
//! ```text
//!                StartDocPrinter        EndDocPrinter          a good time?
//!   front end ──────────────────► spool ─────────────► queue ───────────────► Prepare (durable) ──► Play ──► processor
//!                                                        ▲                                                     │
//!                                                        └─────── cut off: recover ◄── Played ◄────────────────┘
//! ```
//!
//! It is *not* on the way of the bytes: front ends write into the spool, the print processor reads from it.
//!
//! What it keeps in memory can be found again: jobs in the spool, the parts of the road and what they play in [`Road`],
//! what people said of printers in a small file. So it can be made anew at any time, while jobs are being played.
//!
//! The invariant: one playing a port at a time, and a job is with at most one print processor.

mod afterwards;
mod control;
mod device;
mod entry;
mod jobs;
mod messages;
mod parts;
mod play;
mod prepare;
mod queue;
mod recovery;
mod reload;
mod resources;
mod schedule;
mod startup;
mod states;
mod stopped;
mod view;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix::prelude::*;
use despool_spool::{JobId, Retention, Shadow, State};

pub use messages::{
    AbortDocPrinter, ControlJob, ControlPrinter, EndDocPrinter, Job, JobControl, Jobs, OpenPrinter,
    Park, Part, Played, Printer, PrinterControl, Printers, Reborn, Reload, StartDocPrinter,
    Subscribe, Which,
};
pub use parts::Road;
pub use startup::recover_interrupted;
pub(crate) use view::SUBMISSION_INTERRUPTED;
pub use view::{JobState, JobView, PrinterState, PrinterView};

use self::afterwards::Untold;
use self::entry::Entry;
use self::reload::Reloading;
use self::resources::Gauge;
use self::states::States;
use crate::config::{Config, PrinterConfig};
use crate::error::{Error, Result};
use crate::event::What;
use crate::limits::EXPIRY_PACE;
use crate::supervise::Obituary;

/// Jobs that wait, by the name of their printer in lower case.
type Waiting = HashMap<String, Vec<Arc<Shadow>>>;

/// See the module.
pub struct LocalPrintProvider {
    road: Arc<Road>,
    config: Arc<Config>,
    /// By name in lower case.
    printers: BTreeMap<String, Entry>,
    states: States,
    /// Wakes the scheduler when the clock has something to say, and when that is, in ms since 1970.
    alarm: Option<(u64, SpawnHandle)>,
    gauge: Gauge,
    untold: Untold,
    /// How far jobs are is told again when this is over; `None`: nothing is played.
    progress: Option<SpawnHandle>,
    /// No new jobs: the server is stopping, and who waits for the last to end.
    parking: Option<Vec<tokio::sync::oneshot::Sender<()>>>,
    reloading: Option<Reloading>,
    obituary: Obituary,
}

impl LocalPrintProvider {
    /// The provider of the printers in `first`, or in the configuration that was read since.
    pub fn new(road: Arc<Road>, first: Arc<Config>, obituary: Obituary) -> Self {
        let config = road.shared().config.clone().unwrap_or(first);
        let before = road.shared().states.clone();
        let states = before.unwrap_or_else(|| States::load(&config.server.state_dir));
        Self {
            road,
            config,
            printers: BTreeMap::new(),
            states,
            alarm: None,
            gauge: Gauge::default(),
            untold: Untold::default(),
            progress: None,
            parking: None,
            reloading: None,
            obituary,
        }
    }

    fn entry(&self, name: &str) -> Result<&Entry> {
        let no_such = || Error::NoSuchPrinter { name: name.to_owned() };
        self.printers.get(&*key(name)).ok_or_else(no_such)
    }

    fn entry_mut(&mut self, name: &str) -> Option<&mut Entry> {
        self.printers.get_mut(&*key(name))
    }

    /// All jobs that wait, by the name of their printer in lower case.
    fn waiting(&self) -> Waiting {
        let mut waiting = Waiting::new();
        for shadow in self.road.spool.jobs() {
            if shadow.state == State::Pending && shadow.bytes().is_some() {
                let printer = key(&shadow.ticket.printer).into_owned();
                waiting.entry(printer).or_default().push(shadow);
            }
        }
        waiting
    }

    /// Puts a printer on the road, with the jobs that wait for it.
    fn add_printer(&mut self, config: &Arc<PrinterConfig>, waiting: &mut Waiting, now_ms: u64) {
        let parts = match self.road.parts(config) {
            Ok(parts) => parts,
            Err(error) => {
                tracing::error!(printer = %config.name, %error, "the printer cannot be served");
                return;
            }
        };
        let mut entry = Entry::new(config.clone(), parts, now_ms);
        entry.said = self.states.of(&config.name);
        let key = key(&config.name).into_owned();
        waiting.remove(&key).unwrap_or_default().iter().for_each(|job| entry.queue.enter(job));
        self.printers.insert(key, entry);
    }

    /// Asks every port and language what they know of their device.
    fn ask_around(&self) {
        for entry in self.printers.values() {
            entry.parts.port.tell(crate::monitor::port::Retell);
            if let Some(language) = &entry.parts.language {
                language.tell(crate::monitor::port::Retell);
            }
        }
    }

    /// Tells of a printer, if it has changed.
    fn tell_printer(&mut self, name: &str) {
        let now_ms = now_ms();
        let news = self.entry_mut(name).and_then(|entry| entry.news(now_ms));
        if let Some(view) = news {
            self.road.tell(now_ms, What::Printer(Arc::new(view)));
        }
    }

    fn tell_job_now(&self, shadow: Arc<Shadow>) {
        let id = shadow.id;
        let view = self.job_view(shadow);
        {
            let mut shared = self.road.shared();
            if let Some(follower) = shared.followers.get(&id) {
                follower.state(view.state);
            }
            if view.state.has_ended() {
                shared.followers.remove(&id);
            }
        }
        self.road.tell(now_ms(), What::Job(view));
    }

    fn tell_job_of(&mut self, id: JobId) {
        if let Ok(shadow) = self.road.spool.job(id) {
            self.tell_job(shadow);
        }
    }

    fn job_view(&self, shadow: Arc<Shadow>) -> JobView {
        match self.entry(&shadow.ticket.printer) {
            Ok(entry) => entry.job_view(shadow),
            Err(_) => {
                let printer = &shadow.ticket.printer;
                let gone = format!(
                    "printer \"{printer}\" is not configured any more; move the job, or cancel it"
                );
                let around =
                    view::Surroundings { waits_for: Some(gone), ..view::Surroundings::default() };
                JobView::new(shadow, &around)
            }
        }
    }

    /// Forgets finished jobs as the configuration says.
    fn expire(&self) {
        let spool = &self.config.spool;
        let age_ms = u64::try_from(spool.keep_for.as_millis()).unwrap_or(u64::MAX);
        self.road.spool.expire(Retention { jobs: spool.keep_jobs, age_ms }, now_ms());
    }
}

impl Actor for LocalPrintProvider {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let now_ms = now_ms();
        let mut waiting = self.waiting();
        for printer in self.config.clone().printers.iter() {
            self.add_printer(printer, &mut waiting, now_ms);
        }
        if self.obituary.incarnation() > 0 {
            self.adopt_playing(ctx);
        }
        self.ask_around();
        self.expire();
        ctx.run_interval(EXPIRY_PACE, |this, _| this.expire());
        self.schedule_all(ctx);
    }
}

/// What a printer is found by, whatever the case of its name.
fn key(name: &str) -> Cow<'_, str> {
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if name.bytes().all(is_lower) { name.into() } else { name.to_lowercase().into() }
}

/// The time, in ms since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
use crate::supervise::Crash;
#[cfg(test)]
crate::supervise::crashes!(LocalPrintProvider);

/// Will this printer be looked at again by itself? For tests of what is not forgotten.
#[cfg(test)]
#[derive(Message, Clone)]
#[rtype(result = "bool")]
pub(crate) struct LooksAgain {
    pub(crate) name: String,
}

#[cfg(test)]
impl Handler<LooksAgain> for LocalPrintProvider {
    type Result = bool;

    fn handle(&mut self, LooksAgain { name }: LooksAgain, _: &mut Self::Context) -> bool {
        self.entry(&name).is_ok_and(|entry| entry.look.is_some())
    }
}

/// Is somebody woken now and then to tell how far jobs are? For tests of what an idle server costs.
#[cfg(test)]
#[derive(Message, Clone, Copy)]
#[rtype(result = "bool")]
pub(crate) struct FollowsProgress;

#[cfg(test)]
impl Handler<FollowsProgress> for LocalPrintProvider {
    type Result = bool;

    fn handle(&mut self, _: FollowsProgress, _: &mut Self::Context) -> bool {
        self.progress.is_some()
    }
}
