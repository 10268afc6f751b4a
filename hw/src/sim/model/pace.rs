//! How fast the printer takes bytes: a token bucket that does not drift.
//!
//! Bytes earned are computed from the time since one fixed moment, in whole ticks, never added up from steps; so any
//! number of bytes takes exactly as long as the rate says, however often one asks. What was earned and not used for
//! [`SIM_PACE_BURST`] is forfeited: a wire does not save up idle time.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use crate::limits::{SIM_PACE_BURST, SIM_PACE_TICK};

const SECOND_NS: u128 = 1_000_000_000;

/// The pace of a wire; without a rate it holds nothing back.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Option<NonZeroU64>,
    since: Instant,
    /// Bytes used or forfeited since then.
    used: u128,
}

impl Pace {
    pub(super) fn new(rate: Option<NonZeroU64>, now: Instant) -> Self {
        Self { rate, since: now, used: 0 }
    }

    /// Bytes per second; `None`: as fast as they come.
    pub(super) fn rate(&self) -> Option<NonZeroU64> {
        self.rate
    }

    /// How many bytes may pass now.
    pub(super) fn room(&self, now: Instant) -> usize {
        let Some(rate) = self.rate else { return usize::MAX };
        let earned = self.earned(rate, now).saturating_sub(self.used);
        usize::try_from(earned.min(burst(rate))).unwrap_or(usize::MAX)
    }

    /// Says that `bytes` passed.
    pub(super) fn spend(&mut self, bytes: usize, now: Instant) {
        let Some(rate) = self.rate else { return };
        let floor = self.earned(rate, now).saturating_sub(burst(rate));
        self.used = self.used.max(floor).saturating_add(bytes as u128);
    }

    /// When the next byte may pass, if none may now.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        let rate = self.rate?;
        if self.room(now) > 0 {
            return None;
        }
        let wanted = self.used.saturating_add(1).saturating_mul(SECOND_NS);
        let per_tick = SIM_PACE_TICK.as_nanos().saturating_mul(u128::from(rate.get()));
        let ticks = u32::try_from(wanted.div_ceil(per_tick.max(1))).unwrap_or(u32::MAX);
        self.since.checked_add(SIM_PACE_TICK.saturating_mul(ticks))
    }

    /// Bytes that the time since `since` has earned, by whole ticks.
    fn earned(&self, rate: NonZeroU64, now: Instant) -> u128 {
        let ticks = now.saturating_duration_since(self.since).as_nanos() / SIM_PACE_TICK.as_nanos();
        let lasted_ns = ticks.saturating_mul(SIM_PACE_TICK.as_nanos());
        lasted_ns.saturating_mul(u128::from(rate.get())) / SECOND_NS
    }
}

fn burst(rate: NonZeroU64) -> u128 {
    bytes_in(rate, SIM_PACE_BURST).max(1)
}

fn bytes_in(rate: NonZeroU64, time: Duration) -> u128 {
    time.as_nanos().saturating_mul(u128::from(rate.get())) / SECOND_NS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pace(rate: u64) -> (Pace, Instant) {
        let start = Instant::now();
        (Pace::new(NonZeroU64::new(rate), start), start)
    }

    #[test]
    fn without_a_rate_nothing_is_held_back() {
        let (pace, now) = pace(0);
        assert_eq!((pace.room(now), pace.next(now)), (usize::MAX, None));
    }

    #[test]
    fn gives_bytes_by_the_tick_and_forfeits_idle_time() {
        let (mut pace, start) = pace(1000);
        assert_eq!((pace.room(start), pace.next(start)), (0, Some(start + SIM_PACE_TICK)));
        assert_eq!(pace.room(start + Duration::from_millis(19)), 10);
        let late = start + Duration::from_secs(60);
        assert_eq!(pace.room(late), 100, "100 ms of it are left");
        pace.spend(100, late);
        assert_eq!(pace.room(late), 0);
        assert_eq!(pace.room(late + SIM_PACE_TICK), 10);
    }

    #[test]
    fn one_byte_in_many_ticks_comes_when_it_is_said_to_come() {
        let (mut pace, start) = pace(3);
        let mut now = start;
        for _ in 0..30 {
            assert_eq!(pace.room(now), 0);
            now = pace.next(now).unwrap();
            assert_eq!(pace.room(now), 1);
            pace.spend(1, now);
        }
        assert_eq!(now.duration_since(start), Duration::from_secs(10));
    }

    proptest! {
        #[test]
        fn does_not_drift(rate in 1u64..10_000_000, steps in prop::collection::vec(1u64..90, 1..200)) {
            let (mut pace, start) = pace(rate);
            let (mut now, mut passed) = (start, 0u128);
            for ms in steps {
                now += Duration::from_millis(ms);
                let room = pace.room(now);
                pace.spend(room, now);
                passed += room as u128;
                let exact = (now - start).as_nanos() * u128::from(rate) / SECOND_NS;
                prop_assert!(passed <= exact);
                prop_assert!(exact - passed <= bytes_in(NonZeroU64::new(rate).unwrap(), SIM_PACE_TICK) + 1);
            }
        }
    }
}
