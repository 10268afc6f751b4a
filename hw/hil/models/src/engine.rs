//! The printer behind a wire: what takes the bytes, and what it has to say.

use std::collections::VecDeque;
use std::time::Instant;

/// What the status lines of a wire show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Paper is out.
    pub paper_out: bool,
    /// Not selected.
    pub offline: bool,
    /// The printer reports an error.
    pub fault: bool,
}

/// A printer behind a wire.
pub trait Engine: Send {
    /// How many bytes it takes now.
    fn room(&self, now: Instant) -> usize;

    /// Takes the front of `bytes`, as far as there is room; how many.
    fn take(&mut self, bytes: &[u8], now: Instant) -> usize;

    /// What it says, at most `limit_bytes` of it.
    fn say(&mut self, limit_bytes: usize, now: Instant) -> Vec<u8>;

    /// What its status lines show.
    fn condition(&self) -> Condition;

    /// Forgets what it has not printed and what it wanted to say.
    fn reset(&mut self, now: Instant);

    /// When room or words will come by themselves.
    fn next_event(&self, now: Instant) -> Option<Instant>;
}

/// An engine that keeps what it takes, up to a limit, and says what it is told to. For tests.
#[derive(Debug)]
pub struct Sink {
    /// What was taken.
    pub taken: Vec<u8>,
    /// What it will say.
    pub words: VecDeque<u8>,
    /// It takes no more than this.
    pub limit_bytes: usize,
    /// What its status lines show.
    pub condition: Condition,
    /// How often it was reset.
    pub resets: u32,
}

impl Default for Sink {
    fn default() -> Self {
        Self {
            taken: Vec::new(),
            words: VecDeque::new(),
            limit_bytes: usize::MAX,
            condition: Condition::default(),
            resets: 0,
        }
    }
}

impl Engine for Sink {
    fn room(&self, _now: Instant) -> usize {
        self.limit_bytes.saturating_sub(self.taken.len())
    }

    fn take(&mut self, bytes: &[u8], now: Instant) -> usize {
        let bytes = bytes.get(..self.room(now)).unwrap_or(bytes);
        self.taken.extend_from_slice(bytes);
        bytes.len()
    }

    fn say(&mut self, limit_bytes: usize, _now: Instant) -> Vec<u8> {
        let count = self.words.len().min(limit_bytes);
        self.words.drain(..count).collect()
    }

    fn condition(&self) -> Condition {
        self.condition
    }

    fn reset(&mut self, _now: Instant) {
        self.words.clear();
        self.resets = self.resets.saturating_add(1);
    }

    fn next_event(&self, _now: Instant) -> Option<Instant> {
        None
    }
}
