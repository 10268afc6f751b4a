//! Devices that come and go, as the kernel tells it (netlink, `kobject_uevent`).
//!
//! Both groups are listened to: the kernel's own, which works where no udevd runs, and udevd's, which speaks when it has set a
//! node's permissions. What is said is not read: whoever is told looks for himself. Anybody may listen; nobody but root can
//! speak.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

use crate::limits::{UEVENT_BYTES, UEVENTS};

/// The kernel (1) and udevd (2), as bits.
const GROUPS: u32 = 0b11;

/// An open ear.
#[derive(Debug)]
pub(crate) struct Hotplug(OwnedFd);

impl Hotplug {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (family, kind) = (AddressFamily::NETLINK, SocketType::DGRAM);
        let socket = socket_with(family, kind, flags, Some(KOBJECT_UEVENT))?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        Ok(Self(socket))
    }

    /// Takes what has been told; true if there was something (or more than the socket holds).
    pub(crate) fn told(&self) -> bool {
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
