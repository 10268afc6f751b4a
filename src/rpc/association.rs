//! The server's side of one connection: octets and time in, octets and calls out ([C706] chapter 9, [MS-RPCE] 3.3.1).
//!
//! Does no I/O: whoever owns the socket feeds [`Association::receive`], sends what [`Association::output`] gives and
//! reports what the kernel took. Nothing about what an interface does.
//!
//! ```text
//!   octets ─► Input ─► fragment ─┬─ bind, alter_context, auth_3 ─► Contexts, Securities ─► answer
//!                                ├─ request ─► Securities (check) ─► Partial … ─► Handler::call
//!                                └─ co_cancel, orphaned ─► Calls           │
//!   octets ◄─ Output ◄─ fragments, protected ◄─ Outbox ◄── Reply ◄─────────┘ any thread, any order
//!
//!   Fresh ── bind ──► Open ── violation, bind_nak, deadline ──► Closing (what waits is sent) ──► over
//! ```
//!
//! Invariant: whatever comes, memory and time are bounded by [`limits`](super::limits), and each request gets one
//! answer: a response, a fault, or the end of the connection.

mod bind;
mod calls;
mod contexts;
mod deadline;
mod group;
pub(super) mod input;
mod outbox;
mod output;
mod request;
mod security;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

pub use group::Groups;
pub use outbox::Outbox;

use self::calls::{Calls, Canceled};
use self::contexts::Contexts;
use self::deadline::Times;
use self::group::Member;
use self::input::{Cut, Input, NoHeader};
use self::output::{Outgoing, Output};
use self::request::Partial;
use self::security::Securities;
use super::endpoint::Endpoint;
use super::interface::{Gone, Outcome};
use super::limits::{FRAGMENT_BYTES, QUEUED_BYTES, QUEUED_BYTES_MOST};
use super::pdu::{BadPdu, BindNak, Fault, Flags, Header, Kind, Pdu, encode};
use super::protection;
use super::status::Status;

/// The two ends of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// The client's.
    pub peer: SocketAddr,
    /// Ours.
    pub local: SocketAddr,
}

/// See the module.
pub struct Association {
    endpoint: Arc<Endpoint>,
    ends: Ends,
    outbox: Arc<Outbox>,
    input: Input,
    output: Output,
    stage: Stage,
    contexts: Contexts,
    securities: Securities,
    partial: Option<Partial>,
    calls: Calls,
    times: Times,
}

enum Stage {
    Fresh,
    Open(Agreed),
    /// Nothing more is read; what waits is sent.
    Closing,
}

/// What a bind agreed on.
struct Agreed {
    group: Member,
    fragment_bytes: u16,
    multiplexing: bool,
    header_signing: bool,
}

/// A PDU that is refused.
struct Refused {
    call_id: u32,
    context_id: u16,
    status: Status,
    did_not_execute: bool,
    /// The connection ends with it.
    closes: bool,
}

impl Refused {
    /// A fault after which the connection ends.
    fn closing(call_id: u32, context_id: u16, status: Status) -> Self {
        Self { call_id, context_id, status, did_not_execute: false, closes: true }
    }

    /// A violation that is seen before the PDU means anything.
    fn violation(call_id: u32) -> Self {
        Self { did_not_execute: true, ..Self::closing(call_id, 0, Status::PROTOCOL_ERROR) }
    }
}

impl Association {
    /// A connection that was just accepted. The outbox takes the answers to its calls.
    pub fn new(endpoint: Arc<Endpoint>, ends: Ends, outbox: Arc<Outbox>, now: Instant) -> Self {
        Self {
            endpoint,
            ends,
            outbox,
            input: Input::default(),
            output: Output::default(),
            stage: Stage::Fresh,
            contexts: Contexts::default(),
            securities: Securities::default(),
            partial: None,
            calls: Calls::default(),
            times: Times { begun: now, received: now, took: now },
        }
    }

