use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::testing::pattern;

/// A stack that does what a script says.
#[derive(Default)]
struct Script {
    flying: VecDeque<Vec<u8>>,
    got: Vec<u8>,
    ended: VecDeque<Sent>,
    halted: bool,
}

impl Script {
    /// Ends the oldest transfer so.
    fn end(&mut self, count: usize, outcome: Outcome) {
        let Some(bytes) = self.flying.pop_front() else { return };
        let count = count.min(bytes.len());
        self.got.extend(&bytes[..count]);
        self.ended.push_back(Sent { bytes, count, outcome });
    }
}

impl Pipes for Script {
    fn send(&mut self, bytes: Vec<u8>) {
        assert!(!self.halted, "sent to a halted endpoint");
        self.flying.push_back(bytes);
    }
    fn sent(&mut self) -> Option<Sent> {
        self.ended.pop_front()
    }
    fn take_back(&mut self) {
        while !self.flying.is_empty() {
            self.end(0, Outcome::Canceled);
        }
    }
    fn listen(&mut self) {}
    fn heard(&mut self) -> Option<(Vec<u8>, Outcome)> {
        None
    }
    fn ask_status(&mut self) {}
    fn status(&mut self) -> Option<Result<u8, Outcome>> {
        None
    }
    fn clear_halts(&mut self, _: bool, _: bool) -> super::super::pipes::Work {
        Box::new(|| Ok(()))
    }
    fn soft_reset(&mut self) -> super::super::pipes::Work {
        Box::new(|| Ok(()))
    }
}

#[test]
fn a_transfer_that_ends_short_without_a_reason_is_no_success() {
    let (mut flights, mut script) = (Flights::default(), Script::default());
    let now = Instant::now();
    flights.send(&mut script, Lent::memory(b"four"), now).unwrap();
    script.end(3, Outcome::Done);
    let why = flights.take_in(&mut script, now).unwrap_err();
    assert!(why.contains("3 of 4 bytes"), "{why}");
    assert_eq!(flights.in_flight(), 4);
}

#[test]
fn bytes_that_overtake_others_are_noticed() {
    let (mut flights, mut script) = (Flights::default(), Script::default());
    let now = Instant::now();
    flights.send(&mut script, Lent::memory(b"first"), now).unwrap();
    flights.send(&mut script, Lent::memory(b"second"), now).unwrap();
    script.end(2, Outcome::Halted);
    script.end(6, Outcome::Done);
    assert!(flights.take_in(&mut script, now).unwrap_err().contains("behind others"));
}

#[derive(Clone, Debug)]
enum Event {
    Offer(usize),
    Take,
    Halt(usize),
    Mend,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (1usize..100_000).prop_map(Event::Offer),
        Just(Event::Take),
        (1usize..70_000).prop_map(Event::Halt),
        Just(Event::Mend),
    ]
}

proptest! {
    #[test]
    fn whatever_halts_the_bytes_arrive_once_and_in_order(
        events in proptest::collection::vec(event(), 1..60),
        cancel in any::<bool>(),
    ) {
        let (mut flights, mut script) = (Flights::default(), Script::default());
        let document = pattern(4 << 20);
        let (mut taken, mut now) = (0, Instant::now());
        for event in events {
            now += Duration::from_millis(1);
            match event {
                Event::Offer(count) if taken + count <= document.len() => {
                    let lent = Lent::memory(&document[taken..taken + count]);
                    taken += flights.send(&mut script, lent, now).unwrap();
                }
                Event::Offer(_) => {}
                Event::Take => script.end(usize::MAX, Outcome::Done),
                Event::Halt(count) => {
                    let length = script.flying.front().map_or(0, Vec::len);
                    // At least a byte leaves, so that it is never given up.
                    if length > 1 {
                        script.end(count.min(length - 1), Outcome::Halted);
                        script.halted = true;
                    }
                }
                Event::Mend if flights.is_halted() => {
                    script.halted = false;
                    flights.go_on(&mut script, now);
                }
                Event::Mend => {}
            }
            flights.take_in(&mut script, now).unwrap();
            prop_assert_eq!(taken as u64 - flights.in_flight(), script.got.len() as u64);
            prop_assert!(script.got == document[..script.got.len()]);
        }
        if cancel {
            let in_flight = flights.in_flight();
            flights.cancel(&mut script);
            flights.take_in(&mut script, now).unwrap();
            let canceled = flights.withdraw();
            prop_assert_eq!(canceled.withdrawn_bytes, in_flight);
            prop_assert_eq!((flights.in_flight(), canceled.unknown_bytes), (0, 0));
        }
    }
}
