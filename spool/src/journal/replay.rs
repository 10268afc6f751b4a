//! Reading a journal from front to back.

use super::fields::Reader;
use super::{FRAME_HEAD_BYTES, HEADER_BYTES, NAME, Record, frame_crc};
use crate::error::{Error, Result};
use crate::limits::{RECORD_BYTES, REPLAY_BYTES};
use crate::store::File;

/// How a replay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replayed {
    /// Everything before this offset checked.
    pub(crate) valid_to: u64,
    /// What follows is a frame that does not check, and not just allocated space.
    pub(crate) torn: bool,
}

/// Hands each record to `each`, in order, with the offset at which the frame begins. A record that checks but cannot be
/// read was written by a newer despool (or by a bug): that is an error, not a torn tail.
pub(crate) fn replay(
    file: &dyn File,
    generation: u64,
    mut each: impl FnMut(Record, u64),
) -> Result<Replayed> {
    let end = file.bytes().map_err(Error::disk("reading", NAME))?;
    let mut unreadable = None;
    let replayed = frames(file, generation, HEADER_BYTES, end, |body, at| {
        match Record::decode(body) {
            Ok(record) => {
                each(record, at);
                true
            }
            Err(why) => {
                unreadable = Some(Error::Damaged {
                    name: NAME.into(),
                    why: format!(
                        "the record at {at} cannot be understood ({why:?}); was it written by a newer despool?"
                    ),
                });
                false
            }
        }
    })?;
    unreadable.map_or(Ok(replayed), Err)
}

/// Hands the body of each frame between `from` and `end` to `each`, with its offset, until `each` says false.
pub(crate) fn frames(
    file: &dyn File,
    generation: u64,
    from: u64,
    end: u64,
    mut each: impl FnMut(&[u8], u64) -> bool,
) -> Result<Replayed> {
    let mut window = Window { file, buf: Vec::new(), next: 0, at: from, end };
    loop {
        let at = window.at;
        let Some(head) = window.peek(FRAME_HEAD_BYTES)? else {
            return Ok(Replayed { valid_to: at, torn: false });
        };
        let mut head = Reader::new(head);
        let (Ok(length), Ok(crc)) = (head.array::<4>(), head.u32()) else {
            return Ok(Replayed { valid_to: at, torn: false });
        };
        let bytes = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if bytes == 0 {
            return Ok(Replayed { valid_to: at, torn: false });
        }
        if bytes > RECORD_BYTES {
            return Ok(Replayed { valid_to: at, torn: true });
        }
        let whole = FRAME_HEAD_BYTES.saturating_add(bytes);
        let Some(body) = window.peek(whole)?.and_then(|frame| frame.get(FRAME_HEAD_BYTES..)) else {
            return Ok(Replayed { valid_to: at, torn: true });
        };
        if frame_crc(generation, length, body) != crc {
            return Ok(Replayed { valid_to: at, torn: true });
        }
        if !each(body, at) {
            return Ok(Replayed { valid_to: at, torn: false });
        }
        window.skip(whole);
    }
}

/// A moving window over the file.
struct Window<'a> {
    file: &'a dyn File,
    buf: Vec<u8>,
    /// Where in `buf` the next frame begins.
    next: usize,
    /// Where in the file the next frame begins.
    at: u64,
    end: u64,
}

impl Window<'_> {
    /// The next `bytes` bytes; `None` where the file ends before.
    fn peek(&mut self, bytes: usize) -> Result<Option<&[u8]>> {
        if self.buf.len().saturating_sub(self.next) < bytes {
            let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
            self.buf.resize(left.min(bytes.max(REPLAY_BYTES)), 0);
            self.next = 0;
            let got =
                self.file.read_at(&mut self.buf, self.at).map_err(Error::disk("reading", NAME))?;
            self.buf.truncate(got);
        }
        Ok(self.buf.get(self.next..).and_then(|rest| rest.get(..bytes)))
    }

    fn skip(&mut self, bytes: usize) {
        self.next = self.next.saturating_add(bytes);
        self.at = self.at.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}
