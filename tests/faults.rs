//! A device fault is waiting, not failure: its reason is visible at once, and the job goes on by itself. What becomes of
//! a job that the device dropped is the printer's policy, to the byte. Canceling works on a dead device too.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use despool::frontend::ipp::wire::{Attributes, Operation, Status};
use despool_hw::sim::{Language, PtyPrinter};
use serde_json::json;
use sha2::{Digest, Sha256};
use support::control::Control;
use support::ipp::{Ipp, bytes_of, printer_state_of, reasons_of, state_of, text_of};
use support::server::Server;
use support::sink::{self, Sink};
use support::site::{Setup, Site, sim};
use support::{assert_same, document, wires};

/// No wire holds a document of this length.
const LONG: usize = 400_000;

/// So slow that it is not printed before something is done to it.
const SLOW: &str = "speed 10000";

/// Where it is cut off, about.
const MIDDLE: usize = 100_000;

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_fault_in_mid_job_is_shown_at_once_and_the_job_goes_on_when_it_is_over() {
    let site = Site::new();
    let setup = Setup::new().printer("plain", &sim(&site, "plain", "plain.sock"), "").printer(
        "pjl",
        &sim(&site, "pjl", "pjl.sock"),
        "language = \"pjl\"",
    );
    site.configure(&setup);
    let server = site.start();
    // A printer that speaks no language shows its faults on the lines of its port alone.
    for (printer, fault, reason) in [
        ("plain", "paper-out", "media-empty"),
        ("plain", "cover-open", "other"),
        ("plain", "offline", "offline-report"),
        ("pjl", "paper-out", "media-empty"),
        ("pjl", "cover-open", "cover-open"),
        ("pjl", "offline", "offline-report"),
    ] {
        let what = format!("{printer} {fault}");
        let mut control = Control::open(&server, &site.path(&format!("{printer}.sock")));
        control.tell("reset");
        control.tell(SLOW);
        let sent = document(1, LONG);
        let job = server.ipp().print(printer, &sent);
        server.job_is(job, "processing");
        control.tell(&format!("{fault} on"));
        let stopped = server.job_when(job, |job| {
            state_of(job) == "processing-stopped" && reasons_of(job, "job").contains(&reason)
        });
        assert!(!text_of(&stopped, "job-state-message").is_empty(), "{what}: a word for people");
        let shown = server.ipp().printer(printer);
        assert!(reasons_of(&shown, "printer").contains(&reason), "{what}: {shown:?}");
        assert_eq!(printer_state_of(&shown), "processing", "{what}: nobody stopped the printer");
        assert!(control.ask("received")["bytes"].as_u64().unwrap() < LONG as u64, "{what}");
        control.tell("speed max");
        control.tell(&format!("{fault} off"));
        server.job_is(job, "completed");
        let received = control.ask("received");
        assert_eq!(
            (&received["bytes"], &received["sha256"]),
            (&json!(LONG), &json!(sha256(&sent)))
        );
        server.printer_when(printer, |shown| reasons_of(shown, "printer") == ["none"]);
    }
}

#[test]
fn what_a_printer_says_while_it_prints_is_shown_and_noise_does_no_harm() {
    let site = Site::new();
    let device = wires::tty(Language::Pjl, &site.path("tty"));
    let settings = "language = \"pjl\"; envelope = true";
    site.configure(&Setup::new().printer("laser", &wires::uri(&device), settings));
    let server = site.start();
    let text: Vec<u8> = document(3, 20_000).into_iter().filter(u8::is_ascii_graphic).collect();
    let sent = [text.as_slice(), b"\x0c"].concat().repeat(30);
    wires::tell(device.handle(), "stall on");
    let job = server.ipp().print("laser", &sent);
    server.job_is(job, "processing");
    for _ in 0..5 {
        wires::tell(device.handle(), "garbage 3000");
    }
    wires::tell(device.handle(), "stall off");
    server.job_is(job, "completed");
    let all = Some(sent.len() as u64);
    let confirmed = server.job_when(job, |job| bytes_of(job, "despool-confirmed-bytes") == all);
    assert_eq!(confirmed.integer("job-impressions-completed").unwrap(), Some(30));
    assert_eq!(bytes_of(&confirmed, "despool-accepted-bytes"), all);
    let printed = device.handle().take_kept();
    let at = printed.windows(text.len()).position(|window| window == text).unwrap();
    assert_same(&printed[at..][..sent.len()], &sent, "inside the envelope");
}

