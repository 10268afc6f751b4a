//! An ESC/POS printer's answers, and as much of its commands as it takes not to mistake data for a question.
//!
//! Status bytes (Epson ESC/POS command reference; TM-U220 and TM-L90 give the same tables):
//!
//! ```text
//!            bit    7  6        5           4  3         2        1  0
//!   DLE EOT 1       0  –        –           1  off line  drawer   1  0
//!   DLE EOT 2       0  error    paper stop  1  feeding   cover    1  0
//!   DLE EOT 3       0  heat     fatal       1  cutter    –        1  0
//!   DLE EOT 4       0  end      end         1  near end  near end 1  0
//!   GS a, byte 1    0  feeding  cover       1  off line  drawer   0  0
//!         byte 2    0  heat     fatal       0  cutter    –        –  –
//!         byte 3    0  –        –           0  end       end      near end (2 bits)
//!         byte 4    0  –        –           0  –         –        –  –
//!   GS r 1          0  –        –           0  –         –        near end (2 bits)
//!   GS r 2          0  –        –           0  –         –        –  drawer
//! ```
//!
//! `GS a n` selects what is reported on a change (n: 1 drawer, 2 on line, 4 error, 8 paper) and reports at once. A
//! cut (`GS V`) ends a receipt, which counts as a page. Bit images and the other commands with a length are skipped,
//! since their data may hold any bytes.

mod parse;
#[cfg(test)]
mod tests;

use self::parse::{ESC, FS, GS, Parsed, parse};
use super::bench::Bench;
use super::scan::find_if;
use crate::sim::Condition;

/// `DLE EOT n`.
pub(super) fn status(n: u8, condition: Condition) -> u8 {
    let bit = |bit: u8, on: bool| if on { bit } else { 0 };
    0x12 | match n {
        1 => bit(0x04, condition.drawer_open) | bit(0x08, !condition.online()),
        2 => {
            bit(0x04, condition.cover_open)
                | bit(0x20, condition.paper_out)
                | bit(0x40, errors(condition) != 0)
        }
        3 => errors(condition),
        4 => bit(0x0C, condition.near_end()) | bit(0x60, condition.paper_out),
        _ => 0,
    }
}

/// Errors, as `DLE EOT 3` and the second byte of automatic status back have them.
fn errors(condition: Condition) -> u8 {
    let bit = |bit: u8, on: bool| if on { bit } else { 0 };
    bit(0x08, condition.cutter_jam) | bit(0x20, condition.broken) | bit(0x40, condition.overheated)
}

/// The four bytes of automatic status back.
pub(super) fn automatic(condition: Condition) -> [u8; 4] {
    let bit = |bit: u8, on: bool| if on { bit } else { 0 };
    let printer = 0x10
        | bit(0x04, condition.drawer_open)
        | bit(0x08, !condition.online())
        | bit(0x20, condition.cover_open);
    [
        printer,
        errors(condition),
        bit(0x03, condition.near_end()) | bit(0x0C, condition.paper_out),
        0,
    ]
}

#[derive(Debug, Default)]
pub(super) struct Escpos {
    state: State,
    /// What automatic status back watches; 0: off.
    watched: u8,
    /// The status bytes that the host last got.
    told: [u8; 4],
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Text,
    /// A command is coming in: its bytes so far.
    Command { bytes: [u8; 8], len: usize },
    /// So many bytes of data belong to the last command.
    Skip(u64),
}

impl Escpos {
    /// Works on bytes; none while nothing can be printed.
    pub(super) fn eat(&mut self, bytes: &[u8], bench: &mut Bench<'_>) -> usize {
        if bench.blocked() {
            return 0;
        }
        let mut rest = bytes;
        while let Some((byte, tail)) = rest.split_first() {
            rest = match self.state {
                State::Text => self.text(rest),
                State::Skip(left) => self.skip(left, rest),
                State::Command { bytes, len } => {
                    self.command(bytes, len, *byte, bench);
                    tail
                }
            };
        }
        bytes.len()
    }

    /// The sensors changed: tells the host, if it watches what changed.
    pub(super) fn changed(&mut self, bench: &mut Bench<'_>) {
        let now = automatic(bench.condition);
        let [was, was_error, was_paper, _] = self.told;
        let [is, is_error, is_paper, _] = now;
        let differs = |item: u8, change: u8| self.watched & item != 0 && change != 0;
        if differs(1, (was ^ is) & 0x04)
            || differs(2, (was ^ is) & 0x28)
            || differs(4, was_error ^ is_error)
            || differs(8, was_paper ^ is_paper)
        {
            bench.say(&now);
        }
        self.told = now;
    }

    fn text<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let begins = |byte| (byte == ESC) | (byte == FS) | (byte == GS);
        let Some(at) = find_if(bytes, begins) else { return &[] };
        self.state = State::Command { bytes: [0; 8], len: 0 };
        bytes.get(at..).unwrap_or_default()
    }

    fn skip<'a>(&mut self, left: u64, bytes: &'a [u8]) -> &'a [u8] {
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let left = left.saturating_sub(len as u64);
        self.state = if left == 0 { State::Text } else { State::Skip(left) };
        bytes.get(len..).unwrap_or_default()
    }

    fn command(&mut self, mut bytes: [u8; 8], len: usize, byte: u8, bench: &mut Bench<'_>) {
        if let Some(slot) = bytes.get_mut(len) {
            *slot = byte;
        }
        let len = len.saturating_add(1);
        self.state = State::Text;
        match parse(bytes.get(..len).unwrap_or_default()) {
            Parsed::Short => self.state = State::Command { bytes, len },
            Parsed::Initialize => self.watched = 0,
            Parsed::Watch(items) => self.watch(items, bench),
            Parsed::Transmit(n) => transmit(n, bench),
            Parsed::Cut => bench.page(),
            Parsed::Data(0) => {}
            Parsed::Data(len) => self.state = State::Skip(len),
        }
    }

    fn watch(&mut self, items: u8, bench: &mut Bench<'_>) {
        self.watched = items & 0x0F;
        self.told = automatic(bench.condition);
        if self.watched != 0 {
            bench.say(&self.told);
        }
    }
}

/// `GS r n`: by number or by digit.
fn transmit(n: u8, bench: &mut Bench<'_>) {
    match n {
        1 | b'1' => bench.say(&[if bench.condition.near_end() { 0x03 } else { 0 }]),
        2 | b'2' => bench.say(&[u8::from(bench.condition.drawer_open)]),
        _ => {}
    }
}
