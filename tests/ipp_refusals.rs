//! What bad input gets over IPP: the protocol's proper error, or the end of the connection. The server goes on, and
//! what was half received takes no space.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::io::Write;

use despool::frontend::ipp::wire::{
    Attributes, GroupTag, Limits, Message, Operation, Status, Value, decode, encode,
};
use support::document;
use support::http::Http;
use support::ipp::{Names, answer, state_of, text_of};
use support::server::Server;
use support::sink::{self, Sink};
use support::site::{Setup, Site};

struct Office {
    sink: Sink,
    server: Server,
    site: Site,
}

fn office(listen: &str) -> Office {
    let sink = Sink::start();
    let setup = Setup::new().listen(listen).printer("label", &sink.uri(), "");
    let site = Site::with(&setup);
    Office { sink, server: site.start(), site }
}

impl Office {
    /// Nothing is left of what was refused, and the next job prints.
    #[track_caller]
    fn goes_on(&self) {
        let before = self.sink.connections().len();
        let job = self.server.ipp().print("label", b"next");
        self.server.job_is(job, "completed");
        assert_eq!(sink::documents(self.sink.ended(before + 1))[before], b"next");
        assert_eq!(self.server.nameless_documents(), 0);
    }
}

type Spoil = fn(Names) -> Message;

/// A Print-Job request, spoiled.
fn print_job(names: Names, spoil: impl FnOnce(&mut Message)) -> Message {
    let mut request = names.printer(Operation::PrintJob, "label");
    spoil(&mut request);
    request
}

fn with(names: Names, name: &str, value: Value) -> Message {
    print_job(names, |request| {
        request.attributes_mut(GroupTag::Operation).put(name, value);
    })
}

/// Every refusal: its status, and what its message must say.
const REFUSALS: [(&str, Spoil, Status, &str); 17] = [
    (
        "unknown printer",
        |names| names.printer(Operation::PrintJob, "nowhere"),
        Status::NotFound,
        "nowhere",
    ),
    (
        "unknown printer, asked about",
        |names| names.printer(Operation::GetPrinterAttributes, "nowhere"),
        Status::NotFound,
        "nowhere",
    ),
    ("unknown job", |names| names.job(Operation::GetJobAttributes, 99), Status::NotFound, "99"),
    ("unknown job to cancel", |names| names.job(Operation::CancelJob, 99), Status::NotFound, "99"),
    ("job number 0", |names| names.job(Operation::CancelJob, 0), Status::BadRequest, "job"),
    (
        "no target",
        |_| Message::request(Operation::GetPrinterAttributes, 7),
        Status::BadRequest,
        "printer-uri",
    ),
    (
        "another scheme",
        |names| with(names, "printer-uri", Value::uri("ftp://h/printers/label")),
        Status::UriSchemeNotSupported,
        "ftp",
    ),
    (
        "an operation that we do not have",
        |names| names.printer(Operation::PrintUri, "label"),
        Status::OperationNotSupported,
        "Print-URI",
    ),
    (
        "version 9.1",
        |names| print_job(names, |request| request.version = (9, 1)),
        Status::VersionNotSupported,
        "9.1",
    ),
    (
        "request-id 0",
        |names| print_job(names, |request| request.request_id = 0),
        Status::BadRequest,
        "request-id",
    ),
    (
        "another charset",
        |names| with(names, "attributes-charset", Value::charset("utf-16")),
        Status::CharsetNotSupported,
        "utf-16",
    ),
    (
        "no charset",
        |names| {
            print_job(names, |request| {
                request.attributes_mut(GroupTag::Operation).remove("attributes-charset");
            })
        },
        Status::BadRequest,
        "attributes-charset",
    ),
    (
        "a format that nobody knows",
        |names| with(names, "document-format", Value::mime_type("video/mp4")),
        Status::DocumentFormatNotSupported,
        "video/mp4",
    ),
    (
        "compression",
        |names| with(names, "compression", Value::keyword("gzip")),
        Status::CompressionNotSupported,
        "gzip",
    ),
    (
        "a value of another syntax",
        |names| with(names, "job-name", Value::Integer(1)),
        Status::BadRequest,
        "job-name",
    ),
    (
        "a move to nowhere",
        |names| names.job(Operation::CupsMoveJob, 1),
        Status::BadRequest,
        "job-printer-uri",
    ),
    (
        "a limit of 0",
        |names| {
            let mut request = names.server(Operation::GetJobs);
            request.attributes_mut(GroupTag::Operation).put("limit", 0);
            request
        },
        Status::BadRequest,
        "limit",
    ),
];

