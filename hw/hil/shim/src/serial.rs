//! The lines of a serial port that is a pty: QEMU asks for them and sets them as on a real tty.

use std::ffi::{c_int, c_ulong, c_void};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, OnceLock};

use despool_hil_models::shim::Message;
use despool_hil_models::usb::ModemLines;

use crate::{Answer, link};

/// Speeds of `termios`, and what they mean.
const SPEEDS: [(libc::speed_t, u32); 18] = [
    (libc::B50, 50),
    (libc::B75, 75),
    (libc::B110, 110),
    (libc::B134, 134),
    (libc::B150, 150),
    (libc::B200, 200),
    (libc::B300, 300),
    (libc::B600, 600),
    (libc::B1200, 1200),
    (libc::B1800, 1800),
    (libc::B2400, 2400),
    (libc::B4800, 4800),
    (libc::B9600, 9600),
    (libc::B19200, 19_200),
    (libc::B38400, 38_400),
    (libc::B57600, 57_600),
    (libc::B115200, 115_200),
    (libc::B230400, 230_400),
];

static FD: AtomicI32 = AtomicI32::new(-1);
static LINK: OnceLock<Mutex<UnixStream>> = OnceLock::new();
/// What the guest reads, and what it has set, as `TIOCM_…` bits.
static INPUTS: AtomicI32 = AtomicI32::new(libc::TIOCM_CTS | libc::TIOCM_DSR | libc::TIOCM_CAR);
static OUTPUTS: AtomicI32 = AtomicI32::new(0);

const OUTPUT_BITS: c_int = libc::TIOCM_DTR | libc::TIOCM_RTS;

pub(super) fn opened(fd: c_int) {
    if LINK.get().is_none()
        && let Some(stream) = link::connect("HIL_SERIAL_SOCKET")
        && let Ok(heard) = stream.try_clone()
    {
        let _ = LINK.set(Mutex::new(stream));
        link::listen(heard, |message| {
            if let Message::Lines(lines) = message {
                INPUTS.store(bits(lines), Ordering::Release);
            }
        });
    }
    FD.store(fd, Ordering::Release);
}

pub(super) fn closed(fd: c_int) {
    let _ = FD.compare_exchange(fd, -1, Ordering::AcqRel, Ordering::Acquire);
}

fn is_ours(fd: c_int) -> bool {
    fd >= 0 && fd == FD.load(Ordering::Acquire)
}

fn tell(message: &Message) {
    if let Some(link) = LINK.get() {
        let mut out = Vec::new();
        message.put(&mut out);
        link::tell(link, &out);
    }
}

fn bits(lines: ModemLines) -> c_int {
    let ModemLines { cts, dsr, dcd, ri } = lines;
    let bit = |bit: c_int, on: bool| if on { bit } else { 0 };
    bit(libc::TIOCM_CTS, cts)
        | bit(libc::TIOCM_DSR, dsr)
        | bit(libc::TIOCM_CAR, dcd)
        | bit(libc::TIOCM_RNG, ri)
}

/// Answers a request about the lines of our port; `None`: it is about something else.
///
/// # Safety
///
/// `argument` points to what `TIOCMGET` and `TIOCMSET` want: an int.
pub(super) unsafe fn ioctl(fd: c_int, request: c_ulong, argument: *mut c_void) -> Option<Answer> {
    if !is_ours(fd) {
        return None;
    }
    let bits = argument.cast::<c_int>();
    match request {
        libc::TIOCMGET => {
            let lines = INPUTS.load(Ordering::Acquire) | OUTPUTS.load(Ordering::Acquire);
            // SAFETY: as the caller promises.
            unsafe { *bits = lines };
            Some(Ok(0))
        }
        libc::TIOCMSET => {
            // SAFETY: as the caller promises.
            let outputs = unsafe { *bits } & OUTPUT_BITS;
            if OUTPUTS.swap(outputs, Ordering::AcqRel) != outputs {
                let on = |bit: c_int| outputs & bit != 0;
                tell(&Message::Outputs { dtr: on(libc::TIOCM_DTR), rts: on(libc::TIOCM_RTS) });
            }
            Some(Ok(0))
        }
        _ => None,
    }
}

/// The guest has set the line. A pty forgets the format; the bench hears of it here.
pub(super) fn set(fd: c_int, settings: &libc::termios) {
    if !is_ours(fd) {
        return;
    }
    let flag = |flag: libc::tcflag_t| settings.c_cflag & flag != 0;
    let bits = match settings.c_cflag & libc::CSIZE {
        libc::CS5 => 5,
        libc::CS6 => 6,
        libc::CS7 => 7,
        _ => 8,
    };
    let parity = match (flag(libc::PARENB), flag(libc::PARODD)) {
        (false, _) => b'N',
        (true, true) => b'O',
        (true, false) => b'E',
    };
    // SAFETY: the settings are whole.
    let speed = unsafe { libc::cfgetospeed(settings) };
    let baud = SPEEDS.iter().find(|(code, _)| *code == speed).map_or(0, |(_, baud)| *baud);
    let stop = if flag(libc::CSTOPB) { 2 } else { 1 };
    tell(&Message::Format { baud, bits, parity, stop });
}

pub(super) fn sent_break(fd: c_int) {
    if is_ours(fd) {
        tell(&Message::Break);
    }
}
