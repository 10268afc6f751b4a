//! Registrations, their queues and their limits.

use super::*;

#[test]
fn notifications_come_in_order_to_everybody_who_matches() {
    let mut rig = Rig::new();
    let channel = rig.open(Style::Unidirectional);
    assert_eq!(rig.core.send(channel, bytes("nobody")), Ok(Sent::NoListeners));
    let (ann, bob) =
        (rig.register("ann", Style::Unidirectional), rig.register("bob", Style::Unidirectional));
    for data in ["1", "2", "3"] {
        assert_eq!(rig.core.send(channel, bytes(data)), Ok(Sent::ToListeners));
    }
    for id in [ann, bob] {
        for data in ["1", "2", "3"] {
            assert_eq!(rig.get(id), Some(Ok(Notification::Data(bytes(data)))));
        }
        assert_eq!(rig.get(id), None);
        assert_eq!(rig.get(id), Some(Err(Refusal::AlreadyParked)));
    }
    rig.core.close(channel, None).unwrap();
    assert_eq!(rig.actions(), [], "its listeners do not notice");
}

#[test]
fn the_newest_is_dropped_when_a_queue_is_full() {
    let limits = Limits { queue: 2, queue_bytes: 10, ..Limits::default() };
    let mut rig = Rig::with(limits);
    let channel = rig.open(Style::Unidirectional);
    let ann = rig.register("ann", Style::Unidirectional);
    for (data, sent) in [
        ("1", Ok(Sent::ToListeners)),
        ("2", Ok(Sent::ToListeners)),
        ("3", Err(Refusal::Undelivered)),
    ] {
        assert_eq!(rig.core.send(channel, bytes(data)), sent);
    }
    let bob = rig.register("bob", Style::Unidirectional);
    assert_eq!(rig.core.send(channel, bytes("4")), Ok(Sent::LostForSome));
    for expected in [Some("1"), Some("2"), None] {
        let expected = expected.map(|data| Ok(Notification::Data(bytes(data))));
        assert_eq!(rig.get(ann), expected);
    }
    assert_eq!(rig.get(bob), Some(Ok(Notification::Data(bytes("4")))));
    assert_eq!(rig.core.send(channel, bytes("0123456789")), Ok(Sent::ToListeners));
    assert_eq!(rig.core.send(channel, bytes("5")), Ok(Sent::LostForSome), "bytes are limited, too");
}

#[test]
fn a_canceled_call_does_not_swallow_the_next_notification() {
    let mut rig = Rig::new();
    let channel = rig.open(Style::Unidirectional);
    let ann = rig.register("ann", Style::Unidirectional);
    assert_eq!(rig.get(ann), None);
    assert!(rig.core.cancel(WaiterId(rig.last_waiter)));
    rig.core.send(channel, bytes("1")).unwrap();
    assert_eq!(rig.actions(), []);
    assert_eq!(rig.get(ann), Some(Ok(Notification::Data(bytes("1")))));
}

#[test]
fn what_could_not_be_written_comes_first_again() {
    let mut rig = Rig::with(Limits { queue: 1, ..Limits::default() });
    let channel = rig.open(Style::Unidirectional);
    let ann = rig.register("ann", Style::Unidirectional);
    rig.core.send(channel, bytes("1")).unwrap();
    assert_eq!(rig.get(ann), Some(Ok(Notification::Data(bytes("1")))));
    rig.core.send(channel, bytes("2")).unwrap();
    rig.core.requeue_notification(ann, bytes("1"));
    for data in ["1", "2"] {
        assert_eq!(rig.get(ann), Some(Ok(Notification::Data(bytes(data)))));
    }
    assert_eq!(rig.get(ann), None);
    let waiter = WaiterId(rig.last_waiter);
    rig.core.requeue_notification(ann, bytes("3"));
    let with = C::Notification(Ok(Notification::Data(bytes("3"))));
    assert_eq!(rig.actions(), [Action::Complete { waiter, with }]);
}

#[test]
fn channels_are_given_once_each_and_again_when_the_answer_was_lost() {
    let mut rig = Rig::new();
    rig.open(Style::Bidirectional);
    rig.open(Style::Bidirectional);
    let ann = rig.register("ann", Style::Bidirectional);
    let handles = rig.channels(ann);
    assert_eq!(handles.len(), 2, "channels that were open before are offered, too");
    let waiter = rig.waiter();
    rig.core.get_new_channels(ann, waiter);
    assert_eq!(rig.actions(), []);
    rig.core.requeue_channels(ann, &handles);
    let [Action::Complete { waiter: w, with: C::NewChannels(Ok(again)) }] = &*rig.actions() else {
        panic!("they were not offered again");
    };
    assert_eq!((*w, again.len()), (waiter, 2));
    assert_eq!(rig.core.counts().handles, 2);
}

#[test]
fn a_waiting_call_is_given_a_new_channel_at_once() {
    let mut rig = Rig::new();
    let ann = rig.register("ann", Style::Bidirectional);
    let waiter = rig.waiter();
    rig.core.get_new_channels(ann, waiter);
    rig.open(Style::Bidirectional);
    let actions = rig.actions();
    assert!(
        matches!(&*actions, [Action::Complete { waiter: w, with: C::NewChannels(Ok(handles)) }]
            if *w == waiter && handles.len() == 1),
        "{actions:?}"
    );
}

