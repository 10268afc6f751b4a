//! What the lock and the outbox promise: order, exactly once, re-entry, a completion that panics; and listening locally.

use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;
use std::thread;

use super::*;
use crate::notify::local::Listener;
use crate::notify::types::{Style, UserFilter};

const TYPE: NotificationType = NotificationType::new(7);

fn topic(style: Style) -> Topic {
    Topic { object: Object::Server, notification_type: TYPE, style }
}

fn who(name: &str) -> Identity {
    Identity { id: name.into(), name: name.into(), admin: false }
}

fn register(broker: &Broker, name: &str, style: Style) -> RegistrationId {
    broker.register(topic(style), UserFilter::PerUser, who(name)).unwrap()
}

fn open(broker: &Broker, style: Style) -> SourceChannel {
    broker.open(topic(style), Audience::AllUsers, |_| {}).unwrap()
}

fn number(n: usize) -> Bytes {
    Bytes::from(n.to_string())
}

/// A client that asks again from within the completion of its call, as a transport may do.
fn ask_again(broker: &Broker, id: RegistrationId, heard: mpsc::Sender<Bytes>) {
    let again = broker.clone();
    broker.get_notification(id, move |result| {
        if let Ok(Notification::Data(data)) = result {
            heard.send(data).unwrap();
            ask_again(&again, id, heard);
        }
    });
}

#[test]
fn order_holds_for_all_across_threads() {
    const SOURCES: usize = 4;
    const EACH: usize = 300;
    let broker = Broker::new(Limits { queue: SOURCES * EACH, ..Limits::default() });
    let (heard, hears): (Vec<_>, Vec<_>) = (0..8).map(|_| mpsc::channel()).unzip();
    for (n, heard) in heard.into_iter().enumerate() {
        let id = register(&broker, &format!("client{n}"), Style::Unidirectional);
        ask_again(&broker, id, heard);
    }
    thread::scope(|scope| {
        for source in 0..SOURCES {
            let broker = &broker;
            scope.spawn(move || {
                let channel = open(broker, Style::Unidirectional);
                for n in 0..EACH {
                    channel.send(number(source * EACH + n)).unwrap();
                }
            });
        }
    });
    broker.shut_down();
    let heard: Vec<Vec<usize>> = hears
        .into_iter()
        .map(|hears| {
            let number = |data: Bytes| std::str::from_utf8(&data).unwrap().parse().unwrap();
            hears.into_iter().map(number).collect()
        })
        .collect();
    for one in &heard {
        assert_eq!(one.len(), SOURCES * EACH);
        assert_eq!(*one, heard[0], "all clients hear the same order");
        for source in 0..SOURCES {
            let of_source = one.iter().filter(|n| **n / EACH == source);
            assert!(of_source.is_sorted(), "the order of each source is kept");
        }
    }
}

#[test]
fn a_race_for_a_channel_has_one_winner() {
    const CLIENTS: usize = 8;
    for _ in 0..50 {
        let broker = Broker::default();
        let (told, events) = mpsc::channel();
        let channel = broker
            .open(topic(Style::Bidirectional), Audience::AllUsers, move |event| {
                told.send(event).unwrap();
            })
            .unwrap();
        let handles: Vec<HandleId> = (0..CLIENTS)
            .map(|n| {
                let id = register(&broker, &n.to_string(), Style::Bidirectional);
                let (told, hears) = mpsc::channel();
                broker.get_new_channels(id, move |result| told.send(result).unwrap());
                hears.recv().unwrap().unwrap()[0]
            })
            .collect();
        channel.send(number(1)).unwrap();
        let won = AtomicUsize::new(0);
        thread::scope(|scope| {
            for handle in handles {
                let (broker, won) = (&broker, &won);
                scope.spawn(move || {
                    let answer = Bytes::from_static(b"mine");
                    match broker.close_channel(handle, TYPE, answer) {
                        Ok(Ended::Closed) => won.fetch_add(1, Ordering::SeqCst),
                        Ok(Ended::AcquiredByOther) => 0,
                        other => panic!("{other:?}"),
                    };
                });
            }
        });
        assert_eq!(won.into_inner(), 1);
        let events: Vec<SourceEvent> = events.into_iter().collect();
        assert!(matches!(&*events, [SourceEvent::Response { .. }, SourceEvent::ClosedByClient]));
        assert_eq!(broker.counts().handles, 0);
    }
}

