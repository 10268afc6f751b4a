//! Where the answers to the calls of a connection arrive, from any thread.
//!
//! ```text
//!   Away ── attend ──► Attended: who will look here anyway need not be woken
//!     ▲                   │
//!     └── nothing left ◄──┘ take
//! ```
//!
//! Invariant: whoever is away is woken for the first answer that comes; after its end nothing is kept, so that every receipt
//! is told at once that its response was lost.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::rpc::interface::{Outcome, Sink};

/// See the module.
pub struct Outbox {
    /// `None` after the end.
    done: Mutex<Option<Done>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Done {
    list: VecDeque<(u64, Outcome)>,
    /// Somebody takes what comes until there is nothing left.
    attended: bool,
}

impl Outbox {
    /// An outbox that calls `wake`, which must not block, when it is empty no longer.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self { done: Mutex::new(Some(Done::default())), wake: Box::new(wake) }
    }

    /// From here on nobody is woken: until [`take`](Self::take) finds nothing.
    pub(super) fn attend(&self) {
        if let Some(done) = self.done().as_mut() {
            done.attended = true;
        }
    }

    /// What was answered first of all that was.
    pub(super) fn take(&self) -> Option<(u64, Outcome)> {
        let mut done = self.done();
        let done = done.as_mut()?;
        let first = done.list.pop_front();
        done.attended &= first.is_some();
        first
    }

    pub(super) fn end(&self) {
        let done = self.done().take();
        // Receipts are told where no lock is held.
        drop(done);
    }

    fn done(&self) -> MutexGuard<'_, Option<Done>> {
        // Nothing panics while it is held: a poisoned list is whole.
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Outbox {
    fn completed(&self, key: u64, outcome: Outcome) {
        let mut done = self.done();
        let Some(Done { list, attended }) = done.as_mut() else {
            drop(done);
            return;
        };
        let wakes = list.is_empty() && !*attended;
        list.push_back((key, outcome));
        drop(done);
        if wakes {
            (self.wake)();
        }
    }
}
