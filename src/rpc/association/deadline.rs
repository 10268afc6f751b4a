//! How long a connection waits for its client: in each stage, for each thing that is half done.

use std::time::Instant;

use super::{Association, Stage};
use crate::rpc::limits::{BIND_WAIT, FRAGMENT_WAIT, IDLE_WAIT, REQUEST_WAIT, WRITE_WAIT};

/// When something happened last.
pub(super) struct Times {
    pub(super) begun: Instant,
    pub(super) received: Instant,
    pub(super) took: Instant,
}

impl Association {
    /// When [`expire`](Self::expire) is to be called. `None`: it may stay as it is for ever.
    pub fn deadline(&self) -> Option<Instant> {
        let times = &self.times;
        let sending = (!self.output.is_empty()).then_some(times.took + WRITE_WAIT);
        let state = match &self.stage {
            Stage::Closing => return sending,
            Stage::Fresh => Some(times.begun + BIND_WAIT),
            Stage::Open(_) if self.securities.is_exchanging() => Some(times.received + BIND_WAIT),
            Stage::Open(agreed) if self.calls.count() == 0 && agreed.group.handles().is_empty() => {
                Some(times.received.max(times.took) + IDLE_WAIT)
            }
            Stage::Open(_) => None,
        };
        let waits = [
            sending,
            state,
            self.input.is_within_fragment().then_some(times.received + FRAGMENT_WAIT),
            self.partial
                .as_ref()
                .map(|partial| (times.received + FRAGMENT_WAIT).min(partial.begun + REQUEST_WAIT)),
        ];
        waits.into_iter().flatten().min()
    }

    /// Ends the connection if its deadline is over.
    pub fn expire(&mut self, now: Instant) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            tracing::debug!(peer = %self.ends.peer, "the client took too long: the connection is closed");
            self.abandon();
        }
    }
}
