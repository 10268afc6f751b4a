//! `/dev/usb/lpN`, the kernel's USB printer driver.
//!
//! What it does not say (each seen on the real driver): a write that does not wait is taken whatever the printer does, one
//! transfer of at most 8 KiB, and lost without a word if the node is closed before it has ended. `POLLOUT` says that it has
//! ended. Closing is also the only way to throw it away.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::driver::{Driver, Status};
use super::ioctl;
use crate::fault::not_opened;
use crate::poll::look;
use crate::{DeviceId, Error};

/// One transfer of the driver.
const TRANSFER: usize = 8192;

pub(super) struct Usblp {
    path: PathBuf,
    /// `None`: it could not be opened anew.
    fd: Option<OwnedFd>,
    two_way: bool,
}

fn open(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

impl Usblp {
    /// Opens the node, and asks the printer who it is.
    pub(super) fn open(path: &Path, name: &str) -> Result<(Self, Option<DeviceId>), Error> {
        let fd = open(path).map_err(|errno| not_opened(name, "opening", errno))?;
        // Printers that know no device id answer with an error.
        let id = ioctl::usblp_device_id(&fd).ok().and_then(|bytes| DeviceId::parse(&bytes));
        let two_way = ioctl::usblp_protocols(&fd).is_ok_and(|[current, _]| current >= 2);
        Ok((Self { path: path.to_owned(), fd: Some(fd), two_way }, id))
    }

    pub(super) fn is_two_way(&self) -> bool {
        self.two_way
    }

    fn fd(&self) -> Result<BorrowedFd<'_>, Errno> {
        self.fd.as_ref().map(AsFd::as_fd).ok_or(Errno::NODEV)
    }

    fn says(&self) -> Result<PollFlags, Errno> {
        let fd = self.fd()?;
        let mut fds = [PollFd::new(&fd, PollFlags::OUT)];
        look(&mut fds)?;
        let [fd] = fds;
        Ok(fd.revents())
    }
}

impl Driver for Usblp {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        match rustix::io::write(self.fd()?, bytes.get(..TRANSFER).unwrap_or(bytes)) {
            // Out of paper: the driver has no room, and says why.
            Err(Errno::NOSPC) => Err(Errno::AGAIN),
            written => written,
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Errno> {
        rustix::io::read(self.fd()?, buf)
    }

    fn status(&mut self) -> Result<Option<Status>, Errno> {
        match ioctl::lp_status(self.fd()?) {
            Ok(status) => Ok(Some(Status::usb(status))),
            Err(Errno::NODEV) => Err(Errno::NODEV),
            // A printer that does not answer has no status; its data may still flow.
            Err(_) => Ok(None),
        }
    }

    fn telling(&self) -> Option<BorrowedFd<'_>> {
        self.fd().ok()
    }

    fn holds(&self) -> bool {
        true
    }

    fn is_empty(&self) -> Result<bool, Errno> {
        let says = self.says()?;
        match says.intersects(PollFlags::HUP | PollFlags::ERR) {
            true => Err(Errno::NODEV),
            false => Ok(says.contains(PollFlags::OUT)),
        }
    }

    fn discard(&mut self) -> Result<(), Errno> {
        // One program at a time: closed first.
        self.fd = None;
        self.fd = Some(open(&self.path)?);
        Ok(())
    }

    fn reset(&mut self) -> Result<bool, Errno> {
        match ioctl::usblp_soft_reset(self.fd()?) {
            Ok(()) => Ok(true),
            Err(Errno::NODEV) => Err(Errno::NODEV),
            Err(_) => Ok(false),
        }
    }
}
