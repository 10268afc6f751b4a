//! The client's side of one connection: octets and time in, octets and outcomes out. No I/O.
//!
//! ```text
//!   Binding ── bind_ack ──► Proving ── alter_context_resp … ──► Open ── broken, refused, too late ──► Over
//!      └───── bind_ack, nothing to prove, or auth_3 ──────────────►┘
//! ```
//!
//! Whoever owns the socket feeds [`Connection::receive`], sends [`Connection::output`], calls [`Connection::expire`] at
//! [`Connection::deadline`], and takes [`Connection::event`]s. Interfaces are wanted, then called by the context that comes of
//! it; both are named by keys of the caller's that are used once.
//!
//! Invariant: each key hears exactly one event, unless it is canceled; after the end all have heard theirs.

use std::collections::VecDeque;
use std::time::Instant;

use super::calls::{Answer, Calls};
use super::contexts::{Context, Contexts};
use super::opening::{Guard, Proof, broken};
use super::output::{Head, Output};
use super::{Failure, Options};
use crate::rpc::association::input::{Cut, Input, NoHeader};
use crate::rpc::auth::Level;
use crate::rpc::limits::{BIND_WAIT, FRAGMENT_WAIT, WRITE_WAIT};
use crate::rpc::pdu::{Flags, Header, Kind, Proposal, encode};
use crate::rpc::uuid::SyntaxId;
use crate::rpc::verification::{self, Claim};

/// Windows takes no call with a number above this ([MS-RPCE] 3.3.3.5.2).
const CALL_ID_LAST: u32 = 0x7FFF_FFFF;

/// What has happened, under the key of who wanted it.
#[derive(Debug)]
pub enum Event {
    /// How it stands with an interface.
    Bound(u64, Result<Context, Failure>),
    /// A call has ended.
    Answered(u64, Result<Answer, Failure>),
}

/// See the module.
pub struct Connection {
    pub(super) options: Options,
    pub(super) stage: Stage,
    pub(super) contexts: Contexts,
    pub(super) output: Output,
    pub(super) guard: Option<Guard>,
    pub(super) calls: Calls,
    pub(super) altering: Option<Altering>,
    pub(super) events: VecDeque<Event>,
    input: Input,
    last_call_id: u32,
    times: Times,
    /// Why it is over.
    failure: Option<Failure>,
}

pub(super) enum Stage {
    Binding { call_id: u32, at: usize, proposals: Vec<Proposal>, proof: Option<Proof> },
    Proving { call_id: u32, agreed: Agreed, proposals: Vec<Proposal>, proof: Proof },
    Open(Agreed),
    Over,
}

/// What the bind agreed on.
pub(super) struct Agreed {
    pub(super) group: u32,
    pub(super) fragment_bytes: u16,
    pub(super) multiplexing: bool,
    pub(super) header_signing: bool,
}

/// An `alter_context` for another interface that is under way.
pub(super) struct Altering {
    pub(super) call_id: u32,
    pub(super) at: usize,
    pub(super) proposals: Vec<Proposal>,
    begun: Instant,
}

/// When something happened last.
struct Times {
    begun: Instant,
    received: Instant,
    took: Instant,
}

impl Connection {
    /// Begins a connection of a group (0: a new one) with a first interface, wanted under this key.
    pub fn new(options: Options, group: u32, interface: &SyntaxId, key: u64, now: Instant) -> Self {
        let mut connection = Self {
            contexts: Contexts::new(options.ndr64),
            options,
            stage: Stage::Over,
            output: Output::default(),
            guard: None,
            input: Input::default(),
            calls: Calls::default(),
            altering: None,
            events: VecDeque::new(),
            last_call_id: 0,
            times: Times { begun: now, received: now, took: now },
            failure: None,
        };
        connection.contexts.want(interface, key);
        if let Err(failure) = connection.bind(group) {
            connection.end(failure);
        }
        connection
    }

    /// Asks for an interface.
    pub fn want(&mut self, interface: &SyntaxId, key: u64, now: Instant) {
        if let Some(failure) = &self.failure {
            let failure = failure.clone();
            return self.events.push_back(Event::Bound(key, Err(failure)));
        }
        if let Some(settled) = self.contexts.want(interface, key) {
            self.events.push_back(Event::Bound(key, settled));
        }
        self.go_on(now);
    }

    /// Calls an operation.
    pub fn call(&mut self, context: Context, opnum: u16, stub: Vec<u8>, key: u64, now: Instant) {
        if let Err(failure) = self.try_call(context, opnum, stub, key, now) {
            self.events.push_back(Event::Answered(key, Err(failure)));
        }
    }

