use proptest::prelude::*;

use super::*;
use crate::{Condition, Sink};

const ID: &[u8] = b"\0\x12MFG:A;MDL:Label;";

/// The host, step by step as Linux does it (`drivers/parport/ieee1284.c`, `ieee1284_ops.c`): `None` where it would time
/// out.
struct Host {
    port: Peripheral<Sink>,
    control: u8,
    now: Instant,
}

impl Host {
    fn new() -> Self {
        let port = Peripheral::new(Sink::default(), Modes::default(), ID.to_vec());
        Self { port, control: Registers::default().control, now: Instant::now() }
    }

    fn frob(&mut self, mask: u8, value: u8) {
        self.control = (self.control & !mask) | value;
        self.port.write_control(self.control, self.now);
    }

    /// Waits for lines, a bounded time.
    fn wait(&mut self, mask: u8, value: u8) -> Option<u8> {
        (0..4).map(|_| self.port.read_status(self.now)).find(|status| status & mask == value)
    }

    fn compat_write(&mut self, bytes: &[u8]) -> usize {
        for (count, byte) in bytes.iter().enumerate() {
            if self.wait(NOT_BUSY, NOT_BUSY).is_none() {
                return count;
            }
            self.port.write_data(*byte);
            self.frob(STROBE, STROBE);
            self.frob(STROBE, 0);
        }
        bytes.len()
    }

    fn negotiate(&mut self, mode: u8) -> Option<()> {
        self.frob(AUTO_FEED | STROBE | SELECT_IN, 0);
        self.port.write_data(mode);
        self.frob(SELECT_IN | AUTO_FEED, AUTO_FEED);
        self.wait(ACK | SELECT | FAULT | PAPER_OUT, SELECT | FAULT | PAPER_OUT)?;
        self.frob(STROBE, STROBE);
        self.frob(STROBE | AUTO_FEED, 0);
        let status = self.wait(ACK, ACK)?;
        // XFlag is low for nibble mode only.
        ((status & SELECT != 0) == (mode != 0)).then_some(())?;
        if mode & 0x10 != 0 {
            // Event 30.
            self.frob(AUTO_FEED, AUTO_FEED);
            self.wait(PAPER_OUT, PAPER_OUT)?;
            self.frob(AUTO_FEED, 0);
        }
        Some(())
    }

    fn terminate(&mut self) {
        self.frob(SELECT_IN | AUTO_FEED | INIT, SELECT_IN | INIT);
        self.wait(ACK, 0);
        self.frob(AUTO_FEED, AUTO_FEED);
        self.wait(ACK, ACK);
        self.frob(AUTO_FEED, 0);
    }

    fn read_nibbles(&mut self, limit: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < limit {
            if self.port.read_status(self.now) & FAULT != 0 {
                // Left low: reverse idle.
                self.frob(AUTO_FEED, AUTO_FEED);
                return bytes;
            }
            let mut byte = 0;
            for half in 0..2 {
                self.frob(AUTO_FEED, AUTO_FEED);
                let Some(status) = self.wait(ACK, 0) else { return bytes };
                let mut nibble = (status >> 3) & !8 & 7;
                nibble |= if status & NOT_BUSY == 0 { 8 } else { 0 };
                byte |= nibble << (4 * half);
                self.frob(AUTO_FEED, 0);
                if self.wait(ACK, ACK).is_none() {
                    return bytes;
                }
            }
            bytes.push(byte);
        }
        bytes
    }

    fn read_bytes(&mut self, limit: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.port.set_reversed(true);
        while bytes.len() < limit {
            if self.port.read_status(self.now) & FAULT != 0 {
                self.frob(AUTO_FEED, AUTO_FEED);
                break;
            }
            self.frob(AUTO_FEED, AUTO_FEED);
            if self.wait(ACK, 0).is_none() {
                break;
            }
            bytes.push(self.port.read_data());
            self.frob(AUTO_FEED, 0);
            self.wait(ACK, ACK);
            self.frob(STROBE, STROBE);
            self.frob(STROBE, 0);
        }
        bytes
    }

    fn ecp_write(&mut self, bytes: &[u8]) -> usize {
        self.frob(AUTO_FEED | STROBE | INIT, INIT);
        for (count, byte) in bytes.iter().enumerate() {
            if self.wait(NOT_BUSY, NOT_BUSY).is_none() {
                return count;
            }
            self.port.write_data(*byte);
            self.frob(STROBE, STROBE);
            assert!(self.wait(NOT_BUSY, 0).is_some());
            self.frob(STROBE, 0);
        }
        bytes.len()
    }

    fn ecp_read(&mut self, limit: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.port.set_reversed(true);
        self.frob(AUTO_FEED, AUTO_FEED);
        self.frob(INIT, 0);
        assert!(self.wait(PAPER_OUT, 0).is_some());
        self.frob(AUTO_FEED, AUTO_FEED);
        while bytes.len() < limit {
            let Some(status) = self.wait(ACK, 0) else { break };
            assert_eq!(status & NOT_BUSY, 0, "a command");
            bytes.push(self.port.read_data());
            self.frob(AUTO_FEED, 0);
            assert!(self.wait(ACK, ACK).is_some());
            self.frob(AUTO_FEED, AUTO_FEED);
        }
        self.frob(INIT, INIT);
        self.port.set_reversed(false);
        self.frob(AUTO_FEED, 0);
        bytes
    }

    fn push(&mut self, bytes: &[u8]) {
        self.port.engine().words.extend(bytes);
    }
}

