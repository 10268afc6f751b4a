//! The core held against a simple model of the same rules, over random sequences of operations.
//!
//! The model has flat lists that it walks through, queues of channels that it fills eagerly, and no tables: whatever it
//! shares with the core is the document.

mod drive;
mod rules;

use bytes::Bytes;
use proptest::prelude::*;

use super::Limits;
use crate::notify::outcome::Refusal;

/// Bounds that random sequences run into.
const LIMITS: Limits = Limits {
    queue: 3,
    queue_bytes: 12,
    payload_bytes: 6,
    registrations: 7,
    registrations_per_identity: 4,
    channels: 5,
    handles_per_identity: 4,
};

/// Who takes part; the first is an administrator.
const USERS: [&str; 3] = ["root", "ann", "bob"];
/// Number 0 is the server, the others are printers.
const OBJECTS: usize = 3;

/// One step. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Op {
    Register { user: usize, all: bool, object: usize, ty: u8, bidirectional: bool },
    Unregister { registration: usize },
    Open { object: usize, ty: u8, bidirectional: bool, user: Option<usize> },
    Send { channel: usize, data: Bytes },
    CloseSource { channel: usize, last: Option<Bytes> },
    GetNotification { registration: usize, written: bool },
    GetNewChannels { registration: usize, written: bool },
    Exchange { view: usize, ty: Given, data: Bytes, written: bool },
    Close { view: usize, ty: Given, data: Bytes },
    Cancel { waiter: usize },
    AddPrinter { object: usize },
    RemovePrinter { object: usize },
    ShutDown,
}

/// The type that a client passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Nothing,
    Right,
    Wrong,
    Release,
}

/// What an operation leads to, in the model's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Notification {
        waiter: u64,
        result: Result<Option<Bytes>, Refusal>,
    },
    /// The channels that were given, and the first of as many new views.
    NewChannels {
        waiter: u64,
        result: Result<Vec<usize>, Refusal>,
    },
    /// `Ok(Ok(…))` goes on, `Ok(Err(…))` is the end.
    Reply {
        waiter: u64,
        result: Result<Result<Bytes, Option<Bytes>>, Refusal>,
    },
    Response {
        channel: usize,
        user: usize,
        data: Bytes,
    },
    Ended {
        channel: usize,
        why: &'static str,
    },
}

fn data() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(b'a'..=b'z', 0..=7).prop_map(Bytes::from)
}

fn given() -> impl Strategy<Value = Given> {
    prop_oneof![
        2 => Just(Given::Nothing),
        6 => Just(Given::Right),
        1 => Just(Given::Wrong),
        1 => Just(Given::Release),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let pick = any::<prop::sample::Index>().prop_map(|index| index.index(1 << 20));
    let object = || prop_oneof![5 => Just(0), 1 => 1..OBJECTS];
    let ty = || prop::bool::weighted(0.1).prop_map(u8::from);
    let written = || prop::bool::weighted(0.9);
    prop_oneof![
        6 => (0..USERS.len(), any::<bool>(), object(), ty(), prop::bool::weighted(0.6)).prop_map(
            |(user, all, object, ty, bidirectional)| Op::Register {
                user, all, object, ty, bidirectional
            }
        ),
        1 => pick.clone().prop_map(|registration| Op::Unregister { registration }),
        5 => (object(), ty(), prop::bool::weighted(0.7), prop::option::of(0..USERS.len())).prop_map(
            |(object, ty, bidirectional, user)| Op::Open { object, ty, bidirectional, user }
        ),
        8 => (pick.clone(), data()).prop_map(|(channel, data)| Op::Send { channel, data }),
        1 => (pick.clone(), prop::option::of(data()))
            .prop_map(|(channel, last)| Op::CloseSource { channel, last }),
        8 => (pick.clone(), written())
            .prop_map(|(registration, written)| Op::GetNotification { registration, written }),
        6 => (pick.clone(), written())
            .prop_map(|(registration, written)| Op::GetNewChannels { registration, written }),
        14 => (pick.clone(), given(), data(), written())
            .prop_map(|(view, ty, data, written)| Op::Exchange { view, ty, data, written }),
        4 => (pick.clone(), given(), data()).prop_map(|(view, ty, data)| Op::Close { view, ty, data }),
        2 => pick.prop_map(|waiter| Op::Cancel { waiter }),
        2 => (1..OBJECTS).prop_map(|object| Op::AddPrinter { object }),
        1 => (1..OBJECTS).prop_map(|object| Op::RemovePrinter { object }),
        1 => prop::bool::weighted(0.05).prop_map(|really| {
            if really { Op::ShutDown } else { Op::AddPrinter { object: 1 } }
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_core_does_what_the_model_does(ops in prop::collection::vec(op(), 1..250)) {
        let mut drive = drive::Drive::new();
        for op in ops {
            drive.step(&op);
        }
    }
}

/// What the random sequences reach: were they not to reach a rule, the property would say nothing of it.
#[test]
fn random_sequences_reach_every_rule() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut reached = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let ops = prop::collection::vec(op(), 250).new_tree(&mut runner).unwrap().current();
        let mut drive = drive::Drive::new();
        for op in &ops {
            drive.step(op);
        }
        reached.append(&mut drive.reached);
    }
    for wanted in [
        "AccessDenied",
        "NoSuchObject",
        "TooManyRegistrations",
        "TooManyChannels",
        "TooManyHandles",
        "AlreadyParked",
        "Terminated",
        "NotRegistered",
        "WrongStyle",
        "NoSuchHandle",
        "ChannelClosed",
        "TooLarge",
        "WrongType",
        "Unanswered",
        "Undelivered",
        "ShuttingDown",
        "ToListeners",
        "LostForSome",
        "NoListeners",
        "AcquiredByOther",
        "Release",
        "Lost",
        "Last",
        "Response",
        "ClosedByClient",
        "ObjectDeleted",
        "Requeued",
    ] {
        assert!(reached.contains(wanted), "never reached: {wanted}; reached: {reached:?}");
    }
}
