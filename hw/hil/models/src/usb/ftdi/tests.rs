use std::time::Duration;

use super::*;
use crate::Sink;
use crate::usb::PrinterFlow;

struct Bus {
    ftdi: Ftdi<Sink>,
    now: Instant,
}

impl Bus {
    fn new(flow: PrinterFlow) -> Self {
        let printer = SerialPrinter::new(Sink::default(), flow);
        Self { ftdi: Ftdi::new(printer, "A1"), now: Instant::now() }
    }

    fn ask(&mut self, request: Request<'_>) -> Vec<Reply> {
        let mut out = Vec::new();
        self.ftdi.handle(request, self.now, &mut out);
        out
    }

    fn set(&mut self, request: u8, value: u16, index: u16) {
        let setup = Setup { request_type: 0x40, request, value, index, length: 0 };
        self.ask(Request::Control { id: 1, setup, data: &[] });
    }

    fn tick_at(&mut self, ms: u64) -> Vec<Reply> {
        self.now += Duration::from_millis(ms);
        let mut out = Vec::new();
        self.ftdi.tick(self.now, &mut out);
        out
    }
}

#[test]
fn baud_rates_as_the_driver_codes_them() {
    for (value, index, expected) in [
        (0x4138, 0, 9600),
        (0x001A, 0, 115_384),
        (0x8003, 0, 923_076),
        (0, 0, 3_000_000),
        (1, 0, 2_000_000),
    ] {
        assert_eq!(baud(value, index), expected, "{value:#x}");
    }
}

#[test]
fn bytes_leave_at_the_line_rate() {
    let mut bus = Bus::new(PrinterFlow::None);
    bus.set(3, 0x4138, 0);
    let data = [b'x'; 1000];
    assert_eq!(bus.ask(Request::BulkOut { id: 7, endpoint: OUT, data: &data }), []);
    let sent = |bus: &mut Bus| bus.ftdi.printer().engine().taken.len();
    assert!((256..=320).contains(&sent(&mut bus)), "the FIFO: {}", sent(&mut bus));
    let start = bus.now;
    let answered = loop {
        bus.now = bus.ftdi.next_event(bus.now).unwrap();
        if !bus.tick_at(0).is_empty() {
            break bus.now.duration_since(start).as_millis();
        }
    };
    // The last byte is in the FIFO when 744 have left it, at 960 a second.
    assert!((700..=775).contains(&answered), "{answered} ms");
    assert_eq!(sent(&mut bus), 1000);
}

#[test]
fn packets_to_the_host_begin_with_the_lines() {
    let mut bus = Bus::new(PrinterFlow::None);
    bus.ftdi.printer().engine().words.extend([b'w'; 100]);
    let replies = bus.ask(Request::BulkIn { id: 1, endpoint: IN, length: 512 });
    let Reply::BulkIn { data, .. } = &replies[0] else { panic!() };
    assert_eq!(data.len(), 104);
    assert_eq!((&data[..3], &data[64..67]), (&[0xB1, 0x60, b'w'][..], &[0xB1, 0x60, b'w'][..]));
    assert_eq!(bus.ask(Request::BulkIn { id: 2, endpoint: IN, length: 512 }), []);
    let lines = ModemLines { cts: false, ..ModemLines::default() };
    bus.ftdi.printer().set_lines(lines);
    let replies = bus.tick_at(1);
    assert!(matches!(&replies[0], Reply::BulkIn { data, .. } if data == &[0xA1, 0x60]));
    bus.ask(Request::BulkIn { id: 3, endpoint: IN, length: 512 });
    assert_eq!(bus.tick_at(41).len(), 1, "now and then also without news");
}

#[test]
fn the_chip_obeys_what_it_was_told_to_obey() {
    for (flow, register) in
        [(PrinterFlow::Cts, 1), (PrinterFlow::Dsr, 2), (PrinterFlow::XonXoff, 4)]
    {
        let mut bus = Bus::new(flow);
        bus.set(2, 0, register << 8);
        let now = bus.now;
        bus.ftdi.printer().hold(true, now);
        bus.tick_at(1);
        assert_eq!(bus.ask(Request::BulkOut { id: 1, endpoint: OUT, data: b"abc" }), []);
        bus.ftdi.printer().hold(false, now);
        assert_eq!(bus.tick_at(1).len(), 1, "{flow:?}");
        assert_eq!(bus.ftdi.printer().engine().taken, b"abc");
    }
}

#[test]
fn a_printer_without_room_loses_what_it_did_not_stop() {
    let mut bus = Bus::new(PrinterFlow::None);
    bus.ftdi.printer().engine().limit_bytes = 2;
    bus.ask(Request::BulkOut { id: 1, endpoint: OUT, data: b"abc" });
    assert_eq!(bus.ftdi.printer().taken_and_lost(), (2, 1));
}

#[test]
fn what_the_host_did_is_remembered() {
    let mut bus = Bus::new(PrinterFlow::None);
    bus.set(1, 0x0303, 0);
    bus.set(4, 0x4008 | 2 << 8, 0);
    assert_eq!(bus.ftdi.dtr_rts(), (true, true));
    let log: Vec<_> = bus.ftdi.log().map(str::to_owned).collect();
    assert_eq!(log, ["dtr 1 rts 1", "format 8E1", "break on"]);
}
