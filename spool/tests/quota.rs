//! The quota (`max_bytes`): what counts, what gives way, what is given back.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod support;

use std::sync::mpsc;
use std::time::Duration;

use despool_spool::{Error, JobId, Options, Retention, Spool, Ticket, Writer};
use support::jobs;
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(60);

fn spool(max_bytes: Option<u64>) -> (TempDir, Spool) {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { max_bytes, min_free_bytes: 0, ..Options::default() };
    let (spool, _) = Spool::open(dir.path(), options).unwrap();
    (dir, spool)
}

fn begin(spool: &Spool, expected_bytes: Option<u64>) -> Result<Writer, Error> {
    spool.begin(Ticket::new("label"), expected_bytes)
}

fn submit(spool: &Spool, bytes: usize) -> Result<JobId, Error> {
    jobs::submit(spool, &vec![7; bytes], None)
}

fn finish(spool: &Spool, id: JobId, at_ms: u64) {
    jobs::finish(spool, id, at_ms).unwrap();
}

#[test]
fn documents_that_are_being_received_count_too() {
    let (_dir, spool) = spool(Some(1000));
    let refused = |error| matches!(error, Error::Quota { limit_bytes: 1000, .. });
    let first = begin(&spool, Some(600)).unwrap();
    let mut second = begin(&spool, None).unwrap();
    second.append(&[1; 300]).unwrap();
    assert!(refused(second.append(&[1; 101]).unwrap_err()));
    assert!(refused(begin(&spool, Some(101)).err().unwrap()));
    drop(first);
    second.append(&[1; 600]).unwrap();
    second.abort("over");
    submit(&spool, 1000).unwrap();
    assert!(refused(submit(&spool, 1).unwrap_err()));
    assert_eq!(spool.usage(), (1, 1000));
}

#[test]
fn large_documents_never_exceed_it_together() {
    let (_dir, spool) = spool(Some(1_000_000));
    let submitted: Vec<_> = std::thread::scope(|scope| {
        let threads = [(); 8].map(|()| scope.spawn(|| submit(&spool, 300_000)));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let accepted = submitted.iter().filter(|one| one.is_ok()).count();
    assert!((1..=3).contains(&accepted), "{submitted:?}");
    assert_eq!(spool.usage(), (accepted, accepted as u64 * 300_000));
}

#[test]
fn jobs_that_have_ended_give_way_the_oldest_first_and_no_more_than_needed() {
    let (dir, spool) = spool(Some(1000));
    let ended: Vec<JobId> = (0..3).map(|_| submit(&spool, 200).unwrap()).collect();
    ended.iter().for_each(|id| finish(&spool, *id, 5));
    let live = submit(&spool, 300).unwrap();
    assert!(matches!(begin(&spool, Some(701)), Err(Error::Quota { .. })));
    assert_eq!(spool.jobs().len(), 4, "nothing is given up for what does not fit all the same");
    let new = submit(&spool, 400).unwrap();
    let left: Vec<JobId> = spool.jobs().iter().map(|job| job.id).collect();
    assert_eq!(left, [ended[2], live, new]);
    spool.close();
    assert!(!dir.path().join(ended[0].file_name()).exists());
    assert!(dir.path().join(ended[2].file_name()).exists());
}

#[test]
fn thousands_of_jobs_expire_while_others_come() {
    let (_dir, spool) = spool(None);
    let (told, tell) = mpsc::channel();
    for _ in 0..6000 {
        let (told, mut writer) = (told.clone(), begin(&spool, None).unwrap());
        let id = writer.job();
        writer.append(b"a").unwrap();
        writer.commit(move |done| told.send((id, done)).unwrap());
    }
    for _ in 0..6000 {
        let (id, done) = tell.recv_timeout(DEADLINE).unwrap();
        done.unwrap();
        finish(&spool, id, 5);
    }
    let (expired, expires) = mpsc::channel();
    let other = spool.clone();
    std::thread::spawn(move || {
        expired.send(other.expire(Retention { jobs: 0, age_ms: 0 }, 10).len())
    });
    submit(&spool, 100_000).unwrap();
    assert_eq!(expires.recv_timeout(DEADLINE), Ok(6000));
}
