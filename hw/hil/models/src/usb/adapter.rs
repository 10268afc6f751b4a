//! What USB serial adapters have in common: a chip with a line behind it, and a printer at the line's end.
//!
//! ```text
//!   bulk OUT ──► chip's FIFO ──► line at its baud rate ──► printer      held by CTS, DSR or XOFF, as the chip obeys them
//!   bulk IN  ◄── chip's buffer ◄────────────────────────── printer      XOFF and XON among its words
//! ```
//!
//! The printer holds the host back as it was told to ([`PrinterFlow`]). A host that does not obey sends bytes that the
//! printer loses; they are counted.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::transfers::{OutTransfer, Transfers};
use super::{Device, Reply, Request, Status};
use crate::Engine;
use crate::limits::{ADAPTER_BYTES, LOG_LINES};

const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

/// With less room than this, in bytes, a printer tells the host to stop …
const HOLD_ROOM: usize = 1024;

/// … and with this much, to go on.
const RELEASE_ROOM: usize = 4096;

/// A line is fed by packets of a full-speed endpoint.
const PACKET: usize = 64;

/// How a printer on a serial line holds the host back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrinterFlow {
    /// It does not.
    #[default]
    None,
    /// By XOFF and XON.
    XonXoff,
    /// By its RTS, which is the host's CTS.
    Cts,
    /// By its DTR, which is the host's DSR.
    Dsr,
}

/// The lines that the host can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModemLines {
    /// Clear to send.
    pub cts: bool,
    /// Data set ready.
    pub dsr: bool,
    /// Carrier detect.
    pub dcd: bool,
    /// Ring indicator.
    pub ri: bool,
}

impl Default for ModemLines {
    fn default() -> Self {
        Self { cts: true, dsr: true, dcd: true, ri: false }
    }
}

/// A printer at the end of a serial line.
#[derive(Debug)]
pub struct SerialPrinter<E> {
    engine: E,
    flow: PrinterFlow,
    /// It has told the host to stop.
    holding: bool,
    /// The test has, until it says otherwise.
    forced: bool,
    /// Switched off: its lines are down, and what comes is lost.
    off: bool,
    lines: ModemLines,
    words: VecDeque<u8>,
    taken: u64,
    lost: u64,
}

impl<E: Engine> SerialPrinter<E> {
    /// A printer that is on line.
    pub fn new(engine: E, flow: PrinterFlow) -> Self {
        let (lines, words) = (ModemLines::default(), VecDeque::new());
        let (holding, forced, off) = (false, false, false);
        Self { engine, flow, holding, forced, off, lines, words, taken: 0, lost: 0 }
    }

    /// The printer behind the wire.
    pub fn engine(&mut self) -> &mut E {
        &mut self.engine
    }

    /// Bytes that the printer took, and those that came when it had no room.
    pub fn taken_and_lost(&self) -> (u64, u64) {
        (self.taken, self.lost)
    }

    /// Holds the host back until this is taken back, in the way that it does.
    pub fn hold(&mut self, on: bool, now: Instant) {
        self.forced = on;
        self.watch_room(now);
    }

    /// Switches it on or off. What its engine had in memory is the engine's affair.
    pub fn switch(&mut self, on: bool) {
        self.off = !on;
        self.words.clear();
    }

    /// Sets the lines, as far as flow control does not.
    pub fn set_lines(&mut self, lines: ModemLines) {
        self.lines = lines;
    }

    fn lines(&self) -> ModemLines {
        if self.off {
            return ModemLines { cts: false, dsr: false, dcd: false, ri: false };
        }
        let holds_by = |flow| self.holding && self.flow == flow;
        ModemLines {
            cts: self.lines.cts && !holds_by(PrinterFlow::Cts),
            dsr: self.lines.dsr && !holds_by(PrinterFlow::Dsr),
            ..self.lines
        }
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        let taken = if self.off { 0 } else { self.engine.take(bytes, now) };
        self.taken = self.taken.saturating_add(taken as u64);
        self.lost = self.lost.saturating_add(bytes.len().saturating_sub(taken) as u64);
        self.watch_room(now);
    }

