//! Free space (`min_free_bytes`): finished jobs give way before new work is refused, and nothing else ever does.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use despool_spool::{Error, JobId, Options, Spool, Ticket};
use proptest::prelude::*;
use support::jobs::{self, finish};
use support::mem_store::{Fault, Loss, MemStore};

const BLOCK: u64 = 4096;
const MIN_FREE: u64 = 10 * BLOCK;

fn open(store: &Arc<MemStore>) -> Result<Spool, Error> {
    let options = Options { min_free_bytes: MIN_FREE, ..Options::default() };
    Spool::open_on(store.clone(), options).map(|(spool, _)| spool)
}

/// A document of so many blocks, less a byte.
fn submit(spool: &Spool, blocks: u64) -> Result<JobId, Error> {
    let bytes = blocks * BLOCK - 1;
    jobs::submit(spool, &vec![7; bytes as usize], Some(bytes))
}

fn ids(spool: &Spool) -> Vec<JobId> {
    spool.jobs().iter().map(|job| job.id).collect()
}

#[test]
fn finished_jobs_give_way_the_oldest_first_and_no_more_than_needed() {
    let store = MemStore::new(None);
    let spool = open(&store).unwrap();
    let ended: Vec<JobId> = (0..3).map(|_| submit(&spool, 2).unwrap()).collect();
    // The second one ended first.
    for (id, at_ms) in ended.iter().zip([6, 5, 7]) {
        finish(&spool, *id, at_ms).unwrap();
    }
    let live = submit(&spool, 2).unwrap();
    store.set_free_bytes(MIN_FREE);
    let new = submit(&spool, 3).unwrap();
    assert_eq!(ids(&spool), [ended[2], live, new]);
    let gone = |id: &JobId| store.content(&id.file_name()).is_none();
    assert!(gone(&ended[0]) && gone(&ended[1]), "before the new one was begun");
    assert_eq!(store.content(&live.file_name()).unwrap().len() as u64, 2 * BLOCK - 1);
}

#[test]
fn what_does_not_fit_all_the_same_costs_nobody_his_reprint() {
    let store = MemStore::new(None);
    let spool = open(&store).unwrap();
    let ended = submit(&spool, 2).unwrap();
    finish(&spool, ended, 5).unwrap();
    let live = submit(&spool, 9).unwrap();
    store.set_free_bytes(MIN_FREE);
    let full = submit(&spool, 3).unwrap_err();
    assert!(
        matches!(full, Error::Full { free_bytes: MIN_FREE, needed_bytes } if needed_bytes == 13 * BLOCK - 1),
        "{full}"
    );
    assert_eq!(ids(&spool), [ended, live]);
    store.set_free_bytes(MIN_FREE + BLOCK);
    submit(&spool, 3).unwrap();
}

#[test]
fn a_document_that_grows_beyond_what_was_free_makes_room_too() {
    const LONG: usize = 4 << 20;
    let store = MemStore::new(None);
    let spool = open(&store).unwrap();
    let ended = submit(&spool, 2).unwrap();
    finish(&spool, ended, 5).unwrap();
    let mut writer = spool.begin(Ticket::new("label"), None).unwrap();
    store.set_free_bytes(MIN_FREE);
    writer.append(&vec![1; LONG]).unwrap();
    writer.append(&[1; 4096]).unwrap();
    assert_eq!(ids(&spool), []);
    let full = writer.append(&vec![1; LONG + 1]).unwrap_err();
    assert!(matches!(full, Error::Full { .. }), "{full}");
}

#[test]
fn at_every_failure_and_power_cut_jobs_that_are_not_finished_stay() {
    let scene = |store: &Arc<MemStore>, live: &mut Vec<JobId>| -> Result<(), Error> {
        let spool = open(store)?;
        let ended = submit(&spool, 2)?;
        finish(&spool, ended, 5)?;
        live.push(submit(&spool, 2)?);
        store.set_free_bytes(MIN_FREE);
        live.push(submit(&spool, 2)?);
        let poisoned = spool.poisoned().is_some();
        spool.close();
        if poisoned { Err(Error::Closed) } else { Ok(()) }
    };
    let whole = MemStore::new(None);
    scene(&whole, &mut Vec::new()).unwrap();
    for n in 0..whole.operations() {
        for fault in [Fault::Fail(n, std::io::ErrorKind::Other), Fault::Cut(n)] {
            let store = MemStore::new(Some(fault));
            let mut live = Vec::new();
            let _ = scene(&store, &mut live);
            let left = store.after_power_loss(Loss::Strict);
            left.set_free_bytes(1 << 40);
            let found = ids(&open(&left).unwrap());
            assert!(live.iter().all(|id| found.contains(id)), "{n}: {live:?} not in {found:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked, with whatever is free: a job that is not finished is never removed.
    #[test]
    fn jobs_that_are_not_finished_stay(
        steps in prop::collection::vec((0u8..3, 1u64..20, any::<prop::sample::Index>()), 1..40),
    ) {
        let store = MemStore::new(None);
        let spool = open(&store).unwrap();
        let (mut live, mut at_ms) = (BTreeSet::new(), 0);
        for (what, blocks, which) in steps {
            match what {
                0 => store.set_free_bytes(blocks * BLOCK),
                1 if !live.is_empty() => {
                    let id = *which.get(&Vec::from_iter(&live));
                    at_ms += 1;
                    finish(&spool, *id, at_ms).unwrap();
                    let id = *id;
                    live.remove(&id);
                }
                _ => match submit(&spool, blocks) {
                    Ok(id) => drop(live.insert(id)),
                    Err(Error::Full { .. }) => {}
                    Err(error) => panic!("{error}"),
                },
            }
            let there = BTreeSet::from_iter(ids(&spool));
            prop_assert!(live.is_subset(&there), "{live:?} {there:?}");
            for id in &live {
                prop_assert!(store.content(&id.file_name()).is_some());
            }
        }
    }
}
