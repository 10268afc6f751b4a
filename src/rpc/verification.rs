//! The verification trailer: what a client says again, under its signature, of what the signature does not cover
//! ([MS-RPCE] 2.2.2.13).
//!
//! ```text
//!   stub │ to 4 │ 8a e3 13 71 02 f4 36 71 │ command, length, value │ … │ command with END, length, value │
//! ```
//!
//! Invariant: a trailer that contradicts the PDUs, or whose end is missing, is refused; bytes that only look like one are
//! the client's own fault.

use super::uuid::SyntaxId;
use super::wire::{ByteOrder, Cursor, Put};

const MAGIC: [u8; 8] = [0x8a, 0xe3, 0x13, 0x71, 0x02, 0xf4, 0x36, 0x71];
/// A trailer is not longer than this, counted from the end of the stub.
const MAX_BYTES: usize = 0x1_0000;

const BITMASK: u16 = 1;
const PCONTEXT: u16 = 2;
const HEADER2: u16 = 3;
const COMMAND: u16 = 0x3FFF;
const END: u16 = 0x4000;
const MUST_PROCESS: u16 = 0x8000;

/// What a trailer is held against: the request as we understood it.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// Whether the client said at bind time that it can protect headers.
    pub header_signing: bool,
    /// The interface of the presentation context.
    pub interface: SyntaxId,
    /// Its transfer syntax.
    pub transfer: SyntaxId,
    /// The call.
    pub call_id: u32,
    /// The presentation context.
    pub context_id: u16,
    /// The operation.
    pub opnum: u16,
}

/// A trailer that does not fit its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the verification trailer contradicts the request: {0}")]
pub struct Mismatch(pub &'static str);

/// What a client may say in a trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// "I can protect headers."
    HeaderSigning(bool),
    /// "The presentation context is for this interface, in this transfer syntax."
    PresentationContext(SyntaxId, SyntaxId),
}

/// Checks the trailer of a request's stub, if there is one: gives the length of the stub without it.
///
/// Clients that send big-endian stubs write it so, or little-endian all the same (Samba): either reading may hold.
pub fn check(stub: &[u8], order: ByteOrder, expected: &Expected) -> Result<usize, Mismatch> {
    let Some(at) = find(stub) else { return Ok(stub.len()) };
    let claims = stub.get(at + MAGIC.len()..).unwrap_or_default();
    let holds = |reading| hold(Cursor::new(claims, reading), reading, order, expected);
    holds(order).or_else(|mismatch| match order {
        ByteOrder::Little => Err(mismatch),
        ByteOrder::Big => holds(ByteOrder::Little).map_err(|_| mismatch),
    })?;
    Ok(at)
}

/// Whether all claims hold, read in this byte order; `order` is the request's.
fn hold(
    mut cursor: Cursor<'_>,
    reading: ByteOrder,
    order: ByteOrder,
    expected: &Expected,
) -> Result<(), Mismatch> {
    loop {
        let head = cursor.u16().zip(cursor.u16());
        let (command, length) = head.ok_or(Mismatch("it has no end"))?;
        let value = cursor.take(usize::from(length)).ok_or(Mismatch("it is cut off"))?;
        let mut value = Cursor::new(value, reading);
        let holds = match command & COMMAND {
            BITMASK => value.u32().map(|bits| bits & 1 == 0 || expected.header_signing),
            PCONTEXT => {
                let syntaxes = value.syntax().zip(value.syntax());
                syntaxes.map(|syntaxes| syntaxes == (expected.interface, expected.transfer))
            }
            HEADER2 => header2(&mut value, order, expected),
            _ => Some(command & MUST_PROCESS == 0),
        };
        match holds {
            Some(true) => {}
            Some(false) => return Err(Mismatch("a claim is wrong")),
            None => return Err(Mismatch("a claim is too short")),
        }
        if command & END != 0 {
            return Ok(());
        }
    }
}

/// Appends a trailer with these claims to a stub.
pub fn append(stub: &mut Vec<u8>, claims: &[Claim]) {
    if claims.is_empty() {
        return;
    }
    stub.pad_to(4);
    stub.put(&MAGIC);
    for (index, claim) in claims.iter().enumerate() {
        let end = if index + 1 == claims.len() { END } else { 0 };
        match claim {
            Claim::HeaderSigning(can) => {
                stub.put_u16(BITMASK | end);
                stub.put_u16(4);
                stub.put_u32(u32::from(*can));
            }
            Claim::PresentationContext(interface, transfer) => {
                stub.put_u16(PCONTEXT | end);
                stub.put_u16(40);
                stub.put_syntax(interface);
                stub.put_syntax(transfer);
            }
        }
    }
}

