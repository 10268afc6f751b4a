//! A CDC-ACM adapter (Communications Device Class, subclass ACM; PSTN 1.2 §6.3), as `cdc_acm` knows it.
//!
//! CTS is no part of this class, and nobody obeys XON/XOFF: the chip does not, the driver does not.

use std::time::Instant;

use super::adapter::{Adapter, Chip, ModemLines};
use super::{
    Description, Device, EndpointInfo, InterfaceInfo, Reply, Request, SerialPrinter, Setup, Speed,
    Status, TransferKind,
};
use crate::Engine;

const NEWS: u8 = 0x83;
const IN: u8 = 0x81;
const OUT: u8 = 0x02;
const FIFO_BYTES: u32 = 256;

/// The adapter, and the printer at the end of its line.
#[derive(Debug)]
pub struct CdcAcm<E> {
    about: Description,
    chip: Chip<E>,
    coding: [u8; 7],
    listened: bool,
    told: Option<ModemLines>,
}

impl<E: Engine> CdcAcm<E> {
    /// An adapter with a serial number.
    pub fn new(printer: SerialPrinter<E>, serial: &str) -> Self {
        // Header 1.10; call management: none; ACM: line coding and break; union of 0 and 1.
        let functional =
            vec![5, 0x24, 0, 0x10, 1, 5, 0x24, 1, 0, 1, 4, 0x24, 2, 6, 5, 0x24, 6, 0, 1];
        let news = EndpointInfo {
            address: NEWS,
            kind: TransferKind::Interrupt,
            max_packet: 16,
            interval: 16,
        };
        let speed = Speed::Full;
        let control = InterfaceInfo {
            number: 0,
            alternate: 0,
            class: [2, 2, 1],
            functional,
            endpoints: vec![news],
        };
        let data = InterfaceInfo {
            number: 1,
            alternate: 0,
            class: [10, 0, 0],
            functional: Vec::new(),
            endpoints: vec![EndpointInfo::bulk(IN, speed), EndpointInfo::bulk(OUT, speed)],
        };
        let about = Description {
            speed,
            ids: (0x1A86, 0x55D3),
            release: 0x0100,
            class: [2, 0, 0],
            strings: ["HIL".into(), "USB Serial".into(), serial.into()],
            interfaces: vec![control, data],
        };
        Self {
            about,
            chip: Chip::new(printer, FIFO_BYTES),
            coding: [0x80, 0x25, 0, 0, 0, 0, 8],
            listened: false,
            told: None,
        }
    }

    fn control(&mut self, setup: Setup, data: &[u8]) -> Result<Vec<u8>, Status> {
        match (setup.request_type, setup.request) {
            (0x21, 0x20) => {
                let (coding, _) = data.split_first_chunk().ok_or(Status::Stall)?;
                self.set_coding(*coding);
                Ok(Vec::new())
            }
            (0xA1, 0x21) => Ok(self.coding.to_vec()),
            (0x21, 0x22) => {
                self.chip.set_outputs(setup.value & 1 != 0, setup.value & 2 != 0);
                Ok(Vec::new())
            }
            (0x21, 0x23) => {
                self.chip.note(format!("break {}", setup.value));
                Ok(Vec::new())
            }
            _ if setup.clears_halt().is_some() => Ok(Vec::new()),
            _ => Err(Status::Stall),
        }
    }

    fn set_coding(&mut self, coding: [u8; 7]) {
        self.coding = coding;
        let [a, b, c, d, stop, parity, bits] = coding;
        let baud = u32::from_le_bytes([a, b, c, d]);
        let parity = b"NOEMS".get(usize::from(parity)).copied().unwrap_or(b'?');
        let stop = ["1", "1.5", "2"].get(usize::from(stop)).unwrap_or(&"?");
        self.chip.set_baud(baud);
        self.chip.note(format!("format {bits}{}{stop}", char::from(parity)));
    }

    /// SERIAL_STATE (PSTN 1.2 §6.5.4): bit 0 DCD, bit 1 DSR, bit 3 ring.
    fn tell_lines(&mut self, out: &mut Vec<Reply>) {
        let lines = self.chip.lines();
        if !self.listened || self.told == Some(lines) {
            return;
        }
        self.told = Some(lines);
        let ModemLines { dsr, dcd, ri, .. } = lines;
        let state = u8::from(dcd) | u8::from(dsr) << 1 | u8::from(ri) << 3;
        let data = vec![0xA1, 0x20, 0, 0, 0, 0, 2, 0, state, 0];
        out.push(Reply::Interrupt { endpoint: NEWS, data });
    }
}

impl<E: Engine> Adapter for CdcAcm<E> {
    type Engine = E;

    fn chip(&self) -> &Chip<E> {
        &self.chip
    }

    fn chip_mut(&mut self) -> &mut Chip<E> {
        &mut self.chip
    }
}

impl<E: Engine> Device for CdcAcm<E> {
    fn about(&self) -> &Description {
        &self.about
    }