    /// Tells the host to stop or to go on, where that changes.
    fn watch_room(&mut self, now: Instant) {
        let room = self.engine.room(now);
        let holding = self.forced || room < if self.holding { RELEASE_ROOM } else { HOLD_ROOM };
        if std::mem::replace(&mut self.holding, holding) != holding
            && self.flow == PrinterFlow::XonXoff
        {
            self.words.push_back(if holding { XOFF } else { XON });
        }
    }

    fn say(&mut self, limit_bytes: usize, now: Instant) -> Vec<u8> {
        if self.off {
            return Vec::new();
        }
        let count = self.words.len().min(limit_bytes);
        let mut said: Vec<u8> = self.words.drain(..count).collect();
        said.extend(self.engine.say(limit_bytes.saturating_sub(count), now));
        said
    }
}

/// Which of the printer's signals the chip obeys by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Obeys {
    pub(super) cts: bool,
    pub(super) dsr: bool,
    pub(super) xoff: bool,
}

/// What a test does with an adapter, whichever kind it is.
pub trait Adapter: Device {
    /// The printer behind the wire.
    type Engine: Engine;

    /// What the adapter is made of.
    fn chip(&self) -> &Chip<Self::Engine>;

    /// What the adapter is made of.
    fn chip_mut(&mut self) -> &mut Chip<Self::Engine>;

    /// The printer at the end of the line.
    fn printer(&mut self) -> &mut SerialPrinter<Self::Engine> {
        &mut self.chip_mut().printer
    }

    /// False: sends as fast as bytes come, whatever baud rate the host sets.
    fn set_paced(&mut self, on: bool) {
        self.chip_mut().paced = on;
    }

    /// DTR and RTS, as the host has set them.
    fn dtr_rts(&self) -> (bool, bool) {
        self.chip().outputs
    }

    /// What the host did to the line, oldest first: `baud 9600`, `format 8N1`, `break 65535`, ….
    fn log(&self) -> impl Iterator<Item = &str> {
        self.chip().log.iter().map(String::as_str)
    }

    /// Leaves the bus.
    fn unplug(&mut self) {
        self.chip_mut().unplugged = true;
    }
}

/// A chip with its line.
#[derive(Debug)]
pub struct Chip<E> {
    pub(super) printer: SerialPrinter<E>,
    pub(super) transfers: Transfers,
    /// The transfer that is being sent, and how much of it has gone.
    sending: Option<(OutTransfer, usize)>,
    /// The line is busy until then with what it was given.
    busy_until: Option<Instant>,
    /// Characters a second, as the host has set it; `None`: it has not, or to nothing.
    rate: Option<u32>,
    /// False: characters go as fast as they come.
    paced: bool,
    /// DTR and RTS.
    outputs: (bool, bool),
    fifo_bytes: u32,
    pub(super) obeys: Obeys,
    xoffed: bool,
    pub(super) received: VecDeque<u8>,
    log: VecDeque<String>,
    unplugged: bool,
}

impl<E: Engine> Chip<E> {
    pub(super) fn new(printer: SerialPrinter<E>, fifo_bytes: u32) -> Self {
        Self {
            printer,
            transfers: Transfers::default(),
            sending: None,
            busy_until: None,
            rate: None,
            paced: true,
            outputs: (false, false),
            fifo_bytes,
            obeys: Obeys::default(),
            xoffed: false,
            received: VecDeque::new(),
            log: VecDeque::new(),
            unplugged: false,
        }
    }

    /// Remembers what the host did.
    pub(super) fn note(&mut self, line: String) {
        if self.log.len() >= LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }

    /// The host has set the speed.
    pub(super) fn set_baud(&mut self, baud: u32) {
        self.note(format!("baud {baud}"));
        self.rate = Some(baud / 10).filter(|rate| *rate > 0);
    }

    /// The host has set DTR and RTS.
    pub(super) fn set_outputs(&mut self, dtr: bool, rts: bool) {
        self.outputs = (dtr, rts);
        self.note(format!("dtr {} rts {}", u8::from(dtr), u8::from(rts)));
    }