    /// Takes octets from the connection. They are decrypted where they lie.
    pub fn receive(&mut self, mut octets: &mut [u8], now: Instant) {
        self.times.received = now;
        while !matches!(self.stage, Stage::Closing) {
            match self.input.next(&mut octets) {
                Ok(Cut::InPlace(fragment)) => self.take_fragment(fragment, now),
                Ok(Cut::Completed(mut fragment)) => self.take_fragment(&mut fragment, now),
                Ok(Cut::Nothing) => break,
                Err(NoHeader) => {
                    tracing::debug!(peer = %self.ends.peer, "not DCE/RPC: the connection is closed");
                    self.close();
                }
            }
            self.collect(now);
        }
    }

    /// Takes what calls were answered with since the last time.
    pub fn collect(&mut self, now: Instant) {
        while let Some((key, outcome)) = self.outbox.take() {
            self.complete(key, outcome, now);
        }
        if self.output.waiting_bytes() > QUEUED_BYTES_MOST {
            tracing::warn!(peer = %self.ends.peer, "the client does not take its responses: the connection is closed");
            self.abandon();
        }
    }

    /// Whether more should be read: not while the client leaves too much of what it asked for unread.
    pub fn wants_input(&self) -> bool {
        !matches!(self.stage, Stage::Closing) && self.output.waiting_bytes() < QUEUED_BYTES
    }

    /// What should be sent next. Empty: nothing. A response that cannot be protected any more is lost, and the connection
    /// ends.
    pub fn output(&mut self) -> &[u8] {
        let fragment_bytes = match &self.stage {
            Stage::Open(agreed) => agreed.fragment_bytes,
            Stage::Fresh | Stage::Closing => FRAGMENT_BYTES,
        };
        let fragment_bytes = usize::from(fragment_bytes);
        // Each refusal takes a response out of the queue.
        while let Err(refusal) = self.output.fill(fragment_bytes, &mut self.securities) {
            tracing::warn!(peer = %self.ends.peer, %refusal, "a response cannot be protected: it is not sent");
            self.close();
        }
        self.output.octets()
    }

    /// Whether there is something to send.
    pub fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// The kernel took so many octets of [`output`](Self::output).
    pub fn took(&mut self, count: usize, now: Instant) {
        self.times.took = now;
        self.output.took(count);
    }

