//! Picks real-time requests out of the stream as it comes in, before the input buffer.
//!
//! A real-time request is executed the moment it arrives, also while the printer is off line or its buffer is full,
//! and also where its bytes happen to lie inside another command's data (Epson ESC/POS command reference, `DLE EOT`;
//! ZPL II Programming Guide, `~` control commands). It never reaches the buffer.
//!
//! The one invariant: bytes that are not part of a request come out exactly once and in order; at most four are held
//! back because a request may be beginning.

use super::scan::find;
use crate::sim::Language;

/// What the host asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// ESC/POS `DLE EOT n`, n in 1–4.
    Status(u8),
    /// ESC/POS `DLE ENQ n`, n in 1–2: recover from an error. None that it could cure is ever there.
    Recover,
    /// ZPL `~HS`.
    HostStatus,
    /// ZPL `~HQES`.
    HostErrors,
    /// ZPL `~HI`.
    HostId,
    /// ZPL `~JA`: forget every format in the buffer.
    CancelAll,
    /// ZPL `~JX`: forget the format that is half there.
    CancelPartial,
}

/// A piece of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Data(&'a [u8]),
    /// Data that had been held back.
    Held(Held),
    Ask(Ask),
}

/// A few bytes by value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    bytes: [u8; 4],
    len: usize,
}

impl Held {
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte;
            self.len = self.len.saturating_add(1);
        }
    }
}

/// What the bytes so far amount to.
enum Match {
    No,
    Begun,
    Whole(Ask),
}

type Grammar = fn(&[u8]) -> Match;

#[derive(Debug)]
pub(super) struct Realtime {
    held: Held,
    /// The byte that every request begins with, and nothing else in it; and what follows.
    grammar: Option<(u8, Grammar)>,
}

impl Realtime {
    pub(super) fn new(language: Language) -> Self {
        let grammar: Option<(u8, Grammar)> = match language {
            Language::Plain | Language::Pjl | Language::Ieee1284_4 => None,
            Language::Escpos => Some((DLE, escpos)),
            Language::Zpl => Some((b'~', zpl)),
        };
        Self { held: Held::default(), grammar }
    }

    /// Does this language know real-time requests at all?
    pub(super) fn any(&self) -> bool {
        self.grammar.is_some()
    }

    /// The next piece of `bytes`, which is cut by what was looked at; `None` at the end.
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Piece<'a>> {
        let Some((first, grammar)) = self.grammar else { return whole(bytes) };
        if self.held.len == 0 {
            match find(bytes, first) {
                None => return whole(bytes),
                Some(0) => {}
                Some(at) => return bytes.split_off(..at).map(Piece::Data),
            }
        }
        while let Some(byte) = bytes.first() {
            let mut longer = [0; 5];
            let len = self.held.len.saturating_add(1);
            longer
                .iter_mut()
                .zip(self.held.bytes().iter().chain([byte]))
                .for_each(|(to, from)| *to = *from);
            match grammar(longer.get(..len).unwrap_or_default()) {
                Match::No => return Some(Piece::Held(std::mem::take(&mut self.held))),
                Match::Begun => self.held.push(*byte),
                Match::Whole(ask) => {
                    bytes.split_off_first();
                    self.held = Held::default();
                    return Some(Piece::Ask(ask));
                }
            }
            bytes.split_off_first();
        }
        None
    }

    /// Gives up waiting for the rest of a request; what was held is data.
    pub(super) fn flush(&mut self) -> Held {
        std::mem::take(&mut self.held)
    }
}

fn whole<'a>(bytes: &mut &'a [u8]) -> Option<Piece<'a>> {
    let all = std::mem::take(bytes);
    (!all.is_empty()).then_some(Piece::Data(all))
}

const DLE: u8 = 0x10;
const EOT: u8 = 0x04;
const ENQ: u8 = 0x05;

fn escpos(bytes: &[u8]) -> Match {
    match *bytes {
        [DLE] | [DLE, EOT | ENQ] => Match::Begun,
        [DLE, EOT, n @ 1..=4] => Match::Whole(Ask::Status(n)),
        [DLE, ENQ, 1..=2] => Match::Whole(Ask::Recover),
        _ => Match::No,
    }
}

fn zpl(bytes: &[u8]) -> Match {
    match *bytes {
        [b'~'] | [b'~', b'H' | b'J'] | [b'~', b'H', b'Q'] | [b'~', b'H', b'Q', b'E'] => {
            Match::Begun
        }
        [b'~', b'H', b'S'] => Match::Whole(Ask::HostStatus),
        [b'~', b'H', b'I'] => Match::Whole(Ask::HostId),
        [b'~', b'H', b'Q', b'E', b'S'] => Match::Whole(Ask::HostErrors),
        [b'~', b'J', b'A'] => Match::Whole(Ask::CancelAll),
        [b'~', b'J', b'X'] => Match::Whole(Ask::CancelPartial),
        _ => Match::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(language: Language, pieces: &[&[u8]]) -> (Vec<u8>, Vec<Ask>) {
        let (mut realtime, mut data, mut asks) = (Realtime::new(language), Vec::new(), Vec::new());
        for piece in pieces {
            let mut rest = *piece;
            while let Some(piece) = realtime.next(&mut rest) {
                match piece {
                    Piece::Data(bytes) => data.extend_from_slice(bytes),
                    Piece::Held(held) => data.extend_from_slice(held.bytes()),
                    Piece::Ask(ask) => asks.push(ask),
                }
            }
            assert!(rest.is_empty());
        }
        data.extend_from_slice(realtime.flush().bytes());
        (data, asks)
    }

    #[test]
    fn escpos_requests_come_out_of_the_data() {
        let bytes = b"a\x10\x04\x01b\x10\x10\x04\x04\x10\x05\x02c\x10\x04\x09d\x10";
        let asks = vec![Ask::Status(1), Ask::Status(4), Ask::Recover];
        assert_eq!(split(Language::Escpos, &[bytes]), (b"ab\x10c\x10\x04\x09d\x10".to_vec(), asks));
    }

    #[test]
    fn zpl_requests_come_out_of_the_data() {
        let bytes = b"^XA~HS^XZ~HQES~HI~H~HQE~JA~JX~hs";
        let asks =
            vec![Ask::HostStatus, Ask::HostErrors, Ask::HostId, Ask::CancelAll, Ask::CancelPartial];
        assert_eq!(split(Language::Zpl, &[bytes]), (b"^XA^XZ~H~HQE~hs".to_vec(), asks));
    }

    #[test]
    fn the_others_have_none() {
        let bytes = b"\x10\x04\x01~HS";
        for language in [Language::Plain, Language::Pjl] {
            assert_eq!(split(language, &[bytes]), (bytes.to_vec(), Vec::new()));
        }
    }

    proptest! {
        #[test]
        fn does_not_care_for_the_split(
            bytes in prop::collection::vec(
                prop::sample::select(b"\x10\x04\x05\x01\x02~HQESIJAx".to_vec()), 0..60),
            cut in 0usize..60,
        ) {
            for language in [Language::Escpos, Language::Zpl] {
                let whole = split(language, &[&bytes]);
                let (left, right) = bytes.split_at(cut.min(bytes.len()));
                prop_assert_eq!(&split(language, &[left, right]), &whole);
                let single: Vec<&[u8]> = bytes.chunks(1).collect();
                prop_assert_eq!(&split(language, &single), &whole);
            }
        }
    }
}
