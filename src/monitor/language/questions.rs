//! When a device is asked how it is, and what follows from silence.
//!
//! ```text
//!             rest(pace)             asked            answered
//!   nothing ─────────────► resting ─────────► asked ───────────► resting …
//!                             ▲                 │ STATUS_ANSWER_WAIT
//!                             └─── missed ◄─────┘   STATUS_MISSES times: silent, and asked seldom from then on
//! ```
//!
//! In the middle of a job silence says nothing: the question may have found no place in the document, or no room in the
//! device.

use std::time::{Duration, Instant};

use crate::limits::{STATUS_ANSWER_WAIT, STATUS_MISSES, STATUS_PACE_SILENT};
use crate::monitor::language::earlier;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Questions {
    /// When the answer is overdue.
    overdue: Option<Instant>,
    /// When to ask next.
    next: Option<Instant>,
    misses: u32,
    /// The one that is out went into a job.
    in_job: bool,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// The next question.
    Ask,
    /// An answer has not come; the device may be busy.
    Missed,
    /// So many have not come that nothing is known of the device any more. Said once.
    Silent,
}

impl Questions {
    /// A question has gone out.
    pub(super) fn asked(&mut self, now: Instant) {
        self.next = None;
        self.overdue = now.checked_add(STATUS_ANSWER_WAIT);
        self.in_job = false;
    }

    /// A question is to go out in the middle of a job, if it can.
    pub(super) fn asked_in_job(&mut self, now: Instant) {
        self.asked(now);
        self.in_job = true;
    }

    /// The answer has come (or anything that shows that the device lives).
    pub(super) fn answered(&mut self) {
        self.overdue = None;
        self.misses = 0;
    }

    /// The next question is for later; much later where the device is silent.
    pub(super) fn rest(&mut self, now: Instant, pace: Duration) {
        self.overdue = None;
        let silent = self.misses >= STATUS_MISSES;
        self.next = now.checked_add(if silent { pace.max(STATUS_PACE_SILENT) } else { pace });
    }

    /// No more questions.
    pub(super) fn stop(&mut self) {
        *self = Self { misses: self.misses, ..Self::default() };
    }

    /// When something is due.
    pub(super) fn due(&self) -> Option<Instant> {
        earlier(self.overdue, self.next)
    }

    /// What is due now. After anything but [`Due::Nothing`] the caller asks, rests or stops.
    pub(super) fn tick(&mut self, now: Instant) -> Due {
        if self.overdue.is_some_and(|at| at <= now) {
            self.overdue = None;
            if self.in_job {
                return Due::Missed;
            }
            self.misses = self.misses.saturating_add(1);
            return if self.misses == STATUS_MISSES { Due::Silent } else { Due::Missed };
        }
        if self.next.is_some_and(|at| at <= now) {
            self.next = None;
            return Due::Ask;
        }
        Due::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_noticed_once_and_asked_into_seldom() {
        let (mut questions, mut now) = (Questions::default(), Instant::now());
        assert_eq!((questions.due(), questions.tick(now)), (None, Due::Nothing));
        let pace = Duration::from_secs(1);
        for miss in 1..=5 {
            questions.asked(now);
            now = questions.due().unwrap();
            let expected = if miss == STATUS_MISSES { Due::Silent } else { Due::Missed };
            assert_eq!(questions.tick(now), expected, "{miss}");
            questions.rest(now, pace);
            let pause = questions.due().unwrap() - now;
            assert_eq!(pause, if miss < STATUS_MISSES { pace } else { STATUS_PACE_SILENT });
            now += pause;
            assert_eq!(questions.tick(now), Due::Ask);
        }
        questions.asked(now);
        questions.answered();
        questions.rest(now, pace);
        assert_eq!(questions.due(), Some(now + pace));
        questions.stop();
        assert_eq!(questions.due(), None);
    }

    #[test]
    fn silence_in_a_job_says_nothing() {
        let (mut questions, mut now) = (Questions::default(), Instant::now());
        for _ in 0..2 * STATUS_MISSES {
            questions.asked_in_job(now);
            now = questions.due().unwrap();
            assert_eq!(questions.tick(now), Due::Missed);
        }
        questions.rest(now, Duration::from_secs(1));
        assert_eq!(questions.due(), Some(now + Duration::from_secs(1)));
    }
}
