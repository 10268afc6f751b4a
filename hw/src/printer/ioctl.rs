//! The device calls of printer drivers.
//!
//! Numbers and types are from `linux/lp.h`, `linux/ppdev.h` and `drivers/usb/class/usblp.c`.

use std::ffi::c_int;
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::ioctl::{Getter, IoctlOutput, NoArg, Opcode, Setter, ioctl, opcode};

use crate::limits::DEVICE_ID_BYTES;

const LPGETSTATUS: Opcode = 0x060B;
const LPRESET: Opcode = 0x060C;

const PPRSTATUS: Opcode = opcode::read::<u8>(b'p', 0x81);
const PPWCONTROL: Opcode = opcode::write::<u8>(b'p', 0x84);
const PPCLAIM: Opcode = opcode::none(b'p', 0x8B);
const PPNEGOT: Opcode = opcode::write::<c_int>(b'p', 0x91);

const USBLP_GET_DEVICE_ID: Opcode = opcode::read::<[u8; DEVICE_ID_BYTES]>(b'P', 1);
const USBLP_GET_PROTOCOLS: Opcode = opcode::read::<[c_int; 2]>(b'P', 2);
const USBLP_SOFT_RESET: Opcode = opcode::none(b'P', 7);

/// The status byte of `lp` and `usblp`.
pub(super) fn lp_status(fd: impl AsFd) -> Result<u8, Errno> {
    // SAFETY: LPGETSTATUS writes one int.
    let status = unsafe { ioctl(fd, Getter::<LPGETSTATUS, c_int>::new()) }?;
    // The driver gives one byte of it.
    Ok(u8::try_from(status & 0xFF).unwrap_or(0))
}

/// Pulses nInit.
pub(super) fn lp_reset(fd: impl AsFd) -> Result<(), Errno> {
    // SAFETY: LPRESET takes no argument.
    unsafe { ioctl(fd, NoArg::<LPRESET>::new()) }
}

/// The status lines of a claimed parallel port.
pub(super) fn pp_status(fd: impl AsFd) -> Result<u8, Errno> {
    // SAFETY: PPRSTATUS writes one byte.
    unsafe { ioctl(fd, Getter::<PPRSTATUS, u8>::new()) }
}

/// Sets the control lines of a claimed parallel port.
pub(super) fn pp_control(fd: impl AsFd, lines: u8) -> Result<(), Errno> {
    // SAFETY: PPWCONTROL reads one byte.
    unsafe { ioctl(fd, Setter::<PPWCONTROL, u8>::new(lines)) }
}

/// Claims the port; waits while another driver has it.
pub(super) fn pp_claim(fd: impl AsFd) -> Result<(), Errno> {
    // SAFETY: PPCLAIM takes no argument.
    unsafe { ioctl(fd, NoArg::<PPCLAIM>::new()) }
}

/// Negotiates an IEEE 1284 mode.
pub(super) fn pp_negotiate(fd: impl AsFd, mode: c_int) -> Result<(), Errno> {
    // SAFETY: PPNEGOT reads one int.
    unsafe { ioctl(fd, Setter::<PPNEGOT, c_int>::new(mode)) }
}

/// The device id of a USB printer, its length included, in a buffer that may be longer.
pub(super) fn usblp_device_id(fd: impl AsFd) -> Result<[u8; DEVICE_ID_BYTES], Errno> {
    // SAFETY: GET_DEVICE_ID writes no more than the length in its number, here that of the array. It may write less: the
    // array is made of zeroes.
    unsafe { ioctl(fd, Zeroed::<USBLP_GET_DEVICE_ID, [u8; DEVICE_ID_BYTES]>([0; DEVICE_ID_BYTES])) }
}

/// The protocol in use (1 one way, 2 both ways, 3 packets), and a mask of those there are.
pub(super) fn usblp_protocols(fd: impl AsFd) -> Result<[c_int; 2], Errno> {
    // SAFETY: GET_PROTOCOLS writes two ints.
    unsafe { ioctl(fd, Getter::<USBLP_GET_PROTOCOLS, [c_int; 2]>::new()) }
}

/// The class's SOFT_RESET.
pub(super) fn usblp_soft_reset(fd: impl AsFd) -> Result<(), Errno> {
    // SAFETY: SOFT_RESET takes no argument.
    unsafe { ioctl(fd, NoArg::<USBLP_SOFT_RESET>::new()) }
}

/// A call that fills what it is given as far as it likes.
struct Zeroed<const OPCODE: Opcode, T>(T);

// SAFETY: the pointer is to a valid `T` that the call may fill in part; any bytes are a valid `T` for the arrays of integers
// that it is used with.
unsafe impl<const OPCODE: Opcode, T: Copy> rustix::ioctl::Ioctl for Zeroed<OPCODE, T> {
    type Output = T;

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        OPCODE
    }

    fn as_ptr(&mut self) -> *mut std::ffi::c_void {
        std::ptr::from_mut(&mut self.0).cast()
    }

    unsafe fn output_from_ptr(
        _: IoctlOutput,
        filled: *mut std::ffi::c_void,
    ) -> rustix::io::Result<T> {
        // SAFETY: it is the pointer of `as_ptr`, and what it points to outlives the call.
        Ok(unsafe { filled.cast::<T>().read() })
    }
}
