//! Printers behind the node of a printer driver: `usblp`, `lp`, `ppdev`.
//!
//! ```text
//!   write ──► driver ──► printer      usblp: one transfer at a time, presumed well; lp and ppdev: byte by byte, on the wire
//!   read  ◄── driver ◄── printer      usblp tells when there is something; the parallel port has to be turned round to see
//!   line  ◄── status byte             nobody tells of a change: it is asked for now and then
//! ```
//!
//! Paper out, off line and fault are conditions, not errors, also where the driver says `EIO` or `ENOSPC`. What it is *not*:
//! the way to print by USB where we may claim the printer ourselves ([`crate::usb`]).
//!
//! The one invariant: bytes that the driver holds are in flight until it has said that they are gone.

mod driver;
mod ioctl;
mod lp;
mod ppdev;
mod usblp;
mod wait;

use std::path::Path;
use std::time::Instant;

use rustix::io::Errno;

use crate::fault::{failed, gone, unsupported, why};
use crate::limits::{PARALLEL_WRITE_BYTES, RETRY_FIRST, RETRY_LAST};
use crate::poll::Ladder;
use crate::{Bell, Canceled, DeviceId, Error, Interest, Lent, Line, Port, PortFacts, Ready, Tail};
use driver::{Driver, Status};

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
    /// Bytes that the driver took last and may still hold.
    held: u64,
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
            held: 0,
            taken: 0,
            in_job: false,
            half_a_job: false,
            inbox: Vec::new(),
        }
    }

    fn failed(&self, doing: &'static str, errno: Errno) -> Error {
        failed(&self.name, doing, errno)
    }

    /// True once the driver holds nothing of what it took.
    fn settle(&mut self) -> Result<bool, Error> {
        if self.held > 0 && self.driver.is_empty().map_err(|errno| self.failed("waiting", errno))? {
            self.held = 0;
        }
        Ok(self.held == 0)
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
        PARALLEL_WRITE_BYTES
    }

    /// A printer that holds half a job which was canceled is reset first.
    fn begin_job(&mut self, _bell: &Bell, _until: Instant) -> Result<(), Error> {
        self.settle()?;
        if std::mem::take(&mut self.half_a_job) {
            self.driver.reset().map_err(|errno| self.failed("resetting the printer", errno))?;
        }
        self.taken = 0;
        self.in_job = true;
        self.ask_at = Instant::now();
        Ok(())
    }

    fn write(&mut self, lent: Lent<'_>) -> Result<usize, Error> {
        let told = self.driver.telling().is_some();
        if self.held > 0 || (told && self.refused) {
            // The wait hears when that has changed.
            return Ok(0);
        }
        if self.refused && self.is_busy()? {
            // An attempt would keep the processor busy for a clock tick; a look is one access.
            return Ok(0);
        }
        let count = match self.driver.write(lent.first(PARALLEL_WRITE_BYTES).bytes) {
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => 0,
            Err(errno) => return Err(self.failed("writing", errno)),
        };
        self.refused = count == 0;
        if count > 0 {
            self.ladder.reset();
            if self.driver.holds() {
                self.held = count as u64;
                self.put_off_asking();
            }
            self.taken = self.taken.saturating_add(count as u64);
        }
        Ok(count)
    }

    fn in_flight(&self) -> u64 {
        self.held
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
        self.wait_for(interest, bell, until)
    }

    fn end_job(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn tail(&mut self) -> Result<Tail, Error> {
        self.settle()?;
        Ok(match self.held {
            0 => Tail::Empty,
            bytes => Tail::Bytes(bytes),
        })
    }

    /// Has the driver throw away what it holds; how much of that had left nobody knows.
    fn cancel(&mut self) -> Result<Canceled, Error> {
        let held = if self.settle().unwrap_or(false) { 0 } else { self.held };
        if held > 0 {
            self.driver.discard().map_err(|errno| match errno {
                Errno::NOENT | Errno::NODEV => gone(&self.name, why(errno)),
                errno => self.failed("opening anew", errno),
            })?;
        }
        self.half_a_job |= self.taken > 0;
        (self.held, self.taken, self.refused, self.in_job) = (0, 0, false, false);
        Ok(Canceled { withdrawn_bytes: 0, unknown_bytes: held })
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
