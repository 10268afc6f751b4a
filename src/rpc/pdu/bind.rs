//! Bodies of bind, `alter_context` and their answers.

use crate::rpc::uuid::SyntaxId;
use crate::rpc::wire::{Cursor, Put};

/// `bind` and `alter_context`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bind {
    /// The longest fragment the sender sends …
    pub max_transmit: u16,
    /// … and takes.
    pub max_receive: u16,
    /// The association group to join; 0: a new one.
    pub group: u32,
    /// Presentation contexts.
    pub contexts: Vec<Proposal>,
}

/// A presentation context that a client proposes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// What requests will call it.
    pub id: u16,
    /// The interface.
    pub interface: SyntaxId,
    /// Ways to encode its stubs, of which the server chooses one.
    pub transfers: Vec<SyntaxId>,
}

impl Bind {
    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        let (max_transmit, max_receive) = (cursor.u16()?, cursor.u16()?);
        let (group, count) = (cursor.u32()?, cursor.u8()?);
        cursor.take(3)?;
        let contexts = (0..count).map(|_| Proposal::decode(cursor)).collect::<Option<_>>()?;
        Some(Self { max_transmit, max_receive, group, contexts })
    }

    /// Writes the body. Of more than 255 contexts, or of transfer syntaxes in one of them, the first are written.
    pub fn encode(&self, pdu: &mut Vec<u8>) {
        pdu.put_u16(self.max_transmit);
        pdu.put_u16(self.max_receive);
        pdu.put_u32(self.group);
        put_count(pdu, self.contexts.len());
        for context in self.contexts.iter().take(255) {
            pdu.put_u16(context.id);
            let count = u8::try_from(context.transfers.len()).unwrap_or(u8::MAX);
            pdu.put(&[count, 0]);
            pdu.put_syntax(&context.interface);
            context.transfers.iter().take(255).for_each(|syntax| pdu.put_syntax(syntax));
        }
    }
}

impl Proposal {
    fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        let (id, count) = (cursor.u16()?, cursor.u8()?);
        cursor.take(1)?;
        let interface = cursor.syntax()?;
        let transfers = (0..count).map(|_| cursor.syntax()).collect::<Option<_>>()?;
        Some(Self { id, interface, transfers })
    }
}

/// `bind_ack` and `alter_context_resp`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindAck {
    /// The longest fragment the sender sends …
    pub max_transmit: u16,
    /// … and takes.
    pub max_receive: u16,
    /// The association group.
    pub group: u32,
    /// The port, as decimal text; empty in an `alter_context_resp`.
    pub secondary_address: String,
    /// One for each presentation context proposed.
    pub results: Vec<AckResult>,
}

/// What became of a proposed presentation context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckResult {
    /// Accepted, with this transfer syntax.
    Accepted(SyntaxId),
    /// Refused by the server, for a reason: 1 the interface is unknown, 2 no transfer syntax is supported.
    Refused(u16),
    /// Features agreed on ([MS-RPCE] 2.2.2.4).
    Features(u16),
    /// Something else that a server may say: result, reason, syntax.
    Other(u16, u16, SyntaxId),
}

impl AckResult {
    /// The interface is not here.
    pub const UNKNOWN_INTERFACE: Self = Self::Refused(1);
    /// No transfer syntax suits, or there was a new context in this exchange already.
    pub const NO_TRANSFER_SYNTAX: Self = Self::Refused(2);

    fn from_wire(result: u16, reason: u16, syntax: SyntaxId) -> Self {
        match (result, reason) {
            (0, 0) => Self::Accepted(syntax),
            (2, reason) if syntax == SyntaxId::NONE => Self::Refused(reason),
            (3, features) if syntax == SyntaxId::NONE => Self::Features(features),
            _ => Self::Other(result, reason, syntax),
        }
    }

