//! A spool on a disk that fails, or on a machine that dies, at every single operation of a scenario.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod support;

use std::io::ErrorKind;
use std::sync::Arc;

use despool_spool::{Cause, Deed};
use despool_spool::{Change, Confirmed, Error, JobId, Recovery, Ticket};
use support::mem_store::{Fault, Loss, MemStore};
use support::model::{Driver, Op, brief, moment_of, open, read_document};

const SMALL: usize = 700;
const LARGE: usize = 70_000;

/// One of everything.
fn scenario() -> Vec<Op> {
    let change = |job, change, wait| Op::Change { job, change, wait };
    let recovery =
        Recovery { cause: Cause::DeviceGone, deed: Deed::Restarted, maybe_on_paper: 300, at_ms: 4 };
    vec![
        Op::Submit { bytes: SMALL, announced: false },
        Op::Submit { bytes: LARGE, announced: false },
        change(0, Change::Prepare, true),
        change(0, Change::Start { at_ms: 1 }, false),
        Op::Play { job: 0, accepted: 0, offered: 400 },
        Op::Play { job: 0, accepted: 400, offered: 400 },
        Op::Submit { bytes: LARGE, announced: true },
        change(1, Change::Hold { why: "job-hold-until-specified".into() }, true),
        Op::Play { job: 0, accepted: 400, offered: 700 },
        change(0, Change::Recover(recovery), false),
        Op::Compact,
        change(0, Change::Start { at_ms: 2 }, false),
        Op::Play { job: 0, accepted: 700, offered: 700 },
        change(0, Change::Complete { at_ms: 3 }, false),
        change(0, Change::Confirm(Confirmed { bytes: 700, pages: 1 }), false),
        Op::Abort { bytes: SMALL, announced: true },
        Op::Submit { bytes: 0, announced: false },
        change(1, Change::Release, true),
        change(2, Change::Cancel { at_ms: 5, why: "by hand".into() }, true),
        change(0, Change::Reprint, true),
        change(1, Change::Edit(Ticket::new("other").into()), true),
        Op::Remove { job: 2 },
        Op::Compact,
        Op::Submit { bytes: SMALL, announced: true },
    ]
}

/// Runs the scenario until something fails.
fn run(store: &Arc<MemStore>) -> Option<Driver> {
    let mut driver = Driver::new(store).ok()?;
    for op in scenario() {
        if driver.run(&op).is_err() {
            break;
        }
    }
    Some(driver)
}

fn operations_of_a_whole_run() -> u64 {
    let store = MemStore::new(None);
    let mut driver = Driver::new(&store).unwrap();
    for op in scenario() {
        driver.run(&op).unwrap_or_else(|error| panic!("{op:?}: {error}"));
    }
    let jobs = moment_of(&driver.spool);
    driver.spool.close();
    let operations = store.operations();
    drop(driver);
    let (reopened, report) = open(&store.after_kill()).unwrap();
    assert_eq!(brief(&moment_of(&reopened)), brief(&jobs));
    assert!(report.is_clean(), "{report:?}");
    operations
}

#[test]
fn killed_at_every_operation() {
    for n in 0..operations_of_a_whole_run() {
        let store = MemStore::new(Some(Fault::Cut(n)));
        let driver = run(&store);
        let (found, report) =
            open(&store.after_kill()).unwrap_or_else(|error| panic!("cut at {n}: {error}"));
        if let Some(driver) = driver {
            let context = format!("killed at {n}\n{}", store.log().join("\n"));
            driver.check(&found, &report, true, &context);
            assert!(report.damaged.is_empty(), "{context}\n{report:?}");
        }
    }
}

#[test]
fn power_cut_at_every_operation() {
    for n in 0..operations_of_a_whole_run() {
        let losses =
            [Loss::Strict].into_iter().chain((1..6).map(|seed| Loss::Torn(seed * 7919 + n)));
        for loss in losses {
            let store = MemStore::new(Some(Fault::Cut(n)));
            let driver = run(&store);
            let left = store.after_power_loss(loss);
            let (found, report) =
                open(&left).unwrap_or_else(|error| panic!("cut at {n} {loss:?}: {error}"));
            if let Some(driver) = driver {
                let context = format!("power cut at {n}, {loss:?}\n{}", store.log().join("\n"));
                driver.check(&found, &report, false, &context);
            }
        }
    }
}

