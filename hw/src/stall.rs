//! The stall: a device that holds us back where nobody tells so.
//!
//! The kernel stops on XOFF and tells nobody (there is no call that reads it; `TIOCOUTQ` and `poll` look as they do on a
//! slow line), nor does it tell of a closed TCP window. But what is not held moves: if bytes wait, and none has left for
//! much longer than the line needs for one, the device holds us back.

use std::time::{Duration, Instant};

/// Whether output moves.
#[derive(Debug)]
pub(crate) struct Stall {
    limit: Duration,
    /// Bytes that had left, and since when it is no more than that.
    still: Option<(u64, Instant)>,
    held: bool,
}

impl Stall {
    /// It is a stall when nothing leaves for as long as `limit`.
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, still: None, held: false }
    }

    /// Tells it that this many bytes have left, ever, and whether more wait to.
    pub(crate) fn note(&mut self, left: u64, waiting: bool, now: Instant) {
        match self.still {
            Some((then, since)) if waiting && then == left => {
                self.held = now.saturating_duration_since(since) >= self.limit;
            }
            _ => {
                self.still = waiting.then_some((left, now));
                self.held = false;
            }
        }
    }

    /// True while the device holds us back.
    pub(crate) fn held(&self) -> bool {
        self.held
    }

    /// When it will be a stall, if nothing leaves until then.
    pub(crate) fn due(&self) -> Option<Instant> {
        let (_, since) = self.still.filter(|_| !self.held)?;
        since.checked_add(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::STALL;

    #[test]
    fn only_bytes_that_wait_and_do_not_move_are_a_stall() {
        let mut stall = Stall::new(STALL);
        let start = Instant::now();
        let at = |share: u32| start + STALL * share / 4;
        stall.note(0, false, at(0));
        assert_eq!((stall.held(), stall.due()), (false, None));
        stall.note(0, true, at(1));
        assert_eq!(stall.due(), Some(at(5)));
        stall.note(0, true, at(4));
        assert!(!stall.held());
        stall.note(1, true, at(5));
        assert_eq!((stall.held(), stall.due()), (false, Some(at(9))));
        stall.note(1, true, at(9));
        assert_eq!((stall.held(), stall.due()), (true, None));
        stall.note(2, true, at(10));
        assert!(!stall.held());
        stall.note(2, false, at(99));
        assert_eq!((stall.held(), stall.due()), (false, None));
    }
}
