//! The peripheral's side of a parallel port (IEEE 1284-1994), seen through the registers of a PC port.
//!
//! ```text
//!                    1284Active + extensibility byte                 reverse request
//!   Compatible ─────────► Negotiating ─────────► Nibble, Byte, EcpForward ◄────────► EcpReverse
//!       ▲                     │ (refused)             │
//!       └──── Terminating ◄───┴───────────────────────┘ 1284Active low
//! ```
//!
//! The numbers in comments are the events of the standard's state diagrams. EPP is not there, and asking for it is
//! refused. In compatible mode there is no acknowledge pulse: the port is polled, and Busy says it all.
//!
//! The one invariant: a byte is taken from the host once per strobe, and leaves the reverse channel once per handshake;
//! a host that polls an empty reverse channel gets nothing.

mod registers;
mod reverse;
mod transfer;

use std::time::Instant;

use self::registers::{
    ACK, AUTO_FEED, FAULT, INIT, NOT_BUSY, PAPER_OUT, SELECT, SELECT_IN, STROBE,
};
pub use self::registers::{Registers, control, status};
use self::reverse::Reverse;
use crate::Engine;

/// Which modes the peripheral agrees to, beside compatible mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    /// Four bits at a time, on the status lines; also for the device id.
    pub nibble: bool,
    /// Eight bits at a time, on the data lines.
    pub byte: bool,
    /// Both ways, eight bits at a time.
    pub ecp: bool,
}

impl Default for Modes {
    fn default() -> Self {
        Self { nibble: true, byte: true, ecp: true }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Compatible,
    /// With the extensibility byte, once it has come.
    Negotiating(Option<u8>),
    Refused,
    /// True: the upper half of the byte comes next.
    Nibble(bool),
    Byte,
    EcpForward,
    EcpReverse,
    Terminating,
}

/// Whether the peripheral has told the host that there is nothing, and what it does when there is something again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Idle {
    #[default]
    No,
    /// The host waits and was not answered.
    Silent,
    /// nFault was shown low: the next look at the status finds the byte.
    Announced,
}

/// The printer's end of the cable.
#[derive(Debug)]
pub struct Peripheral<E> {
    engine: E,
    modes: Modes,
    phase: Phase,
    idle: Idle,
    registers: Registers,
    status: u8,
    /// The host has turned the data lines round.
    reversed: bool,
    reverse: Reverse,
    /// ECP: the last byte was acknowledged, but there is no room for the next.
    choked: bool,
    accesses: u64,
    taken: u64,
    inits: u32,
}

impl<E: Engine> Peripheral<E> {
    /// A printer that is on line. `id`: what it answers when asked for its device id, the length included.
    pub fn new(engine: E, modes: Modes, id: Vec<u8>) -> Self {
        let mut peripheral = Self {
            engine,
            modes,
            phase: Phase::Compatible,
            idle: Idle::No,
            registers: Registers::default(),
            status: 0,
            reversed: false,
            reverse: Reverse::new(id),
            choked: false,
            accesses: 0,
            taken: 0,
            inits: 0,
        };
        peripheral.status = peripheral.at_rest(Instant::now());
        peripheral
    }

    /// The printer behind the wire.
    pub fn engine(&mut self) -> &mut E {
        &mut self.engine
    }

    /// Another device id, the length included.
    pub fn set_id(&mut self, id: Vec<u8>) {
        self.reverse.id = id;
    }

    /// Agrees to other modes from the next negotiation on.
    pub fn set_modes(&mut self, modes: Modes) {
        self.modes = modes;
    }

    /// What the host has in its registers.
    pub fn registers(&self) -> Registers {
        self.registers
    }

    /// Puts the registers as they were when a snapshot was taken. The host does not write what it thinks is there.
    pub fn restore(&mut self, registers: Registers, now: Instant) {
        self.registers = registers;
        self.phase = Phase::Compatible;
        self.status = self.at_rest(now);
    }

    /// Register accesses, bytes taken, and pulses of nInit, ever.
    pub fn counts(&self) -> (u64, u64, u32) {
        (self.accesses, self.taken, self.inits)
    }

    /// The host writes the data register.
    pub fn write_data(&mut self, value: u8) {
        self.accesses = self.accesses.saturating_add(1);
        self.registers.data = value;
    }

    /// The host reads the data register.
    pub fn read_data(&mut self) -> u8 {
        self.accesses = self.accesses.saturating_add(1);
        let turned = self.reversed || self.registers.control & control::REVERSE != 0;
        if turned { self.reverse.shown } else { self.registers.data }
    }

    /// The host turns the data lines round.
    pub fn set_reversed(&mut self, reversed: bool) {
        self.accesses = self.accesses.saturating_add(1);
        self.reversed = reversed;
        if reversed && self.phase == Phase::Compatible {
            // Nobody drives the lines.
            self.reverse.shown = 0xFF;
        }
    }

    /// The host writes the control register.
    pub fn write_control(&mut self, value: u8, now: Instant) {
        self.accesses = self.accesses.saturating_add(1);
        let value = value & control::ALL;
        let old = std::mem::replace(&mut self.registers.control, value);
        self.step(Edge { value, rose: value & !old, fell: old & !value }, now);
    }

    /// The host reads the control register.
    pub fn read_control(&mut self) -> u8 {
        self.accesses = self.accesses.saturating_add(1);
        self.registers.control | 0xC0
    }

    /// The host reads the status register.
    pub fn read_status(&mut self, now: Instant) -> u8 {
        self.accesses = self.accesses.saturating_add(1);
        self.refresh(now);
        self.status | 0x07
    }

