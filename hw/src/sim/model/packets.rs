//! A printer's end of IEEE 1284.4: one service, `PRINT`, on socket 1. (HPLIP's `dot4.h`; the Epson tools.)
//!
//! ```text
//!   wire ──► packets ──► commands ──► answers
//!               └──► payload ──► tally, input buffer, PJL       credit = free places in the buffer
//!   wire ◄── packets ◄── what PJL says, as far as the host gave credit
//! ```
//!
//! The invariant: credit is given only for payload that has a place in the buffer, so that a printer out of paper stops the
//! document and goes on answering; a packet is taken only with credit for it.

use std::time::Instant;

use super::Model;
use super::back::Frame;

const HEADER_BYTES: usize = 6;
const SOCKET: u8 = 1;

/// The largest packet that it takes.
const PACKET_BYTES: usize = 4096;

/// A packet that never ends is no packet; nothing on this wire is longer.
const LINK_BYTES: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct Link {
    bytes: Vec<u8>,
    /// The channel is open; packets have at most so much payload.
    open: Option<usize>,
    /// Packets that the host may send.
    given: usize,
}

enum Got {
    Command(Vec<u8>),
    Payload(Vec<u8>),
    /// No packet, one without credit, or one that is too long: so many bytes.
    Nonsense(usize),
}

impl Link {
    fn next(&mut self, bytes: &mut &[u8]) -> Option<Got> {
        while let Some(byte) = bytes.split_off_first() {
            self.bytes.push(*byte);
            let [psid, ssid, high, low, _, _, payload @ ..] = self.bytes.as_slice() else {
                continue;
            };
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if self.bytes.len() < length {
                continue;
            }
            let fits = self.given > 0 && self.open.is_some_and(|open| payload.len() <= open);
            let got = match (psid, ssid) {
                (0, 0) if length >= HEADER_BYTES => Got::Command(payload.to_vec()),
                (&SOCKET, &SOCKET) if length >= HEADER_BYTES && fits => {
                    self.given = self.given.saturating_sub(1);
                    Got::Payload(payload.to_vec())
                }
                _ => Got::Nonsense(self.bytes.len()),
            };
            self.bytes.clear();
            return Some(got);
        }
        None
    }
}

impl Model {
    /// Room on a wire that carries packets: they are taken whatever the buffer holds.
    pub(super) fn link_room(&self, now: Instant) -> usize {
        let takes = self.plugged && !self.stalled;
        if takes { self.pace.room(now).min(LINK_BYTES) } else { 0 }
    }

    /// Takes bytes that are (parts of) packets.
    pub(super) fn take_packets(&mut self, mut bytes: &[u8], now: Instant) {
        while let Some(got) = self.link.as_mut().and_then(|link| link.next(&mut bytes)) {
            match got {
                Got::Command(command) => {
                    self.tally.beside(command.len().saturating_add(HEADER_BYTES));
                    self.obey(&command);
                }
                Got::Payload(payload) => {
                    self.tally.beside(HEADER_BYTES);
                    self.tally.enter(&payload, None);
                    self.feed(&payload, now);
                }
                Got::Nonsense(bytes) => {
                    self.tally.beside(bytes);
                    self.close_channel();
                    self.command(&[0x7f, 0, 0, 0x80]);
                }
            }
        }
        self.grant();
    }

    /// Says something on the transaction channel.
    fn command(&mut self, body: &[u8]) {
        let length = u16::try_from(body.len().saturating_add(HEADER_BYTES)).unwrap_or(u16::MAX);
        let [high, low] = length.to_be_bytes();
        self.back.push(&[&[0, 0, high, low, 1, 0][..], body].concat(), &mut self.log);
    }

    fn close_channel(&mut self) {
        self.link = self.link.take().map(|_| Link::default());
        self.back.frame(Some(Frame::default()));
    }

