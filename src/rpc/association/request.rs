//! Requests: put together from fragments, checked, and given to their interface.
//!
//! Invariant: of each connection at most one request is being put together, and a fragment that does not fit ends the
//! connection.

use std::time::Instant;

use bytes::Bytes;

use super::contexts::Presentation;
use super::security::Stage as Progress;
use super::{Agreed, Association, Refused, Stage};
use crate::rpc::auth::Level;
use crate::rpc::endpoint::Reservation;
use crate::rpc::interface::{Call, Caller, Reply};
use crate::rpc::limits::{CALLS_PER_CONNECTION, FRAGMENT_BYTES, REQUEST_BYTES};
use crate::rpc::ndr::Syntax;
use crate::rpc::pdu::{Body, Flags, Header, Pdu, Request, Trailer};
use crate::rpc::protection;
use crate::rpc::status::Status;
use crate::rpc::verification::{self, Expected};
use crate::rpc::wire::ByteOrder;

/// A request whose last fragment has not come.
pub(super) struct Partial {
    pub(super) begun: Instant,
    head: Head,
    stub: Vec<u8>,
    limit_bytes: usize,
    reservation: Reservation,
}

/// What the first fragment of a request said. What later ones say of it does not count.
struct Head {
    call_id: u32,
    order: ByteOrder,
    request: Request,
    security: Option<usize>,
}

/// A fragment that was taken apart.
struct Fragment<'a> {
    header: &'a Header,
    request: Request,
    trailer: Option<Trailer>,
    stub: std::ops::Range<usize>,
}

impl Association {
    pub(super) fn take_request(
        &mut self,
        octets: &mut [u8],
        header: &Header,
        now: Instant,
    ) -> Result<(), Refused> {
        let Stage::Open(agreed) = &self.stage else {
            return Err(Refused::violation(header.call_id));
        };
        let oversize = octets.len() > usize::from(FRAGMENT_BYTES);
        let pdu = Pdu::decode(octets).ok().filter(|_| !oversize);
        let Some(Pdu { body: Body::Request(request, stub), trailer, .. }) = pdu else {
            return Err(Refused::closing(header.call_id, 0, Status::PROTOCOL_ERROR));
        };
        let fragment = Fragment { header, request, trailer, stub };
        let is_first = header.flags.has(Flags::FIRST);
        match self.fits(agreed, &fragment)? {
            Fit::Continues => {
                let Some(mut partial) = self.partial.take() else { return Ok(()) };
                let refused = |status| partial.head.refused(status);
                self.check_later(octets, &fragment, partial.head.security).map_err(refused)?;
                if is_first || header.order != partial.head.order {
                    return Err(refused(Status::PROTOCOL_ERROR));
                }
                partial.append(octets.get(fragment.stub).unwrap_or_default())?;
                self.put_together(partial, header.flags)
            }
            Fit::Begins
                if !is_first && self.contexts.find(fragment.request.context_id).is_none() =>
            {
                let status = Status::UNKNOWN_INTERFACE;
                Err(Refused { status, closes: false, ..Refused::violation(header.call_id) })
            }
            Fit::Begins => {
                let security = self.check_first(octets, &fragment)?;
                let context_id = fragment.request.context_id;
                if !is_first {
                    let status = Status::PROTOCOL_ERROR;
                    return Err(Refused::closing(header.call_id, context_id, status));
                }
                let stub = octets.get(fragment.stub).unwrap_or_default();
                let (call_id, order) = (header.call_id, header.order);
                let head = Head { call_id, order, request: fragment.request, security };
                if header.flags.has(Flags::LAST) {
                    return self.dispatch(head, Bytes::copy_from_slice(stub));
                }
                let limit_bytes = self.limit_bytes(&head);
                let reservation = self.endpoint.budget.reserve();
                let stub_so_far = Vec::new();
                let mut partial =
                    Partial { begun: now, head, stub: stub_so_far, limit_bytes, reservation };
                partial.admit()?;
                partial.append(stub)?;
                self.partial = Some(partial);
                Ok(())
            }
        }
    }

