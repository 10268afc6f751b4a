//! What a port's thread tells its monitor, paced.
//!
//! What happens once (a piece gone, an end, a loss) is told at once: it is bounded by what was asked. What a device can
//! do as often as it likes (bytes on the back channel, lines that flicker) is told at once after a quiet [`PACE`], and
//! else together at its end. So a status byte on a quiet line is not delayed, and a flood costs 50 messages a second.

use std::time::Instant;

use bytes::Bytes;
use despool_hw::{Line, PortFacts};

use super::lane::{PortEvent, Sink};
use crate::limits::{BACK_BYTES, PACE};

/// The thread's voice.
pub(super) struct Upward {
    sink: Sink,
    back: Vec<u8>,
    dropped: u64,
    line: Option<Line>,
    told_line: Option<Line>,
    /// What was told last about the port being there.
    presence: Option<Presence>,
    /// What the device said of itself when the port was opened.
    device_id: Option<String>,
    last: Option<Instant>,
}

#[derive(Clone, PartialEq)]
enum Presence {
    Open(PortFacts, Option<String>),
    Absent(String),
}

impl Upward {
    pub(super) fn new(sink: Sink) -> Self {
        Self {
            sink,
            back: Vec::new(),
            dropped: 0,
            line: None,
            told_line: None,
            presence: None,
            device_id: None,
            last: None,
        }
    }

    /// Tells at once.
    pub(super) fn tell(&self, event: PortEvent) {
        self.sink.tell(event);
    }

    /// The port was opened; this is the device.
    pub(super) fn opened(&mut self, facts: PortFacts, device_id: Option<String>) {
        self.device_id = device_id;
        self.ready(facts);
    }

    /// The open port is ready for a job: the device is the one that it was opened with.
    pub(super) fn ready(&mut self, facts: PortFacts) {
        self.be(Presence::Open(facts, self.device_id.clone()));
    }

    pub(super) fn absent(&mut self, why: String) {
        self.be(Presence::Absent(why));
        self.told_line = None;
    }

    fn be(&mut self, presence: Presence) {
        if self.presence.as_ref() != Some(&presence) {
            self.presence = Some(presence);
            self.tell_presence();
        }
    }

    fn tell_presence(&self) {
        match self.presence.clone() {
            Some(Presence::Open(facts, device_id)) => {
                self.tell(PortEvent::Opened { facts, device_id });
            }
            Some(Presence::Absent(why)) => self.tell(PortEvent::Absent { why }),
            None => {}
        }
    }

    /// Tells a new listener what it missed.
    pub(super) fn report(&mut self) {
        self.tell_presence();
        if let Some(line) = self.told_line {
            self.tell(PortEvent::Line(line));
        }
    }

    /// Takes back-channel bytes; what does not fit is dropped from the front, since the newest status counts.
    pub(super) fn back(&mut self, bytes: &[u8], now: Instant) {
        self.back.extend_from_slice(bytes);
        let surplus = self.back.len().saturating_sub(BACK_BYTES);
        self.back.drain(..surplus);
        self.dropped = self.dropped.saturating_add(u64::try_from(surplus).unwrap_or(u64::MAX));
        self.flush(now);
    }

    pub(super) fn line(&mut self, line: Line, now: Instant) {
        self.line = Some(line);
        self.flush(now);
    }

    /// When something that waits is to be told.
    pub(super) fn due(&self) -> Option<Instant> {
        let waits = !self.back.is_empty() || self.line.is_some();
        self.last.filter(|_| waits).and_then(|last| last.checked_add(PACE))
    }

    /// Tells what waits, if it is time.
    pub(super) fn flush(&mut self, now: Instant) {
        if self.due().is_some_and(|due| due > now) {
            return;
        }
        if let Some(line) = self.line.take()
            && self.told_line != Some(line)
        {
            self.told_line = Some(line);
            self.last = Some(now);
            self.tell(PortEvent::Line(line));
        }
        if !self.back.is_empty() {
            self.last = Some(now);
            let bytes = Bytes::from(std::mem::take(&mut self.back));
            let dropped = std::mem::take(&mut self.dropped);
            self.tell(PortEvent::Back { bytes, dropped });
        }
    }
}
