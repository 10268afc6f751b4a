//! Golden dialogues with the ESC/POS printer.

use std::time::Instant;

use super::*;
use crate::sim::event::Log;
use crate::sim::model::back::Back;

const FINE: Condition = Condition {
    paper_out: false,
    paper_low: false,
    cover_open: false,
    offline: false,
    drawer_open: false,
    ribbon_out: false,
    cutter_jam: false,
    overheated: false,
    broken: false,
    toner_used: 0,
};

#[derive(Default)]
struct Rig {
    escpos: Escpos,
    condition: Condition,
    back: Back,
    log: Log,
    pages: u64,
}

impl Rig {
    fn with<R>(&mut self, act: impl FnOnce(&mut Escpos, &mut Bench<'_>) -> R) -> (R, Vec<u8>) {
        let Self { escpos, condition, back, log, pages } = self;
        let (condition, now) = (*condition, Instant::now());
        let result =
            act(escpos, &mut Bench { condition, now, buffer_full: false, back, log, pages });
        let mut said = Vec::new();
        back.drain(&mut said);
        (result, said)
    }

    fn eat(&mut self, bytes: &[u8]) -> Vec<u8> {
        let (used, said) = self.with(|escpos, bench| escpos.eat(bytes, bench));
        assert_eq!(used, bytes.len());
        said
    }

    fn set(&mut self, condition: Condition) -> Vec<u8> {
        self.condition = condition;
        self.with(Escpos::changed).1
    }
}

#[test]
fn real_time_status_golden() {
    let all = Condition {
        paper_out: true,
        paper_low: true,
        cover_open: true,
        offline: true,
        drawer_open: true,
        cutter_jam: true,
        overheated: true,
        broken: true,
        ..FINE
    };
    let four = |condition| [1, 2, 3, 4].map(|n| status(n, condition));
    assert_eq!(four(FINE), [0x12, 0x12, 0x12, 0x12]);
    assert_eq!(four(all), [0x1E, 0x76, 0x7A, 0x7E]);
    assert_eq!(four(Condition { cutter_jam: true, ..FINE }), [0x1A, 0x52, 0x1A, 0x12]);
    assert_eq!(four(Condition { paper_out: true, ..FINE }), [0x1A, 0x32, 0x12, 0x7E]);
    assert_eq!(four(Condition { paper_low: true, ..FINE }), [0x12, 0x12, 0x12, 0x1E]);
    assert_eq!(four(Condition { cover_open: true, ..FINE }), [0x1A, 0x16, 0x12, 0x12]);
}

#[test]
fn automatic_status_golden() {
    let mut rig = Rig::default();
    assert_eq!(rig.eat(b"\x1da\x0f"), [0x10, 0, 0, 0], "reported at once");
    assert_eq!(rig.set(Condition { cover_open: true, ..FINE }), [0x38, 0, 0, 0]);
    assert_eq!(
        rig.set(Condition { cover_open: true, paper_out: true, ..FINE }),
        [0x38, 0, 0x0F, 0]
    );
    assert_eq!(rig.set(FINE), [0x10, 0, 0, 0]);
    assert_eq!(rig.set(FINE), [], "no change, no report");
    assert_eq!(rig.set(Condition { drawer_open: true, ..FINE }), [0x14, 0, 0, 0]);
    rig.set(FINE);
    assert_eq!(rig.set(Condition { overheated: true, ..FINE }), [0x18, 0x40, 0, 0]);
    rig.set(FINE);
    assert_eq!(rig.eat(b"\x1b@"), []);
    assert_eq!(rig.set(Condition { offline: true, ..FINE }), [], "ESC @ switched it off");
}

#[test]
fn only_what_was_selected_is_reported() {
    let mut rig = Rig::default();
    assert_eq!(rig.eat(b"\x1da\x08"), [0x10, 0, 0, 0]);
    assert_eq!(rig.set(Condition { offline: true, ..FINE }), []);
    assert_eq!(rig.set(Condition { offline: true, paper_low: true, ..FINE }), [0x18, 0, 0x03, 0]);
    rig.condition = FINE;
    assert_eq!(rig.eat(b"\x1da\x00"), []);
}

#[test]
fn sensor_questions_wait_for_the_printer_to_be_on_line() {
    let mut rig = Rig::default();
    assert_eq!(rig.eat(b"\x1dr\x01\x1dr2"), [0, 0]);
    rig.condition = Condition { paper_low: true, drawer_open: true, ..FINE };
    assert_eq!(rig.eat(b"\x1dr1\x1dr\x02"), [3, 1]);
    rig.condition.offline = true;
    let (used, said) = rig.with(|escpos, bench| escpos.eat(b"\x1dr\x01", bench));
    assert_eq!((used, said), (0, Vec::new()));
}

#[test]
fn cuts_end_receipts() {
    let mut rig = Rig::default();
    rig.eat(b"text\x1dV\x00more\x1dV1\x1dV\x42\x05\x1dVA\x00");
    assert_eq!(rig.pages, 4);
}

#[test]
fn what_lies_in_data_is_not_a_command() {
    let question = b"\x1da\x0f";
    let data = |header: &[u8]| [header, question].concat();
    for bytes in [
        data(b"\x1dv0\x00\x03\x00\x01\x00"),
        data(b"\x1b*\x00\x03\x00"),
        data(b"\x1b*\x21\x01\x00"),
        data(b"\x1d(L\x03\x00"),
        data(b"\x1d8L\x03\x00\x00\x00"),
        data(b"\x1dkI\x03"),
    ] {
        let mut rig = Rig::default();
        assert_eq!(rig.eat(&bytes), [], "{}", bytes.escape_ascii());
        assert_eq!(rig.eat(question), [0x10, 0, 0, 0], "{}", bytes.escape_ascii());
        let mut rig = Rig::default();
        let said: Vec<u8> = bytes.iter().flat_map(|byte| rig.eat(&[*byte])).collect();
        assert_eq!(said, [], "byte by byte: {}", bytes.escape_ascii());
    }
}