    /// The connection is to be closed now.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Closing) && self.output.is_empty()
    }

    /// No call is outstanding and nothing waits to be sent.
    pub fn is_idle(&self) -> bool {
        self.calls.count() == 0 && self.output.is_empty()
    }

    /// Reads nothing more; what waits is sent.
    pub fn close(&mut self) {
        if !matches!(self.stage, Stage::Closing) {
            self.calls.disconnect();
            self.partial = None;
            self.stage = Stage::Closing;
        }
    }

    /// Sends nothing more either.
    fn abandon(&mut self) {
        self.close();
        self.output.abandon();
    }

    /// Serves a PDU. What is answered on the spot is for [`collect`](Self::collect), which must come next.
    fn take_fragment(&mut self, fragment: &mut [u8], now: Instant) {
        self.outbox.attend();
        self.endpoint.statistics.received_pdu();
        let header = match Header::decode(fragment) {
            Ok(header) => header,
            Err(bad) => return self.refuse_header(fragment, bad),
        };
        let call_id = header.call_id;
        let done = match header.kind {
            Kind::Bind => return self.take_bind(fragment, &header),
            Kind::AlterContext => self.take_alter_context(fragment, &header),
            Kind::Auth3 => self.take_auth3(fragment, &header),
            Kind::Request => self.take_request(fragment, &header, now),
            Kind::CoCancel => self.take_cancel(fragment, &header, Gone::Canceled),
            Kind::Orphaned => self.take_cancel(fragment, &header, Gone::Orphaned),
            _ => Err(Refused::violation(call_id)),
        };
        if let Err(refused) = done {
            self.refuse(&refused);
        }
    }

    /// A header that cannot be read: of a bind it is answered, of anything else it is the end.
    fn refuse_header(&mut self, fragment: &[u8], bad: BadPdu) {
        tracing::debug!(peer = %self.ends.peer, %bad, "the connection is closed");
        if let Some(&[_, _, kind, ..]) = fragment.first_chunk::<16>()
            && kind == Kind::Bind as u8
        {
            self.nak(0, BindNak::PROTOCOL_VERSION);
        }
        self.close();
    }

    /// The client cancels a call, or wants no answer to it. One that is not outstanding any more, or not yet whole, is
    /// none of our business.
    fn take_cancel(
        &mut self,
        fragment: &mut [u8],
        header: &Header,
        why: Gone,
    ) -> Result<(), Refused> {
        let violation = Refused::violation(header.call_id);
        let Ok(pdu) = Pdu::decode(fragment) else { return Err(violation) };
        if matches!(self.stage, Stage::Fresh) {
            return Err(violation);
        }
        if let Some(trailer) = &pdu.trailer {
            // A signature counts in the sequence of its security context.
            let index = self.securities.find(trailer);
            let by = index.and_then(|index| self.securities.protector(index));
            let whole = super::pdu::HEADER_BYTES..trailer.at;
            let checked = by.map(|(session, mark)| {
                protection::check(fragment, &whole, trailer, session, mark.level)
            });
            if !matches!(checked, Some(Ok(()))) {
                let call_id = header.call_id;
                return Err(Refused::closing(call_id, 0, Status::SEC_PKG_ERROR));
            }
        }
        if let Canceled::Gone(context_id) = self.calls.cancel(header.call_id, why)
            && why == Gone::Canceled
        {
            self.fault(header.call_id, context_id, Status::CANCELED, false);
        }
        Ok(())
    }

    fn complete(&mut self, key: u64, outcome: Outcome, now: Instant) {
        let Some((call_id, active, is_wanted)) = self.calls.complete(key) else { return };
        if !is_wanted || matches!(self.stage, Stage::Closing) {
            return;
        }
        if self.output.is_empty() {
            self.times.took = now;
        }
        let context_id = active.context_id;
        match outcome {
            Outcome::Response(stub, receipt) => {
                self.endpoint.statistics.sent_pdu();
                let security = active.security;
                self.output.respond(Outgoing { call_id, context_id, security, stub, receipt });
            }
            Outcome::Fault { status, did_not_execute } => {
                self.fault(call_id, context_id, status, did_not_execute);
            }
            Outcome::Gone(Gone::Canceled) => {
                self.fault(call_id, context_id, Status::CANCELED, false);
            }
            Outcome::Gone(Gone::Orphaned | Gone::Disconnected) => {}
        }
    }

    fn refuse(&mut self, refused: &Refused) {
        let Refused { call_id, context_id, status, did_not_execute, closes } = *refused;
        tracing::debug!(peer = %self.ends.peer, call_id, %status, closes, "refused");
        self.fault(call_id, context_id, status, did_not_execute);
        if closes {
            self.close();
        }
    }

    fn fault(&mut self, call_id: u32, context_id: u16, status: Status, did_not_execute: bool) {
        let flags = Flags::WHOLE | Flags::DID_NOT_EXECUTE.when(did_not_execute);
        let header = Header::new(Kind::Fault, flags, call_id);
        let fault = Fault::new(context_id, status.to_wire());
        self.send(encode(&header, |pdu| fault.encode(pdu), None));
    }

    fn nak(&mut self, call_id: u32, reason: u16) {
        let header = Header::new(Kind::BindNak, Flags::WHOLE, call_id);
        self.send(encode(&header, |pdu| BindNak::new(reason).encode(pdu), None));
        self.close();
    }

    fn send(&mut self, pdu: Vec<u8>) {
        self.endpoint.statistics.sent_pdu();
        if self.output.is_empty() {
            self.times.took = self.times.received;
        }
        self.output.push(pdu);
    }
}

impl Drop for Association {
    /// First the calls go, then what waits to be sent is lost, then the group is left.
    fn drop(&mut self) {
        self.calls.disconnect();
        self.outbox.end();
        self.output.abandon();
    }
}
