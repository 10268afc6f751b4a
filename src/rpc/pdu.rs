//! The PDUs of connection-oriented DCE/RPC ([C706] chapter 12, [MS-RPCE] 2.2.2).
//!
//! Not what follows from them (that is [`association`](super::association) and [`client`](super::client)), and not
//! signatures: a PDU is taken apart where it lies, the ranges say where its stub and its token are.
//!
//! ```text
//!   ┌────────┬──────────────────────┬─────┬───────────────┬───────┐
//!   │ header │ body … stub          │ pad │  sec_trailer  │ token │   frag_length bytes in all
//!   └─ 16 ───┴──────────────────────┴─────┴────── 8 ──────┴───────┘
//!                                          only where auth_length, the length of the token, is not 0
//! ```
//!
//! Read in both byte orders, written little-endian. Invariant: nothing is read outside the fragment.

mod bind;
mod call;
mod header;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use bind::{AckResult, Bind, BindAck, BindNak, Proposal};
pub use call::{Fault, Request, Response};
pub use header::{Flags, HEADER_BYTES, Header, Kind, TRAILER_BYTES, Trailer, set_lengths};

use super::wire::{Cursor, Put};

/// A PDU, without the octets of its stub and its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdu {
    /// What all PDUs begin with.
    pub header: Header,
    /// What is in it.
    pub body: Body,
    /// The `sec_trailer`, where there is a token.
    pub trailer: Option<Trailer>,
}

/// What is in a PDU. Ranges are in the fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A client's first PDU.
    Bind(Bind),
    /// The answer to it.
    BindAck(BindAck),
    /// The refusal of it.
    BindNak(BindNak),
    /// More presentation contexts, or the next token of an authentication.
    AlterContext(Bind),
    /// The answer to it.
    AlterContextResp(BindAck),
    /// The third token of an authentication, never answered.
    Auth3,
    /// A fragment of a request; the range is its stub, with the padding before a `sec_trailer` not counted.
    Request(Request, Range<usize>),
    /// A fragment of a response, likewise.
    Response(Response, Range<usize>),
    /// A call failed.
    Fault(Fault),
    /// A server wants its clients to go.
    Shutdown,
    /// A client wants a call to end.
    CoCancel,
    /// A client wants no answer to a call.
    Orphaned,
}

/// Why octets are no PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPdu {
    /// Another protocol, or another version of it.
    #[error("not DCE/RPC version 5")]
    Version,
    /// A type that there is not on connections.
    #[error("unknown PDU type {0}")]
    Kind(u8),
    /// The lengths in the header contradict each other, or the fragment.
    #[error("impossible lengths in the header")]
    Length,
    /// The body is shorter than its fields.
    #[error("the body is cut off")]
    Body,
    /// The padding before the `sec_trailer` is longer than what it pads.
    #[error("the padding is longer than the stub")]
    Padding,
}

impl Pdu {
    /// Takes a whole fragment apart.
    pub fn decode(fragment: &[u8]) -> Result<Self, BadPdu> {
        let header = Header::decode(fragment)?;
        if usize::from(header.fragment_bytes) != fragment.len() {
            return Err(BadPdu::Length);
        }
        let trailer = Trailer::find(&header, fragment)?;
        let end = trailer.as_ref().map_or(fragment.len(), |trailer| trailer.at);
        let octets = fragment.get(HEADER_BYTES..end).ok_or(BadPdu::Length)?;
        let body = Body::decode(&header, octets, trailer.as_ref())?;
        Ok(Self { header, body, trailer })
    }

    /// Writes again what was read from `fragment`, which still has its stub and its token; rests that mean nothing are not
    /// written.
    pub fn encode(&self, fragment: &[u8]) -> Vec<u8> {
        let there = |range: &Range<usize>| fragment.get(range.clone()).unwrap_or_default();
        let trailer = self.trailer.as_ref().map(|trailer| (trailer, there(&trailer.token)));
        encode(&self.header, |out| self.body.encode(there, out), trailer)
    }
}

