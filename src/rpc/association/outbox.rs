//! Where the answers to the calls of a connection arrive, from any thread.
//!
//! Invariant: after its end nothing is kept, so that every receipt is told at once that its response was lost.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::rpc::interface::{Outcome, Sink};

/// See the module.
pub struct Outbox {
    /// `None` after the end.
    done: Mutex<Option<Vec<(u64, Outcome)>>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Outbox {
    /// An outbox that calls `wake`, which must not block, when it is empty no longer.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self { done: Mutex::new(Some(Vec::new())), wake: Box::new(wake) }
    }

    pub(super) fn drain(&self) -> Vec<(u64, Outcome)> {
        self.done().as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn end(&self) {
        let done = self.done().take();
        // Receipts are told where no lock is held.
        drop(done);
    }

    fn done(&self) -> MutexGuard<'_, Option<Vec<(u64, Outcome)>>> {
        // Nothing panics while it is held: a poisoned list is whole.
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Outbox {
    fn completed(&self, key: u64, outcome: Outcome) {
        let mut done = self.done();
        let Some(list) = done.as_mut() else {
            drop(done);
            return;
        };
        let was_empty = list.is_empty();
        list.push((key, outcome));
        drop(done);
        if was_empty {
            (self.wake)();
        }
    }
}
