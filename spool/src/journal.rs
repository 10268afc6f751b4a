//! The journal: one append-only file that holds every job's life.
//!
//! What it is not: a database. It is replayed front to back when the spool opens, and that is the only way to read it.
//!
//! ```text
//!  journal ┌────────────────────────────────────────────────────────────────────────────┐
//!     0    │ magic "despool\n" (8) │ version u16 │ 0 u16 │ crc32c u32 │ generation u64 │ 0 u64 │
//!          ├────────────────────────────────────────────────────────────────────────────┤
//!    32    │ frame │ frame │ frame │ … │ 0 0 0 0 0 0 0 0 (space allocated ahead)            │
//!          └────────────────────────────────────────────────────────────────────────────┘
//!  frame   │ length u32 │ crc32c u32 │ body (length bytes: see `record`) │
//! ```
//!
//! All numbers are little-endian. The header's checksum covers its other 28 bytes. A frame's checksum covers the
//! generation (8 bytes), the length (4 bytes) and the body, so that a frame of another journal, left over on disk, is
//! never taken for one of ours. A length of 0, or the end of the file, ends the journal. A frame that does not check
//! ends it too: that is a torn tail, which recovery cuts (and keeps in `lost+found/`).
//!
//! The invariant: frames are written under one lock, in order, without holes. So what the replay reads is always a
//! prefix of what was appended, and whatever was synced is in it.

mod fields;
mod parts;
pub(crate) mod record;
mod replay;

use std::sync::{Arc, Mutex};

pub use fields::Malformed;
pub use record::Record;
pub(crate) use replay::{Replayed, replay};

use crate::error::{Error, Result};
use crate::limits::{JOURNAL_RESERVE_BYTES, JOURNAL_STEP_BYTES, JOURNAL_ZERO_BYTES};
use crate::store::{File, Store};
use crate::sync::locked;

/// The journal's name in the spool directory.
pub(crate) const NAME: &str = "journal";
/// The name of a journal that is being made, by the first opening or by compaction.
pub(crate) const NEW_NAME: &str = "journal.new";

const MAGIC: [u8; 8] = *b"despool\n";
const VERSION: u16 = 1;
pub(crate) const HEADER_BYTES: u64 = 32;
const FRAME_HEAD_BYTES: usize = 8;

/// Whether a record may use the space that is kept in reserve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// It brings new work: refuse it early.
    NewWork,
    /// It belongs to a job that is there already.
    Upkeep,
}

/// The journal, open for appending.
pub(crate) struct Journal {
    tail: Mutex<Tail>,
}

/// Where the journal ends.
pub(crate) struct Tail {
    file: Arc<dyn File>,
    generation: u64,
    end: u64,
    /// Space up to here is ours.
    allocated: u64,
    /// Space up to here was written once.
    zeroed: u64,
    frame: Vec<u8>,
}

impl Journal {
    /// A journal whose next frame goes to `end`.
    pub(crate) fn new(file: Arc<dyn File>, generation: u64, end: u64, allocated: u64) -> Self {
        Self {
            tail: Mutex::new(Tail {
                file,
                generation,
                end,
                allocated,
                zeroed: end,
                frame: Vec::new(),
            }),
        }
    }

    /// Appends records. They are with the kernel when this returns, and durable after the next sync of [`Self::file`].
    pub(crate) fn append(&self, records: &[Record], room: Room) -> Result<()> {
        self.append_if(records, room, || true, || ())
    }

    /// Appends if `open` says so ([`Error::Closed`] if not), and runs `then` before anything else can be appended.
    pub(crate) fn append_if(
        &self,
        records: &[Record],
        room: Room,
        open: impl FnOnce() -> bool,
        then: impl FnOnce(),
    ) -> Result<()> {
        let mut tail = locked(&self.tail);
        if !open() {
            return Err(Error::Closed);
        }
        tail.append(records, room)?;
        then();
        Ok(())
    }

