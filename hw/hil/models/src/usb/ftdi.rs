//! An FT232R, as `ftdi_sio` knows it (0403:6001, release 6.00). The requests are those of FTDI's own driver, as the
//! kernel documents them in `ftdi_sio.h`.
//!
//! Every 64-byte packet towards the host begins with two bytes of status; with nothing to say the chip sends those two
//! alone, when a line changes and now and then.

use std::time::Instant;

use super::adapter::{Adapter, Chip, ModemLines, Obeys};
use super::{
    Description, Device, EndpointInfo, InterfaceInfo, Reply, Request, SerialPrinter, Setup, Speed,
    Status,
};
use crate::Engine;
use crate::limits::FTDI_STATUS_EVERY;

const IN: u8 = 0x81;
const OUT: u8 = 0x02;

/// Bytes in the chip's transmit buffer (FT232R data sheet: 256).
const FIFO_BYTES: u32 = 256;

/// The chip, and the printer at the end of its line.
#[derive(Debug)]
pub struct Ftdi<E> {
    about: Description,
    chip: Chip<E>,
    /// The lines that the host was told last, and when.
    told: Option<(ModemLines, Instant)>,
}

impl<E: Engine> Ftdi<E> {
    /// An adapter with a serial number.
    pub fn new(printer: SerialPrinter<E>, serial: &str) -> Self {
        let speed = Speed::Full;
        let interface = InterfaceInfo {
            number: 0,
            alternate: 0,
            class: [0xFF; 3],
            functional: Vec::new(),
            endpoints: vec![EndpointInfo::bulk(IN, speed), EndpointInfo::bulk(OUT, speed)],
        };
        let about = Description {
            speed,
            ids: (0x0403, 0x6001),
            release: 0x0600,
            class: [0; 3],
            strings: ["FTDI".into(), "FT232R USB UART".into(), serial.into()],
            interfaces: vec![interface],
        };
        let chip = Chip::new(printer, FIFO_BYTES);
        Self { about, chip, told: None }
    }

    fn control(&mut self, setup: Setup, now: Instant) -> Result<Vec<u8>, Status> {
        match (setup.request_type, setup.request) {
            (0xC0, 5) => Ok(self.status(now).to_vec()),
            // Latency timer; a memory that was never written.
            (0xC0, 10) => Ok(vec![16]),
            (0xC0, 0x90) => Ok(vec![0xFF; setup.length.into()]),
            (0x40, request) => {
                self.set(request, setup.value, setup.index);
                Ok(Vec::new())
            }
            _ if setup.clears_halt().is_some() => Ok(Vec::new()),
            _ => Err(Status::Stall),
        }
    }

    fn set(&mut self, request: u8, value: u16, index: u16) {
        match request {
            1 => {
                let bit = |at: u16| value >> at & 1 != 0;
                let (dtr, rts) = self.dtr_rts();
                let (dtr, rts) =
                    (if bit(8) { bit(0) } else { dtr }, if bit(9) { bit(1) } else { rts });
                self.chip.set_outputs(dtr, rts);
            }
            2 => {
                let [_, flow] = index.to_le_bytes();
                let bit = |at: u8| flow >> at & 1 != 0;
                self.chip.obeys = Obeys { cts: bit(0), dsr: bit(1), xoff: bit(2) };
                self.chip.note(format!("flow {flow:#04x}"));
            }
            3 => {
                self.chip.set_baud(baud(value, index));
            }
            4 => {
                let [bits, format] = value.to_le_bytes();
                let parity = b"NOEMS".get(usize::from(format & 7)).copied().unwrap_or(b'?');
                let stop = ["1", "1.5", "2"].get(usize::from(format >> 3 & 7)).unwrap_or(&"?");
                self.chip.note(format!("format {bits}{}{stop}", char::from(parity)));
                self.chip
                    .note(format!("break {}", if format >> 6 & 1 == 1 { "on" } else { "off" }));
            }
            _ => {}
        }
    }

    /// The two bytes that begin each packet: lines, then the state of the transmitter.
    fn status(&self, now: Instant) -> [u8; 2] {
        let ModemLines { cts, dsr, dcd, ri } = self.chip.lines();
        let bit = |at: u8, on: bool| u8::from(on) << at;
        let lines = 1 | bit(4, cts) | bit(5, dsr) | bit(6, ri) | bit(7, dcd);
        [lines, if self.chip.is_quiet(now) { 0x60 } else { 0 }]
    }

    fn answer_in(&mut self, now: Instant, out: &mut Vec<Reply>) {
        let lines = self.chip.lines();
        let news = self.told.is_none_or(|(told, at)| {
            told != lines || now.saturating_duration_since(at) >= FTDI_STATUS_EVERY
        });
        if !news && self.chip.received.is_empty() {
            return;
        }
        let Some(transfer) = self.chip.transfers.from_device.pop_front() else { return };
        let mut data = self.status(now).to_vec();
        let mut room = transfer.length.saturating_sub(2);
        loop {
            let count = self.chip.received.len().min(62).min(room);
            data.extend(self.chip.received.drain(..count));
            room = room.saturating_sub(count);
            if count < 62 || room < 64 || self.chip.received.is_empty() {
                break;
            }
            data.extend(self.status(now));
            room = room.saturating_sub(2);
        }
        self.told = Some((lines, now));
        out.push(transfer.end(Status::Ok, data));
    }
}

impl<E: Engine> Adapter for Ftdi<E> {
    type Engine = E;

    fn chip(&self) -> &Chip<E> {
        &self.chip
    }

    fn chip_mut(&mut self) -> &mut Chip<E> {
        &mut self.chip
    }
}

impl<E: Engine> Device for Ftdi<E> {
    fn about(&self) -> &Description {
        &self.about
    }

    fn handle(&mut self, request: Request<'_>, now: Instant, out: &mut Vec<Reply>) {
        if let Some(Request::Control { id, setup, .. }) = self.chip.handle(request, out) {
            let (status, mut data) = match self.control(setup, now) {
                Ok(data) => (Status::Ok, data),
                Err(status) => (status, Vec::new()),
            };
            data.truncate(setup.length.into());
            out.push(Reply::Control { id, setup, status, data });
        }
        self.tick(now, out);
    }

    fn tick(&mut self, now: Instant, out: &mut Vec<Reply>) {
        self.chip.run_line(now, out);
        self.answer_in(now, out);
    }

    fn next_event(&self, now: Instant) -> Option<Instant> {
        let listens = !self.chip.transfers.from_device.is_empty();
        let status =
            self.told.filter(|_| listens).and_then(|(_, at)| at.checked_add(FTDI_STATUS_EVERY));
        [status, self.chip.next_event(now)].into_iter().flatten().min()
    }
}

/// The baud rate of a divisor: 14 bits, and three of eighths in an order of their own.
fn baud(value: u16, index: u16) -> u32 {
    const EIGHTHS: [u32; 8] = [0, 4, 2, 1, 3, 5, 6, 7];
    let code = usize::from(value >> 14 | (index & 1) << 2);
    let eighths = EIGHTHS.get(code).copied().unwrap_or(0);
    match u32::from(value & 0x3FFF) * 8 + eighths {
        0 => 3_000_000,
        8 => 2_000_000,
        divisor => 24_000_000 / divisor,
    }
}

#[cfg(test)]
mod tests;
