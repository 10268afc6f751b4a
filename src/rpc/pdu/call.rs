//! Heads of request, response and fault.

use super::Flags;
use crate::rpc::uuid::Uuid;
use crate::rpc::wire::{Cursor, Put};

/// The head of a request fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// How long the stub may become; 0 where nothing is said. It may lie.
    pub alloc_hint: u32,
    /// The presentation context.
    pub context_id: u16,
    /// The operation.
    pub opnum: u16,
    /// The object.
    pub object: Option<Uuid>,
}

impl Request {
    /// Octets of the head of a request without an object, and of a response.
    pub const BYTES: usize = 8;

    pub(super) fn decode(cursor: &mut Cursor<'_>, flags: Flags) -> Option<Self> {
        let (alloc_hint, context_id, opnum) = (cursor.u32()?, cursor.u16()?, cursor.u16()?);
        let object = if flags.has(Flags::OBJECT) { Some(cursor.uuid()?) } else { None };
        Some(Self { alloc_hint, context_id, opnum, object })
    }

    /// Writes the head. The flag that an object follows is the header's.
    pub fn encode(&self, pdu: &mut Vec<u8>) {
        pdu.put_u32(self.alloc_hint);
        pdu.put_u16(self.context_id);
        pdu.put_u16(self.opnum);
        if let Some(object) = self.object {
            pdu.put(&object.to_wire());
        }
    }
}

/// The head of a response fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Octets of the stub from here on.
    pub alloc_hint: u32,
    /// The presentation context.
    pub context_id: u16,
    /// Cancels that the server received.
    pub cancel_count: u8,
}

impl Response {
    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        let (alloc_hint, context_id, cancel_count) = (cursor.u32()?, cursor.u16()?, cursor.u8()?);
        cursor.take(1)?;
        Some(Self { alloc_hint, context_id, cancel_count })
    }

    /// Writes the head.
    pub fn encode(&self, pdu: &mut Vec<u8>) {
        pdu.put_u32(self.alloc_hint);
        pdu.put_u16(self.context_id);
        pdu.put(&[self.cancel_count, 0]);
    }
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Octets of what follows; servers send some number that is not 0.
    pub alloc_hint: u32,
    /// The presentation context; 0 where there is none.
    pub context_id: u16,
    /// Cancels that the server received.
    pub cancel_count: u8,
    /// Bit 0: extended error information follows ([MS-RPCE] 2.2.2.8).
    pub flags: u8,
    /// Why.
    pub status: u32,
}

impl Fault {
    /// Octets of a whole fault PDU of ours, which is what we send as the hint.
    pub const PDU_BYTES: u32 = 32;

    /// A fault of this status.
    pub fn new(context_id: u16, status: u32) -> Self {
        Self { alloc_hint: Self::PDU_BYTES, context_id, cancel_count: 0, flags: 0, status }
    }

    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        let (alloc_hint, context_id) = (cursor.u32()?, cursor.u16()?);
        let (cancel_count, flags, status) = (cursor.u8()?, cursor.u8()?, cursor.u32()?);
        // Four reserved octets follow, which some leave out.
        Some(Self { alloc_hint, context_id, cancel_count, flags, status })
    }

    /// Writes the body.
    pub fn encode(&self, pdu: &mut Vec<u8>) {
        pdu.put_u32(self.alloc_hint);
        pdu.put_u16(self.context_id);
        pdu.put(&[self.cancel_count, self.flags]);
        pdu.put_u32(self.status);
        pdu.put_u32(0);
    }
}
