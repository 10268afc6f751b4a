//! Calls: parked, out of order, canceled, orphaned; handles and what becomes of them.

use super::client::*;
use super::*;
use crate::rpc::auth::Level;

#[test]
fn a_call_is_answered() {
    let world = World::new();
    let mut client = world.bound();
    for size in [0, 1, 8, 5000, 5817, 100_000] {
        let stub = vec![size as u8; size];
        assert_eq!(client.ask(op::ECHO, &stub), stub);
        assert!(client.longest <= 5840);
    }
    assert!(client.association.is_idle() && !client.association.is_over());
}

/// Fifty calls wait at once on one connection; they are answered in another order than they came, and the client finds
/// every signature in the order of the wire.
#[test]
fn parked_calls_end_in_any_order_under_every_protection() {
    for level in [Level::Packet, Level::Integrity, Level::Privacy] {
        let world = World::new();
        let mut client = world.known(level);
        for name in 0..50 {
            assert_eq!(client.call(u32::from(name) + 1, op::PARK, &[name]), []);
        }
        let mut order: Vec<u8> = (0..50u16).map(|n| (n * 37 % 50) as u8).collect();
        // Some one by one, calls of other kinds between them, the rest all at once.
        let rest = order.split_off(20);
        for name in order {
            world.desk.answer(name);
            let expected = Heard::Response(u32::from(name) + 1, vec![name; 3]);
            assert_eq!(client.hear(), [expected]);
            assert_eq!(
                client.call(1000, op::ECHO, b"between"),
                [Heard::Response(1000, b"between".into())]
            );
        }
        rest.iter().for_each(|name| world.desk.answer(*name));
        let expected: Vec<Heard> =
            rest.iter().map(|name| Heard::Response(u32::from(*name) + 1, vec![*name; 3])).collect();
        assert_eq!(client.hear(), expected);
        assert!(client.association.is_idle());
    }
}

#[test]
fn answers_come_from_any_thread() {
    let world = World::new();
    let mut client = world.bound();
    for name in 0..100 {
        client.call(u32::from(name) + 1, op::PARK, &[name]);
    }
    std::thread::scope(|scope| {
        for part in 0..4 {
            let desk = &world.desk;
            scope.spawn(move || (0..100).filter(|n| n % 4 == part).for_each(|n| desk.answer(n)));
        }
    });
    let mut calls: Vec<u32> = client
        .hear()
        .iter()
        .map(|heard| match heard {
            Heard::Response(call_id, _) => *call_id,
            other => panic!("{other:?}"),
        })
        .collect();
    calls.sort_unstable();
    assert_eq!(calls, (1..=100).collect::<Vec<_>>());
}

#[test]
fn a_parked_call_is_canceled_or_orphaned() {
    let world = World::new();
    let mut client = world.bound();
    for name in 1..=3 {
        client.call(u32::from(name), op::PARK, &[name]);
    }
    assert_eq!(client.send(bare(Kind::CoCancel, 1)), fault(1, Status::CANCELED));
    assert_eq!(client.send(bare(Kind::Orphaned, 2)), []);
    assert_eq!(world.desk.said(), ["1 Canceled", "2 Orphaned"]);
    // Too late, or never there.
    for kind in [Kind::CoCancel, Kind::Orphaned] {
        for call_id in [1, 2, 9] {
            assert_eq!(client.send(bare(kind, call_id)), []);
        }
    }
    (1..=3).for_each(|name| world.desk.answer(name));
    assert_eq!(client.hear(), [Heard::Response(3, vec![3; 3])]);
    assert_eq!(world.desk.said(), [""; 0]);
    // The number may be used again.
    assert_eq!(client.call(1, op::ECHO, b"x"), [Heard::Response(1, b"x".into())]);
}

#[test]
fn a_call_at_work_is_answered_in_spite_of_its_cancel_but_not_when_orphaned() {
    let world = World::new();
    let mut client = world.bound();
    client.call(1, op::WORK, &[1]);
    client.call(2, op::WORK, &[2]);
    assert_eq!(client.send(bare(Kind::CoCancel, 1)), []);
    assert_eq!(client.send(bare(Kind::Orphaned, 2)), []);
    world.desk.answer(1);
    world.desk.answer(2);
    assert_eq!(client.hear(), [Heard::Response(1, vec![1; 3])]);
    assert!(client.association.is_idle());
}

