//! What a connection agrees on, and the order of PDUs.

use super::client::*;
use super::*;
use crate::rpc::auth::Level;
use crate::rpc::pdu::{AckResult, Bind, Proposal};
use crate::rpc::uuid::{SyntaxId, Uuid};

fn proposal(id: u16, interface: SyntaxId, transfers: &[SyntaxId]) -> Proposal {
    Proposal { id, interface, transfers: transfers.to_vec() }
}

fn results(client: &mut Client, kind: Kind, contexts: Vec<Proposal>) -> Vec<AckResult> {
    let binding = Bind { max_transmit: 5840, max_receive: 5840, group: 0, contexts };
    match client.send(bind(kind, BOTH, &binding, None)).as_slice() {
        [Heard::Ack(_, ack)] => ack.results.clone(),
        heard => panic!("{heard:?}"),
    }
}

#[test]
fn contexts_are_accepted_one_at_a_time() {
    let world = World::new();
    let mut client = world.connect();
    let nobody = SyntaxId::new(Uuid::from_u128(99), 1, 0);
    let got = results(
        &mut client,
        Kind::Bind,
        vec![
            proposal(0, nobody, &[SyntaxId::NDR]),
            proposal(1, OPEN, &[SyntaxId::NONE]),
            proposal(2, OPEN, &[SyntaxId::NDR]),
            proposal(3, OPEN, &[SyntaxId::NDR64]),
            proposal(4, OPEN, &[SyntaxId::asking_for(0xFF)]),
        ],
    );
    assert_eq!(
        got,
        [
            AckResult::UNKNOWN_INTERFACE,
            AckResult::NO_TRANSFER_SYNTAX,
            AckResult::NO_TRANSFER_SYNTAX,
            AckResult::Accepted(SyntaxId::NDR64),
            AckResult::Features(3),
        ]
    );
    let again = results(&mut client, Kind::AlterContext, vec![proposal(2, OPEN, &[SyntaxId::NDR])]);
    assert_eq!(again, [ACCEPTED]);
    // The management interface is there without being asked for.
    let mgmt = proposal(5, crate::rpc::mgmt::ID, &[SyntaxId::NDR]);
    assert_eq!(results(&mut client, Kind::AlterContext, vec![mgmt]), [ACCEPTED]);
}

#[test]
fn an_older_client_of_a_newer_interface_is_served() {
    let world = World::new();
    let minor = |minor| SyntaxId { minor, ..OPEN };
    let got = |minor_asked| {
        let contexts = vec![proposal(0, minor(minor_asked), &[SyntaxId::NDR])];
        results(&mut world.connect(), Kind::Bind, contexts)
    };
    assert_eq!(got(0), [ACCEPTED]);
    assert_eq!(got(1), [AckResult::UNKNOWN_INTERFACE]);
}

#[test]
fn a_context_keeps_its_meaning() {
    let world = World::new();
    for (interface, transfer) in [(SAFE, SyntaxId::NDR), (OPEN, SyntaxId::NDR64)] {
        let mut client = world.bound();
        let contexts = vec![proposal(0, interface, &[transfer])];
        let binding = Bind { max_transmit: 5840, max_receive: 5840, group: 0, contexts };
        let heard = client.send(bind(Kind::AlterContext, BOTH, &binding, None));
        assert_eq!(heard, rejected(1, Status::PROTOCOL_ERROR));
        assert!(client.association.is_over());
    }
}

#[test]
fn fragments_are_as_long_as_both_can() {
    let world = World::new();
    for (transmit, receive, agreed) in [
        (5840, 5840, 5840),
        (0xFFFF, 0xFFFF, 5840),
        (4280, 5840, 4280),
        (5840, 4285, 4280),
        (16, 16, 2048),
    ] {
        let mut client = world.connect();
        let binding =
            Bind { max_transmit: transmit, max_receive: receive, ..proposing(0, OPEN, 0) };
        let heard = client.send(bind(Kind::Bind, BOTH, &binding, None));
        let [Heard::Ack(_, ack)] = heard.as_slice() else { panic!("{heard:?}") };
        assert_eq!((ack.max_transmit, ack.max_receive), (agreed, agreed));
        assert_eq!(ack.secondary_address, "49152");
        client.longest = 0;
        client.ask(op::ECHO, &[1; 50_000]);
        assert!(client.longest <= usize::from(agreed) && client.longest > usize::from(agreed) - 32);
    }
}

