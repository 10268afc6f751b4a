//! Where an ESC/POS document stands between two commands (Epson ESC/POS command reference; lengths only).
//!
//! ```text
//!             ESC, FS, GS, DLE                  parameters complete
//!   Text ─────────────────────► Command(bytes) ─────────────────────► Text, Data(n), UntilNul
//!                                  │ not in the table
//!                                  └────► Lost, for the rest of the document
//! ```
//!
//! The invariant: a place is told only where every command before it is in the table. What is not in it may carry any
//! number of any bytes.

use super::super::Boundaries;

const DLE: u8 = 0x10;
const ESC: u8 = 0x1b;
const FS: u8 = 0x1c;
const GS: u8 = 0x1d;

/// No command of the table has a longer head.
const HEAD_BYTES: usize = 8;

/// Reads a document.
#[derive(Debug, Default)]
pub(super) struct Commands {
    state: State,
    /// The last byte was perhaps the first of a character of two.
    half: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// A command's head so far.
    Head([u8; HEAD_BYTES], usize),
    /// So many bytes belong to the last command.
    Data(u64),
    /// They end with a NUL.
    UntilNul,
    Lost,
}

/// What a command's head amounts to.
#[derive(Debug, PartialEq, Eq)]
enum Parsed {
    More,
    Data(u64),
    UntilNul,
    Unknown,
}

impl Boundaries for Commands {
    fn find(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut at = 0usize;
        loop {
            if at >= from && self.state == State::Text && !self.half {
                return Some(at);
            }
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() || self.state == State::Lost {
                return None;
            }
            at = at.saturating_add(self.step(rest));
        }
    }
}

impl Commands {
    /// Reads some bytes, at least one: how many.
    fn step(&mut self, bytes: &[u8]) -> usize {
        let Some(byte) = bytes.first() else { return 1 };
        match self.state {
            State::Lost => return bytes.len(),
            State::Data(left) => {
                let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX).min(left);
                self.state = data(left.saturating_sub(len));
                return usize::try_from(len).unwrap_or(bytes.len());
            }
            State::UntilNul if *byte == 0 => self.state = State::Text,
            State::UntilNul => {}
            State::Text if matches!(*byte, ESC | FS | GS | DLE) => {
                self.half = false;
                self.head([*byte, 0, 0, 0, 0, 0, 0, 0], 1);
            }
            State::Text => self.half = *byte >= 0x80,
            State::Head(mut head, len) => match head.get_mut(len) {
                Some(slot) => {
                    *slot = *byte;
                    self.head(head, len.saturating_add(1));
                }
                None => self.state = State::Lost,
            },
        }
        1
    }

    fn head(&mut self, head: [u8; HEAD_BYTES], len: usize) {
        self.state = match parse(head.get(..len).unwrap_or_default()) {
            Parsed::More => State::Head(head, len),
            Parsed::Data(len) => data(len),
            Parsed::UntilNul => State::UntilNul,
            Parsed::Unknown => State::Lost,
        };
    }
}

fn data(len: u64) -> State {
    if len == 0 { State::Text } else { State::Data(len) }
}

fn word(low: u8, high: u8) -> u64 {
    u16::from_le_bytes([low, high]).into()
}

/// What a command amounts to whose first bytes these are.
fn parse(head: &[u8]) -> Parsed {
    match *head {
        [_] => Parsed::More,
        [DLE, ..] => realtime(head),
        [ESC, ..] => escape(head),
        [FS, ..] => field(head),
        [GS, ..] => group(head),
        _ => Parsed::Unknown,
    }
}

fn realtime(head: &[u8]) -> Parsed {
    match *head {
        [DLE, 0x04 | 0x05 | 0x14] | [DLE, 0x04, 7 | 8] => Parsed::More,
        [DLE, 0x04, 1..=6] | [DLE, 0x04, 7 | 8, _] | [DLE, 0x05, _] => Parsed::Data(0),
        [DLE, 0x14, 1 | 2] => Parsed::Data(2),
        [DLE, 0x14, 3] => Parsed::Data(5),
        [DLE, 0x14, 7] => Parsed::Data(1),
        [DLE, 0x14, 8] => Parsed::Data(7),
        _ => Parsed::Unknown,
    }
}

/// Parameters of fixed length, as [`Parsed::Data`]; `None` for other commands.
fn fixed(prefix: u8, command: u8) -> Option<u64> {
    Some(match (prefix, command) {
        (ESC, 0x0c | b'2' | b'<' | b'@' | b'L' | b'S' | b'i' | b'm' | b'v') => 0,
        (
            ESC,
            b' ' | b'!' | b'%' | b'-' | b'3' | b'=' | b'?' | b'E' | b'G' | b'J' | b'K' | b'M'
            | b'R' | b'T' | b'U' | b'V' | b'a' | b'd' | b'e' | b'r' | b't' | b'u' | b'{',
        ) => 1,
        (ESC, b'$' | b'\\' | b'c' | b'f') => 2,
        (ESC, b'p') => 3,
        (ESC, b'W') => 8,
        (FS, b'&' | b'.') => 0,
        (FS, b'!' | b'-' | b'C' | b'W') => 1,
        (FS, b'?' | b'S' | b'p') => 2,
        (GS, b':' | b'c') => 0,
        (
            GS,
            b'!' | b'/' | b'B' | b'E' | b'H' | b'I' | b'T' | b'a' | b'b' | b'f' | b'h' | b'r'
            | b'w',
        ) => 1,
        (GS, b'$' | b'L' | b'P' | b'W' | b'\\') => 2,
        (GS, b'^') => 3,
        _ => return None,
    })
}

