//! A call that waits with the broker: when its client goes, it is unhooked there before it can swallow a notification.
//!
//! The call must be known to the broker before the broker says how it calls it, and its client may go meanwhile. So one
//! number is shared by the two sides: zero, the waiter, or [`GONE`]. Invariant: whoever comes second cancels.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::notify::{Broker, WaiterId};
use crate::rpc::interface::Reply;

/// The client is gone. Waiters are counted up from one and never get here.
const GONE: u64 = u64::MAX;

/// Parks a call: `wait` hands the reply to the broker.
pub(super) fn park(broker: &Broker, reply: Reply, wait: impl FnOnce(Reply) -> WaiterId) {
    let place = Arc::new(AtomicU64::new(0));
    let (theirs, their_broker) = (place.clone(), broker.clone());
    reply.on_gone(move |_| {
        let waiter = theirs.swap(GONE, Ordering::AcqRel);
        if waiter != 0 {
            their_broker.cancel(WaiterId(waiter));
        }
    });
    let waiter = wait(reply);
    if place.swap(waiter.0, Ordering::AcqRel) == GONE {
        broker.cancel(waiter);
    }
}