    fn obey(&mut self, command: &[u8]) {
        match *command {
            [0x00, revision @ (0x10 | 0x20), ..] => {
                self.close_channel();
                self.command(&[0x80, 0, revision]);
            }
            [0x00, ..] => self.command(&[0x80, 2, 0x20]),
            [0x01, SOCKET, SOCKET, high, low, ..] => self.open(u16::from_be_bytes([high, low])),
            [0x01, other, ..] => self.command(&[0x81, 9, other, other, 0, 0, 0, 0, 0, 0, 0, 0]),
            [0x02, socket, ..] => {
                self.close_channel();
                self.command(&[0x82, 0, socket, socket]);
            }
            [0x03, socket, _, high, low, ..] => {
                self.command(&[0x83, 0, socket, socket]);
                self.back.credit(u16::from_be_bytes([high, low]), &mut self.log);
            }
            [0x04, socket, ..] => self.give(&[0x84, 0, socket, socket]),
            [0x08, ..] => {
                self.close_channel();
                self.command(&[0x88, 0]);
            }
            [0x09, ref name @ ..] => {
                let (result, socket) = if name == b"PRINT" { (0, SOCKET) } else { (0x0a, 0) };
                self.command(&[&[0x89, result, socket], name].concat());
            }
            // `@EJL 1284.4`: it is in packet mode already.
            [b'E', ..] => self.command(&[0xc5, 0]),
            _ => {}
        }
    }

    fn open(&mut self, wanted: u16) {
        let place = (self.capacity / 4).clamp(1, PACKET_BYTES.saturating_sub(HEADER_BYTES));
        let payload = usize::from(wanted).saturating_sub(HEADER_BYTES).min(place);
        if let Some(link) = &mut self.link {
            (link.open, link.given) = (Some(payload), 0);
        }
        let size = u16::try_from(payload.saturating_add(HEADER_BYTES)).unwrap_or(u16::MAX);
        let [high, low] = size.to_be_bytes();
        self.back.frame(Some(Frame { socket: SOCKET, payload, ..Frame::default() }));
        self.give(&[0x81, 0, SOCKET, SOCKET, high, low, high, low, 0xff, 0xff]);
    }

    /// Credit that can be given now.
    fn credit(&self) -> u16 {
        let Some(Link { open: Some(payload), given, .. }) = &self.link else { return 0 };
        let more = (self.free() / (*payload).max(1)).saturating_sub(*given);
        u16::try_from(more).unwrap_or(u16::MAX)
    }

    /// Says a command that ends in the credit that can be given now. What cannot be said is not given.
    fn give(&mut self, head: &[u8]) {
        let (credit, lost) = (self.credit(), self.back.lost());
        self.command(&[head, &credit.to_be_bytes()].concat());
        if self.back.lost() == lost
            && let Some(link) = &mut self.link
        {
            link.given = link.given.saturating_add(credit.into());
        }
    }

