//! By which way a document goes to a USB printer and how fast, and jobs in the middle of it, where things happen to them.
//!
//! ```text
//!   Way: usbfs or usblp, slow or at full speed ──► Place: printer, plug, server ──► flowing | standing ──► Begun
//! ```
//!
//! What is too fast to be met in the middle is printed several times in one job.

use super::Stage;
use super::attach::{URI, Wire, attach};
use super::check::{document, holds};
use super::server::{Job, Queue, Server};
use crate::Bench;
use crate::device::Printer;
use crate::error::Result;
use crate::limits::EVENT;
use crate::vm::Slot;

/// The printer of [`URI`] behind the kernel's own driver.
pub const NODE: &str = "file:/dev/usb/lp0";

/// By which way a printer is printed to, how fast it takes what comes, and how much that is.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Where it is plugged in.
    pub slot: Slot,
    /// How the server names it.
    pub uri: &'static str,
    /// Bytes a second; `None`: as fast as they come.
    pub rate: Option<u64>,
    /// A document's length.
    pub bytes: usize,
    /// How often it is printed in one job.
    pub copies: u16,
}

impl Way {
    /// By usbfs, to a printer so slow that a job gets stuck in its middle.
    pub const USBFS: Self =
        Self { slot: Slot::Xhci(0), uri: URI, rate: Some(500_000), bytes: 2 << 20, copies: 1 };

    /// The same by `usblp`.
    pub const USBLP: Self = Self { uri: NODE, ..Self::USBFS };

    /// By `usblp`, to a printer that takes what comes as fast as it comes.
    pub const FULL_SPEED: Self = Self { rate: None, bytes: 5 << 20, copies: 2, ..Self::USBLP };

    /// The same for so long that commands of an operator, which take a second each, come in the middle.
    pub const FULL_SPEED_FOR_LONG: Self = Self { copies: 32, ..Self::FULL_SPEED };

    /// Bytes of a job.
    pub fn total(self) -> u64 {
        self.bytes as u64 * u64::from(self.copies)
    }

    /// A queue for it.
    pub fn queue(self) -> Queue {
        Queue::new("label", self.uri)
    }

    /// Submits a job to that queue: its number, and all that is to be printed.
    pub fn submit(self, server: &Server<'_>, seed: u64) -> Result<(String, Vec<u8>)> {
        let document = document(seed, self.bytes);
        let job = server.print_copies("label", &document, self.copies)?;
        Ok((job, document.repeat(self.copies.into())))
    }
}

/// At full speed things are repeated so often: a round takes seconds, and the places are different ones in each run.
pub const FULL_SPEED_ROUNDS: u32 = 3;

/// What a printer may have of a job beyond what the record says has left: what a port has in hand, and what it may be given
/// before the next note.
pub const AHEAD: u64 = (512 + 256) * 1024;

/// A printer, its plug, and a server that prints to it.
#[derive(Debug)]
pub struct Place<'a> {
    /// The printer.
    pub printer: Printer,
    /// Its plug.
    pub wire: Wire,
    /// The server.
    pub server: Server<'a>,
    /// The way from one to the other.
    pub way: Way,
}

/// A job in the middle.
#[derive(Debug)]
pub struct Begun {
    /// Its number.
    pub job: String,
    /// All that is to be printed.
    pub content: Vec<u8>,
    /// What the printer had taken since it was plugged in.
    before: u64,
}

impl<'a> Place<'a> {
    /// Plugs a printer in, and serves it with what is the default.
    pub fn new(stage: &Stage, bench: &'a Bench, way: Way) -> Result<Self> {
        Self::with(stage, bench, way, way.queue())
    }

    /// The same with a queue of its own.
    pub fn with(stage: &Stage, bench: &'a Bench, way: Way, queue: Queue) -> Result<Self> {
        let (printer, wire) = attach(bench, way.slot)?;
        let server = Server::start(bench, stage, &[queue])?;
        Ok(Self { printer, wire, server, way })
    }

    /// Prints; what comes next happens when the printer has this many bytes of it, or soon after.
    pub fn flowing(&self, seed: u64, at: u64) -> Result<Begun> {
        let before = self.printer.bytes();
        let begun = self.begin(seed)?;
        self.printer.wait_for_bytes(before.saturating_add(at))?;
        Ok(begun)
    }

    /// Prints; what comes next happens when the printer reads no more, after this many bytes of it or just before.
    pub fn standing(&self, seed: u64, at: u64) -> Result<Begun> {
        self.wire.with(|device| device.nak_at(device.seen().bytes.saturating_add(at)));
        let begun = self.begin(seed)?;
        self.wire.wait_for("a standstill", EVENT, |device| device.naks().then_some(()))?;
        Ok(begun)
    }

    /// Prints; what comes next happens meanwhile.
    pub fn begin(&self, seed: u64) -> Result<Begun> {
        let before = self.wire.with(|device| {
            device.set_rate(self.way.rate);
            device.seen().bytes
        });
        let (job, content) = self.way.submit(&self.server, seed)?;
        Ok(Begun { job, content, before })
    }

    /// What the printer has of a job.
    pub fn had(&self, begun: &Begun) -> u64 {
        self.wire.with(|device| device.seen().bytes).saturating_sub(begun.before)
    }

    /// Has the printer take everything again, as fast as it comes.
    pub fn free(&self) {
        self.wire.with(|device| {
            device.set_rate(None);
            device.set_nak(false);
            device.set_dead(false);
        });
    }
}

impl Job {
    /// Fails unless what the record says has left is at the printer, and not much more is.
    pub fn fits(&self, got: u64) -> Result<()> {
        let done = self.bytes_done();
        let fits = done <= got && got <= done.saturating_add(AHEAD);
        holds(&format!("{got} bytes are {done}, of which the record tells, or a few more"), fits)
    }
}
