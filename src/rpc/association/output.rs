//! What waits to be sent on a connection.
//!
//! Responses are cut into fragments, and these are protected, only when the kernel takes them: so the order of
//! protecting is the order on the wire, and a client that does not read costs no more than the stubs that wait for it.
//!
//! Invariant: fragments of different responses do not mix, none goes out with less protection than its call had, and each
//! receipt hears when the kernel took its last octet.

use std::collections::VecDeque;

use bytes::Bytes;

use super::security::Securities;
use crate::rpc::auth::Refusal;
use crate::rpc::interface::Receipt;
use crate::rpc::limits::OUTPUT_BYTES;
use crate::rpc::pdu::{Flags, HEADER_BYTES, Header, Kind, Response};
use crate::rpc::protection::{protect, stub_room};

/// A response on its way.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// Which call it answers.
    pub(super) call_id: u32,
    /// The call's presentation context.
    pub(super) context_id: u16,
    /// Which security context protects it.
    pub(super) security: Option<usize>,
    /// What is not sent yet.
    pub(super) stub: Bytes,
    /// Hears what becomes of it.
    pub(super) receipt: Receipt,
}

enum Item {
    Pdu(Vec<u8>),
    Response { response: Outgoing, is_begun: bool },
}

/// See the module.
#[derive(Default)]
pub(super) struct Output {
    queue: VecDeque<Item>,
    queued_bytes: usize,
    /// Octets for the kernel, and how many of them it took.
    octets: Vec<u8>,
    taken: usize,
    /// All octets ever made, and taken.
    made_in_all: u64,
    taken_in_all: u64,
    receipts: VecDeque<(u64, Receipt)>,
}

impl Output {
    /// Queues a whole PDU.
    pub(super) fn push(&mut self, pdu: Vec<u8>) {
        self.queued_bytes = self.queued_bytes.saturating_add(pdu.len());
        self.queue.push_back(Item::Pdu(pdu));
    }

    /// Queues a response.
    pub(super) fn respond(&mut self, response: Outgoing) {
        self.queued_bytes = self.queued_bytes.saturating_add(response.stub.len());
        self.queue.push_back(Item::Response { response, is_begun: false });
    }

    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.taken == self.octets.len()
    }

    /// Octets that wait, roughly.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.queued_bytes.saturating_add(self.octets.len().saturating_sub(self.taken))
    }

    /// What the kernel should take next.
    pub(super) fn octets(&self) -> &[u8] {
        self.octets.get(self.taken..).unwrap_or_default()
    }

    /// Sees to it that there are [`octets`](Self::octets), if anything waits.
    ///
    /// # Errors
    /// A response could not be protected as its security context demands; what is left of it is lost.
    pub(super) fn fill(
        &mut self,
        fragment_bytes: usize,
        securities: &mut Securities,
    ) -> Result<(), Refusal> {
        if self.taken == self.octets.len() {
            // An idle connection keeps no buffer.
            self.octets = Vec::new();
            self.taken = 0;
            while self.octets.len() < OUTPUT_BYTES
                && let Some(item) = self.queue.pop_front()
            {
                self.make(item, fragment_bytes, securities)?;
            }
        }
        Ok(())
    }

    /// The kernel took so many octets.
    pub(super) fn took(&mut self, count: usize) {
        self.taken = self.taken.saturating_add(count).min(self.octets.len());
        self.taken_in_all = self.taken_in_all.saturating_add(u64::try_from(count).unwrap_or(0));
        while self.receipts.front().is_some_and(|(end, _)| *end <= self.taken_in_all) {
            if let Some((_, receipt)) = self.receipts.pop_front() {
                receipt.written();
            }
        }
        if self.taken == self.octets.len() {
            self.octets = Vec::new();
            self.taken = 0;
        }
    }

    /// Nothing more goes out: what waits is lost.
    pub(super) fn abandon(&mut self) {
        *self = Self::default();
    }

    fn make(
        &mut self,
        item: Item,
        fragment_bytes: usize,
        securities: &mut Securities,
    ) -> Result<(), Refusal> {
        match item {
            Item::Pdu(pdu) => {
                self.queued_bytes = self.queued_bytes.saturating_sub(pdu.len());
                self.append(pdu);
            }
            Item::Response { mut response, is_begun } => {
                self.queued_bytes = self.queued_bytes.saturating_sub(response.stub.len());
                let fragment = fragment(&mut response, is_begun, fragment_bytes, securities)?;
                self.queued_bytes = self.queued_bytes.saturating_add(response.stub.len());
                self.append(fragment);
                if response.stub.is_empty() {
                    self.receipts.push_back((self.made_in_all, response.receipt));
                } else {
                    self.queue.push_front(Item::Response { response, is_begun: true });
                }
            }
        }
        Ok(())
    }

    fn append(&mut self, octets: Vec<u8>) {
        let count = u64::try_from(octets.len()).unwrap_or(0);
        self.made_in_all = self.made_in_all.saturating_add(count);
        if self.octets.is_empty() {
            self.octets = octets;
        } else {
            self.octets.extend_from_slice(&octets);
        }
    }
}

/// Cuts the next fragment off a response.
fn fragment(
    response: &mut Outgoing,
    is_begun: bool,
    fragment_bytes: usize,
    securities: &mut Securities,
) -> Result<Vec<u8>, Refusal> {
    const SPENT: Refusal = Refusal::Tampered("its security context has ended");
    let mut by = match response.security {
        Some(index) => Some(securities.protector(index).ok_or(SPENT)?),
        None => None,
    };
    let room =
        stub_room(fragment_bytes, Response::BYTES, by.as_ref().map(|(session, _)| &**session));
    let head = Response {
        alloc_hint: u32::try_from(response.stub.len()).unwrap_or(u32::MAX),
        // Windows gives back the low octet only, and so do we.
        context_id: response.context_id & 0xFF,
        cancel_count: 0,
    };
    let stub = response.stub.split_to(room.min(response.stub.len()));
    let flags = Flags::FIRST.when(!is_begun) | Flags::LAST.when(response.stub.is_empty());
    let mut pdu = Vec::with_capacity(HEADER_BYTES + Response::BYTES + stub.len() + 48);
    Header::new(Kind::Response, flags, response.call_id).encode(&mut pdu);
    head.encode(&mut pdu);
    let stub_at = pdu.len();
    pdu.extend_from_slice(&stub);
    let by = by.as_mut().map(|(session, mark)| (&mut **session as &mut _, *mark));
    protect(&mut pdu, stub_at, by)?;
    Ok(pdu)
}