#[test]
fn bytes_go_out_until_it_is_busy() {
    let mut host = Host::new();
    assert_eq!(host.compat_write(b"hello"), 5);
    host.port.engine().limit_bytes = 7;
    assert_eq!(host.compat_write(b" world"), 2);
    host.port.engine().limit_bytes = 100;
    assert_eq!(host.compat_write(b"orld"), 4);
    assert_eq!(host.port.engine().taken, b"hello world");
}

#[test]
fn the_lines_show_what_is_wrong() {
    let mut host = Host::new();
    let of = |host: &mut Host, paper_out, offline, fault| {
        host.port.engine().condition = Condition { paper_out, offline, fault };
        host.port.read_status(host.now) & 0xF8
    };
    assert_eq!(of(&mut host, false, false, false), 0xD8);
    assert_eq!(of(&mut host, true, false, false), 0xF8);
    assert_eq!(of(&mut host, false, true, false), 0x48);
    assert_eq!(of(&mut host, false, false, true), 0xD0);
}

#[test]
fn the_device_id_in_each_mode() {
    let mut host = Host::new();
    host.push(b"words that are no id");
    host.negotiate(0x04).unwrap();
    assert_eq!(host.read_nibbles(100), ID);
    host.terminate();
    host.negotiate(0x05).unwrap();
    assert_eq!(host.read_bytes(100), ID);
    host.terminate();
    host.negotiate(0x14).unwrap();
    assert_eq!(host.ecp_read(ID.len()), ID);
    host.terminate();
    assert_eq!(host.compat_write(b"x"), 1);
    assert_eq!(host.port.engine().taken, b"x");
}

#[test]
fn an_empty_reverse_channel_gives_nothing_and_then_all() {
    for mode in [0x00, 0x01] {
        let mut host = Host::new();
        host.negotiate(mode).unwrap();
        let read = |host: &mut Host| {
            if mode == 0 { host.read_nibbles(100) } else { host.read_bytes(100) }
        };
        for words in [&b"first"[..], b"second"] {
            assert_eq!(read(&mut host), b"");
            host.push(words);
            assert_eq!(read(&mut host), words, "mode {mode}");
        }
        host.terminate();
        assert_eq!(host.compat_write(b"x"), 1);
    }
}

#[test]
fn ecp_both_ways() {
    let mut host = Host::new();
    host.negotiate(0x10).unwrap();
    assert_eq!(host.ecp_write(b"out"), 3);
    host.push(b"in");
    assert_eq!(host.ecp_read(100), b"in");
    host.port.engine().limit_bytes = 5;
    assert_eq!(host.ecp_write(b"more"), 2, "no room holds it back");
    host.port.engine().limit_bytes = 100;
    assert_eq!(host.ecp_write(b"re"), 2);
    host.terminate();
    assert_eq!(host.port.engine().taken, b"outmore");
}

#[test]
fn what_it_does_not_know_is_refused() {
    let mut host = Host::new();
    assert_eq!(host.negotiate(0x40), None, "EPP");
    host.terminate();
    host.port.set_modes(Modes { nibble: true, byte: false, ecp: false });
    for mode in [0x01, 0x10] {
        assert_eq!(host.negotiate(mode), None);
        host.terminate();
    }
    assert_eq!(host.negotiate(0), Some(()));
    host.terminate();
    assert_eq!(host.compat_write(b"x"), 1);
}

#[test]
fn a_pulse_of_init_resets_the_printer() {
    let mut host = Host::new();
    host.frob(INIT, 0);
    host.frob(INIT, INIT);
    assert_eq!((host.port.engine().resets, host.port.counts().2), (1, 1));
}

#[test]
fn registers_survive_a_snapshot() {
    let mut host = Host::new();
    host.port.write_data(0x04);
    let saved = host.port.registers();
    let mut fresh = Host::new();
    fresh.port.restore(saved, fresh.now);
    // The host believes that the register holds this byte, and only strobes.
    fresh.frob(STROBE, STROBE);
    fresh.frob(STROBE, 0);
    assert_eq!(fresh.port.engine().taken, [0x04]);
}

proptest! {
    #[test]
    fn nothing_is_lost_or_doubled(steps in prop::collection::vec((0u8..5, prop::collection::vec(any::<u8>(), 0..20)), 1..30)) {
        let mut host = Host::new();
        let (mut sent, mut said, mut heard) = (Vec::new(), Vec::new(), Vec::new());
        for (kind, bytes) in steps {
            match kind {
                0 => { host.compat_write(&bytes); sent.extend(&bytes); }
                1 => { host.push(&bytes); said.extend(&bytes); }
                2 => { host.negotiate(0).unwrap(); heard.extend(host.read_nibbles(bytes.len())); host.terminate(); }
                3 => { host.negotiate(1).unwrap(); heard.extend(host.read_bytes(bytes.len())); host.terminate(); }
                _ => {
                    host.negotiate(0x10).unwrap();
                    host.ecp_write(&bytes);
                    sent.extend(&bytes);
                    heard.extend(host.ecp_read(bytes.len()));
                    host.terminate();
                }
            }
        }
        prop_assert_eq!(&host.port.engine().taken, &sent);
        prop_assert_eq!(&heard[..], &said[..heard.len()]);
    }
}

#[test]
fn fuzz_registers() {
    bolero::check!().for_each(|input: &[u8]| {
        let mut host = Host::new();
        let mut strobes = 0;
        for pair in input.chunks_exact(2) {
            match pair[0] % 4 {
                0 => host.port.write_data(pair[1]),
                1 => {
                    strobes += 1;
                    host.port.write_control(pair[1], host.now);
                }
                2 => host.push(&pair[1..]),
                _ => drop((host.port.read_status(host.now), host.port.read_data())),
            }
        }
        assert!(host.port.engine().taken.len() <= strobes);
    });
}
