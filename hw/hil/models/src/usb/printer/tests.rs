use super::*;
use crate::Sink;

struct Bus {
    printer: UsbPrinter<Sink>,
    now: Instant,
    next: u64,
}

impl Bus {
    fn new() -> Self {
        Self::with(PrinterOptions::default())
    }

    fn with(options: PrinterOptions) -> Self {
        let printer = UsbPrinter::new(options, Sink::default());
        Self { printer, now: Instant::now(), next: 0 }
    }

    fn ask(&mut self, request: Request<'_>) -> Vec<Reply> {
        let mut out = Vec::new();
        self.printer.handle(request, self.now, &mut out);
        out
    }

    /// Submits a transfer; its id, and what was answered.
    fn write(&mut self, data: &[u8]) -> (u64, Vec<Reply>) {
        self.next += 1;
        let id = self.next;
        (id, self.ask(Request::BulkOut { id, endpoint: OUT, data }))
    }

    fn tick(&mut self) -> Vec<Reply> {
        let mut out = Vec::new();
        self.printer.tick(self.now, &mut out);
        out
    }

    fn control(&mut self, request_type: u8, request: u8, index: u16) -> Option<(Status, Vec<u8>)> {
        let setup = Setup { request_type, request, value: 0, index, length: 1024 };
        match self.ask(Request::Control { id: 99, setup, data: &[] }).pop() {
            Some(Reply::Control { status, data, .. }) => Some((status, data)),
            _ => None,
        }
    }
}

fn done(id: u64, status: Status, length: usize) -> Vec<Reply> {
    vec![Reply::BulkOut { id, endpoint: OUT, status, length }]
}

#[test]
fn data_goes_to_the_engine() {
    let mut bus = Bus::new();
    let (id, replies) = bus.write(b"abc");
    assert_eq!(replies, done(id, Status::Ok, 3));
    assert_eq!(bus.printer.engine().taken, b"abc");
}

#[test]
fn nak_holds_transfers_back_and_they_can_be_taken_back() {
    let mut bus = Bus::new();
    bus.printer.set_nak(true);
    let (first, replies) = bus.write(b"abc");
    assert_eq!(replies, []);
    let (second, _) = bus.write(b"def");
    assert_eq!(bus.ask(Request::Cancel { id: second }), done(second, Status::Cancelled, 0));
    assert_eq!(bus.ask(Request::Cancel { id: second }), [], "not answered twice");
    bus.printer.set_nak(false);
    assert_eq!(bus.tick(), done(first, Status::Ok, 3));
    assert_eq!(bus.printer.engine().taken, b"abc");
    assert_eq!((bus.printer.seen().canceled, bus.printer.seen().most_waiting), (1, 2));
}

#[test]
fn it_stops_reading_at_a_byte_and_goes_on() {
    let mut bus = Bus::new();
    bus.printer.nak_at(4);
    let (id, replies) = bus.write(b"abcd");
    assert_eq!(replies, done(id, Status::Ok, 4));
    assert!(!bus.printer.naks());
    let (id, replies) = bus.write(b"e");
    assert_eq!(replies, []);
    assert!(bus.printer.naks());
    bus.printer.set_nak(false);
    assert_eq!(bus.tick(), done(id, Status::Ok, 1), "once only");
    assert_eq!(bus.printer.engine().taken, b"abcde");
}

#[test]
fn a_full_engine_holds_whole_transfers_back() {
    let mut bus = Bus::new();
    bus.printer.engine().limit_bytes = 4;
    bus.write(b"abc");
    let (id, replies) = bus.write(b"de");
    assert_eq!(replies, []);
    bus.printer.engine().limit_bytes = 5;
    assert_eq!(bus.tick(), done(id, Status::Ok, 2));
}

#[test]
fn a_rate_takes_its_time() {
    let mut bus = Bus::new();
    bus.printer.set_rate(Some(1000));
    bus.write(&[0; 500]);
    let (id, replies) = bus.write(&[0; 500]);
    assert_eq!(replies, []);
    let due = bus.printer.next_event(bus.now).unwrap();
    assert_eq!(due - bus.now, Duration::from_millis(500));
    bus.now = due;
    assert_eq!(bus.tick(), done(id, Status::Ok, 500));
}

