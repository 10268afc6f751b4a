//! What a client sends: requests are cut into fragments and protected when they are queued, in that order.
//!
//! Invariant: the order of protecting is the order on the wire, and fragments of different requests do not mix.

use bytes::{Buf, BytesMut};

use super::opening::Guard;
use crate::rpc::auth::Refusal;
use crate::rpc::limits::REQUESTS_QUEUED_BYTES;
use crate::rpc::pdu::{Flags, HEADER_BYTES, Header, Kind, Request};
use crate::rpc::protection::{protect, stub_room};

/// Octets for the kernel.
#[derive(Default)]
pub(super) struct Output(BytesMut);

/// What a request says of itself.
pub(super) struct Head {
    pub(super) call_id: u32,
    pub(super) context_id: u16,
    pub(super) opnum: u16,
}

impl Output {
    pub(super) fn octets(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a request of so many octets fits.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.0.is_empty() || self.0.len().saturating_add(bytes) <= REQUESTS_QUEUED_BYTES
    }

    /// The kernel took so many octets.
    pub(super) fn took(&mut self, count: usize) {
        self.0.advance(count.min(self.0.len()));
        if self.0.is_empty() {
            // An idle connection keeps no buffer.
            self.0 = BytesMut::new();
        }
    }

    /// Queues a whole PDU.
    pub(super) fn push(&mut self, pdu: &[u8]) {
        self.0.extend_from_slice(pdu);
    }

    /// Queues a request.
    pub(super) fn request(
        &mut self,
        head: &Head,
        mut stub: &[u8],
        fragment_bytes: u16,
        guard: &mut Option<Guard>,
    ) -> Result<(), Refusal> {
        let session = guard.as_ref().map(|guard| &*guard.session);
        let room = stub_room(usize::from(fragment_bytes), Request::BYTES, session);
        let mut is_first = true;
        loop {
            let (part, rest) = stub.split_at(room.min(stub.len()));
            let flags = Flags::FIRST.when(is_first) | Flags::LAST.when(rest.is_empty());
            let request = Request {
                alloc_hint: u32::try_from(stub.len()).unwrap_or(u32::MAX),
                context_id: head.context_id,
                opnum: head.opnum,
                object: None,
            };
            let mut pdu = Vec::with_capacity(HEADER_BYTES + Request::BYTES + part.len() + 48);
            Header::new(Kind::Request, flags, head.call_id).encode(&mut pdu);
            request.encode(&mut pdu);
            let stub_at = pdu.len();
            pdu.extend_from_slice(part);
            let by = guard.as_mut().map(|guard| (&mut *guard.session as &mut _, &guard.mark));
            protect(&mut pdu, stub_at, by)?;
            self.push(&pdu);
            (stub, is_first) = (rest, false);
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    pub(super) fn abandon(&mut self) {
        self.0 = BytesMut::new();
    }
}