#[test]
fn binds_that_are_refused() {
    let world = World::new();
    let nak = |octets: Vec<u8>| {
        let mut client = world.connect();
        match client.send(octets).as_slice() {
            [Heard::Nak(reason)] => {
                assert!(client.association.is_over());
                *reason
            }
            heard => panic!("{heard:?}"),
        }
    };
    let good = proposing(0, OPEN, 0);
    let empty = Bind { contexts: vec![], ..good.clone() };
    let mute = Bind { contexts: vec![proposal(0, OPEN, &[])], ..good.clone() };
    let features = vec![proposal(0, OPEN, &[SyntaxId::asking_for(1)]); 2];
    let twice = Bind { contexts: features, ..good.clone() };
    let stranger = Bind { group: 0x1234_5678, ..good.clone() };
    for binding in [empty, mute, twice, stranger] {
        assert_eq!(nak(bind(Kind::Bind, BOTH, &binding, None)), BindNak::NOT_SPECIFIED);
    }
    let whole = bind(Kind::Bind, BOTH, &good, None);
    let mut newer = whole.clone();
    newer[1] = 7;
    assert_eq!(nak(newer), BindNak::PROTOCOL_VERSION);
    assert_eq!(nak(sized(whole[..30].to_vec())), BindNak::PROTOCOL_VERSION);

    let mut client = world.bound();
    assert_eq!(client.send(whole), [Heard::Nak(BindNak::NOT_SPECIFIED)]);
    assert!(client.association.is_over());
}

#[test]
fn a_group_is_of_one_address() {
    let world = World::new();
    let mut mine = world.connect();
    let group = mine.bind(OPEN, 0).group;
    let mut thief = world.connect_from([10, 0, 0, 2].into());
    let heard = thief.send(bind(Kind::Bind, BOTH, &proposing(0, OPEN, group), None));
    assert_eq!(heard, [Heard::Nak(BindNak::NOT_SPECIFIED)]);
}

#[test]
fn what_comes_at_the_wrong_time_is_the_end() {
    let world = World::new();
    let before = [Kind::CoCancel, Kind::Orphaned, Kind::Shutdown, Kind::Fault, Kind::Auth3];
    for kind in before {
        let mut client = world.connect();
        let octets = if kind == Kind::Fault {
            sized([bare(kind, 1), vec![0; 16]].concat())
        } else {
            bare(kind, 1)
        };
        assert_eq!(client.send(octets), rejected(1, Status::PROTOCOL_ERROR), "{kind:?}");
        assert!(client.association.is_over());
    }
    let mut client = world.connect();
    let early = client.request(1, op::ECHO, b"");
    assert_eq!(client.send(early), rejected(1, Status::PROTOCOL_ERROR));
    let mut client = world.bound();
    assert_eq!(client.send(bare(Kind::Shutdown, 4)), rejected(4, Status::PROTOCOL_ERROR));
    // What is no DCE/RPC at all is not answered.
    let mut client = world.connect();
    assert_eq!(client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()), []);
    assert!(client.association.is_over());
}

#[test]
fn fragments_that_do_not_fit_each_other() {
    let world = World::new();
    let rows: [(&[(u8, u32)], bool); 4] = [
        // Another call begins within one.
        (&[(1, 1), (1, 2)], true),
        // A middle or an end without a beginning.
        (&[(0, 1)], true),
        (&[(2, 1)], true),
        // A beginning twice.
        (&[(1, 1), (1, 1)], true),
    ];
    for (fragments, closes) in rows {
        let mut client = world.known(Level::Integrity);
        let mut heard = Vec::new();
        for (flags, call_id) in fragments {
            let octets = client.fragment(Flags(*flags), *call_id, op::ECHO, b"12345678");
            heard = client.send(octets);
        }
        let (_, last) = fragments.last().unwrap();
        assert_eq!(heard, fault(*last, Status::PROTOCOL_ERROR), "{fragments:?}");
        assert_eq!(client.association.is_over(), closes);
    }
    // A cancel or an orphan of a call that is not whole changes nothing.
    let mut client = world.bound();
    let first = client.fragment(Flags::FIRST, 1, op::ECHO, b"12345678");
    let last = client.fragment(Flags::LAST, 1, op::ECHO, b"90");
    assert_eq!(client.send(first), []);
    assert_eq!(client.send(bare(Kind::CoCancel, 1)), []);
    assert_eq!(client.send(last), [Heard::Response(1, b"1234567890".into())]);
}

#[test]
fn alter_context_needs_a_proposal() {
    let world = World::new();
    let mut client = world.bound();
    let empty = Bind { contexts: vec![], ..proposing(0, OPEN, 0) };
    let heard = client.send(bind(Kind::AlterContext, BOTH, &empty, None));
    assert_eq!(heard, rejected(1, Status::PROTOCOL_ERROR));
}
