//! What can go wrong in the spool, by whose fault it is.

use std::io;
use std::sync::Arc;

use crate::JobId;

/// An error of the spool. The message is for the person who looks after the print server.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Disk: an operation failed.
    #[error("spool: {doing} {name} failed: {source}")]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// The file it was done to, relative to the spool directory.
        name: String,
        /// What the kernel said.
        source: Arc<io::Error>,
    },
    /// Disk: it is full, or would be below the configured minimum.
    #[error(
        "spool: not enough disk space: {free_bytes} bytes free, {needed_bytes} needed (with min_free_bytes); make room or lower min_free_bytes"
    )]
    Full {
        /// What `statvfs` says is free.
        free_bytes: u64,
        /// What the job and the configured minimum need together.
        needed_bytes: u64,
    },
    /// Disk: an earlier sync failed, so nothing new can be promised. Restart after the disk was looked at.
    #[error(
        "spool: the disk failed to keep what was written ({why}); no new work is accepted until the server is restarted on a sound disk"
    )]
    Poisoned {
        /// The first failure.
        why: Arc<str>,
    },
    /// Disk: a file does not hold what the journal says.
    #[error("spool: {name} is damaged: {why}")]
    Damaged {
        /// The file, relative to the spool directory.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// Peer: the document is larger than allowed.
    #[error("the document is larger than {limit_bytes} bytes (max_job_bytes)")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// Peer: the spool holds as many bytes as it may.
    #[error(
        "the spool holds {used_bytes} bytes of {limit_bytes} allowed (max_bytes); wait until jobs are printed, or cancel some"
    )]
    Quota {
        /// Bytes of all documents now.
        used_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// Peer: too many documents at a time.
    #[error("{limit} documents are being received already; try again")]
    TooManyWriters {
        /// The limit.
        limit: usize,
    },
    /// Peer: a field of the ticket cannot be kept.
    #[error("ticket: {field} {why}")]
    BadTicket {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Peer: there is no such job.
    #[error("job {id}: there is no such job")]
    NoSuchJob {
        /// The job asked for.
        id: JobId,
    },
    /// Peer: the job is not in a state for that.
    #[error("job {id} is {state}: it cannot be {wanted}")]
    WrongState {
        /// The job.
        id: JobId,
        /// Its state.
        state: &'static str,
        /// What was asked.
        wanted: &'static str,
    },
    /// Peer: the job was canceled while its document was being received.
    #[error("job {id} was canceled")]
    Canceled {
        /// The job.
        id: JobId,
    },
    /// Administrator: another server uses this spool.
    #[error("spool {path}: another despool server is using it")]
    InUse {
        /// The spool directory.
        path: String,
    },
    /// Administrator: the journal was written by a newer despool.
    #[error(
        "spool: the journal has version {version}, this despool reads up to {supported}; use the newer despool"
    )]
    Newer {
        /// The journal's version.
        version: u16,
        /// Ours.
        supported: u16,
    },
    /// Ours: all 2^31-1 job ids were used.
    #[error("spool: job ids are used up; start a new spool directory")]
    NoIdsLeft,
    /// Ours: the spool was closed.
    #[error("spool: closed")]
    Closed,
}

impl Error {
    pub(crate) fn disk(
        doing: &'static str,
        name: impl Into<String>,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { doing, name: name.into(), source: Arc::new(source) }
    }

    /// True where the fault is the disk's: the front ends answer "server error" and not "your request is wrong".
    pub fn is_disk(&self) -> bool {
        matches!(
            self,
            Self::Disk { .. } | Self::Full { .. } | Self::Poisoned { .. } | Self::Damaged { .. }
        )
    }

    /// True where the same may well succeed later: the disk takes nothing now, descriptors or memory are used up. A file
    /// that is missing or damaged stays so.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Disk { source, .. } => source.kind() != io::ErrorKind::NotFound,
            Self::Full { .. } => true,
            _ => false,
        }
    }

    /// True for a disk error that says "no space".
    pub(crate) fn is_no_space(source: &io::Error) -> bool {
        matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
