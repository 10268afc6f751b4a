//! `kill -9` in the middle of a job, on a device that outlives the server: what becomes of the job is the printer's policy,
//! to the byte, and the job's record says so. Whatever was accepted is still there.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::io::Write;
use std::net::Shutdown;

use despool::frontend::ipp::wire::{Attributes, Operation, Status};
use despool_hw::sim::{Language, PtyPrinter};
use support::ipp::{bytes_of, id_of, reasons_of, state_of, text_of};
use support::server::Server;
use support::sink::Sink;
use support::site::{Setup, Site};
use support::{assert_same, document, raw, wires};

/// No wire holds a document of this length.
const LONG: usize = 400_000;

/// Where the server is killed, about.
const MIDDLE: usize = 100_000;

/// What waits behind it.
const NEXT: &[u8] = b"the next job of this printer";

/// A printer that outlives the server.
enum Wire {
    Tty(PtyPrinter),
    Tcp(Sink),
}

impl Wire {
    fn uri(&self) -> String {
        match self {
            Self::Tty(device) => wires::uri(device),
            Self::Tcp(sink) => sink.uri(),
        }
    }

    fn stall(&self) {
        match self {
            Self::Tty(device) => wires::stall_at(device.handle(), MIDDLE),
            Self::Tcp(sink) => sink.stall_at(MIDDLE),
        }
    }

    fn took(&self) {
        match self {
            Self::Tty(device) => wires::took(device.handle(), MIDDLE),
            Self::Tcp(sink) => sink.took(MIDDLE),
        }
    }

    fn go_on(&self) {
        match self {
            Self::Tty(device) => wires::tell(device.handle(), "stall off"),
            Self::Tcp(sink) => sink.go_on(),
        }
    }

    /// What it got, up to and with `tail`.
    fn printed(&self, tail: &[u8]) -> Vec<u8> {
        match self {
            Self::Tty(device) => wires::kept_until(device.handle(), tail),
            Self::Tcp(sink) => {
                let all = sink.when(|all| {
                    all.last().is_some_and(|one| one.end.is_some() && one.bytes.ends_with(tail))
                });
                all.into_iter().flat_map(|one| one.bytes).collect()
            }
        }
    }
}

struct Printer {
    name: String,
    wire: Wire,
    deed: &'static str,
    job: i32,
    next: i32,
}

/// One printer of each kind for each policy; what the policy must come to after a crash of ours.
fn printers(site: &Site) -> Vec<Printer> {
    let policies = [
        ("auto", "resumed", "restarted"),
        ("restart", "restarted", "restarted"),
        ("resume", "resumed", "resumed"),
        ("hold", "held", "held"),
    ];
    let mut printers = Vec::new();
    let mut setup = Setup::new();
    for (policy, on_tty, on_tcp) in policies {
        let tty = Wire::Tty(wires::tty(Language::Plain, &site.path(policy)));
        for (kind, wire, deed) in [("tty", tty, on_tty), ("tcp", Wire::Tcp(Sink::start()), on_tcp)]
        {
            let name = format!("{kind}-{policy}");
            setup = setup.printer(&name, &wire.uri(), &format!("recover = \"{policy}\""));
            printers.push(Printer { name, wire, deed, job: 0, next: 0 });
        }
    }
    site.configure(&setup);
    printers
}

