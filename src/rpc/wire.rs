//! Fields one after the other, in either byte order: what PDUs, stubs and towers are read and written with.
//!
//! Not alignment (that is [`ndr`](super::ndr)). Invariant: reading never goes past the end; `None` means the bytes ran out.

use super::uuid::{SyntaxId, Uuid};

/// The byte order that a sender declared in its data representation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ByteOrder {
    /// What nearly everybody sends, and what we send.
    #[default]
    Little,
    /// Readers convert ("receiver makes right").
    Big,
}

/// Reads fields from the front.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    order: ByteOrder,
}

impl<'a> Cursor<'a> {
    /// Reads these bytes.
    pub fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self { rest: bytes, order }
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// An octet.
    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    /// Two octets.
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(match self.order {
            ByteOrder::Little => u16::from_le_bytes,
            ByteOrder::Big => u16::from_be_bytes,
        })
    }

    /// Four octets.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(match self.order {
            ByteOrder::Little => u32::from_le_bytes,
            ByteOrder::Big => u32::from_be_bytes,
        })
    }

    /// Eight octets.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(match self.order {
            ByteOrder::Little => u64::from_le_bytes,
            ByteOrder::Big => u64::from_be_bytes,
        })
    }

    /// A UUID, 16 octets.
    pub fn uuid(&mut self) -> Option<Uuid> {
        self.array().map(|octets| Uuid::from_wire(octets, self.order))
    }

    /// A syntax identifier, 20 octets.
    pub fn syntax(&mut self) -> Option<SyntaxId> {
        let uuid = self.uuid()?;
        let version = self.u32()?;
        Some(SyntaxId::from_wire(uuid, version))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}

/// Appends fields, little-endian.
pub trait Put {
    /// An octet.
    fn put_u8(&mut self, value: u8);
    /// Two octets.
    fn put_u16(&mut self, value: u16);
    /// Four octets.
    fn put_u32(&mut self, value: u32);
    /// Octets as they are.
    fn put(&mut self, octets: &[u8]);
    /// A syntax identifier, 20 octets.
    fn put_syntax(&mut self, syntax: &SyntaxId);
    /// Zeros up to a multiple of `align` from the start.
    fn pad_to(&mut self, align: usize);
}

impl Put for Vec<u8> {
    fn put_u8(&mut self, value: u8) {
        self.push(value);
    }

    fn put_u16(&mut self, value: u16) {
        self.extend(value.to_le_bytes());
    }

    fn put_u32(&mut self, value: u32) {
        self.extend(value.to_le_bytes());
    }

    fn put(&mut self, octets: &[u8]) {
        self.extend_from_slice(octets);
    }

    fn put_syntax(&mut self, syntax: &SyntaxId) {
        self.put(&syntax.uuid.to_wire());
        self.put_u32(syntax.version_to_wire());
    }

    fn pad_to(&mut self, align: usize) {
        self.resize(self.len().next_multiple_of(align), 0);
    }
}
