//! The records of the journal and their bytes. Pure: no I/O here.
//!
//! A record's body is `kind: u8` and the fields below, little-endian, in this order. `text` is a `u16` length and that
//! many bytes of UTF-8; `blob` is a `u32` length and that many bytes.
//!
//! ```text
//!  kind  name        fields
//!   1    Opened      boot [16], at_ms u64
//!   2    Ids         next u32                        ids below may have been given out; the last one holds
//!   3    Announced   job u32, direct u8, ticket      visible before its document is whole
//!   4    Committed   job u32, bytes u64, crc32c u32, has_ticket u8 [ticket], has_inline u8 [blob]
//!   5    Changed     job u32, change
//!   6    Progress    job u32, accepted u64, offered u64
//!   7    Snapshot    everything of one job           only in a compacted journal
//!   8    Removed     job u32
//!
//!  ticket   printer text, title text, user text, host text, format text, datatype text, copies u16, priority u8,
//!           hold u8 (0 no, 1 indefinite, 2 until + u64 ms), submitted_ms u64, pairs u8, (name text, value text)*
//!  change   tag u8: 1 Hold why text · 2 Release · 3 Prepare · 4 Start at_ms u64 · 5 Recover recovery · 6 Cancel at_ms
//!           u64, why text · 7 Abort at_ms u64, why text · 8 Complete at_ms u64 · 9 Reprint · 10 Edit ticket ·
//!           11 Confirm bytes u64, pages u32
//!  recovery cause u8 (1 crash, 2 power loss, 3 device gone, 4 actor died, 5 parked), deed u8 (1 resumed, 2 restarted,
//!           3 held), maybe_on_paper u64, at_ms u64
//!  snapshot job u32, ticket, document u8 (1 receiving, 2 whole + bytes u64 + crc32c u32, 3 none + bytes u64),
//!           state u8 (1 pending, 2 held + why text, 3 processing, 4 canceled / 5 aborted + at_ms u64 + why text,
//!           6 completed + at_ms u64), started_ms u64, prepared u8, accepted u64, offered u64, confirmed bytes u64,
//!           pages u32, attempts u16, has_recovery u8 [recovery]
//! ```

use super::fields::{Malformed, Reader, put_blob};
use super::parts::{
    change, id, played, put_change, put_id, put_option, put_played, put_shadow, put_ticket, shadow,
    ticket,
};
use crate::JobId;
use crate::shadow::{Change, Played, Shadow, Ticket};

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A server opened the spool.
    Opened {
        /// What the machine was booted as.
        boot: [u8; 16],
        /// When, in ms since 1970.
        at_ms: u64,
    },
    /// Ids below `next` may have been given out. The last record holds: an orderly end gives back what it did not use.
    Ids {
        /// The first id that certainly was not.
        next: u32,
    },
    /// A job is visible before its document is whole.
    Announced {
        /// The job.
        id: JobId,
        /// It goes past the spool.
        direct: bool,
        /// What the submitter said.
        ticket: Box<Ticket>,
    },
    /// A document is whole.
    Committed {
        /// The job.
        id: JobId,
        /// Length of the document.
        bytes: u64,
        /// CRC-32C of the document.
        crc32c: u32,
        /// The ticket, unless it was announced before.
        ticket: Option<Box<Ticket>>,
        /// The document itself, if it is small.
        inline: Option<Vec<u8>>,
    },
    /// A job's life changed.
    Changed {
        /// The job.
        id: JobId,
        /// How.
        change: Change,
    },
    /// A write is about to begin (`offered > accepted`) or has ended.
    Progress {
        /// The job.
        id: JobId,
        /// What the driver has.
        played: Played,
    },
    /// Everything of one job.
    Snapshot(Box<Shadow>),
    /// A job and its document are forgotten.
    Removed {
        /// The job.
        id: JobId,
    },
}

impl Record {
    /// Appends the body (kind and fields) to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Opened { boot, at_ms } => {
                out.push(1);
                out.extend(boot);
                out.extend(at_ms.to_le_bytes());
            }
            Self::Ids { next } => {
                out.push(2);
                out.extend(next.to_le_bytes());
            }
            Self::Announced { id, direct, ticket } => {
                out.push(3);
                put_id(out, *id);
                out.push(u8::from(*direct));
                put_ticket(out, ticket);
            }
            Self::Committed { id, bytes, crc32c, ticket, inline } => {
                out.push(4);
                put_id(out, *id);
                out.extend(bytes.to_le_bytes());
                out.extend(crc32c.to_le_bytes());
                put_option(out, ticket.as_deref(), put_ticket);
                put_option(out, inline.as_deref(), put_blob);
            }
            Self::Changed { id, change } => {
                out.push(5);
                put_id(out, *id);
                put_change(out, change);
            }
            Self::Progress { id, played } => {
                out.push(6);
                put_id(out, *id);
                put_played(out, *played);
            }
            Self::Snapshot(shadow) => {
                out.push(7);
                put_shadow(out, shadow);
            }
            Self::Removed { id } => {
                out.push(8);
                put_id(out, *id);
            }
        }
    }

    /// Reads a body. Every byte must be used.
    pub fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader::new(body);
        let record = match from.u8()? {
            1 => Self::Opened { boot: from.array()?, at_ms: from.u64()? },
            2 => Self::Ids { next: from.u32()? },
            3 => Self::Announced {
                id: id(&mut from)?,
                direct: from.bool()?,
                ticket: Box::new(ticket(&mut from)?),
            },
            4 => Self::Committed {
                id: id(&mut from)?,
                bytes: from.u64()?,
                crc32c: from.u32()?,
                ticket: from.option(ticket)?.map(Box::new),
                inline: from.option(|from| from.blob().map(<[u8]>::to_vec))?,
            },
            5 => Self::Changed { id: id(&mut from)?, change: change(&mut from)? },
            6 => Self::Progress { id: id(&mut from)?, played: played(&mut from)? },
            7 => Self::Snapshot(Box::new(shadow(&mut from)?)),
            8 => Self::Removed { id: id(&mut from)? },
            kind => return Err(Malformed::Kind(kind)),
        };
        from.end()?;
        Ok(record)
    }
}