#[test]
fn ipp_every_refusal_has_its_status_and_says_why() {
    let office = office("");
    let mut ipp = office.server.ipp();
    for (what, spoil, status, hint) in REFUSALS {
        let request = spoil(ipp.names());
        let answer = ipp.send(&request, b"a document that nobody wants");
        let message = text_of(answer.operation_attributes(), "status-message");
        assert_eq!(answer.status(), status, "{what}: {message}");
        assert!(message.contains(hint), "{what}: {message}");
    }
    assert!(ipp.jobs("all").is_empty());
    office.goes_on();
}

#[test]
fn ipp_a_printer_that_rejects() {
    let office = office("");
    let mut ipp = office.server.ipp();
    assert_eq!(ipp.printer_operation(Operation::CupsRejectJobs, "label"), Status::Ok);
    for operation in [Operation::PrintJob, Operation::ValidateJob, Operation::CreateJob] {
        let status = ipp.printer_operation(operation, "label");
        assert_eq!(status, Status::NotAcceptingJobs, "{operation}");
    }
    let accepting = ipp.printer("label").boolean("printer-is-accepting-jobs").unwrap();
    assert_eq!(accepting, Some(false));
    assert_eq!(ipp.printer_operation(Operation::CupsAcceptJobs, "label"), Status::Ok);
    office.goes_on();
}

#[test]
fn ipp_operations_in_the_wrong_state() {
    let office = office("");
    let mut ipp = office.server.ipp();
    assert_eq!(ipp.printer_operation(Operation::PausePrinter, "label"), Status::Ok);
    let (pending, canceled) = (ipp.print("label", b"a"), ipp.print("label", b"b"));
    assert_eq!(ipp.job_operation(Operation::CancelJob, canceled), Status::Ok);
    for (operation, job) in [
        (Operation::ReleaseJob, pending),
        (Operation::RestartJob, pending),
        (Operation::CancelJob, canceled),
        (Operation::HoldJob, canceled),
        (Operation::ReleaseJob, canceled),
        (Operation::CloseJob, pending),
    ] {
        assert_eq!(ipp.job_operation(operation, job), Status::NotPossible, "{operation}");
    }
    assert_eq!(ipp.move_job(canceled, "label"), Status::NotPossible);
    assert_eq!(ipp.move_job(pending, "nowhere"), Status::NotFound);
    assert_eq!((state_of(&ipp.job(pending)), state_of(&ipp.job(canceled))), {
        ("pending".to_owned(), "canceled".to_owned())
    });
}

/// Octets that are no IPP message.
fn malformed(names: Names) -> Vec<(&'static str, Vec<u8>)> {
    let good = encode(&names.printer(Operation::PrintJob, "label")).unwrap();
    let mut spoiled = good.clone();
    // The length of the first attribute's name.
    spoiled[10..12].copy_from_slice(&[0xff, 0xff]);
    let nested = [&good[..9], b"\x34\x00\x01a\x00\x00".repeat(100).as_slice()].concat();
    vec![
        ("nothing at all", Vec::new()),
        ("less than a header", good[..5].to_vec()),
        ("half an attribute", good[..good.len() / 2].to_vec()),
        ("no end of attributes", good[..good.len() - 1].to_vec()),
        ("a length beyond all", spoiled),
        ("collections in collections for ever", nested),
        ("noise", document(5, 5000)),
        ("a long header", [&good[..9], document(6, 2_000_000).as_slice()].concat()),
    ]
}

#[test]
fn ipp_malformed_messages_get_an_ipp_error() {
    let office = office("");
    for (what, octets) in malformed(Names(office.server.address())) {
        let mut http = Http::connect(office.server.address());
        http.head(&format!("Content-Length: {}\r\n", octets.len()));
        // Of a message that is refused the rest may not be taken.
        let _ = http.socket().write_all(&octets);
        if let Some(response) = http.response() {
            assert_eq!(response.status, 200, "{what}");
            let answer = decode(&response.body, Limits::RESPONSE).unwrap().message;
            assert!(!answer.status().is_success(), "{what}: {answer:?}");
            assert!(!text_of(answer.operation_attributes(), "status-message").is_empty(), "{what}");
        }
    }
    assert!(office.server.ipp().jobs("all").is_empty());
    office.goes_on();
}