impl Body {
    fn encode<'a>(&self, there: impl Fn(&Range<usize>) -> &'a [u8], out: &mut Vec<u8>) {
        match self {
            Self::Bind(bind) | Self::AlterContext(bind) => bind.encode(out),
            Self::BindAck(ack) | Self::AlterContextResp(ack) => ack.encode(out),
            Self::BindNak(nak) => nak.encode(out),
            Self::Fault(fault) => fault.encode(out),
            Self::Request(request, stub) => {
                request.encode(out);
                out.put(there(stub));
            }
            Self::Response(response, stub) => {
                response.encode(out);
                out.put(there(stub));
            }
            Self::Auth3 => out.put(&[0; 4]),
            Self::Shutdown | Self::CoCancel | Self::Orphaned => {}
        }
    }

    fn decode(header: &Header, octets: &[u8], trailer: Option<&Trailer>) -> Result<Self, BadPdu> {
        let mut cursor = Cursor::new(octets, header.order);
        let body = match header.kind {
            Kind::Bind => Bind::decode(&mut cursor).map(Self::Bind),
            Kind::BindAck => BindAck::decode(&mut cursor).map(Self::BindAck),
            Kind::BindNak => BindNak::decode(&mut cursor).map(Self::BindNak),
            Kind::AlterContext => Bind::decode(&mut cursor).map(Self::AlterContext),
            Kind::AlterContextResp => BindAck::decode(&mut cursor).map(Self::AlterContextResp),
            Kind::Auth3 => Some(Self::Auth3),
            Kind::Fault => Fault::decode(&mut cursor).map(Self::Fault),
            Kind::Shutdown => Some(Self::Shutdown),
            Kind::CoCancel => Some(Self::CoCancel),
            Kind::Orphaned => Some(Self::Orphaned),
            Kind::Request => {
                let request = Request::decode(&mut cursor, header.flags).ok_or(BadPdu::Body)?;
                let stub = stub_range(octets.len(), cursor.rest().len(), trailer)?;
                return Ok(Self::Request(request, stub));
            }
            Kind::Response => {
                let response = Response::decode(&mut cursor).ok_or(BadPdu::Body)?;
                let stub = stub_range(octets.len(), cursor.rest().len(), trailer)?;
                return Ok(Self::Response(response, stub));
            }
        };
        body.ok_or(BadPdu::Body)
    }
}

/// Where the stub is in the fragment: the last `rest` octets of the body, without the padding.
fn stub_range(body: usize, rest: usize, trailer: Option<&Trailer>) -> Result<Range<usize>, BadPdu> {
    let pad = trailer.map_or(0, |trailer| usize::from(trailer.pad_bytes));
    let start = HEADER_BYTES + body.saturating_sub(rest);
    let end = (HEADER_BYTES + body).saturating_sub(pad);
    if start <= end { Ok(start..end) } else { Err(BadPdu::Padding) }
}

/// Writes a PDU that carries no stub: bind and its answers, `auth_3`, fault, cancel, orphaned. The token, if any, is
/// not padded but for the four octets that the trailer must be aligned to.
pub fn encode(
    header: &Header,
    write: impl FnOnce(&mut Vec<u8>),
    trailer: Option<(&Trailer, &[u8])>,
) -> Vec<u8> {
    let mut pdu = Vec::with_capacity(128);
    header.encode(&mut pdu);
    write(&mut pdu);
    let mut token_bytes = 0;
    if let Some((trailer, token)) = trailer {
        let unpadded = pdu.len();
        pdu.pad_to(4);
        let pad_bytes = u8::try_from(pdu.len().saturating_sub(unpadded)).unwrap_or(0);
        Trailer { pad_bytes, ..trailer.clone() }.encode(&mut pdu);
        pdu.put(token);
        token_bytes = token.len();
    }
    set_lengths(&mut pdu, token_bytes);
    pdu
}
