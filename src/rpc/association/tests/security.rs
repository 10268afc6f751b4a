//! Who is let in, and what protects the PDUs.

use super::client::*;
use super::*;
use crate::rpc::auth::{Credentials, Level, Step, WINNT};
use crate::rpc::pdu::{Body, Trailer};
use crate::rpc::protection::Mark;
use crate::rpc::uuid::SyntaxId;
use crate::rpc::verification::{Claim, append};

const PROTECTED: [Level; 3] = [Level::Packet, Level::Integrity, Level::Privacy];

#[test]
fn the_known_are_served_at_every_level_by_every_type() {
    let world = World::new();
    for auth_type in TYPES {
        for level in PROTECTED {
            let mut client = world.connect();
            client.bind_as(auth_type, level, "secret");
            for size in (0..40).chain([5000, 20_000]) {
                let stub = vec![3; size];
                assert_eq!(client.ask(op::ECHO, &stub), stub, "{auth_type} {level:?} {size}");
            }
            assert!(client.longest <= 5840);
        }
    }
}

#[test]
fn an_interface_for_the_known_refuses_others() {
    let world = World::new();
    let mut nobody = world.connect();
    nobody.bind(SAFE, 0);
    assert_eq!(nobody.call(1, op::ECHO, b""), fault(1, Status::ACCESS_DENIED));
    assert!(nobody.association.is_over());
    let mut careless = world.known(Level::Connect);
    assert_eq!(careless.call(1, op::ECHO, b""), fault(1, Status::ACCESS_DENIED));
    assert!(careless.association.is_over());
}

#[test]
fn a_wrong_password_shows_at_the_first_request() {
    let world = World::new();
    let mut client = world.connect();
    client.bind_as(WINNT, Level::Privacy, "wrong");
    assert_eq!(client.call(1, op::ECHO, b""), fault(1, Status::ACCESS_DENIED));
    assert!(client.association.is_over());
}

/// Every bit of a protected request: whichever is flipped, the call is not made.
#[test]
fn a_request_that_was_changed_is_refused() {
    let world = World::new();
    for level in [Level::Integrity, Level::Privacy] {
        let mut length = 1;
        let mut at = 0;
        while at < length {
            let mut client = world.known(level);
            let mut request = client.request(1, op::WORK, b"12345");
            length = request.len();
            request[at] ^= 1 << (at % 8);
            client.send(request);
            assert!(world.desk.parked.lock().unwrap().is_empty(), "{level:?} octet {at}");
            at += 1;
        }
    }
}

#[test]
fn a_signature_that_does_not_fit_is_the_end() {
    let world = World::new();
    for level in PROTECTED {
        let mut client = world.known(level);
        let mut request = client.request(1, op::ECHO, b"12345");
        *request.last_mut().unwrap() ^= 1;
        assert_eq!(client.send(request), fault(1, Status::SEC_PKG_ERROR));
        assert!(client.association.is_over());
        // A request again: its place in the sequence is taken.
        let mut client = world.known(level);
        let request = client.request(1, op::ECHO, b"12345");
        assert_eq!(client.send(request.clone()), [Heard::Response(1, b"12345".into())]);
        assert_eq!(client.send(request), fault(1, Status::SEC_PKG_ERROR));
        assert!(client.association.is_over());
    }
}

#[test]
fn a_request_must_be_protected_as_agreed() {
    let world = World::new();
    let mut client = world.known(Level::Privacy);
    client.by = None;
    assert_eq!(client.call(1, op::ECHO, b""), fault(1, Status::PROTOCOL_ERROR));
    assert!(client.association.is_over());
    // Another level, another context, another provider than was agreed on.
    let changes: [fn(&mut Mark); 3] = [
        |mark| mark.level = Level::Integrity,
        |mark| mark.context_id = 6,
        |mark| mark.auth_type = 9,
    ];
    for change in changes {
        let mut client = world.known(Level::Privacy);
        change(&mut client.by.as_mut().unwrap().1);
        assert_eq!(client.call(1, op::ECHO, b""), fault(1, Status::ACCESS_DENIED));
        assert!(client.association.is_over());
    }
}

#[test]
fn a_request_before_the_exchange_is_over_is_the_end() {
    let world = World::new();
    let mut client = world.connect();
    let trailer = Trailer::new(WINNT, 6, 5);
    let token = exchange_of(Level::Privacy);
    client.send(bind(Kind::Bind, BOTH, &proposing(0, SAFE, 0), Some(&(trailer, token))));
    assert_eq!(client.call(1, op::ECHO, b""), rejected(1, Status::PROTOCOL_ERROR));
    assert!(client.association.is_over());
}

