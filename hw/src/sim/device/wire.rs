//! The thread that is a printer's wire, and how far it has followed the cable.

use std::thread::ThreadId;
use std::time::Instant;

use super::{SimHandle, Watch};
use crate::Bell;
use crate::limits::SIM_SETTLE_WAIT;
use crate::sim::Model;

/// How far the thread of a wire has followed the cable.
pub(super) struct Wire {
    thread: Option<ThreadId>,
    plugs: u64,
    fault: Option<String>,
}

/// For wires that are made elsewhere (the hardware-in-the-loop bench).
impl SimHandle {
    /// A printer whose wire is the caller's.
    pub fn without_wire(model: Model) -> Self {
        Self::new(model)
    }

    /// Lets the wire's other end do something with the printer, now.
    pub fn with_model<R>(&self, act: impl FnOnce(&mut Model, Instant) -> R) -> R {
        self.with(|state, now| act(&mut state.model, now))
    }

    /// Rings `bell` at every change at the printer that comes from outside, until the guard is dropped.
    pub fn ring_at_changes(&self, bell: Bell) -> Watch {
        self.watch(bell)
    }
}

impl SimHandle {
    /// There is (or will be at once) a thread for the wire: commands that move the cable wait for its
    /// [`SimHandle::settled`].
    pub(in crate::sim) fn expect_wire(&self) {
        let mut state = self.lock();
        state.wire = Some(Wire { thread: None, plugs: state.plugs, fault: None });
    }

    /// The calling thread is the wire. It does not wait for itself.
    pub(in crate::sim) fn follow(&self) {
        if let Some(wire) = &mut self.lock().wire {
            wire.thread = Some(std::thread::current().id());
        }
    }

    /// The wire is gone; nobody waits for it any more.
    pub(in crate::sim) fn unfollow(&self) {
        self.with(|state, _| state.wire = None);
    }

    /// The wire has followed the cable so far; `fault`: it could not.
    pub(in crate::sim) fn settled(&self, plugs: u64, fault: Option<String>) {
        self.with(|state, _| {
            if let Some(wire) = &mut state.wire {
                wire.plugs = plugs;
                wire.fault = fault;
            }
        });
    }

    /// Waits for the wire to follow the cable so far. The error: it did not, and why.
    pub(super) fn settle(&self, plugs: u64) -> Result<(), String> {
        let deadline = Instant::now().checked_add(SIM_SETTLE_WAIT);
        let mut state = self.lock();
        loop {
            let Some(wire) = &state.wire else { return Ok(()) };
            if wire.plugs >= plugs || wire.thread == Some(std::thread::current().id()) {
                return wire.fault.clone().map_or(Ok(()), Err);
            }
            let Some(deadline) = deadline.filter(|deadline| Instant::now() < *deadline) else {
                return Err("the wire did not follow in time".to_owned());
            };
            state = self.doze(state, 0, deadline);
        }
    }
}