    /// Whether a fragment fits what came before it.
    fn fits(&self, agreed: &Agreed, fragment: &Fragment<'_>) -> Result<Fit, Refused> {
        let Fragment { header, .. } = fragment;
        let is_first = header.flags.has(Flags::FIRST);
        match &self.partial {
            Some(partial) if partial.head.call_id == header.call_id => Ok(Fit::Continues),
            Some(_) if agreed.multiplexing => {
                Err(Refused::closing(header.call_id, 0, Status::PROTOCOL_ERROR))
            }
            // Without multiplexing the call that was begun is what fails.
            Some(partial) => Err(partial.head.refused(Status::PROTOCOL_ERROR)),
            None if !is_first && !agreed.multiplexing => {
                Err(Refused::closing(header.call_id, 0, Status::PROTOCOL_ERROR))
            }
            None if is_first && header.flags.has(Flags::PENDING_CANCEL) => {
                let status = Status::CALL_CANCELED_EARLY;
                Err(Refused { status, ..Refused::violation(header.call_id) })
            }
            None => Ok(Fit::Begins),
        }
    }

    /// Which security context a request belongs to, and whether its first fragment is protected by it.
    fn check_first(
        &mut self,
        octets: &mut [u8],
        fragment: &Fragment<'_>,
    ) -> Result<Option<usize>, Refused> {
        let (call_id, context_id) = (fragment.header.call_id, fragment.request.context_id);
        let refused = |status| Refused::closing(call_id, context_id, status);
        let index = match &fragment.trailer {
            Some(trailer) => {
                let index = self.securities.find(trailer);
                let is = |index: &usize| {
                    self.securities.mark(*index).is_some_and(|mark| mark.is(trailer))
                };
                Some(index.filter(is).ok_or_else(|| refused(Status::ACCESS_DENIED))?)
            }
            None => self.securities.bound(),
        };
        let Some(index) = index else { return Ok(None) };
        match self.securities.stage(index) {
            Progress::Exchanging => return Err(Refused::violation(call_id)),
            Progress::Spent => return Err(refused(Status::ACCESS_DENIED)),
            Progress::Ready => {}
        }
        self.check_later(octets, fragment, Some(index)).map_err(refused)?;
        Ok(Some(index))
    }

    /// Whether a fragment is protected by its request's security context; it is decrypted.
    fn check_later(
        &mut self,
        octets: &mut [u8],
        fragment: &Fragment<'_>,
        security: Option<usize>,
    ) -> Result<(), Status> {
        let Some(index) = security else {
            return if fragment.trailer.is_none() { Ok(()) } else { Err(Status::ACCESS_DENIED) };
        };
        let Some((session, mark)) = self.securities.protector(index) else {
            return Err(Status::ACCESS_DENIED);
        };
        if mark.level == Level::Connect {
            return Ok(());
        }
        let trailer = fragment.trailer.as_ref().ok_or(Status::PROTOCOL_ERROR)?;
        let checked = protection::check(octets, &fragment.stub, trailer, session, mark.level);
        checked.map_err(|refusal| {
            tracing::info!(peer = %self.ends.peer, %refusal, "a PDU is refused");
            self.securities.spend(index);
            Status::SEC_PKG_ERROR
        })
    }

    /// Stub bytes that a request may have: more than the usual only for those who are known.
    fn limit_bytes(&self, head: &Head) -> usize {
        let interface = self.contexts.find(head.request.context_id);
        let most = interface.map_or(REQUEST_BYTES, |known| known.interface.max_request_bytes);
        match head.security.and_then(|index| self.securities.identity(index)) {
            Some(_) => most,
            None => most.min(REQUEST_BYTES),
        }
    }

    fn put_together(&mut self, partial: Partial, flags: Flags) -> Result<(), Refused> {
        if flags.has(Flags::LAST) {
            return self.dispatch(partial.head, partial.stub.into());
        }
        self.partial = Some(partial);
        Ok(())
    }

