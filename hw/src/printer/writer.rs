//! A thread that writes to the node of a printer, and waits in the driver until the printer has what it writes.
//!
//! ```text
//!   port thread ──loads──► thread ──write, which waits──► driver ──► printer
//!        ▲                  │  └── note ──► ledger
//!        └───── bell ◄──────┘ a load has left, or something failed
//! ```
//!
//! Only a write that waits says how its transfers ended, and makes the next one as soon as the driver can. It is ended by a
//! signal ([`Writer::end`]), and by a stop of the whole process: nobody knows then whether one more transfer was made. The
//! transfer in which a write ends early may have left in part.
//!
//! The one invariant: what has not begun was never offered to the driver, and what has left is in the printer; the ledger has
//! noted both, of a job's bytes, before a write begins.

mod load;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};
use rustix::io::Errno;

use super::pace::Pace;
use crate::limits::{
    USBLP_END_TRIES, USBLP_LOAD_BYTES, USBLP_LOADS, USBLP_MORE_AT, USBLP_STOOD,
    USBLP_TRANSFER_BYTES, USBLP_TRANSFERS, USBLP_WRITE_BYTES,
};
use crate::sleeper::{Dismissed, Sleeper, run_first};
use crate::{Bell, Error, Lent};
use load::Load;

/// A running thread. Dropping it ends it, whatever it has not written.
#[derive(Debug)]
pub(super) struct Writer {
    /// Dropped before the thread is waited for, which else waits for more.
    loads: Option<Sender<Load>>,
    sleeper: Sleeper,
    given_loads: usize,
    /// Of jobs, as all counts of bytes.
    given_bytes: u64,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told when `State::paused` ends.
    goes_on: Condvar,
    /// Rings when a load has left, or something failed.
    moved: Bell,
}

#[derive(Debug, Default)]
struct State {
    left_loads: usize,
    begun_bytes: u64,
    left_bytes: u64,
    /// No write is to begin: who would end it is busy.
    paused: bool,
    /// A write has ended in the middle of a transfer, which the driver may still have.
    broken: bool,
    pace: Pace,
    /// A write took so long that the device had stopped.
    stood: bool,
    failure: Option<Failure>,
}

/// Why the thread has ended.
#[derive(Debug)]
pub(super) enum Failure {
    /// The device.
    Device(Errno),
    /// The document could not be read.
    Document(io::Error),
    /// What was to be offered could not be noted.
    Note(io::Error),
    /// We.
    Panic,
}

/// Rings when the thread has ended, however it has.
struct AtLast(Arc<Shared>);

impl Drop for AtLast {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.state().failure = Some(Failure::Panic);
        }
        self.0.moved.ring();
    }
}

/// Bytes of jobs that are not known to have left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) bytes: u64,
    /// Those of them that were never offered to the driver.
    pub(super) withheld: u64,
}

/// While it lives no write begins.
#[must_use]
pub(super) struct Pause(Arc<Shared>);

impl Drop for Pause {
    fn drop(&mut self) {
        self.0.state().paused = false;
        self.0.goes_on.notify_one();
    }
}

/// How a thread has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) held: Held,
    /// The driver may still have a transfer.
    pub(super) broken: bool,
}

