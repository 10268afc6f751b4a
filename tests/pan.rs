//! [MS-PAN] over the wire, where several want the same at the same time: races, ends and limits.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::collections::HashSet;

use bytes::Bytes;
use despool::notify::{NotificationType, Refusal, Sent, SourceEvent, UserFilter};
use despool::pan::client::{Ended, Heard, Registration, Told};
use despool::pan::hresult::HResult;
use despool::pan::stub::{Handle, NewChannels, Notified, Responded, Returned, SendResponse, Stub};
use despool::pan::{ASYNC_NOTIFY, async_notify};
use despool::rpc::auth::Level;
use despool::rpc::client::Failure;
use despool::rpc::ndr::ContextHandle;
use despool::rpc::status::Status;
use support::pan::{BI, TYPE, UNI, World, fault, guid, in_time, next, response, run, wanted};

/// The first call on a channel, or an answer.
fn exchange(channel: ContextHandle, data: Option<Bytes>) -> SendResponse {
    SendResponse { channel, notification_type: data.is_some().then(|| guid(TYPE)), data }
}

/// What somebody hears who is too late.
fn lost() -> Responded {
    let notification_type = Some(guid(NotificationType::RELEASE));
    let notified = Notified { notification_type, data: None, result: HResult::OK };
    Responded { channel: ContextHandle::NULL, notified }
}

const EXCHANGE: u16 = async_notify::GET_NOTIFICATION_SEND_RESPONSE;

#[test]
fn by_the_endpoint_mapper_and_the_client_s_api() {
    run(async {
        let world = World::new();
        let client = world.place("ann").connect().await.unwrap();
        let wanted = wanted(UNI, UserFilter::PerUser);
        let mut ann = Registration::new(client, &wanted).await.unwrap();
        let (source, _) = world.open_for_all(UNI);
        assert_eq!(source.send("one".into()), Ok(Sent::ToListeners));
        assert_eq!(in_time(ann.next()).await, Ok(Heard::Data("one".into())));
        assert_eq!(ann.unregister().await, Ok(()));
        assert_eq!(source.send("two".into()), Ok(Sent::NoListeners));
    });
}

/// Two answer at the same time, by a response or by closing: exactly one is heard, the other is told that it has lost.
#[test]
fn two_clients_for_one_channel() {
    run(async {
        let world = World::new();
        let (ann, bob) = (world.peer("ann").await, world.client("bob", Level::Packet).await);
        let mut anns = ann.listens(BI, UserFilter::PerUser).await;
        let mut bobs = bob.listens(BI, UserFilter::PerUser).await;
        let mut winners = HashSet::new();
        for round in 0..40 {
            let (source, mut heard) = world.open_for_all(BI);
            source.send("who?".into()).unwrap();
            let mut x = in_time(anns.new_channels()).await.unwrap().remove(0);
            let mut y = in_time(bobs.new_channels()).await.unwrap().remove(0);
            let question = Ok(Told::Notification("who?".into()));
            assert_eq!(in_time(x.first()).await, question);
            assert_eq!(in_time(y.first()).await, question);
            let (first, second) = if round % 4 < 2 { (x, y) } else { (y, x) };
            let (winner, _) = if round % 2 == 0 {
                let both =
                    tokio::join!(first.close(Some("me".into())), second.close(Some("me".into())));
                assert!(
                    matches!(
                        both,
                        (Ok(Ended::Closed), Ok(Ended::AcquiredByOther | Ended::ClosedBefore))
                            | (Ok(Ended::AcquiredByOther | Ended::ClosedBefore), Ok(Ended::Closed))
                    ),
                    "{both:?}"
                );
                let winner = response(&mut heard).await;
                assert_eq!(next(&mut heard).await, SourceEvent::ClosedByClient);
                winner
            } else {
                let (mut first, mut second) = (first, second);
                let one = tokio::task::spawn_local(async move { first.respond("me".into()).await });
                let two =
                    tokio::task::spawn_local(async move { second.respond("me".into()).await });
                let winner = response(&mut heard).await;
                // The winner waits for more, the loser is told.
                source.close(Some("thanks".into())).unwrap();
                let mut ends = [in_time(one).await.unwrap(), in_time(two).await.unwrap()];
                ends.sort_by_key(|end| *end == Ok(Told::Over(None)));
                assert_eq!(ends, [Ok(Told::Over(Some("thanks".into()))), Ok(Told::Over(None))]);
                winner
            };
            assert!(heard.try_recv().is_err(), "the source hears one answer");
            winners.insert(winner);
        }
        assert!(winners.iter().all(|who| who == "workgroup\\ann" || who == "workgroup\\bob"));
        let counts = world.broker.counts();
        assert_eq!((counts.channels, counts.handles), (0, 0));
    });
}