/// Checks one printer after the crash.
fn check(server: &Server, printer: &Printer) {
    let Printer { name, wire, deed, job, next } = printer;
    let told = |job: &Attributes| job.keyword("despool-recovery").unwrap() == Some(deed);
    let record = server.job_when(*job, told);
    let maybe = bytes_of(&record, "despool-maybe-on-paper-bytes").unwrap() as usize;
    let sent = document(7, LONG);
    server.job_is(*next, "completed");
    let printed = wire.printed(NEXT);
    let printed = &printed[..printed.len() - NEXT.len()];
    if *deed == "held" {
        let held = server.ipp().job(*job);
        assert_eq!(state_of(&held), "pending-held", "{name}");
        assert_eq!(reasons_of(&held, "job"), ["held-after-crash"], "{name}");
        assert!((MIDDLE..=maybe).contains(&printed.len()), "{name}: {maybe} may be on paper");
        assert_same(printed, &sent[..printed.len()], name);
        assert_eq!(server.ipp().job_operation(Operation::CancelJob, *job), Status::Ok);
        return;
    }
    let done = server.job_is(*job, "completed");
    let attempts = done.integer("despool-attempts").unwrap();
    if *deed == "resumed" {
        assert_same(printed, &sent, &format!("{name}: exactly once"));
        return;
    }
    assert_eq!(attempts, Some(2), "{name}");
    let first = printed.len().checked_sub(sent.len()).unwrap();
    assert!((MIDDLE..=maybe).contains(&first), "{name}: {first} on paper, {maybe} admitted");
    assert_same(&printed[..first], &sent[..first], &format!("{name}: before the crash"));
    assert_same(&printed[first..], &sent, &format!("{name}: after it"));
}

#[test]
fn a_server_that_is_killed_in_mid_job_does_what_each_policy_says_to_the_byte() {
    let site = Site::new();
    let mut printers = printers(&site);
    let server = site.start();
    let mut ipp = server.ipp();
    for printer in &mut printers {
        printer.wire.stall();
        printer.job = ipp.print(&printer.name, &document(7, LONG));
        printer.next = ipp.print(&printer.name, NEXT);
    }
    printers.iter().for_each(|printer| printer.wire.took());
    server.kill();
    printers.iter().for_each(|printer| printer.wire.go_on());
    let server = site.start();
    printers.iter().for_each(|printer| check(&server, printer));
}

#[test]
fn jobs_that_waited_are_there_after_a_crash_as_they_were() {
    let sink = Sink::start_stalled_at(0);
    let site = Site::with(&Setup::new().printer("label", &sink.uri(), ""));
    let server = site.start();
    let mut ipp = server.ipp();
    ipp.print("label", &document(0, LONG));
    let held = ipp.print_with("label", b"held", |ticket| {
        ticket.put_keyword("job-hold-until", "indefinite");
    });
    let low = ipp.print_with("label", b"low", |ticket| _ = ticket.put("job-priority", 10));
    let high = ipp.print_with("label", b"high", |ticket| _ = ticket.put("job-priority", 90));
    let canceled = ipp.print("label", b"canceled");
    assert_eq!(ipp.job_operation(Operation::CancelJob, canceled), Status::Ok);
    assert_eq!(ipp.printer_operation(Operation::PausePrinter, "label"), Status::Ok);
    assert_eq!(ipp.printer_operation(Operation::CupsRejectJobs, "label"), Status::Ok);
    server.kill();
    let server = site.start();
    let mut ipp = server.ipp();
    let states = [held, low, high, canceled].map(|job| state_of(&ipp.job(job)));
    assert_eq!(states, ["pending-held", "pending", "pending", "canceled"]);
    let printer = ipp.printer("label");
    assert_eq!(printer.boolean("printer-is-accepting-jobs").unwrap(), Some(false));
    assert!(reasons_of(&printer, "printer").contains(&"paused"), "{printer:?}");
    assert_eq!(ipp.printer_operation(Operation::CupsAcceptJobs, "label"), Status::Ok);
    let new = ipp.print("label", b"new");
    assert!(new > canceled, "no number is used again");
    sink.go_on();
    assert_eq!(ipp.printer_operation(Operation::ResumePrinter, "label"), Status::Ok);
    for job in [high, low, new] {
        server.job_is(job, "completed");
    }
    let printed: Vec<Vec<u8>> =
        sink.connections().into_iter().map(|one| one.bytes).filter(|one| one.len() < 10).collect();
    let order: Vec<&[u8]> =
        printed.iter().map(Vec::as_slice).filter(|one| !one.is_empty()).collect();
    assert_eq!(order, [b"high".as_slice(), b"new", b"low"]);
}

