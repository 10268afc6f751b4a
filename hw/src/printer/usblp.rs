//! `/dev/usb/lpN`, the kernel's USB printer driver.
//!
//! What it does not say (each seen on the real driver): of a write that does not wait it presumes that the printer will get
//! it, one transfer of at most 8 KiB, and when that fails nobody is told. A write that waits makes one transfer after the
//! other, as fast as the driver can, and says how they ended; so writes wait here, on a [thread](super::writer) of their own.
//! Ended by a signal it leaves its last transfer with the driver, which throws it away when the node is closed.
//! A read waits too: it is to be asked for only what `poll` has told of.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::driver::{Driver, Status};
use super::ioctl;
use crate::fault::not_opened;
use crate::{DeviceId, Error};

pub(super) struct Usblp {
    path: PathBuf,
    /// `None`: it could not be opened anew.
    fd: Option<Arc<OwnedFd>>,
    two_way: bool,
}

fn open(path: &Path) -> Result<Arc<OwnedFd>, Errno> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map(Arc::new)
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
        self.fd.as_ref().map(|fd| fd.as_fd()).ok_or(Errno::NODEV)
    }
}

impl Driver for Usblp {
    fn waiting(&self) -> Option<&Arc<OwnedFd>> {
        self.fd.as_ref()
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
