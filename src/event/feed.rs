//! The way of events to one subscriber: a queue that no flood can grow.
//!
//! ```text
//!   provider ── push ──► waiting: at most EVENTS_WAITING ──► take, until there are none ── subscriber
//!                 └── the first since then: one message, Events ───────────────────────────▲
//! ```
//!
//! A subscriber that rests between two takes costs the provider nothing meanwhile: it need not be woken for each event.
//!
//! A full queue forgets what is out of date first: older news of the same thing. Where all that waits is about different
//! things the oldest is lost, and counted, so that the subscriber knows to look for itself.
//!
//! The invariant: at most one message and [`EVENTS_WAITING`] events are under way; events are taken in the order of their
//! numbers; the newest about a thing is taken, or `lost` is not 0.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix::prelude::*;
use despool_spool::JobId;

use super::{Event, PortChange, What};
use crate::limits::EVENTS_WAITING;

/// Something has happened: take it.
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub struct Events(Arc<Mutex<Waiting>>);

/// What was taken.
#[derive(Debug, Default)]
pub struct Taken {
    /// In the order in which they happened.
    pub events: VecDeque<Event>,
    /// How many are missing although nothing newer came about the same thing.
    pub lost: u64,
}

impl Events {
    /// All that has happened since the last time. None where nothing has: only then does the next event bring a message
    /// again, so whoever has begun to take goes on until there is none.
    pub fn take(&self) -> Option<Taken> {
        let mut waiting = locked(&self.0);
        let taken = std::mem::take(&mut waiting.taken);
        waiting.told = !taken.events.is_empty();
        waiting.told.then_some(taken)
    }

    /// The same until there is none, for whom it does not matter what was lost.
    pub fn each(self) -> impl Iterator<Item = Event> {
        std::iter::from_fn(move || self.take()).flat_map(|taken| taken.events)
    }
}

/// The provider's end.
pub(crate) struct Feed {
    to: Recipient<Events>,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    taken: Taken,
    /// The subscriber has a message, and has not seen yet that nothing waits.
    told: bool,
}

impl Feed {
    /// Feeds a subscriber.
    pub(crate) fn new(to: Recipient<Events>) -> Self {
        Self { to, waiting: Arc::default() }
    }

    /// False where the subscriber is gone.
    pub(crate) fn is_wanted(&self) -> bool {
        self.to.connected()
    }

    /// Puts in an event, the newest one.
    pub(crate) fn push(&self, event: Event) {
        let told = {
            let mut waiting = locked(&self.waiting);
            waiting.taken.put(event);
            std::mem::replace(&mut waiting.told, true)
        };
        if !told {
            self.to.do_send(Events(self.waiting.clone()));
        }
    }
}

impl Taken {
    fn put(&mut self, mut event: Event) {
        if self.events.len() >= EVENTS_WAITING {
            let thing = thing(&event.what);
            // The newest of them, so that of several the first ones still tell how it came about.
            match self.events.iter().rposition(|old| self::thing(&old.what) == thing) {
                Some(at) => self.events.remove(at).into_iter().for_each(|old| event.outdate(old)),
                None => {
                    self.events.pop_front();
                    self.lost = self.lost.saturating_add(1);
                }
            }
        }
        self.events.push_back(event);
    }
}

impl Event {
    /// Takes the place of an older one about the same thing.
    fn outdate(&mut self, old: Self) {
        if let (What::Port(new), What::Port(old)) = (&mut self.what, old.what)
            && let PortChange::BackChannel { dropped, .. } = &mut new.what
            && let PortChange::BackChannel { bytes: unseen, dropped: before } = old.what
        {
            let unseen = u64::try_from(unseen.len()).unwrap_or(u64::MAX);
            *dropped = dropped.saturating_add(before).saturating_add(unseen);
        }
    }
}

/// What an event is about: of two that are about the same, the newer says all that holds now.
#[derive(PartialEq, Eq)]
enum Thing<'a> {
    Job(JobId),
    Printer(&'a str),
    Presence(&'a str),
    Line(&'a str),
    BackChannel(&'a str),
}

fn thing(what: &What) -> Thing<'_> {
    match what {
        What::Job(view) => Thing::Job(view.shadow.id),
        What::Printer(view) => Thing::Printer(&view.config.name),
        What::Port(event) => match &event.what {
            PortChange::Attached { .. } | PortChange::Detached { .. } => {
                Thing::Presence(&event.port)
            }
            PortChange::Line(_) => Thing::Line(&event.port),
            PortChange::BackChannel { .. } => Thing::BackChannel(&event.port),
        },
    }
}

fn locked(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