#[test]
fn what_was_not_accepted_yet_is_aborted_by_a_crash_and_takes_no_space() {
    let (spooling, direct) = (Sink::start(), Sink::start());
    let listen = "appsocket = \"127.0.0.1:0\"";
    let setup = Setup::new()
        .printer("spooling", &spooling.uri(), &format!("{listen}; start = \"immediately\""))
        .printer("direct", &direct.uri(), &format!("{listen}; direct = true"));
    let site = Site::with(&setup);
    let server = site.start();
    let half = document(1, MIDDLE);
    let senders = [("spooling", &spooling), ("direct", &direct)].map(|(printer, sink)| {
        let mut sender = raw::connect(server.raw(printer));
        sender.write_all(&half).unwrap();
        sink.took(MIDDLE);
        sender
    });
    let cut_off: Vec<i32> = server.ipp().jobs("not-completed").iter().map(id_of).collect();
    assert_eq!(cut_off.len(), 2);
    server.kill();
    let ends = senders.map(raw::is_broken);
    assert_eq!(ends, [true, true], "nobody is told that it was accepted");
    let server = site.start();
    for job in cut_off {
        let job = server.job_is(job, "aborted");
        assert!(!text_of(&job, "job-state-message").is_empty());
    }
    assert_eq!(site.documents().len() + server.nameless_documents(), 0);
    for (printer, sink) in [("spooling", &spooling), ("direct", &direct)] {
        let job = server.ipp().print(printer, NEXT);
        server.job_is(job, "completed");
        let printed: Vec<Vec<u8>> = sink.ended(2).into_iter().map(|one| one.bytes).collect();
        assert!(printed == [half.as_slice(), NEXT], "{printer}: once, and then the next");
    }
}

#[test]
fn a_sender_hears_of_a_crash_before_its_job_was_accepted() {
    let sink = Sink::start_stalled_at(MIDDLE);
    let settings = "appsocket = \"127.0.0.1:0\"; direct = true";
    let site = Site::with(&Setup::new().printer("direct", &sink.uri(), settings));
    let server = site.start();
    let mut sender = raw::connect(server.raw("direct"));
    sender.write_all(&document(1, LONG)).unwrap();
    sender.shutdown(Shutdown::Write).unwrap();
    sink.took(MIDDLE);
    server.kill();
    assert_eq!(raw::end_of(sender).0, raw::End::Refused);
}

#[test]
fn a_job_that_goes_on_in_the_middle_goes_before_more_urgent_ones() {
    let site = Site::new();
    let wire = Wire::Tty(wires::tty(Language::Plain, &site.path("tty")));
    site.configure(&Setup::new().printer("tty", &wire.uri(), ""));
    let server = site.start();
    wire.stall();
    let cut_off = server.ipp().print("tty", &document(7, LONG));
    wire.took();
    let urgent = server.ipp().print_with("tty", b"urgent", |ticket| {
        ticket.put("job-priority", 100);
    });
    server.kill();
    wire.go_on();
    let server = site.start();
    server.job_is(cut_off, "completed");
    server.job_is(urgent, "completed");
    let printed = wire.printed(b"urgent");
    assert_same(
        &printed,
        &[document(7, LONG).as_slice(), b"urgent"].concat(),
        "one, then the other",
    );
}

#[test]
fn what_is_held_after_a_crash_is_printed_whole_where_it_is_moved_to() {
    let site = Site::new();
    let wire = Wire::Tty(wires::tty(Language::Plain, &site.path("tty")));
    let other = Sink::start();
    let setup = Setup::new().printer("tty", &wire.uri(), "recover = \"hold\"");
    site.configure(&setup.printer("other", &other.uri(), ""));
    let server = site.start();
    wire.stall();
    let job = server.ipp().print("tty", &document(7, LONG));
    wire.took();
    server.kill();
    wire.go_on();
    let server = site.start();
    server.job_is(job, "pending-held");
    assert_eq!(server.ipp().move_job(job, "other"), Status::Ok);
    server.job_is(job, "completed");
    assert_same(&other.ended(1)[0].bytes, &document(7, LONG), "all of it");
}
