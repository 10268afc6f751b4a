//! What an ESC/POS printer sends, told apart by the bits that are fixed (Epson, "Transmission status identification").
//!
//! ```text
//!   0 x x 1 x x 1 0    DLE EOT               0 x x 1 0 0 0 1    XON
//!   0 x x 1 x x 0 0    first of four: ASB    0 x x 1 0 0 1 1    XOFF, anywhere
//!   0 x x 0 x x x x    the other three; outside of them: GS r, GS I
//!   37 3D 5F           a block of text, up to NUL
//! ```

/// A block is at most this long: header, identifier, 80 bytes of text.
const BLOCK_BYTES: usize = 82;

/// Something that the printer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Automatic status back.
    Automatic([u8; 4]),
    /// The answer to a `DLE EOT`.
    Realtime(u8),
    /// The answer to a `GS r` (or a `GS I`).
    Slow(u8),
}

/// Where in what the printer sends we are.
#[derive(Debug, Default)]
pub(super) enum Back {
    #[default]
    Quiet,
    /// So many bytes of an automatic status have come.
    Frame([u8; 4], usize),
    /// At most so many bytes of a block are to come.
    Block(usize),
}

impl Back {
    /// Takes the next byte; what it completes.
    pub(super) fn take(&mut self, byte: u8) -> Option<Reply> {
        match (&mut *self, byte) {
            (Self::Block(_), 0) | (Self::Block(0), _) => *self = Self::Quiet,
            (Self::Block(left), _) => *left = left.saturating_sub(1),
            (_, 0x11 | 0x13) => {}
            (_, byte) if byte & 0x93 == 0x12 => return Some(Reply::Realtime(byte)),
            (_, byte) if byte & 0x93 == 0x10 => *self = Self::Frame([byte, 0, 0, 0], 1),
            (Self::Frame(bytes, len), byte) if byte & 0x90 == 0 => {
                if let Some(slot) = bytes.get_mut(*len) {
                    *slot = byte;
                }
                *len = len.saturating_add(1);
                let (bytes, whole) = (*bytes, *len == bytes.len());
                if whole {
                    *self = Self::Quiet;
                    return Some(Reply::Automatic(bytes));
                }
            }
            (_, 0x37 | 0x3d | 0x5f) => *self = Self::Block(BLOCK_BYTES),
            (Self::Quiet, byte) if byte & 0x90 == 0 => return Some(Reply::Slow(byte)),
            // Nothing that a printer sends: whatever was begun is void.
            _ => *self = Self::Quiet,
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replies(bytes: &[u8]) -> Vec<Reply> {
        let mut back = Back::default();
        bytes.iter().filter_map(|byte| back.take(*byte)).collect()
    }

    #[test]
    fn golden() {
        let fine = Reply::Automatic([0x10, 0, 0, 0]);
        let cases: [(&[u8], &[Reply]); 10] = [
            (b"\x10\0\0\0", &[fine]),
            (
                b"\x38\0\x0f\0\x14\0\0\0",
                &[Reply::Automatic([0x38, 0, 15, 0]), Reply::Automatic([0x14, 0, 0, 0])],
            ),
            (
                b"\x12\x16\x7e",
                &[Reply::Realtime(0x12), Reply::Realtime(0x16), Reply::Realtime(0x7e)],
            ),
            (b"\x03", &[Reply::Slow(3)]),
            (b"\x10\0\x13\0\x11\0", &[fine]),
            (b"\x10\0\x12\0\0", &[Reply::Realtime(0x12), fine]),
            (b"_TM-T88V\0\x10\0\0\0", &[fine]),
            (b"\x10\0\xff\0\0\x10\0\0\0", &[Reply::Slow(0), Reply::Slow(0), fine]),
            (b"\x10\0\x10\0\0\0", &[fine]),
            (b"\x80\xff\x11\x13", &[]),
        ];
        for (bytes, expected) in cases {
            assert_eq!(replies(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_block_without_an_end_ends_all_the_same() {
        let bytes = [&[b'_'][..], &[b'x'; BLOCK_BYTES + 1], b"\x12"].concat();
        assert_eq!(replies(&bytes), [Reply::Realtime(0x12)]);
    }
}
