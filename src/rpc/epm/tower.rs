//! Protocol towers: how an interface is reached, as the endpoint mapper tells it ([C706] appendix L, [MS-RPCE] 2.2.1.2).
//!
//! ```text
//!   floors: u16 │ length, 0d UUID major │ length, minor │   the interface
//!               │ length, 0d UUID major │ length, minor │   the transfer syntax
//!               │ length, 0b            │ length, 0 0   │   connection-oriented DCE/RPC
//!               │ length, 07            │ length, port  │   TCP; the port is big-endian
//!               │ length, 09            │ length, IPv4  │   the address, big-endian
//! ```
//!
//! All else is little-endian and nothing is aligned. Invariant: a tower of more than [`TOWER_FLOORS`] floors, or with
//! floors that are cut off, is none.

use std::net::Ipv4Addr;

use crate::rpc::limits::TOWER_FLOORS;
use crate::rpc::uuid::{SyntaxId, Uuid};
use crate::rpc::wire::{ByteOrder, Cursor, Put};

const SYNTAX: u8 = 0x0d;
const CONNECTION_ORIENTED: u8 = 0x0b;
const TCP: u8 = 0x07;
const IP: u8 = 0x09;

/// How an interface is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tower {
    /// The interface.
    pub interface: SyntaxId,
    /// How its stubs are encoded.
    pub transfer: SyntaxId,
    /// Where; `None` for anything but TCP. In a question the port is 0.
    pub tcp: Option<(Ipv4Addr, u16)>,
}

/// Octets that are no tower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a protocol tower")]
pub struct BadTower;

impl Tower {
    /// Reads a tower; octets after its last floor do not matter.
    pub fn decode(octets: &[u8]) -> Result<Self, BadTower> {
        let mut cursor = Cursor::new(octets, ByteOrder::Little);
        let count = cursor.u16().map(usize::from).ok_or(BadTower)?;
        if !(3..=TOWER_FLOORS).contains(&count) {
            return Err(BadTower);
        }
        let mut floor = || {
            let (left, right) = (counted(&mut cursor)?, counted(&mut cursor)?);
            let (protocol, left) = left.split_first()?;
            Some((*protocol, left, right))
        };
        let mut floors = Vec::with_capacity(count);
        for _ in 0..count {
            floors.push(floor().ok_or(BadTower)?);
        }
        let mut floors = floors.into_iter();
        let interface = floors.next().and_then(syntax).ok_or(BadTower)?;
        let transfer = floors.next().and_then(syntax).ok_or(BadTower)?;
        Ok(Self { interface, transfer, tcp: tcp(floors) })
    }

    /// Writes it; one that is not for TCP ends with the transfer syntax.
    pub fn encode(&self) -> Vec<u8> {
        let mut tower = Vec::with_capacity(75);
        tower.put_u16(if self.tcp.is_some() { 5 } else { 2 });
        for id in [&self.interface, &self.transfer] {
            let mut left = vec![SYNTAX];
            left.put(&id.uuid.to_wire());
            left.put_u16(id.major);
            put_floor(&mut tower, &left, &id.minor.to_le_bytes());
        }
        if let Some((address, port)) = self.tcp {
            put_floor(&mut tower, &[CONNECTION_ORIENTED], &[0, 0]);
            put_floor(&mut tower, &[TCP], &port.to_be_bytes());
            put_floor(&mut tower, &[IP], &address.octets());
        }
        tower
    }
}

fn counted<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let count = cursor.u16()?;
    cursor.take(usize::from(count))
}

fn syntax((protocol, left, right): (u8, &[u8], &[u8])) -> Option<SyntaxId> {
    let (uuid, major) = left.split_first_chunk::<16>()?;
    let (major, minor) = (major.first_chunk()?, right.first_chunk()?);
    let uuid = Uuid::from_wire(*uuid, ByteOrder::Little);
    let id = SyntaxId::new(uuid, u16::from_le_bytes(*major), u16::from_le_bytes(*minor));
    (protocol == SYNTAX).then_some(id)
}

/// The upper floors, where they are DCE/RPC over TCP.
fn tcp<'a>(mut floors: impl Iterator<Item = (u8, &'a [u8], &'a [u8])>) -> Option<(Ipv4Addr, u16)> {
    let (CONNECTION_ORIENTED, _, _) = floors.next()? else { return None };
    let (TCP, _, port) = floors.next()? else { return None };
    let (IP, _, address) = floors.next()? else { return None };
    let (port, address) = (port.first_chunk()?, address.first_chunk::<4>()?);
    Some((Ipv4Addr::from(*address), u16::from_be_bytes(*port)))
}

fn put_floor(tower: &mut Vec<u8>, left: &[u8], right: &[u8]) {
    for side in [left, right] {
        tower.put_u16(u16::try_from(side.len()).unwrap_or(0));
        tower.put(side);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAN: SyntaxId =
        SyntaxId::new(Uuid::from_u128(0x0b6edbfa_4a24_4fc6_8a23_942b1eca65d1), 1, 0);
    /// Byte-identical with what impacket's builder makes.
    const GOLDEN: &str = "050013000dfadb6e0b244ac64f8a23942b1eca65d101000200000013000d045d888aeb1cc9119fe808002b10486002000200000001000b020000000100070200c20c01000904000a000005";

    fn golden() -> Vec<u8> {
        let octet = |at| u8::from_str_radix(&GOLDEN[at..at + 2], 16).unwrap();
        (0..GOLDEN.len()).step_by(2).map(octet).collect()
    }

    #[test]
    fn golden_bytes_both_ways() {
        let tcp = Some(([10, 0, 0, 5].into(), 49676));
        let tower = Tower { interface: PAN, transfer: SyntaxId::NDR, tcp };
        assert_eq!(tower.encode(), golden());
        assert_eq!(Tower::decode(&golden()), Ok(tower));
        for end in 0..golden().len() {
            assert_eq!(Tower::decode(&golden()[..end]), Err(BadTower));
        }
    }

    #[test]
    fn other_towers() {
        let mut pipe = golden();
        // A named pipe (0f) in place of TCP.
        pipe[61] = 0x0f;
        assert_eq!(Tower::decode(&pipe).unwrap().tcp, None);
        let mut seven = golden();
        seven[0] = 7;
        seven.extend([1, 0, 0x20, 0, 0, 1, 0, 0x20, 0, 0]);
        assert_eq!(Tower::decode(&seven), Err(BadTower));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            uuid in any::<u128>(), major in any::<u16>(), minor in any::<u16>(),
            address in any::<u32>(), port in any::<u16>(),
        ) {
            let interface = SyntaxId::new(Uuid::from_u128(uuid), major, minor);
            let tcp = Some((address.into(), port));
            let tower = Tower { interface, transfer: SyntaxId::NDR64, tcp };
            prop_assert_eq!(Tower::decode(&tower.encode()), Ok(tower));
        }
    }
}
