//! What is asked of a job is what the printer gets: copies, datatypes, order, holds, and when it begins.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::io::Write;

use despool::frontend::ipp::wire::{GroupTag, Operation, Status};
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use support::ipp::{Ipp, reasons_of, state_of, text_of};
use support::raw::{self, End};
use support::server::Server;
use support::sink::{self, Sink};
use support::site::{Setup, Site};
use support::{assert_same, document};

fn start(sink: &Sink, settings: &str) -> (Site, Server) {
    let site = Site::with(&Setup::new().printer("label", &sink.uri(), settings));
    let server = site.start();
    (site, server)
}

fn pause(ipp: &mut Ipp) {
    assert_eq!(ipp.printer_operation(Operation::PausePrinter, "label"), Status::Ok);
}

fn resume(ipp: &mut Ipp) {
    assert_eq!(ipp.printer_operation(Operation::ResumePrinter, "label"), Status::Ok);
}

/// A text whose line ends lie across the pieces that documents are played in.
fn long_text() -> (Vec<u8>, Vec<u8>) {
    let piece = despool_spool::limits::PIECE_BYTES;
    let line = vec![b'x'; piece - 1];
    let text = [line.as_slice(), b"\r\n", line.as_slice(), b"\nend\r"].concat();
    let printed = [line.as_slice(), b"\r\n", line.as_slice(), b"\r\nend\r\n\x0c"].concat();
    (text, printed)
}

#[test]
fn every_datatype_and_any_number_of_copies_to_the_byte() {
    let (long, long_printed) = long_text();
    let binary = document(1, 200_000);
    let thrice = binary.repeat(3);
    let cases: [(&str, i32, &[u8], &[u8]); 14] = [
        ("RAW", 1, b"a", b"a"),
        ("RAW", 3, &binary, &thrice),
        ("RAW", 2, b"", b""),
        ("RAW [FF appended]", 1, b"a", b"a\x0c"),
        ("RAW [FF appended]", 1, b"a\x0c", b"a\x0c\x0c"),
        ("RAW [FF appended]", 2, b"a", b"a\x0ca\x0c"),
        ("RAW [FF auto]", 1, b"a", b"a\x0c"),
        ("RAW [FF auto]", 1, b"a\x0c", b"a\x0c"),
        ("RAW [FF auto]", 2, b"a", b"a\x0ca\x0c"),
        ("TEXT", 1, b"a\nb\r\nc\rd", b"a\r\nb\r\nc\r\nd\x0c"),
        ("TEXT", 1, b"a\n\x0c", b"a\r\n\x0c"),
        ("TEXT", 2, b"a\n", b"a\r\n\x0ca\r\n\x0c"),
        ("text", 1, b"\x1b\x00\xff", b"\x1b\x00\xff\x0c"),
        ("TEXT", 1, &long, &long_printed),
    ];
    let sink = Sink::start();
    let (_site, server) = start(&sink, "");
    let mut ipp = server.ipp();
    for (n, (datatype, copies, sent, expected)) in cases.into_iter().enumerate() {
        let job = ipp.print_with("label", sent, |ticket| {
            ticket.put_name("despool-datatype", datatype).put("copies", copies);
        });
        server.job_is(job, "completed");
        let printed = sink::documents(sink.ended(n + 1));
        assert_same(&printed[n], expected, &format!("{datatype} x {copies}"));
    }
}

#[test]
fn a_printer_s_own_datatype_is_for_jobs_that_name_none() {
    let sink = Sink::start();
    let (_site, server) = start(&sink, "datatype = \"text\"");
    let mut ipp = server.ipp();
    let plain = ipp.print("label", b"a\n");
    server.job_is(plain, "completed");
    let raw = ipp.print_with("label", b"a\n", |ticket| {
        ticket.put_name("despool-datatype", "RAW");
    });
    server.job_is(raw, "completed");
    let expected: [&[u8]; 2] = [b"a\r\n\x0c", b"a\n"];
    assert_eq!(sink::documents(sink.ended(2)), expected);
}

#[test]
fn the_highest_priority_first_and_among_equals_the_first() {
    let sink = Sink::start();
    let (_site, server) = start(&sink, "");
    let mut ipp = server.ipp();
    pause(&mut ipp);
    let mut jobs = Vec::new();
    for (name, priority) in [("b", 50), ("e", 10), ("a", 90), ("c", 50), ("x", 1), ("d", 50)] {
        jobs.push(ipp.print_with("label", name.as_bytes(), |ticket| {
            ticket.put("job-priority", priority);
        }));
    }
    let mut promote = ipp.names().job(Operation::SetJobAttributes, jobs[4]);
    promote.attributes_mut(GroupTag::Job).put("job-priority", 100);
    ipp.do_it(&promote);
    resume(&mut ipp);
    let printed = sink::documents(sink.ended(6));
    assert_eq!(printed.concat(), b"xabcde");
}

#[test]
fn a_job_held_at_submission_waits_for_a_person() {
    let sink = Sink::start();
    let (_site, server) = start(&sink, "");
    let mut ipp = server.ipp();
    let held = ipp.print_with("label", b"held", |ticket| {
        ticket.put_keyword("job-hold-until", "indefinite");
    });
    let next = ipp.print("label", b"next");
    server.job_is(next, "completed");
    assert_eq!(state_of(&ipp.job(held)), "pending-held");
    assert_eq!(ipp.job_operation(Operation::ReleaseJob, held), Status::Ok);
    server.job_is(held, "completed");
    let expected: [&[u8]; 2] = [b"next", b"held"];
    assert_eq!(sink::documents(sink.ended(2)), expected);
}

