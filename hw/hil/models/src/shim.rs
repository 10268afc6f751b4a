//! What the bench and its shim in QEMU's process say to each other about the ports that the shim makes up.
//!
//! ```text
//!   u8 kind, u32 length (little-endian), then `length` bytes
//!
//!   bench:  Limit, Condition, Words, Id, Modes, Restore, Ask      shim:  Taken, Reset, State        (parallel port)
//!           Lines                                                        Outputs, Format, Break     (serial port)
//! ```
//!
//! The printer behind the parallel port is the bench's: the shim takes what [`Message::Limit`] allows, and says what it
//! took. Sans-I/O.

use std::collections::VecDeque;
use std::time::Instant;

use crate::ieee1284::{Modes, Registers};
use crate::limits::{MESSAGE_BYTES, REVERSE_BYTES};
use crate::usb::ModemLines;
use crate::{Condition, Engine};

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The printer takes bytes up to this many, counted since the shim began.
    Limit(u64),
    /// What the status lines show.
    Condition(Condition),
    /// What the printer says.
    Words(Vec<u8>),
    /// The device id, its length included.
    Id(Vec<u8>),
    /// The modes that the printer agrees to.
    Modes(Modes),
    /// The registers are as they were when the snapshot was taken.
    Restore(Registers),
    /// How are you?
    Ask,
    /// The printer took these bytes.
    Taken(Vec<u8>),
    /// The host has pulsed nInit.
    Reset,
    /// The answer to `Ask`: all bytes taken have been told before it.
    State {
        /// What the host has in its registers.
        registers: Registers,
        /// Accesses to registers, ever.
        accesses: u64,
        /// Bytes taken, ever.
        taken: u64,
    },
    /// The lines that the guest reads.
    Lines(ModemLines),
    /// The guest set DTR and RTS.
    Outputs {
        /// Data terminal ready.
        dtr: bool,
        /// Request to send.
        rts: bool,
    },
    /// The guest set the line.
    Format {
        /// Bits a second.
        baud: u32,
        /// Data bits.
        bits: u8,
        /// `N`, `O` or `E`.
        parity: u8,
        /// Stop bits.
        stop: u8,
    },
    /// The guest sent a break.
    Break,
}

impl Message {
    fn parts(&self) -> (u8, Vec<u8>) {
        let bits = |flags: &[bool]| {
            flags.iter().enumerate().fold(0, |all, (at, on)| all | u8::from(*on) << at)
        };
        match self {
            Self::Limit(bytes) => (1, bytes.to_le_bytes().to_vec()),
            Self::Condition(Condition { paper_out, offline, fault }) => {
                (2, vec![bits(&[*paper_out, *offline, *fault])])
            }
            Self::Words(bytes) => (3, bytes.clone()),
            Self::Id(bytes) => (4, bytes.clone()),
            Self::Modes(Modes { nibble, byte, ecp }) => (5, vec![bits(&[*nibble, *byte, *ecp])]),
            Self::Restore(Registers { data, control }) => (6, vec![*data, *control]),
            Self::Ask => (7, Vec::new()),
            Self::Lines(ModemLines { cts, dsr, dcd, ri }) => {
                (8, vec![bits(&[*cts, *dsr, *dcd, *ri])])
            }
            Self::Taken(bytes) => (33, bytes.clone()),
            Self::Reset => (34, Vec::new()),
            Self::State { registers, accesses, taken } => {
                let mut body = vec![registers.data, registers.control];
                body.extend(accesses.to_le_bytes());
                body.extend(taken.to_le_bytes());
                (35, body)
            }
            Self::Outputs { dtr, rts } => (36, vec![bits(&[*dtr, *rts])]),
            Self::Format { baud, bits, parity, stop } => {
                let mut body = baud.to_le_bytes().to_vec();
                body.extend([*bits, *parity, *stop]);
                (37, body)
            }
            Self::Break => (38, Vec::new()),
        }
    }

