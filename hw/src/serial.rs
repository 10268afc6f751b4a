//! Serial lines.
//!
//! ```text
//!   write ──► brake ──► driver's queue ──► FIFO ──► line        brake: DTR/DSR, or XON/XOFF where the driver ignores it
//!   read  ◄── inbox ◄── driver's buffer ◄────────── line        inbox: survives a hang-up
//!   wait: one poll over the tty, the bell and the watcher of the modem lines; timers only for what no driver tells
//! ```
//!
//! What is timed, because nobody tells it: when the driver's queue is empty (`TIOCOUTQ`, looked at when the baud rate says
//! that it should be), and whether the printer has sent XOFF ([`Stall`]).
//!
//! The port stays open between jobs: closing it may reset the printer. Dropping it while the driver holds bytes that the
//! device does not take blocks in the kernel (up to the driver's `closing_wait`, usually 30 s): cancel first.
//!
//! The one invariant: bytes go to `write(2)` as they were lent, and what it took is what is counted.

mod brake;
mod cancel;
mod driver;
mod inbox;
mod ioctl;
mod modem;
mod set_up;
mod settings;
mod tty;
mod wait;

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Instant;

use rustix::io::Errno;
use serialport::TTYPort;

use crate::fault::{failed, gone, why};
use crate::limits::TTY_WRITE_BYTES;
use crate::stall::Stall;
use crate::{
    Bell, Canceled, Error, Flow, Interest, Lent, Line, Port, PortFacts, Ready, SerialUri, Tail,
};
use brake::{Brake, Pace};
use driver::Driver;
use inbox::Inbox;
use modem::{Modem, Watcher};

/// An open serial line.
#[derive(Debug)]
pub struct SerialPort {
    /// Ended before the line is closed: it holds a duplicate of the descriptor. `None`: the driver has no modem lines, or
    /// cannot wait for them.
    watcher: Option<Watcher>,
    name: String,
    uri: SerialUri,
    driver: Driver,
    pace: Pace,
    brake: Brake,
    /// How many bytes the driver may hold; `None`: as many as it takes.
    window_bytes: Option<usize>,
    /// `None`: this driver has no modem lines.
    modem: Option<Arc<dyn Modem>>,
    /// DSR was seen on: the cable carries it, so that off means off line.
    dsr_wired: bool,
    /// It was off at the last look. What is sent to a printer that is switched off is lost: nothing is, until it is back.
    off_line: bool,
    inbox: Inbox,
    /// Why there is no line any more.
    hung_up: Option<Errno>,
    /// For flow control whose stop nobody tells.
    stall: Option<Stall>,
    /// The driver had no room when last asked.
    refused: bool,
    /// Bytes taken in this job, and ever.
    taken: u64,
    taken_ever: u64,
    /// What `line` said last.
    told: Line,
    /// `None`: it could not be opened again (see [`SerialPort::reopen`]); then it is hung up.
    tty: Option<TTYPort>,
}

