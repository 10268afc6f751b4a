//! The bell: wakes a thread that waits on a device.
//!
//! An `eventfd`. Whoever has a clone may ring it; the thread that owns the port hands it to [`crate::Port::wait`] and
//! wakes at once. Rings are not counted: many rings before one wait are one wake.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{EventfdFlags, eventfd};

use crate::Error;

/// A wake-up line to a thread that waits on a device. Cheap to clone; all clones ring the same bell.
#[derive(Clone, Debug)]
pub struct Bell {
    fd: Arc<OwnedFd>,
}

impl Bell {
    /// A bell that nobody has rung yet. Fails only where the process has no descriptor left.
    pub fn new() -> Result<Self, Error> {
        let fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)
            .map_err(|source| Error::Ours { doing: "making a bell", source: source.into() })?;
        Ok(Self { fd: Arc::new(fd) })
    }

    /// Wakes the waiting thread, or the next wait if none is under way. Never blocks.
    pub fn ring(&self) {
        // The counter saturates after 2^64-2 rings without a wait: the wake-up is pending by then anyway.
        let _ = rustix::io::write(&*self.fd, &1u64.to_ne_bytes());
    }

    /// Takes the rings so far; true if there was one.
    pub fn hush(&self) -> bool {
        let mut count = [0u8; 8];
        rustix::io::read(&*self.fd, &mut count).is_ok()
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rings_are_one_wake() {
        let bell = Bell::new().unwrap();
        assert!(!bell.hush());
        bell.ring();
        bell.clone().ring();
        assert!(bell.hush());
        assert!(!bell.hush());
    }
}
