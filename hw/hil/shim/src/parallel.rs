//! A `ppdev` port that is not there: every access of the guest to a register of its port is one ioctl here, answered by
//! the model of a printer's end of the cable.
//!
//! Bytes go to the bench on a thread of their own, a moment later than they come: one system call for many.

use std::ffi::{c_int, c_ulong, c_void};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use despool_hil_models::ieee1284::{Modes, Peripheral};
use despool_hil_models::shim::{Message, Remote};

use crate::{Answer, link};

/// Bytes are gathered this long before the bench is told.
const GATHER: Duration = Duration::from_millis(1);

/// Requests of `linux/ppdev.h`.
const PPSETMODE: c_ulong = 0x4004_7080;
const PPRSTATUS: c_ulong = 0x8001_7081;
const PPRCONTROL: c_ulong = 0x8001_7083;
const PPWCONTROL: c_ulong = 0x4001_7084;
const PPRDATA: c_ulong = 0x8001_7085;
const PPWDATA: c_ulong = 0x4001_7086;
const PPCLAIM: c_ulong = 0x708b;
const PPRELEASE: c_ulong = 0x708c;
const PPEXCL: c_ulong = 0x708f;
const PPDATADIR: c_ulong = 0x4004_7090;
const PPNEGOT: c_ulong = 0x4004_7091;
const PPGETMODES: c_ulong = 0x8004_7097;

/// `PARPORT_MODE_PCSPP | PARPORT_MODE_TRISTATE`: what QEMU's port can do with a port that can do this.
const MODES: c_int = 1 | 2;

struct Port {
    peripheral: Mutex<Peripheral<Remote>>,
    /// The printer took something, or was reset.
    news: Condvar,
}

static PORT: OnceLock<Arc<Port>> = OnceLock::new();
static FD: AtomicI32 = AtomicI32::new(-1);

impl Port {
    fn lock(&self) -> MutexGuard<'_, Peripheral<Remote>> {
        self.peripheral.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// "Opens" the port: a descriptor that nobody else has.
pub(super) fn open() -> Answer {
    let port = match PORT.get() {
        Some(port) => Arc::clone(port),
        None => connect().ok_or(libc::ENXIO)?,
    };
    let _ = PORT.set(port);
    // SAFETY: no pointers.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    if fd < 0 {
        return Err(libc::EMFILE);
    }
    FD.store(fd, Ordering::Release);
    Ok(fd)
}

pub(super) fn closed(fd: c_int) {
    let _ = FD.compare_exchange(fd, -1, Ordering::AcqRel, Ordering::Acquire);
}

fn connect() -> Option<Arc<Port>> {
    let stream = link::connect("HIL_PARALLEL_SOCKET")?;
    let heard = stream.try_clone().ok()?;
    let stream = Arc::new(Mutex::new(stream));
    let peripheral = Peripheral::new(Remote::default(), Modes::default(), Vec::new());
    let port = Arc::new(Port { peripheral: Mutex::new(peripheral), news: Condvar::new() });
    let (ours, to) = (Arc::clone(&port), Arc::clone(&stream));
    link::listen(heard, move |message| {
        let answer = hear(&mut ours.lock(), message);
        link::tell(&to, &answer);
    });
    let ours = Arc::clone(&port);
    let told = std::thread::Builder::new().name("hil-shim".into()).spawn(move || {
        loop {
            let mut peripheral = ours.lock();
            while !peripheral.engine().has_news() {
                peripheral = ours.news.wait(peripheral).unwrap_or_else(PoisonError::into_inner);
            }
            let gathered = ours.news.wait_timeout_while(peripheral, GATHER, |_| true);
            let (mut peripheral, _) = gathered.unwrap_or_else(PoisonError::into_inner);
            let mut out = Vec::new();
            // Still locked, so that what is told here and what is answered to the bench cannot change places.
            peripheral.engine().tell(&mut out);
            link::tell(&stream, &out);
        }
    });
    told.ok()?;
    Some(port)
}

/// Does what the bench says; the answer to it.
fn hear(peripheral: &mut Peripheral<Remote>, message: Message) -> Vec<u8> {
    let mut out = Vec::new();
    match peripheral.engine().hear(message) {
        Some(Message::Id(id)) => peripheral.set_id(id),
        Some(Message::Modes(modes)) => peripheral.set_modes(modes),
        Some(Message::Restore(registers)) => peripheral.restore(registers, Instant::now()),
        Some(Message::Ask) => {
            peripheral.engine().tell(&mut out);
            let (accesses, taken, _) = peripheral.counts();
            Message::State { registers: peripheral.registers(), accesses, taken }.put(&mut out);
        }
        _ => {}
    }
    out
}

/// Answers a request to our port; `None`: it is not to ours.
///
/// # Safety
///
/// `argument` points to what this request of `ppdev` reads or writes.
pub(super) unsafe fn ioctl(fd: c_int, request: c_ulong, argument: *mut c_void) -> Option<Answer> {
    if fd < 0 || fd != FD.load(Ordering::Acquire) {
        return None;
    }
    let port = PORT.get()?;
    let mut peripheral = port.lock();
    let byte = argument.cast::<u8>();
    let now = Instant::now();
    let had_news = peripheral.engine().has_news();
    // SAFETY: as the caller promises: a byte or an int, as the request has it.
    unsafe {
        match request {
            PPRSTATUS => *byte = peripheral.read_status(now),
            PPRCONTROL => *byte = peripheral.read_control(),
            PPWCONTROL => peripheral.write_control(*byte, now),
            PPRDATA => *byte = peripheral.read_data(),
            PPWDATA => peripheral.write_data(*byte),
            PPDATADIR => peripheral.set_reversed(*argument.cast::<c_int>() != 0),
            PPGETMODES => *argument.cast::<c_int>() = MODES,
            PPCLAIM | PPRELEASE | PPEXCL | PPSETMODE | PPNEGOT => {}
            _ => return Some(Err(libc::ENOTTY)),
        }
    }
    // Only the first byte wakes the thread that tells the bench. Were it woken for each, it would contend with QEMU's processor for
    // the lock at each, and QEMU's other threads for the one that is held meanwhile.
    if !had_news && peripheral.engine().has_news() {
        port.news.notify_one();
    }
    Some(Ok(0))
}
