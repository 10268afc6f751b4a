//! Devices that come and go, as the kernel tells it (netlink, `kobject_uevent`).
//!
//! Both groups are listened to: the kernel's own, which works where no udevd runs, and udevd's, which speaks when it has set a
//! node's permissions. What is said is not read: whoever is told looks for himself. Anybody may listen; nobody but root can
//! speak.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

use crate::fault::failed;
use crate::limits::{UEVENT_BYTES, UEVENTS};
use crate::poll::poll;
use crate::{Arrived, Bell, Error};

/// The kernel (1) and udevd (2), as bits.
const GROUPS: u32 = 0b11;

/// An open ear.
#[derive(Debug)]
pub struct Hotplug(OwnedFd);

impl Hotplug {
    /// Listens from now on.
    pub fn listen() -> Result<Self, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (family, kind) = (AddressFamily::NETLINK, SocketType::DGRAM);
        let socket = socket_with(family, kind, flags, Some(KOBJECT_UEVENT))?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        Ok(Self(socket))
    }

    /// Waits until a device has come, gone or changed, the bell rings, or `until` (`None`: no deadline).
    ///
    /// Errors: [`Error::Ours`].
    pub fn wait(&self, bell: &Bell, until: Option<Instant>) -> Result<Arrived, Error> {
        loop {
            let mut fds = [PollFd::new(bell, PollFlags::IN), PollFd::new(self, PollFlags::IN)];
            poll(&mut fds, until)
                .map_err(|errno| failed("the kernel", "waiting for devices", errno))?;
            let [rang, _] = fds.map(|fd| !fd.revents().is_empty());
            if rang && bell.hush() {
                return Ok(Arrived::Rang);
            }
            if self.told() {
                return Ok(Arrived::MayBeThere);
            }
            if until.is_some_and(|until| until <= Instant::now()) {
                return Ok(Arrived::TimedOut);
            }
        }
    }

    /// Takes what has been told; true if there was something (or more than the socket holds).
    pub fn told(&self) -> bool {
        let mut buf = [0; UEVENT_BYTES];
        let mut told = false;
        for _ in 0..UEVENTS {
            match recv(&self.0, &mut buf, RecvFlags::DONTWAIT) {
                Ok(_) | Err(Errno::NOBUFS) => told = true,
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        told
    }
}

impl AsFd for Hotplug {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
