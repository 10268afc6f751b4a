//! bind, `alter_context` and `auth_3`, from the client's side: who both ends are, and what they agree on.
//!
//! A last token that needs no answer goes by `auth_3`, every other by `alter_context` ([MS-RPCE] 3.3.1.5.2.1): NTLM by
//! itself ends with the former, SPNEGO with the latter.

use super::connection::{Agreed, Connection, Stage};
use super::{Failure, Security};
use crate::rpc::auth::{Exchange, Refusal, Session, Step};
use crate::rpc::limits::FRAGMENT_BYTES_MUST;
use crate::rpc::pdu::{
    Bind, BindAck, BindNak, Flags, Header, Kind, Proposal, Trailer, encode as encode_pdu,
};
use crate::rpc::protection::Mark;

/// The security context of a connection; it has one.
const CONTEXT_ID: u32 = 1;

/// What protects PDUs.
pub(super) struct Guard {
    pub(super) session: Box<dyn Session>,
    pub(super) mark: Mark,
}

/// An exchange of tokens that is under way.
pub(super) struct Proof {
    exchange: Box<dyn Exchange>,
    mark: Mark,
}

impl Proof {
    /// Its beginning, and the first token.
    pub(super) fn begin(security: &Security) -> Result<(Self, Vec<u8>), Failure> {
        let Security { credentials, auth_type, level, target } = security;
        let mut exchange = credentials.exchange(*auth_type, *level, target.as_deref());
        let mark = Mark { auth_type: *auth_type, level: *level, context_id: CONTEXT_ID };
        match exchange.step(&[]) {
            Step::More(token) => Ok((Self { exchange, mark }, token)),
            Step::Done { .. } => Err(Failure::Refused("the server was not asked".to_owned())),
            Step::Refused(refusal) => Err(refused(&refusal)),
        }
    }
}

fn refused(refusal: &Refusal) -> Failure {
    Failure::Refused(match refusal {
        Refusal::Denied { .. } => refusal.to_string(),
        other => format!("the server's authentication is not accepted: {other}"),
    })
}

impl Connection {
    /// Sends the bind.
    pub(super) fn bind(&mut self, group: u32) -> Result<(), Failure> {
        let proof = self.options.security.as_ref().map(Proof::begin).transpose()?;
        let (at, proposals) = self.contexts.next(true).ok_or(Failure::TooBusy)?;
        let (proof, token) = proof.unzip();
        let call_id = self.next_call_id();
        let flags = Flags::WHOLE
            | Flags::HEADER_SIGNING.when(proof.is_some())
            | Flags::MULTIPLEXING.when(self.options.multiplexing);
        let header = Header::new(Kind::Bind, flags, call_id);
        let mark = proof.as_ref().map(|proof| proof.mark);
        self.propose(&header, group, &proposals, mark.zip(token));
        self.stage = Stage::Binding { call_id, at, proposals, proof };
        Ok(())
    }

    /// Sends a bind or an `alter_context`, perhaps with a token.
    pub(super) fn propose(
        &mut self,
        header: &Header,
        group: u32,
        proposals: &[Proposal],
        proof: Option<(Mark, Vec<u8>)>,
    ) {
        let fragment_bytes = self.options.fragment_bytes;
        let bind = Bind {
            max_transmit: fragment_bytes,
            max_receive: fragment_bytes,
            group,
            contexts: proposals.to_vec(),
        };
        let trailer = proof.as_ref().map(|(mark, token)| (mark.trailer(), token));
        let trailer = trailer.as_ref().map(|(trailer, token)| (trailer, token.as_slice()));
        let pdu = encode_pdu(header, |pdu| bind.encode(pdu), trailer);
        self.output.push(&pdu);
    }

