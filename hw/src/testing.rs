//! What the tests of several rooms need. Every wait here has a deadline.

use std::io::Write;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use crate::poll::poll;
use crate::{Bell, Interest, Lent, Port};

/// Long enough for any machine; a test that comes to it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn soon() -> Instant {
    Instant::now() + PATIENCE
}

/// A moment from now: for waits that must find nothing.
pub(crate) fn shortly() -> Instant {
    Instant::now() + Duration::from_millis(30)
}

pub(crate) const WRITE: Interest =
    Interest { write: true, read: false, line: false, drained: false };
pub(crate) const READ: Interest =
    Interest { write: false, read: true, line: false, drained: false };
pub(crate) const LINE: Interest =
    Interest { write: false, read: false, line: true, drained: false };
pub(crate) const DRAINED: Interest =
    Interest { write: false, read: false, line: false, drained: true };

/// Bytes in which every offset shows.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at.wrapping_mul(31) ^ (at >> 8)) as u8).collect()
}

/// Offers bytes until the port takes no more now; how many it took.
pub(crate) fn fill(port: &mut dyn Port, bytes: &[u8]) -> usize {
    let mut taken = 0;
    while taken < bytes.len() {
        match port.write(Lent::memory(&bytes[taken..])).unwrap() {
            0 => break,
            count => taken += count,
        }
    }
    taken
}

/// Offers bytes until the port takes no more for a while; how many it took.
pub(crate) fn stuff(port: &mut dyn Port, bytes: &[u8]) -> usize {
    let bell = Bell::new().unwrap();
    let mut taken = fill(port, bytes);
    while port.wait(WRITE, &bell, Some(shortly())).unwrap().write {
        taken += fill(port, &bytes[taken..]);
        assert!(taken < bytes.len(), "it takes everything");
    }
    taken
}

/// Writes all of it, waiting for room as a port thread does.
pub(crate) fn write_all(port: &mut dyn Port, bytes: &[u8]) {
    let bell = Bell::new().unwrap();
    let mut taken = 0;
    while taken < bytes.len() {
        taken += fill(port, &bytes[taken..]);
        if taken < bytes.len() {
            assert!(
                port.wait(WRITE, &bell, Some(soon())).unwrap().write,
                "no room after {taken} bytes"
            );
        }
    }
}

/// Reads from the far end until `len` bytes have come.
pub(crate) fn take(fd: impl AsFd, len: usize) -> Vec<u8> {
    let until = soon();
    let mut taken = vec![0; len];
    let mut count = 0;
    while count < len {
        assert!(readable(&fd, until), "{count} of {len} bytes came");
        match rustix::io::read(&fd, &mut taken[count..]) {
            Ok(0) => panic!("the end came after {count} of {len} bytes"),
            Ok(more) => count += more,
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => panic!("after {count} of {len} bytes: {errno}"),
        }
    }
    taken
}

/// Waits until there is something to read.
pub(crate) fn readable(fd: impl AsFd, until: Instant) -> bool {
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(until)).unwrap()
}

/// Rings while the port waits for `interest`, and sees that this ends the wait. What else happens meanwhile may end it too.
pub(crate) fn hears_the_bell(port: &mut dyn Port, interest: Interest) {
    let bell = Bell::new().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| bell.ring());
        let until = soon();
        while !port.wait(interest, &bell, Some(until)).unwrap().bell {
            assert!(Instant::now() < until, "the bell was not heard");
        }
    });
    assert!(!bell.hush(), "the wait hushes it");
}

/// Reads back-channel bytes until `len` have come.
pub(crate) fn hear(port: &mut dyn Port, len: usize) -> Vec<u8> {
    let bell = Bell::new().unwrap();
    let mut heard = Vec::new();
    let mut buf = [0; 512];
    while heard.len() < len {
        assert!(port.wait(READ, &bell, Some(soon())).unwrap().read, "heard {heard:?}");
        let count = port.read(&mut buf).unwrap();
        heard.extend_from_slice(&buf[..count]);
    }
    heard
}

/// Calls `then` with a mapped page that has been cut from under its mapping, as a damaged spool file has it.
pub(crate) fn with_torn_page(then: impl FnOnce(&[u8])) {
    use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&[7; 4096]).unwrap();
    // SAFETY: a fresh mapping of our own file at an address the kernel chooses; it is unmapped below, after its last use.
    let page =
        unsafe { mmap(std::ptr::null_mut(), 4096, ProtFlags::READ, MapFlags::SHARED, &file, 0) }
            .unwrap();
    file.set_len(0).unwrap();
    // SAFETY: the range is mapped for as long as the slice lives, and is only lent to the kernel, never read here.
    then(unsafe { std::slice::from_raw_parts(page.cast(), 4096) });
    // SAFETY: nothing refers to the mapping any more.
    unsafe { munmap(page, 4096) }.unwrap();
}