#[test]
fn a_halt_cuts_a_transfer_and_stays_until_it_is_cleared() {
    let mut bus = Bus::new();
    bus.printer.stall_at(5);
    bus.write(b"abc");
    let (id, replies) = bus.write(b"defg");
    assert_eq!(replies, done(id, Status::Stall, 2));
    let (id, replies) = bus.write(b"h");
    assert_eq!(replies, done(id, Status::Stall, 0));
    let clear = Setup { request_type: 2, request: 1, value: 0, index: 1, length: 0 };
    bus.ask(Request::Control { id: 9, setup: clear, data: &[] });
    let (id, replies) = bus.write(b"fg");
    assert_eq!(replies, done(id, Status::Ok, 2));
    assert_eq!(bus.printer.engine().taken, b"abcdefg");
    assert_eq!(bus.printer.seen().halts_cleared, 1);
}

#[test]
fn the_cable_is_pulled_in_the_middle_of_a_transfer() {
    let mut bus = Bus::new();
    bus.printer.unplug_at(5);
    bus.write(b"abc");
    let (_, replies) = bus.write(b"defg");
    assert_eq!(replies, [Reply::Unplug]);
    assert_eq!(bus.printer.engine().taken, b"abcde");
}

#[test]
fn the_class_requests() {
    let mut bus = Bus::new();
    let (status, id) = bus.control(0xA1, 0, 0).unwrap();
    assert_eq!((status, &id[..6]), (Status::Ok, &b"\0\x43MFG:"[..]));
    assert_eq!(id.len(), 0x43);
    assert_eq!(bus.control(0xA1, 1, 0).unwrap().1, [0x18]);
    bus.printer.engine().condition = Condition { paper_out: true, offline: true, fault: true };
    assert_eq!(bus.control(0xA1, 1, 0).unwrap().1, [0x20]);
    for request_type in [0x21, 0x23] {
        assert_eq!(bus.control(request_type, 2, 0).unwrap().0, Status::Ok);
    }
    assert_eq!(bus.printer.engine().resets, 2);
    assert_eq!(bus.control(0xC0, 7, 0).unwrap().0, Status::Stall);
}

#[test]
fn words_wait_for_the_host_and_the_host_for_words() {
    let mut bus = Bus::new();
    assert_eq!(bus.ask(Request::BulkIn { id: 1, endpoint: IN, length: 2 }), []);
    bus.printer.engine().words.extend(b"xyz");
    let said = |id, data: &[u8]| {
        vec![Reply::BulkIn { id, endpoint: IN, status: Status::Ok, data: data.to_vec() }]
    };
    assert_eq!(bus.tick(), said(1, b"xy"));
    assert_eq!(bus.ask(Request::BulkIn { id: 2, endpoint: IN, length: 64 }), said(2, b"z"));
    bus.printer.send_endless_nothing();
    assert_eq!(bus.ask(Request::BulkIn { id: 3, endpoint: IN, length: 64 }), said(3, b""));
    bus.printer.send_endlessly(b'!');
    assert_eq!(bus.ask(Request::BulkIn { id: 4, endpoint: IN, length: 3 }), said(4, b"!!!"));
}

#[test]
fn a_dead_printer_says_nothing_at_all() {
    let mut bus = Bus::new();
    bus.printer.set_dead(true);
    assert_eq!(bus.write(b"abc").1, []);
    assert_eq!(bus.control(0xA1, 1, 0), None);
}

#[test]
fn interfaces_as_ordered() {
    let options = PrinterOptions {
        protocols: vec![1, 2, 4],
        second_interface: true,
        ..PrinterOptions::default()
    };
    let bus = Bus::with(options);
    let about = bus.printer.about();
    let seen: Vec<_> =
        about.interfaces.iter().map(|it| (it.number, it.alternate, it.class[2])).collect();
    assert_eq!(seen, [(0, 0, 0), (1, 0, 1), (1, 1, 2), (1, 2, 4)]);
    assert_eq!(about.interfaces[1].endpoints.len(), 1, "one way has no way back");
}
