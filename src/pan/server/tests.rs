//! The methods, called as the RPC runtime calls them: stubs in, stubs and faults out, in both syntaxes.

use bytes::Bytes;

use crate::notify::{Audience, NotificationType, Object, Sent, Style, Topic};
use crate::pan::hresult::HResult;
use crate::pan::stub::{Closed, NewChannels, Notified};
use crate::pan::world::{self, Answer, Peer, World};
use crate::rpc::interface::Gone;
use crate::rpc::ndr::ContextHandle;
use crate::rpc::status::Status;

const TYPE: NotificationType = NotificationType::new(0x0b20_806a_328a_4e1c_931c_0250_3085_74c7);
const THROWN_TERMINATED: Answer = Answer::Fault(Status(HResult::TERMINATED.0));

fn topic(style: Style) -> Topic {
    Topic { object: Object::printer("lp"), notification_type: TYPE, style }
}

fn data(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// A world with a listener of each syntax on `\\srv\lp`.
fn listeners(style: Style) -> (World, Peer, ContextHandle, Peer, ContextHandle) {
    let world = World::new();
    let (ann, bob) = (world.peer("w\\ann", false), world.peer("w\\bob", false).ndr64());
    let (a, b) = (ann.registered(TYPE, style), bob.registered(TYPE, style));
    (world, ann, a, bob, b)
}

#[test]
fn a_notification_reaches_who_waits_and_who_asks_later() {
    let (world, ann, a, bob, b) = listeners(Style::Unidirectional);
    let waiting = ann.get_notification(a);
    assert_eq!(waiting.answer(), None);
    let source =
        world.broker.open(topic(Style::Unidirectional), Audience::AllUsers, |_| ()).unwrap();
    assert_eq!(source.send(data("one")), Ok(Sent::ToListeners));
    assert_eq!(source.send(data("two")), Ok(Sent::ToListeners));
    assert_eq!(waiting.notified().data, Some(data("one")));
    assert_eq!(ann.get_notification(a).notified().data, Some(data("two")));
    assert_eq!(bob.get_notification(b).notified().data, Some(data("one")));
}

#[test]
fn a_second_call_while_one_waits_is_thrown() {
    let (_world, ann, a, ..) = listeners(Style::Unidirectional);
    let waiting = ann.get_notification(a);
    let thrown = Answer::Fault(Status(HResult::ALREADY_PARKED.0));
    assert_eq!(ann.get_notification(a).answer(), Some(thrown));
    assert_eq!(waiting.answer(), None);
}

#[test]
fn unregistering_ends_the_wait_and_succeeds() {
    for style in [Style::Unidirectional, Style::Bidirectional] {
        let (_world, ann, a, ..) = listeners(style);
        let waiting = ann.wait(a, style);
        assert_eq!(ann.unregister(a), HResult::OK);
        assert_eq!(waiting.answer(), Some(THROWN_TERMINATED));
        assert_eq!(ann.wait(a, style).answer(), Some(THROWN_TERMINATED));
        assert_eq!(ann.unregister(a), HResult::ALREADY_UNREGISTERED);
        assert_eq!(ann.register(a, Some("\\\\srv\\lp"), TYPE, 0, style), HResult::OK);
    }
}

#[test]
fn results_are_returned_where_they_are_not_thrown() {
    let world = World::that_returns();
    let ann = world.peer("w\\ann", false);
    let a = ann.registered(TYPE, Style::Unidirectional);
    let waiting = ann.get_notification(a);
    ann.unregister(a);
    let none = Notified { notification_type: None, data: None, result: HResult::TERMINATED };
    assert_eq!(waiting.notified(), none);
    let a = ann.registered(TYPE, Style::Bidirectional);
    let waiting = ann.get_new_channel(a);
    ann.unregister(a);
    let none = NewChannels { channels: Vec::new(), result: HResult::TERMINATED };
    assert_eq!(waiting.decoded::<NewChannels>(), none);
}

#[test]
fn a_canceled_call_takes_nothing_with_it() {
    for why in [Gone::Canceled, Gone::Orphaned, Gone::Disconnected] {
        let (world, ann, a, ..) = listeners(Style::Unidirectional);
        let waiting = ann.get_notification(a);
        assert!(waiting.pending.go(why));
        let source =
            world.broker.open(topic(Style::Unidirectional), Audience::AllUsers, |_| ()).unwrap();
        source.send(data("one")).unwrap();
        assert_eq!(waiting.answer(), None);
        assert_eq!(ann.get_notification(a).notified().data, Some(data("one")));
    }
}

#[test]
fn what_could_not_be_written_comes_first_again() {
    let (world, ann, a, ..) = listeners(Style::Unidirectional);
    let source =
        world.broker.open(topic(Style::Unidirectional), Audience::AllUsers, |_| ()).unwrap();
    let waiting = ann.get_notification(a);
    source.send(data("one")).unwrap();
    source.send(data("two")).unwrap();
    waiting.lose();
    assert_eq!(ann.get_notification(a).notified().data, Some(data("one")));
    assert_eq!(ann.get_notification(a).notified().data, Some(data("two")));

    let (world, ann, a, ..) = listeners(Style::Bidirectional);
    let waiting = ann.get_new_channel(a);
    let _source =
        world.broker.open(topic(Style::Bidirectional), Audience::AllUsers, |_| ()).unwrap();
    let lost = waiting.channels();
    waiting.lose();
    let again = ann.get_new_channel(a).channels();
    assert_eq!((lost.len(), again.len()), (1, 1));
    assert_eq!(
        ann.exchange(lost[0], None, "").answer(),
        Some(Answer::Fault(Status::CONTEXT_MISMATCH))
    );
    assert_eq!(ann.exchange(again[0], None, "").answer(), None);
}

#[test]
fn one_client_acquires_a_channel_and_the_other_is_released() {
    let (world, ann, a, bob, b) = listeners(Style::Bidirectional);
    let (source, heard) = world.source(topic(Style::Bidirectional));
    let (x, y) = (ann.get_new_channel(a).channels()[0], bob.get_new_channel(b).channels()[0]);
    let (first, second) = (ann.exchange(x, None, ""), bob.exchange(y, None, ""));
    source.send(data("ask")).unwrap();
    assert_eq!(first.responded().notified.data, Some(data("ask")));
    assert_eq!(second.responded().notified.data, Some(data("ask")));
    let (owner, late) = (ann.exchange(x, Some(TYPE), "mine"), bob.exchange(y, Some(TYPE), "his"));
    assert_eq!(late.responded(), world::lost());
    let from = "w\\ann".into();
    assert_eq!(heard(), [("response", Some((from, data("mine"))))]);
    source.send(data("next")).unwrap();
    assert_eq!(owner.responded().notified.data, Some(data("next")));
    assert_eq!(owner.responded().channel, x);
    assert_eq!(ann.close(x, TYPE, "last"), Answer::of(&closed(HResult::OK), &ann));
    assert_eq!(
        heard()[1..].iter().map(|(what, _)| *what).collect::<Vec<_>>(),
        ["response", "closed"]
    );
    assert_eq!(bob.close(y, TYPE, ""), Answer::Fault(Status::CONTEXT_MISMATCH));
}

fn closed(result: HResult) -> Closed {
    Closed { channel: ContextHandle::NULL, result }
}

#[test]
fn closing_too_late_is_a_success_of_its_own() {
    let (world, ann, a, bob, b) = listeners(Style::Bidirectional);
    let (source, _heard) = world.source(topic(Style::Bidirectional));
    source.send(data("ask")).unwrap();
    let (x, y) = (ann.get_new_channel(a).channels()[0], bob.get_new_channel(b).channels()[0]);
    ann.exchange(x, None, "");
    let parked = bob.exchange(y, None, "");
    assert_eq!(parked.responded().channel, y);
    assert_eq!(ann.close(x, TYPE, "mine"), Answer::of(&closed(HResult::OK), &ann));
    assert_eq!(bob.close(y, TYPE, "his"), Answer::of(&closed(HResult::CHANNEL_ACQUIRED), &bob));
}

#[test]
fn the_source_closes_under_a_waiting_call() {
    let (world, ann, a, ..) = listeners(Style::Bidirectional);
    let (source, _heard) = world.source(topic(Style::Bidirectional));
    let x = ann.get_new_channel(a).channels()[0];
    let waiting = ann.exchange(x, None, "");
    source.close(Some(data("bye"))).unwrap();
    let responded = waiting.responded();
    assert!(responded.channel.is_null());
    assert_eq!(responded.notified.notification_type, Some(crate::pan::guid(TYPE)));
    assert_eq!(responded.notified.data, Some(data("bye")));
}

#[test]
fn an_answer_comes_after_the_source_has_closed() {
    let (world, ann, a, bob, b) = listeners(Style::Bidirectional);
    let (source, heard) = world.source(topic(Style::Bidirectional));
    source.send(data("ask")).unwrap();
    let (x, y) = (ann.get_new_channel(a).channels()[0], bob.get_new_channel(b).channels()[0]);
    ann.exchange(x, None, "");
    bob.exchange(y, None, "");
    source.close(None).unwrap();
    let late = ann.exchange(x, Some(TYPE), "late").responded();
    assert_eq!(late.notified.result, HResult::CHANNEL_ALREADY_CLOSED);
    assert!(late.channel.is_null());
    let closed = Answer::of(&closed(HResult::CHANNEL_ALREADY_CLOSED), &bob);
    assert_eq!(bob.close(y, TYPE, "late"), closed);
    assert!(heard().is_empty());
}

#[test]
fn responses_that_are_refused_leave_the_channel_as_it_was() {
    let (world, ann, a, ..) = listeners(Style::Bidirectional);
    let (source, heard) = world.source(topic(Style::Bidirectional));
    source.send(data("ask")).unwrap();
    let x = ann.get_new_channel(a).channels()[0];
    ann.exchange(x, None, "");
    let wrong = ann.exchange(x, Some(NotificationType::new(7)), "x").responded();
    assert_eq!((wrong.channel, wrong.notified.result), (x, HResult::WRONG_TYPE));
    let long = Bytes::from(vec![0; super::RESPONSE_BYTES + 1]);
    let large = ann.exchange_bytes(x, Some(TYPE), long.clone()).responded();
    assert_eq!((large.channel, large.notified.result), (x, HResult::TOO_LARGE));
    assert!(heard().is_empty());
    let fits = ann.exchange_bytes(x, Some(TYPE), long.slice(1..));
    assert_eq!((fits.answer(), heard().len()), (None, 1));
}

#[test]
fn handles_of_others_and_of_another_kind_do_not_work() {
    let (world, ann, a, bob, _b) = listeners(Style::Bidirectional);
    let _source = world.source(topic(Style::Bidirectional));
    let x = ann.get_new_channel(a).channels()[0];
    let mismatch = Answer::Fault(Status::CONTEXT_MISMATCH);
    for handle in [a, ContextHandle::NULL] {
        assert_eq!(bob.get_notification(handle).answer(), Some(mismatch.clone()));
        assert_eq!(bob.exchange(handle, None, "").answer(), Some(mismatch.clone()));
    }
    assert_eq!(ann.get_new_channel(x).answer(), Some(mismatch.clone()));
    assert_eq!(ann.exchange(a, None, "").answer(), Some(mismatch.clone()));
    let other = ann.same_process_as("w\\eve");
    assert_eq!(other.get_new_channel(a).answer(), Some(Answer::Fault(Status::ACCESS_DENIED)));
    assert_eq!(ann.delete(x), mismatch);
}

#[test]
fn a_client_that_is_gone_is_unregistered_and_gives_its_channels_up() {
    let (world, ann, a, bob, b) = listeners(Style::Bidirectional);
    let (source, heard) = world.source(topic(Style::Bidirectional));
    source.send(data("ask")).unwrap();
    let x = ann.get_new_channel(a).channels()[0];
    ann.exchange(x, None, "");
    let owner = ann.exchange(x, Some(TYPE), "mine");
    owner.pending.go(Gone::Disconnected);
    ann.gone();
    let events: Vec<_> = heard().into_iter().map(|(what, _)| what).collect();
    assert_eq!(events, ["response", "closed"]);
    assert_eq!((world.broker.counts().registrations, world.broker.counts().handles), (1, 0));
    bob.delete(b);
    assert_eq!(world.broker.counts().registrations, 0);
}

#[test]
fn what_a_registration_may_be() {
    let world = World::new();
    let (ann, root) = (world.peer("w\\ann", false), world.peer("w\\root", true));
    let uni = Style::Unidirectional;
    for (peer, name, filter, expected) in [
        (&ann, Some("\\\\srv\\lp"), 0, HResult::OK),
        (&ann, Some("\\\\SRV.example.org\\LP"), 0, HResult::OK),
        (&ann, None, 0, HResult::OK),
        (&ann, None, 1, HResult::ACCESS_DENIED),
        (&root, None, 1, HResult::OK),
        (&ann, Some("lp"), 0, HResult::INVALID_NAME),
        (&ann, Some("\\\\srv\\nowhere"), 0, HResult::NO_SUCH_PRINTER),
        (&ann, Some("\\\\other\\lp"), 0, HResult::NO_SUCH_PRINTER),
        (&ann, None, 2, HResult::INVALID_ARGUMENT),
    ] {
        let object = peer.create();
        assert_eq!(peer.register(object, name, TYPE, filter, uni), expected, "{name:?} {filter}");
    }
    let object = ann.create();
    for notification_type in crate::pan::PRINTER_CONFIGURATION {
        let bidirectional = ann.register(object, None, notification_type, 0, Style::Bidirectional);
        assert_eq!(bidirectional, HResult::INVALID_ARGUMENT);
    }
    assert_eq!(
        ann.register(object, None, NotificationType::RELEASE, 0, uni),
        HResult::INVALID_ARGUMENT
    );
    assert_eq!(ann.unregister(object), HResult::NOT_REGISTERED);
    assert_eq!(ann.register(object, None, TYPE, 0, uni), HResult::OK);
    assert_eq!(ann.register(object, None, TYPE, 0, uni), HResult::ALREADY_REGISTERED);
}

#[test]
fn a_deleted_printer_releases_its_listeners() {
    let (world, ann, a, bob, b) = listeners(Style::Unidirectional);
    let waiting = ann.get_notification(a);
    world.broker.remove_printer("lp");
    for call in [waiting, bob.get_notification(b), bob.get_notification(b)] {
        let notified = call.notified();
        assert_eq!(notified.notification_type, Some(crate::pan::guid(NotificationType::RELEASE)));
        assert_eq!((notified.data, notified.result), (None, HResult::OK));
    }
}

#[test]
fn a_server_that_stops_lets_its_callers_go() {
    let (world, ann, a, ..) = listeners(Style::Unidirectional);
    let b = ann.registered(TYPE, Style::Bidirectional);
    let (_source, _heard) = world.source(topic(Style::Bidirectional));
    let x = ann.get_new_channel(b).channels()[0];
    let (notification, channel, exchange) =
        (ann.get_notification(a), ann.get_new_channel(b), ann.exchange(x, None, ""));
    world.broker.shut_down();
    assert_eq!(notification.answer(), Some(THROWN_TERMINATED));
    assert_eq!(channel.answer(), Some(THROWN_TERMINATED));
    assert_eq!(exchange.responded(), world::lost());
}

#[test]
fn operations_that_are_none_and_stubs_that_are_short() {
    let world = World::new();
    let ann = world.peer("w\\ann", false);
    assert_eq!(
        ann.call_notify(2, Vec::new()).answer(),
        Some(Answer::Fault(Status::OP_RANGE_ERROR))
    );
    for opnum in [0, 1, 3, 4, 5, 6] {
        let short = ann.call_notify(opnum, vec![0; 19]).answer();
        assert_eq!(short, Some(Answer::Fault(Status::BAD_STUB_DATA)), "opnum {opnum}");
    }
}
