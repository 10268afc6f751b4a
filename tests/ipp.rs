//! IPP over real HTTP: every operation that a client needs to print and to look after its jobs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use despool::frontend::ipp::wire::{
    Attribute, Attributes, GroupTag, Message, Operation, Status, Value, encode,
};
use support::ipp::{Ipp, bytes_of, id_of, job_id, printer_state_of, reasons_of, state_of, text_of};
use support::server::Server;
use support::sink::{self, Sink};
use support::site::{Setup, Site};
use support::{assert_same, document};

/// A server with printers `label` and `laser`, each a network printer.
struct Office {
    label: Sink,
    laser: Sink,
    server: Server,
    _site: Site,
}

fn office() -> Office {
    let (label, laser) = (Sink::start(), Sink::start());
    let setup = Setup::new()
        .printer("label", &label.uri(), "info = \"Labels\"; location = \"Dock 4\"")
        .printer("laser", &laser.uri(), "");
    let site = Site::with(&setup);
    Office { label, laser, server: site.start(), _site: site }
}

impl Office {
    /// Pauses a printer, so that its jobs wait.
    fn paused(&self, printer: &str) -> Ipp {
        let mut ipp = self.server.ipp();
        assert_eq!(ipp.printer_operation(Operation::PausePrinter, printer), Status::Ok);
        ipp
    }

    fn resume(&self, printer: &str) {
        let status = self.server.ipp().printer_operation(Operation::ResumePrinter, printer);
        assert_eq!(status, Status::Ok);
    }
}

fn names(attributes: &Attributes) -> Vec<&str> {
    attributes.iter().map(Attribute::name).collect()
}

#[test]
fn ipp_print_job_in_chunks_after_100_continue() {
    let office = office();
    let mut ipp = office.server.ipp();
    for (bytes, chunk) in [(0, 1000), (1, 1000), (70_000, 999), (3_000_000, 65_537)] {
        let sent = document(bytes as u64, bytes);
        let mut request = ipp.names().printer(Operation::PrintJob, "label");
        request
            .attributes_mut(GroupTag::Operation)
            .put_name("job-name", "a label")
            .put_mime_type("document-format", "application/vnd.zebra-zpl");
        let before = office.label.connections().len();
        let job = job_id(&ipp.send_chunked(&request, &sent, chunk));
        let done = office.server.job_is(job, "completed");
        let printed = sink::documents(office.label.ended(before + 1));
        assert_same(printed.last().unwrap(), &sent, "printed");
        assert_eq!(bytes_of(&done, "despool-total-bytes"), Some(bytes as u64));
        assert_eq!(bytes_of(&done, "despool-accepted-bytes"), Some(bytes as u64));
        let k_octets = i32::try_from(bytes.div_ceil(1024)).unwrap();
        assert_eq!(done.integer("job-k-octets").unwrap(), Some(k_octets));
        assert_eq!(done.integer("job-k-octets-processed").unwrap(), Some(k_octets));
        assert_eq!(text_of(&done, "job-name"), "a label");
        assert_eq!(text_of(&done, "job-originating-user-name"), support::ipp::USER);
        assert_eq!(
            done.mime_type("document-format-supplied").unwrap(),
            Some("application/vnd.zebra-zpl")
        );
        assert!(reasons_of(&done, "job").contains(&"job-completed-successfully"));
    }
}

#[test]
fn ipp_validate_job_makes_no_job() {
    let office = office();
    let mut ipp = office.server.ipp();
    let mut request = ipp.names().printer(Operation::ValidateJob, "label");
    request.attributes_mut(GroupTag::Job).put("copies", 2).put_keyword("sides", "one-sided");
    let answer = ipp.ask(&request);
    assert_eq!(answer.status(), Status::OkIgnoredOrSubstitutedAttributes);
    assert_eq!(names(answer.attributes(GroupTag::Unsupported)), ["sides"]);
    request.attributes_mut(GroupTag::Operation).put("ipp-attribute-fidelity", true);
    let answer = ipp.ask(&request);
    assert_eq!(answer.status(), Status::AttributesOrValuesNotSupported);
    assert_eq!(names(answer.attributes(GroupTag::Unsupported)), ["sides"]);
    assert!(ipp.jobs("all").is_empty());
}

