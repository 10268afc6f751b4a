//! The three messages of NTLM ([MS-NLMP] 2.2.1), sans-I/O: bytes in, a struct out, and back.
//!
//! ```text
//!   client ── NEGOTIATE ──► server
//!   client ◄─ CHALLENGE ─── server
//!   client ── AUTHENTICATE ► server
//! ```
//!
//! Each begins with `NTLMSSP\0` and its type; texts and octets lie behind the fixed part, found by length and offset.

mod authenticate;
mod challenge;
mod negotiate;

pub use authenticate::{Authenticate, MIC_AT};
pub use challenge::Challenge;
pub use negotiate::Negotiate;

use crate::limits::NTLM_MESSAGE_BYTES;
use crate::rpc::auth::Refusal;

/// What every message begins with.
pub const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

/// Product and revision (15), [MS-NLMP] 2.2.2.10. Peers log it and nothing else.
pub type Version = [u8; 8];

/// What we say: Windows 6.1, as the least that knows all we need.
pub(super) const VERSION: Version = [6, 1, 0, 0, 0, 0, 0, 15];

/// Reads little-endian fields, one after the other.
pub(super) struct Reader<'a> {
    message: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { message: bytes, rest: bytes }
    }

    /// A message of this type, at its first field.
    fn message(bytes: &'a [u8], kind: u32) -> Result<Self, Refusal> {
        if bytes.len() > NTLM_MESSAGE_BYTES {
            return Err(Refusal::Malformed("NTLM message too long"));
        }
        let mut reader = Self::new(bytes);
        if reader.array()? != *SIGNATURE {
            return Err(Refusal::Malformed("no NTLM message"));
        }
        if reader.u32()? != kind {
            return Err(Refusal::Malformed("another NTLM message was due"));
        }
        Ok(reader)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Refusal> {
        let parts = self.rest.split_at_checked(count);
        let (bytes, rest) = parts.ok_or(Refusal::Malformed("NTLM message cut short"))?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        self.bytes(N)?.try_into().map_err(|_| Refusal::Malformed("NTLM message cut short"))
    }

    pub(super) fn u16(&mut self) -> Result<u16, Refusal> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Refusal> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Refusal> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Length, room, offset: the part of the message that they mean.
    fn part(&mut self) -> Result<Part<'a>, Refusal> {
        let (length, _room, offset) = (self.u16()?, self.u16()?, self.u32()?);
        if length == 0 {
            return Ok(Part { offset: self.message.len(), bytes: &[] });
        }
        let outside = Refusal::Malformed("a field lies outside of its NTLM message");
        let offset = usize::try_from(offset).map_err(|_| outside.clone())?;
        let behind = self.message.get(offset..).and_then(|behind| behind.get(..length.into()));
        Ok(Part { offset, bytes: behind.ok_or(outside)? })
    }
}

/// A text or octets behind the fixed part.
struct Part<'a> {
    offset: usize,
    bytes: &'a [u8],
}

impl Part<'_> {
    fn text(&self) -> Result<String, Refusal> {
        text(self.bytes)
    }
}

/// Reads UTF-16LE.
pub(in crate::rpc::auth) fn text(bytes: &[u8]) -> Result<String, Refusal> {
    let broken = Refusal::Malformed("a text is not UTF-16");
    let (units, []) = bytes.as_chunks::<2>() else { return Err(broken) };
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
    char::decode_utf16(units).collect::<Result<String, _>>().map_err(|_| broken)
}

/// Writes UTF-16LE.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Writes a message: the fixed part, and behind it what the fields point to.
struct Writer {
    fixed: Vec<u8>,
    behind: Vec<u8>,
    /// Length of the fixed part when it is done.
    fixed_bytes: usize,
}

impl Writer {
    fn new(kind: u32, fixed_bytes: usize) -> Self {
        let fixed = [SIGNATURE.as_slice(), &kind.to_le_bytes()].concat();
        Self { fixed, behind: Vec::new(), fixed_bytes }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.fixed.extend(bytes);
    }

    /// A field that points to these bytes. What does not fit into one (64 KiB) is left out.
    fn part(&mut self, bytes: &[u8]) {
        let offset = self.fixed_bytes.saturating_add(self.behind.len());
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let (length, bytes) = match u16::try_from(bytes.len()) {
            Ok(length) => (length, bytes),
            Err(_) => (0, [].as_slice()),
        };
        self.put(&length.to_le_bytes());
        self.put(&length.to_le_bytes());
        self.put(&offset.to_le_bytes());
        self.behind.extend(bytes);
    }

    fn finish(self) -> Vec<u8> {
        [self.fixed, self.behind].concat()
    }
}

#[cfg(test)]
mod tests;
