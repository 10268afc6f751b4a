//! USB printers, claimed and driven by ourselves (through `nusb` and usbfs).
//!
//! ```text
//!   write ──pread──► transfer buffers ──► several bulk-OUT transfers in flight ──► printer     window: a quarter second
//!   read  ◄── inbox ◄── one bulk-IN transfer, always pending ◄──────────────────── printer
//!   line  ◄── GET_PORT_STATUS, asked for now and then ◄─────────────────────────── printer
//!   wait: one poll over the bell and one that nusb's thread rings at every completion
//! ```
//!
//! Nothing here waits for the device but [`UsbPort::open`], `device_id`, `soft_reset` and `begin_job`, each for a bounded
//! time. A transfer has no timeout: how long a job may take is the job's business. What must be waited for on the way (a halt to
//! be cleared) runs on a thread of its own ([`errand::Errand`]).
//!
//! Bytes of a mapped document are copied by `pread` into buffers that the kernel sends from: the mapping is never read, so
//! a page that vanishes from under it is an error and no signal.
//!
//! The one invariant: a byte is counted as accepted only when its transfer has ended as it should, or the host controller
//! has said how much of it had gone.

mod class;
mod descriptors;
mod errand;
pub(crate) mod find;
mod flights;
mod hearing;
pub(crate) mod hotplug;
pub(crate) mod identity;
mod known;
pub(crate) mod open;
mod pipes;
mod quirks;
mod status;
mod usbfs;
mod wait;
mod window;

use std::time::Instant;

pub(crate) use class::line_of;
pub use quirks::{Quirk, QuirkError, set_quirks};

use crate::fault::gone;
use crate::limits::{USB_CANCEL_WAIT, USB_RESET_WAIT, USB_TRANSFER_BYTES};
use crate::poll::after;
use crate::{Bell, Canceled, Error, Interest, Lent, Line, Port, PortFacts, Ready, Tail};
use errand::Errand;
use flights::Flights;
use hearing::Hearing;
use pipes::{Pipes, Work};
use status::Status;

/// A claimed USB printer.
pub struct UsbPort {
    name: String,
    /// Rung at every completion.
    done: Bell,
    pipes: Box<dyn Pipes>,
    flights: Flights,
    hearing: Hearing,
    status: Status,
    /// Something is being put right with the device; until it is, nothing is sent.
    mending: Option<Errand>,
    /// Why the device is of no use any more.
    broken: Option<String>,
    /// A job is under way: its status is asked for more often.
    in_job: bool,
    /// Half a job was left in the device: it has to forget it before the next one.
    half_a_job: bool,
    /// What the device is remembered by when this port is closed.
    key: Option<known::Key>,
    resettable: bool,
    device_id: Option<String>,
    told: Line,
}

impl std::fmt::Debug for UsbPort {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("UsbPort").field("name", &self.name).finish_non_exhaustive()
    }
}

impl UsbPort {
    /// The error of a device that is of no use any more.
    fn alive(&self) -> Result<(), Error> {
        match &self.broken {
            None => Ok(()),
            Some(why) => Err(gone(&self.name, why.clone())),
        }
    }

    fn fail(&mut self, why: impl Into<String>) {
        self.broken.get_or_insert(why.into());
    }

    /// Takes what has been completed since the last look.
    fn take_in(&mut self) {
        let now = Instant::now();
        if let Err(why) = self.flights.take_in(&mut *self.pipes, now) {
            self.fail(why);
        }
        if let Err(why) = self.hearing.take_in(&mut *self.pipes, now) {
            self.fail(why);
        }
        let busy = self.in_job;
        if let Err(why) = self.status.take_in(&mut *self.pipes, busy, now) {
            self.fail(why);
        }
        self.mend(now);
    }

    /// Sees to a halted endpoint, and goes on once it has been put right.
    fn mend(&mut self, now: Instant) {
        if let Some(errand) = &self.mending {
            match errand.outcome() {
                None => return,
                Some(Ok(())) => {}
                Some(Err(why)) => self.fail(why),
            }
            self.mending = None;
            self.hearing.mended(now);
            self.flights.go_on(&mut *self.pipes, now);
        }
        let (out, back) = (self.flights.is_halted(), self.hearing.is_halted());
        if self.broken.is_none() && (out || back) {
            self.run(|pipes| pipes.clear_halts(out, back));
        }
    }

    /// Has something done with the device on a thread of its own.
    fn run(&mut self, make: impl FnOnce(&mut dyn Pipes) -> Work) {
        match Errand::start(make(&mut *self.pipes), self.done.clone()) {
            Ok(errand) => self.mending = Some(errand),
            Err(error) => self.fail(error.to_string()),
        }
    }