/// Adds a document to a job.
fn send_document(ipp: &mut Ipp, job: i32, document: &[u8], last: bool) -> Message {
    let mut request = ipp.names().job(Operation::SendDocument, job);
    request.attributes_mut(GroupTag::Operation).put("last-document", last);
    ipp.send(&request, document)
}

#[test]
fn ipp_create_job_and_send_document() {
    let office = office();
    let mut ipp = office.server.ipp();
    let mut request = ipp.names().printer(Operation::CreateJob, "label");
    request.attributes_mut(GroupTag::Job).put("copies", 2);
    let created = ipp.do_it(&request);
    let job = job_id(&created);
    assert_eq!(state_of(created.attributes(GroupTag::Job)), "pending");
    assert!(reasons_of(&ipp.job(job), "job").contains(&"job-incoming"));
    let (one, two) = (document(1, 100_000), document(2, 50_000));
    assert_eq!(send_document(&mut ipp, job, &one, false).status(), Status::Ok);
    assert_eq!(state_of(&ipp.job(job)), "pending", "its last document has not come");
    assert_eq!(send_document(&mut ipp, job, &two, false).status(), Status::Ok);
    assert_eq!(send_document(&mut ipp, job, b"", true).status(), Status::Ok);
    office.server.job_is(job, "completed");
    let printed = sink::documents(office.label.ended(1));
    assert_same(&printed[0], &[one.clone(), two.clone(), one, two].concat(), "printed");
    let late = send_document(&mut ipp, job, b"more", true);
    assert_eq!(late.status(), Status::NotPossible);

    let job = job_id(&ipp.do_it(&ipp.names().printer(Operation::CreateJob, "label")));
    assert_eq!(send_document(&mut ipp, job, b"closed", false).status(), Status::Ok);
    assert_eq!(ipp.job_operation(Operation::CloseJob, job), Status::Ok);
    office.server.job_is(job, "completed");
    assert_eq!(sink::documents(office.label.ended(2))[1], b"closed");
}

#[test]
fn ipp_a_job_can_be_canceled_while_its_documents_come() {
    let office = office();
    let mut ipp = office.server.ipp();
    let job = job_id(&ipp.do_it(&ipp.names().printer(Operation::CreateJob, "label")));
    assert_eq!(send_document(&mut ipp, job, b"half", false).status(), Status::Ok);
    assert_eq!(ipp.job_operation(Operation::CancelJob, job), Status::Ok);
    let status = send_document(&mut ipp, job, b"more", true).status();
    assert!(matches!(status, Status::JobCanceled | Status::NotPossible), "{status}");
    assert_eq!(state_of(&ipp.job(job)), "canceled");
    assert_eq!(office.server.nameless_documents(), 0);
    let next = ipp.print("label", b"next");
    office.server.job_is(next, "completed");
    assert_eq!(sink::documents(office.label.ended(1)), [b"next"]);
}

#[test]
fn ipp_get_printer_attributes_in_the_eyes_of_a_foreign_codec() {
    let office = office();
    let mut ipp = office.server.ipp();
    let request = ipp.names().printer(Operation::GetPrinterAttributes, "label");
    let answer = ipp.do_it(&request);
    let octets = encode(&answer).unwrap();
    let foreign =
        ipp::parser::IppParser::new(ipp::reader::IppReader::new(std::io::Cursor::new(octets)));
    let foreign = foreign.parse().unwrap();
    let groups = foreign.attributes();
    let printer = groups.groups_of(ipp::model::DelimiterTag::PrinterAttributes).next().unwrap();
    let value = |name: &str| printer.get(name).unwrap().value().to_string();
    assert_eq!((value("printer-name"), value("printer-info")), ("label".into(), "Labels".into()));
    assert_eq!(value("printer-location"), "Dock 4");

    let ours = answer.attributes(GroupTag::Printer);
    let uri = ipp.names().printer_uri("label");
    assert_eq!(ours.uri("printer-uri-supported").unwrap(), Some(uri.as_str()));
    assert_eq!(ours.uri("device-uri").unwrap(), Some(office.label.uri().as_str()));
    assert_eq!(printer_state_of(ours), "idle");
    assert_eq!(reasons_of(ours, "printer"), ["none"]);
    assert_eq!(ours.boolean("printer-is-accepting-jobs").unwrap(), Some(true));
    assert_eq!(ours.integer("queued-job-count").unwrap(), Some(0));
    let operations = ours.find("operations-supported").unwrap().values();
    assert!(operations.contains(&Value::from(Operation::CupsMoveJob)), "{operations:?}");

    let mut few = request.clone();
    few.attributes_mut(GroupTag::Operation)
        .put_keywords("requested-attributes", ["printer-name", "copies-supported"]);
    let mut few: Vec<String> = names(ipp.do_it(&few).attributes(GroupTag::Printer))
        .into_iter()
        .map(str::to_owned)
        .collect();
    few.sort();
    assert_eq!(few, ["copies-supported", "printer-name"]);
}