#[test]
fn a_cancel_is_signed_where_requests_are() {
    let world = World::new();
    let mut client = world.known(Level::Privacy);
    client.call(1, op::PARK, &[1]);
    client.call(2, op::PARK, &[2]);
    let mut cancel = bare(Kind::CoCancel, 1);
    let (session, mark) = client.by.as_mut().unwrap();
    protection::protect(&mut cancel, 16, Some((&mut **session, mark))).unwrap();
    assert_eq!(client.send(cancel.clone()), fault(1, Status::CANCELED));
    world.desk.answer(2);
    assert_eq!(client.hear(), [Heard::Response(2, vec![2; 3])]);
    // Again: its number in the sequence is over.
    assert_eq!(client.send(cancel), fault(1, Status::SEC_PKG_ERROR));
    assert!(client.association.is_over());
}

#[test]
fn with_the_connection_first_the_calls_go_then_the_handles() {
    let world = World::new();
    let mut client = world.bound();
    client.handle();
    client.call(1, op::PARK, &[1]);
    client.call(2, op::WORK, &[2]);
    drop(client);
    assert_eq!(world.desk.said(), ["1 Disconnected", "run down"]);
    // A handler that was at work answers to nobody.
    world.desk.answer(2);
}

#[test]
fn a_group_outlives_its_first_connection() {
    let world = World::new();
    let mut first = world.connect();
    let group = first.bind(OPEN, 0).group;
    assert_ne!(group, 0);
    let mut second = world.connect();
    assert_eq!(second.bind(OPEN, group).group, group);
    let handle = first.handle();
    assert_eq!(second.ask(op::USE, &handle), b"");
    drop(first);
    assert_eq!(world.desk.said(), [""; 0]);
    assert_eq!(second.ask(op::USE, &handle), b"");
    drop(second);
    assert_eq!(world.desk.said(), ["run down"]);
    let mut late = world.connect();
    let heard = late.send(bind(Kind::Bind, BOTH, &proposing(0, OPEN, group), None));
    assert_eq!(heard, [Heard::Nak(BindNak::NOT_SPECIFIED)]);
    assert!(late.association.is_over());
}

#[test]
fn a_handle_is_good_in_its_group_only() {
    let world = World::new();
    let (mut mine, mut other) = (world.bound(), world.bound());
    let handle = mine.handle();
    assert_eq!(other.call(1, op::USE, &handle), fault(1, Status::CONTEXT_MISMATCH));
    assert_eq!(mine.call(1, op::USE, &[0; 20]), fault(1, Status::CONTEXT_MISMATCH));
    assert_eq!(mine.call(1, op::USE, &handle[..19]), fault(1, Status::BAD_STUB_DATA));
    assert_eq!(mine.ask(op::USE, &handle), b"");
}

#[test]
fn a_number_that_is_outstanding_cannot_be_used_again() {
    let world = World::new();
    let mut client = world.bound();
    client.call(1, op::PARK, &[1]);
    assert_eq!(client.call(1, op::ECHO, b""), fault(1, Status::PROTOCOL_ERROR));
    assert!(client.association.is_over());
    assert_eq!(world.desk.said(), ["1 Disconnected"]);
}

#[test]
fn what_becomes_of_a_response_is_told_when_the_kernel_has_it() {
    let world = World::new();
    let mut client = world.bound();
    let mut request = client.request(1, op::MAKE, &10_000u32.to_le_bytes());
    client.association.receive(&mut request, client.now);
    let count = client.association.output().len();
    assert!(count > 10_000);
    client.association.took(count - 1, client.now);
    assert_eq!(world.desk.said(), [""; 0]);
    assert_eq!(client.association.output().len(), 1);
    client.association.took(1, client.now);
    assert_eq!(world.desk.said(), ["Written"]);

    let mut request = client.request(1, op::MAKE, &10_000u32.to_le_bytes());
    client.association.receive(&mut request, client.now);
    let count = client.association.output().len();
    client.association.took(count - 1, client.now);
    drop(client);
    assert_eq!(world.desk.said(), ["Lost"]);
}

#[test]
fn faults_that_let_the_connection_be() {
    let world = World::new();
    let mut client = world.bound();
    assert_eq!(client.call(1, 77, b""), rejected(1, Status::OP_RANGE_ERROR));
    let mut unknown = client.request(2, op::ECHO, b"");
    unknown[20] = 9;
    assert_eq!(client.send(unknown), rejected(2, Status::UNKNOWN_INTERFACE));
    client.call(3, op::WORK, &[3]);
    // A handler that forgets its call.
    drop(world.desk.unpark(3).unwrap());
    assert_eq!(client.hear(), fault(3, Status::UNSPECIFIED));
    assert_eq!(client.ask(op::ECHO, b"still"), b"still");
}
