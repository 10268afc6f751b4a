//! The device calls of a tty that rustix has no name for.
//!
//! Numbers and types are from `asm-generic/ioctls.h` and `tty_ioctl(4)`, taken from libc because they differ between
//! processors.

use std::ffi::c_int;
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::ioctl::{Getter, IntegerSetter, Opcode, ioctl};

use crate::Lines;

const TIOCOUTQ: Opcode = libc::TIOCOUTQ as Opcode;
const TIOCMGET: Opcode = libc::TIOCMGET as Opcode;
const TIOCMIWAIT: Opcode = libc::TIOCMIWAIT as Opcode;
const TIOCSERGETLSR: Opcode = libc::TIOCSERGETLSR as Opcode;
const TIOCGEXCL: Opcode = libc::TIOCGEXCL as Opcode;

/// The lines that a device drives.
const INPUTS: c_int = libc::TIOCM_CTS | libc::TIOCM_DSR | libc::TIOCM_CAR | libc::TIOCM_RNG;

/// Bytes in the driver's queue that have not left for the line. Not counted: what is in the chip's FIFO.
pub(super) fn queued(fd: impl AsFd) -> Result<u32, Errno> {
    // SAFETY: TIOCOUTQ writes one int.
    let count = unsafe { ioctl(fd, Getter::<TIOCOUTQ, c_int>::new()) }?;
    Ok(u32::try_from(count).unwrap_or(0))
}

/// The modem lines. `ENOTTY`: this driver has none (ptys).
pub(super) fn lines(fd: impl AsFd) -> Result<Lines, Errno> {
    // SAFETY: TIOCMGET writes one int.
    let bits = unsafe { ioctl(fd, Getter::<TIOCMGET, c_int>::new()) }?;
    let on = |line: c_int| bits & line != 0;
    Ok(Lines {
        cts: on(libc::TIOCM_CTS),
        dsr: on(libc::TIOCM_DSR),
        dcd: on(libc::TIOCM_CAR),
        ri: on(libc::TIOCM_RNG),
    })
}

/// Sleeps until a modem line changes; `EINTR` when a signal ends it. A change before the call is not seen.
pub(super) fn wait_for_lines(fd: impl AsFd) -> Result<(), Errno> {
    // SAFETY: TIOCMIWAIT takes a mask of lines by value.
    unsafe { ioctl(fd, IntegerSetter::<TIOCMIWAIT>::new_usize(INPUTS as usize)) }
}

/// True when the chip's shift register is empty too. `None`: this driver cannot say.
pub(super) fn transmitter_empty(fd: impl AsFd) -> Option<bool> {
    /// `TIOCSER_TEMT` of `linux/serial.h`.
    const TEMT: c_int = 0x01;
    // SAFETY: TIOCSERGETLSR writes one (unsigned) int.
    let status = unsafe { ioctl(fd, Getter::<TIOCSERGETLSR, c_int>::new()) }.ok()?;
    Some(status & TEMT != 0)
}

/// True where some program has the tty for itself.
pub(super) fn is_exclusive(fd: impl AsFd) -> bool {
    // SAFETY: TIOCGEXCL writes one int.
    unsafe { ioctl(fd, Getter::<TIOCGEXCL, c_int>::new()) }.is_ok_and(|exclusive| exclusive != 0)
}