    /// The status in compatible mode.
    fn at_rest(&self, now: Instant) -> u8 {
        let condition = self.engine.condition();
        let busy = condition.offline || self.engine.room(now) == 0;
        let bit = |bit: u8, on: bool| if on { bit } else { 0 };
        ACK | bit(NOT_BUSY, !busy)
            | bit(PAPER_OUT, condition.paper_out)
            | bit(SELECT, !condition.offline)
            | bit(FAULT, !condition.fault)
    }

    fn step(&mut self, edge: Edge, now: Instant) {
        let Edge { value, .. } = edge;
        let negotiated =
            !matches!(self.phase, Phase::Compatible | Phase::Negotiating(_) | Phase::Terminating);
        if negotiated && edge.rose(SELECT_IN) {
            // 22 → 23, 24: Busy high, nAck low.
            self.phase = Phase::Terminating;
            self.status = (self.status & !(NOT_BUSY | ACK)) | FAULT;
            self.reverse.end_id();
            self.reversed = false;
            return;
        }
        match self.phase {
            Phase::Compatible => self.compatible(edge, now),
            Phase::Negotiating(_) if value & SELECT_IN != 0 => self.rest(now),
            Phase::Negotiating(asked) => self.negotiate(asked, edge, now),
            Phase::Nibble(_) | Phase::Byte => self.give(edge, now),
            Phase::EcpForward => self.ecp_forward(edge, now),
            Phase::EcpReverse => self.ecp_reverse(edge, now),
            Phase::Terminating => self.terminate(edge, now),
            Phase::Refused => {}
        }
    }

    fn rest(&mut self, now: Instant) {
        self.phase = Phase::Compatible;
        self.status = self.at_rest(now);
    }

    fn compatible(&mut self, edge: Edge, now: Instant) {
        if edge.value & INIT == 0 {
            if edge.fell(INIT) {
                self.inits = self.inits.saturating_add(1);
                self.engine.reset(now);
                self.reverse.clear();
            }
            self.status = self.at_rest(now);
        } else if edge.value & SELECT_IN == 0 && edge.value & AUTO_FEED != 0 {
            // 1 → 2: nAck low; PError, nFault and Select high.
            self.phase = Phase::Negotiating(None);
            self.status = PAPER_OUT | SELECT | FAULT | NOT_BUSY;
        } else if edge.rose(STROBE) {
            self.take(now);
            self.status = self.at_rest(now);
        }
    }

    fn take(&mut self, now: Instant) {
        let taken = self.engine.take(&[self.registers.data], now);
        self.taken = self.taken.saturating_add(taken as u64);
    }

    fn negotiate(&mut self, asked: Option<u8>, edge: Edge, now: Instant) {
        // 3: the extensibility byte is strobed in.
        let asked = if edge.rose(STROBE) { Some(self.registers.data) } else { asked };
        self.phase = Phase::Negotiating(asked);
        let released = edge.value & (STROBE | AUTO_FEED) == 0;
        let Some(asked) = asked.filter(|_| released) else { return };
        // 4 → 5, 6: XFlag (Select) says whether the mode is agreed to, but for plain nibble mode, which has it low.
        let (phase, flag) = self.agree(asked);
        self.phase = phase;
        self.idle = Idle::No;
        let waits = phase != Phase::Refused && {
            if asked & 0x04 != 0 {
                self.reverse.begin_id();
            }
            self.reverse.waits(&mut self.engine, now)
        };
        self.status =
            NOT_BUSY | ACK | if flag { SELECT } else { 0 } | if waits { 0 } else { FAULT };
    }

    fn agree(&self, asked: u8) -> (Phase, bool) {
        match asked & !0x04 {
            0x00 if self.modes.nibble => (Phase::Nibble(false), asked & 0x04 != 0),
            0x01 if self.modes.byte => (Phase::Byte, true),
            // With or without compression, which the host does.
            0x10 | 0x30 if self.modes.ecp => (Phase::EcpForward, true),
            _ => (Phase::Refused, false),
        }
    }

    fn terminate(&mut self, edge: Edge, now: Instant) {
        if edge.value & AUTO_FEED != 0 {
            // 25 → 27.
            self.status |= ACK | NOT_BUSY;
        }
        // 28. Or the host begins anew at once.
        let anew = edge.value & SELECT_IN == 0;
        if edge.fell(AUTO_FEED) || anew {
            self.rest(now);
            if anew && edge.value & AUTO_FEED != 0 {
                self.compatible(edge, now);
            }
        }
    }

    /// What changes on the lines without the host's doing.
    fn refresh(&mut self, now: Instant) {
        match self.phase {
            Phase::Compatible => self.status = self.at_rest(now),
            Phase::Nibble(_) | Phase::Byte => self.refresh_reverse(now),
            Phase::EcpForward => {
                let waits = self.reverse.waits(&mut self.engine, now);
                self.status = (self.status & !FAULT) | if waits { 0 } else { FAULT };
                if self.choked && self.engine.room(now) > 0 {
                    self.choked = false;
                    self.status |= NOT_BUSY;
                }
            }
            Phase::EcpReverse => {
                let asked = self.registers.control & AUTO_FEED != 0;
                if asked && self.status & ACK != 0 {
                    self.offer(now);
                }
            }
            Phase::Negotiating(_) | Phase::Refused | Phase::Terminating => {}
        }
    }
}

/// A write to the control register: what is there now, and what changed.
#[derive(Clone, Copy, Debug)]
struct Edge {
    value: u8,
    rose: u8,
    fell: u8,
}

impl Edge {
    fn rose(self, bit: u8) -> bool {
        self.rose & bit != 0
    }

    fn fell(self, bit: u8) -> bool {
        self.fell & bit != 0
    }
}

#[cfg(test)]
mod tests;
