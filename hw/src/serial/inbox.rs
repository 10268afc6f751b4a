//! What came in and was not asked for yet.
//!
//! A hang-up makes the kernel throw away what it holds of a tty's input. So the port takes bytes in whenever it looks, not
//! only when it is asked for them: what it has seen once is safe, and comes out of `read` before the end does.

use std::collections::VecDeque;

use crate::limits::INBOX_BYTES;

const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

/// Bytes on the way to the reader; at most [`INBOX_BYTES`].
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: VecDeque<u8>,
    dropped: u64,
}

impl Inbox {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How much fits.
    pub(super) fn room(&self) -> usize {
        INBOX_BYTES.saturating_sub(self.bytes.len())
    }

    /// Puts bytes in. Where they do not fit the oldest are dropped, and counted: the newest status counts.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let surplus = self.bytes.len().saturating_sub(INBOX_BYTES);
        self.bytes.drain(..surplus);
        if surplus > 0 && self.dropped == 0 {
            tracing::warn!(
                "nobody reads what the printer says: bytes of its back channel are dropped"
            );
        }
        self.dropped = self.dropped.saturating_add(surplus as u64);
    }

    /// Like [`Self::put`], but takes XON and XOFF out; `held` is what the last of them says.
    pub(super) fn put_without_flow(&mut self, bytes: &[u8], held: &mut bool) {
        for run in bytes.split_inclusive(|byte| matches!(*byte, XON | XOFF)) {
            match run.split_last() {
                Some((&last @ (XON | XOFF), before)) => {
                    self.put(before);
                    *held = last == XOFF;
                }
                _ => self.put(run),
            }
        }
    }

    /// Takes bytes out; how many.
    pub(super) fn take(&mut self, buf: &mut [u8]) -> usize {
        let count = self.bytes.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(self.bytes.drain(..count)) {
            *to = from;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flow_bytes_are_taken_out_and_the_last_one_counts() {
        let mut inbox = Inbox::default();
        let mut held = false;
        for (bytes, after) in
            [(&b"a\x13b"[..], true), (b"c", true), (b"\x11\x13\x11d", false), (b"\x13", true)]
        {
            inbox.put_without_flow(bytes, &mut held);
            assert_eq!(held, after);
        }
        let mut buf = [0; 8];
        assert_eq!(inbox.take(&mut buf[..3]), 3);
        assert_eq!(inbox.take(&mut buf[3..]), 1);
        assert_eq!(&buf[..4], b"abcd");
        assert!(inbox.is_empty());
    }

    #[test]
    fn it_is_bounded() {
        let mut inbox = Inbox::default();
        inbox.put(&vec![1; INBOX_BYTES - 1]);
        assert_eq!(inbox.room(), 1);
        inbox.put(b"23");
        assert!(inbox.room() == 0 && inbox.dropped == 1);
        let mut buf = vec![0; INBOX_BYTES + 1];
        assert_eq!(inbox.take(&mut buf), INBOX_BYTES);
        assert_eq!(buf[INBOX_BYTES - 2..INBOX_BYTES], *b"23", "the oldest gives way");
    }
}
