//! What PDUs begin and end with: the common header, and the `sec_trailer` before a token.

use std::ops::{BitOr, Range};

use super::BadPdu;
use crate::rpc::wire::{ByteOrder, Cursor, Put};

/// Octets of the common header.
pub const HEADER_BYTES: usize = 16;

/// Octets of the `sec_trailer`, without the token.
pub const TRAILER_BYTES: usize = 8;

const VERSION: u8 = 5;
/// Little-endian integers, ASCII, IEEE floats.
const OUR_REPRESENTATION: [u8; 4] = [0x10, 0, 0, 0];
const LITTLE_ENDIAN: u8 = 0x10;

/// The type of a PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names of [C706] 12.6.4")]
pub enum Kind {
    Request = 0,
    Response = 2,
    Fault = 3,
    Bind = 11,
    BindAck = 12,
    BindNak = 13,
    AlterContext = 14,
    AlterContextResp = 15,
    Auth3 = 16,
    Shutdown = 17,
    CoCancel = 18,
    Orphaned = 19,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Request,
        Self::Response,
        Self::Fault,
        Self::Bind,
        Self::BindAck,
        Self::BindNak,
        Self::AlterContext,
        Self::AlterContextResp,
        Self::Auth3,
        Self::Shutdown,
        Self::CoCancel,
        Self::Orphaned,
    ];

    fn decode(octet: u8) -> Result<Self, BadPdu> {
        let kind = Self::ALL.into_iter().find(|kind| *kind as u8 == octet);
        kind.ok_or(BadPdu::Kind(octet))
    }
}

/// `pfc_flags` of the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u8);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// The first fragment.
    pub const FIRST: Self = Self(0x01);
    /// The last fragment.
    pub const LAST: Self = Self(0x02);
    /// The only fragment.
    pub const WHOLE: Self = Self(0x03);
    /// In a request: its cancel is pending.
    pub const PENDING_CANCEL: Self = Self(0x04);
    /// In binds and their answers: the sender can protect headers.
    pub const HEADER_SIGNING: Self = Self(0x04);
    /// Several calls may be outstanding on one connection.
    pub const MULTIPLEXING: Self = Self(0x10);
    /// In a fault: the operation was not begun.
    pub const DID_NOT_EXECUTE: Self = Self(0x20);
    /// In a request: an object UUID follows its head.
    pub const OBJECT: Self = Self(0x80);

    /// Whether all of these are set.
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// These flags if `condition` holds, else none.
    pub const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::NONE }
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The common header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The type.
    pub kind: Kind,
    /// `pfc_flags`.
    pub flags: Flags,
    /// The sender's byte order. Written is little-endian.
    pub order: ByteOrder,
    /// Octets of the fragment. Written is what there is.
    pub fragment_bytes: u16,
    /// Octets of the token. Written is what there is.
    pub auth_bytes: u16,
    /// Which call.
    pub call_id: u32,
}

impl Header {
    /// The header of a PDU to be written.
    pub fn new(kind: Kind, flags: Flags, call_id: u32) -> Self {
        let order = ByteOrder::Little;
        Self { kind, flags, order, fragment_bytes: 0, auth_bytes: 0, call_id }
    }

    /// Reads the header of a fragment, of which there need not be more than the header.
    pub fn decode(fragment: &[u8]) -> Result<Self, BadPdu> {
        let Some(&[version, minor, kind, flags, format, ..]) = fragment.first_chunk::<8>() else {
            return Err(BadPdu::Length);
        };
        let order = byte_order(format);
        let mut cursor = Cursor::new(fragment.get(8..HEADER_BYTES).unwrap_or_default(), order);
        let lengths = cursor.u16().zip(cursor.u16()).zip(cursor.u32());
        let ((fragment_bytes, auth_bytes), call_id) = lengths.ok_or(BadPdu::Length)?;
        if version != VERSION || minor > 1 {
            return Err(BadPdu::Version);
        }
        let kind = Kind::decode(kind)?;
        Ok(Self { kind, flags: Flags(flags), order, fragment_bytes, auth_bytes, call_id })
    }

