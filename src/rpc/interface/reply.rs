//! The answer to a call: who gives it, and what becomes of it.
//!
//! ```text
//!            ┌── respond, fault ─────────────────────────────► Answered
//!   Running ─┤── on_gone(hook) ─► Parked(hook) ── respond ───► Answered
//!            │                         └── cancel, orphan, disconnect: hook runs ─► Gone
//!            ├── cancel, orphan: remembered until there is a hook; without one the answer is on its way anyway
//!            └── disconnect ──────────────────────────────────────────────────────► Gone
//! ```
//!
//! Invariant: the sink hears of each call at most once, and the hook and the answer exclude each other.

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::rpc::status::Status;

/// Takes what calls are answered with.
pub trait Sink: Send + Sync {
    /// Call `key` of this sink was answered, or gave way to a cancel that had come before.
    fn completed(&self, key: u64, outcome: Outcome);
}

/// What a call was answered with.
#[derive(Debug)]
pub enum Outcome {
    /// A response with this stub.
    Response(Bytes, Receipt),
    /// A fault.
    Fault {
        /// Why.
        status: Status,
        /// Whether the operation was not begun, so that the client may safely try again.
        did_not_execute: bool,
    },
    /// No answer by the handler: the call was canceled or orphaned before the handler gave it a hook.
    Gone(Gone),
}

/// Why nobody waits for an answer any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The client canceled the call, and gets [`Status::CANCELED`].
    Canceled,
    /// The client wants no answer.
    Orphaned,
    /// The connection ended.
    Disconnected,
}

/// What became of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The kernel has taken its last byte. Whether the client has got it is not known.
    Written,
    /// The call was gone, or its connection ended before the kernel had taken all of it.
    Lost,
}

/// Tells exactly once what became of a response: dropped without [`written`](Self::written) it was lost.
#[derive(Default)]
pub struct Receipt(Option<Box<dyn FnOnce(Delivery) + Send>>);

impl Receipt {
    /// The kernel has taken the last byte.
    pub fn written(mut self) {
        self.tell(Delivery::Written);
    }

    fn tell(&mut self, delivery: Delivery) {
        if let Some(tell) = self.0.take() {
            tell(delivery);
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.tell(Delivery::Lost);
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receipt({})", if self.0.is_some() { "awaited" } else { "none" })
    }
}

type Hook = Box<dyn FnOnce(Gone) + Send>;

enum State {
    /// The handler is at work. A cancel that came meanwhile waits.
    Running(Option<Gone>),
    /// The handler waits for something, and this unhooks the call there.
    Parked(Hook),
    Answered,
    Gone(Gone),
}

struct Shared {
    key: u64,
    sink: Arc<dyn Sink>,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held: a poisoned state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the right to answer; false where the call is gone.
    fn take(&self) -> bool {
        let mut state = self.state();
        match *state {
            State::Running(_) | State::Parked(_) => {
                let before = mem::replace(&mut *state, State::Answered);
                // The hook may own whatever it unhooks: it is dropped where no lock is held.
                drop(state);
                drop(before);
                true
            }
            State::Answered | State::Gone(_) => false,
        }
    }
}

/// The right, and the duty, to answer a call. Dropped unanswered it answers with a fault.
pub struct Reply(Option<Arc<Shared>>);

/// The other end of a [`Reply`], for whoever runs the connection.
pub struct Pending(Arc<Shared>);

impl Reply {
    /// A reply whose outcome the sink hears under this key, and its other end.
    pub fn new(sink: Arc<dyn Sink>, key: u64) -> (Self, Pending) {
        let state = Mutex::new(State::Running(None));
        let shared = Arc::new(Shared { key, sink, state });
        (Self(Some(shared.clone())), Pending(shared))
    }

    /// Answers with this stub. Nothing happens where the call is gone.
    pub fn respond(self, stub: impl Into<Bytes>) {
        self.complete(Outcome::Response(stub.into(), Receipt::default()));
    }

    /// Answers with this stub, and hears exactly once what became of it: on the connection's task, or at once where the
    /// call is gone already. `then` must not block.
    pub fn respond_tracked(
        self,
        stub: impl Into<Bytes>,
        then: impl FnOnce(Delivery) + Send + 'static,
    ) {
        self.complete(Outcome::Response(stub.into(), Receipt(Some(Box::new(then)))));
    }

    /// Answers with a fault.
    pub fn fault(self, status: Status) {
        self.complete(Outcome::Fault { status, did_not_execute: false });
    }

    /// Answers with a fault that says the operation was not begun.
    pub fn reject(self, status: Status) {
        self.complete(Outcome::Fault { status, did_not_execute: true });
    }

    /// Gives the call a hook that runs when nobody waits for the answer any more: at once, where that has happened.
    /// It runs on the connection's task, or here, and must not block. Only a call with a hook can be canceled; of
    /// several hooks the last counts.
    pub fn on_gone(&self, hook: impl FnOnce(Gone) + Send + 'static) {
        let Some(shared) = &self.0 else { return };
        let mut state = shared.state();
        let (gone, is_news) = match *state {
            State::Running(None) | State::Parked(_) => {
                let before = mem::replace(&mut *state, State::Parked(Box::new(hook)));
                drop(state);
                drop(before);
                return;
            }
            State::Running(Some(gone)) => (gone, true),
            State::Gone(gone) => (gone, false),
            State::Answered => return,
        };
        *state = State::Gone(gone);
        drop(state);
        hook(gone);
        if is_news {
            shared.sink.completed(shared.key, Outcome::Gone(gone));
        }
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_gone(&self) -> bool {
        self.0.as_ref().is_some_and(|shared| matches!(*shared.state(), State::Gone(_)))
    }

    fn complete(mut self, outcome: Outcome) {
        // Where the call is gone, the outcome is dropped, and its receipt tells that it was lost.
        if let Some(shared) = self.0.take()
            && shared.take()
        {
            shared.sink.completed(shared.key, outcome);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take()
            && shared.take()
        {
            let outcome = Outcome::Fault { status: Status::UNSPECIFIED, did_not_execute: false };
            shared.sink.completed(shared.key, outcome);
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({:?})", self.0.as_ref().map(|shared| shared.key))
    }
}

impl Pending {
    /// Nobody waits for the answer any more. True where the call went by this: no outcome comes for it. False where it is
    /// answered, or the handler has given it no hook (then the answer comes, or the handler gives way later).
    pub fn go(&self, why: Gone) -> bool {
        let mut state = self.0.state();
        let before = match (&*state, why) {
            (State::Answered | State::Gone(_), _) => return false,
            (State::Running(_), Gone::Canceled | Gone::Orphaned) => {
                *state = State::Running(Some(why));
                return false;
            }
            (State::Parked(_), _) | (State::Running(_), Gone::Disconnected) => {
                mem::replace(&mut *state, State::Gone(why))
            }
        };
        drop(state);
        if let State::Parked(hook) = before {
            hook(why);
        }
        true
    }
}
