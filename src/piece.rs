//! What travels between the actors of the road: pieces, never job bytes.
//!
//! A piece is a range of the mapped document, or a few inline bytes that a datatype or a language monitor made. It is
//! cheap to pass on; the bytes are touched by the kernel alone, when the port's thread lends them to `write`.

use std::ops::Range;

use bytes::Bytes;
use despool_hw::{FileRange, Lent, Origin};

/// A range of a document, or a few bytes of our own.
#[derive(Clone, Debug)]
pub struct Piece {
    content: Content,
    origin: Origin,
    /// Which part of the content it is.
    range: Range<usize>,
}

#[derive(Clone, Debug)]
enum Content {
    Document(despool_spool::Bytes),
    Inline(Bytes),
}

impl Piece {
    /// A range of the spooled document.
    pub fn document(bytes: despool_spool::Bytes) -> Self {
        Self { range: 0..bytes.len(), content: Content::Document(bytes), origin: Origin::Job }
    }

    /// Bytes of the job that are not in the spool file: what a datatype adds, or a direct job.
    pub fn inline(bytes: impl Into<Bytes>) -> Self {
        Self::of(bytes.into(), Origin::Job)
    }

    /// Bytes of a language monitor. They do not count as bytes of the job.
    pub fn monitor(bytes: impl Into<Bytes>) -> Self {
        Self::of(bytes.into(), Origin::Monitor)
    }

    fn of(bytes: Bytes, origin: Origin) -> Self {
        Self { range: 0..bytes.len(), content: Content::Inline(bytes), origin }
    }

    /// A part of it, which lends the same memory. What lies beyond its end is left out.
    pub fn slice(&self, part: Range<usize>) -> Self {
        let at = |offset: usize| self.range.start.saturating_add(offset).min(self.range.end);
        let (start, end) = (at(part.start), at(part.end));
        Self { range: start..end.max(start), content: self.content.clone(), origin: self.origin }
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// True for no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True where the bytes count as bytes of the job.
    pub fn is_of_job(&self) -> bool {
        self.origin == Origin::Job
    }

    /// Maps the pages now, in one go. Of several parts of the same content the first does so for all.
    pub fn prefault(&self) {
        if let (Content::Document(bytes), 0) = (&self.content, self.range.start) {
            bytes.prefault();
        }
    }

    /// Copies bytes from `from` on, without touching mapped pages; how many.
    pub fn copy(&self, from: usize, buf: &mut [u8]) -> std::io::Result<usize> {
        self.lend(from).copy_to(buf)
    }

    /// The bytes from `from` on, for one `write`.
    pub fn lend(&self, from: usize) -> Lent<'_> {
        let from = self.range.start.saturating_add(from);
        let (bytes, file) = match &self.content {
            Content::Document(bytes) => {
                let at = u64::try_from(from).unwrap_or(u64::MAX);
                let range = |(file, offset): (_, u64)| FileRange {
                    file,
                    offset: offset.saturating_add(at),
                };
                (bytes.lend(), bytes.file().map(range))
            }
            Content::Inline(bytes) => (&**bytes, None),
        };
        let bytes = bytes.get(from..self.range.end).unwrap_or_default();
        Lent { bytes, file, origin: self.origin, entry: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_parts_lend_the_same_bytes() {
        let whole = Piece::inline(&b"0123456789"[..]);
        let part = whole.slice(2..8);
        assert_eq!((part.len(), part.lend(0).bytes), (6, &b"234567"[..]));
        assert_eq!(part.slice(1..3).lend(1).bytes, b"4");
        assert_eq!(part.slice(4..99).lend(0).bytes, b"67");
        assert!(part.slice(9..12).is_empty() && part.slice(3..3).is_empty());
        let mut buf = [0; 3];
        assert_eq!((part.copy(4, &mut buf).unwrap(), buf), (2, *b"67\0"));
        let document = Piece::document(despool_spool::Bytes::in_memory(b"abcdef".to_vec()));
        assert_eq!(document.slice(1..4).lend(1).bytes, b"cd");
    }
}