    fn handle(&mut self, request: Request<'_>, now: Instant, out: &mut Vec<Reply>) {
        match self.chip.handle(request, out) {
            Some(Request::Control { id, setup, data }) => {
                let (status, mut data) = match self.control(setup, data) {
                    Ok(data) => (Status::Ok, data),
                    Err(status) => (status, Vec::new()),
                };
                data.truncate(setup.length.into());
                out.push(Reply::Control { id, setup, status, data });
            }
            Some(Request::Listen { endpoint: NEWS, on }) => {
                (self.listened, self.told) = (on, None);
            }
            _ => {}
        }
        self.tick(now, out);
    }

    fn tick(&mut self, now: Instant, out: &mut Vec<Reply>) {
        self.chip.run_line(now, out);
        self.tell_lines(out);
        while !self.chip.received.is_empty() {
            let Some(transfer) = self.chip.transfers.from_device.pop_front() else { break };
            let count = self.chip.received.len().min(transfer.length);
            let data = self.chip.received.drain(..count).collect();
            out.push(transfer.end(Status::Ok, data));
        }
    }

    fn next_event(&self, now: Instant) -> Option<Instant> {
        self.chip.next_event(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sink;
    use crate::usb::PrinterFlow;

    fn acm(flow: PrinterFlow) -> CdcAcm<Sink> {
        CdcAcm::new(SerialPrinter::new(Sink::default(), flow), "B1")
    }

    fn ask(acm: &mut CdcAcm<Sink>, request: Request<'_>) -> Vec<Reply> {
        let mut out = Vec::new();
        acm.handle(request, Instant::now(), &mut out);
        out
    }

    fn control(
        acm: &mut CdcAcm<Sink>,
        request_type: u8,
        request: u8,
        value: u16,
        data: &[u8],
    ) -> Vec<u8> {
        let setup = Setup { request_type, request, value, index: 0, length: 7 };
        match ask(acm, Request::Control { id: 1, setup, data }).swap_remove(0) {
            Reply::Control { data, .. } => data,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_line_is_coded_as_the_host_says() {
        let mut acm = acm(PrinterFlow::None);
        let coding = [0x00, 0xC2, 0x01, 0x00, 2, 1, 7];
        control(&mut acm, 0x21, 0x20, 0, &coding);
        assert_eq!(control(&mut acm, 0xA1, 0x21, 0, &[]), coding);
        control(&mut acm, 0x21, 0x22, 3, &[]);
        control(&mut acm, 0x21, 0x23, 0xFFFF, &[]);
        assert_eq!(acm.dtr_rts(), (true, true));
        let log: Vec<_> = acm.log().collect();
        assert_eq!(log, ["baud 115200", "format 7O2", "dtr 1 rts 1", "break 65535"]);
    }

    #[test]
    fn lines_are_told_when_they_change() {
        let mut acm = acm(PrinterFlow::Dsr);
        let listen = Request::Listen { endpoint: NEWS, on: true };
        let state = |value| {
            vec![Reply::Interrupt {
                endpoint: NEWS,
                data: vec![0xA1, 0x20, 0, 0, 0, 0, 2, 0, value, 0],
            }]
        };
        assert_eq!(ask(&mut acm, listen), state(3));
        acm.printer().hold(true, Instant::now());
        let mut out = Vec::new();
        acm.tick(Instant::now(), &mut out);
        assert_eq!(out, state(1));
    }

    #[test]
    fn a_printer_that_is_off_drops_its_lines_and_loses_what_comes() {
        let mut acm = acm(PrinterFlow::None);
        ask(&mut acm, Request::Listen { endpoint: NEWS, on: true });
        acm.printer().switch(false);
        let replies = ask(&mut acm, Request::BulkOut { id: 1, endpoint: OUT, data: b"abc" });
        let down = vec![0xA1, 0x20, 0, 0, 0, 0, 2, 0, 0, 0];
        assert!(replies.contains(&Reply::Interrupt { endpoint: NEWS, data: down }));
        acm.printer().switch(true);
        ask(&mut acm, Request::BulkOut { id: 2, endpoint: OUT, data: b"de" });
        assert_eq!(acm.printer().taken_and_lost(), (2, 3));
        assert_eq!(acm.printer().engine().taken, b"de");
    }

    #[test]
    fn the_pace_is_the_host_s_unless_it_is_lifted() {
        let mut acm = acm(PrinterFlow::None);
        // 1200 baud.
        control(&mut acm, 0x21, 0x20, 0, &[0xB0, 0x04, 0, 0, 0, 0, 8]);
        let data = [b'x'; 4000];
        assert_eq!(ask(&mut acm, Request::BulkOut { id: 1, endpoint: OUT, data: &data }), []);
        assert!(acm.printer().taken_and_lost().0 < 1000);
        acm.set_paced(false);
        assert_eq!(ask(&mut acm, Request::Listen { endpoint: IN, on: false }).len(), 1);
        assert_eq!(acm.printer().taken_and_lost().0, 4000);
    }

    #[test]
    fn xoff_reaches_the_host_and_stops_nothing_here() {
        let mut acm = acm(PrinterFlow::XonXoff);
        acm.printer().hold(true, Instant::now());
        let replies = ask(&mut acm, Request::BulkOut { id: 1, endpoint: OUT, data: b"abc" });
        assert_eq!(replies.len(), 1);
        let replies = ask(&mut acm, Request::BulkIn { id: 2, endpoint: IN, length: 64 });
        assert!(matches!(&replies[0], Reply::BulkIn { data, .. } if data == &[0x13]));
    }
}