/// A printer that can be cut off in the middle of a job.
enum Wire {
    /// A serial printer: its cable is pulled and put back.
    Tty(PtyPrinter),
    /// A network printer: it breaks the connection.
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

    /// Waits for the middle of the job and cuts it off there; what the device got of it.
    fn cut(&self) -> Vec<u8> {
        match self {
            Self::Tty(device) => {
                wires::took(device.handle(), MIDDLE);
                wires::tell(device.handle(), "unplug");
                wires::tell(device.handle(), "stall off");
                device.handle().take_kept()
            }
            Self::Tcp(sink) => {
                sink.took(MIDDLE);
                sink.reset();
                sink.go_on();
                sink.connections()[0].bytes.clone()
            }
        }
    }

    fn plug(&self) {
        if let Self::Tty(device) = self {
            wires::tell(device.handle(), "plug");
        }
    }

    /// What the device got after it was cut off, up to the end of the document.
    fn rest(&self, document: &[u8]) -> Vec<u8> {
        match self {
            Self::Tty(device) => {
                wires::kept_until(device.handle(), &document[document.len() - 100..])
            }
            Self::Tcp(sink) => {
                let all = sink.ended(2);
                assert_eq!(all[1].end, Some(sink::End::Whole));
                all[1].bytes.clone()
            }
        }
    }
}

/// Cuts a job off on this wire and checks what the policy does about it.
fn cut_off(server: &Server, printer: &str, wire: &Wire, deed: &str) {
    let sent = document(7, LONG);
    wire.stall();
    let job = server.ipp().print(printer, &sent);
    let first = wire.cut();
    let told = |job: &Attributes| job.keyword("despool-recovery").unwrap() == Some(deed);
    let record = server.job_when(job, told);
    let maybe = bytes_of(&record, "despool-maybe-on-paper-bytes").unwrap();
    let (got, all) = (first.len() as u64, sent.len() as u64);
    assert!(got <= maybe && maybe <= all, "{printer}: {got} on paper, {maybe} admitted");
    assert_same(&first, &sent[..first.len()], printer);
    wire.plug();
    if deed == "held" {
        let held = server.job_is(job, "pending-held");
        assert_eq!(reasons_of(&held, "job"), ["held-after-crash"], "{printer}");
        let next = server.ipp().print(printer, b"");
        server.job_is(next, "completed");
        assert_eq!(server.ipp().job_operation(Operation::CancelJob, job), Status::Ok);
        return;
    }
    let done = server.job_is(job, "completed");
    let rest = wire.rest(&sent);
    let from = sent.len().checked_sub(rest.len()).unwrap();
    assert_same(&rest, &sent[from..], &format!("{printer}: what came after"));
    if deed == "restarted" {
        assert_eq!(from, 0, "{printer}");
    }
    assert!(from as u64 <= maybe, "{printer}: begun again at {from}, {maybe} may be on paper");
    let attempts = if deed == "restarted" { 2 } else { 1 };
    assert_eq!(done.integer("despool-attempts").unwrap(), Some(attempts), "{printer}");
}

#[test]
fn a_device_that_drops_its_job_is_served_as_the_policy_says_to_the_byte() {
    let site = Site::new();
    let policies =
        [("auto", "restarted"), ("restart", "restarted"), ("resume", "resumed"), ("hold", "held")];
    let mut setup = Setup::new();
    let mut printers = Vec::new();
    for (policy, deed) in policies {
        let tty = Wire::Tty(wires::tty(Language::Plain, &site.path(policy)));
        for (kind, wire) in [("tty", tty), ("tcp", Wire::Tcp(Sink::start()))] {
            let name = format!("{kind}-{policy}");
            setup = setup.printer(&name, &wire.uri(), &format!("recover = \"{policy}\""));
            printers.push((name, wire, deed));
        }
    }
    site.configure(&setup);
    let server = site.start();
    std::thread::scope(|scope| {
        for (name, wire, deed) in &printers {
            let server = &server;
            scope.spawn(move || cut_off(server, name, wire, deed));
        }
    });
}

