//! A thousand jobs through each front end: each is printed exactly once, and none before one that was accepted before it
//! was even begun.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use despool::frontend::ipp::wire::{GroupTag, Operation};
use support::ipp::{Ipp, job_id};
use support::raw::{self, End};
use support::server::Server;
use support::sink::{self, Sink};
use support::site::{Setup, Site};

const JOBS: usize = 1000;

/// Senders at a time.
const SENDERS: usize = 8;

/// When a job was begun, and when its sender heard that it was accepted.
struct Sent {
    number: usize,
    begun: Instant,
    accepted: Instant,
}

/// A job of its own number.
fn document(number: usize) -> Vec<u8> {
    format!("job {number:04}\n").into_bytes().repeat(1 + number % 7)
}

/// The number of a job that was printed, which must be whole.
fn number(document: &[u8]) -> usize {
    let number = String::from_utf8_lossy(&document[4..8]).parse().unwrap();
    assert_eq!(document, self::document(number), "job {number} is whole");
    number
}

/// Sends all jobs from several senders, each with a client of its own.
fn send<C>(client: impl Fn() -> C + Sync, print: impl Fn(&mut C, &[u8]) + Sync) -> Vec<Sent> {
    let (next, sent) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                let mut client = client();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= JOBS {
                        return;
                    }
                    let begun = Instant::now();
                    print(&mut client, &document(number));
                    let accepted = Instant::now();
                    sent.lock().unwrap().push(Sent { number, begun, accepted });
                }
            });
        }
    });
    sent.into_inner().unwrap()
}

/// Each once, and in order.
fn check(sink: &Sink, sent: Vec<Sent>) {
    let printed: Vec<usize> =
        sink::documents(sink.ended(JOBS)).iter().map(|document| number(document)).collect();
    let mut once = printed.clone();
    once.sort_unstable();
    assert!(once == (0..JOBS).collect::<Vec<_>>(), "each job is printed exactly once");
    let times: HashMap<usize, Sent> = sent.into_iter().map(|sent| (sent.number, sent)).collect();
    let mut latest = times[&printed[0]].begun;
    for number in &printed {
        let Sent { begun, accepted, .. } = &times[number];
        assert!(
            *accepted >= latest,
            "job {number} was accepted before one printed before it began"
        );
        latest = latest.max(*begun);
    }
}

fn start(sink: &Sink) -> (Site, Server) {
    let settings = "appsocket = \"127.0.0.1:0\"";
    let setup = Setup::new().spool("keep_jobs = 2000").printer("label", &sink.uri(), settings);
    let site = Site::with(&setup);
    let server = site.start();
    (site, server)
}

/// All jobs ended well, and their numbers are those that were told.
fn completed(server: &Server, sink: &Sink) {
    sink.ended(JOBS);
    server.until("the end of all jobs", || {
        server.ipp().jobs("not-completed").is_empty().then_some(())
    });
    let jobs = server.ipp().jobs("completed");
    let whole = jobs.iter().filter(|job| support::ipp::state_of(job) == "completed").count();
    assert_eq!((jobs.len(), whole), (JOBS, JOBS));
}

#[test]
fn burst_through_appsocket() {
    let sink = Sink::start();
    let (_site, server) = start(&sink);
    let address: SocketAddr = server.raw("label");
    let sent = send(
        || (),
        |(), document| assert_eq!(raw::print(address, document), (End::Accepted, vec![])),
    );
    check(&sink, sent);
    completed(&server, &sink);
}

#[test]
fn burst_through_ipp_print_job() {
    let sink = Sink::start();
    let (_site, server) = start(&sink);
    let sent = send(|| server.ipp(), |ipp, document| _ = ipp.print("label", document));
    check(&sink, sent);
    completed(&server, &sink);
}

#[test]
fn burst_through_ipp_create_job_and_send_document() {
    let sink = Sink::start();
    let (_site, server) = start(&sink);
    let print = |ipp: &mut Ipp, document: &[u8]| {
        let job = job_id(&ipp.do_it(&ipp.names().printer(Operation::CreateJob, "label")));
        let mut request = ipp.names().job(Operation::SendDocument, job);
        request.attributes_mut(GroupTag::Operation).put("last-document", true);
        assert!(ipp.send(&request, document).status().is_success());
    };
    let sent = send(|| server.ipp(), print);
    check(&sink, sent);
    completed(&server, &sink);
}
