//! Where a language's core sits: it outlives the actor around it.
//!
//! The invariant: a step that panicked leaves a core that knows nothing, never one that knows half.

use std::sync::{Mutex, PoisonError};

use super::{Language, Make, Setup};
use crate::monitor::PlayId;

/// The core of a printer's language, and what it is playing: what outlives the actor.
pub struct Seat {
    make: Make,
    setup: Setup,
    held: Mutex<Held>,
}

pub(super) struct Held {
    pub(super) core: Box<dyn Language>,
    pub(super) playing: Option<PlayId>,
}

impl Seat {
    /// A seat with a core that knows nothing yet.
    pub fn new(make: Make, setup: Setup) -> Self {
        Self { make, setup, held: Mutex::new(Held { core: make(setup), playing: None }) }
    }

    /// One step of the core. One that panicked in the step before is replaced: nobody knows what it knew.
    pub(super) fn with<R>(&self, step: impl FnOnce(&mut Held) -> R) -> R {
        if self.held.is_poisoned() {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.core = (self.make)(self.setup);
            self.held.clear_poison();
        }
        step(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
