use super::testing::Fake;
use super::*;
use crate::limits::{USB_TRANSFERS, USB_WINDOW_LEAST};
use crate::testing::*;

fn begin(port: &mut UsbPort) {
    port.begin_job(&Bell::new().unwrap(), soon()).unwrap();
}

fn drain(port: &mut UsbPort) {
    assert!(port.wait(DRAINED, &Bell::new().unwrap(), Some(soon())).unwrap().drained);
}

#[test]
fn a_job_arrives_in_transfers_that_overlap() {
    let (mut port, printer) = Fake::port(true);
    let job = pattern(1 << 20);
    begin(&mut port);
    printer.with(|it| it.nak = true);
    let taken = stuff(&mut port, &job);
    assert_eq!(port.in_flight(), taken as u64);
    assert!((USB_WINDOW_LEAST..=USB_TRANSFER_BYTES * USB_TRANSFERS).contains(&taken));
    assert_eq!(port.tail().unwrap(), Tail::Bytes(taken as u64));
    printer.with(|it| it.nak = false);
    write_all(&mut port, &job[taken..]);
    port.end_job().unwrap();
    drain(&mut port);
    assert_eq!((port.in_flight(), port.tail().unwrap()), (0, Tail::Empty));
    assert!(printer.look().got == job);
}

#[test]
fn a_document_is_copied_from_its_file() {
    use std::os::fd::AsFd;
    let (mut port, printer) = Fake::port(false);
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, b"from the file").unwrap();
    begin(&mut port);
    let range = crate::FileRange { file: file.as_fd(), offset: 5 };
    let lent = Lent { file: Some(range), ..Lent::memory(b"XXXXXXXX") };
    assert_eq!(port.write(lent).unwrap(), 8);
    drain(&mut port);
    assert_eq!(printer.look().got, b"the file");
    // A file that was cut short is the document's error, and nothing is taken.
    file.set_len(0).unwrap();
    let range = crate::FileRange { file: file.as_fd(), offset: 5 };
    let lent = Lent { file: Some(range), ..Lent::memory(b"XXXXXXXX") };
    assert!(matches!(port.write(lent), Err(Error::Document { .. })));
    assert_eq!(port.in_flight(), 0);
}

#[test]
fn a_halt_is_cleared_and_nothing_is_lost_or_doubled() {
    let (mut port, printer) = Fake::port(false);
    let job = pattern(300_000);
    for at in [1, 65_535, 65_536, 100_001] {
        printer.with(|it| {
            it.got.clear();
            it.halt_at = Some(at);
        });
        begin(&mut port);
        write_all(&mut port, &job);
        drain(&mut port);
        assert!(printer.look().got == job, "halted at {at}");
    }
    assert_eq!(printer.look().halts_cleared, 4);
}

#[test]
fn a_printer_that_refuses_for_ever_is_given_up() {
    let (mut port, printer) = Fake::port(false);
    begin(&mut port);
    let bell = Bell::new().unwrap();
    printer.with(|it| it.refuses = true);
    port.write(Lent::memory(b"never")).unwrap();
    let error = port.wait(DRAINED, &bell, Some(soon())).unwrap_err();
    assert!(matches!(error, Error::Gone { .. }), "{error}");
    assert_eq!(port.in_flight(), 5);
    assert_eq!(printer.look().halts_cleared, crate::limits::USB_HALTS);
}

#[test]
fn a_cancel_says_what_had_left() {
    let (mut port, printer) = Fake::port(false);
    let job = pattern(1 << 20);
    begin(&mut port);
    write_all(&mut port, &job[..100_000]);
    drain(&mut port);
    printer.with(|it| it.nak = true);
    let taken = stuff(&mut port, &job) as u64;
    let canceled = port.cancel().unwrap();
    assert_eq!(canceled, Canceled { withdrawn_bytes: taken, unknown_bytes: 0 });
    assert_eq!((port.in_flight(), printer.look().resets), (0, 0));
    // The next job finds a printer that has forgotten the half one.
    printer.with(|it| {
        it.nak = false;
        it.got.clear();
    });
    begin(&mut port);
    assert_eq!(printer.look().resets, 1);
    write_all(&mut port, b"next");
    drain(&mut port);
    assert_eq!(printer.look().got, b"next");
    // Nothing was canceled since: no reset.
    begin(&mut port);
    assert_eq!(printer.look().resets, 1);
}

#[test]
fn a_cancel_between_jobs_resets_nothing() {
    let (mut port, printer) = Fake::port(false);
    begin(&mut port);
    assert_eq!(port.cancel().unwrap(), Canceled::default());
    begin(&mut port);
    assert_eq!(printer.look().resets, 0);
}

#[test]
fn a_printer_that_does_not_answer_a_reset_is_gone() {
    let (mut port, printer) = Fake::port(false);
    begin(&mut port);
    write_all(&mut port, b"half");
    port.cancel().unwrap();
    printer.with(|it| it.deaf_to_reset = true);
    let error = port.begin_job(&Bell::new().unwrap(), soon()).unwrap_err();
    assert!(matches!(error, Error::Gone { .. }), "{error}");
}

