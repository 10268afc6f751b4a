//! Security contexts of a connection: who is at the other end, and how PDUs are protected.
//!
//! ```text
//!   bind, alter_context ─► Exchanging ── step … ──► Ready ── a signature is wrong ─► Spent
//!                               └── refused ──────────────────────────────────────► Spent
//! ```
//!
//! A client may have several, each for its own calls. Invariant: a spent context protects nothing any more.

use crate::identity::Identity;
use crate::rpc::auth::{Exchange, Level, Refusal, Session, Step};
use crate::rpc::limits::SECURITY_CONTEXTS;
use crate::rpc::pdu::Trailer;
use crate::rpc::protection::Mark;

/// One security context.
struct Security {
    mark: Mark,
    state: State,
    identity: Option<Identity>,
}

enum State {
    Exchanging(Box<dyn Exchange>),
    Ready(Box<dyn Session>),
    Spent,
}

/// How far a security context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Tokens are under way.
    Exchanging,
    /// It protects PDUs.
    Ready,
    /// It failed.
    Spent,
}

/// The security contexts of a connection.
#[derive(Default)]
pub(super) struct Securities {
    list: Vec<Security>,
    /// The one that the bind began: what requests without a trailer belong to.
    bound: Option<usize>,
}

impl Securities {
    /// The context of this trailer, whatever its level.
    pub(super) fn find(&self, trailer: &Trailer) -> Option<usize> {
        let is = |mark: &Mark| {
            (mark.auth_type, mark.context_id) == (trailer.auth_type, trailer.context_id)
        };
        self.list.iter().position(|security| is(&security.mark))
    }

    /// What requests without a trailer belong to.
    pub(super) fn bound(&self) -> Option<usize> {
        self.bound
    }

    /// Whether there is room for another.
    pub(super) fn has_room(&self) -> bool {
        self.list.len() < SECURITY_CONTEXTS
    }

    /// Begins a context.
    pub(super) fn begin(
        &mut self,
        exchange: Box<dyn Exchange>,
        mark: Mark,
        is_bind: bool,
    ) -> usize {
        let index = self.list.len();
        let state = State::Exchanging(exchange);
        self.list.push(Security { mark, state, identity: None });
        if is_bind {
            self.bound = Some(index);
        }
        index
    }

    /// Takes the next token of a context, and gives the one to send.
    pub(super) fn step(&mut self, index: usize, token: &[u8]) -> Result<Vec<u8>, Refusal> {
        const DONE: Refusal = Refusal::Malformed("the exchange is over");
        let security = self.list.get_mut(index).ok_or(DONE)?;
        let State::Exchanging(exchange) = &mut security.state else { return Err(DONE) };
        match exchange.step(token) {
            Step::More(token) => Ok(token),
            Step::Done { token, session, peer } => {
                security.state = State::Ready(session);
                security.identity = peer;
                Ok(token)
            }
            Step::Refused(refusal) => {
                security.state = State::Spent;
                Err(refusal)
            }
        }
    }

    /// How far a context is.
    pub(super) fn stage(&self, index: usize) -> Stage {
        match self.list.get(index).map(|security| &security.state) {
            Some(State::Exchanging(_)) => Stage::Exchanging,
            Some(State::Ready(_)) => Stage::Ready,
            Some(State::Spent) | None => Stage::Spent,
        }
    }

    /// The mark of a context.
    pub(super) fn mark(&self, index: usize) -> Option<&Mark> {
        self.list.get(index).map(|security| &security.mark)
    }

    /// Who is at the other end, by this context.
    pub(super) fn identity(&self, index: usize) -> Option<&Identity> {
        self.list.get(index).and_then(|security| security.identity.as_ref())
    }

    /// Makes a context protect nothing any more.
    pub(super) fn spend(&mut self, index: usize) {
        if let Some(security) = self.list.get_mut(index) {
            security.state = State::Spent;
        }
    }

    /// What protects the PDUs of a context that is ready.
    pub(super) fn protector(
        &mut self,
        index: usize,
    ) -> Option<(&mut (dyn Session + 'static), &Mark)> {
        match self.list.get_mut(index) {
            Some(Security { mark, state: State::Ready(session), .. }) => {
                Some((&mut **session, mark))
            }
            _ => None,
        }
    }

    /// Whether tokens are under way in one of them.
    pub(super) fn is_exchanging(&self) -> bool {
        self.list.iter().any(|security| matches!(security.state, State::Exchanging(_)))
    }

    /// Whether one of them is ready and protects PDUs.
    pub(super) fn has_protection(&self) -> bool {
        let protects = |security: &Security| {
            matches!(security.state, State::Ready(_)) && security.mark.level >= Level::Packet
        };
        self.list.iter().any(protects)
    }
}