impl SerialPort {
    fn fd(&self) -> Result<BorrowedFd<'_>, Errno> {
        self.tty.as_ref().map(tty::borrow).ok_or(Errno::NODEV)
    }

    fn failed(&self, doing: &'static str, errno: Errno) -> Error {
        failed(&self.name, doing, errno)
    }

    /// The error of a line that has been hung up.
    fn alive(&self) -> Result<(), Error> {
        match self.hung_up {
            None => Ok(()),
            Some(errno) => Err(gone(&self.name, format!("hung up: {}", why(errno)))),
        }
    }

    fn queued(&self) -> Result<u64, Error> {
        let queued = self.fd().and_then(ioctl::queued);
        queued.map(u64::from).map_err(|errno| self.failed("counting unsent bytes", errno))
    }

    /// True while the chip's FIFO is not empty, where its driver can say.
    fn is_sending(&self) -> bool {
        self.fd().ok().and_then(ioctl::transmitter_empty) == Some(false)
    }

    /// True while the device holds us back and the driver leaves it to us to obey.
    fn held(&self) -> Result<bool, Error> {
        match (&self.brake, &self.modem) {
            (Brake::Dsr(dsr), Some(modem)) => {
                dsr.obey(&**modem).map_err(|errno| self.failed("reading DSR", errno))
            }
            (Brake::Xoff(held), _) => Ok(*held),
            (Brake::Driver | Brake::Dsr(_), _) => Ok(false),
        }
    }

    /// How many bytes may be given to the driver now.
    fn room(&self) -> Result<usize, Error> {
        if self.off_line || self.held()? {
            return Ok(0);
        }
        let Some(window) = self.window_bytes else { return Ok(TTY_WRITE_BYTES) };
        let queued = usize::try_from(self.queued()?).unwrap_or(usize::MAX);
        Ok(window.saturating_sub(queued).min(TTY_WRITE_BYTES))
    }

    fn line_now(&mut self) -> Result<Line, Error> {
        let modem = match &self.modem {
            Some(modem) => {
                Some(modem.lines().map_err(|errno| self.failed("reading the modem lines", errno))?)
            }
            None => None,
        };
        self.dsr_wired |= modem.is_some_and(|lines| lines.dsr);
        let stalled = self.stall.as_ref().map(Stall::held);
        let held_back = match self.uri.flow {
            Flow::None => None,
            Flow::Soft if let Brake::Xoff(held) = self.brake => Some(held),
            Flow::Soft => stalled,
            Flow::Hard => modem.map(|lines| !lines.cts).or(stalled),
            Flow::DtrDsr => modem.map(|lines| !lines.dsr),
        };
        // Where DSR is flow control, off does not mean off line.
        let online = modem.filter(|_| self.dsr_wired && self.uri.flow != Flow::DtrDsr);
        let online = online.map(|lines| lines.dsr);
        self.off_line = online == Some(false);
        Ok(Line { online, held_back, modem, ..Line::default() })
    }
}

impl Port for SerialPort {
    fn facts(&self) -> PortFacts {
        PortFacts { back_channel: true, job_is_connection: false, keeps_place: true }
    }

    fn write_limit(&self) -> usize {
        TTY_WRITE_BYTES
    }

    fn begin_job(&mut self, _bell: &Bell, _until: Instant) -> Result<(), Error> {
        self.take_in();
        self.alive()?;
        self.taken = 0;
        Ok(())
    }

    fn write(&mut self, lent: Lent<'_>) -> Result<usize, Error> {
        if let Brake::Xoff(_) = self.brake {
            self.take_in();
        }
        self.alive()?;
        let room = self.room()?;
        if room == 0 {
            return Ok(0);
        }
        match self.fd().and_then(|fd| rustix::io::write(fd, lent.first(room).bytes)) {
            Ok(0) | Err(Errno::AGAIN | Errno::INTR) => {
                self.refused = true;
                Ok(0)
            }
            Ok(count) => {
                self.refused = false;
                let more = u64::try_from(count).unwrap_or(0);
                self.taken = self.taken.saturating_add(more);
                self.taken_ever = self.taken_ever.saturating_add(more);
                Ok(count)
            }
            Err(errno) => Err(self.failed("writing", errno)),
        }
    }

    /// XON and XOFF are not part of what comes back under `flow=soft`.
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        self.take_in();
        match self.inbox.take(buf) {
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

    /// On a pty always empty. `Unknown`: only the chip's FIFO still holds some.
    fn tail(&mut self) -> Result<Tail, Error> {
        match self.queued()? {
            0 if self.is_sending() => Ok(Tail::Unknown),
            0 => Ok(Tail::Empty),
            // Some drivers count whole buffers.
            queued => Ok(Tail::Bytes(queued.min(self.taken_ever))),
        }
    }

    /// Withdraws what the driver holds. Exact where the driver is the kernel's own. What a USB adapter holds is thrown away
    /// too, but how much of it had left is unknown; its port is opened anew for that, since its driver cannot flush.
    fn cancel(&mut self) -> Result<Canceled, Error> {
        Ok(self.withdraw())
    }

    fn line(&mut self) -> Result<Line, Error> {
        self.alive()?;
        self.told = self.line_now()?;
        Ok(self.told)
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