#[test]
fn a_completion_that_panics_harms_nobody_else() {
    let broker = Broker::default();
    let bad = register(&broker, "bad", Style::Unidirectional);
    let good = register(&broker, "good", Style::Unidirectional);
    broker.get_notification(bad, |_| panic!("injected"));
    let (told, hears) = mpsc::channel();
    ask_again(&broker, good, told);
    let channel = open(&broker, Style::Unidirectional);
    let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| channel.send(number(1))));
    assert!(sent.is_err());
    channel.send(number(2)).unwrap();
    assert_eq!((hears.recv().unwrap(), hears.recv().unwrap()), (number(1), number(2)));
}

#[test]
fn a_canceled_call_is_dropped_uncalled() {
    let broker = Broker::default();
    let id = register(&broker, "ann", Style::Unidirectional);
    let (told, hears) = mpsc::channel::<()>();
    let waiter = broker.get_notification(id, move |_| told.send(()).unwrap());
    assert!(broker.cancel(waiter));
    assert!(!broker.cancel(waiter));
    assert_eq!(hears.recv(), Err(mpsc::RecvError), "the closure is gone");
    assert_eq!(broker.counts().parked, 0);
}

#[test]
fn a_dropped_channel_is_closed() {
    let broker = Broker::default();
    drop(open(&broker, Style::Bidirectional));
    assert_eq!(broker.counts().channels, 0);
    assert!(broker.lock().sinks.is_empty());
    let channel = open(&broker, Style::Bidirectional);
    broker.shut_down();
    assert_eq!(channel.send(number(1)), Err(Refusal::ChannelClosed));
    assert!(broker.lock().sinks.is_empty());
}

#[tokio::test]
async fn listening_in_this_process() {
    let broker = Broker::default();
    let identity = Listener::server_identity();
    let all = UserFilter::AllUsers;
    let mut listener =
        Listener::register(&broker, topic(Style::Unidirectional), all, identity.clone()).unwrap();
    let for_ann = Audience::User("ann".into());
    let channel = broker.open(topic(Style::Unidirectional), for_ann, |_| {}).unwrap();
    {
        let mut dropped = std::pin::pin!(listener.next());
        assert!(futures_pending(dropped.as_mut()).await);
    }
    channel.send(number(1)).unwrap();
    channel.send(number(2)).unwrap();
    for n in [1, 2] {
        assert_eq!(listener.next().await, Ok(Notification::Data(number(n))));
    }
    drop(listener);
    assert_eq!(broker.counts().registrations, 0);
}

/// Polls once: true while it is not ready.
async fn futures_pending<F: Future + Unpin>(mut future: F) -> bool {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(std::pin::Pin::new(&mut future).poll(context).is_pending())
    })
    .await
}

#[tokio::test]
async fn a_conversation_in_this_process() {
    let broker = Broker::default();
    let (told, mut events) = tokio::sync::mpsc::unbounded_channel();
    let mut listener =
        Listener::register(&broker, topic(Style::Bidirectional), UserFilter::PerUser, who("ann"))
            .unwrap();
    let channel = broker
        .open(topic(Style::Bidirectional), Audience::AllUsers, move |event| {
            told.send(event).unwrap();
        })
        .unwrap();
    let mut client = listener.new_channels().await.unwrap().remove(0);
    for n in 1..4 {
        channel.send(number(n)).unwrap();
        assert_eq!(client.next().await, Ok(Reply::Notification(number(n))));
        assert_eq!(client.next().await, Err(Refusal::WrongType), "it is to be answered first");
        client.respond(number(n * 10)).unwrap();
        let response = SourceEvent::Response { from: who("ann"), data: number(n * 10) };
        assert_eq!(events.recv().await, Some(response));
    }
    channel.close(Some(number(9))).unwrap();
    assert_eq!(client.next().await, Ok(Reply::Closed(Some(number(9)))));
    assert_eq!(client.next().await, Err(Refusal::ChannelClosed));
    assert_eq!(events.recv().await, None, "the source is not told of what it did itself");
}