    fn in_flight_now(&self) -> u64 {
        self.flights.in_flight()
    }

    fn line_now(&self) -> Line {
        Line { held_back: Some(self.flights.is_stalled()), ..self.status.line() }
    }

    /// Has the device forget the half job that it holds. True: it has; false: `until` came first.
    fn forget(&mut self, bell: Option<&Bell>, until: Instant) -> Result<bool, Error> {
        if !self.await_mending(bell, until)? {
            return Ok(false);
        }
        self.run(|pipes| pipes.soft_reset());
        self.await_mending(bell, until)
    }

    /// Waits until nothing is being put right any more. False: `until` came first.
    fn await_mending(&mut self, bell: Option<&Bell>, until: Instant) -> Result<bool, Error> {
        let quiet = Bell::new()?;
        loop {
            self.take_in();
            self.alive()?;
            if self.mending.is_none() {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            let rang = self.sleep(bell.unwrap_or(&quiet), Some(until))?;
            if rang && bell.is_some_and(Bell::hush) {
                return Err(Error::Rang { port: self.name.clone() });
            }
        }
    }
}

impl Drop for UsbPort {
    fn drop(&mut self) {
        if let Some(key) = self.key.filter(|_| self.half_a_job) {
            known::remember_half(key);
        }
    }
}

impl Port for UsbPort {
    fn facts(&self) -> PortFacts {
        let back_channel = self.hearing.is_there();
        PortFacts { back_channel, job_is_connection: false, keeps_place: true }
    }

    fn write_limit(&self) -> usize {
        USB_TRANSFER_BYTES
    }

    /// A device that holds half a job which was canceled is reset first: bytes that it has not printed are forgotten.
    fn begin_job(&mut self, bell: &Bell, until: Instant) -> Result<(), Error> {
        self.take_in();
        self.alive()?;
        if self.half_a_job && self.resettable {
            let patience = after(USB_RESET_WAIT).map_or(until, |at| at.min(until));
            if !self.forget(Some(bell), patience)? {
                // Whether it forgot is not sure; sending nothing more ever would be worse.
                tracing::warn!(port = %self.name, "the printer did not answer a reset after a cancel");
            }
        }
        self.half_a_job = false;
        self.in_job = true;
        self.flights.begin_job();
        Ok(())
    }

    fn write(&mut self, lent: Lent<'_>) -> Result<usize, Error> {
        self.take_in();
        self.alive()?;
        if self.mending.is_some() {
            return Ok(0);
        }
        let sent = self.flights.send(&mut *self.pipes, lent, Instant::now());
        sent.map_err(|source| Error::Document { port: self.name.clone(), source })
    }

    fn reads_pages(&self) -> bool {
        false
    }

    fn in_flight(&self) -> u64 {
        self.in_flight_now()
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        self.take_in();
        match self.hearing.read(buf) {
            0 => self.alive().map(|()| 0),
            count => Ok(count),
        }
    }

    fn wait(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<Ready, Error> {
        self.wait_for(interest, bell, until)
    }

    fn end_job(&mut self) -> Result<(), Error> {
        self.alive()
    }

    fn tail(&mut self) -> Result<Tail, Error> {
        self.take_in();
        self.alive()?;
        Ok(match self.in_flight_now() {
            0 => Tail::Empty,
            bytes => Tail::Bytes(bytes),
        })
    }

    /// Takes back what has not left. The host controller says how much of each transfer had; a device that has gone
    /// leaves that open.
    fn cancel(&mut self) -> Result<Canceled, Error> {
        self.take_in();
        let sent_some = self.flights.job_bytes() > 0;
        let until = after(USB_CANCEL_WAIT).unwrap_or_else(Instant::now);
        self.flights.cancel(&mut *self.pipes);
        while self.broken.is_none() && self.flights.is_flying() && Instant::now() < until {
            self.sleep(&self.done.clone(), Some(until))?;
            self.take_in();
        }
        let canceled = self.flights.withdraw();
        if self.flights.is_flying() {
            self.fail("transfers could not be taken back");
        }
        self.half_a_job |= sent_some;
        self.in_job = false;
        Ok(canceled)
    }

    fn line(&mut self) -> Result<Line, Error> {
        self.take_in();
        self.alive()?;
        self.told = self.line_now();
        Ok(self.told)
    }

    fn device_id(&mut self) -> Result<Option<String>, Error> {
        Ok(self.device_id.clone())
    }

    fn soft_reset(&mut self) -> Result<bool, Error> {
        self.alive()?;
        if !self.resettable {
            return Ok(false);
        }
        let until = after(USB_RESET_WAIT).unwrap_or_else(Instant::now);
        let done = self.forget(None, until)?;
        self.half_a_job &= !done;
        Ok(done)
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