    /// The server's answer to the bind.
    pub(super) fn bound(
        &mut self,
        header: &Header,
        ack: &BindAck,
        token: Option<(&Trailer, &[u8])>,
    ) -> Result<(), Failure> {
        let Stage::Binding { call_id, at, proposals, proof } =
            std::mem::replace(&mut self.stage, Stage::Over)
        else {
            return Err(broken("a bind_ack that nobody asked for"));
        };
        if header.call_id != call_id || !self.contexts.settle(at, &proposals, &ack.results) {
            return Err(broken("its bind_ack does not fit the bind"));
        }
        if ack.max_receive < FRAGMENT_BYTES_MUST {
            return Err(broken("it takes no fragments of a usable size"));
        }
        let agreed = Agreed {
            group: ack.group,
            fragment_bytes: ack.max_receive.min(self.options.fragment_bytes) & !7,
            multiplexing: self.options.multiplexing && header.flags.has(Flags::MULTIPLEXING),
            header_signing: header.flags.has(Flags::HEADER_SIGNING),
        };
        match proof {
            Some(proof) => self.prove(agreed, &proposals, proof, token),
            None => {
                self.stage = Stage::Open(agreed);
                Ok(())
            }
        }
    }

    /// The server's answer to an `alter_context` with a token.
    pub(super) fn proved(
        &mut self,
        header: &Header,
        token: Option<(&Trailer, &[u8])>,
    ) -> Result<(), Failure> {
        let Stage::Proving { call_id, agreed, proposals, proof } =
            std::mem::replace(&mut self.stage, Stage::Over)
        else {
            return Err(broken("an alter_context_resp that nobody asked for"));
        };
        if header.call_id != call_id {
            return Err(broken("its alter_context_resp answers another call"));
        }
        self.prove(agreed, &proposals, proof, token)
    }

    /// Gives the server's token to the exchange, and the next one to the server.
    fn prove(
        &mut self,
        agreed: Agreed,
        proposals: &[Proposal],
        mut proof: Proof,
        token: Option<(&Trailer, &[u8])>,
    ) -> Result<(), Failure> {
        let mark = proof.mark;
        if token.is_some_and(|(trailer, _)| !mark.is(trailer)) {
            return Err(broken("its token is of another security context"));
        }
        let token = token.map_or(&[][..], |(_, token)| token);
        match proof.exchange.step(token) {
            Step::More(token) => {
                let call_id = self.next_call_id();
                let header = Header::new(Kind::AlterContext, Flags::WHOLE, call_id);
                let again = self.contexts.again(proposals);
                self.propose(&header, agreed.group, &again, Some((mark, token)));
                let proposals = proposals.to_vec();
                self.stage = Stage::Proving { call_id, agreed, proposals, proof };
            }
            Step::Done { token, session, .. } => {
                if !token.is_empty() {
                    let call_id = self.next_call_id();
                    let header = Header::new(Kind::Auth3, Flags::WHOLE, call_id);
                    let trailer = mark.trailer();
                    let pad = |pdu: &mut Vec<u8>| pdu.extend([0; 4]);
                    self.output.push(&encode_pdu(&header, pad, Some((&trailer, &token))));
                }
                self.guard = Some(Guard { session, mark });
                self.stage = Stage::Open(agreed);
            }
            Step::Refused(refusal) => return Err(refused(&refusal)),
        }
        Ok(())
    }
}

/// What a `bind_nak` means.
pub(super) fn nak(nak: &BindNak) -> Failure {
    match nak.reason {
        BindNak::CHECKSUM => {
            Failure::Refused("the server does not take this account and password".to_owned())
        }
        BindNak::AUTH_TYPE => {
            Failure::Refused("the server does not know this kind of authentication".to_owned())
        }
        BindNak::PROTOCOL_VERSION => {
            Failure::Lost("the server speaks another version of DCE/RPC".to_owned())
        }
        reason => Failure::Lost(format!("the server refuses the association (reason {reason})")),
    }
}

pub(super) fn broken(why: &str) -> Failure {
    Failure::Lost(format!("the server broke the protocol: {why}"))
}
