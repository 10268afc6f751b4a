//! Every bound of the spool, with its unit and its reason.

use std::time::Duration;

/// Documents up to this size ride inside their journal record, so that one `fdatasync` makes a small job durable. Most
/// labels and receipts fit; larger documents pay for a sync of their own, which their transfer dwarfs.
pub const INLINE_BYTES: usize = 64 * 1024;

/// A text of a ticket (title, user …) may be this long. IPP allows 1023 octets for a text and 255 for a name.
pub const TEXT_BYTES: usize = 1023;

/// A ticket carries at most this many extra name/value pairs.
pub const EXTRA_PAIRS: usize = 32;

/// A record of the journal is at most this long: an inlined document plus the largest ticket, rounded up.
pub const RECORD_BYTES: usize = 256 * 1024;

/// The journal's space is allocated ahead in steps of this size, so that a full disk never stops the record of what is
/// being printed.
pub const JOURNAL_STEP_BYTES: u64 = 4 * 1024 * 1024;

/// Allocated journal space is written with zeros this much ahead of the records.
pub const JOURNAL_ZERO_BYTES: u64 = 256 * 1024;

/// Of the allocated journal space, new jobs leave this much to the records of the jobs that are already there.
pub const JOURNAL_RESERVE_BYTES: u64 = 1024 * 1024;

/// The journal is compacted when it has outgrown twice its live content by this much.
pub const JOURNAL_SLACK_BYTES: u64 = 16 * 1024 * 1024;

/// What a live job takes in a compacted journal, roughly; only used to decide when compaction pays.
pub const SNAPSHOT_BYTES: u64 = 320;

/// Job ids are set aside in blocks of this size, so that `begin` need not wait for the disk. A crash skips the rest of
/// the block: ids have gaps, and are never used again.
pub const ID_BLOCK: u32 = 1024;

/// Job ids end here (IPP's `integer(1:MAX)`, RFC 8011 §5.3.2).
pub const ID_LAST: u32 = i32::MAX as u32;

/// Requests waiting for the disk thread. A full queue makes the caller wait: that is the back-pressure of a slow disk.
pub const DISK_QUEUE: usize = 4096;

/// One group commit answers at most this many requests, so that the first does not wait for ever.
pub const GROUP_REQUESTS: usize = 1024;

/// A sync for what is to be durable soon is made after this long at the latest. It serves all short jobs that ended
/// meanwhile.
pub const SOON: Duration = Duration::from_millis(10);

/// Documents that may be received at the same time. Each may hold `INLINE_BYTES` of memory.
pub const WRITERS: usize = 512;

/// Free space is asked for again each time this much has been appended to a document.
pub const SPACE_CHECK_BYTES: u64 = 4 * 1024 * 1024;

/// A document takes the disk in blocks of about this size: what is free when its file is gone is counted so.
pub const BLOCK_BYTES: u64 = 4096;

/// A piece of a document for playing back is at most this long. Pieces are mapped one by one: four of them in the lane
/// of a port are all the memory that a job of any size needs.
pub const PIECE_BYTES: usize = 1024 * 1024;

/// A piece up to this long is read into memory instead: to map it, to bring its pages in and to unmap it costs more than to
/// copy it.
pub const COPIED_BYTES: usize = 16 * 1024;

/// Short documents of waiting jobs, of at most [`COPIED_BYTES`] each, that are kept in memory.
pub const SHORT_BYTES: usize = 4 * 1024 * 1024;

/// The replay of a journal reads this much at a time.
pub const REPLAY_BYTES: usize = 1024 * 1024;
