//! What the peripheral has to say: the device id while that is asked for, else the engine's words.

use std::collections::VecDeque;
use std::time::Instant;

use crate::Engine;

/// Words fetched from the engine at a time.
const FETCH_BYTES: usize = 64;

#[derive(Debug)]
pub(super) struct Reverse {
    /// The device id, the length included.
    pub(super) id: Vec<u8>,
    /// What is on the data lines.
    pub(super) shown: u8,
    /// What is left of the id while it is being read.
    reading_id: Option<VecDeque<u8>>,
    words: VecDeque<u8>,
}

impl Reverse {
    pub(super) fn new(id: Vec<u8>) -> Self {
        Self { id, shown: 0xFF, reading_id: None, words: VecDeque::new() }
    }

    pub(super) fn begin_id(&mut self) {
        self.reading_id = Some(self.id.iter().copied().collect());
    }

    pub(super) fn end_id(&mut self) {
        self.reading_id = None;
    }

    pub(super) fn clear(&mut self) {
        self.words.clear();
    }

    /// The next byte, which stays.
    pub(super) fn peek(&mut self, engine: &mut impl Engine, now: Instant) -> Option<u8> {
        if let Some(id) = &self.reading_id {
            return id.front().copied();
        }
        if self.words.is_empty() {
            self.words.extend(engine.say(FETCH_BYTES, now));
        }
        self.words.front().copied()
    }

    pub(super) fn waits(&mut self, engine: &mut impl Engine, now: Instant) -> bool {
        self.peek(engine, now).is_some()
    }

    pub(super) fn pop(&mut self) {
        self.reading_id.as_mut().unwrap_or(&mut self.words).pop_front();
    }
}
