//! What the kernel's error numbers mean at a port.

use std::io;

use rustix::io::Errno;

use crate::Error;

/// An error of an open device, while `doing` something.
pub(crate) fn failed(port: &str, doing: &'static str, errno: Errno) -> Error {
    let port = port.to_owned();
    match errno {
        Errno::IO
        | Errno::NXIO
        | Errno::NODEV
        | Errno::PIPE
        | Errno::CONNRESET
        | Errno::CONNABORTED
        | Errno::NOTCONN
        | Errno::SHUTDOWN
        | Errno::TIMEDOUT
        | Errno::HOSTUNREACH
        | Errno::NETUNREACH
        | Errno::NETDOWN => Error::Gone { port, why: why(errno) },
        Errno::FAULT => Error::Document { port, source: errno.into() },
        Errno::ACCESS | Errno::PERM => Error::Denied { port },
        Errno::BUSY => Error::Busy { port, why: why(errno) },
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS => {
            Error::Ours { doing, source: errno.into() }
        }
        _ => Error::Device { port, doing, source: errno.into() },
    }
}

/// An error of a device that could not be opened: what is gone later is absent now.
pub(crate) fn not_opened(port: &str, doing: &'static str, errno: Errno) -> Error {
    match errno {
        Errno::NOENT | Errno::NOTDIR => absent(port, why(errno)),
        _ => while_opening(failed(port, doing, errno)),
    }
}

/// A device that goes while it is being opened is absent.
pub(crate) fn while_opening(error: Error) -> Error {
    match error {
        Error::Gone { port, why } => Error::Absent { port, why },
        other => other,
    }
}

pub(crate) fn absent(port: &str, why: impl Into<String>) -> Error {
    Error::Absent { port: port.to_owned(), why: why.into() }
}

pub(crate) fn gone(port: &str, why: impl Into<String>) -> Error {
    Error::Gone { port: port.to_owned(), why: why.into() }
}

pub(crate) fn unsupported(port: &str, what: impl Into<String>, why: impl Into<String>) -> Error {
    Error::Unsupported { port: port.to_owned(), what: what.into(), why: why.into() }
}

/// The kernel's own words for an error.
pub(crate) fn why(errno: Errno) -> String {
    io::Error::from(errno).to_string()
}
