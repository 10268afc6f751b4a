//! The printer as a whole: intake, buffer, faults, commands; and its promises for any input.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::Origin;
use crate::sim::command::parse;

const LANGUAGES: [Language; 4] = [Language::Plain, Language::Pjl, Language::Escpos, Language::Zpl];

fn model(language: Language, buffer_bytes: usize) -> (Model, Instant) {
    let keep = Keep::Memory { limit_bytes: usize::MAX };
    let now = Instant::now();
    let options =
        ModelOptions { buffer_bytes, keep, checksum: Checksum::Crc32c, ..Default::default() };
    (Model::new(language, options, now), now)
}

fn tell(model: &mut Model, line: &str, now: Instant) -> String {
    model.apply(&parse(line).unwrap(), now).to_json()
}

fn said(model: &mut Model) -> Vec<u8> {
    let mut said = Vec::new();
    model.reply(&mut said);
    said
}

#[test]
fn a_fault_fills_the_buffer_and_then_holds_the_host_back() {
    for fault in ["paper-out", "cover-open", "offline"] {
        for language in LANGUAGES {
            let (mut model, now) = model(language, 10);
            tell(&mut model, &format!("{fault} on"), now);
            assert_eq!(model.take(b"abcdef", Some(Origin::Job), now), 6);
            assert_eq!(model.take(b"ghijkl", Some(Origin::Job), now), 4);
            assert_eq!((model.room(now), model.buffered(), model.busy()), (0, 10, true));
            tell(&mut model, &format!("{fault} off"), now);
            assert_eq!((model.room(now), model.buffered(), model.busy()), (10, 0, false));
            assert_eq!(model.take_kept(), b"abcdefghij");
        }
    }
}

#[test]
fn two_faults_both_have_to_go() {
    let (mut model, now) = model(Language::Plain, 10);
    tell(&mut model, "paper-out on", now);
    tell(&mut model, "cover-open on", now);
    model.take(b"abc", None, now);
    tell(&mut model, "paper-out off", now);
    assert_eq!(model.buffered(), 3);
    tell(&mut model, "cover-open off", now);
    assert_eq!(model.buffered(), 0);
}

#[test]
fn a_stall_holds_the_host_back_at_once() {
    let (mut model, now) = model(Language::Pjl, 10);
    tell(&mut model, "stall on", now);
    assert_eq!((model.room(now), model.wire_room(now), model.take(b"abc", None, now)), (0, 0, 0));
    tell(&mut model, "stall off", now);
    assert_eq!(model.take(b"abc", None, now), 3);
}

#[test]
fn a_busy_escpos_printer_can_still_be_asked_why() {
    for fault in ["stall on", "paper-out on"] {
        let (mut model, now) = model(Language::Escpos, 4);
        tell(&mut model, fault, now);
        model.take(b"abcd", Some(Origin::Job), now);
        assert_eq!((model.room(now), model.take(b"x", Some(Origin::Job), now)), (0, 0));
        for _ in 0..1000 {
            assert_eq!(model.take(b"\x10\x04\x01", None, now), 3);
            assert_eq!(said(&mut model).len(), 1, "requests use nothing up");
        }
        let job = vec![b'x'; 1000];
        assert_eq!(model.take(&job, None, now), SIM_EXPRESS_BYTES);
        assert_eq!(model.take(b"\x10\x04\x01", None, now), 0);
        tell(&mut model, "stall off", now);
        tell(&mut model, "paper-out off", now);
        assert_eq!(model.take(b"\x10\x04\x01", None, now), 3);
        assert_eq!((said(&mut model), model.buffered()), (vec![0x12], 0));
    }
}

#[test]
fn what_only_looks_like_a_request_uses_up_room() {
    let (mut model, now) = model(Language::Zpl, 4);
    tell(&mut model, "paper-out on", now);
    let taken: usize = (0..1000).map(|_| model.take(b"~H~H~H", None, now)).sum();
    assert!((4 + SIM_EXPRESS_BYTES..4 + SIM_EXPRESS_BYTES + 8).contains(&taken), "{taken}");
}

#[test]
fn a_busy_zpl_printer_forgets_its_formats_on_demand() {
    let (mut model, now) = model(Language::Zpl, 100);
    tell(&mut model, "offline on", now);
    model.take(b"^XA^FDa^FS^XZ", None, now);
    model.take(b"~HS", Some(Origin::Monitor), now);
    assert!(String::from_utf8(said(&mut model)).unwrap().contains(",1,1218,001,"));
    model.take(b"~JA~HS", Some(Origin::Monitor), now);
    assert!(String::from_utf8(said(&mut model)).unwrap().contains(",1,1218,000,"));
    assert_eq!((model.received().discarded, model.received().monitor_bytes), (13, 9));
}

