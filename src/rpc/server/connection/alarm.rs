//! The timer of a connection: deadlines move with every PDU, the timer does not.
//!
//! ```text
//!   Off ── a deadline ──► Set ── an earlier one ──► Set
//!    ▲                     │ a later one, or none any more: stays as it is
//!    └──── rings ◄─────────┘ and whoever hears it looks what the deadline is by now
//! ```
//!
//! Invariant: by the deadline it was last told it has rung, to the timer's millisecond. It may ring before that, once for
//! each time that it was set.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Instant;

use tokio::time::{Sleep, sleep_until};

/// See the module. A connection that never waits for anything has no timer.
#[derive(Default)]
pub(super) struct Alarm {
    timer: Option<Pin<Box<Sleep>>>,
    /// When it rings, if it is set.
    set: Option<Instant>,
}

impl Alarm {
    /// It must ring by then.
    pub(super) fn ring_by(&mut self, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return };
        if self.set.is_some_and(|set| set <= deadline) {
            return;
        }
        self.set = Some(deadline);
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(deadline.into()),
            None => self.timer = Some(Box::pin(sleep_until(deadline.into()))),
        }
    }

    /// Waits until it rings.
    pub(super) async fn rings(&mut self) {
        poll_fn(|cx| match &mut self.timer {
            Some(timer) if self.set.is_some() => timer.as_mut().poll(cx),
            _ => Poll::Pending,
        })
        .await;
        self.set = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{advance, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn now() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    async fn has_rung(alarm: &mut Alarm) -> bool {
        timeout(Duration::from_millis(1), alarm.rings()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn it_rings_by_the_earliest_deadline_and_once() {
        let mut alarm = Alarm::default();
        assert!(!has_rung(&mut alarm).await);
        alarm.ring_by(Some(now() + 10 * SECOND));
        alarm.ring_by(Some(now() + 20 * SECOND));
        alarm.ring_by(Some(now() + 5 * SECOND));
        alarm.ring_by(None);
        advance(4 * SECOND).await;
        assert!(!has_rung(&mut alarm).await);
        advance(SECOND).await;
        assert!(has_rung(&mut alarm).await);
        advance(20 * SECOND).await;
        assert!(!has_rung(&mut alarm).await, "it was not set again");
        alarm.ring_by(Some(now()));
        assert!(has_rung(&mut alarm).await);
    }
}
