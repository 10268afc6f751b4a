//! A direct job's bytes on their way past the spool: from a front end to a print processor, a few portions at a time.
//!
//! ```text
//!   front end ── push().await ──► [ portions, at most DIRECT_PORTIONS ] ──► lend() ── processor
//!        ▲ room                                                  more ▲
//! ```
//!
//! Nothing is kept: what was lent is gone. So a direct job cannot go on after it was cut off, and cannot be printed again.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::limits::DIRECT_PORTIONS;
use crate::piece::Piece;
use crate::processor::{Reach, Source};

/// Both ends of a direct job's way.
#[derive(Clone, Default)]
pub struct Pipe(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    room: Notify,
}

#[derive(Default)]
struct State {
    portions: VecDeque<Bytes>,
    /// Bytes that were lent.
    lent: u64,
    /// Bytes that came.
    came: u64,
    last: Option<u8>,
    end: End,
    more: Option<Box<dyn FnOnce() + Send>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum End {
    #[default]
    Open,
    Whole,
    Broken,
}

impl Pipe {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a portion in, waiting for room. False where nobody will take it any more.
    pub async fn push(&self, portion: Bytes) -> bool {
        loop {
            let room = self.0.room.notified();
            {
                let mut state = self.state();
                if state.end != End::Open {
                    return false;
                }
                if state.portions.len() < DIRECT_PORTIONS {
                    if let Some(last) = portion.last() {
                        state.last = Some(*last);
                        state.came = state
                            .came
                            .saturating_add(u64::try_from(portion.len()).unwrap_or(u64::MAX));
                        state.portions.push_back(portion);
                    }
                    wake(state);
                    return true;
                }
            }
            room.await;
        }
    }

    /// Says that all of it has come.
    pub fn finish(&self) {
        self.close(End::Whole);
    }

    /// Says that the rest will never come, or that nobody takes it any more.
    pub fn break_off(&self) {
        self.close(End::Broken);
    }

    fn close(&self, end: End) {
        let mut state = self.state();
        if state.end == End::Open {
            state.end = end;
        }
        wake(state);
        self.0.room.notify_waiters();
    }

    /// Calls `then` once: when there is more than `offset`, or the end is known. At once if that is so already.
    pub fn when_beyond(&self, offset: u64, then: impl FnOnce() + Send + 'static) {
        let mut state = self.state();
        if state.came > offset || state.end != End::Open {
            drop(state);
            then();
        } else {
            state.more = Some(Box::new(then));
        }
    }
}

fn wake(mut state: MutexGuard<'_, State>) {
    let more = state.more.take();
    drop(state);
    if let Some(more) = more {
        more();
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        write!(f, "Pipe({} of {} bytes lent)", state.lent, state.came)
    }
}

impl Source for Pipe {
    type Error = despool_spool::Error;

    fn reach(&self) -> Reach {
        let state = self.state();
        match state.end {
            End::Open => Reach::Open(state.came),
            End::Whole => Reach::Whole(state.came),
            End::Broken => Reach::Broken,
        }
    }

    fn lend(&self, _: u64, _: usize) -> Result<Option<Piece>, Self::Error> {
        let mut state = self.state();
        let portion = state.portions.pop_front();
        if let Some(portion) = &portion {
            state.lent =
                state.lent.saturating_add(u64::try_from(portion.len()).unwrap_or(u64::MAX));
        }
        drop(state);
        self.0.room.notify_one();
        Ok(portion.map(Piece::inline))
    }

    /// The last byte of all, or the front of what has not been lent (which is lent by that).
    fn copy(&self, from: u64, buf: &mut [u8]) -> Result<usize, Self::Error> {
        let mut state = self.state();
        if from < state.lent {
            let last = state.last.filter(|_| from.saturating_add(1) == state.came);
            return Ok(match (last, buf.first_mut()) {
                (Some(last), Some(first)) => {
                    *first = last;
                    1
                }
                _ => 0,
            });
        }
        let Some(mut portion) = state.portions.pop_front() else { return Ok(0) };
        let front = portion.split_to(portion.len().min(buf.len()));
        if let Some(to) = buf.get_mut(..front.len()) {
            to.copy_from_slice(&front);
        }
        if !portion.is_empty() {
            state.portions.push_front(portion);
        }
        state.lent = state.lent.saturating_add(u64::try_from(front.len()).unwrap_or(u64::MAX));
        drop(state);
        self.0.room.notify_one();
        Ok(front.len())
    }
}
