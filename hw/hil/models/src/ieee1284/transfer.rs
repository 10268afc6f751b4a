//! The transfer modes: nibble, byte and ECP, as the peripheral drives them.

use std::time::Instant;

use super::registers::{ACK, AUTO_FEED, FAULT, INIT, NOT_BUSY, PAPER_OUT, SELECT, STROBE};
use super::{Edge, Idle, Peripheral, Phase};
use crate::Engine;

impl<E: Engine> Peripheral<E> {
    /// Nibble and byte mode: the host asks for data by nAutoFd low, and has it by nAutoFd high.
    pub(super) fn give(&mut self, edge: Edge, now: Instant) {
        let first = self.phase != Phase::Nibble(true);
        if edge.rose(AUTO_FEED) {
            if first && !self.reverse.waits(&mut self.engine, now) {
                // Reverse idle: not answered, or the host would read a byte that is not there.
                self.idle = Idle::Silent;
            } else {
                // 7 → 8, 9.
                self.show(now);
            }
        } else if edge.fell(AUTO_FEED) {
            // 10 → 11.
            self.status |= ACK;
            match self.phase {
                _ if std::mem::take(&mut self.idle) != Idle::No => self.tell_waiting(now),
                Phase::Nibble(false) => self.phase = Phase::Nibble(true),
                _ => {
                    self.reverse.pop();
                    if self.phase == Phase::Nibble(true) {
                        self.phase = Phase::Nibble(false);
                    }
                    self.tell_waiting(now);
                }
            }
        }
    }

    /// Puts data on the lines, nAck low.
    fn show(&mut self, now: Instant) {
        let Some(byte) = self.reverse.peek(&mut self.engine, now) else { return };
        self.status &= !ACK;
        let nibble = match self.phase {
            Phase::Nibble(false) => byte & 0x0F,
            Phase::Nibble(true) => byte >> 4,
            _ => {
                self.reverse.shown = byte;
                return;
            }
        };
        let bit = |on: u8, bit: u8| if nibble & on != 0 { bit } else { 0 };
        self.status &= !(FAULT | SELECT | PAPER_OUT | NOT_BUSY);
        self.status |= bit(1, FAULT) | bit(2, SELECT) | bit(4, PAPER_OUT);
        // Busy is inverted in the register.
        self.status |= if nibble & 8 == 0 { NOT_BUSY } else { 0 };
    }

    /// Between bytes: nFault low says that more waits, and PError goes with it.
    fn tell_waiting(&mut self, now: Instant) {
        let waits = self.reverse.waits(&mut self.engine, now);
        self.status &= !(FAULT | PAPER_OUT);
        self.status |= NOT_BUSY | if waits { 0 } else { FAULT | PAPER_OUT };
    }

    pub(super) fn ecp_forward(&mut self, edge: Edge, now: Instant) {
        if edge.rose(AUTO_FEED) && self.status & PAPER_OUT == 0 {
            // 30 → 31.
            self.status |= PAPER_OUT;
        } else if edge.fell(INIT) {
            // 39 → 40, 43.
            self.phase = Phase::EcpReverse;
            self.status &= !PAPER_OUT;
            self.reversed = true;
            self.offer(now);
        } else if edge.rose(STROBE) {
            // 35 → 36. With HostAck low it is a command (an address), which is nobody's data.
            if edge.value & AUTO_FEED == 0 {
                self.take(now);
            }
            self.status &= !NOT_BUSY;
        } else if edge.fell(STROBE) {
            // 37 → 32, once there is room for another.
            self.choked = self.engine.room(now) == 0;
            self.status |= if self.choked { 0 } else { NOT_BUSY };
        }
    }

    pub(super) fn ecp_reverse(&mut self, edge: Edge, now: Instant) {
        if edge.rose(INIT) {
            // 47 → 49.
            self.phase = Phase::EcpForward;
            self.reversed = false;
            self.status |= PAPER_OUT | ACK | NOT_BUSY;
        } else if edge.fell(AUTO_FEED) && self.status & ACK == 0 {
            // 44 → 45.
            self.reverse.pop();
            self.status |= ACK;
        } else if edge.rose(AUTO_FEED) {
            // 46 → 43.
            self.offer(now);
        }
    }

    /// ECP: puts a byte on the data lines, nAck low, Busy high (Busy low would mark a command).
    pub(super) fn offer(&mut self, now: Instant) {
        if let Some(byte) = self.reverse.peek(&mut self.engine, now) {
            self.reverse.shown = byte;
            self.status &= !(ACK | NOT_BUSY | FAULT);
        }
    }

    pub(super) fn refresh_reverse(&mut self, now: Instant) {
        let waits = self.reverse.waits(&mut self.engine, now);
        match self.idle {
            Idle::Silent if waits => {
                self.idle = Idle::Announced;
                self.status &= !FAULT;
            }
            Idle::Announced if waits => {
                self.idle = Idle::No;
                self.show(now);
            }
            _ => {}
        }
        let between = self.registers.control & AUTO_FEED == 0
            && self.phase != Phase::Nibble(true)
            && self.status & ACK != 0;
        if between {
            self.status = (self.status & !FAULT) | if waits { 0 } else { FAULT };
        }
    }
}
