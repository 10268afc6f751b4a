//! The modem lines of a tty: read at any time, and watched by a thread that sleeps in `TIOCMIWAIT`.
//!
//! ```text
//!   port thread ──lines()──► driver ◄──lines(), wait()── watcher thread
//!        ▲                                                    │
//!        └──────────── bell: the lines have changed ◄─────────┘ (and, for DTR/DSR, pulls the brake first)
//! ```
//!
//! `TIOCMIWAIT` does not see a change that falls between two calls of it. The watcher reads the lines before each call, so
//! what is left is the moment between that and the call; whoever waits for DSR looks again every
//! [`crate::limits::LINE_RECHECK`].

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;

use super::ioctl;
use crate::limits::SLEEPER_WAKE_TRIES;
use crate::sleeper::{Dismissed, Sleeper};
use crate::{Bell, Error, Lines};

/// The lines of a port. Behind a trait, because ptys have none: tests bring their own.
pub(super) trait Modem: Send + Sync + std::fmt::Debug {
    /// The lines now.
    fn lines(&self) -> Result<Lines, Errno>;

    /// Sleeps until a line changes; `EINTR` when a signal ends it.
    fn wait(&self) -> Result<(), Errno>;
}

/// The lines of a real tty. The descriptor is a duplicate: it has to be closed for the port to be closed.
#[derive(Debug)]
pub(super) struct TtyModem(pub(super) OwnedFd);

impl Modem for TtyModem {
    fn lines(&self) -> Result<Lines, Errno> {
        ioctl::lines(&self.0)
    }

    fn wait(&self) -> Result<(), Errno> {
        ioctl::wait_for_lines(&self.0)
    }
}

/// A thread that rings when the lines change.
#[derive(Debug)]
pub(super) struct Watcher {
    /// Rung at every change, and when the watching ends.
    pub(super) changed: Bell,
    ended: Arc<Mutex<Option<Errno>>>,
    _sleeper: Sleeper,
}

impl Watcher {
    /// Watches `modem`; `first` is called on the watching thread with the lines at every change, before the bell is rung.
    pub(super) fn start(
        modem: Arc<dyn Modem>,
        first: impl Fn(Lines) + Send + 'static,
    ) -> Result<Self, Error> {
        let changed = Bell::new()?;
        let ended = Arc::new(Mutex::new(None));
        let (ring, tell) = (changed.clone(), Arc::clone(&ended));
        let sleeper = Sleeper::start("port lines", SLEEPER_WAKE_TRIES, move |dismissed| {
            let errno = watch(&*modem, &ring, &first, dismissed);
            *tell.lock().unwrap_or_else(PoisonError::into_inner) = errno;
            ring.ring();
        });
        let doing = "starting a thread that watches the lines of a port";
        let sleeper = sleeper.map_err(|source| Error::Ours { doing, source })?;
        Ok(Self { changed, ended, _sleeper: sleeper })
    }

    /// Why the watching has ended, if it has: `ENOTTY` where the driver has no `TIOCMIWAIT`.
    pub(super) fn ended(&self) -> Option<Errno> {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn watch(
    modem: &dyn Modem,
    ring: &Bell,
    first: &impl Fn(Lines),
    dismissed: &Dismissed,
) -> Option<Errno> {
    let mut seen = None;
    while !dismissed.yet() {
        match modem.lines() {
            Ok(lines) if seen != Some(lines) => {
                first(lines);
                seen = Some(lines);
                // Also at the start: the port may have looked before we did.
                ring.ring();
            }
            Ok(_) => {}
            Err(errno) => return Some(errno),
        }
        match modem.wait() {
            Ok(()) | Err(Errno::INTR) => {}
            Err(errno) => return Some(errno),
        }
    }
    None
}
