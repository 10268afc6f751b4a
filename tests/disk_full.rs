//! A disk without room, before a job and in the middle of one: a clear refusal on each front end's own terms, nothing left
//! behind, and whatever was accepted goes on.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use despool::frontend::ipp::wire::{GroupTag, Message, Operation, Status, encode};
use support::http::Http;
use support::ipp::{answer, job_id, state_of, text_of};
use support::raw;
use support::server::{Server, despool};
use support::sink::{self, Sink};
use support::site::{Setup, Site};
use support::{document, tiers};

const LISTEN: &str = "appsocket = \"127.0.0.1:0\"";

/// Sends a document that need not be taken to its end; the answer.
#[track_caller]
fn offer(server: &Server, request: &Message, document: &[u8], chunked: bool) -> Message {
    let message = encode(request).unwrap();
    let mut http = Http::connect(server.address());
    if chunked {
        http.head("Transfer-Encoding: chunked\r\n");
        http.chunk(&message);
        let parts = document.chunks(64 * 1024);
        let _ = parts
            .map(|part| {
                let head = format!("{:x}\r\n", part.len());
                http.socket().write_all(&[head.as_bytes(), part, b"\r\n"].concat())
            })
            .find(Result::is_err);
        let _ = http.socket().write_all(b"0\r\n\r\n");
    } else {
        http.head(&format!("Content-Length: {}\r\n", message.len() + document.len()));
        http.write(&message);
        let _ = http.socket().write_all(document);
    }
    answer(&mut http, request)
}

/// Every front end refuses this document, and says why in its own way.
#[track_caller]
fn refused_everywhere(server: &Server, document: &[u8], status: Status, says: &str) {
    let names = server.ipp().names();
    let print = names.printer(Operation::PrintJob, "label");
    for chunked in [false, true] {
        let answer = offer(server, &print, document, chunked);
        let why = text_of(answer.operation_attributes(), "status-message");
        assert_eq!(answer.status(), status, "chunked: {chunked}: {why}");
        assert!(why.contains(says), "chunked: {chunked}: {why}");
    }
    let created = server.ipp().ask(&names.printer(Operation::CreateJob, "label"));
    if created.status().is_success() {
        let job = job_id(&created);
        let mut send = names.job(Operation::SendDocument, job);
        send.attributes_mut(GroupTag::Operation).put("last-document", true);
        assert_eq!(offer(server, &send, document, false).status(), status);
        assert_eq!(state_of(&server.ipp().job(job)), "aborted");
    } else {
        assert_eq!(created.status(), status);
    }
    assert_eq!(raw::print(server.raw("label"), document).0, raw::End::Refused);
    let command = server.cli_with(&["print", "-p", "label", "-"], document);
    assert_eq!((command.code, command.stdout.as_str()), (1, ""), "{command:?}");
    assert!(command.stderr.contains(says), "{command:?}");
    assert_eq!(server.nameless_documents(), 0, "nothing is left of what was refused");
}

/// A document is printed, whatever happened before.
#[track_caller]
fn prints(server: &Server, sink: &Sink) {
    let before = sink.connections().len();
    let job = server.ipp().print("label", b"there is room");
    server.job_is(job, "completed");
    assert_eq!(sink::documents(sink.ended(before + 1))[before], b"there is room");
}

#[test]
fn below_the_minimum_new_jobs_are_refused_and_running_ones_go_on() {
    let sink = Sink::start_stalled_at(10_000);
    let setup = |spool| Setup::new().spool(spool).printer("label", &sink.uri(), LISTEN);
    let site = Site::with(&setup(""));
    let mut server = site.start();
    let sent = document(1, 1_000_000);
    let running = server.ipp().print("label", &sent);
    sink.took(10_000);
    site.configure(&setup("min_free_bytes = \"1024TiB\""));
    server.reload();
    refused_everywhere(&server, b"one page", Status::TemporaryError, "not enough disk space");
    assert_eq!(site.documents().len(), 1);
    sink.go_on();
    server.job_is(running, "completed");
    assert!(sink::documents(sink.ended(1)) == [sent]);
    site.configure(&setup(""));
    server.reload();
    prints(&server, &sink);
}

#[test]
fn a_spool_that_holds_what_it_may_refuses_more_until_something_is_gone() {
    let sink = Sink::start();
    let setup = Setup::new().spool("max_bytes = 1000000").printer("label", &sink.uri(), LISTEN);
    let site = Site::with(&setup);
    let server = site.start();
    let held = server.ipp().print_with("label", &document(1, 600_000), |ticket| {
        ticket.put_keyword("job-hold-until", "indefinite");
    });
    let more = document(2, 600_000);
    refused_everywhere(&server, &more, Status::TemporaryError, "max_bytes");
    assert_eq!(site.documents().len(), 1);
    prints(&server, &sink);
    assert_eq!(server.ipp().job_operation(Operation::CancelJob, held), Status::Ok);
    let job = server.ipp().print("label", &more);
    server.job_is(job, "completed");
    assert!(sink::documents(sink.ended(2))[1] == more);
}

#[test]
fn a_document_that_is_larger_than_allowed_is_refused() {
    let sink = Sink::start();
    let setup = Setup::new().spool("max_job_bytes = 500000").printer("label", &sink.uri(), LISTEN);
    let site = Site::with(&setup);
    let server = site.start();
    let large = document(1, 4_000_000);
    refused_everywhere(&server, &large, Status::RequestEntityTooLarge, "max_job_bytes");
    assert!(site.documents().is_empty());
    prints(&server, &sink);
}

