//! `/dev/lpN`, the kernel's parallel printer driver.
//!
//! Opened not to wait, it takes what the printer takes within a clock tick, byte by byte on the wire. A printer that is out of
//! paper, off line or at fault makes it say `ENOSPC` or `EIO`: these are conditions and end by themselves.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::driver::{Driver, Status};
use super::ioctl;
use crate::fault::not_opened;
use crate::{DeviceId, Error};

pub(super) struct Lp {
    fd: OwnedFd,
}

impl Lp {
    /// Opens the node; who the printer is, the kernel asked at boot.
    pub(super) fn open(path: &Path, name: &str) -> Result<(Self, Option<DeviceId>), Error> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| not_opened(name, "opening", errno))?;
        let number = path.file_name().and_then(|name| name.to_str()?.strip_prefix("lp"));
        let id = number.and_then(|number| super::ppdev::probed(&format!("parport{number}")));
        Ok((Self { fd }, id))
    }
}

impl Driver for Lp {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        match rustix::io::write(&self.fd, bytes) {
            Err(Errno::NOSPC | Errno::IO) => Err(Errno::AGAIN),
            written => written,
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Errno> {
        match rustix::io::read(&self.fd, buf) {
            // The printer does not turn round now.
            Err(Errno::IO | Errno::NXIO) => Err(Errno::AGAIN),
            read => read,
        }
    }

    fn status(&mut self) -> Result<Option<Status>, Errno> {
        ioctl::lp_status(&self.fd).map(|status| Some(Status::parallel(status)))
    }

    fn reset(&mut self) -> Result<bool, Errno> {
        ioctl::lp_reset(&self.fd).map(|()| true)
    }
}
