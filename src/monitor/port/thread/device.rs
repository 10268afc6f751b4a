//! What the thread does at the port itself: open it, write, read, and the one wait.

use std::time::Instant;

use despool_hw::{Arrival, Error, Interest, Port, Ready};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::super::lane::PortEvent;
use super::super::stream::{Phase, Step, Stop, Stream};
use super::Driver;
use crate::limits::{CONNECT_WAIT, GLANCE, READ_BYTES, STALL_AFTER};

impl Driver<'_> {
    /// Opens the port, or waits until that is worth trying.
    pub(super) fn open(&mut self) {
        if let Some((at, _)) = self.rest
            && at > Instant::now()
        {
            return self.wait_for_bell(Some(at));
        }
        let opened = despool_hw::open(&self.ends.uri).and_then(|mut port| {
            let device_id = port.device_id()?;
            Ok((port, device_id))
        });
        match opened {
            Ok((port, device_id)) => {
                self.arrival = None;
                self.upward.opened(port.facts(), device_id);
                self.port = Some(port);
            }
            Err(error) => self.await_arrival(&error),
        }
    }

    fn await_arrival(&mut self, error: &Error) {
        // What is not there will come anew.
        self.rest = None;
        self.upward.absent(error.to_string());
        let uri = &self.ends.uri;
        let arrival = self.arrival.get_or_insert_with(|| Arrival::new(uri));
        if let Err(error) = arrival.wait(&self.ends.bell, None) {
            // Out of descriptors: the bell still works, and so does trying again when it rings.
            tracing::error!(%error, "cannot wait for the device");
            self.arrival = None;
            self.wait_for_bell(None);
        }
    }

    fn wait_for_bell(&self, until: Option<Instant>) {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let mut fds = [PollFd::new(&self.ends.bell, PollFlags::IN)];
        // Interrupted, it is waited again.
        let _ = poll(&mut fds, left.as_ref());
        self.ends.bell.hush();
    }

    /// Makes the port ready for the document; false where that must wait.
    pub(super) fn begin_job(&mut self) -> Result<bool, Stop> {
        let (Some(port), Some(stream)) = (self.port.as_deref_mut(), self.stream.as_mut()) else {
            return Ok(false);
        };
        let now = Instant::now();
        match port.begin_job(&self.ends.bell, now.checked_add(CONNECT_WAIT).unwrap_or(now)) {
            Ok(()) => {
                self.arrival = None;
                self.upward.ready(port.facts());
                stream.phase = Phase::Writing;
                stream.moved = Instant::now();
                Ok(true)
            }
            Err(Error::Rang { .. }) => Ok(false),
            Err(error) if error.is_waiting() => {
                // What has gone never comes back on the same handle.
                if matches!(error, Error::Gone { .. }) {
                    self.port = None;
                }
                self.await_arrival(&error);
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn write(&mut self) -> Result<Step, Stop> {
        let now = Instant::now();
        let upward = &self.upward;
        match (self.port.as_deref_mut(), self.stream.as_mut()) {
            (Some(port), Some(stream)) if stream.phase == Phase::Writing => {
                stream.step(port, now, |event| upward.tell(event))
            }
            // Whatever is said while the device stands in the middle of a job becomes part of the job.
            (Some(port), None) if self.parked.is_none() => {
                let Some(piece) = self.idle.front().filter(|_| !self.blocked) else {
                    return Ok(Step::Starved);
                };
                let took = port.write(piece.lend(self.idle_cursor))?;
                self.idle_cursor = self.idle_cursor.saturating_add(took);
                self.blocked = took == 0;
                if self.idle_cursor >= piece.len() {
                    self.idle.pop_front();
                    self.idle_cursor = 0;
                }
                Ok(if self.blocked { Step::Blocked } else { Step::Moved })
            }
            _ => Ok(Step::Starved),
        }
    }

    pub(super) fn end_job(&mut self) -> Result<(), Stop> {
        if let (Some(port), Some(stream)) = (self.port.as_deref_mut(), self.stream.as_mut()) {
            port.end_job()?;
            stream.phase = Phase::Draining;
        }
        Ok(())
    }

    /// Looks at the back channel without waiting, now and then in the middle of a stream of writes.
    pub(super) fn glance(&mut self) -> Result<(), Stop> {
        self.stall(false);
        let now = Instant::now();
        if now.saturating_duration_since(self.looked) < GLANCE {
            return Ok(());
        }
        self.looked = now;
        self.read()
    }

    /// Waits for whatever comes next.
    pub(super) fn wait(&mut self) -> Result<(), Stop> {
        let Some(port) = self.port.as_deref_mut() else { return Ok(()) };
        let has_moved = |stream: Option<&mut Stream>, port: &dyn Port| {
            stream.is_some_and(|stream| stream.has_moved(port, Instant::now()))
        };
        has_moved(self.stream.as_mut(), port);
        let draining = self.stream.as_ref().is_some_and(|stream| stream.phase == Phase::Draining);
        let wants = self.stream.as_ref().is_some_and(Stream::wants_to_write);
        let speaks = self.stream.is_none() && self.parked.is_none() && !self.idle.is_empty();
        let interest = Interest {
            write: wants || speaks,
            read: port.facts().back_channel,
            line: true,
            drained: draining,
        };
        let stalls = self.stream.as_ref().filter(|_| wants && !self.stalled);
        let stalls = stalls.and_then(|stream| stream.moved.checked_add(STALL_AFTER));
        let until = [stalls, self.upward.due()].into_iter().flatten().min();
        let ready = port.wait(interest, &self.ends.bell, until)?;
        self.looked = Instant::now();
        self.blocked = self.blocked && !ready.write;
        let moved = has_moved(self.stream.as_mut(), port);
        let waited = stalls.is_some_and(|at| at <= Instant::now());
        self.upward.flush(Instant::now());
        if moved {
            self.stall(false);
        } else if waited && !ready.write {
            self.stall(true);
            if let (Some(port), Some(stream)) = (self.port.as_deref(), self.stream.as_mut()) {
                stream.settle(port)?;
            }
        }
        self.serve(ready)
    }

    fn serve(&mut self, ready: Ready) -> Result<(), Stop> {
        if ready.read {
            self.read()?;
        }
        if ready.line
            && let Some(port) = self.port.as_deref_mut()
        {
            let line = port.line()?;
            self.upward.line(line, Instant::now());
        }
        if ready.drained
            && self.stream.as_ref().is_some_and(|stream| stream.phase == Phase::Draining)
        {
            self.ended()?;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<(), Stop> {
        let mut buf = [0; READ_BYTES];
        let Some(port) = self.port.as_deref_mut().filter(|port| port.facts().back_channel) else {
            return Ok(());
        };
        let got = port.read(&mut buf)?;
        if got > 0 {
            self.upward.back(buf.get(..got).unwrap_or_default(), Instant::now());
        }
        Ok(())
    }

    pub(super) fn stall(&mut self, stalled: bool) {
        if std::mem::replace(&mut self.stalled, stalled) != stalled {
            self.upward.tell(PortEvent::Stalled(stalled));
        }
    }
}