#[test]
fn a_cable_that_is_pulled_leaves_what_was_in_flight_open() {
    let (mut port, printer) = Fake::port(true);
    let job = pattern(400_000);
    begin(&mut port);
    printer.with(|it| it.leave_at = Some(150_000));
    let bell = Bell::new().unwrap();
    let mut taken = 0;
    let error = loop {
        match port.write(Lent::memory(&job[taken..])) {
            Ok(count) => taken += count,
            Err(error) => break error,
        }
        if let Err(error) = port.wait(WRITE, &bell, Some(soon())) {
            break error;
        }
    };
    assert!(matches!(error, Error::Gone { .. }), "{error}");
    let accepted = taken as u64 - port.in_flight();
    let got = printer.look().got.len() as u64;
    assert!(accepted <= got && got <= taken as u64, "{accepted} {got} {taken}");
    let canceled = port.cancel().unwrap();
    assert_eq!(canceled.withdrawn_bytes + canceled.unknown_bytes, port.in_flight());
    assert!(port.read(&mut [0; 8]).is_err());
}

#[test]
fn what_the_printer_says_is_heard_in_order() {
    let (mut port, printer) = Fake::port(true);
    assert!(port.facts().back_channel);
    printer.with(|it| it.says.extend([b"one ".to_vec(), Vec::new(), b"two".to_vec()]));
    assert_eq!(hear(&mut port, 7), b"one two");
    let (mut deaf, printer) = Fake::port(false);
    assert!(!deaf.facts().back_channel);
    printer.with(|it| it.says.push_back(b"nobody listens".to_vec()));
    assert!(!deaf.wait(READ, &Bell::new().unwrap(), Some(shortly())).unwrap().read);
}

#[test]
fn a_printer_that_talks_without_end_has_to_wait() {
    let (mut port, printer) = Fake::port(true);
    printer.with(|it| it.says.extend(std::iter::repeat_n(vec![7; 1024], 1000)));
    begin(&mut port);
    write_all(&mut port, &pattern(200_000));
    drain(&mut port);
    let left = printer.look().says.len();
    assert!(left >= 1000 - crate::limits::USB_INBOX_BYTES / 1024 - 1, "{left} left");
    let heard = hear(&mut port, 20_000);
    assert!(heard.iter().all(|byte| *byte == 7));
}

#[test]
fn the_status_shows_and_changes_wake() {
    let (mut port, printer) = Fake::port(false);
    begin(&mut port);
    let bell = Bell::new().unwrap();
    assert!(port.wait(LINE, &bell, Some(soon())).unwrap().line);
    let line = port.line().unwrap();
    assert_eq!((line.paper_out, line.online, line.fault), (Some(false), Some(true), Some(false)));
    assert!(!port.wait(LINE, &bell, Some(shortly())).unwrap().line);
    printer.with(|it| it.status = Some(Ok(0x30)));
    assert!(port.wait(LINE, &bell, Some(soon())).unwrap().line);
    let line = port.line().unwrap();
    assert_eq!((line.paper_out, line.fault), (Some(true), Some(true)));
    // One that has no status to give is not asked for ever.
    printer.with(|it| it.status = Some(Err(pipes::Outcome::Halted)));
    let until = Instant::now() + crate::limits::USB_STATUS_BUSY * 6;
    while Instant::now() < until {
        port.wait(WRITE, &bell, Some(until)).unwrap();
        port.wait(DRAINED, &bell, Some(shortly())).unwrap();
        port.begin_job(&bell, soon()).unwrap();
    }
    let asked = printer.look().questions;
    port.wait(LINE, &bell, Some(shortly())).unwrap();
    assert_eq!(printer.look().questions, asked);
}

#[test]
fn a_printer_that_takes_nothing_holds_back() {
    let (mut port, printer) = Fake::port(false);
    begin(&mut port);
    printer.with(|it| it.nak = true);
    fill(&mut port, &pattern(10_000));
    let bell = Bell::new().unwrap();
    let until = soon();
    while port.line().unwrap().held_back != Some(true) {
        assert!(port.wait(LINE, &bell, Some(until)).unwrap().line, "not in time");
    }
    printer.with(|it| it.nak = false);
    while port.line().unwrap().held_back != Some(false) {
        assert!(port.wait(LINE, &bell, Some(until)).unwrap().line, "not in time");
    }
}

#[test]
fn the_bell_is_heard() {
    let (mut port, printer) = Fake::port(true);
    begin(&mut port);
    printer.with(|it| it.nak = true);
    stuff(&mut port, &pattern(1 << 20));
    hears_the_bell(&mut port, WRITE);
    hears_the_bell(&mut port, DRAINED);
    hears_the_bell(&mut port, READ);
}