/// The last place in the stub where a trailer may begin.
fn find(stub: &[u8]) -> Option<usize> {
    let last = stub.len().checked_sub(MAGIC.len())? / 4 * 4;
    let first = stub.len().saturating_sub(MAX_BYTES).next_multiple_of(4);
    (first..=last).rev().step_by(4).find(|at| {
        let at = *at;
        stub.get(at..).is_some_and(|rest| rest.starts_with(&MAGIC))
    })
}

fn header2(value: &mut Cursor<'_>, order: ByteOrder, expected: &Expected) -> Option<bool> {
    const REQUEST: u8 = 0;
    let kind = value.u8()?;
    value.take(3)?;
    let &[format, ..] = value.take(4)? else { return None };
    let format_fits = (format & 0xF0 == 0x10) == (order == ByteOrder::Little);
    let (call_id, context_id, opnum) = (value.u32()?, value.u16()?, value.u16()?);
    let is = (call_id, context_id, opnum);
    Some(
        kind == REQUEST
            && format_fits
            && is == (expected.call_id, expected.context_id, expected.opnum),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::uuid::Uuid;

    const INTERFACE: SyntaxId = SyntaxId::new(Uuid::from_u128(7), 1, 0);

    const EXPECTED: Expected = Expected {
        header_signing: true,
        interface: INTERFACE,
        transfer: SyntaxId::NDR,
        call_id: 9,
        context_id: 3,
        opnum: 5,
    };

    const CLAIMS: [Claim; 2] =
        [Claim::HeaderSigning(true), Claim::PresentationContext(INTERFACE, SyntaxId::NDR)];

    fn checked(stub: &[u8], expected: &Expected) -> Result<usize, Mismatch> {
        check(stub, ByteOrder::Little, expected)
    }

    #[test]
    fn golden_bytes_both_ways() {
        let mut stub = b"abc".to_vec();
        append(&mut stub, &CLAIMS);
        let mut golden =
            b"abc\0\x8a\xe3\x13\x71\x02\xf4\x36\x71\x01\0\x04\0\x01\0\0\0\x02\x40\x28\0".to_vec();
        golden.extend([0; 14]);
        golden.extend([0, 7, 1, 0, 0, 0]);
        golden.extend(SyntaxId::NDR.uuid.to_wire());
        golden.extend([2, 0, 0, 0]);
        assert_eq!(stub, golden);
        assert_eq!(checked(&stub, &EXPECTED), Ok(4));
        for end in 12..stub.len() {
            assert!(checked(&stub[..end], &EXPECTED).is_err());
        }
    }

    #[test]
    fn a_stub_without_one() {
        for stub in [&b""[..], b"abc", &[0; 100], &MAGIC[..7]] {
            assert_eq!(checked(stub, &EXPECTED), Ok(stub.len()));
        }
        let far = [&MAGIC[..], &[0; MAX_BYTES]].concat();
        assert_eq!(checked(&far, &EXPECTED), Ok(far.len()));
    }

    #[test]
    fn claims_that_are_wrong() {
        let mut stub = Vec::new();
        append(&mut stub, &CLAIMS);
        let wrong = Err(Mismatch("a claim is wrong"));
        assert_eq!(checked(&stub, &Expected { header_signing: false, ..EXPECTED }), wrong);
        assert_eq!(checked(&stub, &Expected { transfer: SyntaxId::NDR64, ..EXPECTED }), wrong);
        let unknown = [&MAGIC[..], b"\x09\xC0\0\0"].concat();
        assert_eq!(checked(&unknown, &EXPECTED), wrong);
        let ignored = [&MAGIC[..], b"\x09\x40\0\0"].concat();
        assert_eq!(checked(&ignored, &EXPECTED), Ok(0));
    }

    #[test]
    fn beside_a_big_endian_stub() {
        let mut little = Vec::new();
        append(&mut little, &CLAIMS);
        assert_eq!(check(&little, ByteOrder::Big, &EXPECTED), Ok(0));
        let wrong = Expected { context_id: 4, interface: SyntaxId::NDR, ..EXPECTED };
        assert!(check(&little, ByteOrder::Big, &wrong).is_err());
        let big = [&MAGIC[..], b"\x40\x01\0\x04\0\0\0\x01"].concat();
        assert_eq!(check(&big, ByteOrder::Big, &EXPECTED), Ok(0));
        assert!(check(&big, ByteOrder::Little, &EXPECTED).is_err());
    }

    #[test]
    fn the_header_again() {
        let header = b"\x03\x40\x10\0\0\0\0\0\x10\0\0\0\x09\0\0\0\x03\0\x05\0";
        let stub = [&MAGIC[..], header].concat();
        assert_eq!(checked(&stub, &EXPECTED), Ok(0));
        for at in [12, 16, 20, 24, 26] {
            let mut other = stub.clone();
            other[at] ^= 0x10;
            assert!(checked(&other, &EXPECTED).is_err(), "{at}");
        }
    }
}
