//! Protects the PDUs of a security context: pads the stub, adds the `sec_trailer`, signs and encrypts; and the reverse.
//!
//! Both ends use it. Not the mechanism (that is an [`auth::Session`](super::auth::Session)). Invariant: PDUs of one
//! direction are protected in the order in which they go to the wire.

use std::ops::Range;

use super::auth::{Level, Refusal, Session};
use super::pdu::{HEADER_BYTES, TRAILER_BYTES, Trailer, set_lengths};
use super::wire::Put;

/// Stubs are padded to this, from their start ([MS-RPCE] 2.2.2.11).
const STUB_ALIGN: usize = 16;

impl Level {
    /// The level of this `auth_level`. "None" and "call", which connections do not have, are no level.
    pub fn from_wire(level: u8) -> Option<Self> {
        match level {
            2 => Some(Self::Connect),
            4 => Some(Self::Packet),
            5 => Some(Self::Integrity),
            6 => Some(Self::Privacy),
            _ => None,
        }
    }

    /// The `auth_level`.
    pub fn to_wire(self) -> u8 {
        match self {
            Self::Connect => 2,
            Self::Packet => 4,
            Self::Integrity => 5,
            Self::Privacy => 6,
        }
    }
}

/// What is written into the `sec_trailer` of a context's PDUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The security provider.
    pub auth_type: u8,
    /// The protection.
    pub level: Level,
    /// Which security context of the connection.
    pub context_id: u32,
}

impl Mark {
    /// Its `sec_trailer`.
    pub fn trailer(&self) -> Trailer {
        Trailer::new(self.auth_type, self.level.to_wire(), self.context_id)
    }

    /// Whether a `sec_trailer` is of this context.
    pub fn is(&self, trailer: &Trailer) -> bool {
        Level::from_wire(trailer.auth_level) == Some(self.level)
            && (trailer.auth_type, trailer.context_id) == (self.auth_type, self.context_id)
    }
}

/// How many octets of a stub fit into a fragment of `fragment_bytes` with a head of `head_bytes` after the header: a
/// multiple of the alignment, so that only a last fragment is padded.
pub fn stub_room(fragment_bytes: usize, head_bytes: usize, session: Option<&dyn Session>) -> usize {
    let room = fragment_bytes.saturating_sub(HEADER_BYTES + head_bytes);
    let trailer = session.map_or(0, |session| TRAILER_BYTES + session.signature_bytes());
    let room = room.saturating_sub(trailer);
    (room / STUB_ALIGN * STUB_ALIGN).max(STUB_ALIGN)
}

/// Finishes a PDU whose stub begins at `stub_at`: with a session padding, trailer and signature are added. At level
/// "connect" PDUs go out bare.
pub fn protect(
    pdu: &mut Vec<u8>,
    stub_at: usize,
    by: Option<(&mut dyn Session, &Mark)>,
) -> Result<(), Refusal> {
    let Some((session, mark)) = by.filter(|(_, mark)| mark.level != Level::Connect) else {
        set_lengths(pdu, 0);
        return Ok(());
    };
    let stub_bytes = pdu.len().saturating_sub(stub_at);
    let padded = stub_bytes.next_multiple_of(STUB_ALIGN);
    pdu.resize(stub_at.saturating_add(padded), 0);
    let trailer_at = pdu.len();
    let pad_bytes = u8::try_from(padded.saturating_sub(stub_bytes)).unwrap_or(0);
    Trailer { pad_bytes, ..mark.trailer() }.encode(pdu);
    let signature_bytes = session.signature_bytes();
    let unsigned = pdu.len();
    pdu.resize(unsigned.saturating_add(signature_bytes), 0);
    set_lengths(pdu, signature_bytes);
    pdu.truncate(unsigned);
    let signature = session.protect(pdu, stub_at..trailer_at, mark.level)?;
    pdu.put(&signature);
    Ok(())
}

/// Checks, and decrypts in place, a fragment whose stub begins at `stub.start`.
pub fn check(
    fragment: &mut [u8],
    stub: &Range<usize>,
    trailer: &Trailer,
    session: &mut dyn Session,
    level: Level,
) -> Result<(), Refusal> {
    const WRONG: Refusal = Refusal::Malformed("the signature is not where it should be");
    let (pdu, signature) = fragment.split_at_mut_checked(trailer.token.start).ok_or(WRONG)?;
    session.check(pdu, stub.start..trailer.at, signature, level)
}
