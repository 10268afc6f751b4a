//! What can go wrong in the server, by whose fault it is.

use std::sync::Arc;

use despool_spool::JobId;

/// An error of the server. The message is for the person who prints, or for the one who looks after the server.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Peer: there is no such printer.
    #[error("there is no printer \"{name}\"; `despool printers` lists those there are")]
    NoSuchPrinter {
        /// The name asked for.
        name: String,
    },
    /// Peer: the printer takes no jobs now.
    #[error(
        "printer \"{printer}\" does not accept jobs now; `despool accept {printer}` changes that"
    )]
    NotAccepting {
        /// The printer.
        printer: Arc<str>,
    },
    /// Peer: the datatype is not known.
    #[error(
        "there is no datatype \"{name}\"; there are RAW, RAW [FF appended], RAW [FF auto] and TEXT"
    )]
    NoSuchDatatype {
        /// The name asked for.
        name: String,
    },
    /// Peer: more than one copy of what is not kept, or a hold.
    #[error("printer \"{printer}\" prints past the spool: one copy only, no hold, and no reprint")]
    DirectOnce {
        /// The printer.
        printer: Arc<str>,
    },
    /// Peer: the job was canceled while it was being received or waited for.
    #[error("job {id} was canceled")]
    Canceled {
        /// The job.
        id: JobId,
    },
    /// Peer: the sender broke off.
    #[error("the submission was broken off: {why}")]
    BrokenOff {
        /// Why.
        why: String,
    },
    /// Disk, or peer: what the spool says.
    #[error(transparent)]
    Spool(#[from] despool_spool::Error),
    /// Device: what the port says.
    #[error("{why}")]
    Port {
        /// The port's own words.
        why: String,
    },
    /// Ours: a part of the server is being made anew.
    #[error("a part of the server is being restarted; try again")]
    Restarting,
    /// Ours: the server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// Peer: there is no such account.
    #[error("there is no account \"{name}\"; `despool user list` shows those there are")]
    NoSuchAccount {
        /// The name asked for.
        name: String,
    },
    /// Peer: the name is taken.
    #[error("there is an account \"{name}\" already; `despool user passwd` changes its password")]
    AccountExists {
        /// The name.
        name: String,
    },
    /// Peer: a name or a password that cannot be.
    #[error("{why}")]
    AccountRefused {
        /// What is wrong with it.
        why: String,
    },
    /// Peer: the accounts file is full.
    #[error("there are too many accounts; at most {} are kept", crate::limits::ACCOUNTS)]
    TooManyAccounts,
    /// Ours: a line of the accounts file is wrong.
    #[error("{path}:{line}: {why}")]
    AccountsFile {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Ours: others could read or have written the accounts file.
    #[error("{path} {why}; others must not read or write it, so nobody is let in by it")]
    AccountsRights {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// Ours: a file of our own could not be read or written.
    #[error("{doing} {path}: {why}")]
    State {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: String,
        /// What went wrong.
        why: String,
    },
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
