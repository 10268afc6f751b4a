//! What a client that waits costs: 10,000 registrations, each with a parked call, in a process of their own.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use despool::identity::Identity;
use despool::notify::{
    Audience, Broker, Notification, NotificationType, Object, Sent, Style, Topic, UserFilter,
};

const CLIENTS: usize = 10_000;
/// Bytes that one of them may cost.
const EACH: usize = 2048;

/// Bytes of this process in memory, without what is mapped from files.
fn anonymous_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
fn ten_thousand_waiting_clients_are_cheap_and_all_hear() {
    let broker = Broker::default();
    let topic = Topic {
        object: Object::printer("label"),
        notification_type: NotificationType::new(1),
        style: Style::Unidirectional,
    };
    broker.add_printer("label");
    let (told, hears) = mpsc::channel();
    let heard = Arc::new(AtomicUsize::new(0));

    let before = anonymous_bytes();
    for n in 0..CLIENTS {
        let name: Arc<str> = format!("workgroup\\client{n}").into();
        let identity = Identity { id: name.clone(), name, admin: false };
        let id = broker.register(topic.clone(), UserFilter::PerUser, identity).unwrap();
        let (heard, told) = (heard.clone(), told.clone());
        broker.get_notification(id, move |result| {
            assert_eq!(result, Ok(Notification::Data(Bytes::from_static(b"event"))));
            if heard.fetch_add(1, Ordering::SeqCst) + 1 == CLIENTS {
                told.send(()).unwrap();
            }
        });
    }
    let cost = anonymous_bytes().saturating_sub(before) / CLIENTS;
    println!("{cost} bytes for each of {CLIENTS} waiting clients");
    assert!(cost < EACH, "{cost} bytes for each");
    assert_eq!(broker.counts().parked, CLIENTS);

    let channel = broker.open(topic, Audience::AllUsers, |_| {}).unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(channel.send(Bytes::from_static(b"event")), Ok(Sent::ToListeners));
    hears.recv().unwrap();
    println!("{:?} until the last of them had heard", begun.elapsed());
    assert_eq!(broker.counts().parked, 0);
}