    /// Gives credit without being asked where there is none left.
    pub(super) fn grant(&mut self) {
        let none_left =
            self.link.as_ref().is_some_and(|link| link.open.is_some() && link.given == 0);
        if none_left && self.credit() > 0 {
            self.give(&[0x03, SOCKET, SOCKET]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Condition, Keep, Language, ModelOptions};

    const INIT: &[u8] = b"\0\0\0\x08\x01\0\0\x20";
    const OPEN: &[u8] = b"\0\0\0\x0f\x01\0\x01\x01\x01\x40\0\x40\0\xff\xff";
    const CREDIT: &[u8] = b"\0\0\0\x0b\x01\0\x03\x01\x01\0\x10";

    struct Rig {
        model: Model,
        now: Instant,
    }

    impl Rig {
        fn new() -> Self {
            let keep = Keep::Memory { limit_bytes: 1000 };
            let options = ModelOptions { buffer_bytes: 40, keep, ..ModelOptions::default() };
            let now = Instant::now();
            Self { model: Model::new(Language::Ieee1284_4, options, now), now }
        }

        /// What it answers.
        fn tell(&mut self, bytes: &[u8]) -> Vec<u8> {
            assert_eq!(self.model.take(bytes, None, self.now), bytes.len());
            let mut said = Vec::new();
            self.model.reply(&mut said);
            said
        }

        fn sense(&mut self, command: &str) -> Vec<u8> {
            let command = crate::sim::parse_command(command).unwrap();
            self.model.apply(&command, self.now);
            let mut said = Vec::new();
            self.model.reply(&mut said);
            said
        }
    }

    #[test]
    fn the_way_up_golden() {
        let mut rig = Rig::new();
        let entry = b"\0\0\0\x1b\x01@EJL 1284.4\n@EJL\n@EJL\n";
        assert_eq!(rig.tell(entry), b"\0\0\0\x08\x01\0\xc5\0");
        assert_eq!(rig.tell(b"\0\0\0\x08\x01\0\0\x30"), b"\0\0\0\x09\x01\0\x80\x02\x20");
        assert_eq!(rig.tell(INIT), b"\0\0\0\x09\x01\0\x80\0\x20");
        let socket = b"\0\0\0\x0c\x01\0\x09PRINT";
        assert_eq!(rig.tell(socket), b"\0\0\0\x0e\x01\0\x89\0\x01PRINT");
        assert_eq!(rig.tell(b"\0\0\0\x08\x01\0\x09X"), b"\0\0\0\x0a\x01\0\x89\x0a\0X");
        let opened = b"\0\0\0\x12\x01\0\x81\0\x01\x01\0\x10\0\x10\xff\xff\0\x04";
        assert_eq!(rig.tell(OPEN), opened);
        assert_eq!(rig.tell(CREDIT), b"\0\0\0\x0a\x01\0\x83\0\x01\x01");
        assert_eq!(
            rig.tell(b"\0\0\0\x0b\x01\0\x04\x01\x01\xff\xff"),
            b"\0\0\0\x0c\x01\0\x84\0\x01\x01\0\0"
        );
        assert_eq!(rig.tell(b"\0\0\0\x07\x01\0\x08"), b"\0\0\0\x08\x01\0\x88\0");
    }

    #[test]
    fn payload_is_the_job_and_credit_is_for_free_places() {
        let mut rig = Rig::new();
        rig.tell(&[INIT, OPEN, CREDIT].concat());
        let packet = |payload: &[u8]| [&[1, 1, 0, 6 + payload.len() as u8, 0, 0], payload].concat();
        assert_eq!(rig.tell(&packet(b"one ")), b"");
        rig.sense("paper-out on");
        for _ in 0..2 {
            assert_eq!(rig.tell(&packet(b"0123456789")), b"");
        }
        let credit = |more: u8| [&b"\0\0\0\x0b\x01\0\x03\x01\x01\0"[..], &[more]].concat();
        assert_eq!(rig.tell(&packet(b"0123456789")), credit(1), "one more place");
        assert_eq!(rig.tell(&packet(b"0123456789")), b"", "and no more");
        assert_eq!(rig.model.buffered(), 40);
        assert_eq!(rig.sense("paper-out off"), credit(4));
        let received = rig.model.received();
        assert_eq!((received.bytes, received.monitor_bytes), (44, 34 + 5 * 6));
        assert!(rig.model.take_kept().starts_with(b"one 0123456789"));
        assert_eq!(rig.model.condition(), Condition::default());
    }

    #[test]
    fn a_full_buffer_does_not_hold_packets_back() {
        let mut rig = Rig::new();
        rig.tell(&[INIT, OPEN, CREDIT].concat());
        rig.sense("paper-out on");
        for _ in 0..4 {
            rig.tell(b"\x01\x01\0\x10\0\x000123456789");
        }
        assert!(rig.model.busy());
        rig.sense("speed 100");
        assert_eq!(rig.model.room(rig.now), 0);
        let then = rig.model.next_event(rig.now).unwrap();
        assert!(rig.model.room(then) > 0);
        rig.sense("stall on");
        assert_eq!(rig.model.next_event(rig.now), None);
    }

    #[test]
    fn status_comes_in_packets_as_far_as_there_is_credit() {
        let mut rig = Rig::new();
        rig.tell(&[INIT, OPEN].concat());
        let ask = b"\x1b%-12345X@PJL INFO ID\r\n";
        for part in ask.chunks(10) {
            let packet = [&[1, 1, 0, 6 + part.len() as u8, 0, 0], part].concat();
            assert!(!rig.tell(&packet).starts_with(&[1, 1]), "no credit");
        }
        let said = rig.tell(CREDIT);
        assert!(said.starts_with(b"\0\0\0\x0a\x01\0\x83\0\x01\x01\x01\x01\0\x10\0\0@PJL INFO "));
        assert_eq!(rig.sense("say 0102"), b"\x01\x02", "garbage is in no packet");
    }

    #[test]
    fn what_is_no_packet_ends_the_channel() {
        for nonsense in [&b"\x01\x01\0\x05\0\0"[..], b"\x01\x01\0\x07\0\0x", b"\x02\x02\0\x06\0\0"]
        {
            let mut rig = Rig::new();
            assert_eq!(rig.tell(nonsense), b"\0\0\0\x0a\x01\0\x7f\0\0\x80");
            assert_eq!(rig.model.received().bytes, 0);
        }
    }
}
