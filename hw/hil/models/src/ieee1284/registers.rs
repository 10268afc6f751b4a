//! The registers of a PC parallel port: which bit is which line, and how it is inverted.

/// Bits of the status register.
pub mod status {
    /// Busy, inverted.
    pub const NOT_BUSY: u8 = 0x80;
    /// nAck.
    pub const ACK: u8 = 0x40;
    /// PError: paper is out.
    pub const PAPER_OUT: u8 = 0x20;
    /// Select: on line.
    pub const SELECT: u8 = 0x10;
    /// nFault: set where there is no error.
    pub const FAULT: u8 = 0x08;
}

/// Bits of the control register.
pub mod control {
    /// nStrobe is low.
    pub const STROBE: u8 = 0x01;
    /// nAutoFd is low.
    pub const AUTO_FEED: u8 = 0x02;
    /// nInit is high.
    pub const INIT: u8 = 0x04;
    /// nSelectIn is low; with it clear the host asks for IEEE 1284 (1284Active).
    pub const SELECT_IN: u8 = 0x08;
    /// The data lines are turned round.
    pub const REVERSE: u8 = 0x20;
    /// Every bit that is a line.
    pub const ALL: u8 = 0x3F;
}

pub(super) use control::{AUTO_FEED, INIT, SELECT_IN, STROBE};
pub(super) use status::{ACK, FAULT, NOT_BUSY, PAPER_OUT, SELECT};

/// What the host has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    /// The data register.
    pub data: u8,
    /// The control register.
    pub control: u8,
}

impl Default for Registers {
    fn default() -> Self {
        Self { data: 0, control: INIT | SELECT_IN }
    }
}
