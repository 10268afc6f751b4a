//! Our client against our server's methods, without a wire.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;

use super::*;
use crate::notify::{Audience, NotificationType, Object, Style, Topic, UserFilter};
use crate::pan::hresult::HResult;
use crate::pan::world::{Peer, World};

const TYPE: NotificationType = NotificationType::new(0x0b20_806a_328a_4e1c_931c_0250_3085_74c7);

fn wanted(style: Style) -> Wanted {
    let name = Some("\\\\srv\\lp".to_owned());
    Wanted { name, notification_type: TYPE, filter: UserFilter::PerUser, style }
}

fn topic(style: Style) -> Topic {
    Topic { object: Object::printer("lp"), notification_type: TYPE, style }
}

async fn registered(peer: Peer, style: Style) -> Registration {
    Registration::new(Rc::new(peer), &wanted(style)).await.unwrap()
}

#[tokio::test]
async fn notifications_come_in_order_and_an_impatient_client_loses_none() {
    for world in [World::new(), World::that_returns()] {
        let mut ann = registered(world.peer("w\\ann", false), Style::Unidirectional).await;
        let source =
            world.broker.open(topic(Style::Unidirectional), Audience::AllUsers, |_| ()).unwrap();
        let impatient = tokio::select! {
            biased;
            heard = ann.next() => Some(heard),
            () = std::future::ready(()) => None,
        };
        assert_eq!(impatient, None);
        for n in 0..10 {
            source.send(Bytes::from(vec![n])).unwrap();
        }
        for n in 0..10 {
            assert_eq!(ann.next().await, Ok(Heard::Data(vec![n].into())));
        }
        world.broker.remove_printer("lp");
        assert_eq!(ann.next().await, Ok(Heard::Released));
        assert_eq!(ann.unregister().await, Ok(()));
        assert_eq!(world.broker.counts().registrations, 0);
    }
}

#[tokio::test]
async fn a_conversation_and_the_one_who_lost_it() {
    let world = World::new();
    let mut ann = registered(world.peer("w\\ann", false), Style::Bidirectional).await;
    let mut bob = registered(world.peer("w\\bob", false).ndr64(), Style::Bidirectional).await;
    let (source, heard) = world.source(topic(Style::Bidirectional));
    let mut x = ann.new_channels().await.unwrap().remove(0);
    let mut y = bob.new_channels().await.unwrap().remove(0);
    source.send("ask".into()).unwrap();
    assert_eq!(x.first().await, Ok(Told::Notification("ask".into())));
    assert_eq!(y.first().await, Ok(Told::Notification("ask".into())));
    let conversation = async {
        assert_eq!(x.respond("mine".into()).await, Ok(Told::Notification("more".into())));
        x.close(Some("last".into())).await
    };
    let source_goes_on = async {
        assert_eq!(y.respond("his".into()).await, Ok(Told::Over(None)));
        source.send("more".into()).unwrap();
        y.close(None).await
    };
    let ended = tokio::join!(conversation, source_goes_on);
    assert_eq!(ended, (Ok(Ended::Closed), Ok(Ended::ClosedBefore)));
    let said: Vec<_> = heard().into_iter().filter_map(|(_, said)| said).collect();
    let from_ann = |text: &'static str| ("w\\ann".into(), Bytes::from(text));
    assert_eq!(said, [from_ann("mine"), from_ann("last")]);
    // Channels go on without the registration; what was refused leaves nothing behind.
    assert_eq!(ann.unregister().await, Ok(()));
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_behind() {
    let world = World::new();
    let everything =
        Wanted { name: None, filter: UserFilter::AllUsers, ..wanted(Style::Unidirectional) };
    let nowhere = Wanted { name: Some("lp".into()), ..wanted(Style::Unidirectional) };
    for (wanted, expected) in
        [(everything, HResult::ACCESS_DENIED), (nowhere, HResult::INVALID_NAME)]
    {
        let peer = Rc::new(world.peer("w\\ann", false));
        let refused = Registration::new(peer.clone(), &wanted).await.map(drop).unwrap_err();
        assert_eq!(refused, Error::Failed { method: "RegisterClient", result: expected });
        assert!(refused.is_final());
        assert!(peer.has_deleted());
    }
}

/// Connects to one world after the other; `None` is a server that does not answer.
fn connect(worlds: Vec<Option<Peer>>) -> (Connect, Rc<Cell<usize>>) {
    let (worlds, attempts) = (RefCell::new(worlds.into_iter()), Rc::new(Cell::new(0)));
    let count = attempts.clone();
    let connect: Connect = Box::new(move || {
        count.set(count.get() + 1);
        let peer = worlds.borrow_mut().next().flatten();
        Box::pin(async move {
            let peer = peer.ok_or_else(|| Error::Unreachable("nobody answers".into()))?;
            Ok(Rc::new(peer) as Rc<dyn Transport>)
        })
    });
    (connect, attempts)
}

#[tokio::test(start_paused = true)]
async fn a_subscription_comes_back_by_itself() {
    let world = World::new();
    let source =
        world.broker.open(topic(Style::Unidirectional), Audience::AllUsers, |_| ()).unwrap();
    let lost = world.peer("w\\ann", false);
    let losing = lost.same_process_as("w\\ann");
    let (connect, attempts) =
        connect(vec![None, None, Some(lost), None, Some(world.peer("w\\ann", false))]);
    let mut subscription = Subscription::new(connect, wanted(Style::Unidirectional));
    let mut log = Vec::new();
    for _ in 0..7 {
        let update = subscription.next().await.unwrap();
        log.push(match update {
            Update::Registered => {
                source.send("hello".into()).unwrap();
                "registered".to_owned()
            }
            Update::Notification(data) => {
                losing.gone();
                String::from_utf8(data.to_vec()).unwrap()
            }
            Update::Lost { why, .. } => format!("lost: {why}"),
            Update::Channels(_) | Update::Released => unreachable!(),
        });
    }
    let mismatch = "lost: GetNotification: the context handle does not match (0x1C00001A)";
    let nobody = "lost: nobody answers";
    assert_eq!(log, [nobody, nobody, "registered", "hello", mismatch, nobody, "registered"]);
    assert_eq!(attempts.get(), 5);
}

#[tokio::test]
async fn a_final_failure_ends_a_subscription() {
    let world = World::new();
    let (connect, attempts) = connect(vec![Some(world.peer("w\\ann", false))]);
    let all = Wanted { filter: UserFilter::AllUsers, ..wanted(Style::Unidirectional) };
    let mut subscription = Subscription::new(connect, all);
    let denied = Error::Failed { method: "RegisterClient", result: HResult::ACCESS_DENIED };
    for _ in 0..2 {
        assert_eq!(subscription.next().await.map(drop), Err(denied.clone()));
    }
    assert_eq!(attempts.get(), 1);
}
