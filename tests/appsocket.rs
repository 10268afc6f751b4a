//! AppSocket (port 9100): many senders at once, the printer's words reach the sender, silence and broken connections are
//! never an end.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::io::Write;
use std::net::Shutdown;
use std::sync::Barrier;

use despool::frontend::ipp::wire::{Operation, Status};
use support::ipp::{reasons_of, state_of, text_of};
use support::raw::{self, End};
use support::server::Server;
use support::sink::{self, Connection, Sink};
use support::site::{Setup, Site};
use support::{assert_same, document};

/// A printer with a raw port of its own.
const RAW: &str = "appsocket = \"127.0.0.1:0\"";

/// Time enough for a sender that means to send, and short enough to wait for one that does not.
const IDLE: &str = "idle_timeout = \"1s\"";

/// A server with a printer `label`, and another on the same wire with more settings.
fn start(sink: &Sink, more: &str) -> (Site, Server) {
    let setup = Setup::new().printer("label", &sink.uri(), RAW).printer(
        "other",
        &sink.uri(),
        &format!("{RAW}; {more}"),
    );
    let site = Site::with(&setup);
    let server = site.start();
    (site, server)
}

/// All jobs that the server knows: number, state.
fn jobs(server: &Server) -> Vec<String> {
    server.ipp().jobs("all").iter().map(state_of).collect()
}

/// Waits until the server has told of a job in this state.
fn told(server: &Server, state: &str) {
    let told = format!("state=\"{state}\"");
    server.log.wait_for(0, |line| line.contains("event: job ") && line.contains(&told));
}

#[test]
fn many_senders_at_once_each_print_one_whole_job() {
    const SENDERS: usize = 40;
    let sink = Sink::start();
    let (_site, server) = start(&sink, "");
    let address = server.raw("label");
    let half_way = Barrier::new(SENDERS);
    let sent: Vec<Vec<u8>> = (0..SENDERS).map(|n| document(n as u64, 30_000 + 7_001 * n)).collect();
    std::thread::scope(|scope| {
        for document in &sent {
            scope.spawn(|| {
                let mut stream = raw::connect(address);
                let (front, back) = document.split_at(document.len() / 2);
                stream.write_all(front).unwrap();
                half_way.wait();
                stream.write_all(back).unwrap();
                assert_eq!(raw::finish(stream), (End::Accepted, vec![]));
            });
        }
    });
    let mut printed = sink::documents(sink.ended(SENDERS));
    printed.sort_by_key(Vec::len);
    assert!(printed == sent, "every job is printed once, whole and unmixed");
    assert_eq!(jobs(&server), vec!["completed"; SENDERS]);
}

#[test]
fn what_the_printer_says_reaches_the_sender_of_the_job_at_it_and_nobody_else() {
    let sink = Sink::start_stalled_at(1000);
    let (_site, server) = start(&sink, "");
    let mut first = raw::connect(server.raw("label"));
    first.write_all(&document(1, 100_000)).unwrap();
    first.shutdown(Shutdown::Write).unwrap();
    let mut second = raw::connect(server.raw("label"));
    second.write_all(b"second").unwrap();

    sink.took(1000);
    sink.say(b"to the first");
    assert_eq!(raw::read(&mut first, 12), b"to the first");
    sink.go_on();
    assert_eq!(raw::end_of(first), (End::Accepted, vec![]));

    sink.stall_at(100_000);
    second.shutdown(Shutdown::Write).unwrap();
    sink.when(|all| all.len() == 2);
    sink.say(b"to the second");
    assert_eq!(raw::read(&mut second, 13), b"to the second");
    sink.go_on();
    assert_eq!(raw::end_of(second), (End::Accepted, vec![]));
}

#[test]
fn sender_and_printer_converse_while_the_job_is_still_being_sent() {
    let sink = Sink::start();
    let (_site, server) = start(&sink, "start = \"immediately\"");
    let mut stream = raw::connect(server.raw("other"));
    stream.write_all(b"who are you?").unwrap();
    sink.took(12);
    sink.say(b"a printer");
    assert_eq!(raw::read(&mut stream, 9), b"a printer");
    stream.write_all(b" then print").unwrap();
    sink.took(23);
    sink.say(b"done");
    assert_eq!(raw::read(&mut stream, 4), b"done");
    assert_eq!(raw::finish(stream), (End::Accepted, vec![]));
    assert_eq!(sink::documents(sink.ended(1)), [b"who are you? then print"]);
}

#[test]
fn a_silent_sender_s_job_is_aborted_and_nothing_of_it_is_printed() {
    let sink = Sink::start();
    let (site, server) = start(&sink, &format!("idle = \"abort\"; {IDLE}"));
    let mut silent = raw::connect(server.raw("other"));
    silent.write_all(b"half a la").unwrap();
    assert_eq!(raw::end_of(silent), (End::Refused, vec![]));
    assert_eq!(raw::print(server.raw("label"), b"whole"), (End::Accepted, vec![]));
    assert_eq!(sink::documents(sink.ended(1)), [b"whole"]);
    assert_eq!(jobs(&server), ["completed"], "of the half job nothing is left");
    assert_eq!((site.documents().len(), server.nameless_documents()), (1, 0));
}

