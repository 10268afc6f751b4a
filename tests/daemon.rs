//! The server as a service: ready when it says so, stopped and reloaded by signals, alone on its state directory.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use despool::frontend::ipp::wire::{GroupTag, Operation, Status};
use despool_hw::sim::Language;
use support::control::Control;
use support::ipp::{job_id, printer_state_of, state_of};
use support::process::run;
use support::raw::{self, End};
use support::server::{Server, despool};
use support::sink::{self, Sink};
use support::site::{Setup, Site, sim};
use support::{assert_same, document, wires};

const RAW: &str = "appsocket = \"127.0.0.1:0\"";

#[test]
fn ready_means_that_every_listener_accepts_and_is_in_listeners_json() {
    let sink = Sink::start();
    let setup = Setup::new().printer("label", &sink.uri(), RAW).printer("laser", &sink.uri(), RAW);
    let site = Site::with(&setup);
    let server = site.start();
    let listeners = &server.listening;
    assert_eq!(listeners["pid"], server.pid());
    let keys: Vec<&String> = listeners.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["appsocket", "ipp", "pid"], "only what is on");
    for address in [server.address(), server.raw("label"), server.raw("laser")] {
        assert!(TcpStream::connect(address).is_ok(), "{address}");
    }
    let file = site.state_dir().join("listeners.json");
    assert!(server.terminate().success());
    assert!(!file.exists(), "nobody listens any more");
}

#[test]
fn a_watchdog_is_fed() {
    let site = Site::with(&Setup::new());
    let mut command = despool();
    command.args(["serve", "--config"]).arg(site.config()).env("WATCHDOG_USEC", "200000");
    let server = Server::launch(&site, command);
    server.await_word("WATCHDOG=1");
    server.await_word("WATCHDOG=1");
}

#[test]
fn sigterm_parks_a_running_job_and_the_next_server_goes_on_with_it() {
    let site = Site::new();
    let tty = wires::tty(Language::Plain, &site.path("tty"));
    let setup = Setup::new()
        .server("stop_grace = \"100ms\"")
        .printer("tty", &wires::uri(&tty), RAW)
        .printer("idle", "file:/dev/null", RAW);
    site.configure(&setup);
    let sent = document(1, 500_000);
    let server = site.start();
    wires::stall_at(tty.handle(), 100_000);
    let (running, waiting) = {
        let mut ipp = server.ipp();
        (ipp.print("tty", &sent), ipp.print("tty", b"waiting"))
    };
    wires::took(tty.handle(), 100_000);
    let half_sent = raw::connect(server.raw("idle"));
    assert_eq!(server.terminate().code(), Some(0));
    drop(half_sent);
    wires::tell(tty.handle(), "stall off");

    let server = site.start();
    let parked = server.job_is(running, "completed");
    assert_eq!(parked.keyword("despool-recovery").unwrap(), Some("resumed"));
    server.job_is(waiting, "completed");
    let printed = wires::kept_until(tty.handle(), b"waiting");
    assert_same(&printed, &[sent.as_slice(), b"waiting"].concat(), "not a byte twice or lost");
}

#[test]
fn sigterm_lets_a_job_end_that_ends_within_the_grace() {
    let sink = Sink::start_stalled_at(1000);
    let setup = Setup::new().server("stop_grace = \"60s\"").printer("label", &sink.uri(), "");
    let site = Site::with(&setup);
    let server = site.start();
    let sent = document(1, 300_000);
    let job = server.ipp().print("label", &sent);
    sink.took(1000);
    std::thread::scope(|scope| {
        let stopped = scope.spawn(|| server.terminate());
        sink.go_on();
        assert!(stopped.join().unwrap().success());
    });
    assert_same(&sink::documents(sink.ended(1))[0], &sent, "printed to its end");
    assert_eq!(state_of(&site.start().ipp().job(job)), "completed");
}

#[test]
fn the_control_sockets_of_simulated_printers_go_with_the_server() {
    let site = Site::new();
    site.configure(&Setup::new().printer("sim", &sim(&site, "plain", "control"), ""));
    let server = site.start();
    Control::open(&server, &site.path("control"));
    assert!(server.terminate().success());
    assert!(!site.path("control").exists());
}

#[test]
fn sighup_adds_and_removes_printers_and_disturbs_no_other() {
    let (label, laser, late) = (Sink::start(), Sink::start(), Sink::start());
    let with = |name: &str, sink: &Sink| {
        Setup::new().printer("label", &label.uri(), RAW).printer(name, &sink.uri(), RAW)
    };
    let site = Site::with(&with("laser", &laser));
    let mut server = site.start();
    let (ipp, raw_label, raw_laser) = (server.address(), server.raw("label"), server.raw("laser"));
    label.stall_at(1000);
    let running = server.ipp().print("label", &document(1, 300_000));
    label.took(1000);
    let mut open = server.ipp();
    let created = job_id(&open.do_it(&open.names().printer(Operation::CreateJob, "label")));

    site.configure(&with("late", &late));
    server.reload();
    assert_eq!((server.address(), server.raw("label")), (ipp, raw_label), "these stay");
    assert!(server.listening["appsocket"].get("laser").is_none());
    assert!(TcpStream::connect(raw_laser).is_err(), "nobody listens there any more");
    let status = server.ipp().printer_operation(Operation::PrintJob, "laser");
    assert_eq!(status, Status::NotFound);
    assert_eq!(raw::print(server.raw("late"), b"to the new one"), (End::Accepted, vec![]));
    assert_eq!(sink::documents(late.ended(1)), [b"to the new one"]);
    // A job that was created before the reload takes its documents after it.
    let mut request = open.names().job(Operation::SendDocument, created);
    request.attributes_mut(GroupTag::Operation).put("last-document", true);
    assert_eq!(open.send(&request, b"created before").status(), Status::Ok);
    label.go_on();
    server.job_is(running, "completed");
    server.job_is(created, "completed");
    let printed = sink::documents(label.ended(2));
    assert_same(&printed[0], &document(1, 300_000), "undisturbed by the reload");
    assert_eq!(printed[1], b"created before");
}

