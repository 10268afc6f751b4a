//! Printers behind the node of a printer driver: `usblp`, `lp`, `ppdev`.
//!
//! ```text
//!   write ─┬────────► lp, ppdev ──► printer      byte by byte, on the wire
//!          └─thread──► usblp ─────► printer      which says how each transfer ended to who waits for it
//!   read  ◄─────────── driver ◄──── printer      usblp tells when there is something; the parallel port has to be turned
//!                                                round to see
//!   line  ◄─────────── status byte               nobody tells of a change: it is asked for now and then
//! ```
//!
//! Paper out, off line and fault are conditions, not errors, also where the driver says `EIO` or `ENOSPC`. What it is *not*:
//! the way to print by USB where we may claim the printer ourselves ([`crate::usb`]).
//!
//! The one invariant: bytes that are not known to be in the printer are in flight.

mod driver;
mod ioctl;
mod lp;
mod pace;
mod ppdev;
mod usblp;
mod wait;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rustix::io::Errno;

use crate::fault::{failed, gone, unsupported, why};
use crate::limits::{PARALLEL_WRITE_BYTES, RETRY_FIRST, RETRY_LAST};
use crate::poll::Ladder;
use crate::{Bell, Canceled, DeviceId, Error, Interest, Lent, Line, Port, PortFacts, Ready, Tail};
use driver::{Driver, Status};
use writer::{Ended, Failure, Held, Writer};

/// An open printer.
pub struct PrinterPort {
    name: String,
    driver: Box<dyn Driver>,
    device_id: Option<DeviceId>,
    back_channel: bool,
    /// When the back channel is looked at next, where nobody tells.
    listen_at: Instant,
    /// When the status is asked for next, and when it was last.
    ask_at: Instant,
    asked_at: Instant,
    status: Option<Status>,
    /// What `line` said last.
    told: Line,
    /// The driver took nothing when last asked: it is asked again on this ladder.
    refused: bool,
    ladder: Ladder,
    /// Where writes wait: the thread that does, from the first one on until it is ended.
    writer: Option<Writer>,
    /// What became of what an ended one was given.
    ended: Ended,
    /// The printer did not answer when asked last.
    dead: bool,
    /// Bytes taken in this job.
    taken: u64,
    /// A job is under way: its status is asked for more often.
    in_job: bool,
    /// Half a job was left in the printer: it has to forget it before the next one.
    half_a_job: bool,
    /// Back-channel bytes that have been taken in.
    inbox: Vec<u8>,
}

impl std::fmt::Debug for PrinterPort {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("PrinterPort").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PrinterPort {
    /// Opens the node of a parallel printer: `/dev/parportN` or `/dev/lpN`. Waits for at most
    /// [`crate::limits::DEVICE_ID_WAIT`], for a printer that can say who it is.
    ///
    /// Errors: [`Error::Absent`], [`Error::Busy`], [`Error::Denied`], [`Error::Unsupported`].
    pub fn parallel(path: &Path, name: &str) -> Result<Self, Error> {
        match driver::kind_of(path, name)? {
            Some(driver::Kind::Ppdev) => {
                let (driver, id) = ppdev::Ppdev::open(path, name)?;
                let back_channel = id.is_some();
                Ok(Self::new(name, Box::new(driver), id, back_channel))
            }
            Some(driver::Kind::Lp) => {
                let (driver, id) = lp::Lp::open(path, name)?;
                let back_channel = id.is_some();
                Ok(Self::new(name, Box::new(driver), id, back_channel))
            }
            Some(driver::Kind::Usblp) => Self::usblp(path, name),
            None => Err(unsupported(name, "printing by parallel:", "it is no parallel port")),
        }
    }

    /// Opens the node of a USB printer: `/dev/usb/lpN`.
    ///
    /// Errors: as [`PrinterPort::parallel`].
    pub fn usblp(path: &Path, name: &str) -> Result<Self, Error> {
        let (driver, id) = usblp::Usblp::open(path, name)?;
        let back_channel = driver.is_two_way();
        Ok(Self::new(name, Box::new(driver), id, back_channel))
    }

    /// True for a node that is better opened by [`PrinterPort::usblp`] than as a plain device.
    pub(crate) fn is_usblp(path: &Path) -> bool {
        matches!(driver::kind_of(path, ""), Ok(Some(driver::Kind::Usblp)))
    }

    fn new(
        name: &str,
        driver: Box<dyn Driver>,
        device_id: Option<DeviceId>,
        back_channel: bool,
    ) -> Self {
        let now = Instant::now();
        Self {
            name: name.to_owned(),
            driver,
            device_id,
            back_channel,
            listen_at: now,
            ask_at: now,
            asked_at: now,
            status: None,
            told: Line::default(),
            refused: false,
            ladder: Ladder::new(RETRY_FIRST, RETRY_LAST),
            writer: None,
            ended: Ended::default(),
            dead: false,
            taken: 0,
            in_job: false,
            half_a_job: false,
            inbox: Vec::new(),
        }
    }

    fn failed(&self, doing: &'static str, errno: Errno) -> Error {
        failed(&self.name, doing, errno)
    }

    /// The thread, where writes wait; begun if there is none.
    fn writer(&mut self) -> Result<Option<&mut Writer>, Error> {
        let Some(node) = self.driver.waiting() else { return Ok(None) };
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => Writer::start(Arc::clone(node))?,
        };
        Ok(Some(self.writer.insert(writer)))
    }

    /// Ends the thread, whatever it has not written.
    fn end_writer(&mut self) {
        if let Some(writer) = self.writer.take() {
            self.ended = writer.end();
        }
    }

