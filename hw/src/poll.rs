//! One `poll(2)` over descriptors and a deadline.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, Timespec};
use rustix::io::Errno;

/// Waits until one of `fds` has something or `until` has come (`None`: no deadline). True if one has. A signal does not
/// end it.
pub(crate) fn poll(fds: &mut [PollFd<'_>], until: Option<Instant>) -> Result<bool, Errno> {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        // A time beyond what the kernel can count is no deadline.
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match rustix::event::poll(fds, left.as_ref()) {
            Err(Errno::INTR) => {}
            woken => return Ok(woken? > 0),
        }
    }
}

/// What `fds` have to say now, without waiting.
pub(crate) fn look(fds: &mut [PollFd<'_>]) -> Result<bool, Errno> {
    poll(fds, Some(Instant::now()))
}

/// The earlier of two times, where `None` is never.
pub(crate) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The time after `wait`; `None` (never) if that cannot be counted.
pub(crate) fn after(wait: Duration) -> Option<Instant> {
    Instant::now().checked_add(wait)
}

/// Waits that double, for what cannot be awaited: `first`, twice that, … up to `last`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ladder {
    first: Duration,
    last: Duration,
    next: Duration,
}

impl Ladder {
    pub(crate) fn new(first: Duration, last: Duration) -> Self {
        Self { first, last, next: first }
    }

    /// The wait to take now.
    pub(crate) fn step(&mut self) -> Duration {
        let now = self.next;
        self.next = now.saturating_mul(2).min(self.last);
        now
    }

    /// Begins again at the first step.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_doubles_to_its_end() {
        let milliseconds = Duration::from_millis;
        let mut ladder = Ladder::new(milliseconds(1), milliseconds(5));
        let steps: Vec<_> = std::iter::repeat_with(|| ladder.step().as_millis()).take(5).collect();
        assert_eq!(steps, [1, 2, 4, 5, 5]);
        ladder.reset();
        assert_eq!(ladder.step(), milliseconds(1));
    }

    #[test]
    fn never_is_later_than_any_time() {
        let now = Instant::now();
        assert_eq!(earlier(None, Some(now)), Some(now));
        assert_eq!(earlier(Some(now), after(Duration::from_secs(1))), Some(now));
        assert_eq!(earlier(None, None), None);
        assert_eq!(after(Duration::MAX), None);
    }
}