    fn dispatch(&mut self, head: Head, stub: Bytes) -> Result<(), Refused> {
        let presentation = self.contexts.find(head.request.context_id).cloned();
        let Some(presentation) = presentation else {
            let status = Status::UNKNOWN_INTERFACE;
            return Err(Refused { status, closes: false, ..Refused::violation(head.call_id) });
        };
        let stub_bytes = self.may_call(&head, &presentation, &stub)?;
        let Stage::Open(agreed) = &self.stage else {
            return Err(Refused::violation(head.call_id));
        };
        let key = self.calls.next_key(head.call_id);
        let (reply, pending) = Reply::new(self.outbox.clone(), key);
        self.calls.insert(key, pending, head.request.context_id, head.security);
        self.endpoint.statistics.received_call();
        let identity = head.security.and_then(|index| self.securities.identity(index)).cloned();
        let level = head.security.and_then(|index| self.securities.mark(index));
        let handles = agreed.group.handles().of(identity.clone());
        let caller = Caller {
            identity,
            level: level.map(|mark| mark.level),
            group: agreed.group.id(),
            peer: self.ends.peer,
            local: self.ends.local,
        };
        presentation.interface.handler.call(Call {
            opnum: head.request.opnum,
            object: head.request.object,
            syntax: presentation.syntax,
            order: head.order,
            stub: stub.slice(..stub_bytes),
            caller,
            handles,
            reply,
        });
        Ok(())
    }

    /// The checks before a call is made; gives the length of the stub without its verification trailer.
    fn may_call(
        &self,
        head: &Head,
        presentation: &Presentation,
        stub: &Bytes,
    ) -> Result<usize, Refused> {
        let interface = &presentation.interface;
        let stays = |status| Refused { closes: false, ..head.refused(status) };
        let rejected = |status| Refused { did_not_execute: true, ..stays(status) };
        if head.request.opnum >= interface.operations {
            return Err(rejected(Status::OP_RANGE_ERROR));
        }
        let level = head.security.and_then(|index| self.securities.mark(index));
        let identity = head.security.and_then(|index| self.securities.identity(index));
        let is_nobody = interface.min_level.is_some() && identity.is_none();
        if is_nobody || level.map(|mark| mark.level) < interface.min_level {
            let closes = !self.securities.has_protection();
            return Err(Refused { closes, ..head.refused(Status::ACCESS_DENIED) });
        }
        if presentation.syntax == Syntax::Ndr64 && head.order == ByteOrder::Big {
            return Err(stays(Status::BAD_STUB_DATA));
        }
        if self.calls.has(head.call_id) {
            return Err(head.refused(Status::PROTOCOL_ERROR));
        }
        if self.calls.count() >= CALLS_PER_CONNECTION {
            return Err(rejected(Status::SERVER_TOO_BUSY));
        }
        let header_signing = matches!(&self.stage, Stage::Open(agreed) if agreed.header_signing);
        let expected = Expected {
            header_signing,
            interface: interface.id,
            transfer: presentation.syntax.id(),
            call_id: head.call_id,
            context_id: head.request.context_id,
            opnum: head.request.opnum,
        };
        verification::check(stub, head.order, &expected).map_err(|mismatch| {
            tracing::info!(peer = %self.ends.peer, %mismatch, "a request is refused");
            stays(Status::ACCESS_DENIED)
        })
    }
}

enum Fit {
    Begins,
    Continues,
}

impl Head {
    fn refused(&self, status: Status) -> Refused {
        Refused::closing(self.call_id, self.request.context_id, status)
    }
}

impl Partial {
    /// Whether a request that tells how long it will be may come. (Of a single fragment the hint may lie.)
    fn admit(&self) -> Result<(), Refused> {
        let hint = usize::try_from(self.head.request.alloc_hint).unwrap_or(usize::MAX);
        if hint <= self.limit_bytes {
            Ok(())
        } else {
            Err(self.head.refused(Status::ACCESS_DENIED))
        }
    }

    fn append(&mut self, stub: &[u8]) -> Result<(), Refused> {
        let bytes = self.stub.len().saturating_add(stub.len());
        if bytes > self.limit_bytes {
            return Err(self.head.refused(Status::ACCESS_DENIED));
        }
        if !self.reservation.grow(stub.len()) {
            return Err(self.head.refused(Status::SERVER_TOO_BUSY));
        }
        self.stub.extend_from_slice(stub);
        Ok(())
    }
}
