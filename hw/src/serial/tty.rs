//! An open tty that is ours alone.
//!
//! It is opened here and then handed to `serialport`, whose own `open` would not do: it loses the error number, clears
//! `O_NONBLOCK`, and on a port that another program has locked it clears that program's `TIOCEXCL` on the way out.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use rustix::termios::{ioctl_tiocnxcl, isatty};
use serialport::TTYPort;

use super::driver::Driver;
use super::ioctl;
use crate::Error;
use crate::fault::{failed, not_opened, unsupported};

/// Opens the node without waiting for carrier, and makes it ours alone.
///
/// Two locks. `TIOCEXCL` refuses every later `open` but root's; `flock` refuses root too, among those who ask for it, and
/// we ask. On a pty `TIOCEXCL` is taken off again: it would outlive our process for as long as the far end is open, and
/// nobody but root could open the port after a crash.
pub(super) fn open_alone(path: &Path, sys: &Path, name: &str) -> Result<(TTYPort, Driver), Error> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd =
        open(path, flags, Mode::empty()).map_err(|errno| not_opened(name, "opening", errno))?;
    if !isatty(&fd) {
        let why = "it is no terminal device; write file: for a plain device or file";
        return Err(unsupported(name, "a serial line", why));
    }
    let driver = Driver::of(&fd, sys);
    let tty = lock(fd, name)?;
    if driver == Driver::Pty {
        // Failing, it leaves the pty as `serialport` does.
        let _ = ioctl_tiocnxcl(borrow(&tty));
    }
    Ok((tty, driver))
}

fn lock(fd: OwnedFd, name: &str) -> Result<TTYPort, Error> {
    let busy = |why: &str| Error::Busy { port: name.to_owned(), why: why.to_owned() };
    match flock(&fd, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Err(busy("it has locked it with flock")),
        locked => locked.map_err(|errno| failed(name, "locking", errno))?,
    }
    if ioctl::is_exclusive(&fd) {
        return Err(busy("it has it for itself by TIOCEXCL"));
    }
    // SAFETY: the descriptor is open and ours; it is given away here and closed by `TTYPort`.
    let tty = unsafe { TTYPort::from_raw_fd(fd.into_raw_fd()) };
    if tty.exclusive() { Ok(tty) } else { Err(busy("it could not be locked")) }
}

/// The descriptor of a tty.
pub(super) fn borrow(tty: &TTYPort) -> BorrowedFd<'_> {
    // SAFETY: `TTYPort` keeps its descriptor open until it is dropped, which the borrow does not outlive.
    unsafe { BorrowedFd::borrow_raw(tty.as_raw_fd()) }
}
