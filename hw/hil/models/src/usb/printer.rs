//! A printer of the USB printer class (Universal Serial Bus Device Class Definition for Printing Devices 1.1), with
//! every fault that a test may want.
//!
//! ```text
//!   bulk OUT ──► halted? NAK? pace? room in the engine? ──► engine       a transfer is taken whole, or not yet
//!   bulk IN  ◄── engine's words                                          one that waits is held back
//!   control  ──► GET_DEVICE_ID, GET_PORT_STATUS, SOFT_RESET
//! ```
//!
//! A transfer is taken whole or not at all, but for faults that cut it: so what the host controller reports of a
//! canceled transfer can be compared with what the printer got.

mod options;

use std::time::{Duration, Instant};

use self::options::{IN, OUT, description};
pub use self::options::{PrinterOptions, Seen};
use super::transfers::{InTransfer, OutTransfer, Transfers};
use super::{Description, Device, IdAnswer, Reply, Request, Setup, Status};
use crate::limits::ARRIVALS;
use crate::{Condition, Engine};

/// The printer on the bus.
#[derive(Debug)]
pub struct UsbPrinter<E> {
    engine: E,
    about: Description,
    id: IdAnswer,
    /// `bInterfaceNumber` of the printer's interface.
    interface: u8,
    transfers: Transfers,
    seen: Seen,
    halted_out: bool,
    halted_in: bool,
    /// Bytes a second; `None`: as fast as they come.
    rate: Option<u64>,
    /// Until then the wire is busy with what was taken last.
    busy_until: Option<Instant>,
    nak: bool,
    nak_at: Option<u64>,
    dead: bool,
    stall_at: Option<u64>,
    unplug_at: Option<u64>,
    endless: Endless,
    unplugged: bool,
    arrivals: Vec<Instant>,
}

/// What comes back without end, where something does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Endless {
    #[default]
    Nothing,
    /// Empty transfers.
    Empty,
    /// Transfers full of this byte.
    Full(u8),
}

impl<E: Engine> UsbPrinter<E> {
    /// A printer that is on line and does what it should.
    pub fn new(options: PrinterOptions, engine: E) -> Self {
        let interface = u8::from(options.second_interface);
        let id = options.id.clone();
        Self {
            engine,
            about: description(options, interface),
            id,
            interface,
            transfers: Transfers::default(),
            seen: Seen::default(),
            halted_out: false,
            halted_in: false,
            rate: None,
            busy_until: None,
            nak: false,
            nak_at: None,
            dead: false,
            stall_at: None,
            unplug_at: None,
            endless: Endless::Nothing,
            unplugged: false,
            arrivals: Vec::new(),
        }
    }

    /// The printer behind the wire.
    pub fn engine(&mut self) -> &mut E {
        &mut self.engine
    }

    /// What it has seen of the host.
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// When the first [`ARRIVALS`] bulk OUT transfers came.
    pub fn arrivals(&self) -> &[Instant] {
        &self.arrivals
    }

    /// Transfers to the printer that are waiting.
    pub fn waiting(&self) -> usize {
        self.transfers.to_device.len()
    }

    /// Answers every data transfer with NAK, or not any more.
    pub fn set_nak(&mut self, on: bool) {
        self.nak = on;
    }

    /// Begins to do so before a transfer that goes beyond this many bytes since it was plugged in.
    pub fn nak_at(&mut self, bytes: u64) {
        self.nak_at = Some(bytes);
    }

    /// True while it answers data transfers with NAK.
    pub fn naks(&self) -> bool {
        self.nak
    }

    /// Answers nothing at all, not even control requests, or again.
    pub fn set_dead(&mut self, on: bool) {
        self.dead = on;
    }

    /// Takes so many bytes a second; `None`: as fast as they come.
    pub fn set_rate(&mut self, bytes_a_second: Option<u64>) {
        self.rate = bytes_a_second.filter(|rate| *rate > 0);
        self.busy_until = None;
    }

    /// Halts the OUT endpoint when it has taken this many bytes since it was plugged in.
    pub fn stall_at(&mut self, bytes: u64) {
        self.stall_at = Some(bytes);
    }

    /// Halts the IN endpoint.
    pub fn stall_in(&mut self) {
        self.halted_in = true;
    }

    /// Leaves the bus when it has taken this many bytes since it was plugged in.
    pub fn unplug_at(&mut self, bytes: u64) {
        self.unplug_at = Some(bytes);
    }

