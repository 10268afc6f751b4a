//! bind, `alter_context`, `auth_3`: what a connection agrees on, and who is at its other end.

use super::contexts::Violation;
use super::security::Stage as Progress;
use super::{Agreed, Association, Refused, Stage};
use std::sync::Arc;

use crate::rpc::auth::{Level, Provider, Refusal};
use crate::rpc::limits::{FRAGMENT_BYTES, FRAGMENT_BYTES_LEAST};
use crate::rpc::pdu::{
    AckResult, Bind, BindAck, BindNak, Body, Flags, Header, Kind, Pdu, Trailer, encode,
};
use crate::rpc::protection::Mark;
use crate::rpc::status::Status;

const AUTH_TYPE_NONE: u8 = 0;
const LEVEL_CALL: u8 = 3;

impl Association {
    pub(super) fn take_bind(&mut self, fragment: &[u8], header: &Header) {
        if let Err(reason) = self.bind(fragment, header) {
            tracing::debug!(peer = %self.ends.peer, reason, "a bind is refused");
            self.nak(header.call_id, reason);
        }
    }

    fn bind(&mut self, fragment: &[u8], header: &Header) -> Result<(), u16> {
        if !matches!(self.stage, Stage::Fresh) {
            return Err(BindNak::NOT_SPECIFIED);
        }
        let pdu = Pdu::decode(fragment).map_err(|_| BindNak::PROTOCOL_VERSION)?;
        let Body::Bind(bind) = &pdu.body else { return Err(BindNak::PROTOCOL_VERSION) };
        let begin = match &pdu.trailer {
            Some(trailer) => Some((self.acceptable(trailer)?, trailer)),
            None => None,
        };
        let client = self.ends.peer.ip();
        let group = match bind.group {
            0 => self.endpoint.groups.create(client),
            id => self.endpoint.groups.join(id, client),
        };
        let group = group.filter(|_| !bind.contexts.is_empty()).ok_or(BindNak::NOT_SPECIFIED)?;
        let results = self.contexts.negotiate(&self.endpoint.interfaces, &bind.contexts);
        let results = results.map_err(|Violation| BindNak::NOT_SPECIFIED)?;
        let mut answer = None;
        if let Some(((provider, mark), trailer)) = begin {
            let exchange = self.endpoint.accept(&*provider, mark.level, client);
            let index = self.securities.begin(exchange, mark, true);
            let token = self.step(index, fragment, trailer).map_err(|_| BindNak::CHECKSUM)?;
            answer = Some((mark, token));
        }
        self.stage = Stage::Open(Agreed {
            group,
            fragment_bytes: fragment_bytes(bind),
            multiplexing: header.flags.has(Flags::MULTIPLEXING),
            header_signing: header.flags.has(Flags::HEADER_SIGNING),
        });
        let flags = Flags::WHOLE
            | Flags::MULTIPLEXING.when(header.flags.has(Flags::MULTIPLEXING))
            | Flags::HEADER_SIGNING.when(header.flags.has(Flags::HEADER_SIGNING));
        let header = Header::new(Kind::BindAck, flags, header.call_id);
        self.acknowledge(&header, results, answer);
        Ok(())
    }

    /// Whether we have what a bind's trailer asks for; else why not.
    fn acceptable(&self, trailer: &Trailer) -> Result<(Arc<dyn Provider>, Mark), u16> {
        let level = Level::from_wire(trailer.auth_level);
        if level.is_none() && trailer.auth_level != LEVEL_CALL {
            return Err(BindNak::NOT_SPECIFIED);
        }
        let provider = self.endpoint.provider(trailer.auth_type).ok_or(BindNak::AUTH_TYPE)?;
        let level = level.ok_or(BindNak::CHECKSUM)?;
        let mark = Mark { auth_type: trailer.auth_type, level, context_id: trailer.context_id };
        Ok((provider, mark))
    }

    pub(super) fn take_alter_context(
        &mut self,
        fragment: &[u8],
        header: &Header,
    ) -> Result<(), Refused> {
        let violation = || Refused::violation(header.call_id);
        let refused = |status| Refused { status, ..violation() };
        let pdu = Pdu::decode(fragment).map_err(|_| violation())?;
        let Body::AlterContext(alter) = &pdu.body else { return Err(violation()) };
        if !matches!(self.stage, Stage::Open(_)) {
            return Err(violation());
        }
        self.may_go_on(pdu.trailer.as_ref()).map_err(refused)?;
        if alter.contexts.is_empty() {
            return Err(violation());
        }
        let results = self.contexts.negotiate(&self.endpoint.interfaces, &alter.contexts);
        let results = results.map_err(|Violation| violation())?;
        let answer = match &pdu.trailer {
            Some(trailer) => Some(self.go_on(fragment, trailer).map_err(refused)?),
            None => None,
        };
        let Stage::Open(agreed) = &mut self.stage else { return Err(violation()) };
        let signs = header.flags.has(Flags::HEADER_SIGNING);
        agreed.header_signing |= signs;
        let flags = Flags::WHOLE | Flags::HEADER_SIGNING.when(signs);
        self.acknowledge(
            &Header::new(Kind::AlterContextResp, flags, header.call_id),
            results,
            answer,
        );
        Ok(())
    }