fn escape(head: &[u8]) -> Parsed {
    match *head {
        [prefix, command] if fixed(prefix, command).is_some() => {
            Parsed::Data(fixed(prefix, command).unwrap_or_default())
        }
        [_, b'(' | b'*'] | [_, b'(', _] | [_, b'(', _, _] | [_, b'*', _] | [_, b'*', _, _] => {
            Parsed::More
        }
        [_, b'(', _, low, high] => Parsed::Data(word(low, high)),
        [_, b'*', mode, low, high] => {
            Parsed::Data(word(low, high).saturating_mul(if mode >= 32 { 3 } else { 1 }))
        }
        [_, b'D'] => Parsed::UntilNul,
        _ => Parsed::Unknown,
    }
}

fn field(head: &[u8]) -> Parsed {
    match *head {
        [prefix, command] if fixed(prefix, command).is_some() => {
            Parsed::Data(fixed(prefix, command).unwrap_or_default())
        }
        [_, b'('] | [_, b'(', _] | [_, b'(', _, _] => Parsed::More,
        [_, b'(', _, low, high] => Parsed::Data(word(low, high)),
        _ => Parsed::Unknown,
    }
}

fn group(head: &[u8]) -> Parsed {
    match *head {
        [prefix, command] if fixed(prefix, command).is_some() => {
            Parsed::Data(fixed(prefix, command).unwrap_or_default())
        }
        [_, b'(' | b'*' | b'8' | b'V' | b'g' | b'k' | b'v']
        | [_, b'(', _]
        | [_, b'(', _, _]
        | [_, b'*', _]
        | [_, b'8', ..]
            if head.len() < 7 =>
        {
            Parsed::More
        }
        [_, b'(', _, low, high] => Parsed::Data(word(low, high)),
        [_, b'*', x, y] => Parsed::Data(u64::from(x).saturating_mul(y.into()).saturating_mul(8)),
        [_, b'8', _, a, b, c, d] => Parsed::Data(u32::from_le_bytes([a, b, c, d]).into()),
        [_, b'V', 0 | 1 | b'0' | b'1'] => Parsed::Data(0),
        [_, b'V', 65..=68 | 97..=104] => Parsed::Data(1),
        [_, b'g', b'0' | b'2'] => Parsed::Data(3),
        [_, b'k', 0..=6] => Parsed::UntilNul,
        [_, b'k', 65..=79] => Parsed::More,
        [_, b'k', _, len] => Parsed::Data(len.into()),
        [_, b'v', b'0', ..] if head.len() < 8 => Parsed::More,
        [_, b'v', b'0', _, x_low, x_high, y_low, y_high] => {
            Parsed::Data(word(x_low, x_high).saturating_mul(word(y_low, y_high)))
        }
        _ => Parsed::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All places between two commands.
    fn places(bytes: &[u8]) -> Vec<usize> {
        (0..=bytes.len()).filter(|at| Commands::default().find(bytes, *at) == Some(*at)).collect()
    }

    #[test]
    fn places_are_between_commands_only() {
        let cases: [(&[u8], &[usize]); 14] = [
            (b"abc", &[0, 1, 2, 3]),
            (b"\x1b@a", &[0, 2, 3]),
            (b"\x1b3\x10a", &[0, 3, 4]),
            (b"a\x93\x10\x41b", &[0, 1]),
            (b"\x93Ab", &[0, 2, 3]),
            (b"\x10\x04\x01a", &[0, 3, 4]),
            (b"\x1b*\x00\x03\x00\x10\x04\x01a", &[0, 8, 9]),
            (b"\x1b*\x21\x01\x00\x10\x04\x01a", &[0, 8, 9]),
            (b"\x1dv0\x00\x03\x00\x01\x00\x10\x04\x01", &[0, 11]),
            (b"\x1d8L\x03\x00\x00\x00\x10\x04\x01", &[0, 10]),
            (b"\x1d(L\x03\x00\x10\x04\x01\x1dV\x42\x05", &[0, 8, 12]),
            (b"\x1dk\x04AB\0\x1dkI\x02AB", &[0, 6, 12]),
            (b"\x1bD\x08\x10\0a", &[0, 5, 6]),
            (b"a\x1b&\x03ab", &[0, 1]),
        ];
        for (bytes, expected) in cases {
            assert_eq!(places(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_command_that_is_not_known_ends_it_for_good() {
        let mut commands = Commands::default();
        assert_eq!(commands.find(b"\x1b&abc", 2), None);
        assert_eq!(commands.find(b"abc", 0), None);
    }
}
