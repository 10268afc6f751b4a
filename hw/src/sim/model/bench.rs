//! What a language works with: the sensors, the clock, the back channel, the page counter.

use std::time::Instant;

use super::back::Back;
use crate::sim::Condition;
use crate::sim::event::{Event, Log};

/// The rest of the printer, lent to its language for one step.
pub(super) struct Bench<'a> {
    pub(super) condition: Condition,
    pub(super) now: Instant,
    /// The input buffer takes nothing more.
    pub(super) buffer_full: bool,
    pub(super) back: &'a mut Back,
    pub(super) log: &'a mut Log,
    /// Since the last `reset`.
    pub(super) pages: &'a mut u64,
}

impl Bench<'_> {
    /// Nothing can be printed now.
    pub(super) fn blocked(&self) -> bool {
        !self.condition.online()
    }

    /// Sends a message to the host, if there is room for it.
    pub(super) fn say(&mut self, message: &[u8]) {
        self.back.say(message, self.log);
    }

    /// A page is done.
    pub(super) fn page(&mut self) {
        *self.pages = self.pages.saturating_add(1);
        self.log.push(Event::Page { pages: *self.pages });
    }
}
