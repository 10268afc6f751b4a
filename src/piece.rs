//! What travels between the actors of the road: pieces, never job bytes.
//!
//! A piece is a range of the mapped document, or a few inline bytes that a datatype or a language monitor made. It is
//! cheap to pass on; the bytes are touched by the kernel alone, when the port's thread lends them to `write`.

use bytes::Bytes;
use despool_hw::{FileRange, Lent, Origin};

/// A range of a document, or a few bytes of our own.
#[derive(Clone, Debug)]
pub struct Piece {
    content: Content,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Content {
    Document(despool_spool::Bytes),
    Inline(Bytes),
}

impl Piece {
    /// A range of the spooled document.
    pub fn document(bytes: despool_spool::Bytes) -> Self {
        Self { content: Content::Document(bytes), origin: Origin::Job }
    }

    /// Bytes of the job that are not in the spool file: what a datatype adds, or a direct job.
    pub fn inline(bytes: impl Into<Bytes>) -> Self {
        Self { content: Content::Inline(bytes.into()), origin: Origin::Job }
    }

    /// Bytes of a language monitor. They do not count as bytes of the job.
    pub fn monitor(bytes: impl Into<Bytes>) -> Self {
        Self { content: Content::Inline(bytes.into()), origin: Origin::Monitor }
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        match &self.content {
            Content::Document(bytes) => bytes.len(),
            Content::Inline(bytes) => bytes.len(),
        }
    }

    /// True for no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True where the bytes count as bytes of the job.
    pub fn is_of_job(&self) -> bool {
        self.origin == Origin::Job
    }

    /// Maps the pages now, in one go.
    pub fn prefault(&self) {
        if let Content::Document(bytes) = &self.content {
            bytes.prefault();
        }
    }

    /// The bytes from `from` on, for one `write`.
    pub fn lend(&self, from: usize) -> Lent<'_> {
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
        Lent { bytes: bytes.get(from..).unwrap_or_default(), file, origin: self.origin }
    }
}