#[test]
fn a_channel_that_is_acquired_is_offered_no_more() {
    let (Two { mut rig, .. }, _) = acquired();
    let carol = rig.register("carol", Style::Bidirectional);
    let waiter = rig.waiter();
    rig.core.get_new_channels(carol, waiter);
    assert_eq!(rig.actions(), []);
}

#[test]
fn unregistering_ends_the_waiting_call_and_leaves_channels_alone() {
    let mut rig = Rig::new();
    let (uni, bi) =
        (rig.register("ann", Style::Unidirectional), rig.register("ann", Style::Bidirectional));
    let channel = rig.open(Style::Bidirectional);
    let handle = rig.channels(bi)[0];
    assert_eq!(rig.get(uni), None);
    let waits = WaiterId(rig.last_waiter);
    let offers = rig.waiter();
    rig.core.get_new_channels(bi, offers);
    assert_eq!(rig.core.unregister(uni), Ok(()));
    assert_eq!(rig.core.unregister(bi), Ok(()));
    assert_eq!(
        rig.actions(),
        [
            Action::Complete { waiter: waits, with: C::Notification(Err(Refusal::Terminated)) },
            Action::Complete { waiter: offers, with: C::NewChannels(Err(Refusal::Terminated)) },
        ]
    );
    assert_eq!(rig.core.unregister(uni), Err(Refusal::NotRegistered));
    assert_eq!(rig.get(uni), Some(Err(Refusal::NotRegistered)));
    rig.core.send(channel, bytes("q1")).unwrap();
    let (a, actions) = rig.ask(handle);
    assert_eq!(actions, [notified(a, "q1")]);
}

#[test]
fn styles_do_not_mix() {
    let mut rig = Rig::new();
    let (uni, bi) =
        (rig.register("ann", Style::Unidirectional), rig.register("ann", Style::Bidirectional));
    assert_eq!(rig.get(bi), Some(Err(Refusal::WrongStyle)));
    let waiter = rig.waiter();
    rig.core.get_new_channels(uni, waiter);
    let with = C::NewChannels(Err(Refusal::WrongStyle));
    assert_eq!(rig.actions(), [Action::Complete { waiter, with }]);
}

#[test]
fn who_may_register_for_what() {
    let mut rig = Rig::with(Limits {
        registrations: 3,
        registrations_per_identity: 2,
        channels: 1,
        ..Limits::default()
    });
    let label = Object::printer("Label");
    let uni = topic(Style::Unidirectional);
    let of = |object: &Object| Topic { object: object.clone(), ..uni.clone() };
    let (each, all) = (UserFilter::PerUser, UserFilter::AllUsers);
    let core = &mut rig.core;
    assert_eq!(core.register(of(&label), each, who("ann")), Err(Refusal::NoSuchObject));
    core.add_printer(label.clone());
    assert!(core.register(of(&Object::printer("LABEL")), each, who("ann")).is_ok());
    assert_eq!(core.register(uni.clone(), all, who("ann")), Err(Refusal::AccessDenied));
    let reserved = Topic { notification_type: RELEASE, ..uni.clone() };
    assert_eq!(core.register(reserved.clone(), each, who("ann")), Err(Refusal::ReservedType));
    assert_eq!(core.open(reserved, Audience::AllUsers), Err(Refusal::ReservedType));
    assert!(core.register(uni.clone(), all, who("root")).is_ok());
    assert!(core.register(uni.clone(), each, who("ann")).is_ok());
    assert_eq!(core.register(uni.clone(), each, who("bob")), Err(Refusal::TooManyRegistrations));
    core.limits.registrations = 9;
    assert_eq!(core.register(uni.clone(), each, who("ann")), Err(Refusal::TooManyRegistrations));
    assert!(core.open(uni.clone(), Audience::AllUsers).is_ok());
    assert_eq!(core.open(uni, Audience::AllUsers), Err(Refusal::TooManyChannels));
}

#[test]
fn one_identity_holds_so_many_handles_only() {
    let mut rig = Rig::with(Limits { handles_per_identity: 2, ..Limits::default() });
    let (ann, bob) =
        (rig.register("ann", Style::Bidirectional), rig.register("bob", Style::Bidirectional));
    for _ in 0..3 {
        rig.open(Style::Bidirectional);
    }
    let handles = rig.channels(ann);
    assert_eq!(handles.len(), 2);
    let waiter = rig.waiter();
    rig.core.get_new_channels(ann, waiter);
    let with = C::NewChannels(Err(Refusal::TooManyHandles));
    assert_eq!(rig.actions(), [Action::Complete { waiter, with }]);
    assert_eq!(rig.channels(bob).len(), 2);
    assert_eq!(rig.close(handles[0], RELEASE, ""), Ok(Ended::Closed));
    assert_eq!(rig.channels(ann).len(), 1, "the third is not forgotten");
}