#[test]
fn ipp_get_jobs_by_state_user_number_and_printer() {
    let office = office();
    let mut ipp = office.paused("label");
    let waiting: Vec<i32> = (0..3).map(|_| ipp.print("label", b"x")).collect();
    let elsewhere = ipp.print("laser", b"x");
    office.server.job_is(elsewhere, "completed");
    let mut others = ipp.names().printer(Operation::PrintJob, "label");
    others.attributes_mut(GroupTag::Operation).put_name("requesting-user-name", "somebody");
    let others = job_id(&ipp.send(&others, b"x"));
    let mut list = |printer: Option<&str>, ask: Asks| -> Vec<i32> {
        let mut request = match printer {
            Some(printer) => ipp.names().printer(Operation::GetJobs, printer),
            None => ipp.names().server(Operation::GetJobs),
        };
        ask(request.attributes_mut(GroupTag::Operation));
        ipp.do_it(&request).groups_of(GroupTag::Job).map(id_of).collect()
    };
    let all_waiting = [waiting.clone(), vec![others]].concat();
    let label = Some("label");
    assert_eq!(list(label, &|ask| ask), all_waiting, "in the order of printing");
    assert_eq!(list(None, &|ask| ask), all_waiting, "of all printers");
    assert_eq!(list(Some("laser"), &|ask| ask).len(), 0);
    assert_eq!(list(None, &|ask| ask.put_keyword("which-jobs", "completed")), [elsewhere]);
    assert_eq!(list(label, &|ask| ask.put("my-jobs", true)), waiting);
    assert_eq!(list(label, &|ask| ask.put("limit", 2)), waiting[..2]);
    assert_eq!(list(label, &|ask| ask.put("first-job-id", waiting[1])), all_waiting[1..]);
}

/// What is asked for.
type Asks<'a> = &'a dyn Fn(&mut Attributes) -> &mut Attributes;

#[test]
fn ipp_cancel_hold_release_and_restart_a_job() {
    let office = office();
    let mut ipp = office.paused("label");
    let (canceled, held, plain) = (
        ipp.print("label", b"canceled"),
        ipp.print("label", b"held"),
        ipp.print("label", b"plain"),
    );
    assert_eq!(ipp.job_operation(Operation::CancelJob, canceled), Status::Ok);
    assert_eq!(state_of(&ipp.job(canceled)), "canceled");
    assert!(reasons_of(&ipp.job(canceled), "job").contains(&"job-canceled-by-user"));
    assert_eq!(ipp.job_operation(Operation::HoldJob, held), Status::Ok);
    assert_eq!(state_of(&ipp.job(held)), "pending-held");
    assert_eq!(reasons_of(&ipp.job(held), "job"), ["job-hold-until-specified"]);
    assert_eq!(ipp.job(held).keyword("job-hold-until").unwrap(), Some("indefinite"));
    office.resume("label");
    office.server.job_is(plain, "completed");
    assert_eq!(sink::documents(office.label.ended(1)), [b"plain"]);
    assert_eq!(ipp.job_operation(Operation::ReleaseJob, held), Status::Ok);
    office.server.job_is(held, "completed");
    assert_eq!(ipp.job_operation(Operation::RestartJob, plain), Status::Ok);
    let again = office.server.job_is(plain, "completed");
    assert_eq!(again.integer("despool-attempts").unwrap(), Some(2));
    assert_eq!(ipp.job_operation(Operation::RestartJob, canceled), Status::Ok);
    office.server.job_is(canceled, "completed");
    let printed = sink::documents(office.label.ended(4));
    let expected: [&[u8]; 4] = [b"plain", b"held", b"plain", b"canceled"];
    assert_eq!(printed, expected);
}

