//! The port trait: what the port monitor needs from a wire, whatever the wire is.
//!
//! A port belongs to one thread. That thread never blocks in `write` or `read`; it blocks only in [`Port::wait`] (and,
//! with a deadline and a bell, in [`Port::begin_job`]), where everything that can happen wakes it:
//!
//! ```text
//!            begin_job            write* / read*            end_job           wait(drained)
//!   idle ───────────────► in job ─────────────────► in job ─────────► draining ─────────────► idle
//!     ▲                      │                                            │
//!     └──────────────────────┴──────────────── cancel ────────────────────┘
//! ```
//!
//! Counting. *Taken* is what `write` returned. *Accepted* is what the driver has for certain: taken minus
//! [`Port::in_flight`]. Most ports over a descriptor have nothing in flight (the driver takes bytes or does not);
//! USB keeps several transfers in flight and learns later how much of each went, and so does a printer behind `usblp`.

use std::fmt::Debug;
use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Instant;

use crate::limits::WRITE_BYTES;
use crate::{Bell, Error};

/// Bytes lent to a port for one `write`.
///
/// `bytes` may lie in a mapped file whose pages can vanish under us. Lend them to the kernel (`write`, `send`), which
/// answers `EFAULT` for a bad page; **never read them in user space when `file` is given** (that would be `SIGBUS`). A
/// port that must copy (USB transfer buffers, the simulated printer) copies with `pread` from `file`.
#[derive(Clone, Copy, Debug)]
pub struct Lent<'a> {
    /// The bytes themselves; not empty.
    pub bytes: &'a [u8],
    /// Where the same bytes lie on disk; `None`: `bytes` is ordinary memory and may be read.
    pub file: Option<FileRange<'a>>,
    /// Who the bytes come from.
    pub origin: Origin,
    /// Where a port that [notes itself](Port::notes) does so.
    pub entry: Option<Entry<'a>>,
}

/// Where it is noted how far a job is.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Who notes it.
    pub ledger: &'a Arc<dyn Ledger>,
    /// The first lent byte's place in the job.
    pub at: u64,
}

/// Who notes how far a job is.
pub trait Ledger: Debug + Send + Sync {
    /// Notes that these bytes of the job are about to be offered to the driver, and that it has all before them. Where this
    /// fails they must not be.
    fn note(&self, offered: Range<u64>) -> io::Result<()>;
}

impl<'a> Lent<'a> {
    /// Ordinary memory, part of a job.
    pub fn memory(bytes: &'a [u8]) -> Self {
        Self { bytes, file: None, origin: Origin::Job, entry: None }
    }

    /// The same loan cut to its first `limit_bytes`.
    pub fn first(self, limit_bytes: usize) -> Self {
        Self { bytes: self.bytes.get(..limit_bytes).unwrap_or(self.bytes), ..self }
    }

    /// Copies the front of the loan into `buf` without touching mapped pages; how many bytes were copied.
    pub fn copy_to(&self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.bytes.len().min(buf.len());
        let Some(buf) = buf.get_mut(..len) else { return Ok(0) };
        match self.file {
            Some(range) => Ok(rustix::io::pread(range.file, buf, range.offset)?),
            None => {
                buf.copy_from_slice(self.bytes.get(..len).unwrap_or_default());
                Ok(len)
            }
        }
    }
}

/// Where lent bytes lie on disk.
#[derive(Clone, Copy, Debug)]
pub struct FileRange<'a> {
    /// The spool file, open for reading.
    pub file: BorrowedFd<'a>,
    /// Offset of the first lent byte.
    pub offset: u64,
}

/// Who bytes on the way out come from. Real wires do not care; the simulated printer keeps the two apart when it is
/// inside the server, so that "what the printer got" can be compared with "what was submitted".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The document (with what the datatype adds).
    Job,
    /// The language monitor: envelopes, status requests.
    Monitor,
}

/// What kind of wire this is, for the monitors and for the `recover` policy. Constant while the port is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortFacts {
    /// Bytes can come back.
    pub back_channel: bool,
    /// The device sees each job as a connection of its own, and drops a job whose connection breaks (sockets).
    pub job_is_connection: bool,
    /// The device keeps its place in the middle of a job when our process dies and opens the port again.
    pub keeps_place: bool,
}

/// What to wait for, beside the bell and the deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// Room for at least one byte.
    pub write: bool,
    /// Back-channel bytes, or the end of the back channel.
    pub read: bool,
    /// Any change of [`Line`].
    pub line: bool,
    /// After `end_job`: everything taken has left for the device (and the device confirmed it, where the wire can tell).
    pub drained: bool,
}