    /// Leaves the bus.
    pub fn unplug(&mut self) {
        self.unplugged = true;
    }

    /// Answers every bulk IN transfer with nothing, at once.
    pub fn send_endless_nothing(&mut self) {
        self.endless = Endless::Empty;
    }

    /// Answers every bulk IN transfer with as many of this byte as fit.
    pub fn send_endlessly(&mut self, byte: u8) {
        self.endless = Endless::Full(byte);
    }

    /// Says again only what the engine says.
    pub fn end_endless(&mut self) {
        self.endless = Endless::Nothing;
    }

    fn pump(&mut self, now: Instant, out: &mut Vec<Reply>) {
        if self.dead {
            return;
        }
        self.pump_out(now, out);
        self.pump_in(now, out);
        if self.unplugged {
            out.push(Reply::Unplug);
        }
    }

    fn pump_out(&mut self, now: Instant, out: &mut Vec<Reply>) {
        while !self.nak && !self.unplugged {
            let Some(transfer) = self.transfers.to_device.pop_front() else { break };
            if self.halted_out {
                out.push(transfer.end(Status::Stall, 0));
                continue;
            }
            if !self.take(transfer, now, out) {
                break;
            }
        }
    }

    /// Takes a transfer; false: not yet, and it waits again.
    fn take(&mut self, transfer: OutTransfer, now: Instant, out: &mut Vec<Reply>) -> bool {
        let length = transfer.data.len();
        let free = self.busy_until.is_none_or(|until| until <= now);
        let after = self.seen.bytes.saturating_add(length as u64);
        self.nak |= self.nak_at.take_if(|at| *at < after).is_some();
        if self.nak || !free || self.engine.room(now) < length {
            self.transfers.to_device.push_front(transfer);
            return false;
        }
        let cut = [self.stall_at, self.unplug_at].into_iter().flatten().min();
        let to_cut = cut.map_or(usize::MAX, |at| {
            usize::try_from(at.saturating_sub(self.seen.bytes)).unwrap_or(usize::MAX)
        });
        // A fault at the end of a transfer shows in the next.
        if to_cut < length {
            self.cut(transfer, to_cut, now, out);
            return true;
        }
        self.give(&transfer.data, now);
        if let Some(rate) = self.rate {
            let nanos = (length as u128).saturating_mul(1_000_000_000) / u128::from(rate);
            let time = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            let begin = self.busy_until.unwrap_or(now).max(now);
            self.busy_until = begin.checked_add(time);
        }
        self.seen.transfers = self.seen.transfers.saturating_add(1);
        self.seen.longest = self.seen.longest.max(length);
        out.push(transfer.end(Status::Ok, length));
        true
    }

    /// A transfer that a fault cuts after so many bytes.
    fn cut(&mut self, transfer: OutTransfer, at: usize, now: Instant, out: &mut Vec<Reply>) {
        let front = transfer.data.get(..at).unwrap_or_default().to_vec();
        self.give(&front, now);
        let reached = |limit: Option<u64>| limit.is_some_and(|limit| limit <= self.seen.bytes);
        if reached(self.unplug_at) {
            self.unplug_at = None;
            self.unplugged = true;
            return;
        }
        self.stall_at = None;
        self.halted_out = true;
        out.push(transfer.end(Status::Stall, at));
    }

    fn give(&mut self, bytes: &[u8], now: Instant) {
        let taken = self.engine.take(bytes, now);
        self.seen.bytes = self.seen.bytes.saturating_add(taken as u64);
    }

    fn pump_in(&mut self, now: Instant, out: &mut Vec<Reply>) {
        while !self.unplugged && (!self.nak || self.halted_in) {
            let Some(InTransfer { length, .. }) = self.transfers.from_device.front() else { break };
            let data = match self.endless {
                _ if self.halted_in => Some(Vec::new()),
                Endless::Empty => Some(Vec::new()),
                Endless::Full(byte) => Some(vec![byte; *length]),
                Endless::Nothing => {
                    Some(self.engine.say(*length, now)).filter(|data| !data.is_empty())
                }
            };
            let Some(data) = data else { break };
            let status = if self.halted_in { Status::Stall } else { Status::Ok };
            let transfer = self.transfers.from_device.pop_front();
            out.extend(transfer.map(|transfer| transfer.end(status, data)));
        }
    }

