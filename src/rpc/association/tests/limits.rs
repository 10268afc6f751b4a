//! Every bound of an association: octets, calls, time.

use std::time::Duration;

use super::client::*;
use super::*;
use crate::rpc::auth::Level;
use crate::rpc::limits::{
    BIND_WAIT, CALLS_PER_CONNECTION, FRAGMENT_WAIT, HANDLES_PER_GROUP, IDLE_WAIT, REQUEST_BYTES,
    REQUEST_WAIT, SECURITY_CONTEXTS, WRITE_WAIT,
};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_request_has_the_length_of_its_interface_and_caller() {
    let world = World::new();
    let mut known = world.known(Level::Integrity);
    let stub = vec![9; SAFE_BYTES];
    assert!(matches!(known.call(1, op::WORK, &stub).as_slice(), []));
    world.desk.answer(9);
    assert_eq!(known.hear(), [Heard::Response(1, vec![9; 3])]);
    let heard = known.call(2, op::WORK, &[stub, vec![9]].concat());
    assert_eq!(heard, fault(2, Status::ACCESS_DENIED));
    assert!(known.association.is_over());

    let mut open = world.bound();
    assert_eq!(open.call(1, op::WORK, &vec![8; REQUEST_BYTES]), []);
    world.desk.answer(8);
    assert_eq!(open.hear(), [Heard::Response(1, vec![8; 3])]);
    let heard = open.call(2, op::WORK, &vec![8; REQUEST_BYTES + 1]);
    assert_eq!(heard, fault(2, Status::ACCESS_DENIED));
    assert!(open.association.is_over());

    // Who is not known gets no more by an interface that allows more.
    let mut nobody = world.connect();
    nobody.bind(SAFE, 0);
    let heard = nobody.call(1, op::WORK, &vec![8; REQUEST_BYTES + 1]);
    assert_eq!(heard, fault(1, Status::ACCESS_DENIED));
}

