//! How long something is waited for: in time in which the bench itself ran.
//!
//! A machine may stand still for minutes (a laptop sleeps, a container is frozen, a host is short of memory), and the guest with
//! it. What has not happened meanwhile is not late. So time is counted by a thread that looks at the clock now and then: between
//! two looks no more passes than it may take to look, however much the clock says.
//!
//! What it is *not*: a way to measure anything. Invariant: it never runs faster than the clock.

use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::{AWAKE, LOOK_AT_CLOCK};

/// Time that has passed, and when that was counted last.
static PASSED: OnceLock<Mutex<Passed>> = OnceLock::new();

#[derive(Debug)]
struct Passed {
    awake: Duration,
    looked: Instant,
}

impl Passed {
    fn count(&mut self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.looked);
        self.awake = self.awake.saturating_add(passed.min(AWAKE));
        self.looked = now;
        self.awake
    }
}

fn now() -> Duration {
    let passed = PASSED.get_or_init(|| {
        let thread = std::thread::Builder::new().name("hil-clock".into());
        // Without it a long wait is longer than it should be, and that is all.
        let _ = thread.spawn(|| {
            let (_keep, never) = crossbeam_channel::bounded::<()>(0);
            loop {
                let _ = never.recv_timeout(LOOK_AT_CLOCK);
                now();
            }
        });
        Mutex::new(Passed { awake: Duration::ZERO, looked: Instant::now() })
    });
    passed.lock().unwrap_or_else(PoisonError::into_inner).count(Instant::now())
}

/// The end of a wait.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    until: Duration,
}

impl Patience {
    /// From now on, for so long.
    pub fn new(limit: Duration) -> Self {
        Self { until: now().saturating_add(limit) }
    }

    /// What is left of it; nothing: it has come to its end. Whoever waits for so long by another clock has to look again then.
    pub fn left(self) -> Duration {
        self.until.saturating_sub(now())
    }

    /// True once nothing is left of it.
    pub fn is_over(self) -> bool {
        self.left().is_zero()
    }

    /// Waits for as long as something is missing, at most until this is over. Whoever changes it tells `changed`.
    pub fn wait_while<'a, T>(
        self,
        changed: &Condvar,
        mut state: MutexGuard<'a, T>,
        missing: impl Fn(&T) -> bool,
    ) -> MutexGuard<'a, T> {
        while missing(&state) && !self.is_over() {
            let waited = changed.wait_timeout(state, self.left());
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_stood_still_has_lost_no_time() {
        let start = Instant::now();
        let mut passed = Passed { awake: Duration::ZERO, looked: start };
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(passed.count(at(200)), Duration::from_millis(200));
        assert_eq!(passed.count(at(90_000)), Duration::from_millis(200) + AWAKE);
        assert_eq!(passed.count(at(90_100)), Duration::from_millis(300) + AWAKE);
    }

    #[test]
    fn it_comes_to_its_end() {
        assert!(Patience::new(Duration::ZERO).is_over());
        let some = Patience::new(Duration::from_secs(60));
        assert!(!some.is_over() && some.left() <= Duration::from_secs(60));
    }
}