    /// The length of the fragment that begins here, if its header is here: all that is needed to find its end. Even of
    /// a PDU of another version.
    pub fn fragment_length(start: &[u8]) -> Option<usize> {
        let header = start.first_chunk::<HEADER_BYTES>()?;
        let &[_, _, _, _, format, _, _, _, low, high, ..] = header;
        Some(usize::from(match byte_order(format) {
            ByteOrder::Little => u16::from_le_bytes([low, high]),
            ByteOrder::Big => u16::from_be_bytes([low, high]),
        }))
    }

    pub(super) fn encode(&self, pdu: &mut Vec<u8>) {
        pdu.put(&[VERSION, 0, self.kind as u8, self.flags.0]);
        pdu.put(&OUR_REPRESENTATION);
        pdu.put_u16(self.fragment_bytes);
        pdu.put_u16(self.auth_bytes);
        pdu.put_u32(self.call_id);
    }
}

fn byte_order(format: u8) -> ByteOrder {
    if format & 0xF0 == LITTLE_ENDIAN { ByteOrder::Little } else { ByteOrder::Big }
}

/// Puts the lengths into the header of a PDU that is whole but for them.
pub(super) fn set_lengths(pdu: &mut [u8], token_bytes: usize) {
    let [fragment, token] = [pdu.len(), token_bytes].map(|bytes| u16::try_from(bytes).unwrap_or(0));
    if let Some(lengths) = pdu.get_mut(8..12) {
        let ([a, b], [c, d]) = (fragment.to_le_bytes(), token.to_le_bytes());
        lengths.copy_from_slice(&[a, b, c, d]);
    }
}

/// The `sec_trailer` ([MS-RPCE] 2.2.2.11), and where it and its token are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trailer {
    /// The security provider.
    pub auth_type: u8,
    /// The protection of PDUs.
    pub auth_level: u8,
    /// Octets of padding before it.
    pub pad_bytes: u8,
    /// Which security context of the connection.
    pub context_id: u32,
    /// Where it is in the fragment.
    pub at: usize,
    /// Where its token is in the fragment.
    pub token: Range<usize>,
}

impl Trailer {
    /// The trailer of a PDU to be written.
    pub fn new(auth_type: u8, auth_level: u8, context_id: u32) -> Self {
        Self { auth_type, auth_level, context_id, ..Self::default() }
    }

    /// Finds the trailer at the end of a fragment. No token, no trailer.
    pub fn find(header: &Header, fragment: &[u8]) -> Result<Option<Self>, BadPdu> {
        let token_bytes = usize::from(header.auth_bytes);
        if token_bytes == 0 {
            return Ok(None);
        }
        let at = fragment.len().checked_sub(token_bytes + TRAILER_BYTES);
        let at = at.filter(|at| *at >= HEADER_BYTES).ok_or(BadPdu::Length)?;
        let mut cursor = Cursor::new(fragment.get(at..).unwrap_or_default(), header.order);
        let decode = |cursor: &mut Cursor<'_>| {
            let (auth_type, auth_level) = (cursor.u8()?, cursor.u8()?);
            let (pad_bytes, _reserved) = (cursor.u8()?, cursor.u8()?);
            let context_id = cursor.u32()?;
            let token = at + TRAILER_BYTES..fragment.len();
            Some(Self { auth_type, auth_level, pad_bytes, context_id, at, token })
        };
        decode(&mut cursor).map(Some).ok_or(BadPdu::Length)
    }

    pub(super) fn encode(&self, pdu: &mut Vec<u8>) {
        pdu.put(&[self.auth_type, self.auth_level, self.pad_bytes, 0]);
        pdu.put_u32(self.context_id);
    }
}
