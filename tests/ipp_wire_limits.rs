//! No message takes more than the limits say: the decoder refuses it, before it has it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use despool::frontend::ipp::wire::{
    Attributes, DecodeError, Decoder, EncodeError, Fault, GroupTag, Limits, Message, Operation,
    Status, decode, encode, limits,
};

const HEADER: &[u8] = b"\x02\x00\x00\x02\x00\x00\x00\x07";

fn refused_within(limits: Limits, parts: &[&[u8]]) -> DecodeError {
    let octets = [HEADER, &parts.concat()].concat();
    decode(&octets, limits).unwrap_err()
}

#[test]
fn ipp_limits() {
    let tight = Limits {
        header_bytes: 64,
        groups: 2,
        attributes: 3,
        values: 4,
        depth: 2,
        name_bytes: 4,
        value_bytes: 6,
    };
    let too_much = |parts: &[&[u8]]| match refused_within(tight, parts) {
        error @ DecodeError { fault: Fault::TooMuch { of, limit }, .. } => {
            assert_eq!(error.status(), Status::RequestEntityTooLarge);
            (of, limit)
        }
        other => panic!("{other}"),
    };
    let flag: &[u8] = b"\x22\0\x01a\0\x01\x01";
    let more: &[u8] = b"\x22\0\0\0\x01\x01";
    let (open, member): (&[u8], &[u8]) = (b"\x34\0\x01c\0\0", b"\x4a\0\0\0\x01m");
    let inner: &[u8] = b"\x34\0\0\0\0";
    assert_eq!(too_much(&[b"\x01\x02\x02"]), ("attribute groups", 2));
    assert_eq!(too_much(&[b"\x02", flag, flag, flag, flag]), ("attributes", 3));
    assert_eq!(too_much(&[b"\x02", flag, more, more, more, more]), ("values", 4));
    assert_eq!(
        too_much(&[b"\x02", open, member, inner, member, inner]),
        ("collections within one another", 2)
    );
    let value: &[u8] = b"\x30\0\0\0\x06sixoct";
    assert_eq!(
        too_much(&[b"\x02", b"\x30\0\x01a\0\x06sixoct", value, value, value, value]),
        ("octets", 64)
    );

    let error = refused_within(tight, &[b"\x02", b"\x30\0\x01a\0\x07"]);
    assert_eq!(error.fault, Fault::ValueTooLong { length: 7, limit: 6 });
    assert_eq!((error.status(), error.offset), (Status::RequestValueTooLong, 13));
    let error = refused_within(tight, &[b"\x02", b"\x30\0\x05"]);
    assert_eq!(error.fault, Fault::NameTooLong { length: 5, limit: 4 });
}

/// A length that is beyond the limit is refused before what it counts is here.
#[test]
fn ipp_limits_hold_before_the_octets_come() {
    let mut decoder = Decoder::new(Limits { header_bytes: 1000, ..Limits::REQUEST });
    decoder.feed(HEADER).unwrap();
    let error = decoder.feed(b"\x02\x30\0\x01a\x7f\xff").unwrap_err();
    assert_eq!(error.fault, Fault::TooMuch { of: "octets", limit: 1000 });
    // … and it stays so.
    assert_eq!(decoder.feed(b"\x03").unwrap_err(), error);
    assert_eq!(decoder.truncated(), error);
}

/// Deeper than [`limits::DEPTH_MAX`] goes neither out nor in, whatever the limits say.
#[test]
fn ipp_depth_is_bounded_both_ways() {
    let nested = |depth: usize| {
        let mut inner = Attributes::new();
        for _ in 1..depth {
            let mut outer = Attributes::new();
            outer.put("m", inner);
            inner = outer;
        }
        let mut message = Message::request(Operation::PrintJob, 1);
        message.add_group(GroupTag::Job).put("c", inner);
        message
    };
    let without_limit = Limits { depth: usize::MAX, ..Limits::REQUEST };
    let deepest = nested(limits::DEPTH_MAX);
    let octets = encode(&deepest).unwrap();
    assert_eq!(decode(&octets, without_limit).unwrap().message, deepest);
    let error = decode(&octets, Limits::REQUEST).unwrap_err();
    assert_eq!(error.fault, Fault::TooMuch { of: "collections within one another", limit: 8 });
    assert_eq!(error.attribute.as_deref(), Some("c"));

    let deeper = nested(limits::DEPTH_MAX + 1);
    assert_eq!(encode(&deeper).unwrap_err(), EncodeError::Depth { attribute: "m".into() });
    let begin = b"\x4a\0\0\0\x01m\x34\0\0\0\0".repeat(limits::DEPTH_MAX);
    let error = refused_within(without_limit, &[b"\x02\x34\0\x01c\0\0", &begin]);
    assert_eq!(
        error.fault,
        Fault::TooMuch { of: "collections within one another", limit: limits::DEPTH_MAX }
    );
}

/// What is exactly as much as allowed is allowed.
#[test]
fn ipp_limits_are_inclusive() {
    let parts: [&[u8]; 6] = [
        HEADER,
        b"\x01\x34\0\x04name\0\0",
        b"\x4a\0\0\0\x04name\x30\0\0\0\x06sixoct",
        b"\x34\0\0\0\0\x37\0\0\0\0",
        b"\x37\0\0\0\0",
        b"\x02\x03",
    ];
    let octets = parts.concat();
    let limits = Limits {
        header_bytes: octets.len(),
        groups: 2,
        attributes: 2,
        values: 3,
        depth: 2,
        name_bytes: 4,
        value_bytes: 6,
    };
    assert_eq!(decode(&octets, limits).unwrap().consumed, octets.len());
    let tighter = [
        Limits { header_bytes: octets.len() - 1, ..limits },
        Limits { groups: 1, ..limits },
        Limits { attributes: 1, ..limits },
        Limits { values: 2, ..limits },
        Limits { depth: 1, ..limits },
        Limits { name_bytes: 3, ..limits },
        Limits { value_bytes: 5, ..limits },
    ];
    assert!(tighter.iter().all(|limits| decode(&octets, *limits).is_err()));
}

/// As the limits for responses promise.
#[test]
fn ipp_ten_thousand_jobs_fit() {
    let mut response = Message::response(&Message::request(Operation::GetJobs, 1), Status::Ok);
    for id in 0..10_000 {
        let job = response.add_group(GroupTag::Job);
        for attribute in 0..20 {
            job.put_all(&format!("job-attribute-of-some-length-{attribute}"), [id, attribute]);
        }
    }
    let octets = encode(&response).unwrap();
    assert!(decode(&octets, Limits::REQUEST).is_err());
    assert!(decode(&octets, Limits::RESPONSE).unwrap().message == response);
}