#[test]
fn killed_again_while_recovering() {
    for n in (0..operations_of_a_whole_run()).step_by(3) {
        let store = MemStore::new(Some(Fault::Cut(n)));
        let Some(driver) = run(&store) else { continue };
        for loss in [Loss::Strict, Loss::Torn(n)] {
            for again in 0.. {
                let second = store.after_power_loss(loss).with_fault(Fault::Cut(again));
                let opened = open(&second).is_ok();
                let (found, report) = open(&second.after_power_loss(loss)).unwrap();
                let context = format!(
                    "cut at {n}, recovery cut at {again}, {loss:?}\n{}",
                    second.log().join("\n")
                );
                driver.check(&found, &report, false, &context);
                if opened {
                    break;
                }
            }
        }
    }
}

#[test]
fn failing_at_every_operation() {
    for n in 0..operations_of_a_whole_run() {
        for kind in [ErrorKind::Other, ErrorKind::StorageFull] {
            let store = MemStore::new(Some(Fault::Fail(n, kind)));
            let Ok(mut driver) = Driver::new(&store) else { continue };
            let mut acknowledged = Vec::new();
            for op in scenario() {
                if driver.run(&op).is_ok() && matches!(op, Op::Submit { .. }) {
                    acknowledged.push(driver.last_submitted());
                }
            }
            store.mend();
            let jobs = moment_of(&driver.spool);
            let poisoned = driver.spool.poisoned().is_some();
            if poisoned {
                let refused = driver.spool.begin(Ticket::new("label"), None).err().unwrap();
                assert!(matches!(refused, Error::Poisoned { .. }), "failed at {n}: {refused}");
            }
            let log = store.log().join("\n");
            drop(driver);
            let (reopened, _) = open(&store.after_kill()).unwrap();
            let found = moment_of(&reopened);
            assert_eq!(
                brief(&found),
                brief(&jobs),
                "failed at {n} {kind:?}: memory and journal differ\n{log}"
            );
            for (id, document) in acknowledged {
                if found.get(&id).is_some_and(|(shadow, _)| shadow.has_document()) {
                    assert_eq!(
                        read_document(&reopened, id),
                        document,
                        "failed at {n}: job {id}\n{log}"
                    );
                } else {
                    assert!(
                        !found.contains_key(&id),
                        "failed at {n}: job {id} lost its document\n{log}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_wanted_soon_is_synced_without_anybody_waiting() {
    let store = MemStore::new(None);
    let (spool, _) = open(&store).unwrap();
    let before = store.log().len();
    spool.begin_direct(Ticket::new("label")).unwrap();
    for _ in 0..100 {
        spool.sync_soon();
    }
    let begun = std::time::Instant::now();
    while !store.log()[before..].iter().any(|operation| operation.ends_with(" sync")) {
        assert!(begun.elapsed().as_secs() < 20, "{:?}", store.log());
        std::thread::yield_now();
    }
}

/// Opens, gives out ids and closes, twice; the ids.
fn two_sessions(store: &Arc<MemStore>) -> Vec<u32> {
    let mut given = Vec::new();
    for _ in 0..2 {
        let Ok((spool, _)) = open(store) else { break };
        given.extend(spool.begin(Ticket::new("label"), None).map(|writer| writer.job().number()));
        given.extend(spool.begin_direct(Ticket::new("label")).map(JobId::number));
        spool.close();
        assert!(matches!(
            spool.begin_direct(Ticket::new("label")),
            Err(Error::Closed | Error::Poisoned { .. })
        ));
    }
    given
}

#[test]
fn no_id_is_given_out_twice_wherever_an_orderly_end_is_cut() {
    let whole = MemStore::new(None);
    assert_eq!(two_sessions(&whole), [1, 2, 3, 4]);
    for n in 0..whole.operations() {
        for loss in [None, Some(Loss::Strict), Some(Loss::Torn(n)), Some(Loss::Torn(n + 7919))] {
            let store = MemStore::new(Some(Fault::Cut(n)));
            let given = two_sessions(&store);
            let left = loss.map_or_else(|| store.after_kill(), |loss| store.after_power_loss(loss));
            let (spool, _) = open(&left).unwrap();
            let next = spool.begin_direct(Ticket::new("label")).unwrap().number();
            let context = format!("cut at {n}, {loss:?}: {given:?}, then {next}");
            assert!(given.is_sorted_by(|one, other| one < other), "{context}");
            assert!(given.last().is_none_or(|last| *last < next), "{context}");
        }
    }
}
