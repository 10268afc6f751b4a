//! Where a running document stands between two commands.
//!
//! The pieces of the document are kept (as ranges, not as bytes) and read only when there is something to ask: a job that
//! prints without trouble is never looked into. Reading is by `pread`, from where the last reading ended.
//!
//! The invariant: a place is only told if everything before it was read and understood.

use std::collections::VecDeque;

use super::Boundaries;
use crate::limits::{READING_BYTES, READING_PIECES};
use crate::piece::Piece;

/// The part of a document that was written and not yet read.
pub(super) struct Reading {
    boundaries: Box<dyn Boundaries>,
    /// Pieces, the first of them begun.
    pieces: VecDeque<Piece>,
    /// How much of the first was read.
    cursor: usize,
    /// Bytes of the job read.
    at: u64,
    /// Nothing is known of it any more.
    lost: bool,
}

impl Reading {
    pub(super) fn new(boundaries: Box<dyn Boundaries>) -> Self {
        Self { boundaries, pieces: VecDeque::new(), cursor: 0, at: 0, lost: false }
    }

    /// The next piece of the document was written.
    pub(super) fn push(&mut self, piece: &Piece) {
        if self.pieces.len() >= READING_PIECES {
            self.lose();
        }
        if !self.lost && !piece.is_empty() {
            self.pieces.push_back(piece.clone());
        }
    }

    fn lose(&mut self) {
        self.lost = true;
        self.pieces.clear();
    }

    /// The first place between two commands at or after `from`, in what was written so far.
    pub(super) fn find(&mut self, from: u64) -> Option<u64> {
        let mut buf = vec![0; READING_BYTES];
        while !self.lost {
            let got = match self.pieces.front().map(|piece| piece.copy(self.cursor, &mut buf)) {
                None => 0,
                Some(Ok(got)) => got,
                Some(Err(_)) => {
                    self.lose();
                    break;
                }
            };
            let beyond = usize::try_from(from.saturating_sub(self.at)).unwrap_or(usize::MAX);
            let found = self.boundaries.find(buf.get(..got).unwrap_or_default(), beyond);
            self.pass(found.unwrap_or(got));
            if found.is_some() {
                return Some(self.at);
            }
            if self.pieces.is_empty() {
                return None;
            }
            if got == 0 {
                // The document is shorter than it was said to be.
                self.lose();
            }
        }
        None
    }

    fn pass(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        self.cursor = self.cursor.saturating_add(bytes);
        if self.pieces.front().is_some_and(|piece| self.cursor >= piece.len()) {
            self.pieces.pop_front();
            self.cursor = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands of four bytes.
    #[derive(Default)]
    struct Fours(usize);

    impl Boundaries for Fours {
        fn find(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
            for at in 0..=bytes.len() {
                if at >= from && self.0.is_multiple_of(4) {
                    return Some(at);
                }
                self.0 += usize::from(at < bytes.len());
            }
            None
        }
    }

    fn reading(pieces: &[&[u8]]) -> Reading {
        let mut reading = Reading::new(Box::new(Fours::default()));
        for piece in pieces {
            reading.push(&Piece::inline(piece.to_vec()));
        }
        reading
    }

    #[test]
    fn places_are_found_across_pieces_and_readings() {
        let mut it = reading(&[b"aaa", b"bb", b"", b"c", b"dddddd"]);
        assert_eq!(it.find(0), Some(0));
        assert_eq!(it.find(1), Some(4));
        assert_eq!(it.find(2), Some(4), "where it stands already");
        assert_eq!(it.find(9), Some(12), "the end is a place");
        assert_eq!(it.find(13), None);
        it.push(&Piece::inline(&b"eeeee"[..]));
        assert_eq!(it.find(13), Some(16));
    }

    #[test]
    fn too_much_unread_is_given_up() {
        let many: Vec<&[u8]> = vec![b"aaaa"; READING_PIECES];
        assert_eq!(reading(&many).find(60), Some(60));
        let mut it = reading(&many);
        it.push(&Piece::inline(&b"aaaa"[..]));
        assert_eq!(it.find(0), None);
        assert!(it.pieces.is_empty());
    }
}
