//! Presentation contexts: which interface, in which transfer syntax, a number in a request stands for.
//!
//! Of the contexts in one bind or `alter_context` one is accepted, as Windows does it; clients come again for the next.
//! NDR64 is preferred where a client offers it.
//!
//! Invariant: a context, once accepted, never changes its interface or its syntax.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::rpc::interface::Interface;
use crate::rpc::limits::PRESENTATION_CONTEXTS;
use crate::rpc::ndr::Syntax;
use crate::rpc::pdu::{AckResult, Proposal};
use crate::rpc::uuid::SyntaxId;

/// Features that may be agreed on at bind time ([MS-RPCE] 2.2.2.14): several security contexts on a connection, and a
/// connection that outlives an orphaned call. We have both.
pub(super) const FEATURES: u8 = 0x03;

/// An accepted context.
#[derive(Clone)]
pub(super) struct Presentation {
    /// The interface.
    pub(super) interface: Arc<Interface>,
    /// How its stubs are encoded.
    pub(super) syntax: Syntax,
}

/// The contexts of a connection.
#[derive(Default)]
pub(super) struct Contexts(BTreeMap<u16, Presentation>);

/// A proposal that breaks the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Violation;

impl Contexts {
    /// The context of this number.
    pub(super) fn find(&self, id: u16) -> Option<&Presentation> {
        self.0.get(&id)
    }

    /// Answers proposals, with the interfaces that the endpoint has.
    pub(super) fn negotiate(
        &mut self,
        interfaces: &[Arc<Interface>],
        proposals: &[Proposal],
    ) -> Result<Vec<AckResult>, Violation> {
        let mut results = Vec::with_capacity(proposals.len());
        for proposal in proposals {
            results.push(self.first_look(interfaces, proposal)?);
        }
        let features = |result: &&AckResult| matches!(result, AckResult::Features(_));
        if results.iter().filter(features).count() > 1 {
            return Err(Violation);
        }
        let candidates = |syntaxes: &[Syntax]| {
            proposals.iter().zip(&results).position(|(proposal, result)| {
                *result == AckResult::NO_TRANSFER_SYNTAX
                    && syntaxes.iter().any(|syntax| proposal.transfers.contains(&syntax.id()))
            })
        };
        let preferred = candidates(&[Syntax::Ndr64]);
        let chosen = preferred.or_else(|| candidates(&[Syntax::Ndr]));
        if let Some((index, proposal)) = chosen.and_then(|at| Some((at, proposals.get(at)?)))
            && let Some(result) = results.get_mut(index)
        {
            *result = self.accept(interfaces, proposal);
        }
        Ok(results)
    }

    /// What can be said of a proposal by itself.
    fn first_look(
        &self,
        interfaces: &[Arc<Interface>],
        proposal: &Proposal,
    ) -> Result<AckResult, Violation> {
        let first = proposal.transfers.first().ok_or(Violation)?;
        if let Some(features) = first.features() {
            return Ok(AckResult::Features(u16::from(features & FEATURES)));
        }
        let Some(interface) = find(interfaces, &proposal.interface) else {
            return Ok(AckResult::UNKNOWN_INTERFACE);
        };
        if let Some(known) = self.find(proposal.id) {
            let is_same_syntax = choose(proposal).is_none_or(|syntax| syntax == known.syntax);
            if known.interface.id != interface.id || !is_same_syntax {
                return Err(Violation);
            }
        }
        Ok(AckResult::NO_TRANSFER_SYNTAX)
    }

    fn accept(&mut self, interfaces: &[Arc<Interface>], proposal: &Proposal) -> AckResult {
        let interface = find(interfaces, &proposal.interface);
        let Some((interface, syntax)) = interface.zip(choose(proposal)) else {
            return AckResult::NO_TRANSFER_SYNTAX;
        };
        if !self.0.contains_key(&proposal.id) && self.0.len() >= PRESENTATION_CONTEXTS {
            return AckResult::LOCAL_LIMIT;
        }
        self.0.insert(proposal.id, Presentation { interface: interface.clone(), syntax });
        AckResult::Accepted(syntax.id())
    }
}

/// The interface that a client means: same UUID and major version, and ours is not older.
fn find<'a>(interfaces: &'a [Arc<Interface>], id: &SyntaxId) -> Option<&'a Arc<Interface>> {
    interfaces.iter().find(|interface| {
        let ours = interface.id;
        (ours.uuid, ours.major) == (id.uuid, id.major) && ours.minor >= id.minor
    })
}

fn choose(proposal: &Proposal) -> Option<Syntax> {
    let is_offered = |syntax: &Syntax| proposal.transfers.contains(&syntax.id());
    [Syntax::Ndr64, Syntax::Ndr].into_iter().find(is_offered)
}
