//! The packets of usbredir (protocol 0.7): little-endian, packed.
//!
//! ```text
//!   u32 type, u32 length, id (u32 before both hellos and without 64-bit ids, else u64), then `length` bytes
//! ```

/// Packet types.
pub(super) const HELLO: u32 = 0;
pub(super) const DEVICE_CONNECT: u32 = 1;
pub(super) const DEVICE_DISCONNECT: u32 = 2;
pub(super) const RESET: u32 = 3;
pub(super) const INTERFACE_INFO: u32 = 4;
pub(super) const EP_INFO: u32 = 5;
pub(super) const SET_CONFIGURATION: u32 = 6;
pub(super) const GET_CONFIGURATION: u32 = 7;
pub(super) const CONFIGURATION_STATUS: u32 = 8;
pub(super) const SET_ALT_SETTING: u32 = 9;
pub(super) const GET_ALT_SETTING: u32 = 10;
pub(super) const ALT_SETTING_STATUS: u32 = 11;
pub(super) const START_INTERRUPT: u32 = 15;
pub(super) const STOP_INTERRUPT: u32 = 16;
pub(super) const INTERRUPT_STATUS: u32 = 17;
pub(super) const CANCEL: u32 = 21;
pub(super) const CONTROL: u32 = 100;
pub(super) const BULK: u32 = 101;
pub(super) const INTERRUPT: u32 = 103;

/// Capabilities, by their bits. Offered: the device's version, acknowledged disconnects, packet sizes of endpoints,
/// 64-bit ids, 32-bit bulk lengths. Not offered: streams (0), filters (2), bulk receiving (7).
pub(super) const DEVICE_VERSION: u32 = 1 << 1;
pub(super) const DISCONNECT_ACK: u32 = 1 << 3;
pub(super) const MAX_PACKET: u32 = 1 << 4;
pub(super) const LONG_IDS: u32 = 1 << 5;
pub(super) const LONG_LENGTHS: u32 = 1 << 6;
pub(super) const OFFERED: u32 =
    DEVICE_VERSION | DISCONNECT_ACK | MAX_PACKET | LONG_IDS | LONG_LENGTHS;

/// Reads little-endian numbers off the front of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]: [u8; 1]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.get(count..)?;
        Some(())
    }

    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// A packet's header and where its body lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: u32,
    pub(super) length: usize,
    pub(super) id: u64,
    /// Bytes of the header itself.
    pub(super) size: usize,
}

/// Reads a header; `None`: it is not all there yet.
pub(super) fn header(bytes: &[u8], long_ids: bool) -> Option<Header> {
    let mut cursor = Cursor(bytes);
    let kind = cursor.u32()?;
    let length = usize::try_from(cursor.u32()?).unwrap_or(usize::MAX);
    let id = if long_ids { cursor.u64()? } else { u64::from(cursor.u32()?) };
    Some(Header { kind, length, id, size: bytes.len().saturating_sub(cursor.0.len()) })
}

/// Puts a packet behind what is in `out`; `parts` together are its body.
pub(super) fn put(out: &mut Vec<u8>, kind: u32, id: u64, long_ids: bool, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.extend(kind.to_le_bytes());
    out.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    if long_ids {
        out.extend(id.to_le_bytes());
    } else {
        let [a, b, c, d, ..] = id.to_le_bytes();
        out.extend([a, b, c, d]);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn golden_both_ways() {
        let mut out = Vec::new();
        put(&mut out, 8, 0x0102, false, &[&[0], &[1]]);
        assert_eq!(out, [8, 0, 0, 0, 2, 0, 0, 0, 2, 1, 0, 0, 0, 1]);
        let read = header(&out, false).unwrap();
        assert_eq!(read, Header { kind: 8, length: 2, id: 0x0102, size: 12 });
        let mut out = Vec::new();
        put(&mut out, 101, 7, true, &[]);
        assert_eq!(out, [101, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(header(&out[..15], true), None);
    }

    proptest! {
        #[test]
        fn what_is_put_is_read(kind: u32, id: u64, body: Vec<u8>) {
            let mut out = Vec::new();
            put(&mut out, kind, id, true, &[&body]);
            let read = header(&out, true).unwrap();
            prop_assert_eq!(read, Header { kind, length: body.len(), id, size: 16 });
            prop_assert_eq!(&out[16..], &body[..]);
        }
    }
}
