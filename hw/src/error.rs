//! What can go wrong at a port, by whose fault it is.

use std::io;

/// An error of a port. The message is for the person who looks after the printer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Device: it was there and went away (unplugged, hung up, connection closed). The job waits.
    #[error("{port}: the device went away ({why})")]
    Gone {
        /// The port, as its URI says it.
        port: String,
        /// What the driver said.
        why: String,
    },
    /// Device: it is not there (no such node, connection refused, no answer in time). The job waits.
    #[error("{port}: not there ({why})")]
    Absent {
        /// The port, as its URI says it.
        port: String,
        /// What the driver said.
        why: String,
    },
    /// Device: another program holds it. The job waits.
    #[error("{port}: in use by another program; stop it, or give despool another port ({why})")]
    Busy {
        /// The port, as its URI says it.
        port: String,
        /// What the driver said.
        why: String,
    },
    /// Administrator: we may not open it.
    #[error(
        "{port}: permission denied; add the user that runs despool to the group that owns the device (usually `lp` or `dialout`)"
    )]
    Denied {
        /// The port, as its URI says it.
        port: String,
    },
    /// Administrator: the driver or the device cannot do what the URI asks for.
    #[error("{port}: {what} is not possible on this device ({why})")]
    Unsupported {
        /// The port, as its URI says it.
        port: String,
        /// The setting or the operation.
        what: String,
        /// What the driver said.
        why: String,
    },
    /// Device: the driver reported an error that is neither of the above.
    #[error("{port}: {doing} failed: {source}")]
    Device {
        /// The port, as its URI says it.
        port: String,
        /// What was being done.
        doing: &'static str,
        /// What the driver said.
        source: io::Error,
    },
    /// Disk: the bytes to send could not be read (the spool file is damaged).
    #[error("{port}: the document could not be read while sending it ({source})")]
    Document {
        /// The port, as its URI says it.
        port: String,
        /// What the kernel said (`EFAULT` for a damaged mapping).
        source: io::Error,
    },
    /// Disk: how far the job is could not be noted, so no more of it is sent.
    #[error("{port}: how far the job is could not be noted ({source})")]
    Note {
        /// The port, as its URI says it.
        port: String,
        /// What [`crate::Ledger::note`] said.
        source: io::Error,
    },
    /// Ours: the bell rang while something was under way, which was given up.
    #[error("{port}: interrupted")]
    Rang {
        /// The port, as its URI says it.
        port: String,
    },
    /// Ours: the process lacks something it needs (descriptors, threads).
    #[error("{doing} failed: {source}")]
    Ours {
        /// What was being done.
        doing: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
}

impl Error {
    /// True where the device is missing, gone, or held by somebody else: waiting for it makes sense.
    pub fn is_waiting(&self) -> bool {
        matches!(self, Self::Gone { .. } | Self::Absent { .. } | Self::Busy { .. })
    }
}