/// What a wait found. All false: the deadline came, or a device goes on after it had stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// `write` will take at least one byte, or report an error.
    pub write: bool,
    /// `read` will give at least one byte, or report an error.
    pub read: bool,
    /// The lines changed since the last `line`.
    pub line: bool,
    /// The wire is empty: the job has left.
    pub drained: bool,
    /// The bell was rung (it is hushed by the wait).
    pub bell: bool,
}

/// State of the lines of a port, as far as the wire has any. `None`: this wire cannot say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Paper is out (IEEE 1284 PError, USB port status bit 5).
    pub paper_out: Option<bool>,
    /// The device is selected, that is on line (IEEE 1284 Select; DSR or CTS on serial lines that are wired for it).
    pub online: Option<bool>,
    /// The device reports an error (IEEE 1284 nFault).
    pub fault: Option<bool>,
    /// The device is holding us back now (Busy, CTS or DSR low under flow control, XOFF received).
    pub held_back: Option<bool>,
    /// The modem lines of a serial port, raw.
    pub modem: Option<Lines>,
}

/// Modem-status lines, as the device drives them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Clear to send.
    pub cts: bool,
    /// Data set ready.
    pub dsr: bool,
    /// Data carrier detect.
    pub dcd: bool,
    /// Ring indicator.
    pub ri: bool,
}

/// What became of the bytes that a port had taken when it was canceled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Canceled {
    /// Of the bytes taken in this job, those that certainly never left for the device (flushed from the driver's queue,
    /// transfers that were not started).
    pub withdrawn_bytes: u64,
    /// Of the rest, those of which nobody can say (a transfer broken off whose length the host controller does not know).
    pub unknown_bytes: u64,
}

/// How much a port still holds, after `end_job` or at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Everything taken has left for the device.
    Empty,
    /// This many bytes are still in the driver or on the way.
    Bytes(u64),
    /// The wire cannot say (the bytes are in the hands of the driver).
    Unknown,
}

/// One open port. See the module for the order of calls.
pub trait Port: Send {
    /// What kind of wire this is.
    fn facts(&self) -> PortFacts;

    /// Makes the port ready for a job. Sockets connect here (waiting at most `until`, giving up when the bell rings);
    /// others have nothing to do. Resets the counts.
    fn begin_job(&mut self, bell: &Bell, until: Instant) -> Result<(), Error>;

    /// Offers bytes; how many were taken. `Ok(0)`: no room now, wait for [`Ready::write`]. Never blocks.
    ///
    /// Conditions of the device (paper out, off line) are not errors: they are `Ok(0)` and show in [`Port::line`].
    fn write(&mut self, lent: Lent<'_>) -> Result<usize, Error>;

    /// One `write` takes at most this much, whatever it is offered.
    fn write_limit(&self) -> usize {
        WRITE_BYTES
    }

    /// True where `write` hands lent pages to the kernel, so that it is worth while to bring them in before; false where it
    /// copies from the file.
    fn reads_pages(&self) -> bool {
        true
    }

    /// Of the bytes taken, those the driver may still hand back (see the module). Zero on ports over a descriptor.
    fn in_flight(&self) -> u64 {
        0
    }

    /// Of the bytes in flight, those that the driver was certainly never offered: they wait in the port.
    fn withheld(&self) -> u64 {
        0
    }

    /// True while the port notes what it offers itself ([`Lent::entry`]): nobody else is to do so then.
    fn notes(&self) -> bool {
        false
    }

    /// Takes back-channel bytes. `Ok(0)`: none now. Never blocks. The end of the back channel while the device is
    /// otherwise alive is `Ok(0)` for ever (and no longer wakes a wait); a device that went away is [`Error::Gone`].
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error>;

    /// Waits for what `interest` names, for the bell, or for the deadline (`None`: no deadline).
    fn wait(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<Ready, Error>;

    /// Says that the job's last byte was taken. Sockets that carry one job a connection half-close here.
    fn end_job(&mut self) -> Result<(), Error>;

    /// How much is still on the way.
    fn tail(&mut self) -> Result<Tail, Error>;

    /// Drops what can be dropped of the running job, at once, on a dead device too, and says what became of it.
    fn cancel(&mut self) -> Result<Canceled, Error>;

    /// State of the lines now.
    fn line(&mut self) -> Result<Line, Error> {
        Ok(Line::default())
    }

    /// The device's IEEE 1284 device id, where the wire can carry one. Blocks for at most
    /// [`crate::limits::DEVICE_ID_WAIT`].
    fn device_id(&mut self) -> Result<Option<String>, Error> {
        Ok(None)
    }

    /// Resets the device to its state at power-on as far as the wire allows; false where it does not.
    fn soft_reset(&mut self) -> Result<bool, Error> {
        Ok(false)
    }
}
