//! What the decoder refuses: with which fault, at which octet, answered how, and with what it had read by then.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use despool::frontend::ipp::wire::{
    Attributes, DecodeError, Decoder, Duplicate, Fault, GroupTag, Header, Limits, Message,
    Operation, OutOfBand, Progress, Status, Value, decode, encode,
};

const HEADER: &[u8] = b"\x02\x00\x00\x02\x00\x00\x00\x07";

fn refused_within(limits: Limits, parts: &[&[u8]]) -> DecodeError {
    let octets = [HEADER, &parts.concat()].concat();
    decode(&octets, limits).unwrap_err()
}

/// The fault and its octet, counted from the header's end.
fn refused(parts: &[&[u8]]) -> (Fault, usize) {
    let error = refused_within(Limits::REQUEST, parts);
    let header = Header { version: (2, 0), code: 2, request_id: 7 };
    assert_eq!(error.header, Some(header));
    assert_eq!(error.status(), Status::BadRequest);
    (error.fault, error.offset - HEADER.len())
}

#[test]
fn ipp_delimiters() {
    assert_eq!(refused(&[b"\0"]), (Fault::DelimiterTag { tag: 0 }, 0));
    assert_eq!(refused(&[b"\x01\x02\0"]), (Fault::DelimiterTag { tag: 0 }, 2));
    assert_eq!(refused(&[b"\x01\x01"]), (Fault::LateOperationGroup, 1));
    assert_eq!(refused(&[b"\x02\x01"]), (Fault::LateOperationGroup, 1));
}

#[test]
fn ipp_attributes_out_of_place() {
    assert_eq!(refused(&[b"\x21\0\x01x\0\x04\0\0\0\x01"]), (Fault::NoGroup, 0));
    assert_eq!(refused(&[b"\x21\0\0\0\x04\0\0\0\x01"]), (Fault::NoGroup, 0));
    assert_eq!(refused(&[b"\x02", b"\x21\0\0\0\x04\0\0\0\x01"]), (Fault::NoFirstValue, 1));
    // A new group has no attribute to add to, whatever the one before had.
    let parts: [&[u8]; 3] = [b"\x02", b"\x13\0\x01x\0\0", b"\x02\x13\0\0\0\0"];
    assert_eq!(refused(&parts), (Fault::NoFirstValue, 8));
    assert_eq!(refused(&[b"\x02", b"\x13\0\x01\xff\0\0"]), (Fault::NameNotText, 1));
}

#[test]
fn ipp_collections_out_of_balance() {
    let begin: &[u8] = b"\x02\x34\0\x01c\0\0";
    let end: &[u8] = b"\x37\0\0\0\0";
    let member: &[u8] = b"\x4a\0\0\0\x01m";
    let value: &[u8] = b"\x22\0\0\0\x01\x01";
    assert_eq!(refused(&[begin, b"\x03"]), (Fault::UnclosedCollection, 7));
    assert_eq!(refused(&[begin, b"\x02"]), (Fault::UnclosedCollection, 7));
    assert_eq!(
        refused(&[begin, member, b"\x34\0\0\0\0", end, b"\x03"]).0,
        Fault::UnclosedCollection
    );
    assert_eq!(refused(&[b"\x02", end]), (Fault::EndWithoutBegin, 1));
    assert_eq!(refused(&[begin, end, end]), (Fault::EndWithoutBegin, 12));
    assert_eq!(refused(&[b"\x02", member]), (Fault::MemberOutsideCollection, 1));
    assert_eq!(refused(&[begin, value]), (Fault::ValueWithoutMember, 7));
    assert_eq!(refused(&[begin, b"\x34\0\0\0\0"]), (Fault::ValueWithoutMember, 7));
    assert_eq!(refused(&[begin, b"\x4a\0\0\0\0"]), (Fault::EmptyMemberName, 7));
    assert_eq!(refused(&[begin, b"\x4a\0\x01n\0\x01m"]), (Fault::NamedInCollection, 7));
    assert_eq!(refused(&[begin, member, b"\x22\0\x01n\0\x01\x01"]), (Fault::NamedInCollection, 13));
}

/// RFC 3382 §7.1: what stands in the fields that begin and end a collection may be ignored.
#[test]
fn ipp_collection_brackets_may_say_more() {
    let plain: &[u8] = b"\x02\x34\0\x01c\0\0\x37\0\0\0\0\x03";
    let named: &[u8] = b"\x02\x34\0\x01c\0\x01c\x37\0\x01c\0\x01c\x03";
    let [plain, named] =
        [plain, named].map(|octets| decode(&[HEADER, octets].concat(), Limits::REQUEST).unwrap());
    assert_eq!(plain.message, named.message);
}

/// npm's `ipp` tags values as member names; CUPS takes that, and so do we.
#[test]
fn ipp_members_without_values_have_no_value() {
    let member: &[u8] = b"\x4a\0\0\0\x01m";
    let parts = [HEADER, b"\x02\x34\0\x01c\0\0", member, b"\x4a\0\0\0\x01n\x37\0\0\0\0\x03"];
    let decoded = decode(&parts.concat(), Limits::REQUEST).unwrap();
    let mut members = Attributes::new();
    members.put("m", OutOfBand::NoValue).put("n", OutOfBand::NoValue);
    let job = decoded.message.attributes(GroupTag::Job);
    assert_eq!(job.collection("c"), Ok(Some(&members)));
    // They count as values.
    let limits = Limits { values: 2, ..Limits::REQUEST };
    let fault = decode(&parts.concat(), limits).unwrap_err().fault;
    assert_eq!(fault, Fault::TooMuch { of: "values", limit: 2 });
}