#[test]
fn unregister_while_a_call_is_parked() {
    run(async {
        let world = World::new();
        let ann = world.peer("ann").await;
        let terminated = HResult::TERMINATED.0;
        for (style, opnum) in
            [(UNI, async_notify::GET_NOTIFICATION), (BI, async_notify::GET_NEW_CHANNEL)]
        {
            let object = ann.registered(style).await;
            let parked = ann.park::<Returned>(opnum, Handle(object)).await;
            // A second one is refused, and the first goes on waiting.
            let second = ann.on::<Returned>(opnum, object).await;
            assert_eq!(second, fault(HResult::ALREADY_PARKED.0));
            assert!(!parked.is_finished());
            let unregistered = ann.on::<Returned>(async_notify::UNREGISTER_CLIENT, object).await;
            assert_eq!(unregistered, Ok(Returned(HResult::OK)));
            assert_eq!(in_time(parked).await.unwrap(), fault(terminated));
            assert_eq!(ann.on::<Returned>(opnum, object).await, fault(terminated));
            let again = ann.on::<Returned>(async_notify::UNREGISTER_CLIENT, object).await;
            assert_eq!(again, Ok(Returned(HResult::ALREADY_UNREGISTERED)));
            // It may be registered again.
            assert_eq!(ann.register(object, style, 0).await, Ok(HResult::OK));
        }
    });
}

/// The connection of the client that has the channel ends: the source is told. One of a client that only listens: nobody is.
#[test]
fn a_client_is_gone_in_the_middle_of_a_conversation() {
    run(async {
        let world = World::new();
        let (ann, bob) = (world.peer("ann").await, world.peer("bob").await);
        let mut anns = ann.listens(BI, UserFilter::PerUser).await;
        let mut bobs = bob.listens(BI, UserFilter::PerUser).await;
        let mut lasting = bob.listens(UNI, UserFilter::PerUser).await;
        let (source, mut heard) = world.open_for_all(BI);
        source.send("who?".into()).unwrap();
        let mut x = in_time(anns.new_channels()).await.unwrap().remove(0);
        let mut y = in_time(bobs.new_channels()).await.unwrap().remove(0);
        in_time(y.first()).await.unwrap();
        in_time(x.first()).await.unwrap();
        let waiting = tokio::task::spawn_local(async move { x.respond("me".into()).await });
        assert_eq!(response(&mut heard).await.0, "workgroup\\ann");
        // Everything that ann's process had.
        waiting.abort();
        let _ = waiting.await;
        drop((ann, anns));
        assert_eq!(next(&mut heard).await, SourceEvent::ClosedByClient);
        assert_eq!(source.send("?".into()), Err(Refusal::ChannelClosed));
        assert_eq!(in_time(y.respond("late".into())).await, Ok(Told::Over(None)));
        // One who only had a parked call leaves nothing behind, and takes nothing from others.
        let carol = world.peer("ann").await;
        let object = carol.registered(UNI).await;
        let parked = carol.park::<Notified>(async_notify::GET_NOTIFICATION, Handle(object)).await;
        assert_eq!(world.broker.counts().registrations, 3);
        parked.abort();
        let _ = parked.await;
        drop(carol);
        let (news, _) = world.open_for_all(UNI);
        let _ = news.send("news".into());
        assert_eq!(in_time(lasting.next()).await, Ok(Heard::Data("news".into())));
    });
}

