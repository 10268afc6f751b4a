//! Floods, and a subscriber that does not come to take them.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::event::PortEvent;

fn said(seq: u64, port: &str, bytes: &'static [u8]) -> Event {
    let what = PortChange::BackChannel { bytes: Bytes::from_static(bytes), dropped: 0 };
    happened(seq, port, what)
}

fn happened(seq: u64, port: &str, what: PortChange) -> Event {
    let what = What::Port(PortEvent { port: port.into(), printers: Vec::new(), what });
    Event { seq, at_ms: 0, what }
}

fn detached(seq: u64, port: u64) -> Event {
    happened(seq, &port.to_string(), PortChange::Detached { why: String::new() })
}

/// Counts messages; takes nothing.
#[derive(Default)]
struct Asleep(Arc<Mutex<Vec<Events>>>);

impl Actor for Asleep {
    type Context = Context<Self>;
}

impl Handler<Events> for Asleep {
    type Result = ();

    fn handle(&mut self, events: Events, _: &mut Self::Context) {
        self.0.lock().unwrap().push(events);
    }
}

/// Lets an actor handle what it has.
#[derive(Message)]
#[rtype(result = "()")]
struct Settle;

impl Handler<Settle> for Asleep {
    type Result = ();

    fn handle(&mut self, _: Settle, _: &mut Self::Context) {}
}

#[actix::test]
async fn a_subscriber_gets_one_message_until_it_takes() {
    let messages = Arc::default();
    let asleep = Asleep(Arc::clone(&messages)).start();
    let feed = Feed::new(asleep.clone().recipient());
    for seq in 0..100_000 {
        feed.push(detached(seq, seq % 7));
    }
    asleep.send(Settle).await.unwrap();
    let message = messages.lock().unwrap().pop().unwrap();
    assert!(messages.lock().unwrap().is_empty(), "more than one");
    let taken = message.take().unwrap();
    assert_eq!((taken.events.len(), taken.lost), (EVENTS_WAITING, 0));
    let last: Vec<u64> = taken.events.iter().rev().take(7).map(|event| event.seq).collect();
    assert_eq!(last, [99_999, 99_998, 99_997, 99_996, 99_995, 99_994, 99_993]);
    feed.push(detached(100_000, 0));
    asleep.send(Settle).await.unwrap();
    assert!(messages.lock().unwrap().is_empty(), "it has not seen the end yet");
    assert_eq!(message.take().map(|taken| taken.events.len()), Some(1));
    assert!(message.take().is_none());
    feed.push(detached(100_001, 0));
    asleep.send(Settle).await.unwrap();
    let message = messages.lock().unwrap().pop().unwrap();
    assert_eq!(message.take().map(|taken| taken.events.len()), Some(1), "and again one");
    assert!(feed.is_wanted());
}

#[test]
fn bytes_that_nobody_sees_are_counted() {
    let mut taken = Taken::default();
    taken.put(said(0, "/dev/x", b"abc"));
    for seq in 1..EVENTS_WAITING as u64 {
        taken.put(detached(seq, seq));
    }
    taken.put(said(9_999, "/dev/x", b"de"));
    assert_eq!((taken.events.len(), taken.lost), (EVENTS_WAITING, 0));
    let What::Port(event) = &taken.events.back().unwrap().what else { panic!() };
    let expected = PortChange::BackChannel { bytes: Bytes::from_static(b"de"), dropped: 3 };
    assert_eq!(event.what, expected);
}

proptest! {
    /// Whatever comes and however late it is taken: in order, within the bound, the newest of each thing or a loss.
    #[test]
    fn the_invariant(things in proptest::collection::vec(0_u64..2_000, 0..4_000)) {
        let mut taken = Taken::default();
        let mut newest = BTreeMap::new();
        for (seq, port) in things.into_iter().enumerate() {
            taken.put(detached(seq as u64, port));
            newest.insert(port.to_string(), seq as u64);
            prop_assert!(taken.events.len() <= EVENTS_WAITING);
        }
        prop_assert!(taken.events.iter().is_sorted_by_key(|event| event.seq));
        let missing = newest.values().filter(|seq| {
            !taken.events.iter().any(|event| event.seq == **seq)
        });
        prop_assert!(missing.count() as u64 <= taken.lost);
    }
}