    /// The file that the next sync is for. After a compaction it is another one, which was synced whole.
    pub(crate) fn file(&self) -> Arc<dyn File> {
        locked(&self.tail).file.clone()
    }

    /// Where the journal ends now.
    pub(crate) fn end(&self) -> u64 {
        locked(&self.tail).end
    }

    /// The record whose frame begins at `at`.
    pub(crate) fn record_at(&self, at: u64) -> Result<Option<Record>> {
        let tail = locked(&self.tail);
        let mut found = None;
        replay::frames(&*tail.file, tail.generation, at, tail.end, |body, _| {
            found = Record::decode(body).ok();
            false
        })?;
        Ok(found)
    }

    /// Holds appends back while `work` looks at the end of the journal.
    pub(crate) fn stopped<T>(&self, work: impl FnOnce(&mut Tail) -> T) -> T {
        work(&mut locked(&self.tail))
    }
}

impl Tail {
    pub(crate) fn append(&mut self, records: &[Record], room: Room) -> Result<()> {
        let mut frame = std::mem::take(&mut self.frame);
        frame.clear();
        for record in records {
            push_frame(&mut frame, self.generation, record);
        }
        let written = self.write(&frame, room);
        self.frame = frame;
        written
    }

    fn write(&mut self, frames: &[u8], room: Room) -> Result<()> {
        let end = self.end.saturating_add(u64::try_from(frames.len()).unwrap_or(u64::MAX));
        self.make_room(end, room)?;
        self.zero_ahead(end).map_err(Error::disk("growing", NAME))?;
        self.file.write_at(frames, self.end).map_err(Error::disk("writing", NAME))?;
        self.end = end;
        Ok(())
    }

    /// Allocates ahead. Without space for that, new work is refused and upkeep lives on the reserve.
    fn make_room(&mut self, end: u64, room: Room) -> Result<()> {
        let wanted = end.saturating_add(JOURNAL_RESERVE_BYTES);
        if wanted <= self.allocated {
            return Ok(());
        }
        let allocated = wanted.next_multiple_of(JOURNAL_STEP_BYTES);
        match self.file.allocate(allocated, false) {
            Ok(()) => self.allocated = allocated,
            Err(_) if room == Room::Upkeep && end <= self.allocated => {}
            Err(source) if Error::is_no_space(&source) => {
                return Err(Error::Full { free_bytes: 0, needed_bytes: JOURNAL_STEP_BYTES });
            }
            Err(source) => return Err(Error::disk("growing", NAME)(source)),
        }
        Ok(())
    }

    /// Writes zeros into allocated space before it is used: a sync of a record then need not convert extents, which takes
    /// about a third off each.
    fn zero_ahead(&mut self, end: u64) -> std::io::Result<()> {
        if end > self.zeroed {
            let to = end.saturating_add(JOURNAL_ZERO_BYTES).min(self.allocated).max(end);
            let from = self.zeroed.max(self.end);
            let zeros = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(0)];
            self.file.write_at(&zeros, from)?;
            self.zeroed = to;
        }
        Ok(())
    }

    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Copies the frames from `from` to the end into `other`, and goes on there.
    pub(crate) fn move_to(&mut self, other: &mut Tail, from: u64) -> Result<()> {
        let mut bad = None;
        let replayed = replay::frames(&*self.file, self.generation, from, self.end, |body, _| {
            let mut frame = Vec::new();
            push_body(&mut frame, other.generation, |out| out.extend(body));
            bad = other.write(&frame, Room::Upkeep).err();
            bad.is_none()
        })?;
        match bad {
            Some(error) => Err(error),
            None if replayed.valid_to == self.end => Ok(()),
            None => Err(Error::Damaged {
                name: NAME.into(),
                why: format!("a record at {} does not check", replayed.valid_to),
            }),
        }
    }

    /// Makes everything in this journal durable.
    pub(crate) fn sync(&self) -> Result<()> {
        self.file.sync().map_err(Error::disk("syncing", NAME))
    }
}