#[test]
fn handles_of_others() {
    run(async {
        let world = World::new();
        let (ann, again) = (world.peer("ann").await, world.peer("ann").await);
        let uni = ann.registered(UNI).await;
        let bi = ann.registered(BI).await;
        let (source, mut heard) = world.open_for_all(BI);
        source.send("?".into()).unwrap();
        let new: NewChannels = ann.on(async_notify::GET_NEW_CHANNEL, bi).await.unwrap();
        let channel = new.channels[0];
        let get = async_notify::GET_NOTIFICATION;
        let mismatch = Status::CONTEXT_MISMATCH.0;
        // Of the same account in another process.
        assert_eq!(again.on::<Notified>(get, uni).await, fault(mismatch));
        // Of another kind, made up, or none.
        assert_eq!(ann.on::<Notified>(get, channel).await, fault(mismatch));
        let made_up = ContextHandle::new(guid(TYPE));
        assert_eq!(ann.on::<Notified>(get, made_up).await, fault(mismatch));
        assert_eq!(ann.on::<Notified>(get, ContextHandle::NULL).await, fault(mismatch));
        let answer = |channel| move |syntax| exchange(channel, Some("mine".into())).encode(syntax);
        for (peer, channel) in [(&again, channel), (&ann, uni)] {
            let stolen = peer.call::<Responded>(&ASYNC_NOTIFY, EXCHANGE, answer(channel)).await;
            assert_eq!(stolen, fault(mismatch));
        }
        assert!(heard.try_recv().is_err());
    });
}

/// Fifty registrations of one process wait on one signed connection; each hears its own, whatever the order.
#[test]
fn fifty_parked_calls_are_answered_out_of_order() {
    run(async {
        for level in [Level::Packet, Level::Privacy] {
            let world = World::new();
            let ann = world.client("ann", level).await;
            let mut parked = Vec::new();
            let mut sources = Vec::new();
            for _ in 0..50 {
                let (source, heard) = world.open_for_all(BI);
                let object = ann.registered(BI).await;
                let new: NewChannels = ann.on(async_notify::GET_NEW_CHANNEL, object).await.unwrap();
                let channel = *new.channels.last().unwrap();
                parked.push(ann.park::<Responded>(EXCHANGE, exchange(channel, None)).await);
                sources.push((source, heard));
            }
            let order = (0..50usize).map(|n| n * 37 % 50);
            for n in order {
                let payload = vec![u8::try_from(n).unwrap(); 100];
                sources[n].0.send(payload.into()).unwrap();
            }
            for (n, call) in (0..50u8).zip(parked) {
                let heard = in_time(call).await.unwrap().unwrap();
                assert_eq!(heard.notified.data, Some(Bytes::from(vec![n; 100])));
            }
        }
    });
}

/// A hundred wait for who does not listen; what comes then is lost for it, and its source is told so.
#[test]
fn a_hundred_notifications_and_one_more() {
    run(async {
        let world = World::new();
        let (ann, bob) = (world.peer("ann").await, world.peer("bob").await);
        let mut slow = ann.listens(UNI, UserFilter::PerUser).await;
        let (source, _) = world.open_for_all(UNI);
        let payload = |n: u32| Bytes::from(n.to_le_bytes().to_vec());
        for n in 0..100 {
            assert_eq!(source.send(payload(n)), Ok(Sent::ToListeners), "{n}");
        }
        assert_eq!(source.send(payload(100)), Err(Refusal::Undelivered));
        let mut quick = bob.listens(UNI, UserFilter::PerUser).await;
        assert_eq!(source.send(payload(101)), Ok(Sent::LostForSome));
        assert_eq!(in_time(quick.next()).await, Ok(Heard::Data(payload(101))));
        for n in 0..100 {
            assert_eq!(in_time(slow.next()).await, Ok(Heard::Data(payload(n))));
        }
        assert_eq!(source.send(payload(102)), Ok(Sent::ToListeners));
        assert_eq!(in_time(slow.next()).await, Ok(Heard::Data(payload(102))));
    });
}