    fn to_wire(self) -> (u16, u16, SyntaxId) {
        match self {
            Self::Accepted(syntax) => (0, 0, syntax),
            Self::Refused(reason) => (2, reason, SyntaxId::NONE),
            Self::Features(features) => (3, features, SyntaxId::NONE),
            Self::Other(result, reason, syntax) => (result, reason, syntax),
        }
    }
}

impl BindAck {
    /// Octets of a PDU before the secondary address.
    const BEFORE_ADDRESS: usize = 26;

    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        let (max_transmit, max_receive) = (cursor.u16()?, cursor.u16()?);
        let (group, length) = (cursor.u32()?, usize::from(cursor.u16()?));
        let address = cursor.take(length)?;
        let address = address.strip_suffix(&[0]).unwrap_or(address);
        let secondary_address = String::from_utf8_lossy(address).into_owned();
        let end = Self::BEFORE_ADDRESS + length;
        cursor.take(end.next_multiple_of(4) - end)?;
        let count = cursor.u8()?;
        cursor.take(3)?;
        let results = (0..count).map(|_| {
            let (result, reason, syntax) = (cursor.u16()?, cursor.u16()?, cursor.syntax()?);
            Some(AckResult::from_wire(result, reason, syntax))
        });
        let results = results.collect::<Option<_>>()?;
        Some(Self { max_transmit, max_receive, group, secondary_address, results })
    }

    /// Writes the body, after a header.
    pub fn encode(&self, pdu: &mut Vec<u8>) {
        pdu.put_u16(self.max_transmit);
        pdu.put_u16(self.max_receive);
        pdu.put_u32(self.group);
        if self.secondary_address.is_empty() {
            pdu.put_u16(0);
        } else {
            let length = self.secondary_address.len().saturating_add(1);
            pdu.put_u16(u16::try_from(length).unwrap_or(0));
            pdu.put(self.secondary_address.as_bytes());
            pdu.put_u8(0);
        }
        pdu.pad_to(4);
        put_count(pdu, self.results.len());
        for result in self.results.iter().take(255) {
            let (result, reason, syntax) = result.to_wire();
            pdu.put_u16(result);
            pdu.put_u16(reason);
            pdu.put_syntax(&syntax);
        }
    }
}

/// `bind_nak`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindNak {
    /// Why.
    pub reason: u16,
    /// Versions of the protocol that the server speaks.
    pub versions: Vec<(u8, u8)>,
}

impl BindNak {
    /// No reason given.
    pub const NOT_SPECIFIED: u16 = 0;
    /// The server has too many presentation contexts already.
    pub const LOCAL_LIMIT: u16 = 2;
    /// Another version, or flags that mean nothing here.
    pub const PROTOCOL_VERSION: u16 = 4;
    /// No such security provider.
    pub const AUTH_TYPE: u16 = 8;
    /// The authentication failed.
    pub const CHECKSUM: u16 = 9;

    /// A refusal for this reason.
    pub fn new(reason: u16) -> Self {
        Self { reason, versions: vec![(5, 0)] }
    }

    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        let (reason, count) = (cursor.u16()?, cursor.u8()?);
        let version = |_| Some((cursor.u8()?, cursor.u8()?));
        let versions = (0..count).map(version).collect::<Option<_>>()?;
        Some(Self { reason, versions })
    }

    /// Writes the body, after a header.
    pub fn encode(&self, pdu: &mut Vec<u8>) {
        pdu.put_u16(self.reason);
        pdu.put_u8(u8::try_from(self.versions.len()).unwrap_or(u8::MAX));
        self.versions.iter().take(255).for_each(|(major, minor)| pdu.put(&[*major, *minor]));
        pdu.pad_to(4);
    }
}

/// A count in an octet, and three octets of nothing.
fn put_count(pdu: &mut Vec<u8>, count: usize) {
    pdu.put(&[u8::try_from(count).unwrap_or(u8::MAX), 0, 0, 0]);
}
