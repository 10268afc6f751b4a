//! The rows of [MS-PAN] figure 7.

use super::*;

#[test]
fn offered_asks_and_parks_until_the_first_notification() {
    let Two { mut rig, channel, ann, bob } = two();
    let (a, actions) = rig.exchange(ann, Some(OTHER_TYPE), "ignored");
    assert_eq!(actions, []);
    assert_eq!(rig.core.send(channel, bytes("q1")), Ok(Sent::ToListeners));
    assert_eq!(rig.actions(), [notified(a, "q1")]);
    let (b, actions) = rig.ask(bob);
    assert_eq!(
        actions,
        [notified(b, "q1")],
        "the first notification is held for those who ask later"
    );
}

#[test]
fn offered_released_leaves_the_channel_to_others() {
    let Two { mut rig, ann, bob, channel } = two();
    assert_eq!(rig.close(ann, RELEASE, "ignored"), Ok(Ended::Closed));
    assert_eq!(rig.actions(), []);
    gone(&mut rig, ann);
    assert_eq!(rig.core.send(channel, bytes("q1")), Ok(Sent::ToListeners));
    let (b, actions) = rig.ask(bob);
    assert_eq!(actions, [notified(b, "q1")]);
}

#[test]
fn offered_or_awaiting_loses_when_another_acquires() {
    for asked in [false, true] {
        let Two { mut rig, channel, ann, bob } = if asked { two_asked() } else { two() };
        if !asked {
            rig.core.send(channel, bytes("q1")).unwrap();
            rig.ask(ann);
        }
        rig.respond(ann, "a1");
        let (b, actions) = rig.respond(bob, "too late");
        assert_eq!(actions, [lost(b)]);
        gone(&mut rig, bob);
    }
}

#[test]
fn a_call_that_waits_is_told_at_once_that_it_lost() {
    let Two { mut rig, channel, ann, bob } = two();
    let (b, _) = rig.ask(bob);
    assert_eq!(rig.close(ann, TYPE, "early"), Ok(Ended::Closed));
    assert_eq!(rig.actions(), [lost(b), answered(channel, "ann", "early"), closed(channel)]);
}

#[test]
fn awaiting_released_is_not_told_to_the_source() {
    let Two { mut rig, ann, bob, channel } = two_asked();
    assert_eq!(rig.close(ann, RELEASE, ""), Ok(Ended::Closed));
    assert_eq!(rig.actions(), []);
    let (_, actions) = rig.respond(bob, "mine");
    assert_eq!(actions, [answered(channel, "bob", "mine")]);
}

#[test]
fn awaiting_closes_with_a_response() {
    let Two { mut rig, channel, ann, bob } = two_asked();
    assert_eq!(rig.close(ann, TYPE, "a1"), Ok(Ended::Closed));
    assert_eq!(rig.actions(), [answered(channel, "ann", "a1"), closed(channel)]);
    assert_eq!(rig.close(bob, TYPE, "too late"), Ok(Ended::AcquiredByOther));
    assert_eq!(rig.actions(), []);
    assert_eq!(rig.core.send(channel, bytes("q2")), Err(Refusal::ChannelClosed));
}

#[test]
fn owner_waits_and_is_sent_the_next() {
    let Two { mut rig, channel, ann, .. } = must_answer();
    assert_eq!(rig.core.send(channel, bytes("q3")), Err(Refusal::Unanswered));
    let (waiter, actions) = rig.respond(ann, "a2");
    assert_eq!(actions, [answered(channel, "ann", "a2")]);
    rig.core.send(channel, bytes("q3")).unwrap();
    assert_eq!(rig.actions(), [notified(waiter, "q3")]);
}

#[test]
fn owner_waits_and_the_source_closes() {
    for last in [None, Some(bytes("bye"))] {
        let (Two { mut rig, channel, ann, bob }, waiter) = acquired();
        assert_eq!(rig.core.close(channel, last.clone()), Ok(()));
        assert_eq!(rig.actions(), [reply(waiter, Ok(Reply::Closed(last)))]);
        gone(&mut rig, ann);
        let (b, actions) = rig.ask(bob);
        assert_eq!(actions, [lost(b)], "a loser stays a loser");
    }
}

#[test]
fn owner_waits_and_closes() {
    for (ty, data) in [(RELEASE, ""), (TYPE, "bye")] {
        let (Two { mut rig, channel, ann, .. }, waiter) = acquired();
        assert_eq!(rig.close(ann, ty, data), Ok(Ended::Closed));
        let mut expected = vec![closed(channel), lost(waiter)];
        if ty == TYPE {
            expected.insert(0, answered(channel, "ann", data));
        }
        assert_eq!(rig.actions(), expected);
        assert_eq!(rig.core.counts().channels, 0);
    }
}

#[test]
fn owner_must_answer_and_closes() {
    for (ty, data) in [(RELEASE, ""), (TYPE, "a2")] {
        let Two { mut rig, channel, ann, .. } = must_answer();
        assert_eq!(rig.close(ann, ty, data), Ok(Ended::Closed));
        let mut expected = vec![closed(channel)];
        if ty == TYPE {
            expected.insert(0, answered(channel, "ann", data));
        }
        assert_eq!(rig.actions(), expected);
    }
}

#[test]
fn lost_closes() {
    for ty in [RELEASE, TYPE] {
        let (Two { mut rig, bob, .. }, _) = acquired();
        assert_eq!(rig.close(bob, ty, ""), Ok(Ended::AcquiredByOther));
        assert_eq!(rig.actions(), []);
        gone(&mut rig, bob);
    }
}
