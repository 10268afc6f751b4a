//! The calls of a connection that are outstanding.
//!
//! Invariant: a call leaves the table with its answer, its cancel or its connection, whichever comes first.

use std::collections::HashMap;

use crate::rpc::interface::{Gone, Pending};

/// An outstanding call.
pub(super) struct Active {
    serial: u32,
    /// The other end of its reply.
    pub(super) pending: Pending,
    /// Its presentation context.
    pub(super) context_id: u16,
    /// The security context it came by, and its answer goes by.
    pub(super) security: Option<usize>,
    /// The client wants no answer.
    is_orphan: bool,
}

/// What a cancel or an orphaned call leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Canceled {
    /// Nothing: there is no such call, or its answer is on its way.
    Nothing,
    /// The call is gone; this is its presentation context.
    Gone(u16),
}

/// See the module.
#[derive(Default)]
pub(super) struct Calls {
    table: HashMap<u32, Active>,
    serial: u32,
}

impl Calls {
    /// How many are outstanding.
    pub(super) fn count(&self) -> usize {
        self.table.len()
    }

    /// Whether this one is.
    pub(super) fn has(&self, call_id: u32) -> bool {
        self.table.contains_key(&call_id)
    }

    /// The key under which a call's outcome is to be told: call numbers may be used again, keys are not (not before
    /// 2^32 calls).
    pub(super) fn next_key(&mut self, call_id: u32) -> u64 {
        self.serial = self.serial.wrapping_add(1);
        u64::from(self.serial) << 32 | u64::from(call_id)
    }

    /// Adds a call.
    pub(super) fn insert(
        &mut self,
        key: u64,
        pending: Pending,
        context_id: u16,
        security: Option<usize>,
    ) {
        let (serial, call_id) = parts(key);
        let active = Active { serial, pending, context_id, security, is_orphan: false };
        self.table.insert(call_id, active);
    }

    /// Takes the call of a key out, if it is still there: its number, and whether anybody wants its answer.
    pub(super) fn complete(&mut self, key: u64) -> Option<(u32, Active, bool)> {
        let (serial, call_id) = parts(key);
        if self.table.get(&call_id)?.serial != serial {
            return None;
        }
        let active = self.table.remove(&call_id)?;
        let is_wanted = !active.is_orphan;
        Some((call_id, active, is_wanted))
    }

    /// The client cancels a call, or wants no answer to it.
    pub(super) fn cancel(&mut self, call_id: u32, why: Gone) -> Canceled {
        let Some(active) = self.table.get_mut(&call_id) else { return Canceled::Nothing };
        active.is_orphan |= why == Gone::Orphaned;
        if !active.pending.go(why) {
            return Canceled::Nothing;
        }
        let context_id = active.context_id;
        self.table.remove(&call_id);
        Canceled::Gone(context_id)
    }

    /// The connection ends, and all calls with it.
    pub(super) fn disconnect(&mut self) {
        for active in std::mem::take(&mut self.table).into_values() {
            active.pending.go(Gone::Disconnected);
        }
    }
}

fn parts(key: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = key.to_be_bytes();
    (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))
}