#[test]
fn a_silent_sender_s_job_is_held_for_a_person_where_the_printer_is_set_so() {
    let sink = Sink::start();
    let (_site, server) = start(&sink, &format!("idle = \"hold\"; {IDLE}"));
    let mut silent = raw::connect(server.raw("other"));
    silent.write_all(b"half a la").unwrap();
    assert_eq!(raw::end_of(silent), (End::Refused, vec![]), "silence is not acceptance");
    let mut ipp = server.ipp();
    let held = ipp.jobs("all");
    assert_eq!(held.len(), 1);
    assert_eq!(state_of(&held[0]), "pending-held");
    assert_eq!(reasons_of(&held[0], "job"), ["submission-interrupted"]);
    assert!(text_of(&held[0], "job-state-message").contains("silent"), "{held:?}");
    assert_eq!(raw::print(server.raw("label"), b"whole"), (End::Accepted, vec![]));
    assert_eq!(sink::documents(sink.ended(1)), [b"whole"], "what is held is not printed");
    let id = support::ipp::id_of(&held[0]);
    assert_eq!(ipp.job_operation(Operation::ReleaseJob, id), Status::Ok);
    server.job_is(id, "completed");
    assert_eq!(sink::documents(sink.ended(2))[1], b"half a la");
}

#[test]
fn a_job_that_is_at_the_printer_already_cannot_be_held_when_its_sender_falls_silent() {
    for idle in ["hold", "abort"] {
        let sink = Sink::start();
        let more = format!("start = \"immediately\"; idle = \"{idle}\"; {IDLE}");
        let (_site, server) = start(&sink, &more);
        let mut silent = raw::connect(server.raw("other"));
        silent.write_all(b"half a la").unwrap();
        assert_eq!(raw::end_of(silent), (End::Refused, vec![]));
        let half = Connection { bytes: b"half a la".to_vec(), end: Some(sink::End::Broken) };
        assert_eq!(sink.ended(1), [half], "{idle}: the printer sees that it is not whole");
        told(&server, "aborted");
        let job = server.ipp().jobs("completed").remove(0);
        assert_eq!(state_of(&job), "aborted", "{idle}");
        assert!(text_of(&job, "job-state-message").contains("silent"), "{idle}: {job:?}");
    }
}

#[test]
fn a_sender_that_breaks_off_prints_nothing() {
    let sink = Sink::start();
    let (site, server) = start(&sink, "");
    let mut sender = raw::connect(server.raw("label"));
    sender.write_all(&document(1, 300_000)).unwrap();
    raw::reset(sender);
    assert_eq!(raw::print(server.raw("label"), b"next"), (End::Accepted, vec![]));
    assert_eq!(sink::documents(sink.ended(1)), [b"next"]);
    server.log.wait_for(0, |line| line.contains("broke the connection"));
    assert_eq!(jobs(&server), ["completed"]);
    assert_eq!((site.documents().len(), server.nameless_documents()), (1, 0));
}

#[test]
fn a_sender_that_breaks_off_half_way_through_the_printing_prints_no_more_and_never_again() {
    let sink = Sink::start();
    let (site, server) = start(&sink, "start = \"immediately\"");
    let sent = document(1, 50_000);
    let mut sender = raw::connect(server.raw("other"));
    sender.write_all(&sent).unwrap();
    sink.took(sent.len());
    raw::reset(sender);
    let printed = sink.ended(1);
    assert_eq!(printed[0].end, Some(sink::End::Broken), "half a job does not end as a whole one");
    assert_same(&printed[0].bytes, &sent, "what had come");
    told(&server, "aborted");
    assert_eq!(jobs(&server), ["aborted"]);

    drop(server);
    let server = site.start();
    assert_eq!(raw::print(server.raw("label"), b"next"), (End::Accepted, vec![]));
    let printed = sink.ended(2);
    assert_eq!((printed.len(), printed[1].bytes.as_slice()), (2, b"next".as_slice()));
}

#[test]
fn a_reset_after_the_last_byte_neither_loses_the_job_nor_prints_it_twice() {
    let sink = Sink::start_stalled_at(0);
    let (_site, server) = start(&sink, "");
    let sent = document(1, 60_000);
    let mut sender = raw::connect(server.raw("label"));
    sender.write_all(&sent).unwrap();
    sender.shutdown(Shutdown::Write).unwrap();
    sink.when(|all| all.len() == 1);
    raw::reset(sender);
    sink.go_on();
    let job = server.until("the job", || server.ipp().jobs("all").into_iter().next());
    server.job_is(support::ipp::id_of(&job), "completed");
    assert_eq!(raw::print(server.raw("label"), b"next"), (End::Accepted, vec![]));
    assert!(sink::documents(sink.ended(2)) == [sent, b"next".to_vec()]);
}

#[test]
fn a_printer_that_rejects_refuses_and_a_paused_one_accepts() {
    let sink = Sink::start();
    let (_site, server) = start(&sink, "");
    let (address, mut ipp) = (server.raw("label"), server.ipp());
    assert_eq!(ipp.printer_operation(Operation::CupsRejectJobs, "label"), Status::Ok);
    assert_eq!(raw::print(address, b"refused").0, End::Refused);
    assert_eq!(ipp.printer_operation(Operation::CupsAcceptJobs, "label"), Status::Ok);
    assert_eq!(ipp.printer_operation(Operation::PausePrinter, "label"), Status::Ok);
    assert_eq!(raw::print(address, b"accepted"), (End::Accepted, vec![]));
    assert_eq!(jobs(&server), ["pending"], "accepted, though it is not printed yet");
    assert_eq!(ipp.printer_operation(Operation::ResumePrinter, "label"), Status::Ok);
    assert_eq!(sink::documents(sink.ended(1)), [b"accepted"]);
}

#[test]
fn a_connection_without_a_byte_is_no_job() {
    let sink = Sink::start();
    let (_site, server) = start(&sink, "");
    assert_eq!(raw::print(server.raw("label"), b"").0, End::Accepted);
    assert_eq!(raw::print(server.raw("label"), b"one"), (End::Accepted, vec![]));
    assert_eq!(jobs(&server), ["completed"]);
    assert_eq!(sink::documents(sink.ended(1)), [b"one"]);
}
