//! What a server that does wrong gets from the client's side of a connection: its end, in bounded memory, never a panic.

use std::time::Instant;

use bolero::check;

use super::*;
use crate::rpc::limits::{BIND_WAIT, FRAGMENT_WAIT};
use crate::rpc::pdu::{
    AckResult, BindAck, BindNak, Fault, Flags, Header, Kind, Pdu, Response, encode,
};
use crate::rpc::protection::protect;

const KEY: u64 = 7;

fn fresh(options: Options) -> (Connection, Instant) {
    let now = Instant::now();
    (Connection::new(options, 0, &ONE, KEY, now), now)
}

/// A `bind_ack` that takes NDR.
fn ack(flags: Flags) -> Vec<u8> {
    let ack = BindAck {
        max_transmit: 4280,
        max_receive: 4280,
        group: 9,
        secondary_address: "135".to_owned(),
        results: vec![
            AckResult::Accepted(SyntaxId::NDR),
            AckResult::NO_TRANSFER_SYNTAX,
            AckResult::Features(3),
        ],
    };
    encode(&Header::new(Kind::BindAck, flags, 1), |pdu| ack.encode(pdu), None)
}

fn response(call_id: u32, flags: Flags, stub: &[u8]) -> Vec<u8> {
    let mut pdu = Vec::new();
    Header::new(Kind::Response, flags, call_id).encode(&mut pdu);
    Response { alloc_hint: 0, context_id: 0, cancel_count: 0 }.encode(&mut pdu);
    let stub_at = pdu.len();
    pdu.extend(stub);
    protect(&mut pdu, stub_at, None).unwrap();
    pdu
}

/// A connection that is open, with one call, number 2, under the key 8.
fn open() -> (Connection, Instant) {
    let (mut connection, now) = fresh(Options::anonymous());
    connection.receive(&mut ack(Flags::WHOLE | Flags::MULTIPLEXING), now);
    let Some(Event::Bound(KEY, Ok(context))) = connection.event() else { panic!() };
    assert_eq!((context.syntax, connection.group()), (Syntax::Ndr, Some(9)));
    assert!(connection.is_multiplexing());
    connection.call(context, 0, b"abc".to_vec(), 8, now);
    (connection, now)
}

fn lost(connection: &mut Connection) -> String {
    match connection.failure() {
        Some(Failure::Lost(why) | Failure::Refused(why)) => why.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bind_that_is_not_answered_well() {
    let nak = |reason| {
        let header = Header::new(Kind::BindNak, Flags::WHOLE, 1);
        encode(&header, |pdu| BindNak::new(reason).encode(pdu), None)
    };
    for (mut answer, why) in [
        (nak(BindNak::CHECKSUM), "the server does not take this account and password"),
        (nak(BindNak::NOT_SPECIFIED), "the server refuses the association (reason 0)"),
        (
            response(1, Flags::WHOLE, b""),
            "the server broke the protocol: a response before anything was agreed on",
        ),
        (
            b"HTTP/1.1 400 Bad Request\r\n".to_vec(),
            "the server broke the protocol: what it sends is not DCE/RPC",
        ),
    ] {
        let (mut connection, now) = fresh(Options::anonymous());
        connection.receive(&mut answer, now);
        assert_eq!(lost(&mut connection), why);
        assert!(matches!(connection.event(), Some(Event::Bound(KEY, Err(_)))));
        assert!(connection.event().is_none() && connection.output().is_empty());
    }
    let (mut connection, now) = fresh(Options::anonymous());
    assert_eq!(connection.deadline(), Some(now + BIND_WAIT));
    connection.expire(now + BIND_WAIT);
    assert_eq!(lost(&mut connection), "the server takes too long to answer");
}

/// Who asks for protection does not go on without.
#[test]
fn a_server_that_proves_nothing() {
    let (mut connection, now) = fresh(signed());
    connection.receive(&mut ack(Flags::WHOLE), now);
    assert!(matches!(connection.failure(), Some(Failure::Refused(_))));
}

#[test]
fn responses_that_are_none() {
    let first = response(2, Flags::FIRST, b"x");
    for answer in [
        response(2, Flags::NONE, b"x"),
        [first.clone(), first.clone()].concat(),
        encode(&Header::new(Kind::Shutdown, Flags::WHOLE, 0), |_| (), None),
        encode(&Header::new(Kind::Request, Flags::WHOLE, 2), |pdu| pdu.extend([0; 8]), None),
        ack(Flags::WHOLE),
    ] {
        let (mut connection, now) = open();
        connection.receive(&mut answer.clone(), now);
        assert!(matches!(connection.event(), Some(Event::Answered(8, Err(Failure::Lost(_))))));
        assert!(connection.event().is_none());
    }
    let (mut connection, now) = open();
    connection.took(connection.output().len(), now);
    assert_eq!(connection.deadline(), None);
    connection.receive(&mut first.clone(), now);
    assert_eq!(connection.deadline(), Some(now + FRAGMENT_WAIT));
    connection.receive(&mut response(2, Flags::LAST, b"y"), now);
    let Some(Event::Answered(8, Ok(answer))) = connection.event() else { panic!() };
    assert_eq!(&answer.stub[..], b"xy");
    // Of calls that nobody knows.
    connection.receive(&mut response(2, Flags::WHOLE, b"y"), now);
    assert!(connection.failure().is_none() && connection.event().is_none());
}

#[test]
fn a_canceled_call_is_let_go_by() {
    let (mut connection, now) = open();
    connection.took(connection.output().len(), now);
    connection.cancel(8);
    let sent = Pdu::decode(connection.output()).unwrap();
    assert_eq!((sent.header.kind, sent.header.call_id), (Kind::CoCancel, 2));
    let header = Header::new(Kind::Fault, Flags::WHOLE, 2);
    let fault = Fault::new(0, Status::CANCELED.0);
    connection.receive(&mut encode(&header, |pdu| fault.encode(pdu), None), now);
    assert!(connection.failure().is_none() && connection.event().is_none());
}

/// `cargo bolero test rpc::client::tests::hostile::any_octets`
#[test]
fn any_octets() {
    check!().with_type::<(bool, Vec<Vec<u8>>)>().for_each(|(is_open, portions)| {
        let (mut connection, now) = if *is_open { open() } else { fresh(signed()) };
        for portion in portions {
            connection.receive(&mut portion.clone(), now);
            connection.expire(now);
        }
        let mut told = 0;
        while connection.event().is_some() {
            told += 1;
        }
        assert!(told <= 1);
    });
}

/// PDUs that are well-formed, in any order.
#[test]
fn any_pdus() {
    check!().with_type::<Vec<(u8, u8, u8, Vec<u8>)>>().for_each(|pdus| {
        let (mut connection, now) = open();
        for (kind, flags, call_id, body) in pdus {
            let kind = Kind::ALL[usize::from(*kind) % Kind::ALL.len()];
            let header = Header::new(kind, Flags(*flags), u32::from(*call_id % 5));
            let mut pdu = encode(&header, |pdu| pdu.extend(body), None);
            connection.receive(&mut pdu, now);
            connection.want(&TWO, 9, now);
        }
        while connection.event().is_some() {}
    });
}