#[test]
fn the_pace_holds_the_host_back_without_drift() {
    let (mut model, start) = model(Language::Plain, 1 << 20);
    tell(&mut model, "speed 1000", start);
    let (mut now, mut left) = (start, 2500usize);
    while left > 0 {
        let taken = model.take(&vec![0; left], Some(Origin::Job), now);
        left -= taken;
        now = if left > 0 { model.next_event(now).unwrap() } else { now };
    }
    assert_eq!(now - start, Duration::from_millis(2500));
    tell(&mut model, "speed max", now);
    assert_eq!((model.room(now), model.next_event(now)), (1 << 20, None));
}

#[test]
fn unplugging_forgets_what_was_not_printed_and_keeps_the_counts_and_the_faults() {
    let (mut model, now) = model(Language::Pjl, 100);
    model.take(b"\x1b%-12345X@PJL USTATUS DEVICE=ON\n\x1b%-12345X", Some(Origin::Monitor), now);
    model.begin_job();
    tell(&mut model, "cover-open on", now);
    assert_eq!(model.take(b"data", Some(Origin::Job), now), 4);
    assert!(model.back_waiting() > 0);
    tell(&mut model, "unplug", now);
    assert_eq!((model.plugged(), model.room(now), model.back_waiting()), (false, 0, 0));
    assert_eq!(model.take(b"x", None, now), 0);
    assert!(tell(&mut model, "say 41", now).contains("unplugged"));
    tell(&mut model, "plug", now);
    let received = model.received();
    assert_eq!((received.bytes, received.discarded, received.buffered), (4, 4, 0));
    assert_eq!(model.jobs(), [JobSpan { start: 0, bytes: 4, complete: false }]);
    tell(&mut model, "cover-open off", now);
    assert_eq!(said(&mut model), b"", "the host has to ask for status again");
    model.take(b"\x1b%-12345X@PJL USTATUS DEVICE=ON\n", None, now);
    tell(&mut model, "cover-open on", now);
    tell(&mut model, "unplug", now);
    tell(&mut model, "plug", now);
    model.take(b"\x1b%-12345X@PJL USTATUS DEVICE=ON\n", None, now);
    tell(&mut model, "cover-open off", now);
    assert!(said(&mut model).ends_with(b"ONLINE=TRUE\r\n\x0c"));
}

#[test]
fn a_job_that_waits_in_the_buffer_ends_where_it_ended() {
    let (mut model, now) = model(Language::Pjl, 1000);
    tell(&mut model, "paper-out on", now);
    for job in [b"one".as_slice(), b"two\x0c", b"three"] {
        model.begin_job();
        model.take(job, None, now);
        model.end_of_job(now);
    }
    assert_eq!((model.snapshot().pages, model.snapshot().jobs), (0, 3));
    tell(&mut model, "paper-out off", now);
    assert_eq!(model.snapshot().pages, 3);
}

