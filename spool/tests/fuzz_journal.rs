//! Fuzz target: whatever is in the journal, opening the spool neither panics nor loses documents.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod support;

use despool_spool::journal::Record;
use support::mem_store::MemStore;
use support::model::{Driver, Op, open};

#[test]
fn fuzz_record() {
    bolero::check!().for_each(|bytes| {
        if let Ok(record) = Record::decode(bytes) {
            let mut again = Vec::new();
            record.encode(&mut again);
            assert_eq!(again, bytes);
        }
    });
}

#[test]
fn fuzz_journal_tail() {
    let store = MemStore::new(None);
    let mut driver = Driver::new(&store).unwrap();
    driver.run(&Op::Submit { bytes: 300, announced: false }).unwrap();
    driver.run(&Op::Submit { bytes: 70_000, announced: true }).unwrap();
    let good = store.after_kill();
    let journal = good.content("journal").unwrap();
    let used = journal.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    bolero::check!().with_type::<(u16, Vec<u8>)>().for_each(|(at, bytes)| {
        let mut damaged = journal[..used].to_vec();
        let at = 32 + usize::from(*at) % (used - 31);
        damaged.truncate(at);
        damaged.extend(bytes);
        let store = good.after_kill();
        store.plant("journal", &damaged);
        if let Ok((spool, report)) = open(&store) {
            let known = spool.jobs().iter().filter(|job| job.has_document()).count();
            let aside =
                store.names().iter().filter(|name| name.starts_with("lost+found/0000")).count();
            assert!(known + aside >= 2, "{report:?} {:?}", store.names());
        }
    });
}
