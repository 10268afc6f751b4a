//! What a server's PDUs mean to the client's side of a connection.
//!
//! Invariant: with security a response is looked at after its signature was; faults, which servers send bare, are believed.

use std::ops::Range;

use super::Failure;
use super::calls::Took;
use super::connection::{Altering, Connection, Event, Stage};
use super::opening::{Guard, broken, nak};
use crate::rpc::auth::Level;
use crate::rpc::pdu::{Body, Fault, Flags, Header, Pdu, Trailer};
use crate::rpc::protection::check;
use crate::rpc::status::Status;

/// Octets of a fault before what privacy would encrypt.
const FAULT_HEAD_BYTES: usize = 32;

impl Connection {
    /// Takes a whole fragment.
    pub(super) fn take(&mut self, fragment: &mut [u8]) -> Result<(), Failure> {
        let Pdu { header, body, trailer } =
            Pdu::decode(fragment).map_err(|bad| broken(&bad.to_string()))?;
        let token = trailer
            .as_ref()
            .map(|trailer| (trailer, fragment.get(trailer.token.clone()).unwrap_or_default()));
        match body {
            Body::BindAck(ack) => self.bound(&header, &ack, token),
            Body::BindNak(why) => Err(nak(&why)),
            Body::AlterContextResp(ack) => match self.altering.take() {
                Some(altering) if altering.call_id == header.call_id => {
                    let Altering { at, proposals, .. } = altering;
                    let fits = self.contexts.settle(at, &proposals, &ack.results);
                    if fits {
                        Ok(())
                    } else {
                        Err(broken("an alter_context_resp that fits nothing"))
                    }
                }
                altering => {
                    self.altering = altering;
                    self.proved(&header, token)
                }
            },
            Body::Response(_, stub) => {
                self.verify(fragment, stub.clone(), trailer.as_ref())?;
                let stub = fragment.get(stub).unwrap_or_default();
                self.respond(&header, stub)
            }
            Body::Fault(fault) => {
                if let Some(trailer) = &trailer {
                    let sealed = FAULT_HEAD_BYTES.min(trailer.at)..trailer.at;
                    self.verify(fragment, sealed, Some(trailer))?;
                }
                self.fault(&header, &fault)
            }
            Body::Shutdown => Err(Failure::Lost("the server stops".to_owned())),
            _ => Err(broken("a PDU that only clients send")),
        }
    }

    /// Whether a fragment is what the server sent; it is decrypted.
    fn verify(
        &mut self,
        fragment: &mut [u8],
        stub: Range<usize>,
        trailer: Option<&Trailer>,
    ) -> Result<(), Failure> {
        let Some(Guard { session, mark }) = &mut self.guard else { return Ok(()) };
        if mark.level == Level::Connect {
            return Ok(());
        }
        let trailer = trailer.filter(|trailer| mark.is(trailer));
        let trailer = trailer.ok_or_else(|| broken("a response is not protected"))?;
        let checked = check(fragment, &stub, trailer, &mut **session, mark.level);
        checked
            .map_err(|refusal| Failure::Lost(format!("a response is not the server's: {refusal}")))
    }

    fn respond(&mut self, header: &Header, stub: &[u8]) -> Result<(), Failure> {
        if !matches!(self.stage, Stage::Open(_)) {
            return Err(broken("a response before anything was agreed on"));
        }
        let limit_bytes = self.options.response_bytes;
        match self.calls.respond(header.call_id, header.flags, header.order, stub, limit_bytes) {
            Took::Nothing => Ok(()),
            Took::Ended(key, result) => {
                self.events.push_back(Event::Answered(key, result));
                Ok(())
            }
            Took::Violation(why) => Err(broken(why)),
        }
    }

    fn fault(&mut self, header: &Header, fault: &Fault) -> Result<(), Failure> {
        let status = Status(fault.status);
        let did_not_execute = header.flags.has(Flags::DID_NOT_EXECUTE);
        let failure = Failure::Fault { status, did_not_execute };
        match &self.stage {
            Stage::Open(_) => {}
            Stage::Proving { .. } => {
                let why = format!("the server does not take this account and password: {status}");
                return Err(Failure::Refused(why));
            }
            Stage::Binding { .. } | Stage::Over => return Err(Failure::Lost(status.to_string())),
        }
        if let Some(altering) = self.altering.take_if(|altering| altering.call_id == header.call_id)
        {
            self.contexts.refuse(altering.at, failure);
        } else if let Some((key, _)) = self.calls.remove(header.call_id) {
            self.events.push_back(Event::Answered(key, Err(failure)));
        }
        Ok(())
    }
}
