//! The calls of a connection that are outstanding, and their responses as they come together.
//!
//! Invariant: what is kept of responses is bounded, for each call and for all of them together.

use std::collections::HashMap;

use bytes::Bytes;

use super::Failure;
use crate::rpc::limits::{CALLS_PER_CONNECTION, RESPONSES_BYTES};
use crate::rpc::ndr::{Reader, Syntax};
use crate::rpc::pdu::Flags;
use crate::rpc::wire::ByteOrder;

/// What a call was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The results.
    pub stub: Bytes,
    /// How they are encoded.
    pub syntax: Syntax,
    /// Their byte order.
    pub order: ByteOrder,
}

impl Answer {
    /// Reads the results.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(&self.stub, self.syntax, self.order)
    }
}

struct Active {
    /// Who is to be told; `None` where nobody wants the answer any more.
    key: Option<u64>,
    syntax: Syntax,
    /// The response so far; `None` before its first fragment.
    response: Option<Vec<u8>>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Calls {
    table: HashMap<u32, Active>,
    bytes: usize,
}

/// What a fragment of a response leads to.
pub(super) enum Took {
    /// Nothing yet, or nobody wants to know.
    Nothing,
    /// The end of a call.
    Ended(u64, Result<Answer, Failure>),
    /// The server broke the protocol.
    Violation(&'static str),
}

impl Calls {
    pub(super) fn has(&self, call_id: u32) -> bool {
        self.table.contains_key(&call_id)
    }

    /// Whether a response has begun and has not ended.
    pub(super) fn is_within_response(&self) -> bool {
        self.table.values().any(|active| active.response.is_some())
    }

    pub(super) fn insert(&mut self, call_id: u32, key: u64, syntax: Syntax) -> Result<(), Failure> {
        if self.table.len() >= CALLS_PER_CONNECTION {
            return Err(Failure::TooBusy);
        }
        self.table.insert(call_id, Active { key: Some(key), syntax, response: None });
        Ok(())
    }

    /// Nobody wants the answer any more: the number of the call, if it is outstanding.
    pub(super) fn forget(&mut self, key: u64) -> Option<u32> {
        let mut calls = self.table.iter_mut();
        let (call_id, active) = calls.find(|(_, active)| active.key == Some(key))?;
        active.key = None;
        Some(*call_id)
    }

    /// Takes a fragment of a response. A call that we do not know is none of our business.
    pub(super) fn respond(
        &mut self,
        call_id: u32,
        flags: Flags,
        order: ByteOrder,
        stub: &[u8],
        limit_bytes: usize,
    ) -> Took {
        let Some(active) = self.table.get_mut(&call_id) else { return Took::Nothing };
        if flags.has(Flags::FIRST) == active.response.is_some() {
            return Took::Violation("fragments of a response are out of order");
        }
        let response = active.response.get_or_insert_default();
        let too_large = response.len().saturating_add(stub.len()) > limit_bytes;
        if active.key.is_some() && !too_large {
            response.extend_from_slice(stub);
            self.bytes = self.bytes.saturating_add(stub.len());
        }
        if self.bytes > RESPONSES_BYTES {
            return Took::Violation("too much of too many responses");
        }
        if flags.has(Flags::LAST) {
            let syntax = active.syntax;
            let Some((key, stub)) = self.remove(call_id) else { return Took::Nothing };
            return match too_large {
                true => Took::Ended(key, Err(Failure::TooLarge(limit_bytes))),
                false => Took::Ended(key, Ok(Answer { stub: stub.into(), syntax, order })),
            };
        }
        if too_large && let Some(key) = active.key.take() {
            // The rest of it is let go by.
            let kept = std::mem::take(response);
            self.bytes = self.bytes.saturating_sub(kept.len());
            return Took::Ended(key, Err(Failure::TooLarge(limit_bytes)));
        }
        Took::Nothing
    }

    /// A call ends: who is to be told, and what has come of its response.
    pub(super) fn remove(&mut self, call_id: u32) -> Option<(u64, Vec<u8>)> {
        let active = self.table.remove(&call_id)?;
        let response = active.response.unwrap_or_default();
        self.bytes = self.bytes.saturating_sub(response.len());
        active.key.map(|key| (key, response))
    }

    /// All calls end: who is to be told.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = u64> + use<> {
        self.bytes = 0;
        std::mem::take(&mut self.table).into_values().filter_map(|active| active.key)
    }
}
