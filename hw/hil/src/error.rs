//! What can go wrong on the bench, by whose fault it is.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// An error of the bench. The message is for the person who runs it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The machine: a program that the bench needs is not there or failed.
    #[error("{program} failed: {why}")]
    Program {
        /// Which program, and with what.
        program: String,
        /// What it said.
        why: String,
    },
    /// The machine: something that every run needs is missing.
    #[error("{what}; {remedy}")]
    Missing {
        /// What is missing.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The machine: a file could not be read or written.
    #[error("{doing} {}: {source}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel's package is not as expected.
    #[error("the kernel's package: {why}")]
    Kernel {
        /// What is not as expected.
        why: String,
    },
    /// QEMU did not do what it was told.
    #[error("QEMU: {why}")]
    Qemu {
        /// What it said, or did.
        why: String,
    },
    /// The guest did not do what it was told.
    #[error("the guest: {why}")]
    Guest {
        /// What it said, or did.
        why: String,
    },
    /// Something did not happen in time.
    #[error("after {}.{:03} s: {what}", waited.as_secs(), waited.subsec_millis())]
    TooLate {
        /// What was waited for, and how far it had come.
        what: String,
        /// How long.
        waited: Duration,
    },
    /// The bench itself lacks something (threads, descriptors).
    #[error("{doing} failed: {source}")]
    Ours {
        /// What was being done.
        doing: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// What a scenario expected did not hold.
    #[error("{0}")]
    Unexpected(String),
}

/// The result of everything here.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A file that could not be used.
pub(crate) fn file(
    doing: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::File { doing, path, source }
}

impl From<despool_hw::Error> for Error {
    fn from(error: despool_hw::Error) -> Self {
        Self::Unexpected(error.to_string())
    }
}
