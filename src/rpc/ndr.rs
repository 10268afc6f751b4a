//! NDR and NDR64: how the parameters of a call lie in its stub ([C706] chapter 14, [MS-RPCE] 2.2.4 and 2.2.5).
//!
//! Not a compiler of IDL: an interface reads and writes its parameters in the order of its IDL, with one API for both
//! transfer syntaxes. What differs is in [`Syntax`]: pointers and counts have 4 or 8 bytes. Alignment is from the start of
//! the stub; gaps are written as zeros and not looked at.
//!
//! ```text
//!   [in, string, unique] wchar_t *name     if r.pointer()? { r.wide_string(limit)? }
//!   [in] GUID *type (a reference)          r.uuid()?
//!   [in, size_is(n), unique] byte *data    r.unique_bytes(n)?
//!   struct { char *a; char *b; }           a pointer in a structure: first both pointers, then what they point at
//! ```
//!
//! Invariant: nothing is allocated from a count that the stub does not hold the elements of.

mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::Reader;
pub use writer::Writer;

use super::uuid::{SyntaxId, Uuid};

/// How stubs are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// Pointers and counts have 4 bytes.
    Ndr,
    /// Pointers and counts have 8 bytes, aligned to 8; little-endian only.
    Ndr64,
}

impl Syntax {
    /// The transfer syntax that has this identifier.
    pub fn of(id: &SyntaxId) -> Option<Self> {
        [Self::Ndr, Self::Ndr64].into_iter().find(|syntax| syntax.id() == *id)
    }

    /// Its identifier.
    pub const fn id(self) -> SyntaxId {
        match self {
            Self::Ndr => SyntaxId::NDR,
            Self::Ndr64 => SyntaxId::NDR64,
        }
    }

    /// Bytes of a pointer or a count, and their alignment.
    pub const fn word(self) -> usize {
        match self {
            Self::Ndr => 4,
            Self::Ndr64 => 8,
        }
    }
}

/// A stub that is not what its interface says. The call gets the fault 0x000006F7 ([MS-RPCE] 3.1.1.5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad stub at byte {at}: {why}")]
pub struct BadStub {
    /// Bytes from the start of the stub.
    pub at: usize,
    /// What is wrong there.
    pub why: &'static str,
}

/// A context handle: the server's name for something that it keeps for a client ([MS-RPCE] 2.2.1.1.4).
///
/// 20 bytes on the wire, four of attributes (we send zero) and a UUID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ContextHandle {
    /// Zero from us; others are given back as they came.
    pub attributes: u32,
    /// Which one.
    pub uuid: Uuid,
}

impl ContextHandle {
    /// No handle: 20 zero bytes.
    pub const NULL: Self = Self { attributes: 0, uuid: Uuid::NIL };

    /// The handle of this UUID.
    pub const fn new(uuid: Uuid) -> Self {
        Self { attributes: 0, uuid }
    }

    /// True for 20 zero bytes.
    pub const fn is_null(&self) -> bool {
        self.attributes == 0 && self.uuid.is_nil()
    }
}
