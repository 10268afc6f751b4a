//! Preloaded into QEMU (`LD_PRELOAD`): makes up the two host ports that QEMU can pass through to its guest.
//!
//! ```text
//!   guest's parport_pc ──► QEMU isa-parallel ──► ioctl(PP…) ──► parallel: the model of a printer's end of the cable
//!   guest's 8250       ──► QEMU isa-serial   ──► ioctl(TIOCM…), tcsetattr ──► serial: lines that a pty does not have
//! ```
//!
//! QEMU believes that it has opened `/dev/parportN` and a real tty. Which paths those are, and the sockets of the bench
//! beside them, is told by four variables: `HIL_PARALLEL`, `HIL_PARALLEL_SOCKET`, `HIL_SERIAL`, `HIL_SERIAL_SOCKET`. Every
//! other descriptor goes to the C library as if nothing were here.
//!
//! What it is *not*: of any use outside QEMU.

mod link;
mod parallel;
mod real;
mod serial;

use std::ffi::{CStr, c_char, c_int, c_ulong, c_void};

/// What a port of ours answers to a call.
type Answer = Result<c_int, c_int>;

/// As the C library returns it: -1 and `errno`.
fn answer(answer: Answer) -> c_int {
    answer.unwrap_or_else(|errno| {
        // SAFETY: the C library's own errno of this thread.
        unsafe { *libc::__errno_location() = errno };
        -1
    })
}

/// The value of one of our variables.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn opened(path: *const c_char, flags: c_int, mode: c_int, open: fn() -> real::Open) -> c_int {
    // SAFETY: the caller passes a path as `open(2)` wants it: a string that ends with a zero byte.
    let name = unsafe { CStr::from_ptr(path) }.to_str().unwrap_or_default();
    if variable("HIL_PARALLEL").as_deref() == Some(name) {
        return answer(parallel::open());
    }
    // SAFETY: the arguments are the caller's own.
    let fd = unsafe { open()(path, flags, mode) };
    if fd >= 0 && variable("HIL_SERIAL").as_deref() == Some(name) {
        serial::opened(fd);
    }
    fd
}

/// `open(2)`. The C library's has its mode in a variable list of arguments; on the machines that the bench runs on (x86-64,
/// AArch64) that is the same as a third argument.
///
/// # Safety
///
/// As for `open(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    opened(path, flags, mode, real::open)
}

/// `open64`, see [`open`].
///
/// # Safety
///
/// As for `open(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    opened(path, flags, mode, real::open64)
}

/// `close(2)`.
///
/// # Safety
///
/// As for `close(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn close(fd: c_int) -> c_int {
    parallel::closed(fd);
    serial::closed(fd);
    // SAFETY: the arguments are the caller's own.
    unsafe { real::close()(fd) }
}

/// `ioctl(2)`, with its argument as a third one (see [`open`]).
///
/// # Safety
///
/// As for `ioctl(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioctl(fd: c_int, request: c_ulong, argument: *mut c_void) -> c_int {
    // SAFETY: for the requests that these know, the caller's argument points to what `ioctl(2)` wants there.
    let ours = unsafe {
        parallel::ioctl(fd, request, argument).or_else(|| serial::ioctl(fd, request, argument))
    };
    match ours {
        Some(ours) => answer(ours),
        // SAFETY: the arguments are the caller's own.
        None => unsafe { real::ioctl()(fd, request, argument) },
    }
}

/// `tcsetattr(3)`.
///
/// # Safety
///
/// As for `tcsetattr(3)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcsetattr(
    fd: c_int,
    when: c_int,
    settings: *const libc::termios,
) -> c_int {
    // SAFETY: the caller passes settings as `tcsetattr(3)` wants them.
    unsafe {
        serial::set(fd, &*settings);
        real::tcsetattr()(fd, when, settings)
    }
}

/// `tcsendbreak(3)`.
///
/// # Safety
///
/// As for `tcsendbreak(3)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcsendbreak(fd: c_int, length: c_int) -> c_int {
    serial::sent_break(fd);
    // SAFETY: the arguments are the caller's own.
    unsafe { real::tcsendbreak()(fd, length) }
}
