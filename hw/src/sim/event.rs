//! What a simulated printer tells whoever watches it (the demo, a test).

use std::collections::VecDeque;

use super::Condition;
use crate::limits::SIM_EVENTS;

/// Something that happened inside a simulated printer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Bytes came in. Successive ones are merged while nobody has looked.
    Took {
        /// How many, of jobs and monitor together.
        bytes: u64,
    },
    /// The printer put this on the back channel.
    Said(Vec<u8>),
    /// A sensor changed.
    Changed(Condition),
    /// It stopped (or began again) to take bytes.
    Stalled(bool),
    /// A page, receipt or label was finished; how many since the last `reset`.
    Page {
        /// The count, this one included.
        pages: u64,
    },
    /// A job began, as far as the wire shows where jobs begin.
    JobBegan,
    /// A job ended.
    JobEnded {
        /// Its bytes.
        bytes: u64,
        /// It ended as a job should; false: it was cut off.
        complete: bool,
    },
    /// The cable was plugged in or pulled.
    Plugged(bool),
    /// Bytes were forgotten that had been taken but not printed.
    Discarded {
        /// How many.
        bytes: u64,
    },
    /// The counts were set to zero.
    Reset,
}

/// The last events, while somebody watches; empty and free of cost otherwise.
#[derive(Debug, Default)]
pub(super) struct Log {
    watched: bool,
    events: VecDeque<Event>,
}

impl Log {
    pub(super) fn watch(&mut self, watched: bool) {
        self.watched = watched;
        self.events.clear();
    }

    pub(super) fn watched(&self) -> bool {
        self.watched
    }

    pub(super) fn push(&mut self, event: Event) {
        if !self.watched {
            return;
        }
        if let (Some(Event::Took { bytes: sum }), Event::Took { bytes }) =
            (self.events.back_mut(), &event)
        {
            *sum = sum.saturating_add(*bytes);
            return;
        }
        if self.events.len() >= SIM_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn take(&mut self) -> VecDeque<Event> {
        std::mem::take(&mut self.events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_bytes_keeps_the_last_and_costs_nothing_unwatched() {
        let mut log = Log::default();
        log.push(Event::Reset);
        assert!(log.is_empty());
        log.watch(true);
        log.push(Event::Took { bytes: 1 });
        log.push(Event::Took { bytes: 2 });
        assert_eq!(log.take(), [Event::Took { bytes: 3 }]);
        for _ in 0..=SIM_EVENTS {
            log.push(Event::Reset);
        }
        assert_eq!(log.take().len(), SIM_EVENTS);
    }
}