/// 10 MiB are accepted, one byte more is refused by the method, and far more by the runtime.
#[test]
fn the_largest_response() {
    const MOST: usize = 0x00A0_0000;
    run(async {
        let world = World::new();
        let ann = world.client("ann", Level::Packet).await;
        let object = ann.registered(BI).await;
        let (source, mut heard) = world.open_for_all(BI);
        source.send("how much?".into()).unwrap();
        let new: NewChannels = ann.on(async_notify::GET_NEW_CHANNEL, object).await.unwrap();
        let channel = new.channels[0];
        let first: Responded = ann
            .call(&ASYNC_NOTIFY, EXCHANGE, |syntax| exchange(channel, None).encode(syntax))
            .await
            .unwrap();
        assert_eq!(first.notified.data, Some("how much?".into()));
        let answer = move |bytes: usize| {
            let data = Bytes::from(support::document(7, bytes));
            move |syntax| exchange(channel, Some(data)).encode(syntax)
        };
        let refused: Responded = ann.call(&ASYNC_NOTIFY, EXCHANGE, answer(MOST + 1)).await.unwrap();
        assert_eq!(refused.notified.result, HResult::TOO_LARGE);
        assert!(heard.try_recv().is_err());
        let waiting = ann.clone();
        let accepted = tokio::task::spawn_local(async move {
            waiting.call::<Responded>(&ASYNC_NOTIFY, EXCHANGE, answer(MOST)).await
        });
        let (_, data) = response(&mut heard).await;
        support::assert_same(&data, &support::document(7, MOST), "the response");
        source.close(None).unwrap();
        assert_eq!(in_time(accepted).await.unwrap(), Ok(lost()));
        // Beyond what the interface takes at all: the fault, and the end of the connection.
        let far = ann.call::<Responded>(&ASYNC_NOTIFY, EXCHANGE, answer(MOST + (1 << 20))).await;
        assert!(
            matches!(
                far,
                Err(Failure::Fault { status: Status::ACCESS_DENIED, .. } | Failure::Lost(_))
            ),
            "{far:?}"
        );
        let over = ann.on::<Returned>(async_notify::UNREGISTER_CLIENT, object).await;
        assert!(matches!(over, Err(Failure::Lost(_))), "{over:?}");
    });
}

/// The server stops: every call that waits is answered before its connection ends.
#[test]
fn shutdown_with_parked_calls() {
    run(async {
        let world = World::new();
        let ann = world.peer("ann").await;
        let (source, mut heard) = world.open_for_all(BI);
        let object = ann.registered(BI).await;
        let new: NewChannels = ann.on(async_notify::GET_NEW_CHANNEL, object).await.unwrap();
        let conversation = exchange(new.channels[0], None);
        let conversation = ann.park::<Responded>(EXCHANGE, conversation).await;
        let mut parked =
            vec![ann.park::<Returned>(async_notify::GET_NEW_CHANNEL, Handle(object)).await];
        for _ in 0..3 {
            let (opnum, object) = (async_notify::GET_NOTIFICATION, ann.registered(UNI).await);
            parked.push(ann.park::<Returned>(opnum, Handle(object)).await);
        }
        let World { broker, server } = world;
        broker.shut_down();
        let stopping = tokio::task::spawn_blocking(move || server.stop());
        for call in parked {
            assert_eq!(in_time(call).await.unwrap(), fault(HResult::TERMINATED.0));
        }
        assert_eq!(in_time(conversation).await.unwrap(), Ok(lost()));
        assert_eq!(next(&mut heard).await, SourceEvent::ShuttingDown);
        in_time(stopping).await.unwrap();
        let over = ann.on::<Returned>(async_notify::UNREGISTER_CLIENT, object).await;
        assert!(matches!(over, Err(Failure::Lost(_))), "{over:?}");
        drop(source);
    });
}