    fn control(&mut self, id: u64, setup: Setup, now: Instant, out: &mut Vec<Reply>) {
        if self.dead {
            return;
        }
        let answer = match (setup.request_type, setup.request) {
            (0xA1, 0) => {
                self.seen.id_requests = self.seen.id_requests.saturating_add(1);
                match self.id.clone() {
                    IdAnswer::Bytes(bytes) => Ok(bytes),
                    IdAnswer::Stall => Err(Status::Stall),
                    IdAnswer::Silence => return,
                }
            }
            (0xA1, 1) => {
                self.seen.status_requests = self.seen.status_requests.saturating_add(1);
                Ok(vec![port_status(self.engine.condition())])
            }
            // Version 1.0 of the class had it addressed to "other".
            (0x21 | 0x23, 2) => {
                self.seen.soft_resets = self.seen.soft_resets.saturating_add(1);
                self.engine.reset(now);
                (self.halted_out, self.halted_in) = (false, false);
                Ok(Vec::new())
            }
            _ => self.clear_halt(setup),
        };
        let (status, mut data) = match answer {
            Ok(data) => (Status::Ok, data),
            Err(status) => (status, Vec::new()),
        };
        data.truncate(setup.length.into());
        out.push(Reply::Control { id, setup, status, data });
    }

    fn clear_halt(&mut self, setup: Setup) -> Result<Vec<u8>, Status> {
        let halt = match setup.clears_halt() {
            Some(OUT) => &mut self.halted_out,
            Some(IN) => &mut self.halted_in,
            Some(_) => return Ok(Vec::new()),
            None => return Err(Status::Stall),
        };
        if std::mem::take(halt) {
            self.seen.halts_cleared = self.seen.halts_cleared.saturating_add(1);
        }
        Ok(Vec::new())
    }
}

impl<E: Engine> Device for UsbPrinter<E> {
    fn about(&self) -> &Description {
        &self.about
    }

    fn handle(&mut self, request: Request<'_>, now: Instant, out: &mut Vec<Reply>) {
        match request {
            Request::Reset => {
                self.seen.bus_resets = self.seen.bus_resets.saturating_add(1);
                self.transfers.clear();
                (self.halted_out, self.halted_in) = (false, false);
            }
            Request::Alternate { .. } => self.transfers.clear(),
            Request::Control { id, setup, .. } => self.control(id, setup, now, out),
            Request::BulkOut { id, endpoint: OUT, data } => {
                self.transfers.push_out(id, OUT, data, out);
                if self.arrivals.len() < ARRIVALS {
                    self.arrivals.push(now);
                }
                self.seen.most_waiting = self.seen.most_waiting.max(self.waiting());
            }
            Request::BulkIn { id, endpoint: IN, length } => {
                self.transfers.push_in(id, IN, length, out);
            }
            Request::BulkOut { id, endpoint, .. } => {
                out.push(Reply::BulkOut { id, endpoint, status: Status::Invalid, length: 0 });
            }
            Request::BulkIn { id, endpoint, .. } => {
                let (status, data) = (Status::Invalid, Vec::new());
                out.push(Reply::BulkIn { id, endpoint, status, data });
            }
            Request::Cancel { id } => {
                let waited = self.transfers.cancel(id, out);
                self.seen.canceled = self.seen.canceled.saturating_add(waited.into());
            }
            Request::Listen { .. } => {}
        }
        self.pump(now, out);
    }

    fn tick(&mut self, now: Instant, out: &mut Vec<Reply>) {
        self.pump(now, out);
    }

    fn next_event(&self, now: Instant) -> Option<Instant> {
        let waits = !self.transfers.to_device.is_empty() && !self.nak && !self.dead;
        let wire = self.busy_until.filter(|until| waits && *until > now);
        [wire, self.engine.next_event(now)].into_iter().flatten().min()
    }
}

/// The byte of GET_PORT_STATUS (class 1.1 §4.2.2): bit 5 paper empty, bit 4 selected, bit 3 no error.
fn port_status(condition: Condition) -> u8 {
    let bit = |bit: u8, on: bool| if on { 1 << bit } else { 0 };
    bit(5, condition.paper_out) | bit(4, !condition.offline) | bit(3, !condition.fault)
}

impl<E> UsbPrinter<E> {
    /// `bInterfaceNumber` of the printer's interface.
    pub fn interface(&self) -> u8 {
        self.interface
    }
}

#[cfg(test)]
mod tests;
