//! IEEE 1284.4 packets: six bytes of header, then the payload.
//!
//! ```text
//!   0     1     2    3    4       5
//!   PSID  SSID  length    credit  control      length: big-endian, of the whole packet
//! ```
//!
//! PSID and SSID are 0 for the commands of the transaction channel, the number of a socket for data. The credit that stands
//! in the header is a gift beside the packet.
//!
//! The invariant: at most [`D4_PACKET_BYTES`] of a packet are kept. A length that no packet has means that we are not where
//! we think we are: everything is dropped until the device is asked to begin anew.

use crate::limits::D4_PACKET_BYTES;

pub(super) const HEADER_BYTES: usize = 6;

/// A packet that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) socket: u8,
    pub(super) credit: u8,
    pub(super) payload: Vec<u8>,
}

/// Cuts what comes in into packets.
#[derive(Debug, Default)]
pub(super) struct Packets {
    bytes: Vec<u8>,
    garbled: bool,
}

impl Packets {
    /// Takes the next byte; the packet that it completes.
    pub(super) fn take(&mut self, byte: u8) -> Option<Packet> {
        if self.garbled {
            return None;
        }
        self.bytes.push(byte);
        let [_, ssid, high, low, credit, _, payload @ ..] = self.bytes.as_slice() else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if !(HEADER_BYTES..=D4_PACKET_BYTES).contains(&length) {
            self.garbled = true;
            self.bytes.clear();
            return None;
        }
        if self.bytes.len() < length {
            return None;
        }
        let packet = Packet { socket: *ssid, credit: *credit, payload: payload.to_vec() };
        self.bytes.clear();
        Some(packet)
    }

    /// Nothing that comes is understood.
    pub(super) fn is_garbled(&self) -> bool {
        self.garbled
    }

    /// Bytes were lost: nothing that comes is understood any more.
    pub(super) fn tear(&mut self) {
        self.bytes.clear();
        self.garbled = true;
    }
}

/// The header of a packet with so many bytes of payload; too many are cut off.
pub(super) fn header(socket: u8, payload: usize, credit: u8) -> [u8; HEADER_BYTES] {
    let length = u16::try_from(payload.saturating_add(HEADER_BYTES)).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    [socket, socket, high, low, credit, 0]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packets(bytes: &[u8]) -> (Vec<Packet>, bool) {
        let mut packets = Packets::default();
        let got = bytes.iter().filter_map(|byte| packets.take(*byte)).collect();
        (got, packets.is_garbled())
    }

    #[test]
    fn golden() {
        assert_eq!(header(1, 3, 2), [1, 1, 0, 9, 2, 0]);
        let (got, garbled) =
            packets(b"\x00\x00\x00\x09\x01\x00\x80\x00\x20\x01\x01\x00\x06\x00\x00\x01");
        let init = Packet { socket: 0, credit: 1, payload: vec![0x80, 0, 0x20] };
        let empty = Packet { socket: 1, credit: 0, payload: vec![] };
        assert_eq!((got, garbled), (vec![init, empty], false));
    }

    #[test]
    fn a_length_that_no_packet_has_ends_it() {
        for length in [0u16, 5, u16::try_from(D4_PACKET_BYTES).unwrap() + 1, u16::MAX] {
            let [high, low] = length.to_be_bytes();
            let bytes = [&[1, 1, high, low, 0, 0][..], b"\x00\x00\x00\x07\x01\x00\x88"].concat();
            assert_eq!(packets(&bytes), (vec![], true), "{length}");
        }
    }

    proptest! {
        #[test]
        fn what_is_put_in_comes_out(
            sent in prop::collection::vec((any::<u8>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..9),
        ) {
            let mut bytes = Vec::new();
            let mut expected = Vec::new();
            for (socket, credit, payload) in sent {
                bytes.extend(header(socket, payload.len(), credit));
                bytes.extend(&payload);
                expected.push(Packet { socket, credit, payload });
            }
            prop_assert_eq!(packets(&bytes), (expected, false));
        }
    }
}
