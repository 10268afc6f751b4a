//! `/dev/parportN`: the parallel port itself, and IEEE 1284 in the kernel's hands.
//!
//! ```text
//!   compatibility ──negotiate──► byte, else nibble ──read until nothing comes──► compatibility
//! ```
//!
//! Opened not to wait: a read of an empty reverse channel that waits would spin in the kernel. The port is claimed for as long as
//! it is open.

use std::ffi::c_int;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::driver::{Driver, Status};
use super::ioctl;
use crate::discover::sysfs::attribute;
use crate::fault::not_opened;
use crate::limits::{DEVICE_ID_BYTES, DEVICE_ID_WAIT};
use crate::poll::after;
use crate::{DeviceId, Error};

/// Modes of `linux/parport.h`.
const NIBBLE: c_int = 0;
const BYTE: c_int = 1;
const COMPATIBILITY: c_int = 1 << 8;
const DEVICE_ID: c_int = 1 << 2;

/// Control lines at rest: nInit high, the printer selected; and with nInit low, which resets it.
const AT_REST: u8 = 0x0C;
const RESET: u8 = 0x08;

pub(super) struct Ppdev {
    fd: OwnedFd,
    /// The mode to listen in.
    reverse: c_int,
}

impl Ppdev {
    /// Claims the port, and asks the printer who it is.
    pub(super) fn open(path: &Path, name: &str) -> Result<(Self, Option<DeviceId>), Error> {
        let opening = |errno| not_opened(name, "opening", errno);
        let node = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(opening)?;
        // PPCLAIM would wait for whoever has it.
        let devices = Path::new("/proc/sys/dev/parport").join(node).join("devices");
        if let Some(holder) = attribute(&devices, "active").filter(|holder| holder != "none") {
            let why = format!("{holder} holds the port");
            return Err(Error::Busy { port: name.to_owned(), why });
        }
        ioctl::pp_claim(&fd).map_err(opening)?;
        let mut port = Self { fd, reverse: BYTE };
        let asked = port.ask();
        port.rest().map_err(opening)?;
        let id = asked.or_else(|| probed(node));
        Ok((port, id))
    }

    /// Asks for the device id. `None`: the printer knows no IEEE 1284, or says nothing.
    fn ask(&mut self) -> Option<DeviceId> {
        ioctl::pp_negotiate(&self.fd, NIBBLE | DEVICE_ID).ok()?;
        let until = after(DEVICE_ID_WAIT)?;
        let mut id = Vec::new();
        let mut buf = [0; 256];
        while id.len() < DEVICE_ID_BYTES && Instant::now() < until {
            match rustix::io::read(&self.fd, &mut buf) {
                Ok(0) | Err(_) => break,
                Ok(count) => id.extend_from_slice(buf.get(..count)?),
            }
        }
        DeviceId::parse(&id)
    }

    /// Back to the mode in which data are sent.
    fn rest(&self) -> Result<(), Errno> {
        ioctl::pp_negotiate(&self.fd, COMPATIBILITY)
    }

    /// Turns the port round.
    fn turn(&mut self) -> Result<(), Errno> {
        match ioctl::pp_negotiate(&self.fd, self.reverse) {
            Err(_) if self.reverse == BYTE => {
                self.reverse = NIBBLE;
                ioctl::pp_negotiate(&self.fd, NIBBLE)
            }
            negotiated => negotiated,
        }
    }
}

/// What the kernel heard when it asked the printer at boot.
pub(super) fn probed(port: &str) -> Option<DeviceId> {
    let said = attribute(&Path::new("/proc/sys/dev/parport").join(port), "autoprobe")?;
    DeviceId::parse(said.as_bytes())
}

impl Driver for Ppdev {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        match rustix::io::write(&self.fd, bytes) {
            // Off line or at fault: the wire stands still.
            Ok(0) | Err(Errno::IO | Errno::TIMEDOUT) => Err(Errno::AGAIN),
            written => written,
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Errno> {
        // A printer that does not turn round now has nothing to say.
        let read = self.turn().and_then(|()| rustix::io::read(&self.fd, buf)).unwrap_or(0);
        self.rest()?;
        Ok(read)
    }

    fn status(&mut self) -> Result<Option<Status>, Errno> {
        ioctl::pp_status(&self.fd).map(|status| Some(Status::parallel(status)))
    }

    fn reset(&mut self) -> Result<bool, Errno> {
        ioctl::pp_control(&self.fd, RESET)?;
        // nInit has to be low for 50 µs (IEEE 1284-2000 §5.3): two reads of the port are, and a call to the kernel more so.
        let held = Instant::now();
        while held.elapsed() < crate::limits::PARALLEL_RESET {
            ioctl::pp_status(&self.fd)?;
        }
        ioctl::pp_control(&self.fd, AT_REST).map(|()| true)
    }
}