    fn read(kind: u8, body: &[u8]) -> Option<Self> {
        let bit = |at: u8| Some(body.first()? >> at & 1 == 1);
        let number = |at: usize| Some(u64::from_le_bytes(*body.get(at..)?.first_chunk()?));
        let registers = || Some(Registers { data: *body.first()?, control: *body.get(1)? });
        Some(match kind {
            1 => Self::Limit(number(0)?),
            2 => {
                Self::Condition(Condition { paper_out: bit(0)?, offline: bit(1)?, fault: bit(2)? })
            }
            3 => Self::Words(body.to_vec()),
            4 => Self::Id(body.to_vec()),
            5 => Self::Modes(Modes { nibble: bit(0)?, byte: bit(1)?, ecp: bit(2)? }),
            6 => Self::Restore(registers()?),
            7 => Self::Ask,
            8 => Self::Lines(ModemLines { cts: bit(0)?, dsr: bit(1)?, dcd: bit(2)?, ri: bit(3)? }),
            33 => Self::Taken(body.to_vec()),
            34 => Self::Reset,
            35 => Self::State { registers: registers()?, accesses: number(2)?, taken: number(10)? },
            36 => Self::Outputs { dtr: bit(0)?, rts: bit(1)? },
            37 => {
                let (baud, rest) = body.split_first_chunk()?;
                let [bits, parity, stop] = *rest.first_chunk()?;
                Self::Format { baud: u32::from_le_bytes(*baud), bits, parity, stop }
            }
            38 => Self::Break,
            _ => return None,
        })
    }

    /// Puts it behind what is in `out`. Bytes beyond [`MESSAGE_BYTES`] go into further messages of the same kind.
    pub fn put(&self, out: &mut Vec<u8>) {
        let (kind, body) = self.parts();
        let mut chunks = body.chunks(MESSAGE_BYTES);
        let first = chunks.next().unwrap_or_default();
        for chunk in std::iter::once(first).chain(chunks) {
            out.push(kind);
            out.extend(u32::try_from(chunk.len()).unwrap_or(0).to_le_bytes());
            out.extend_from_slice(chunk);
        }
    }
}

/// What came is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garbled;

impl std::fmt::Display for Garbled {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("what came from the shim is no message")
    }
}

impl std::error::Error for Garbled {}

/// Messages out of bytes as they come.
#[derive(Debug, Default)]
pub struct Reader {
    bytes: Vec<u8>,
}

impl Reader {
    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message, if it has come as a whole.
    pub fn next_message(&mut self) -> Result<Option<Message>, Garbled> {
        let Some((head, rest)) = self.bytes.split_first_chunk::<5>() else { return Ok(None) };
        let [kind, a, b, c, d] = *head;
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > MESSAGE_BYTES {
            return Err(Garbled);
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let message = Message::read(kind, body).ok_or(Garbled)?;
        self.bytes.drain(..length.saturating_add(5));
        Ok(Some(message))
    }
}

/// The printer behind the shim's port, as far as the shim knows it.
#[derive(Debug, Default)]
pub struct Remote {
    limit: u64,
    taken: u64,
    /// Taken, and not told yet.
    untold: Vec<u8>,
    words: VecDeque<u8>,
    condition: Condition,
    resets: u32,
}

impl Remote {
    /// Hears what concerns the printer; what does not comes back.
    pub fn hear(&mut self, message: Message) -> Option<Message> {
        match message {
            Message::Limit(bytes) => self.limit = bytes,
            Message::Condition(condition) => self.condition = condition,
            Message::Words(words) => {
                let room = REVERSE_BYTES.saturating_sub(self.words.len());
                self.words.extend(words.get(..room).unwrap_or(&words));
            }
            other => return Some(other),
        }
        None
    }

    /// True while something is to be told.
    pub fn has_news(&self) -> bool {
        !self.untold.is_empty() || self.resets > 0
    }

    /// Puts what is to be told behind what is in `out`.
    pub fn tell(&mut self, out: &mut Vec<u8>) {
        if !self.untold.is_empty() {
            Message::Taken(std::mem::take(&mut self.untold)).put(out);
        }
        for _ in 0..std::mem::take(&mut self.resets) {
            Message::Reset.put(out);
        }
    }
}

impl Engine for Remote {
    fn room(&self, _now: Instant) -> usize {
        usize::try_from(self.limit.saturating_sub(self.taken)).unwrap_or(usize::MAX)
    }

    fn take(&mut self, bytes: &[u8], now: Instant) -> usize {
        let bytes = bytes.get(..self.room(now)).unwrap_or(bytes);
        self.taken = self.taken.saturating_add(bytes.len() as u64);
        self.untold.extend_from_slice(bytes);
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

#[cfg(test)]
mod tests;
