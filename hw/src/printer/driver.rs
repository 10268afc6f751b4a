//! What a printer driver's node can do, and which driver a node belongs to.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FileType, major, stat};
use rustix::io::Errno;

use crate::fault::not_opened;
use crate::{Error, Line};

/// An open node.
pub(super) trait Driver: Send {
    /// Gives it bytes; how many it took. [`Errno::AGAIN`]: no room now, whatever the reason. Not asked of a driver that has a
    /// [node that waits](Driver::waiting).
    fn write(&mut self, _bytes: &[u8]) -> Result<usize, Errno> {
        Err(Errno::AGAIN)
    }

    /// The node, if a write to it waits until the printer has it.
    fn waiting(&self) -> Option<&Arc<OwnedFd>> {
        None
    }

    /// Takes back-channel bytes. [`Errno::AGAIN`] or 0: none now.
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Errno>;

    /// How the printer is; `None`: it does not say.
    fn status(&mut self) -> Result<Option<Status>, Errno>;

    /// A descriptor whose `poll` tells of back-channel bytes. `None`: this driver tells nothing.
    fn telling(&self) -> Option<BorrowedFd<'_>> {
        self.waiting().map(AsFd::as_fd)
    }

    /// Throws away a transfer of which nobody knows how it will end.
    fn discard(&mut self) -> Result<(), Errno> {
        Ok(())
    }

    /// Resets the printer; false: this driver cannot.
    fn reset(&mut self) -> Result<bool, Errno>;
}

/// What a status byte says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) line: Line,
    /// Busy; `None`: the wire has no such line.
    pub(super) busy: Option<bool>,
}

impl Status {
    /// The status lines of a parallel port, Busy as the port inverts it (`linux/lp.h`).
    pub(super) fn parallel(status: u8) -> Self {
        Self { line: crate::usb::line_of(status), busy: Some(status & 0x80 == 0) }
    }

    /// The port status of a USB printer.
    pub(super) fn usb(status: u8) -> Self {
        Self { line: crate::usb::line_of(status), busy: None }
    }
}

/// The drivers that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Lp,
    Ppdev,
    Usblp,
}

/// Major numbers (Linux `Documentation/admin-guide/devices.txt`): lp, ppdev, USB class drivers.
const MAJORS: [(u32, Kind); 3] = [(6, Kind::Lp), (99, Kind::Ppdev), (180, Kind::Usblp)];

/// Whose node it is; `None`: of none of them.
pub(super) fn kind_of(path: &Path, name: &str) -> Result<Option<Kind>, Error> {
    let stat = stat(path).map_err(|errno| not_opened(name, "looking at the node", errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::CharacterDevice {
        return Ok(None);
    }
    let major = major(stat.st_rdev);
    Ok(MAJORS.into_iter().find(|(known, _)| *known == major).map(|(_, kind)| kind))
}