/// Makes a journal under [`NEW_NAME`], replacing one that was left there.
pub(crate) fn create(store: &dyn Store, generation: u64) -> Result<Tail> {
    match store.remove(NEW_NAME) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::disk("removing", NEW_NAME)(error));
        }
        _ => {}
    }
    let file = store.create(NEW_NAME).map_err(Error::disk("creating", NEW_NAME))?;
    file.allocate(JOURNAL_STEP_BYTES, false).map_err(Error::disk("growing", NEW_NAME))?;
    file.write_at(&header(generation), 0).map_err(Error::disk("writing", NEW_NAME))?;
    Ok(Tail {
        file,
        generation,
        end: HEADER_BYTES,
        allocated: JOURNAL_STEP_BYTES,
        zeroed: HEADER_BYTES,
        frame: Vec::new(),
    })
}

impl From<Tail> for Journal {
    fn from(tail: Tail) -> Self {
        Self { tail: Mutex::new(tail) }
    }
}

/// A generation that no other journal has.
pub(crate) fn fresh_generation() -> Result<u64> {
    let mut bytes = [0u8; 8];
    std::io::Read::read_exact(
        &mut std::fs::File::open("/dev/urandom").map_err(Error::disk("opening", "/dev/urandom"))?,
        &mut bytes,
    )
    .map_err(Error::disk("reading", "/dev/urandom"))?;
    Ok(u64::from_le_bytes(bytes))
}

fn header(generation: u64) -> Vec<u8> {
    let mut covered = MAGIC.to_vec();
    covered.extend(VERSION.to_le_bytes());
    covered.extend([0; 2]);
    let mut rest = generation.to_le_bytes().to_vec();
    rest.extend([0; 8]);
    let crc = crc32c::crc32c_append(crc32c::crc32c(&covered), &rest);
    covered.extend(crc.to_le_bytes());
    covered.extend(rest);
    covered
}

/// The generation of the journal whose first bytes these are.
pub(crate) fn check_header(bytes: &[u8]) -> Result<u64> {
    let damaged = |why: &str| Error::Damaged {
        name: NAME.into(),
        why: format!(
            "{why}; restore it from a backup, or move it away to start with an empty spool"
        ),
    };
    let mut from = fields::Reader::new(bytes);
    let mut read = || Ok((from.array::<8>()?, from.u16()?, from.u16()?, from.u32()?, from.u64()?));
    let (magic, version, _, _, generation) =
        read().map_err(|_: Malformed| damaged("its header is cut short"))?;
    if magic != MAGIC {
        return Err(damaged("it is not a journal of despool"));
    }
    if version > VERSION {
        return Err(Error::Newer { version, supported: VERSION });
    }
    if bytes != header(generation) {
        return Err(damaged("its header does not check"));
    }
    Ok(generation)
}

fn push_frame(out: &mut Vec<u8>, generation: u64, record: &Record) {
    push_body(out, generation, |out| record.encode(out));
}

fn push_body(out: &mut Vec<u8>, generation: u64, body: impl FnOnce(&mut Vec<u8>)) {
    let head = out.len();
    out.extend([0; FRAME_HEAD_BYTES]);
    body(out);
    let Some((length_at, body)) =
        out.get_mut(head..).and_then(|frame| frame.split_at_mut_checked(FRAME_HEAD_BYTES))
    else {
        return;
    };
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    let crc = frame_crc(generation, length, body).to_le_bytes();
    for (to, from) in length_at.iter_mut().zip(length.into_iter().chain(crc)) {
        *to = from;
    }
}

fn frame_crc(generation: u64, length: [u8; 4], body: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(crc32c::crc32c(&generation.to_le_bytes()), &length);
    crc32c::crc32c_append(crc, body)
}