#[test]
fn sighup_changes_the_settings_of_listeners_that_stay() {
    let sink = Sink::start();
    let with = |idle: &str| {
        Setup::new().listen("idle_timeout = \"1s\"").printer(
            "label",
            &sink.uri(),
            &format!("{RAW}; idle_timeout = \"{idle}\"; idle = \"hold\""),
        )
    };
    let site = Site::with(&with("10min"));
    let mut server = site.start();
    site.configure(&with("1s"));
    server.reload();
    let mut silent = raw::connect(server.raw("label"));
    std::io::Write::write_all(&mut silent, b"half").unwrap();
    assert_eq!(raw::end_of(silent).0, End::Refused);
    assert_eq!(state_of(&server.ipp().jobs("all")[0]), "pending-held");
}

#[test]
fn a_printer_that_was_taken_away_and_comes_back_prints_what_waited_for_it() {
    let (sink, other) = (Sink::start(), Sink::start());
    let with = |sink: &Sink| Setup::new().printer("label", &sink.uri(), "");
    let site = Site::with(&with(&sink));
    let mut server = site.start();
    let pause = server.ipp().printer_operation(Operation::PausePrinter, "label");
    assert_eq!(pause, Status::Ok);
    let job = server.ipp().print("label", b"waits");
    site.configure(&Setup::new());
    server.reload();
    assert_eq!(state_of(&server.ipp().job(job)), "pending");
    // On another wire, too.
    site.configure(&with(&other));
    server.reload();
    assert_eq!(printer_state_of(&server.ipp().printer("label")), "stopped", "still paused");
    server.cli(&["resume", "label"]).ok();
    server.job_is(job, "completed");
    assert_eq!(sink::documents(other.ended(1)), [b"waits"]);
    assert!(sink.connections().is_empty());
}

#[test]
fn a_broken_configuration_on_reload_changes_nothing_and_is_named() {
    let sink = Sink::start();
    let site = Site::with(&Setup::new().printer("label", &sink.uri(), ""));
    let mut server = site.start();
    let before = server.listening.clone();
    std::fs::write(site.config(), "[[printer]]\nname = \"label\"\nprot = \"file:/x\"\n").unwrap();
    server.reload();
    let said = server.log.wait_for(0, |line| line.contains("stays as it was"));
    assert!(said.contains("despool.toml:3: printer[1].prot"), "{said}");
    assert!(said.contains("did you mean `port`?"), "{said}");
    assert_eq!(server.listening, before);
    let job = server.ipp().print("label", b"as ever");
    server.job_is(job, "completed");
}

/// Starts a server that must fail; what it says.
#[track_caller]
fn refused(command: &mut Command, says: &str) {
    let ended = run(command.env("DESPOOL_LOG", "off"));
    assert_eq!(ended.code, 1, "{ended:?}");
    let line = ended.stderr.strip_suffix('\n').unwrap();
    assert!(line.starts_with("despool serve: ") && !line.contains('\n'), "{line}");
    assert!(line.contains(says), "{says}: {line}");
}

#[test]
fn a_second_server_on_the_same_state_is_refused() {
    let sink = Sink::start();
    let site = Site::with(&Setup::new().printer("label", &sink.uri(), ""));
    let server = site.start();
    let mut second = despool();
    second.args(["serve", "--config"]).arg(site.config());
    refused(&mut second, "another despool server is using it");
    assert_eq!(server.read_listeners(), server.listening, "the first one's file is left alone");
    let job = server.ipp().print("label", b"as ever");
    server.job_is(job, "completed");
    server.kill();
    // A lock dies with its server.
    assert!(site.start().terminate().success());
}

#[test]
fn a_server_that_cannot_start_says_why_and_begins_nothing() {
    let sink = Sink::start();
    let site = Site::with(&Setup::new().printer("label", "serial:/dev/not-there", ""));
    let server = site.start();
    let job = server.ipp().print("label", b"waits");
    assert!(server.terminate().success());

    let occupied = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listener = TcpListener::bind(occupied).unwrap();
    let serve = || {
        let mut command = despool();
        command.args(["serve", "--config"]).arg(site.config());
        command
    };
    let raw = Setup::new().printer("label", &sink.uri(), &format!("appsocket = \"{occupied}\""));
    let listening = |key| {
        let line = format!("{key} = \"{occupied}\"");
        Setup::new().listen(&line).printer("label", &sink.uri(), "")
    };
    let taken = "Address already in use";
    for (setup, why) in [
        (&raw, format!("{occupied} (appsocket label): {taken}")),
        (&listening("rpc"), format!("cannot listen for RPC on {occupied}: {taken}")),
        (&listening("epm"), format!("cannot listen for RPC on {occupied}: {taken}")),
    ] {
        site.configure(setup);
        refused(&mut serve(), &why);
        assert!(!site.state_dir().join("listeners.json").exists());
        assert!(!site.state_dir().join("local-credential").exists());
        assert!(sink.connections().is_empty(), "nothing has begun");
    }
    drop(listener);
    site.start().job_is(job, "completed");
    assert_eq!(sink::documents(sink.ended(1)), [b"waits"]);

    std::fs::write(site.config(), "nonsense").unwrap();
    refused(&mut serve(), "despool.toml:1: ");
    std::fs::remove_file(site.config()).unwrap();
    refused(&mut serve(), "cannot be read");
    refused(despool().args(["serve", "--state-dir", "/dev/null/state"]), "/dev/null/state");
}
