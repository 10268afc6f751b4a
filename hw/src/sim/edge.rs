//! What the edges share: a thread that can be stopped, and the way of bytes from a descriptor to the printer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::device::SimHandle;
use super::model::Model;
use crate::limits::{SIM_READ_BYTES, SIM_READS};
use crate::{Bell, Error};

/// A thread that ends when this is dropped.
#[derive(Debug)]
pub(super) struct Worker {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

/// The thread's view of it: it ends when asked, and the bell rings then.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    asked: Arc<AtomicBool>,
    pub(super) bell: Bell,
}

impl Stop {
    pub(super) fn asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }
}

impl Worker {
    pub(super) fn spawn(
        name: &str,
        run: impl FnOnce(Stop) + Send + 'static,
    ) -> Result<Self, Error> {
        let stop = Stop { asked: Arc::default(), bell: Bell::new()? };
        let inner = stop.clone();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || run(inner));
        let thread = thread.map_err(|source| Error::Ours { doing: "starting a thread", source })?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Wakes the thread.
    pub(super) fn wake(&self) {
        self.stop.bell.ring();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.asked.store(true, Ordering::Release);
        self.stop.bell.ring();
        let thread = self.thread.take();
        // Dropped by a hook that runs on the thread itself: it ends when the hook returns.
        if let Some(thread) = thread.filter(|it| it.thread().id() != thread::current().id()) {
            // It said its last word in its own panic message.
            let _ = thread.join();
        }
    }
}

/// Bytes between a descriptor and the printer: read, not yet taken.
#[derive(Debug)]
pub(super) struct Intake {
    buf: Box<[u8]>,
    start: usize,
    end: usize,
}

/// The host at the other end of a wire.
pub(super) trait Host {
    /// Reads from the wire.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>;

    /// The printer took these bytes, perhaps none.
    fn took(&mut self, bytes: &[u8]);

    /// Moves what the printer says to the host; `asked`: this host's bytes made it say so.
    fn hear(&mut self, model: &mut Model, asked: bool);
}

/// Why a pump stopped.
#[derive(Debug)]
pub(super) enum Pumped {
    /// Not yet: there may be more.
    More,
    /// The wire has nothing more now.
    Dry,
    /// The printer takes nothing more now.
    Full,
    /// The host's last byte was taken.
    End,
    /// The wire broke.
    Broken,
}

impl Default for Intake {
    fn default() -> Self {
        Self { buf: vec![0; SIM_READ_BYTES].into_boxed_slice(), start: 0, end: 0 }
    }
}

impl Intake {
    /// Read, but not yet taken.
    pub(super) fn waiting(&self) -> &[u8] {
        self.buf.get(self.start..self.end).unwrap_or_default()
    }

    /// Forgets what was not taken.
    pub(super) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// Moves bytes from the host to the printer, at most `limit` of them, a bounded number of times.
    pub(super) fn pump(
        &mut self,
        printer: &SimHandle,
        mut limit: usize,
        host: &mut impl Host,
    ) -> Pumped {
        for _ in 0..SIM_READS {
            let (len, room) = self.offer(printer, limit, host);
            self.start = self.start.saturating_add(len);
            limit = limit.saturating_sub(len);
            let room = room.min(limit).min(self.buf.len());
            if room == 0 || !self.waiting().is_empty() {
                return Pumped::Full;
            }
            match host.read(self.buf.get_mut(..room).unwrap_or_default()) {
                Ok(0) => return Pumped::End,
                Ok(len) => (self.start, self.end) = (0, len),
                Err(error) if is_later(&error) => return Pumped::Dry,
                Err(_) => return Pumped::Broken,
            }
        }
        Pumped::More
    }

    /// Offers what waits; how much was taken, and how much room there is now.
    fn offer(&self, printer: &SimHandle, limit: usize, host: &mut impl Host) -> (usize, usize) {
        let bytes = self.waiting();
        let bytes = bytes.get(..limit).unwrap_or(bytes);
        let (len, room) = printer.with(|state, now| {
            host.hear(&mut state.model, false);
            let len = state.model.take(bytes, None, now);
            host.hear(&mut state.model, true);
            (len, state.model.wire_room(now))
        });
        host.took(bytes.get(..len).unwrap_or_default());
        (len, room)
    }
}

/// Gives the front of `out` to a descriptor that does not block; what it does not take now stays.
pub(super) fn send(
    out: &mut Vec<u8>,
    write: impl FnOnce(&[u8]) -> io::Result<usize>,
) -> io::Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    match write(out) {
        Ok(sent) => drop(out.drain(..sent.min(out.len()))),
        Err(error) if is_later(&error) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Nothing is wrong; it is to be tried again.
pub(super) fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