#[test]
fn a_printer_that_comes_later_prints_what_waited_for_it() {
    let site = Site::new();
    let link = site.path("tty");
    site.configure(&Setup::new().printer("late", &format!("serial:{}", link.display()), ""));
    let server = site.start();
    let job = server.ipp().print("late", b"waited");
    let absent = |printer: &Attributes| reasons_of(printer, "printer") == ["offline-report"];
    server.printer_when("late", absent);
    assert_eq!(state_of(&server.ipp().job(job)), "pending");
    let device = wires::tty(Language::Plain, &link);
    server.job_is(job, "completed");
    wires::took(device.handle(), 6);
    assert_eq!(device.handle().take_kept(), b"waited");
}

/// Prints a job that the device takes no more of, and cancels it; the next job's number.
fn cancel_on_a_dead_device(server: &Server, printer: &str, at_it: impl Fn()) -> i32 {
    let mut ipp: Ipp = server.ipp();
    let dead = ipp.print(printer, &document(1, 2_000_000));
    let next = ipp.print(printer, b"the next job");
    server.job_is(dead, "processing");
    at_it();
    assert_eq!(ipp.job_operation(Operation::CancelJob, dead), Status::Ok);
    assert_eq!(state_of(&ipp.job(dead)), "canceled", "at once, the device is still dead");
    server.job_when(next, |next| state_of(next) != "pending");
    next
}

#[test]
fn canceling_works_at_once_on_a_dead_device_and_the_next_job_is_clean() {
    let site = Site::new();
    let tty = wires::tty(Language::Plain, &site.path("tty"));
    let sink = Sink::start_stalled_at(50_000);
    let setup = Setup::new().printer("tty", &wires::uri(&tty), "").printer("tcp", &sink.uri(), "");
    site.configure(&setup);
    let server = site.start();
    wires::tell(tty.handle(), "stall on");
    let next = cancel_on_a_dead_device(&server, "tty", || ());
    wires::tell(tty.handle(), "stall off");
    server.job_is(next, "completed");
    let printed = wires::kept_until(tty.handle(), b"the next job");
    let before = printed.len() - b"the next job".len();
    assert_same(&printed[..before], &document(1, 2_000_000)[..before], "of the canceled job");

    let next = cancel_on_a_dead_device(&server, "tcp", || sink.took(50_000));
    sink.go_on();
    server.job_is(next, "completed");
    let printed = sink.ended(2);
    assert_eq!(printed[0].end, Some(sink::End::Broken));
    assert_eq!(printed[1].bytes, b"the next job");
}

#[test]
fn a_stuck_printer_disturbs_no_other() {
    let (stuck, free) = (Sink::start_stalled_at(0), Sink::start());
    let setup = Setup::new().printer("stuck", &stuck.uri(), "").printer("free", &free.uri(), "");
    let site = Site::with(&setup);
    let server = site.start();
    let mut ipp = server.ipp();
    let waiting: Vec<i32> = (0..5).map(|n| ipp.print("stuck", &document(n, 200_000))).collect();
    server.job_is(waiting[0], "processing");
    for n in 0..20 {
        let job = ipp.print("free", &document(n, 100_000));
        server.job_is(job, "completed");
    }
    // A device that takes nothing and does not say why is shown as such after a while.
    let stopped = server.job_is(waiting[0], "processing-stopped");
    assert_eq!(reasons_of(&stopped, "job"), ["timed-out"]);
    assert_eq!(sink::documents(free.ended(20)).len(), 20);
    stuck.go_on();
    for job in waiting {
        server.job_is(job, "completed");
    }
    let expected: Vec<Vec<u8>> = (0..5).map(|n| document(n, 200_000)).collect();
    assert!(sink::documents(stuck.ended(5)) == expected, "all of them, in order");
}
