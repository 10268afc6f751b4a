//! Whole IPP messages, octet by octet, both ways: the examples of RFC 8010 Appendix A (first printed in RFC 2910 §13,
//! whose `us-ascii` and `en-us` these are).

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use despool::frontend::ipp::wire::{
    GroupTag, JobState, Limits, Message, Operation, Status, Value, decode, encode,
};

/// What every operation group here begins with.
const CHARSET_AND_LANGUAGE: &[u8] =
    b"\x47\0\x12attributes-charset\0\x08us-ascii\x48\0\x1battributes-natural-language\0\x05en-us";

/// The message is these octets, and these octets are the message; the document behind them is left alone.
#[track_caller]
fn both_ways(parts: &[&[u8]], message: &Message) {
    let octets = parts.concat();
    assert_eq!(encode(message).unwrap(), octets);
    let decoded = decode(&[&octets[..], b"%!PS..."].concat(), Limits::REQUEST).unwrap();
    assert_eq!(decoded.message, *message);
    assert_eq!(decoded.consumed, octets.len());
    assert_eq!(decoded.duplicates, []);
}

fn in_us_ascii(mut message: Message) -> Message {
    message
        .attributes_mut(GroupTag::Operation)
        .put_charset("attributes-charset", "us-ascii")
        .put_language("attributes-natural-language", "en-us");
    message
}

#[test]
fn ipp_print_job_request() {
    let mut message = in_us_ascii(Message::request(Operation::PrintJob, 1));
    message
        .attributes_mut(GroupTag::Operation)
        .put_uri("printer-uri", "ipp://forest/pinetree")
        .put_name("job-name", "foobar")
        .put("ipp-attribute-fidelity", true);
    message.add_group(GroupTag::Job).put("copies", 20).put_keyword("sides", "two-sided-long-edge");
    both_ways(
        &[
            b"\x01\x01\x00\x02\x00\x00\x00\x01",
            b"\x01",
            CHARSET_AND_LANGUAGE,
            b"\x45\0\x0bprinter-uri\0\x15ipp://forest/pinetree",
            b"\x42\0\x08job-name\0\x06foobar",
            b"\x22\0\x16ipp-attribute-fidelity\0\x01\x01",
            b"\x02",
            b"\x21\0\x06copies\0\x04\0\0\0\x14",
            b"\x44\0\x05sides\0\x13two-sided-long-edge",
            b"\x03",
        ],
        &message,
    );
}

#[test]
fn ipp_print_job_response() {
    let request = Message::request(Operation::PrintJob, 1);
    let mut message = in_us_ascii(Message::response(&request, Status::Ok));
    message.set_status_message("successful-ok");
    message
        .add_group(GroupTag::Job)
        .put("job-id", 147)
        .put_uri("job-uri", "ipp://forest/pinetree/123")
        .put("job-state", JobState::Pending);
    both_ways(
        &[
            b"\x01\x01\x00\x00\x00\x00\x00\x01",
            b"\x01",
            CHARSET_AND_LANGUAGE,
            b"\x41\0\x0estatus-message\0\x0dsuccessful-ok",
            b"\x02",
            b"\x21\0\x06job-id\0\x04\0\0\0\x93",
            b"\x45\0\x07job-uri\0\x19ipp://forest/pinetree/123",
            b"\x23\0\x09job-state\0\x04\0\0\0\x03",
            b"\x03",
        ],
        &message,
    );
}

#[test]
fn ipp_print_job_failure_with_unsupported_attributes() {
    let request = Message::request(Operation::PrintJob, 1);
    let status = Status::AttributesOrValuesNotSupported;
    let mut message = in_us_ascii(Message::response(&request, status));
    message.set_status_message(status.name().unwrap());
    message.add_group(GroupTag::Unsupported).put("copies", 20).put_unsupported("sides");
    both_ways(
        &[
            b"\x01\x01\x04\x0b\x00\x00\x00\x01",
            b"\x01",
            CHARSET_AND_LANGUAGE,
            b"\x41\0\x0estatus-message\0\x2fclient-error-attributes-or-values-not-supported",
            b"\x05",
            b"\x21\0\x06copies\0\x04\0\0\0\x14",
            b"\x10\0\x05sides\0\0",
            b"\x03",
        ],
        &message,
    );
}

#[test]
fn ipp_get_jobs_request() {
    let mut message = in_us_ascii(Message::request(Operation::GetJobs, 0x123));
    message
        .attributes_mut(GroupTag::Operation)
        .put_uri("printer-uri", "ipp://forest/pinetree")
        .put("limit", 50)
        .put_keywords("requested-attributes", ["job-id", "job-name", "document-format"]);
    both_ways(
        &[
            b"\x01\x01\x00\x0a\x00\x00\x01\x23",
            b"\x01",
            CHARSET_AND_LANGUAGE,
            b"\x45\0\x0bprinter-uri\0\x15ipp://forest/pinetree",
            b"\x21\0\x05limit\0\x04\0\0\0\x32",
            b"\x44\0\x14requested-attributes\0\x06job-id",
            b"\x44\0\0\0\x08job-name",
            b"\x44\0\0\0\x0fdocument-format",
            b"\x03",
        ],
        &message,
    );
}

/// Three jobs; of the second, nothing may be told but that it is there.
#[test]
fn ipp_get_jobs_response() {
    let request = Message::request(Operation::GetJobs, 0x123);
    let mut message = Message::response(&request, Status::Ok);
    message
        .attributes_mut(GroupTag::Operation)
        .put_charset("attributes-charset", "ISO-8859-1")
        .put_language("attributes-natural-language", "en-us");
    message.set_status_message("successful-ok");
    message
        .add_group(GroupTag::Job)
        .put("job-id", 147)
        .put("job-name", Value::name_in("fr-ca", "fou"));
    message.add_group(GroupTag::Job);
    message
        .add_group(GroupTag::Job)
        .put("job-id", 149)
        .put("job-name", Value::name_in("de-CH", "isch guet"));
    both_ways(
        &[
            b"\x01\x01\x00\x00\x00\x00\x01\x23",
            b"\x01",
            b"\x47\0\x12attributes-charset\0\x0aISO-8859-1",
            b"\x48\0\x1battributes-natural-language\0\x05en-us",
            b"\x41\0\x0estatus-message\0\x0dsuccessful-ok",
            b"\x02",
            b"\x21\0\x06job-id\0\x04\0\0\0\x93",
            b"\x36\0\x08job-name\0\x0c\0\x05fr-ca\0\x03fou",
            b"\x02",
            b"\x02",
            b"\x21\0\x06job-id\0\x04\0\0\0\x95",
            b"\x36\0\x08job-name\0\x12\0\x05de-CH\0\x09isch guet",
            b"\x03",
        ],
        &message,
    );
}

/// No group at all, and groups of standards to come: both are the server's to answer.
#[test]
fn ipp_bare_and_unknown_groups() {
    let bare = Message { groups: Vec::new(), ..Message::request(Operation::GetJobs, -1) };
    both_ways(&[b"\x01\x01\x00\x0a\xff\xff\xff\xff", b"\x03"], &bare);
    assert!(bare.operation_attributes().is_empty());

    let mut later = bare;
    for octet in [0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0F] {
        later.add_group(GroupTag::from_octet(octet).unwrap());
    }
    both_ways(
        &[b"\x01\x01\x00\x0a\xff\xff\xff\xff", b"\x04\x05\x06\x07\x08\x09\x0a\x0b\x0f", b"\x03"],
        &later,
    );
}
