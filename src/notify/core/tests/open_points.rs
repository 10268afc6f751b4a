//! What figure 7 leaves open.

use super::*;

#[test]
fn closing_while_a_call_waits_completes_both() {
    let Two { mut rig, ann, .. } = two();
    let (a, _) = rig.ask(ann);
    assert_eq!(rig.close(ann, RELEASE, ""), Ok(Ended::Closed));
    assert_eq!(rig.actions(), [lost(a)]);
}

#[test]
fn the_source_closes_while_an_answer_is_owed() {
    for mine in [two_asked, must_answer] {
        let Two { mut rig, channel, ann, .. } = mine();
        rig.core.close(channel, Some(bytes("bye"))).unwrap();
        assert_eq!(rig.actions(), []);
        let (a, actions) = rig.respond(ann, "late");
        assert_eq!(actions, [reply(a, Err(Refusal::ChannelClosed))]);
        gone(&mut rig, ann);

        for (ty, expected) in [(TYPE, Err(Refusal::ChannelClosed)), (RELEASE, Ok(Ended::Closed))] {
            let Two { mut rig, channel, ann, .. } = mine();
            rig.core.close(channel, None).unwrap();
            assert_eq!(rig.close(ann, ty, "late"), expected);
            assert_eq!(rig.actions(), []);
            gone(&mut rig, ann);
        }
    }
}

#[test]
fn the_source_closes_before_the_first_call() {
    let Two { mut rig, channel, ann, bob } = two();
    rig.core.close(channel, Some(bytes("bye"))).unwrap();
    let (a, actions) = rig.ask(ann);
    assert_eq!(actions, [reply(a, Ok(Reply::Closed(Some(bytes("bye")))))]);
    assert_eq!(rig.close(bob, RELEASE, ""), Ok(Ended::Closed));
    assert_eq!(rig.core.counts().handles, 0);
}

#[test]
fn a_response_of_another_type_is_refused_and_changes_nothing() {
    for mine in [two_asked, must_answer] {
        let Two { mut rig, ann, channel, .. } = mine();
        for ty in [None, Some(OTHER_TYPE)] {
            let (a, actions) = rig.exchange(ann, ty, "x");
            assert_eq!(actions, [reply(a, Err(Refusal::WrongType))]);
        }
        let (_, actions) = rig.respond(ann, "right");
        assert_eq!(actions, [answered(channel, "ann", "right")]);
    }
}

#[test]
fn a_response_of_type_release_closes() {
    let Two { mut rig, ann, .. } = two_asked();
    let (a, actions) = rig.exchange(ann, Some(RELEASE), "");
    assert_eq!(actions, [lost(a)]);
    gone(&mut rig, ann);
    let Two { mut rig, ann, channel, .. } = must_answer();
    let (a, actions) = rig.exchange(ann, Some(RELEASE), "");
    assert_eq!(actions, [closed(channel), lost(a)]);
}

#[test]
fn what_is_too_large_or_of_a_wrong_type_ends_the_handle_only_when_it_closes() {
    let large = "x".repeat(17);
    for (ty, data, refusal) in
        [(TYPE, &*large, Refusal::TooLarge), (OTHER_TYPE, "x", Refusal::WrongType)]
    {
        let mut two = two_asked();
        two.rig.core.limits.payload_bytes = 16;
        let (a, actions) = two.rig.exchange(two.ann, Some(ty), data);
        assert_eq!(actions, [reply(a, Err(refusal))]);
        assert_eq!(two.rig.close(two.ann, ty, data), Err(refusal));
        assert_eq!(two.rig.actions(), [], "it had not acquired the channel");
        gone(&mut two.rig, two.ann);

        let mut two = must_answer();
        two.rig.core.limits.payload_bytes = 16;
        assert_eq!(two.rig.close(two.ann, ty, data), Err(refusal));
        assert_eq!(two.rig.actions(), [closed(two.channel)]);
    }
}

#[test]
fn the_largest_payload_is_taken_and_one_byte_more_is_not() {
    let limits = Limits { payload_bytes: 16, ..Limits::default() };
    let mut rig = Rig::with(limits);
    let channel = rig.open(Style::Bidirectional);
    let (exact, more) = ("x".repeat(16), "x".repeat(17));
    assert_eq!(rig.core.send(channel, bytes(&more)), Err(Refusal::TooLarge));
    assert_eq!(rig.core.send(channel, bytes(&exact)), Ok(Sent::NoListeners));
    let ann = rig.register("ann", Style::Bidirectional);
    let handle = rig.channels(ann)[0];
    rig.ask(handle);
    let (_, actions) = rig.respond(handle, &exact);
    assert_eq!(actions, [answered(channel, "ann", &exact)]);
    assert_eq!(rig.core.close(channel, Some(bytes(&more))), Err(Refusal::TooLarge));
    assert_eq!(rig.core.counts().channels, 1, "it stays open");
}

#[test]
fn a_second_call_on_a_handle_is_refused() {
    let Two { mut rig, ann, .. } = two();
    rig.ask(ann);
    let (second, actions) = rig.ask(ann);
    assert_eq!(actions, [reply(second, Err(Refusal::AlreadyParked))]);
    let (Two { mut rig, ann, .. }, _) = acquired();
    let (second, actions) = rig.respond(ann, "x");
    assert_eq!(actions, [reply(second, Err(Refusal::AlreadyParked))]);
}

#[test]
fn the_owner_whose_call_was_canceled_asks_again() {
    let (Two { mut rig, channel, ann, .. }, waiter) = acquired();
    assert!(rig.core.cancel(waiter));
    assert!(!rig.core.cancel(waiter));
    assert_eq!(rig.core.send(channel, bytes("q2")), Ok(Sent::ToListeners));
    assert_eq!(rig.core.send(channel, bytes("q3")), Err(Refusal::Unanswered));
    let (again, actions) = rig.ask(ann);
    assert_eq!(actions, [notified(again, "q2")]);
}

#[test]
fn a_reply_that_could_not_be_written_is_given_again() {
    let Two { mut rig, ann, .. } = two_asked();
    rig.core.requeue_reply(ann, bytes("q1"));
    let (again, actions) = rig.ask(ann);
    assert_eq!(actions, [notified(again, "q1")]);
    let Two { mut rig, ann, .. } = must_answer();
    rig.core.requeue_reply(ann, bytes("q2"));
    let (again, actions) = rig.ask(ann);
    assert_eq!(actions, [notified(again, "q2")]);
}