    /// What an `alter_context` must not do with its trailer, whatever contexts it proposes.
    fn may_go_on(&self, trailer: Option<&Trailer>) -> Result<(), Status> {
        let index = match trailer {
            Some(trailer) if trailer.auth_type == AUTH_TYPE_NONE => {
                return Err(Status::ACCESS_DENIED);
            }
            Some(trailer) => self.securities.find(trailer),
            None => self.securities.bound(),
        };
        let Some(index) = index else { return Ok(()) };
        match (self.securities.stage(index), trailer) {
            (Progress::Exchanging, Some(_)) | (Progress::Ready, None) => Ok(()),
            _ => Err(Status::ACCESS_DENIED),
        }
    }

    /// Goes on with the exchange of a trailer's security context, or begins a new one.
    fn go_on(&mut self, fragment: &[u8], trailer: &Trailer) -> Result<(Mark, Vec<u8>), Status> {
        let index = match self.securities.find(trailer) {
            Some(index) => index,
            None if !self.securities.has_room() => return Err(Status::PROTOCOL_ERROR),
            None => {
                let known = self.endpoint.provider(trailer.auth_type);
                let provider = known.ok_or(Status::SEC_PKG_ERROR)?;
                let level = Level::from_wire(trailer.auth_level).ok_or(Status::ACCESS_DENIED)?;
                let mark =
                    Mark { auth_type: trailer.auth_type, level, context_id: trailer.context_id };
                let exchange = self.endpoint.accept(&*provider, level, self.ends.peer.ip());
                self.securities.begin(exchange, mark, false)
            }
        };
        let mark = self.securities.mark(index).filter(|mark| mark.is(trailer)).copied();
        let mark = mark.ok_or(Status::ACCESS_DENIED)?;
        let token = self.step(index, fragment, trailer).map_err(|refusal| status_of(&refusal))?;
        Ok((mark, token))
    }

    /// The third token of an exchange. It is not answered unless it breaks the protocol: that it failed shows in what the
    /// next request gets.
    pub(super) fn take_auth3(&mut self, fragment: &[u8], header: &Header) -> Result<(), Refused> {
        let violation = || Refused::violation(header.call_id);
        // What Windows says to a bad trailer in an auth_3.
        let bad = || Refused { status: Status::REMOTE_NO_MEMORY, ..violation() };
        if !matches!(self.stage, Stage::Open(_)) {
            return Err(violation());
        }
        let pdu = Pdu::decode(fragment).map_err(|_| bad())?;
        let trailer = pdu.trailer.ok_or_else(bad)?;
        let index = match self.securities.find(&trailer) {
            Some(index) => index,
            None if self.securities.is_exchanging() => return Err(bad()),
            None => return Err(violation()),
        };
        if self.securities.stage(index) != Progress::Exchanging {
            return Err(violation());
        }
        if !self.securities.mark(index).is_some_and(|mark| mark.is(&trailer)) {
            return Err(bad());
        }
        // A token that should go back cannot: the exchange does not end this way.
        let token = self.step(index, fragment, &trailer);
        if token.is_ok_and(|token| !token.is_empty())
            || self.securities.stage(index) != Progress::Ready
        {
            self.securities.spend(index);
        }
        Ok(())
    }

    fn step(
        &mut self,
        index: usize,
        fragment: &[u8],
        trailer: &Trailer,
    ) -> Result<Vec<u8>, Refusal> {
        let token = fragment.get(trailer.token.clone()).unwrap_or_default();
        let peer = self.ends.peer;
        let stepped = self.securities.step(index, token);
        match &stepped {
            Err(refusal) => tracing::info!(%peer, %refusal, "an authentication is refused"),
            Ok(_) => {
                if let Some(identity) = self.securities.identity(index) {
                    tracing::debug!(%peer, account = %identity.id, "authenticated");
                }
            }
        }
        stepped
    }

    fn acknowledge(
        &mut self,
        header: &Header,
        results: Vec<AckResult>,
        answer: Option<(Mark, Vec<u8>)>,
    ) {
        let Stage::Open(agreed) = &self.stage else { return };
        let secondary_address = match header.kind {
            Kind::BindAck => self.ends.local.port().to_string(),
            _ => String::new(),
        };
        let ack = BindAck {
            max_transmit: agreed.fragment_bytes,
            max_receive: agreed.fragment_bytes,
            group: agreed.group.id(),
            secondary_address,
            results,
        };
        // The last answer of an exchange has a trailer even where there is no token left to put behind it.
        let trailer = answer.as_ref().map(|(mark, token)| (mark.trailer(), token));
        let trailer = trailer.as_ref().map(|(trailer, token)| (trailer, token.as_slice()));
        self.send(encode(header, |pdu| ack.encode(pdu), trailer));
    }
}

/// The longest fragment in both directions: what both ends can, in bounds, in multiples of 8.
fn fragment_bytes(bind: &Bind) -> u16 {
    let both = bind.max_transmit.min(bind.max_receive);
    both.clamp(FRAGMENT_BYTES_LEAST, FRAGMENT_BYTES) & !7
}

/// What an `alter_context` whose token is refused gets.
fn status_of(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::Weak(_) | Refusal::Tampered(_) => Status::SEC_PKG_ERROR,
        _ => Status::ACCESS_DENIED,
    }
}