#[test]
fn what_the_back_channel_says() {
    let (mut model, now) = model(Language::Plain, 10);
    assert_eq!(tell(&mut model, "say 48 69", now), r#"{"ok":true}"#);
    assert_eq!(said(&mut model), b"Hi");
    tell(&mut model, "garbage 100", now);
    let first = said(&mut model);
    tell(&mut model, "garbage 100", now);
    let second = said(&mut model);
    assert_eq!((first.len(), first == second), (100, false));
    assert!(tell(&mut model, "xoff", now).contains("serial line"));
    model.set_serial();
    tell(&mut model, "xoff", now);
    tell(&mut model, "xon", now);
    assert_eq!(said(&mut model), [0x13, 0x11]);
    tell(&mut model, "garbage 65536", now);
    assert!(tell(&mut model, "say 00", now).contains("has not read"));
}

#[test]
fn received_is_what_the_contract_says() {
    let now = Instant::now();
    let mut model = Model::new(Language::Pjl, ModelOptions::default(), now);
    model.take(b"abc", None, now);
    assert_eq!(
        tell(&mut model, "received", now),
        r#"{"bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","monitor_bytes":0,"jobs":0,"pages":0,"buffered":0,"discarded":0}"#
    );
    tell(&mut model, "reset", now);
    assert!(tell(&mut model, "received", now).starts_with(r#"{"bytes":0,"sha256":"e3b0c442"#));
    assert!(
        tell(&mut model, "state", now)
            .starts_with(r#"{"plugged":true,"hosts":0,"paper_out":false"#)
    );
}

#[derive(Clone, Debug)]
enum Step {
    Offer(usize, Option<Origin>),
    Tell(&'static str),
    Wait(u64),
    Read(usize),
    EndJob,
}

fn step() -> impl Strategy<Value = Step> {
    let origin = prop::sample::select(vec![None, Some(Origin::Job), Some(Origin::Monitor)]);
    let line = prop::sample::select(vec![
        "paper-out on",
        "paper-out off",
        "cover-open on",
        "cover-open off",
        "offline on",
        "offline off",
        "stall on",
        "stall off",
        "speed 2000",
        "speed max",
        "say 414243",
        "garbage 3000",
        "unplug",
        "plug",
    ]);
    prop_oneof![
        6 => (0usize..600, origin).prop_map(|(len, origin)| Step::Offer(len, origin)),
        3 => line.prop_map(Step::Tell),
        2 => (0u64..40_000).prop_map(Step::Wait),
        1 => (0usize..100).prop_map(Step::Read),
        1 => Just(Step::EndJob),
    ]
}

fn input() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&'static [u8]> = vec![
        b"\x1b%-12345X",
        b"@PJL COMMENT despool\r\n",
        b"@PJL USTATUS DEVICE=ON\r\n",
        b"@PJL INFO STATUS\n",
        b"@PJL JOB\n",
        b"@PJL EOJ\n",
        b"page\x0c",
        b"\x1bE",
        b"\x10\x04\x01",
        b"\x10",
        b"\x1da\x0f",
        b"\x1dv0\x00\x02\x00\x02\x00",
        b"~HS",
        b"^XA^XZ",
        b"~JA",
        b"~H",
        b"plain text",
        b"\x1b%-1",
    ];
    prop::collection::vec(prop::sample::select(words), 0..120).prop_map(|words| words.concat())
}

fn languages() -> impl Strategy<Value = Language> {
    prop::sample::select(LANGUAGES.to_vec())
}

proptest! {
    /// Whatever is offered, in whatever pieces, under whatever faults: what was taken is what was kept and counted.
    #[test]
    fn no_byte_is_lost_doubled_or_moved(
        language in languages(),
        input in input(),
        steps in prop::collection::vec(step(), 0..80),
        buffer in 1usize..300,
    ) {
        let (mut model, mut now) = model(language, buffer);
        let (mut rest, mut taken, mut monitor, mut wire) = (input.as_slice(), Vec::new(), 0, false);
        for step in steps {
            match step {
                Step::Offer(len, origin) => {
                    let offered = &rest[..len.min(rest.len())];
                    let room = model.room(now);
                    let got = model.take(offered, origin, now);
                    prop_assert!(got <= offered.len());
                    prop_assert!(room == 0 || got >= room.min(offered.len()));
                    wire |= origin.is_none();
                    match origin {
                        Some(Origin::Monitor) => monitor += got,
                        _ => taken.extend_from_slice(&rest[..got]),
                    }
                    rest = &rest[got..];
                }
                Step::Tell(line) => { model.apply(&parse(line).unwrap(), now); }
                Step::Wait(ms) => { now += Duration::from_millis(ms); model.tick(now); }
                Step::Read(len) => { model.read_back(&mut vec![0; len]); }
                Step::EndJob => model.end_of_job(now),
            }
            prop_assert!(model.back_waiting() <= crate::limits::SIM_BACK_BYTES);
            prop_assert!(model.buffered() <= buffer + SIM_EXPRESS_BYTES + 8);
            prop_assert!(model.next_event(now).is_none_or(|at| at > now));
        }
        let received = model.received();
        prop_assert_eq!(received.bytes + received.monitor_bytes, (taken.len() + monitor) as u64);
        prop_assert!(received.monitor_bytes >= monitor as u64);
        if !wire || language != Language::Pjl {
            prop_assert_eq!(model.take_kept(), taken);
            prop_assert_eq!(received.monitor_bytes, monitor as u64);
        }
    }

    /// How the input is cut has no influence on what the printer says and prints.
    #[test]
    fn the_split_does_not_matter(
        language in languages(),
        input in input(),
        cuts in prop::collection::vec(1usize..50, 0..200),
    ) {
        let (mut whole, now) = model(language, 1 << 20);
        let (mut cut, _) = model(language, 1 << 20);
        whole.take(&input, None, now);
        let (mut rest, mut sizes) = (input.as_slice(), cuts.into_iter().cycle());
        while !rest.is_empty() {
            let len = sizes.next().unwrap_or(1).min(rest.len());
            prop_assert_eq!(cut.take(&rest[..len], None, now), len);
            rest = &rest[len..];
        }
        whole.end_of_job(now);
        cut.end_of_job(now);
        prop_assert_eq!(whole.received(), cut.received());
        prop_assert_eq!(said(&mut whole), said(&mut cut));
    }

    /// A fault delays what is printed and changes nothing of it.
    #[test]
    fn a_fault_only_delays(language in languages(), input in input(), at in 0usize..400) {
        let (mut fine, now) = model(language, 1 << 20);
        let (mut faulty, _) = model(language, 1 << 20);
        let (left, right) = input.split_at(at.min(input.len()));
        fine.take(&input, None, now);
        fine.end_of_job(now);
        faulty.take(left, None, now);
        tell(&mut faulty, "paper-out on", now);
        faulty.take(right, None, now);
        faulty.end_of_job(now);
        tell(&mut faulty, "paper-out off", now);
        if language != Language::Zpl || !input.windows(3).any(|word| word == b"~JA") {
            prop_assert_eq!(fine.received(), faulty.received());
        }
    }
}