fn exchange_of(level: Level) -> Vec<u8> {
    match Credentials::new("D", "alice", "secret").exchange(WINNT, level, None).step(&[]) {
        Step::More(token) => token,
        _ => panic!("a client begins"),
    }
}

#[test]
fn binds_with_trailers_that_we_do_not_have() {
    let world = World::new();
    for (auth_type, level, reason) in [
        (16, 6, BindNak::AUTH_TYPE),
        (WINNT, 1, BindNak::NOT_SPECIFIED),
        (WINNT, 7, BindNak::NOT_SPECIFIED),
        (WINNT, 3, BindNak::CHECKSUM),
    ] {
        let mut client = world.connect();
        let trailer = (Trailer::new(auth_type, level, 0), vec![1, 2, 3, 4]);
        let heard = client.send(bind(Kind::Bind, BOTH, &proposing(0, OPEN, 0), Some(&trailer)));
        assert_eq!(heard, [Heard::Nak(reason)], "{auth_type} {level}");
    }
    let mut client = world.connect();
    let trailer = (Trailer::new(WINNT, 6, 0), b"no NTLM".to_vec());
    let heard = client.send(bind(Kind::Bind, BOTH, &proposing(0, OPEN, 0), Some(&trailer)));
    assert_eq!(heard, [Heard::Nak(BindNak::CHECKSUM)]);
}

#[test]
fn what_a_client_says_again_under_its_signature_must_be_true() {
    let world = World::new();
    let mut client = world.known(Level::Privacy);
    let stub = |claims: &[Claim]| {
        let mut stub = vec![1, 2, 3];
        append(&mut stub, claims);
        stub
    };
    let true_one =
        stub(&[Claim::HeaderSigning(true), Claim::PresentationContext(SAFE, SyntaxId::NDR)]);
    // What is before the trailer is the call's, with the gap that aligns it.
    assert_eq!(client.ask(op::ECHO, &true_one), [1, 2, 3, 0]);
    let lie = stub(&[Claim::PresentationContext(OPEN, SyntaxId::NDR)]);
    assert_eq!(client.call(2, op::ECHO, &lie), fault(2, Status::ACCESS_DENIED));
    assert_eq!(client.ask(op::ECHO, b"still"), b"still");
}

#[test]
fn responses_are_sealed() {
    let world = World::new();
    let mut client = world.known(Level::Privacy);
    let mut request = client.request(1, op::ECHO, &[0x55; 64]);
    assert!(!request.windows(8).any(|part| part == [0x55; 8]));
    client.association.receive(&mut request, client.now);
    let answer = client.association.output().to_vec();
    let pdu = Pdu::decode(&answer).unwrap();
    assert!(matches!(pdu.body, Body::Response(_, stub) if stub.len() == 64));
    assert!(!answer.windows(8).any(|part| part == [0x55; 8]));
    let bytes = client.by.as_ref().map(|(session, _)| session.signature_bytes());
    assert_eq!(pdu.trailer.map(|trailer| trailer.token.len()), bytes);
}

/// A response that was to be sealed does not go out bare when its security context has ended meanwhile.
#[test]
fn what_cannot_be_protected_is_not_sent() {
    let world = World::new();
    let mut client = world.known(Level::Privacy);
    let mut request = client.request(1, op::MAKE, &200_000u32.to_le_bytes());
    client.association.receive(&mut request, client.now);
    let begun = client.association.output().len();
    assert!(begun < 100_000);
    let mut wrong = client.request(2, op::ECHO, b"x");
    *wrong.last_mut().unwrap() ^= 1;
    client.association.receive(&mut wrong, client.now);
    client.association.took(begun, client.now);
    let rest = client.association.output().to_vec();
    let pdu = Pdu::decode(&rest).unwrap();
    assert!(matches!(pdu.body, Body::Fault(_)), "{:?}", pdu.body);
    client.association.took(rest.len(), client.now);
    assert!(client.association.is_over());
    assert_eq!(world.desk.said(), ["Lost"]);
}

#[test]
fn an_identity_owns_its_handles() {
    let world = World::new();
    let mut mine = world.known(Level::Privacy);
    let handle = mine.handle();
    assert_eq!(mine.ask(op::USE, &handle), b"");
    // The same client process, without proof of who it is, by the open interface.
    let Stage::Open(agreed) = &mine.association.stage else { panic!("not open") };
    let group = agreed.group.id();
    let mut other = world.connect();
    other.bind(OPEN, group);
    assert_eq!(other.call(1, op::USE, &handle), fault(1, Status::ACCESS_DENIED));
}