/// A server whose state is on a disk of its own, of so many bytes.
fn start_on_disk(site: &Site, bytes: u64) -> Server {
    let state = site.state_dir();
    std::fs::create_dir_all(&state).unwrap();
    let script = "mount -t tmpfs -o size=$1 tmpfs \"$2\" && exec \"$3\" serve --config \"$4\"";
    let mut command = Command::new(tiers::program("unshare"));
    command.env_remove("DESPOOL_CONFIG").env("RUST_BACKTRACE", "0");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    command.arg(bytes.to_string()).arg(state).arg(despool().get_program()).arg(site.config());
    Server::launch(site, command)
}

/// A server whose state, as it is now, is on a disk of its own that has no byte left.
fn start_on_full_disk(site: &Site) -> Server {
    // It cannot say where it listens.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), config.replace("127.0.0.1:0", &address.to_string())).unwrap();
    let other = site.path("disk");
    std::fs::create_dir(&other).unwrap();
    let script = "mount -t tmpfs -o size=16m tmpfs \"$1\" && cp -a \"$2/.\" \"$1\" && mount --bind \"$1\" \"$2\" && \
                  { cat /dev/zero >\"$2/filler\" 2>/dev/null; exec \"$3\" serve --config \"$4\"; }";
    let mut command = Command::new(tiers::program("unshare"));
    command.env_remove("DESPOOL_CONFIG").env("RUST_BACKTRACE", "0");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    command.arg(other).arg(site.state_dir()).arg(despool().get_program()).arg(site.config());
    let mut server = Server::spawn(site, command);
    server.await_word("READY=1");
    server.listening = serde_json::json!({ "ipp": address.to_string() });
    server
}

/// That disk, as we see it.
struct Disk(PathBuf);

impl Disk {
    fn of(server: &Server, site: &Site) -> Self {
        let root = PathBuf::from(format!("/proc/{}/root", server.pid()));
        Self(root.join(site.state_dir().strip_prefix("/").unwrap()))
    }

    /// Takes every byte that is left.
    fn fill(&self) {
        let mut filler = std::fs::File::create(self.0.join("filler")).unwrap();
        let block = [1; 4096];
        while filler.write_all(&block).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }

    fn documents(&self) -> usize {
        let entries = std::fs::read_dir(self.0.join("spool")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".spl")).count()
    }
}

#[test]
fn a_full_disk_refuses_what_is_new_and_what_was_accepted_goes_on() {
    if !tiers::asked("foreign", "a_full_disk_refuses_what_is_new_and_what_was_accepted_goes_on") {
        return;
    }
    let sink = Sink::start_stalled_at(10_000);
    let site = Site::with(&Setup::new().printer("label", &sink.uri(), LISTEN));
    let server = start_on_disk(&site, 16 << 20);
    let disk = Disk::of(&server, &site);
    let mut ipp = server.ipp();
    let documents: Vec<Vec<u8>> = (0..3).map(|n| document(n, 1_500_000)).collect();
    let accepted: Vec<i32> = documents.iter().map(|one| ipp.print("label", one)).collect();
    let unwanted = ipp.print("label", b"unwanted");
    sink.took(10_000);
    refused_everywhere(&server, &document(9, 20 << 20), Status::TemporaryError, "disk");
    assert_eq!(disk.documents(), 4, "nothing is left of what was refused");

    disk.fill();
    let small = vec![b'x'; 100_000];
    refused_everywhere(&server, &small, Status::TemporaryError, "disk");
    assert_eq!(ipp.job_operation(Operation::CancelJob, unwanted), Status::Ok);
    sink.go_on();
    for job in accepted {
        server.job_is(job, "completed");
    }
    assert!(sink::documents(sink.ended(3)) == documents, "each once, in order, on a full disk");
    disk.make_room();
    prints(&server, &sink);
    assert!(server.terminate().success());
}

#[test]
fn a_server_that_starts_on_a_full_disk_prints_what_is_there_and_refuses_more() {
    let name = "a_server_that_starts_on_a_full_disk_prints_what_is_there_and_refuses_more";
    if !tiers::asked("foreign", name) {
        return;
    }
    let sink = Sink::start();
    let site = Site::with(&Setup::new().printer("label", &sink.uri(), ""));
    let sent = document(1, 300_000);
    let server = site.start();
    let job = server.ipp().print_with("label", &sent, |ticket| {
        ticket.put_keyword("job-hold-until", "indefinite");
    });
    assert!(server.terminate().success());

    let server = start_on_full_disk(&site);
    let print = server.ipp().names().printer(Operation::PrintJob, "label");
    let refused = offer(&server, &print, &sent, false);
    assert_eq!(refused.status(), Status::TemporaryError);
    assert!(text_of(refused.operation_attributes(), "status-message").contains("disk"));
    for operation in [Operation::PausePrinter, Operation::ResumePrinter] {
        assert_eq!(server.ipp().printer_operation(operation, "label"), Status::Ok);
    }
    assert_eq!(server.ipp().job_operation(Operation::ReleaseJob, job), Status::Ok);
    server.job_is(job, "completed");
    assert!(sink::documents(sink.ended(1)) == [sent]);
    assert!(server.terminate().success());
}
