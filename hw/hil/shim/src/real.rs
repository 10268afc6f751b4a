//! The C library's functions that ours stand in front of.

use std::ffi::{CStr, c_char, c_int, c_ulong, c_void};
use std::sync::OnceLock;

pub(super) type Open = unsafe extern "C" fn(*const c_char, c_int, c_int) -> c_int;
pub(super) type Close = unsafe extern "C" fn(c_int) -> c_int;
pub(super) type Ioctl = unsafe extern "C" fn(c_int, c_ulong, *mut c_void) -> c_int;
pub(super) type Set = unsafe extern "C" fn(c_int, c_int, *const libc::termios) -> c_int;
pub(super) type Break = unsafe extern "C" fn(c_int, c_int) -> c_int;

/// The next definition of a symbol behind ours. There always is one: the C library's.
fn next(name: &CStr) -> usize {
    // SAFETY: the name ends with a zero byte.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    if found.is_null() {
        eprintln!("hil-shim: the C library has no {}", name.to_string_lossy());
        std::process::abort();
    }
    found as usize
}

macro_rules! real {
    ($function:ident, $type:ty, $name:literal) => {
        pub(super) fn $function() -> $type {
            static FOUND: OnceLock<usize> = OnceLock::new();
            let found = *FOUND.get_or_init(|| next($name));
            // SAFETY: it is the C library's function of this name, which has this type.
            unsafe { std::mem::transmute::<usize, $type>(found) }
        }
    };
}

real!(open, Open, c"open");
real!(open64, Open, c"open64");
real!(close, Close, c"close");
real!(ioctl, Ioctl, c"ioctl");
real!(tcsetattr, Set, c"tcsetattr");
real!(tcsendbreak, Break, c"tcsendbreak");
