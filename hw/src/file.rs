//! Files as ports: a plain file, a FIFO, or a character device that needs no settings.
//!
//! ```text
//! plain file    appended to; made (0600) if missing; a job is on disk when it ends
//! FIFO          needs a reader: without one it is absent, when the reader goes the port is gone
//! device        /dev/null, /dev/usb/lp0, …: written as it takes bytes
//! ```
//!
//! Refused: directories, sockets, block devices (a print job must not become a disk image by a slip), and terminals
//! (they would change the bytes; `serial:` sets them raw). What it is *not*: a back channel. A file is one way.
//!
//! Symbolic links are followed to devices and FIFOs, for that is how udev names them, but not to plain files: whoever may
//! write in the file's directory could otherwise aim our appends at any file of ours. A missing file is made with
//! `O_EXCL`, so nothing that appears at that moment is opened.
//!
//! A reader that goes makes `SIGPIPE`. Rust's runtime ignores that signal from the start of a program, so it arrives here
//! as `EPIPE`.
//!
//! The one invariant: bytes are written in order, each once, at the end of what is there.

mod node;
mod wait;

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Instant;

use rustix::io::Errno;

use crate::fault::{absent, failed};
use crate::limits::{
    RETRY_FIRST, RETRY_FULL, RETRY_LAST, TTY_WRITE_BYTES, UNREAD_CHECK_FIRST, WRITE_BYTES,
};
use crate::poll::Ladder;
use crate::{Bell, Canceled, Error, Interest, Lent, Line, Port, PortFacts, Ready, Tail};

/// An open file, FIFO or character device.
#[derive(Debug)]
pub struct FilePort {
    name: String,
    fd: OwnedFd,
    kind: Kind,
    /// Bytes taken in this job.
    taken: u64,
    refused: Option<Refused>,
    /// What the last `line` said about [`Refused::Full`].
    told_full: bool,
    busy: Ladder,
    full: Ladder,
    unread: Ladder,
}

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Fifo,
    Device,
}

/// Why the last write took nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// No room now.
    Busy,
    /// No space at all (`ENOSPC`: the disk is full, or the device says so).
    Full,
}

impl FilePort {
    /// Opens or makes the file. `name` is what errors call the port.
    ///
    /// Errors: [`Error::Absent`] (no such directory, no such device, a FIFO without reader), [`Error::Denied`],
    /// [`Error::Busy`], [`Error::Unsupported`] (see the module).
    pub fn open(path: &Path, name: &str) -> Result<Self, Error> {
        let (fd, kind) = node::open(path, name)?;
        Ok(Self {
            name: name.to_owned(),
            fd,
            kind,
            taken: 0,
            refused: None,
            told_full: false,
            busy: Ladder::new(RETRY_FIRST, RETRY_LAST),
            full: Ladder::new(RETRY_FIRST, RETRY_FULL),
            unread: Ladder::new(UNREAD_CHECK_FIRST, RETRY_LAST),
        })
    }

    fn failed(&self, doing: &'static str, errno: Errno) -> Error {
        failed(&self.name, doing, errno)
    }

    /// Bytes in a FIFO that its reader has not taken yet.
    fn unread(&self) -> Result<u64, Error> {
        match self.kind {
            Kind::Fifo => rustix::io::ioctl_fionread(&self.fd)
                .map_err(|errno| self.failed("counting unread bytes", errno)),
            Kind::Plain | Kind::Device => Ok(0),
        }
    }

    fn is_full(&self) -> bool {
        self.refused == Some(Refused::Full)
    }
}

impl Port for FilePort {
    fn facts(&self) -> PortFacts {
        // The reader of a FIFO sees the end of the file when our process dies.
        let keeps_place = self.kind != Kind::Fifo;
        PortFacts { back_channel: false, job_is_connection: false, keeps_place }
    }

    fn write_limit(&self) -> usize {
        if self.kind == Kind::Device { TTY_WRITE_BYTES } else { WRITE_BYTES }
    }

    /// A FIFO whose reader has gone since the last job is [`Error::Absent`].
    fn begin_job(&mut self, _bell: &Bell, _until: Instant) -> Result<(), Error> {
        if self.kind == Kind::Fifo && self.reader_has_gone()? {
            return Err(absent(&self.name, "no program reads it"));
        }
        self.taken = 0;
        Ok(())
    }

    /// A full disk is no error: `Ok(0)`, and it shows in [`Port::line`] as held back.
    fn write(&mut self, lent: Lent<'_>) -> Result<usize, Error> {
        self.refused = match rustix::io::write(&self.fd, lent.first(self.write_limit()).bytes) {
            Ok(0) | Err(Errno::AGAIN | Errno::INTR) => Some(Refused::Busy),
            Err(Errno::NOSPC | Errno::DQUOT) => Some(Refused::Full),
            Err(errno) => return Err(self.failed("writing", errno)),
            Ok(count) => {
                self.taken = self.taken.saturating_add(u64::try_from(count).unwrap_or(0));
                self.busy.reset();
                self.full.reset();
                self.refused = None;
                return Ok(count);
            }
        };
        Ok(0)
    }

    fn read(&mut self, _buf: &mut [u8]) -> Result<usize, Error> {
        Ok(0)
    }

    fn wait(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<Ready, Error> {
        self.wait_for(interest, bell, until)
    }

    /// Puts a plain file's bytes on disk; this takes as long as the disk does.
    fn end_job(&mut self) -> Result<(), Error> {
        self.unread.reset();
        match self.kind {
            Kind::Plain => rustix::fs::fsync(&self.fd)
                .map_err(|errno| self.failed("putting the file on disk", errno)),
            Kind::Fifo | Kind::Device => Ok(()),
        }
    }

    fn tail(&mut self) -> Result<Tail, Error> {
        match (self.kind, self.unread()?) {
            (Kind::Device, _) => Ok(Tail::Unknown),
            (_, 0) => Ok(Tail::Empty),
            (_, unread) => Ok(Tail::Bytes(unread)),
        }
    }

    /// Nothing that was taken can be withdrawn. Of what lies in a FIFO nobody can say whether it will be read.
    fn cancel(&mut self) -> Result<Canceled, Error> {
        self.refused = None;
        let unknown_bytes = self.unread().unwrap_or(0).min(self.taken);
        self.taken = 0;
        Ok(Canceled { withdrawn_bytes: 0, unknown_bytes })
    }

    fn line(&mut self) -> Result<Line, Error> {
        self.told_full = self.is_full();
        Ok(Line { held_back: Some(self.told_full), ..Line::default() })
    }
}

#[cfg(test)]
mod tests;
