//! Presentation contexts, as a client has them: one for each interface that it calls.
//!
//! ```text
//!   Wanted ── bind, alter_context ──► Asked ── accepted ──► Ready
//!                                       └──── refused ────► Refused
//! ```
//!
//! Each interface is proposed twice, in NDR and in NDR64, as two contexts; servers accept one of them. Invariant: numbers of
//! contexts are below 256, as Windows gives back their low octet only.

use super::Failure;
use crate::rpc::limits::INTERFACES;
use crate::rpc::ndr::Syntax;
use crate::rpc::pdu::{AckResult, Proposal};
use crate::rpc::uuid::SyntaxId;

/// Features that are asked for at bind time: several security contexts, a connection that outlives an orphaned call.
const FEATURES: u8 = 0x03;
/// Contexts of one interface; the third is the features'.
const STEP: u16 = 3;

/// What requests to an interface are sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Its number.
    pub(super) id: u16,
    /// How stubs are encoded.
    pub syntax: Syntax,
}

enum State {
    Wanted,
    Asked,
    Ready { context: Context, is_claimed: bool },
    Refused(Failure),
}

struct Entry {
    interface: SyntaxId,
    state: State,
    waiting: Vec<u64>,
}

/// The contexts of a connection, in the order in which their interfaces were wanted.
pub(super) struct Contexts {
    entries: Vec<Entry>,
    ndr64: bool,
}

impl Contexts {
    pub(super) fn new(ndr64: bool) -> Self {
        Self { entries: Vec::new(), ndr64 }
    }

    /// Somebody wants to call an interface: how that stands, if it is settled.
    pub(super) fn want(
        &mut self,
        interface: &SyntaxId,
        key: u64,
    ) -> Option<Result<Context, Failure>> {
        let is_full = self.entries.len() >= INTERFACES;
        match self.entries.iter_mut().find(|entry| entry.interface == *interface) {
            Some(Entry { state: State::Ready { context, .. }, .. }) => Some(Ok(*context)),
            Some(Entry { state: State::Refused(failure), .. }) => Some(Err(failure.clone())),
            Some(entry) => {
                entry.waiting.push(key);
                None
            }
            None if is_full => Some(Err(Failure::TooBusy)),
            None => {
                let (interface, state) = (*interface, State::Wanted);
                self.entries.push(Entry { interface, state, waiting: vec![key] });
                None
            }
        }
    }

    /// Nobody waits under this key any more.
    pub(super) fn forget(&mut self, key: u64) {
        self.entries.iter_mut().for_each(|entry| entry.waiting.retain(|other| *other != key));
    }

    /// The next interface to be proposed: which entry, and its proposals.
    pub(super) fn next(&mut self, with_features: bool) -> Option<(usize, Vec<Proposal>)> {
        let wanted = |entry: &Entry| matches!(entry.state, State::Wanted);
        let at = self.entries.iter().position(wanted)?;
        let entry = self.entries.get_mut(at)?;
        entry.state = State::Asked;
        let (interface, first) = (entry.interface, u16::try_from(at).ok()?.checked_mul(STEP)?);
        let propose = |(offset, transfer)| Proposal {
            id: first.saturating_add(offset),
            interface,
            transfers: vec![transfer],
        };
        let mut transfers = vec![(0, SyntaxId::NDR)];
        if self.ndr64 {
            transfers.push((1, SyntaxId::NDR64));
        }
        if with_features {
            transfers.push((2, SyntaxId::asking_for(FEATURES)));
        }
        Some((at, transfers.into_iter().map(propose).collect()))
    }

    /// What to propose where a PDU must propose something: what is there already.
    pub(super) fn again(&self, proposals: &[Proposal]) -> Vec<Proposal> {
        let ready = |proposal: &&Proposal| {
            self.entries.iter().any(|entry| {
                matches!(&entry.state, State::Ready { context, .. } if context.id == proposal.id)
            })
        };
        let plain = |proposal: &&Proposal| {
            proposal.transfers.iter().all(|transfer| transfer.features().is_none())
        };
        match proposals.iter().find(ready) {
            Some(proposal) => vec![proposal.clone()],
            None => proposals.iter().filter(plain).cloned().collect(),
        }
    }

    /// The server's answer to the proposals of an entry. False where it fits no proposal.
    pub(super) fn settle(
        &mut self,
        at: usize,
        proposals: &[Proposal],
        results: &[AckResult],
    ) -> bool {
        let Some(entry) = self.entries.get_mut(at) else { return false };
        let mut chosen = None;
        for (proposal, result) in proposals.iter().zip(results) {
            let AckResult::Accepted(transfer) = result else { continue };
            if !proposal.transfers.contains(transfer) {
                return false;
            }
            // Of two that are accepted the second is NDR64.
            if let Some(syntax) = Syntax::of(transfer) {
                chosen = Some(Context { id: proposal.id, syntax });
            }
        }
        entry.state = match chosen {
            Some(context) => State::Ready { context, is_claimed: false },
            None => State::Refused(Failure::NoInterface(entry.interface)),
        };
        proposals.len() == results.len()
    }

    /// An entry's proposals were answered with a failure.
    pub(super) fn refuse(&mut self, at: usize, failure: Failure) {
        if let Some(entry) = self.entries.get_mut(at) {
            entry.state = State::Refused(failure);
        }
    }

    /// Who waits for what is settled now.
    pub(super) fn settled(&mut self) -> Vec<(u64, Result<Context, Failure>)> {
        let mut told = Vec::new();
        for entry in &mut self.entries {
            let result = match &entry.state {
                State::Ready { context, .. } => Ok(*context),
                State::Refused(failure) => Err(failure.clone()),
                State::Wanted | State::Asked => continue,
            };
            told.extend(entry.waiting.drain(..).map(|key| (key, result.clone())));
        }
        told
    }

    /// All who wait, for what will never be settled.
    pub(super) fn drain(&mut self) -> Vec<u64> {
        self.entries.iter_mut().flat_map(|entry| entry.waiting.drain(..)).collect()
    }

    /// The interface and the syntax of a context, and whether this is the first time it is used.
    pub(super) fn first_use(&mut self, context: Context) -> Option<(SyntaxId, SyntaxId)> {
        self.entries.iter_mut().find_map(|entry| match &mut entry.state {
            State::Ready { context: known, is_claimed } if *known == context && !*is_claimed => {
                *is_claimed = true;
                Some((entry.interface, context.syntax.id()))
            }
            _ => None,
        })
    }
}
