use super::*;
use crate::Sink;
use crate::usb::{PrinterOptions, UsbPrinter};

/// QEMU's side: sends packets, and takes apart what it gets.
struct Peer {
    session: Session,
    printer: UsbPrinter<Sink>,
    long_ids: bool,
}

type Packet = (u32, u64, Vec<u8>);

impl Peer {
    fn new() -> Self {
        let printer = UsbPrinter::new(PrinterOptions::default(), Sink::default());
        Self { session: Session::default(), printer, long_ids: false }
    }

    fn send(&mut self, kind: u32, id: u64, body: &[u8]) -> Vec<Packet> {
        let mut bytes = Vec::new();
        wire::put(&mut bytes, kind, id, self.long_ids, &[body]);
        // Byte by byte: a packet may come in any pieces.
        for byte in bytes {
            self.session.receive(&[byte], &mut self.printer, Instant::now()).unwrap();
        }
        self.take()
    }

    fn take(&mut self) -> Vec<Packet> {
        let mut packets = Vec::new();
        let output = std::mem::take(self.session.output());
        let mut rest = output.as_slice();
        while !rest.is_empty() {
            let header = wire::header(rest, self.long_ids).unwrap();
            let (body, after) = rest[header.size..].split_at(header.length);
            packets.push((header.kind, header.id, body.to_vec()));
            rest = after;
        }
        packets
    }

    /// Says hello as QEMU 7.2 does.
    fn meet(&mut self, capabilities: u32) -> Vec<Packet> {
        let ours = self.take();
        assert_eq!((ours[0].0, ours[0].2.len()), (wire::HELLO, 68));
        let mut hello = vec![0; 64];
        hello.extend(capabilities.to_le_bytes());
        let mut bytes = Vec::new();
        wire::put(&mut bytes, wire::HELLO, 0, false, &[&hello]);
        self.session.receive(&bytes, &mut self.printer, Instant::now()).unwrap();
        self.long_ids = capabilities & wire::LONG_IDS != 0;
        self.take()
    }
}

#[test]
fn a_device_is_told_in_the_order_that_qemu_needs() {
    let mut peer = Peer::new();
    let told = peer.meet(0xFF);
    let kinds: Vec<u32> = told.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, [wire::INTERFACE_INFO, wire::EP_INFO, wire::DEVICE_CONNECT]);
    assert_eq!(told[2].2, [2, 0, 0, 0, 0xB8, 0x04, 0x02, 0x02, 0x00, 0x01]);
    let interfaces = &told[0].2;
    assert_eq!((interfaces[0], interfaces[4], interfaces[36]), (1, 0, 7));
    let endpoints = &told[1].2;
    assert_eq!(endpoints.len(), 32 * 5);
    assert_eq!((endpoints[0], endpoints[1], endpoints[16], endpoints[18]), (0, 2, 0, 2));
    assert_eq!(endpoints[3], 0xFF);
    assert_eq!(endpoints[96 + 2 * 18..][..2], [0, 2], "512 bytes");
}

#[test]
fn an_old_peer_gets_short_packets() {
    let mut peer = Peer::new();
    let told = peer.meet(0);
    assert_eq!(told[1].2.len(), 96);
    assert_eq!(told[2].2.len(), 8);
    let answer = peer.send(wire::BULK, 5, &[0x01, 0, 2, 0, 0, 0, 0, 0, b'h', b'i']);
    assert_eq!(answer, [(wire::BULK, 5, vec![0x01, 0, 2, 0, 0, 0, 0, 0])]);
    assert_eq!(peer.printer.engine().taken, b"hi");
}

#[test]
fn configuration_control_and_bulk() {
    let mut peer = Peer::new();
    peer.meet(0xFF);
    let told = peer.send(wire::SET_CONFIGURATION, 1, &[1]);
    assert_eq!(told.last().unwrap(), &(wire::CONFIGURATION_STATUS, 1, vec![0, 1]));
    assert_eq!(told.len(), 3);
    let told = peer.send(wire::SET_ALT_SETTING, 2, &[0, 0]);
    assert_eq!(told.last().unwrap(), &(wire::ALT_SETTING_STATUS, 2, vec![0, 0, 0]));
    let descriptor = peer.send(wire::CONTROL, 3, &[0x80, 6, 0x80, 0, 0, 1, 0, 0, 18, 0]);
    let (kind, id, body) = &descriptor[0];
    assert_eq!((*kind, *id), (wire::CONTROL, 3));
    assert_eq!(body[..10], [0x80, 6, 0x80, 0, 0, 1, 0, 0, 18, 0]);
    assert_eq!(body[10..], peer.printer.about().device());
    let status = peer.send(wire::CONTROL, 4, &[0x80, 1, 0xA1, 0, 0, 0, 0, 0, 1, 0]);
    assert_eq!(status[0].2[10..], [0x18]);
    let mut long = vec![0x01, 0, 0x70, 0x11, 0, 0, 0, 0, 1, 0];
    long.extend(vec![7; 0x1_1170]);
    let taken = peer.send(wire::BULK, 6, &long);
    assert_eq!(taken[0].2, [0x01, 0, 0x70, 0x11, 0, 0, 0, 0, 1, 0]);
    assert_eq!(peer.printer.engine().taken.len(), 0x1_1170);
}

#[test]
fn a_transfer_that_is_taken_back_is_answered_once() {
    let mut peer = Peer::new();
    peer.meet(0xFF);
    assert_eq!(peer.send(wire::BULK, 8, &[0x82, 0, 64, 0, 0, 0, 0, 0, 0, 0]), []);
    let answer = peer.send(wire::CANCEL, 8, &[]);
    assert_eq!(answer, [(wire::BULK, 8, vec![0x82, 1, 0, 0, 0, 0, 0, 0, 0, 0])]);
    assert_eq!(peer.send(wire::CANCEL, 8, &[]), []);
}

#[test]
fn after_the_unplug_nothing_is_said() {
    let mut peer = Peer::new();
    peer.meet(0xFF);
    peer.printer.unplug();
    peer.session.tick(&mut peer.printer, Instant::now());
    assert_eq!(peer.take(), [(wire::DEVICE_DISCONNECT, 0, vec![])]);
    assert!(peer.session.is_unplugged());
    assert_eq!(peer.send(wire::CONTROL, 4, &[0x80, 1, 0xA1, 0, 0, 0, 0, 0, 1, 0]), []);
}

#[test]
fn packets_that_cannot_be() {
    let mut peer = Peer::new();
    let now = Instant::now();
    let short = [100, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9];
    let fault = peer.session.receive(&short, &mut peer.printer, now);
    assert_eq!(fault, Err(Fault::TooShort { kind: 100 }));
    let mut peer = Peer::new();
    let long = [101, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0];
    let fault = peer.session.receive(&long, &mut peer.printer, now);
    assert_eq!(fault, Err(Fault::TooLong { kind: 101, length: 1 << 30 }));
}

#[test]
fn fuzz_session() {
    bolero::check!().for_each(|input: &[u8]| {
        let mut peer = Peer::new();
        peer.meet(0xFF);
        let _ = peer.session.receive(input, &mut peer.printer, Instant::now());
        assert!(peer.printer.engine().taken.len() <= input.len());
    });
}