#[test]
fn a_job_held_until_a_time_is_released_by_the_clock() {
    let sink = Sink::start();
    let (_site, server) = start(&sink, "");
    let now = Zoned::now().with_time_zone(TimeZone::UTC);
    let until = now.checked_add(2.seconds()).unwrap();
    let mut ipp = server.ipp();
    let held = ipp.print_with("label", b"held", |ticket| {
        ticket.put_keyword("job-hold-until", &until.strftime("%H:%M:%S").to_string());
    });
    let done = server.job_is(held, "completed");
    let begun = done.integer("time-at-processing").unwrap().unwrap();
    assert!(i64::from(begun) >= until.timestamp().as_second(), "{begun} {until}");
    assert_eq!(sink::documents(sink.ended(1)), [b"held"]);
}

#[test]
fn a_job_can_begin_while_it_is_still_being_received() {
    let sink = Sink::start();
    let (_site, server) = start(
        &sink,
        "appsocket = \"127.0.0.1:0\"; start = \"immediately\"; datatype = \"RAW [FF auto]\"",
    );
    let sent = document(1, 3_000_000);
    let mut stream = raw::connect(server.raw("label"));
    let (front, back) = sent.split_at(1_000_000);
    stream.write_all(front).unwrap();
    sink.took(front.len());
    let job = server.ipp().jobs("not-completed").remove(0);
    assert!(reasons_of(&job, "job").contains(&"job-incoming"), "{job:?}");
    stream.write_all(back).unwrap();
    assert_eq!(raw::finish(stream), (End::Accepted, vec![]));
    let expected = [sent.as_slice(), b"\x0c"].concat();
    assert_same(&sink::documents(sink.ended(1))[0], &expected, "printed");
    let again = support::ipp::id_of(&job);
    assert_eq!(server.ipp().job_operation(Operation::RestartJob, again), Status::Ok);
    assert_same(&sink::documents(sink.ended(2))[1], &expected, "printed again");
}

#[test]
fn a_direct_job_goes_past_the_spool_and_is_accepted_when_it_is_printed() {
    let sink = Sink::start();
    let settings = "appsocket = \"127.0.0.1:0\"; direct = true; datatype = \"RAW [FF appended]\"";
    let (site, server) = start(&sink, settings);
    let sent = document(1, 2_000_000);
    let (front, back) = sent.split_at(1_000_000);
    let mut sender = raw::connect(server.raw("label"));
    sender.write_all(front).unwrap();
    sink.took(front.len());
    assert_eq!(site.documents().len() + server.nameless_documents(), 0);
    sender.write_all(back).unwrap();
    assert_eq!(raw::finish(sender), (End::Accepted, vec![]));
    let printed = sink::documents(sink.ended(1));
    assert_same(&printed[0], &[sent.as_slice(), b"\x0c"].concat(), "printed");

    let mut sender = raw::connect(server.raw("label"));
    sender.write_all(front).unwrap();
    sink.took(printed[0].len() + front.len());
    raw::reset(sender);
    let ended = sink.ended(2);
    assert_eq!(ended[1].end, Some(sink::End::Broken), "half a job does not end as a whole one");

    let mut ipp = server.ipp();
    let job = ipp.print("label", b"by IPP");
    assert_eq!(state_of(&ipp.job(job)), "completed", "accepted means printed");
    assert_eq!(ipp.job_operation(Operation::RestartJob, job), Status::NotPossible);
    let mut copies = ipp.names().printer(Operation::PrintJob, "label");
    copies.attributes_mut(GroupTag::Job).put("copies", 2);
    let refused = ipp.send(&copies, b"twice");
    assert_eq!(refused.status(), Status::AttributesOrValuesNotSupported);
    assert_eq!(site.documents().len() + server.nameless_documents(), 0);
}

#[test]
fn a_printer_with_hours_prints_inside_them_only() {
    let sink = Sink::start();
    let hour =
        |hours: i32| Zoned::now().checked_add(hours.hours()).unwrap().strftime("%H:%M").to_string();
    let later = format!("hours = \"{}-{}\"", hour(2), hour(3));
    let now = format!("hours = \"{}-{}\"", hour(-1), hour(1));
    let (site, mut server) = start(&sink, &later);
    let job = server.ipp().print("label", b"by day");
    let waits = server.job_when(job, |job| !text_of(job, "job-state-message").is_empty());
    assert_eq!(state_of(&waits), "pending");
    assert_eq!(reasons_of(&waits, "job"), ["resources-are-not-ready"]);
    assert!(text_of(&waits, "job-state-message").contains(&hour(2)[..2]), "{waits:?}");
    assert!(sink.connections().is_empty());
    site.configure(&Setup::new().printer("label", &sink.uri(), &now));
    server.reload();
    server.job_is(job, "completed");
    assert_eq!(sink::documents(sink.ended(1)), [b"by day"]);
}

#[test]
fn finished_jobs_are_kept_as_many_as_configured() {
    let sink = Sink::start();
    let site = Site::with(&Setup::new().spool("keep_jobs = 2").printer("label", &sink.uri(), ""));
    let server = site.start();
    let mut ipp = server.ipp();
    let jobs: Vec<i32> = (0..4)
        .map(|n| {
            let job = ipp.print("label", format!("job {n}").as_bytes());
            server.job_is(job, "completed");
            job
        })
        .collect();
    let kept: Vec<i32> = ipp.jobs("completed").iter().map(support::ipp::id_of).collect();
    assert_eq!(kept, [jobs[3], jobs[2]], "newest first");
    assert_eq!(ipp.job_operation(Operation::RestartJob, jobs[0]), Status::NotFound);
    assert_eq!(ipp.job_operation(Operation::RestartJob, jobs[2]), Status::Ok);
    assert_eq!(sink::documents(sink.ended(5))[4], b"job 2");
    server.until("two documents", || (site.documents().len() == 2).then_some(()));
}