    fn try_call(
        &mut self,
        context: Context,
        opnum: u16,
        mut stub: Vec<u8>,
        key: u64,
        now: Instant,
    ) -> Result<(), Failure> {
        let (fragment_bytes, header_signing) = match (&self.stage, &self.failure) {
            (Stage::Open(agreed), _) => (agreed.fragment_bytes, agreed.header_signing),
            (_, Some(failure)) => return Err(failure.clone()),
            _ => return Err(broken("no interface was agreed on")),
        };
        if !self.output.has_room(stub.len()) {
            return Err(Failure::TooBusy);
        }
        let call_id = self.next_call_id();
        self.calls.insert(call_id, key, context.syntax)?;
        if let Some((interface, transfer)) = self.contexts.first_use(context)
            && self.guard.as_ref().is_some_and(|guard| guard.mark.level >= Level::Packet)
        {
            let claims = [
                Claim::HeaderSigning(header_signing),
                Claim::PresentationContext(interface, transfer),
            ];
            verification::append(&mut stub, &claims);
        }
        if self.output.is_empty() {
            self.times.took = now;
        }
        let head = Head { call_id, context_id: context.id, opnum };
        let sent = self.output.request(&head, &stub, fragment_bytes, &mut self.guard);
        if let Err(refusal) = sent {
            self.calls.remove(call_id);
            let failure = Failure::Lost(format!("a request cannot be protected: {refusal}"));
            self.end(failure.clone());
            return Err(failure);
        }
        Ok(())
    }

    /// Nobody waits under this key any more. A call that is outstanding is canceled: the server hears of it, and its
    /// answer is let go by.
    pub fn cancel(&mut self, key: u64) {
        self.contexts.forget(key);
        if let Some(call_id) = self.calls.forget(key) {
            // Bare, also with security: servers differ in whether a signature here counts.
            let header = Header::new(Kind::CoCancel, Flags::WHOLE, call_id);
            self.output.push(&encode(&header, |_| (), None));
        }
    }

    /// What has happened, in order.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The association group, when it is known.
    pub fn group(&self) -> Option<u32> {
        match &self.stage {
            Stage::Proving { agreed, .. } | Stage::Open(agreed) => Some(agreed.group),
            Stage::Binding { .. } | Stage::Over => None,
        }
    }

    /// Whether several calls may wait at a time.
    pub fn is_multiplexing(&self) -> bool {
        matches!(&self.stage, Stage::Open(agreed) if agreed.multiplexing)
    }

    /// Why it is over.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// What should be sent next. Empty: nothing.
    pub fn output(&self) -> &[u8] {
        self.output.octets()
    }

    /// The kernel took so many octets of [`output`](Self::output).
    pub fn took(&mut self, count: usize, now: Instant) {
        self.times.took = now;
        self.output.took(count);
    }

    /// Takes octets from the connection. They are decrypted where they lie.
    pub fn receive(&mut self, mut octets: &mut [u8], now: Instant) {
        self.times.received = now;
        while self.failure.is_none() {
            let done = match self.input.next(&mut octets) {
                Ok(Cut::InPlace(fragment)) => self.take(fragment),
                Ok(Cut::Completed(mut fragment)) => self.take(&mut fragment),
                Ok(Cut::Nothing) => break,
                Err(NoHeader) => Err(broken("what it sends is not DCE/RPC")),
            };
            match done {
                Ok(()) => self.go_on(now),
                Err(failure) => self.end(failure),
            }
        }
    }

    /// The other end has closed, or the network broke.
    pub fn disconnected(&mut self, why: &str) {
        self.end(Failure::Lost(why.to_owned()));
    }

    /// When [`expire`](Self::expire) is to be called. `None`: it may stay as it is for ever.
    pub fn deadline(&self) -> Option<Instant> {
        let times = &self.times;
        let within = self.input.is_within_fragment() || self.calls.is_within_response();
        let opening = match self.stage {
            Stage::Binding { .. } | Stage::Proving { .. } => Some(times.begun + BIND_WAIT),
            Stage::Open(_) | Stage::Over => None,
        };
        let waits = [
            opening,
            self.altering.as_ref().map(|altering| altering.begun + BIND_WAIT),
            (!self.output.is_empty()).then_some(times.took + WRITE_WAIT),
            within.then_some(times.received + FRAGMENT_WAIT),
        ];
        waits.into_iter().flatten().min().filter(|_| self.failure.is_none())
    }

    /// Ends it if its deadline is over.
    pub fn expire(&mut self, now: Instant) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.end(Failure::Lost("the server takes too long to answer".to_owned()));
        }
    }

    /// Tells what is settled, and asks for what is wanted next.
    fn go_on(&mut self, now: Instant) {
        let Stage::Open(Agreed { group, .. }) = self.stage else { return };
        let settled = self.contexts.settled();
        self.events.extend(settled.into_iter().map(|(key, result)| Event::Bound(key, result)));
        if self.altering.is_none()
            && let Some((at, proposals)) = self.contexts.next(false)
        {
            let call_id = self.next_call_id();
            let header = Header::new(Kind::AlterContext, Flags::WHOLE, call_id);
            self.propose(&header, group, &proposals, None);
            self.altering = Some(Altering { call_id, at, proposals, begun: now });
        }
    }

    /// A number that no outstanding call has.
    pub(super) fn next_call_id(&mut self) -> u32 {
        loop {
            self.last_call_id =
                if self.last_call_id >= CALL_ID_LAST { 1 } else { self.last_call_id + 1 };
            if !self.calls.has(self.last_call_id) {
                return self.last_call_id;
            }
        }
    }

    fn end(&mut self, failure: Failure) {
        if self.failure.is_some() {
            return;
        }
        for key in self.contexts.drain() {
            self.events.push_back(Event::Bound(key, Err(failure.clone())));
        }
        for key in self.calls.drain() {
            self.events.push_back(Event::Answered(key, Err(failure.clone())));
        }
        self.stage = Stage::Over;
        self.guard = None;
        self.altering = None;
        self.output.abandon();
        self.failure = Some(failure);
    }
}