#[test]
fn a_request_that_says_it_will_be_too_long_is_refused_at_once() {
    let world = World::new();
    let mut client = world.bound();
    let mut first = client.fragment(Flags::FIRST, 1, op::ECHO, b"12345678");
    first[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(client.send(first), fault(1, Status::ACCESS_DENIED));
    // Of a single fragment the hint may say anything.
    let mut client = world.bound();
    let mut whole = client.request(1, op::ECHO, b"12345678");
    whole[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(client.send(whole), [Heard::Response(1, b"12345678".into())]);
}

#[test]
fn requests_that_are_put_together_share_a_budget() {
    let world = World::with_budget(10_000);
    let (mut one, mut two) = (world.bound(), world.bound());
    let part = vec![1; 5000];
    let first = |client: &mut Client| {
        let octets = client.fragment(Flags::FIRST, 1, op::ECHO, &part);
        client.send(octets)
    };
    assert_eq!(first(&mut one), []);
    assert_eq!(first(&mut two), []);
    let mut three = world.bound();
    assert_eq!(first(&mut three), fault(1, Status::SERVER_TOO_BUSY));
    assert!(three.association.is_over());
    drop(one);
    let mut four = world.bound();
    assert_eq!(first(&mut four), []);
}

#[test]
fn fragments_have_a_longest() {
    let world = World::new();
    let mut client = world.bound();
    let longest = client.fragment(Flags::WHOLE, 1, op::ECHO, &vec![1; 5840 - 24]);
    assert_eq!(longest.len(), 5840);
    assert!(matches!(client.send(longest).as_slice(), [Heard::Response(..)]));
    let longer = client.fragment(Flags::WHOLE, 1, op::ECHO, &vec![1; 5840 - 23]);
    assert_eq!(client.send(longer), fault(1, Status::PROTOCOL_ERROR));
    assert!(client.association.is_over());
}

#[test]
fn so_many_calls_may_be_outstanding() {
    let world = World::new();
    let mut client = world.bound();
    let most = u32::try_from(CALLS_PER_CONNECTION).unwrap();
    for call_id in 1..=most {
        assert_eq!(client.call(call_id, op::PARK, &[0]), []);
    }
    assert_eq!(client.call(most + 1, op::ECHO, b""), rejected(most + 1, Status::SERVER_TOO_BUSY));
    world.desk.answer(0);
    assert_eq!(client.hear(), [Heard::Response(most, vec![0; 3])]);
    assert_eq!(client.call(most + 1, op::ECHO, b""), [Heard::Response(most + 1, vec![])]);
}

#[test]
fn so_many_handles_may_a_client_have() {
    let world = World::new();
    let mut client = world.bound();
    (0..HANDLES_PER_GROUP).for_each(|_| drop(client.handle()));
    assert_eq!(client.call(1, op::OPEN, b""), fault(1, Status::SERVER_TOO_BUSY));
    drop(client);
    assert_eq!(world.desk.said().len(), HANDLES_PER_GROUP);
}

#[test]
fn who_does_not_read_is_not_read_from() {
    let world = World::new();
    let mut client = world.bound();
    let size = u32::try_from(QUEUED_BYTES).unwrap();
    let mut request = client.request(1, op::MAKE, &size.to_le_bytes());
    client.association.receive(&mut request, client.now);
    assert!(!client.association.wants_input());
    // Answers to calls that were parked still come, up to a point.
    let mut call_id = 1;
    while !client.association.is_over() {
        assert!(call_id < 100, "never over");
        call_id += 1;
        let mut request = client.request(call_id, op::MAKE, &size.to_le_bytes());
        client.association.receive(&mut request, client.now);
    }
    assert!(call_id > 60);
    let said = world.desk.said();
    assert!(said.len() >= 60 && said.iter().all(|word| word == "Lost"));
    assert!(client.association.output().is_empty());
}

/// What each state of a connection waits for, how long at most, and what ends then.
#[test]
fn waits_are_over_some_time() {
    let world = World::new();
    let mut fresh = world.connect();
    assert_eq!(fresh.association.deadline(), Some(fresh.now + BIND_WAIT));
    fresh.later(BIND_WAIT - SECOND);
    assert!(!fresh.association.is_over());
    fresh.later(SECOND);
    assert!(fresh.association.is_over());

    let mut idle = world.bound();
    assert_eq!(idle.association.deadline(), Some(idle.now + IDLE_WAIT));
    idle.later(IDLE_WAIT);
    assert!(idle.association.is_over());

    let mut within = world.bound();
    let request = within.request(1, op::ECHO, b"1234");
    within.send(request[..20].to_vec());
    assert_eq!(within.association.deadline(), Some(within.now + FRAGMENT_WAIT));
    within.later(FRAGMENT_WAIT);
    assert!(within.association.is_over());

    // Drop by drop, but never an end.
    let mut slow = world.bound();
    let first = slow.fragment(Flags::FIRST, 1, op::ECHO, b"12345678");
    slow.send(first);
    let begun = slow.now;
    while !slow.association.is_over() {
        slow.later(FRAGMENT_WAIT - SECOND);
        let more = slow.fragment(Flags::NONE, 1, op::ECHO, b"12345678");
        slow.send(more);
        assert!(slow.now < begun + 2 * REQUEST_WAIT, "never over");
    }
    assert!(slow.now >= begun + REQUEST_WAIT);

    let mut deaf = world.bound();
    let mut request = deaf.request(1, op::ECHO, b"1234");
    deaf.association.receive(&mut request, deaf.now);
    assert_eq!(deaf.association.deadline(), Some(deaf.now + WRITE_WAIT));
    deaf.later(WRITE_WAIT);
    assert!(deaf.association.is_over());
}

#[test]
fn who_waits_for_a_call_or_holds_a_handle_may_wait_for_ever() {
    let world = World::new();
    let mut parked = world.bound();
    parked.call(1, op::PARK, &[1]);
    assert_eq!(parked.association.deadline(), None);
    let mut holding = world.bound();
    holding.handle();
    assert_eq!(holding.association.deadline(), None);
    world.desk.answer(1);
    parked.hear();
    assert!(parked.association.deadline().is_some());
}

#[test]
fn an_exchange_is_over_some_time_and_there_are_so_many() {
    use crate::rpc::auth::{Credentials, Step, WINNT};
    use crate::rpc::pdu::Trailer;
    let world = World::new();
    let mut client = world.bound();
    let mut begin = |context_id| {
        let mut exchange =
            Credentials::new("D", "alice", "secret").exchange(WINNT, Level::Privacy, None);
        let Step::More(token) = exchange.step(&[]) else { panic!("a client begins") };
        let trailer = (Trailer::new(WINNT, 6, context_id), token);
        let octets = bind(Kind::AlterContext, BOTH, &proposing(0, OPEN, 0), Some(&trailer));
        client.send(octets)
    };
    let most = u32::try_from(SECURITY_CONTEXTS).unwrap();
    for context_id in 0..most {
        assert!(matches!(begin(context_id).as_slice(), [Heard::Ack(..)]));
    }
    assert_eq!(begin(most), rejected(1, Status::PROTOCOL_ERROR));
    assert!(client.association.is_over());
    let mut client = world.bound();
    let mut exchange =
        Credentials::new("D", "alice", "secret").exchange(WINNT, Level::Privacy, None);
    let Step::More(token) = exchange.step(&[]) else { panic!("a client begins") };
    let trailer = (Trailer::new(WINNT, 6, 1), token);
    client.handle();
    client.send(bind(Kind::AlterContext, BOTH, &proposing(0, OPEN, 0), Some(&trailer)));
    assert_eq!(client.association.deadline(), Some(client.now + BIND_WAIT));
}