#[test]
fn ipp_a_paused_printer_begins_nothing_and_ends_what_it_began() {
    let office = office();
    office.label.stall_at(1000);
    let mut ipp = office.server.ipp();
    let running = ipp.print("label", &document(1, 50_000));
    office.label.took(1000);
    let mut paused = office.paused("label");
    let waiting = paused.print("label", b"waiting");
    let printer = paused.printer("label");
    assert_eq!(printer_state_of(&printer), "processing");
    assert_eq!(reasons_of(&printer, "printer"), ["moving-to-paused"]);
    office.label.go_on();
    office.server.job_is(running, "completed");
    let stopped = |printer: &Attributes| printer_state_of(printer) == "stopped";
    let printer = office.server.printer_when("label", stopped);
    assert_eq!(reasons_of(&printer, "printer"), ["paused"]);
    assert_eq!(printer.integer("queued-job-count").unwrap(), Some(1));
    assert_eq!(state_of(&paused.job(waiting)), "pending");
    assert_eq!(reasons_of(&paused.job(waiting), "job"), ["printer-stopped"]);
    office.resume("label");
    office.server.job_is(waiting, "completed");
}

#[test]
fn ipp_cups_get_printers_and_default() {
    let office = office();
    let mut ipp = office.server.ipp();
    let answer = ipp.do_it(&ipp.names().server(Operation::CupsGetPrinters));
    let names: Vec<String> = answer
        .groups_of(GroupTag::Printer)
        .map(|printer| text_of(printer, "printer-name"))
        .collect();
    assert_eq!(names, ["label", "laser"], "in the order of the configuration");
    let answer = ipp.do_it(&ipp.names().server(Operation::CupsGetDefault));
    assert_eq!(text_of(answer.attributes(GroupTag::Printer), "printer-name"), "label");
    let request = ipp.names().server(Operation::PrintJob);
    let job = job_id(&ipp.send(&request, b"to the default printer"));
    office.server.job_is(job, "completed");
    assert_eq!(sink::documents(office.label.ended(1)), [b"to the default printer"]);
}

#[test]
fn ipp_cups_move_job_waiting_or_half_printed() {
    let office = office();
    let mut ipp = office.paused("label");
    let waiting = ipp.print("label", b"waiting");
    assert_eq!(ipp.move_job(waiting, "laser"), Status::Ok);
    office.server.job_is(waiting, "completed");
    assert_eq!(sink::documents(office.laser.ended(1)), [b"waiting"]);

    let sent = document(9, 400_000);
    office.label.stall_at(10_000);
    let running = ipp.print("label", &sent);
    office.resume("label");
    office.label.took(10_000);
    assert_eq!(ipp.move_job(running, "laser"), Status::Ok);
    office.label.go_on();
    let done = office.server.job_is(running, "completed");
    assert_eq!(
        done.uri("job-printer-uri").unwrap(),
        Some(ipp.names().printer_uri("laser").as_str())
    );
    assert_eq!(done.keyword("despool-recovery").unwrap(), Some("restarted"));
    let maybe = bytes_of(&done, "despool-maybe-on-paper-bytes").unwrap();
    let half = office.label.ended(1);
    assert_eq!(half[0].end, Some(sink::End::Broken), "half a job does not end as a whole one");
    let got = half[0].bytes.len() as u64;
    assert!(got <= maybe && maybe < sent.len() as u64, "{got} bytes on paper, {maybe} admitted");
    assert_same(&sink::documents(office.laser.ended(2))[1], &sent, "at the other printer");

    let mut all = office.paused("label");
    let jobs = [all.print("label", b"one"), all.print("label", b"two")];
    let mut request = all.names().printer(Operation::CupsMoveJob, "label");
    let to = all.names().printer_uri("laser");
    request.attributes_mut(GroupTag::Job).put_uri("job-printer-uri", &to);
    assert_eq!(all.ask(&request).status(), Status::Ok);
    for job in jobs {
        office.server.job_is(job, "completed");
    }
    let expected: [&[u8]; 2] = [b"one", b"two"];
    assert_eq!(sink::documents(office.laser.ended(4))[2..], expected);
}