#[test]
fn ipp_who_is_answered_while_sending_can_read_the_answer() {
    const MIB: usize = 1 << 20;
    let office = office("");
    let mut http = Http::connect(office.server.address());
    http.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n");
    http.write(format!("Content-Length: {}\r\n\r\n", 64 * MIB).as_bytes());
    for _ in 0..64 {
        http.write(&[0; MIB]);
    }
    assert_eq!(http.response().unwrap().status, 415);
    office.goes_on();
}

#[test]
fn ipp_what_is_no_ipp_request_gets_an_http_error_or_the_end() {
    let office = office("");
    let requests: [(&[u8], Option<u16>); 6] = [
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", Some(405)),
        (b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", Some(405)),
        (
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi",
            Some(415),
        ),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", Some(415)),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n", Some(400)),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", None),
    ];
    for (request, status) in requests {
        let mut http = Http::connect(office.server.address());
        http.write(request);
        http.finish();
        let answered = http.response().map(|response| response.status);
        let text = String::from_utf8_lossy(request);
        assert!(answered == status || (status.is_none() && answered != Some(200)), "{text}");
    }
    office.goes_on();
}

/// Begins a Print-Job of `announced` bytes, of which `sent` are sent.
fn half_sent(office: &Office, operation: Operation, announced: usize, sent: usize) -> Http {
    let names = Names(office.server.address());
    let request = encode(&names.printer(operation, "label")).unwrap();
    let mut http = Http::connect(office.server.address());
    http.head(&format!("Content-Length: {}\r\n", request.len() + announced));
    http.write(&request);
    http.write(&document(3, sent));
    http
}

/// Waits until the server has answered (or would have) a request with this status.
fn answered(office: &Office, after: usize, status: Status) {
    let status = format!("operation=Print-Job status={status}");
    office.server.log.wait_for(after, |line| line.contains(&status));
}

#[test]
fn ipp_a_truncated_document_is_aborted_and_its_space_freed() {
    let office = office("");
    for broken in [false, true] {
        let after = office.server.log.len();
        let mut http = half_sent(&office, Operation::PrintJob, 2_000_000, 1_000_000);
        if broken {
            http.reset();
        } else {
            http.finish();
            let refused = http.response();
            assert!(refused.is_none_or(|response| {
                let answer = decode(&response.body, Limits::RESPONSE);
                answer.is_ok_and(|answer| !answer.message.status().is_success())
            }));
        }
        answered(&office, after, Status::Timeout);
        assert_eq!(office.server.nameless_documents(), 0, "broken off: {broken}");
        assert_eq!(office.site.documents().len(), 0);
    }
    assert!(office.server.ipp().jobs("all").is_empty());
    office.goes_on();
}

#[test]
fn ipp_a_stalled_document_is_aborted_and_its_space_freed() {
    let office = office("idle_timeout = \"1s\"");
    let after = office.server.log.len();
    let mut http = half_sent(&office, Operation::PrintJob, 2_000_000, 1_000_000);
    let names = Names(office.server.address());
    let refused = answer(&mut http, &names.printer(Operation::PrintJob, "label"));
    assert_eq!(refused.status(), Status::Timeout);
    let why = text_of(refused.operation_attributes(), "status-message");
    assert!(why.contains("silent for 1 s"), "{why}");
    answered(&office, after, Status::Timeout);
    assert_eq!((office.server.nameless_documents(), office.site.documents().len()), (0, 0));
    assert!(http.response().is_none(), "half a request is the end of its connection");
    office.goes_on();
}

#[test]
fn ipp_a_truncated_send_document_ends_its_job_as_aborted() {
    let office = office("");
    let mut ipp = office.server.ipp();
    let created = ipp.do_it(&ipp.names().printer(Operation::CreateJob, "label"));
    let job = support::ipp::job_id(&created);
    let mut request = ipp.names().job(Operation::SendDocument, job);
    request.attributes_mut(GroupTag::Operation).put("last-document", true);
    let request = encode(&request).unwrap();
    let mut http = Http::connect(office.server.address());
    http.head(&format!("Content-Length: {}\r\n", request.len() + 500_000));
    http.write(&request);
    http.write(&document(3, 100_000));
    http.reset();
    let ended = office.server.job_when(job, |job| state_of(job) != "pending");
    assert_eq!(state_of(&ended), "aborted");
    assert!(text_of(&ended, "job-state-message").contains("broke the connection"), "{ended:?}");
    let reasons = |job: &Attributes| support::ipp::reasons_of(job, "job").join(" ");
    assert_eq!(reasons(&ended), "aborted-by-system");
    assert_eq!(ipp.job_operation(Operation::RestartJob, job), Status::NotPossible);
    office.goes_on();
}
