//! One printer, as its provider knows it.

use std::sync::Arc;
use std::time::Instant;

use actix::SpawnHandle;
use despool_spool::{Cause, JobId, Shadow};

use super::device::{self, Device};
use super::parts::Parts;
use super::prepare::Prepared;
use super::queue::Queue;
use super::states::Said;
use super::view::{JobView, PrinterState, PrinterView, Surroundings};
use crate::config::PrinterConfig;
use crate::monitor::PlayId;
use crate::monitor::language::Supply;
use crate::monitor::port::News;

/// A printer with its queue and what it is doing.
pub(super) struct Entry {
    pub(super) config: Arc<PrinterConfig>,
    pub(super) parts: Parts,
    pub(super) device: Device,
    pub(super) queue: Queue,
    pub(super) current: Option<Current>,
    pub(super) prepared: Prepared,
    /// The host controller that the device hangs on, where that is known. Asked for when the device comes.
    pub(super) controller: Option<String>,
    pub(super) said: Said,
    /// It is to be taken off the road, and begins nothing.
    pub(super) leaving: Option<Leaving>,
    /// What keeps the scheduler from beginning the next job.
    pub(super) waits_for: Option<String>,
    /// The look at it that comes by itself, where nobody tells when the wait is over.
    pub(super) look: Option<SpawnHandle>,
    pub(super) changed_ms: u64,
    /// What was told last.
    told: Option<Told>,
}

type Told = (PrinterState, Vec<String>, String, bool, (Vec<Supply>, Option<u64>));

/// What is being played.
#[derive(Clone, Debug)]
pub(super) struct Current {
    pub(super) play: PlayId,
    pub(super) job: JobId,
    pub(super) begun: Instant,
    pub(super) phase: Phase,
}

/// How far a playing is.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// On its way.
    Playing,
    /// Being stopped.
    Stopping(Stop),
}

/// What becomes of the device of a printer that is taken off the road.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    /// It comes back on the same port.
    Stays,
    /// It is gone, or the printer hangs on another.
    Goes,
}

/// Why a playing is stopped.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// The job has ended already (canceled, aborted): only the device has to be told.
    Over,
    /// It goes on later, as the printer's policy says.
    CutOff(Cause),
    /// It goes to another printer.
    Move(Arc<str>),
}

impl Entry {
    pub(super) fn new(config: Arc<PrinterConfig>, parts: Parts, now_ms: u64) -> Self {
        Self {
            config,
            parts,
            device: Device::default(),
            queue: Queue::default(),
            current: None,
            prepared: Prepared::default(),
            controller: None,
            said: Said::default(),
            leaving: None,
            waits_for: None,
            look: None,
            changed_ms: now_ms,
            told: None,
        }
    }

    /// Takes in what the port says.
    pub(super) fn hear(&mut self, news: News) {
        if matches!(news, News::Present { .. }) {
            self.controller = despool_hw::host_controller(&self.config.port);
        }
        self.device.hear(news);
    }

    pub(super) fn is_current(&self, job: JobId) -> bool {
        self.current.as_ref().is_some_and(|current| current.job == job)
    }

    pub(super) fn is_playing(&self, play: PlayId) -> bool {
        self.current.as_ref().is_some_and(|current| current.play == play)
    }

    fn state(&self) -> PrinterState {
        match (&self.current, self.said.paused) {
            (Some(_), _) => PrinterState::Processing,
            (None, true) => PrinterState::Stopped,
            (None, false) => PrinterState::Idle,
        }
    }

    fn reasons(&self) -> Vec<String> {
        let paused = match (self.said.paused, &self.current) {
            (false, _) => None,
            (true, Some(_)) => Some("moving-to-paused".to_owned()),
            (true, None) => Some("paused".to_owned()),
        };
        paused.into_iter().chain(self.device.reasons().into_iter().map(device::keyword)).collect()
    }

    /// What people are to read: what somebody said when they stopped the printer, else what the device is like.
    fn message(&self) -> String {
        if self.said.why.is_empty() { self.device.message() } else { self.said.why.clone() }
    }

    pub(super) fn view(&self) -> PrinterView {
        PrinterView {
            config: self.config.clone(),
            state: self.state(),
            reasons: self.reasons(),
            message: self.message(),
            accepting: self.said.accepting,
            queued: self.queue.len().saturating_add(usize::from(self.current.is_some())),
            identity: self.device.identity.clone(),
            supplies: self.device.supplies.clone(),
            page_count: self.device.page_count,
            changed_ms: self.changed_ms,
        }
    }

    /// The view, if it differs from what was told last.
    pub(super) fn news(&mut self, now_ms: u64) -> Option<PrinterView> {
        let used = (self.device.supplies.clone(), self.device.page_count);
        let facts = (self.state(), self.reasons(), self.message(), self.said.accepting, used);
        if self.told.as_ref() == Some(&facts) {
            return None;
        }
        if self.told.as_ref().is_none_or(|(state, ..)| *state != facts.0) {
            self.changed_ms = now_ms;
        }
        let (_, reasons, message, ..) = &facts;
        if self.told.as_ref().map_or(!reasons.is_empty(), |(_, before, ..)| before != reasons) {
            tracing::info!(printer = %self.config.name, ?reasons, message, "the printer's state has changed");
        }
        self.told = Some(facts);
        Some(self.view())
    }

    pub(super) fn job_view(&self, shadow: Arc<Shadow>) -> JobView {
        if shadow.state.ended_ms().is_some() {
            // The device has nothing to say about it any more.
            return JobView::new(shadow, &Surroundings::default());
        }
        let stops: Vec<String> = self
            .device
            .reasons()
            .into_iter()
            .filter(|reason| reason.stops)
            .map(device::keyword)
            .collect();
        let message = self.device.message();
        let around = Surroundings {
            is_current: self.is_current(shadow.id),
            paused: self.said.paused,
            stops: &stops,
            waits_for: self.waits_for.clone().or_else(|| stops.first().map(|_| message.clone())),
            message: &message,
        };
        JobView::new(shadow, &around)
    }
}
