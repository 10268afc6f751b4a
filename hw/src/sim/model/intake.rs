//! The way of bytes through the printer: taken, counted, requests answered, buffered, given to the language.

use std::time::Instant;

use super::Model;
use super::bench::Bench;
use super::interpreter::Interpreter;
use super::realtime::{Ask, Piece};
use crate::Origin;
use crate::sim::event::Event;

impl Model {
    /// Takes the front of `bytes`, as far as there is room; how many. `origin`: who sends them, `None` on a real
    /// wire.
    pub fn take(&mut self, bytes: &[u8], origin: Option<Origin>, now: Instant) -> usize {
        let busy = self.busy();
        let room = match origin {
            Some(Origin::Job) => self.room(now),
            Some(Origin::Monitor) | None => self.wire_room(now),
        };
        let bytes = bytes.get(..room).unwrap_or(bytes);
        if bytes.is_empty() {
            return 0;
        }
        self.pace.spend(bytes.len(), now);
        if self.link.is_some() {
            self.take_packets(bytes, now);
            self.log.push(Event::Took { bytes: bytes.len() as u64 });
            return bytes.len();
        }
        self.tally.enter(bytes, origin);
        let data = self.admit(bytes, now);
        self.express = if busy { self.express.saturating_add(data) } else { 0 };
        self.log.push(Event::Took { bytes: bytes.len() as u64 });
        bytes.len()
    }

    /// Answers requests and buffers the rest; how many bytes the rest was.
    fn admit(&mut self, mut bytes: &[u8], now: Instant) -> usize {
        let mut data = 0usize;
        let mut feed = |model: &mut Self, bytes: &[u8]| {
            data = data.saturating_add(bytes.len());
            model.feed(bytes, now);
        };
        while let Some(piece) = self.realtime.next(&mut bytes) {
            match piece {
                Piece::Data(bytes) => feed(self, bytes),
                Piece::Held(held) => feed(self, held.bytes()),
                Piece::Ask(Ask::CancelAll) => self.forget_input(),
                Piece::Ask(ask) => self.with_language(now, |it, _, bench| it.answer(ask, bench)),
            }
        }
        data
    }

    /// Gives data to the language, through the buffer where it cannot go at once.
    pub(super) fn feed(&mut self, bytes: &[u8], now: Instant) {
        self.interpreter.arrive(bytes);
        let used = match self.input.is_empty() {
            true => self.with_language(now, |it, _, bench| it.eat(bytes, bench)),
            false => 0,
        };
        self.eaten = self.eaten.saturating_add(used as u64);
        self.input.push(bytes.get(used..).unwrap_or_default());
        self.run(now);
    }

    /// Lets the language work on the buffer as far as it can.
    pub(super) fn run(&mut self, now: Instant) {
        loop {
            while self.ends.front().is_some_and(|end| *end <= self.eaten) {
                self.ends.pop_front();
                self.with_language(now, |it, _, bench| it.end_of_job(bench));
            }
            let to_end = self.ends.front().map_or(u64::MAX, |end| end.saturating_sub(self.eaten));
            let limit = usize::try_from(to_end).unwrap_or(usize::MAX);
            let used = self.with_language(now, |it, input, bench| {
                it.eat(input.get(..limit).unwrap_or(input), bench)
            });
            if used == 0 {
                break;
            }
            self.input.consume(used);
            self.eaten = self.eaten.saturating_add(used as u64);
        }
    }

    /// One step of the language, which also sees what is in the buffer.
    pub(super) fn with_language<R>(
        &mut self,
        now: Instant,
        act: impl FnOnce(&mut Interpreter, &[u8], &mut Bench<'_>) -> R,
    ) -> R {
        let buffer_full = self.free() == 0;
        let Self { interpreter, input, condition, back, log, pages, .. } = self;
        let mut bench = Bench { condition: *condition, now, buffer_full, back, log, pages };
        act(interpreter, input.front(), &mut bench)
    }
}