#[test]
fn ipp_lengths() {
    assert_eq!(refused(&[b"\x02\x44\x80\0"]), (Fault::NegativeLength { length: 0x8000 }, 2));
    assert_eq!(
        refused(&[b"\x02\x44\0\x01x\xff\xff"]),
        (Fault::NegativeLength { length: 0xFFFF }, 5)
    );
    let fault = Fault::NameTooLong { length: 256, limit: 255 };
    assert_eq!(refused(&[b"\x02\x44\x01\0"]), (fault.clone(), 2));
    let long = [&b"\x02\x34\0\x01c\0\0\x4a\0\0\x01\0"[..], &[b'm'; 256]].concat();
    assert_eq!(refused(&[&long]), (fault, 7));
}

#[test]
fn ipp_every_prefix_is_truncated() {
    let mut message = Message::request(Operation::PrintJob, 7);
    let mut members = Attributes::new();
    members.put_all("m", [1, 2]).put("t", Value::text_in("en", "text"));
    message.add_group(GroupTag::Job).put("c", members);
    let octets = encode(&message).unwrap();
    for length in 0..octets.len() {
        let error = decode(&octets[..length], Limits::REQUEST).unwrap_err();
        assert_eq!((error.fault, error.offset), (Fault::Truncated, length));
        assert_eq!(error.header, (length >= 8).then_some(message.header()));
    }
}

/// RFC 8011 §4.1.3 lets us choose: the first counts, the others are told of, with all their values.
#[test]
fn ipp_duplicates() {
    let parts: [&[u8]; 8] = [
        HEADER,
        b"\x02\x21\0\x01a\0\x04\0\0\0\x01",
        b"\x44\0\x01b\0\x01x",
        b"\x21\0\x01a\0\x04\0\0\0\x02\x21\0\0\0\x04\0\0\0\x03",
        b"\x34\0\x01c\0\0\x4a\0\0\0\x01m\x22\0\0\0\x01\x01\x4a\0\0\0\x01m\x22\0\0\0\x01\0\x37\0\0\0\0",
        b"\x04\x21\0\x01a\0\x04\0\0\0\x04",
        b"\x44\0\x01a\0\x01x",
        b"\x03",
    ];
    let decoded = decode(&parts.concat(), Limits::REQUEST).unwrap();
    let dropped = |group, name: &str| Duplicate { group, name: name.into() };
    let expected =
        [dropped(GroupTag::Job, "m"), dropped(GroupTag::Job, "a"), dropped(GroupTag::Printer, "a")];
    assert_eq!(decoded.duplicates, expected);
    let job = decoded.message.attributes(GroupTag::Job);
    assert_eq!((job.len(), job.integer("a")), (3, Ok(Some(1))));
    assert_eq!(job.collection("c").unwrap().unwrap().boolean("m"), Ok(Some(true)));
    assert_eq!(decoded.message.attributes(GroupTag::Printer).integer("a"), Ok(Some(4)));
    let kept: [&[u8]; 6] = [
        HEADER,
        b"\x02\x21\0\x01a\0\x04\0\0\0\x01",
        b"\x44\0\x01b\0\x01x",
        b"\x34\0\x01c\0\0\x4a\0\0\0\x01m\x22\0\0\0\x01\x01\x37\0\0\0\0",
        b"\x04\x21\0\x01a\0\x04\0\0\0\x04",
        b"\x03",
    ];
    assert_eq!(encode(&decoded.message), Ok(kept.concat()));
}

/// One decoder, one message after the other, each telling where its document begins.
#[test]
fn ipp_a_decoder_goes_on() {
    let first = encode(&Message::request(Operation::PrintJob, 1)).unwrap();
    let second = encode(&Message::request(Operation::SendDocument, 2)).unwrap();
    let mut decoder = Decoder::default();
    assert!(matches!(decoder.feed(&[]), Ok(Progress::NeedMore)));
    assert!(matches!(decoder.feed(&first[..10]), Ok(Progress::NeedMore)));
    assert_eq!(decoder.header().map(|header| header.request_id), Some(1));
    let piece = [&first[10..], b"\x03document"].concat();
    let Ok(Progress::Done(decoded)) = decoder.feed(&piece) else { panic!() };
    assert_eq!((decoded.consumed, decoded.message.request_id), (first.len() - 10, 1));
    assert_eq!(decoder.header(), None);
    let Ok(Progress::Done(decoded)) = decoder.feed(&second) else { panic!() };
    assert_eq!((decoded.consumed, decoded.message.request_id), (second.len(), 2));
}

#[test]
fn ipp_errors_say_what_and_where() {
    let error = refused_within(Limits::REQUEST, &[b"\x02\x21\0\x08copies\n!\0\x03\0\0\x01"]);
    assert_eq!(
        error.to_string(),
        "malformed IPP message, octet 9, in or after attribute \"copies\\n!\": \
         a value of syntax integer has 4 octets, not 3"
    );
    let response = Message::response(error.header.unwrap(), error.status());
    assert_eq!((response.version, response.request_id), ((2, 0), 7));
    assert_eq!(response.status(), Status::BadRequest);
}