impl Writer {
    /// Writes to `node`, whose writes wait.
    pub(super) fn start(node: Arc<OwnedFd>) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            goes_on: Condvar::new(),
            moved: Bell::new()?,
        });
        let (loads, given) = bounded(USBLP_LOADS);
        let told = Arc::clone(&shared);
        let sleeper = Sleeper::start("port write", USBLP_END_TRIES, move |dismissed| {
            let told = AtLast(told);
            if let Err(error) = run_first() {
                tracing::debug!(%error, "a printer's thread waits for the processor like any other");
            }
            let failure = told.0.write_all(&node, &given, dismissed).err();
            told.0.state().failure = failure;
        });
        let doing = "starting a thread that writes to a printer";
        let sleeper = sleeper.map_err(|source| Error::Ours { doing, source })?;
        Ok(Self { loads: Some(loads), sleeper, given_loads: 0, given_bytes: 0, shared })
    }

    /// Rings when a load has left, of a slow printer a transfer, or something failed.
    pub(super) fn moved(&self) -> &Bell {
        &self.shared.moved
    }

    /// For the next job it is to be seen anew whether the printer is fast.
    pub(super) fn begin_job(&self) {
        self.shared.state().pace = Pace::default();
    }

    /// True where the printer takes data fast.
    pub(super) fn is_fast(&self) -> bool {
        self.shared.state().pace.is_fast()
    }

    /// At most so many bytes are taken at a time.
    pub(super) fn load_bytes(&self) -> usize {
        if self.is_fast() { USBLP_LOAD_BYTES } else { USBLP_TRANSFER_BYTES }
    }

    /// True where another load is taken.
    pub(super) fn has_room(&self) -> bool {
        let state = self.shared.state();
        let limit = if state.pace.is_fast() { USBLP_LOADS } else { USBLP_TRANSFERS };
        self.given_loads.wrapping_sub(state.left_loads) < limit
    }

    /// True where all that was given has left.
    pub(super) fn is_idle(&self) -> bool {
        self.given_loads == self.shared.state().left_loads
    }

    /// Takes the front of the loan; how many bytes, 0 where there is no room. Fails only where the process has no descriptor
    /// left.
    pub(super) fn give(&mut self, lent: Lent<'_>) -> io::Result<usize> {
        let limit = self.load_bytes();
        let Some(loads) = self.loads.as_ref().filter(|_| self.has_room()) else { return Ok(0) };
        let load = Load::of(lent.first(limit))?;
        let (bytes, counted) = (load.bytes, load.counted(load.bytes));
        if loads.try_send(load).is_err() {
            return Ok(0);
        }
        self.given_loads = self.given_loads.wrapping_add(1);
        self.given_bytes = self.given_bytes.saturating_add(counted);
        Ok(bytes)
    }

    /// Until the guard is dropped no write begins. For a call that may take long, during which no cancel is heard.
    pub(super) fn pause(&self) -> Pause {
        self.shared.state().paused = true;
        Pause(Arc::clone(&self.shared))
    }

    /// What is not known to have left.
    pub(super) fn held(&self) -> Held {
        self.shared.state().held(self.given_bytes)
    }

    /// True where the device has gone on after it had stopped for [`USBLP_STOOD`], once.
    pub(super) fn has_stood(&self) -> bool {
        std::mem::take(&mut self.shared.state().stood)
    }

    /// Why no more will leave, once.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.shared.state().failure.take()
    }

    /// Ends the thread in the middle of a write.
    pub(super) fn end(mut self) -> Ended {
        self.loads = None;
        let ended = self.sleeper.end();
        let state = self.shared.state();
        Ended { held: state.held(self.given_bytes), broken: state.broken || !ended }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn until_it_goes_on(&self) -> MutexGuard<'_, State> {
        let waited = self.goes_on.wait_while(self.state(), |state| state.paused);
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// Until nothing more is given, or the thread is dismissed.
    fn write_all(
        &self,
        node: &OwnedFd,
        given: &Receiver<Load>,
        dismissed: &Dismissed,
    ) -> Result<(), Failure> {
        let mut buf = vec![0; USBLP_WRITE_BYTES];
        for load in given {
            let mut from = 0;
            while from < load.bytes {
                let limit = self.until_it_goes_on().pace.write_bytes();
                if dismissed.yet() {
                    return Ok(());
                }
                let bytes = load.read(from, limit, &mut buf).map_err(Failure::Document)?;
                load.note(from, bytes.len()).map_err(Failure::Note)?;
                self.write(node, bytes, &load, dismissed).map_err(Failure::Device)?;
                from = from.saturating_add(bytes.len());
            }
            let mut state = self.state();
            state.left_loads = state.left_loads.wrapping_add(1);
            drop(state);
            if given.len() <= USBLP_MORE_AT {
                self.moved.ring();
            }
        }
        Ok(())
    }

    fn write(
        &self,
        node: &OwnedFd,
        bytes: &[u8],
        load: &Load,
        dismissed: &Dismissed,
    ) -> Result<(), Errno> {
        let mut state = self.state();
        // Who dismisses looks at the state afterwards.
        if dismissed.yet() {
            return Err(Errno::INTR);
        }
        state.begun_bytes = state.begun_bytes.saturating_add(load.counted(bytes.len()));
        drop(state);
        let begun = Instant::now();
        let written = rustix::io::write(node, bytes);
        let now = Instant::now();
        let count = written.unwrap_or(0);
        let mut state = self.state();
        state.left_bytes = state.left_bytes.saturating_add(load.counted(count));
        if count < bytes.len() {
            // The transfers before the one that failed have left, and those behind it were not made.
            let reach = state.left_bytes.saturating_add(load.counted(USBLP_TRANSFER_BYTES));
            state.begun_bytes = state.begun_bytes.min(reach);
            state.broken = true;
            return Err(written.err().unwrap_or(Errno::IO));
        }
        state.pace.wrote(count, begun, now);
        state.stood |= now.saturating_duration_since(begun) >= USBLP_STOOD;
        // Of a slow printer each transfer is told of.
        let is_slow = !state.pace.is_fast();
        drop(state);
        if is_slow {
            self.moved.ring();
        }
        Ok(())
    }
}

impl State {
    fn held(&self, given_bytes: u64) -> Held {
        Held {
            bytes: given_bytes.saturating_sub(self.left_bytes),
            withheld: given_bytes.saturating_sub(self.begun_bytes),
        }
    }
}

#[cfg(test)]
mod tests;
