//! Deleted printers, the end of the server, and what is left then.

use super::*;

#[test]
fn a_deleted_printer_releases_those_who_listen() {
    let mut rig = Rig::new();
    let label = Object::printer("label");
    rig.core.add_printer(label.clone());
    let of = |style| Topic { object: label.clone(), ..topic(style) };
    let each = UserFilter::PerUser;
    let (queued, waits, bi) = (
        rig.core.register(of(Style::Unidirectional), each, who("ann")).unwrap(),
        rig.core.register(of(Style::Unidirectional), each, who("bob")).unwrap(),
        rig.core.register(of(Style::Bidirectional), each, who("ann")).unwrap(),
    );
    let server = rig.register("ann", Style::Unidirectional);
    assert_eq!(rig.get(server), None);
    let uni = rig.core.open(of(Style::Unidirectional), Audience::AllUsers).unwrap();
    let asking = rig.core.open(of(Style::Bidirectional), Audience::AllUsers).unwrap();
    let handle = rig.channels(bi)[0];
    let (asked, _) = rig.ask(handle);
    let offers = rig.waiter();
    rig.core.get_new_channels(bi, offers);
    rig.core.send(uni, bytes("1")).unwrap();
    assert_eq!(rig.get(waits), Some(Ok(Notification::Data(bytes("1")))));
    assert_eq!(rig.get(waits), None);
    let waiter = WaiterId(rig.last_waiter);

    rig.core.remove_printer(&label);

    let deleted = |channel| Action::Tell { channel, event: SourceEvent::ObjectDeleted };
    assert_eq!(
        rig.actions(),
        [
            deleted(uni),
            lost(asked),
            deleted(asking),
            Action::Complete { waiter, with: C::Notification(Ok(Notification::Release)) },
            Action::Complete { waiter: offers, with: C::NewChannels(Err(Refusal::Terminated)) },
        ]
    );
    assert_eq!(rig.get(queued), Some(Ok(Notification::Data(bytes("1")))));
    rig.core.add_printer(label.clone());
    let again = rig.core.open(of(Style::Unidirectional), Audience::AllUsers).unwrap();
    assert_eq!(rig.core.send(again, bytes("2")), Ok(Sent::NoListeners));
    for id in [queued, queued, waits] {
        assert_eq!(rig.get(id), Some(Ok(Notification::Release)));
        assert!(rig.core.registrations.contains_key(&id), "it stays registered");
    }
}

#[test]
fn the_end_of_the_server_completes_everything() {
    let mut rig = Rig::new();
    let (uni, bi) =
        (rig.register("ann", Style::Unidirectional), rig.register("ann", Style::Bidirectional));
    let channel = rig.open(Style::Bidirectional);
    let handle = rig.channels(bi)[0];
    let (asked, _) = rig.ask(handle);
    assert_eq!(rig.get(uni), None);
    let waits = WaiterId(rig.last_waiter);
    let offers = rig.waiter();
    rig.core.get_new_channels(bi, offers);
    rig.core.shut_down();
    assert_eq!(
        rig.actions(),
        [
            lost(asked),
            Action::Tell { channel, event: SourceEvent::ShuttingDown },
            Action::Complete { waiter: waits, with: C::Notification(Err(Refusal::Terminated)) },
            Action::Complete { waiter: offers, with: C::NewChannels(Err(Refusal::Terminated)) },
        ]
    );
    assert_eq!(rig.core.counts().parked, 0);
    assert_eq!(rig.get(uni), Some(Err(Refusal::Terminated)));
    let refused = rig.core.register(topic(Style::Unidirectional), UserFilter::PerUser, who("ann"));
    assert_eq!(refused, Err(Refusal::ShuttingDown));
    assert_eq!(
        rig.core.open(topic(Style::Unidirectional), Audience::AllUsers),
        Err(Refusal::ShuttingDown)
    );
    assert_eq!(rig.core.unregister(uni), Ok(()));
}

#[test]
fn nothing_is_kept_of_what_is_over() {
    let Two { mut rig, ann, channel, bob } = two_asked();
    rig.close(ann, TYPE, "a").unwrap();
    rig.close(bob, RELEASE, "").unwrap();
    for id in rig.core.registrations.keys().copied().collect::<Vec<_>>() {
        rig.core.unregister(id).unwrap();
    }
    assert_eq!(rig.core.close(channel, None), Err(Refusal::ChannelClosed));
    rig.actions();
    let core = &rig.core;
    assert_eq!(core.counts(), Counts::default());
    assert!(core.topics.is_empty() && core.accounts.is_empty());
}