    /// Fails if the thread has failed, which is over then.
    fn settle(&mut self) -> Result<(), Error> {
        let Some(failure) = self.writer.as_ref().and_then(Writer::failure) else { return Ok(()) };
        self.end_writer();
        let port = self.name.clone();
        Err(match failure {
            // Only a stop of the whole process ends a write beside us.
            Failure::Device(Errno::INTR) => gone(&port, "we were stopped in the middle of a write"),
            Failure::Device(errno) => self.failed("writing", errno),
            Failure::Document(source) => Error::Document { port, source },
            Failure::Note(source) => Error::Note { port, source },
            Failure::Panic => {
                let source = std::io::Error::other("its thread panicked");
                Error::Ours { doing: "writing to a printer", source }
            }
        })
    }

    fn held(&self) -> Held {
        self.writer.as_ref().map_or(self.ended.held, Writer::held)
    }

    /// True where nothing is on its way.
    fn is_idle(&self) -> bool {
        self.writer.as_ref().map_or(self.ended == Ended::default(), Writer::is_idle)
    }

    /// Gives bytes to the driver itself.
    fn write_at_once(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        if self.refused && self.is_busy()? {
            // An attempt would keep the processor busy for a clock tick; a look is one access.
            return Ok(0);
        }
        let count = match self.driver.write(bytes) {
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => 0,
            Err(errno) => return Err(self.failed("writing", errno)),
        };
        self.refused = count == 0;
        if count > 0 {
            self.ladder.reset();
        }
        Ok(count)
    }

    /// True where the printer's own line says so.
    fn is_busy(&mut self) -> Result<bool, Error> {
        let status = self.driver.status();
        self.status = status.map_err(|errno| self.failed("asking for the status", errno))?;
        Ok(self.status.and_then(|status| status.busy) == Some(true))
    }

    fn line_now(&self) -> Line {
        let Some(status) = self.status else { return Line::default() };
        let held_back = status.busy.map(|busy| busy || self.refused);
        Line { held_back, ..status.line }
    }
}

impl Port for PrinterPort {
    fn facts(&self) -> PortFacts {
        let back_channel = self.back_channel;
        PortFacts { back_channel, job_is_connection: false, keeps_place: true }
    }

    fn write_limit(&self) -> usize {
        self.writer.as_ref().map_or(PARALLEL_WRITE_BYTES, Writer::load_bytes)
    }

    fn reads_pages(&self) -> bool {
        self.driver.waiting().is_none()
    }

    /// A printer that holds half a job which was canceled is reset first.
    fn begin_job(&mut self, _bell: &Bell, _until: Instant) -> Result<(), Error> {
        self.settle()?;
        if self.ended != Ended::default() {
            self.cancel()?;
        }
        if std::mem::take(&mut self.half_a_job) {
            self.driver.reset().map_err(|errno| self.failed("resetting the printer", errno))?;
        }
        if let Some(writer) = self.writer()? {
            writer.begin_job();
        }
        self.taken = 0;
        self.in_job = true;
        self.ask_at = Instant::now();
        Ok(())
    }

    fn write(&mut self, lent: Lent<'_>) -> Result<usize, Error> {
        let given = self.writer()?.map(|writer| writer.give(lent));
        let count = match given {
            Some(given) => given.map_err(|source| {
                self.end_writer();
                Error::Ours { doing: "sharing a document with a thread", source }
            })?,
            None => self.write_at_once(lent.first(PARALLEL_WRITE_BYTES).bytes)?,
        };
        if count > 0 && self.writer.is_some() {
            self.put_off_asking(Instant::now());
        }
        self.taken = self.taken.saturating_add(count as u64);
        Ok(count)
    }

    fn in_flight(&self) -> u64 {
        self.held().bytes
    }

    fn withheld(&self) -> u64 {
        self.held().withheld
    }

    fn notes(&self) -> bool {
        self.writer.is_some()
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        let count = self.inbox.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(self.inbox.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }

    fn wait(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<Ready, Error> {
        self.wait_for(interest, bell, until).inspect_err(|_| self.end_writer())
    }

    fn end_job(&mut self) -> Result<(), Error> {
        // One that was parked has gone on to its end.
        self.half_a_job = false;
        Ok(())
    }

    fn tail(&mut self) -> Result<Tail, Error> {
        self.settle()?;
        Ok(if self.is_idle() { Tail::Empty } else { Tail::Bytes(self.held().bytes) })
    }

    /// Ends the transfer under way; how much of that had left nobody knows. What waits behind it does not leave.
    fn cancel(&mut self) -> Result<Canceled, Error> {
        self.end_writer();
        self.half_a_job |= self.taken > 0;
        let Ended { held, broken } = self.ended;
        if broken {
            self.driver.discard().map_err(|errno| match errno {
                Errno::NOENT | Errno::NODEV => gone(&self.name, why(errno)),
                errno => self.failed("opening anew", errno),
            })?;
        }
        self.ended = Ended::default();
        (self.taken, self.refused, self.in_job) = (0, false, false);
        let unknown_bytes = held.bytes.saturating_sub(held.withheld);
        Ok(Canceled { withdrawn_bytes: held.withheld, unknown_bytes })
    }

    fn line(&mut self) -> Result<Line, Error> {
        self.told = self.line_now();
        Ok(self.told)
    }

    fn device_id(&mut self) -> Result<Option<String>, Error> {
        Ok(self.device_id.as_ref().map(|id| id.raw.clone()))
    }

    fn soft_reset(&mut self) -> Result<bool, Error> {
        let done = self.driver.reset().map_err(|errno| self.failed("resetting", errno))?;
        self.half_a_job &= !done;
        Ok(done)
    }
}

#[cfg(test)]
mod tests;
