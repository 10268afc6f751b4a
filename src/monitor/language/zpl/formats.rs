//! Where a ZPL document stands between two commands.
//!
//! ```text
//!            ^XA             ^FS                 ^GFB, ^GFC, ~DY…,B     count complete
//!   Between ─────► Command ◄────► Between        Command ──────────► Data(n) ─────────► Command
//!      ▲  white space    │ ^XZ        │                 │ ^CC, ^CD, ^CT, text that is no ZPL
//!      └─────────────────┴────────────┘                 └────► Lost, for the rest of the document
//! ```
//!
//! A place is before the first byte, behind `^XZ` and behind `^FS`, and in the white space that follows: never within the
//! parameters of a command, which end only where the next begins. What is *not* here: graphics in hexadecimal (they are
//! parameters like others).
//!
//! The invariant: a place is told only if everything before it was read, and no byte in it was binary data without a count.

use super::super::Boundaries;
use crate::limits::ZPL_HEAD_BYTES;

/// Reads a document.
#[derive(Debug, Default)]
pub(super) struct Formats {
    state: State,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    /// In a command: its bytes so far, as many as matter.
    Command(Vec<u8>),
    /// So many bytes of binary data.
    Data(u64),
    Lost,
}

impl Boundaries for Formats {
    fn find(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut at = 0usize;
        loop {
            if at >= from && self.state == State::Between {
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

impl Formats {
    /// Reads some bytes, at least one: how many.
    fn step(&mut self, bytes: &[u8]) -> usize {
        let Some(byte) = bytes.first() else { return 1 };
        match &mut self.state {
            State::Lost => return bytes.len(),
            State::Data(left) => {
                let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX).min(*left);
                *left = left.saturating_sub(len);
                if *left == 0 {
                    self.state = State::Command(Vec::new());
                }
                return usize::try_from(len).unwrap_or(bytes.len()).max(1);
            }
            State::Between if byte.is_ascii_whitespace() => {}
            State::Between => {
                self.state = match byte {
                    b'^' | b'~' => State::Command(vec![*byte]),
                    _ => State::Lost,
                };
            }
            State::Command(head) => match byte {
                b'^' | b'~' => *head = vec![*byte],
                _ if head.len() < ZPL_HEAD_BYTES => {
                    head.push(byte.to_ascii_uppercase());
                    if let Some(next) = next(head) {
                        self.state = next;
                    }
                }
                // A count so far off is none.
                _ if head.starts_with(b"^GF") || head.starts_with(b"~DY") => {
                    self.state = State::Lost;
                }
                _ => {}
            },
        }
        1
    }
}

/// What a command amounts to whose first bytes these are; `None`: it goes on.
fn next(head: &[u8]) -> Option<State> {
    match head {
        b"^XZ" | b"^FS" => Some(State::Between),
        // From now on commands begin otherwise.
        [b'^' | b'~', b'C', b'C' | b'D' | b'T'] => Some(State::Lost),
        // kind, bytes to come, …
        [b'^', b'G', b'F', rest @ ..] => {
            let (kind, count) = counted(rest, 0, 1, 4)?;
            Some(if kind == b"A" { State::Command(Vec::new()) } else { data(count) })
        }
        // object:name, kind, extension, bytes, …
        [b'~', b'D', b'Y', rest @ ..] => {
            let (_, rest) = rest.split_at_checked(rest.iter().position(|byte| *byte == b',')?)?;
            let (kind, count) = counted(rest.get(1..)?, 0, 2, 4)?;
            match kind {
                b"A" | b"P" => Some(State::Command(Vec::new())),
                b"B" => Some(data(count)),
                _ => Some(State::Lost),
            }
        }
        _ => None,
    }
}

/// Two of so many fields that each end with a comma; `None` while they are not complete.
fn counted(fields: &[u8], kind: usize, count: usize, ends: usize) -> Option<(&[u8], Option<u64>)> {
    if fields.iter().filter(|byte| **byte == b',').count() < ends {
        return None;
    }
    let field = |n| fields.split(|byte| *byte == b',').nth(n);
    let count = str::from_utf8(field(count)?).ok().and_then(|text| text.trim().parse().ok());
    Some((field(kind)?, count))
}

fn data(count: Option<u64>) -> State {
    match count {
        None => State::Lost,
        Some(0) => State::Command(Vec::new()),
        Some(count) => State::Data(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All places between two commands.
    fn places(bytes: &[u8]) -> Vec<usize> {
        (0..=bytes.len()).filter(|at| Formats::default().find(bytes, *at) == Some(*at)).collect()
    }

    #[test]
    fn places_are_between_commands_only() {
        let cases: [(&[u8], &[usize]); 9] = [
            (b"^XA^XZ", &[0, 6]),
            (b"^xa^fs^xz", &[0, 6, 9]),
            (b"^XA^FO1,1^FDx^FS\r\n^FDy^FS^XZ\n", &[0, 16, 17, 18, 25, 28, 29]),
            (b"~HS\r\n^XZ", &[0, 8]),
            (b"^XA^GFA,4,4,1,0F0F0F0F^FS", &[0, 25]),
            (b"^XA^GFB,4,4,1,^FS~^FS^XZ", &[0, 21, 24]),
            (b"~DYR:A,B,T,5,,^FS^X^XZ", &[0, 22]),
            (b"~DYR:A,A,T,5,,x^XZ", &[0, 18]),
            (b"^XA^GFB,,4,1,^FS^XZ", &[0]),
        ];
        let far = [&b"^GFB,"[..], &[b'0'; ZPL_HEAD_BYTES], b"4,4,1,^FS^^XZ"].concat();
        assert_eq!(places(&far), [0]);
        for (bytes, expected) in cases {
            assert_eq!(places(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_is_not_known_ends_it_for_good() {
        for lost in
            [&b"^XA^CC/^FS"[..], b"~CT!^XZ", b"! 0 200 200 210 1\r\n^XZ", b"~DYR:A,C,T,5,,^XZ"]
        {
            let mut formats = Formats::default();
            assert_eq!(formats.find(lost, 1), None, "{}", lost.escape_ascii());
            assert_eq!(formats.find(b"^XA^XZ", 0), None);
        }
    }

    #[test]
    fn split_anywhere_it_reads_the_same() {
        let bytes = b"^XA^GFB,4,4,1,^FS~^FS^XZ^XA^FDx^FS^XZ";
        for cut in 0..=bytes.len() {
            let (left, right) = bytes.split_at(cut);
            let mut formats = Formats::default();
            let first = formats.find(left, 25);
            let found = first.or_else(|| {
                let from = 25usize.saturating_sub(left.len());
                formats.find(right, from).map(|at| at + left.len())
            });
            assert_eq!(found, Some(34), "{cut}");
        }
    }
}
