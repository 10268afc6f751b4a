//! The printer's end of the back channel: bounded, and a message is there whole or not at all.

use super::fifo::Fifo;
use crate::limits::SIM_BACK_BYTES;
use crate::sim::event::{Event, Log};

/// Bytes that the printer wants to send and that the wire has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Back {
    bytes: Fifo,
    sent: u64,
    lost: u64,
    frame: Option<Frame>,
}

/// How messages go in IEEE 1284.4 packets.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) socket: u8,
    /// Greatest payload; 0: the channel is closed, and what is said is lost.
    pub(super) payload: usize,
    /// Packets that the host takes.
    pub(super) credit: u16,
    /// Bytes that have no credit.
    pub(super) waiting: Vec<u8>,
}

impl Back {
    /// With messages in packets, or without.
    pub(super) fn new(framed: bool) -> Self {
        Self { frame: framed.then(Frame::default), ..Self::default() }
    }

    /// From now on messages go so.
    pub(super) fn frame(&mut self, frame: Option<Frame>) {
        self.frame = frame;
    }

    /// The host takes more packets.
    pub(super) fn credit(&mut self, more: u16, log: &mut Log) {
        if let Some(frame) = &mut self.frame {
            frame.credit = frame.credit.saturating_add(more);
        }
        self.flush(log);
    }

    /// Says a message, in packets where that is how messages go. False: it was dropped.
    pub(super) fn say(&mut self, message: &[u8], log: &mut Log) -> bool {
        let Some(frame) = &mut self.frame else { return self.push(message, log) };
        let fits = frame.waiting.len().saturating_add(message.len()) <= SIM_BACK_BYTES;
        if frame.payload == 0 || !fits {
            self.lost = self.lost.saturating_add(1);
            return false;
        }
        frame.waiting.extend_from_slice(message);
        self.flush(log);
        true
    }

    fn flush(&mut self, log: &mut Log) {
        while let Some(packet) = self.frame.as_mut().and_then(Frame::packet) {
            self.push(&packet, log);
        }
    }

    /// Queues a message, or drops it whole where the buffer is full (a printer's is small, too: HP PJL Technical
    /// Reference Manual p. 11-24, "Response Data Buffer Overflow"). False: it was dropped.
    pub(super) fn push(&mut self, message: &[u8], log: &mut Log) -> bool {
        if self.bytes.len().saturating_add(message.len()) > SIM_BACK_BYTES {
            self.lost = self.lost.saturating_add(1);
            return false;
        }
        self.bytes.push(message);
        if log.watched() && !message.is_empty() {
            log.push(Event::Said(message.to_vec()));
        }
        true
    }

    pub(super) fn waiting(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes that the wire took, ever.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Messages dropped, ever.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// Gives the oldest bytes to the wire; how many.
    pub(super) fn read(&mut self, into: &mut [u8]) -> usize {
        let front = self.bytes.front();
        let len = front.len().min(into.len());
        if let (Some(from), Some(to)) = (front.get(..len), into.get_mut(..len)) {
            to.copy_from_slice(from);
        }
        self.passed(len);
        len
    }

    /// Gives everything to the wire.
    pub(super) fn drain(&mut self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.bytes.front());
        self.passed(self.bytes.len());
    }

    /// Forgets what was not sent.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    fn passed(&mut self, len: usize) {
        self.bytes.consume(len);
        self.sent = self.sent.saturating_add(len as u64);
    }
}

impl Frame {
    /// The next packet, if there is one and credit for it.
    fn packet(&mut self) -> Option<Vec<u8>> {
        let len = self.waiting.len().min(self.payload);
        if len == 0 {
            return None;
        }
        self.credit = self.credit.checked_sub(1)?;
        let length = u16::try_from(len.saturating_add(6)).unwrap_or(u16::MAX);
        let [high, low] = length.to_be_bytes();
        let header = [self.socket, self.socket, high, low, 0, 0];
        Some(header.into_iter().chain(self.waiting.drain(..len)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_bounded_and_never_cuts_a_message() {
        let (mut back, mut log) = (Back::default(), Log::default());
        assert!(back.push(&vec![1; SIM_BACK_BYTES - 1], &mut log));
        assert!(!back.push(b"ab", &mut log));
        assert!(back.push(b"c", &mut log));
        assert_eq!((back.waiting(), back.lost()), (SIM_BACK_BYTES, 1));
        let mut all = vec![0; SIM_BACK_BYTES + 1];
        assert_eq!(back.read(&mut all), SIM_BACK_BYTES);
        assert_eq!(all[SIM_BACK_BYTES - 1], b'c');
        assert_eq!((back.sent(), back.read(&mut all)), (SIM_BACK_BYTES as u64, 0));
    }

    #[test]
    fn tells_the_log_and_drains() {
        let (mut back, mut log) = (Back::default(), Log::default());
        log.watch(true);
        back.push(b"hi", &mut log);
        assert_eq!(log.take(), [Event::Said(b"hi".to_vec())]);
        let mut out = b"> ".to_vec();
        back.drain(&mut out);
        assert_eq!(out, b"> hi");
        back.push(b"gone", &mut log);
        back.clear();
        assert_eq!((back.waiting(), back.sent()), (0, 2));
    }
}
