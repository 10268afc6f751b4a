//! Connecting, within a deadline and with an ear for the bell.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::sockopt::socket_error;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, ipproto, socket_with};

use super::options;
use crate::fault::{absent, why};
use crate::poll::poll;
use crate::{Bell, Error};

/// Why one address did not do.
enum Refused {
    Rang,
    Errno(Errno),
}

/// Connects to the first address that answers. Each gets an equal share of the time that is left.
pub(super) fn dial(
    addresses: &[SocketAddr],
    bell: &Bell,
    until: Instant,
    name: &str,
) -> Result<OwnedFd, Error> {
    let mut refusals = Vec::new();
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in addresses {
        let now = Instant::now();
        let share = until.saturating_duration_since(now) / left.max(1);
        left = left.saturating_sub(1);
        match dial_one(address, bell, now.checked_add(share).unwrap_or(until)) {
            Ok(fd) => return Ok(fd),
            Err(Refused::Rang) => return Err(Error::Rang { port: name.to_owned() }),
            Err(Refused::Errno(errno @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM))) => {
                return Err(Error::Ours { doing: "connecting", source: errno.into() });
            }
            Err(Refused::Errno(errno)) => refusals.push(format!("{address}: {}", why(errno))),
        }
    }
    Err(absent(
        name,
        if refusals.is_empty() { "it has no address".into() } else { refusals.join("; ") },
    ))
}

fn dial_one(address: &SocketAddr, bell: &Bell, until: Instant) -> Result<OwnedFd, Refused> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let fd = socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))
        .map_err(Refused::Errno)?;
    options::set(&fd).map_err(Refused::Errno)?;
    match connect(&fd, address) {
        Ok(()) => return Ok(fd),
        Err(Errno::INPROGRESS | Errno::INTR) => {}
        Err(errno) => return Err(Refused::Errno(errno)),
    }
    let mut fds = [PollFd::new(&fd, PollFlags::OUT), PollFd::new(bell, PollFlags::IN)];
    let woken = poll(&mut fds, Some(until)).map_err(Refused::Errno)?;
    let [answered, rang] = fds.map(|fd| !fd.revents().is_empty());
    if answered {
        let outcome = socket_error(&fd).and_then(|outcome| outcome);
        return outcome.map(|()| fd).map_err(Refused::Errno);
    }
    if woken && rang && bell.hush() {
        Err(Refused::Rang)
    } else {
        Err(Refused::Errno(Errno::TIMEDOUT))
    }
}
