//! The options of a connection.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{
    set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl, set_tcp_nodelay,
    set_tcp_user_timeout,
};

use crate::limits::{KEEPALIVE_EVERY, KEEPALIVE_IDLE, KEEPALIVE_TRIES, PEER_SILENCE, UNSENT_BYTES};

/// Sets what every connection has.
pub(super) fn set(fd: &OwnedFd) -> Result<(), Errno> {
    // The end of a job is often a few bytes: they must not wait for an acknowledgement.
    set_tcp_nodelay(fd, true)?;
    set_socket_keepalive(fd, true)?;
    set_tcp_keepidle(fd, KEEPALIVE_IDLE)?;
    set_tcp_keepintvl(fd, KEEPALIVE_EVERY)?;
    set_tcp_keepcnt(fd, KEEPALIVE_TRIES)?;
    set_tcp_user_timeout(fd, millis(PEER_SILENCE))?;
    // SAFETY: TCP_NOTSENT_LOWAT (tcp(7)) takes one int.
    unsafe { set_raw(fd, libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT, &UNSENT_BYTES) }
}

/// From now on the kernel drops whatever the printer sends on this connection, acknowledgements and window updates too:
/// so nothing more is sent, and a count of what was not sent holds.
pub(super) fn hear_nothing(fd: &OwnedFd) -> Result<(), Errno> {
    /// `BPF_RET | BPF_K`, of zero bytes (`linux/filter.h`).
    const DROP: libc::sock_filter = libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: 0 };
    let mut program = [DROP];
    let filter = libc::sock_fprog { len: 1, filter: program.as_mut_ptr() };
    // SAFETY: SO_ATTACH_FILTER (socket(7)) takes a sock_fprog, whose one instruction lives through the call; the kernel
    // copies it.
    unsafe { set_raw(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &filter) }
}

/// Sets an option that rustix does not have.
///
/// # Safety
///
/// `T` is what the kernel takes for this option.
unsafe fn set_raw<T>(fd: &OwnedFd, level: c_int, option: c_int, value: &T) -> Result<(), Errno> {
    let size = libc::socklen_t::try_from(size_of::<T>()).map_err(|_| Errno::INVAL)?;
    // SAFETY: the descriptor is open, the value lives through the call and has the size given; its type is the caller's
    // promise.
    let outcome = unsafe {
        libc::setsockopt(fd.as_raw_fd(), level, option, std::ptr::from_ref(value).cast(), size)
    };
    if outcome == 0 {
        return Ok(());
    }
    Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::INVAL))
}

/// A time as the kernel takes it.
pub(super) fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
