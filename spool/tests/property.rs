//! Any sequence of operations, ended by any crash: what is found is one moment of what was asked, not before the last
//! acknowledgement.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod support;

use despool_spool::{Cause, Change, Confirmed, Deed, Hold, Recovery, Ticket};
use proptest::prelude::*;
use support::mem_store::{Fault, Loss, MemStore};
use support::model::{Driver, Op, brief, check_indices, moment_of, open};

fn ticket() -> impl Strategy<Value = Ticket> {
    let hold =
        prop_oneof![Just(Hold::No), Just(Hold::Indefinite), any::<u64>().prop_map(Hold::Until)];
    ("[a-z]{1,9}", ".{0,40}", 1..=u16::MAX, 1u8..=100, hold).prop_map(
        |(printer, title, copies, priority, hold)| {
            let mut ticket = Ticket::new(printer);
            ticket.title = title.into();
            ticket.extra = vec![("protocol".into(), "ipp".into())];
            Ticket { copies, priority, hold, ..ticket }
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    let cause = prop_oneof![Just(Cause::Crash), Just(Cause::DeviceGone), Just(Cause::Parked)];
    let deed = prop_oneof![Just(Deed::Resumed), Just(Deed::Restarted), Just(Deed::Held)];
    prop_oneof![
        1 => ".{0,9}".prop_map(|why| Change::Hold { why: why.into() }),
        1 => Just(Change::Release),
        1 => Just(Change::Prepare),
        4 => any::<u64>().prop_map(|at_ms| Change::Start { at_ms }),
        1 => (cause, deed, any::<u64>(), any::<u64>()).prop_map(|(cause, deed, maybe_on_paper, at_ms)| {
            Change::Recover(Recovery { cause, deed, maybe_on_paper, at_ms })
        }),
        1 => any::<u64>().prop_map(|at_ms| Change::Cancel { at_ms, why: "by hand".into() }),
        2 => any::<u64>().prop_map(|at_ms| Change::Complete { at_ms }),
        1 => Just(Change::Reprint),
        1 => ticket().prop_map(|ticket| Change::Edit(ticket.into())),
        1 => (any::<u64>(), any::<u32>()).prop_map(|(bytes, pages)| Change::Confirm(Confirmed { bytes, pages })),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let bytes = prop_oneof![0usize..2000, 65_000usize..67_000];
    let submit = (bytes.clone(), any::<bool>());
    prop_oneof![
        4 => submit.clone().prop_map(|(bytes, announced)| Op::Submit { bytes, announced }),
        1 => submit.prop_map(|(bytes, announced)| Op::Abort { bytes, announced }),
        8 => (0usize..20, change(), any::<bool>()).prop_map(|(job, change, wait)| Op::Change { job, change, wait }),
        4 => (0usize..20, 0u64..9999, 0u64..9999).prop_map(|(job, accepted, more)| {
            Op::Play { job, accepted, offered: accepted + more }
        }),
        2 => (0usize..20).prop_map(|job| Op::Remove { job }),
        1 => Just(Op::Compact),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_is_found_is_one_moment(
        ops in proptest::collection::vec(op(), 1..40),
        cut in 0u64..400,
        torn in proptest::option::of(any::<u64>()),
    ) {
        let store = MemStore::new(Some(Fault::Cut(cut)));
        let Ok(mut driver) = Driver::new(&store) else { return Ok(()) };
        let _ = ops.iter().try_for_each(|op| driver.run(op));
        check_indices(&driver.spool);

        let (found, report) = open(&store.after_kill()).unwrap();
        driver.check(&found, &report, true, "killed");

        let loss = torn.map_or(Loss::Strict, Loss::Torn);
        let left = store.after_power_loss(loss);
        let (found, report) = open(&left).unwrap();
        driver.check(&found, &report, false, "power cut");

        // And what was recovered stays what it is.
        let before = moment_of(&found);
        found.close();
        drop(found);
        let (again, _) = open(&left.after_power_loss(Loss::Strict)).unwrap();
        let after = moment_of(&again);
        prop_assert!(brief(&after).starts_with(&brief(&before)), "{} then {}", brief(&before), brief(&after));
    }
}