    /// Characters a second; `None`: as fast as they come.
    fn pace(&self) -> Option<u32> {
        self.rate.filter(|_| self.paced)
    }

    pub(super) fn lines(&self) -> ModemLines {
        self.printer.lines()
    }

    /// True while nothing is on the line.
    pub(super) fn is_quiet(&self, now: Instant) -> bool {
        self.sending.is_none()
            && self.transfers.to_device.is_empty()
            && self.busy_until.is_none_or(|until| until <= now)
    }

    /// Handles what every chip handles alike; what else there is comes back.
    pub(super) fn handle<'a>(
        &mut self,
        request: Request<'a>,
        out: &mut Vec<Reply>,
    ) -> Option<Request<'a>> {
        match request {
            Request::Reset => {
                self.transfers.clear();
                self.sending = None;
            }
            Request::BulkOut { id, endpoint, data } => {
                self.transfers.push_out(id, endpoint, data, out);
            }
            Request::BulkIn { id, endpoint, length } => {
                self.transfers.push_in(id, endpoint, length, out);
            }
            Request::Cancel { id } => self.cancel(id, out),
            other => return Some(other),
        }
        None
    }

    fn cancel(&mut self, id: u64, out: &mut Vec<Reply>) {
        match self.sending.take_if(|(transfer, _)| transfer.id == id) {
            Some((transfer, sent)) => out.push(transfer.end(Status::Cancelled, sent)),
            None => {
                self.transfers.cancel(id, out);
            }
        }
    }

    /// Moves bytes along the line, both ways.
    pub(super) fn run_line(&mut self, now: Instant, out: &mut Vec<Reply>) {
        self.hear(now);
        while let Some((transfer, sent)) =
            self.sending.take().or_else(|| Some((self.transfers.to_device.pop_front()?, 0)))
        {
            if self.is_stopped() || self.next_packet(now) > now {
                self.sending = Some((transfer, sent));
                break;
            }
            let end = sent.saturating_add(PACKET).min(transfer.data.len());
            self.transmit(transfer.data.get(sent..end).unwrap_or_default(), now);
            if end == transfer.data.len() {
                out.push(transfer.end(Status::Ok, end));
            } else {
                self.sending = Some((transfer, end));
            }
            self.hear(now);
        }
        if self.unplugged {
            out.push(Reply::Unplug);
        }
    }

    fn is_stopped(&self) -> bool {
        let lines = self.lines();
        let Obeys { cts, dsr, xoff } = self.obeys;
        self.unplugged || (cts && !lines.cts) || (dsr && !lines.dsr) || (xoff && self.xoffed)
    }

    /// When the FIFO has room for a packet.
    fn next_packet(&self, now: Instant) -> Instant {
        let (Some(rate), Some(until)) = (self.pace(), self.busy_until) else { return now };
        until.checked_sub(line_time(self.fifo_bytes, rate)).unwrap_or(now)
    }

    fn transmit(&mut self, bytes: &[u8], now: Instant) {
        self.printer.receive(bytes, now);
        if let Some(rate) = self.pace() {
            let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let begin = self.busy_until.unwrap_or(now).max(now);
            self.busy_until = begin.checked_add(line_time(count, rate));
        }
    }

    /// Takes in what the printer says. XOFF and XON stay in the chip where it obeys them.
    fn hear(&mut self, now: Instant) {
        self.printer.watch_room(now);
        let room = ADAPTER_BYTES.saturating_sub(self.received.len());
        for byte in self.printer.say(room, now) {
            match byte {
                XOFF | XON if self.obeys.xoff => self.xoffed = byte == XOFF,
                _ => self.received.push_back(byte),
            }
        }
    }

    /// When the line will have something to do.
    pub(super) fn next_event(&self, now: Instant) -> Option<Instant> {
        let waits = self.sending.is_some() || !self.transfers.to_device.is_empty();
        let packet = (waits && !self.is_stopped()).then(|| self.next_packet(now));
        [packet, self.printer.engine.next_event(now)].into_iter().flatten().min()
    }
}

fn line_time(bytes: u32, rate: u32) -> Duration {
    Duration::from_secs(1).saturating_mul(bytes).checked_div(rate).unwrap_or_default()
}
