//! The spool on a real disk, as an operator meets it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod support;

use std::fs;
use std::path::Path;
use std::sync::mpsc;

use despool_spool::limits::COPIED_BYTES;
use despool_spool::{
    Change, End, Error, JobId, Options, Retention, Shadow, Spool, State, Ticket, Writer,
};
use support::jobs::{self, answered, commit};

fn options() -> Options {
    Options { min_free_bytes: 0, ..Options::default() }
}

fn open(path: &Path) -> Spool {
    Spool::open(path, options()).unwrap().0
}

fn submit(spool: &Spool, document: &[u8]) -> JobId {
    jobs::submit(spool, document, Some(document.len() as u64)).unwrap()
}

fn commit_small(writer: Writer, last: &'static [u8]) -> Result<(), Error> {
    answered(|then| writer.commit_small(last, then))
}

fn finish(spool: &Spool, id: JobId, at_ms: u64) {
    jobs::finish(spool, id, at_ms).unwrap();
}

fn state(spool: &Spool, id: JobId) -> State {
    Shadow::clone(&spool.job(id).unwrap()).state
}

#[test]
fn a_spool_file_holds_exactly_the_submitted_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    for bytes in [0, 1, 65_536, 65_537, 3_000_000] {
        let document: Vec<u8> = (0..bytes).map(|n: u32| n.to_le_bytes()[n as usize % 3]).collect();
        let id = submit(&spool, &document);
        assert_eq!(fs::read(dir.path().join(id.file_name())).unwrap(), document);
        let handle = spool.document(id).unwrap();
        let mut played = Vec::new();
        while let Some(piece) = handle.read(played.len() as u64, 1_000_001).unwrap() {
            assert_eq!(piece.file().is_some(), piece.len() > COPIED_BYTES);
            played.extend_from_slice(piece.lend());
        }
        assert_eq!(played, document);
    }
}

#[test]
fn nobody_else_can_read_the_spool() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/spool");
    let spool = open(&path);
    let id = submit(&spool, b"secret");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    for name in ["journal", &id.file_name()] {
        assert_eq!(fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn two_servers_cannot_share_a_spool() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let second = Spool::open(dir.path(), options()).err().unwrap();
    assert!(matches!(second, Error::InUse { .. }), "{second}");
    first.close();
    drop(first);
    open(dir.path());
}

#[test]
fn a_document_is_followed_while_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let mut writer = spool.begin(Ticket::new("label"), None).unwrap();
    writer.announce().unwrap();
    let document = spool.document(writer.job()).unwrap();
    let follower = std::thread::spawn(move || {
        let mut got = Vec::new();
        loop {
            answered(|then| document.when_beyond(got.len() as u64, move || then(())));
            match document.read(got.len() as u64, 4096).unwrap() {
                Some(piece) => got.extend_from_slice(piece.lend()),
                None => break assert_eq!(document.extent().end, End::Whole),
            }
        }
        got
    });
    let mut sent = Vec::new();
    for n in 0..300u32 {
        let part = vec![n as u8; n as usize];
        writer.append(&part).unwrap();
        sent.extend(part);
    }
    commit(writer).unwrap();
    assert_eq!(follower.join().unwrap(), sent);
}

#[test]
fn a_canceled_job_stops_its_writer_and_its_reader() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let mut writer = spool.begin(Ticket::new("label"), None).unwrap();
    writer.announce().unwrap();
    writer.append(b"half").unwrap();
    let id = writer.job();
    let document = spool.document(id).unwrap();
    spool.update(id, Change::Cancel { at_ms: 1, why: "by hand".into() }, None).unwrap();
    assert_eq!(document.extent().end, End::Broken);
    assert!(matches!(writer.append(b"more"), Err(Error::Canceled { .. })));
    assert!(matches!(commit(writer), Err(Error::Canceled { .. })));
    assert!(matches!(state(&spool, id), State::Canceled { .. }));
    assert!(!dir.path().join(id.file_name()).exists());
}

#[test]
fn a_broken_off_submission_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let before = fs::read_dir(dir.path()).unwrap().count();
    let mut writer = spool.begin(Ticket::new("label"), Some(1 << 20)).unwrap();
    writer.append(&[7; 1000]).unwrap();
    drop(writer);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), before);
    assert!(spool.jobs().is_empty());
}

#[test]
fn ids_are_never_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for _ in 0..4 {
        let spool = open(dir.path());
        // Not even committed: only seen by a client.
        let seen = spool.begin(Ticket::new("label"), None).unwrap().job().number();
        assert!(seen > last, "{seen} after {last}");
        let id = submit(&spool, b"x");
        last = id.number();
        finish(&spool, id, 1);
        spool.remove(id).unwrap();
    }
}

#[test]
fn an_orderly_end_gives_back_the_ids_it_did_not_use() {
    let dir = tempfile::tempdir().unwrap();
    let numbers: Vec<u32> = (0..4).map(|_| submit(&open(dir.path()), b"x").number()).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[test]
fn finished_jobs_stay_for_a_reprint_and_go_by_count_and_age() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let ids: Vec<JobId> = (0..6).map(|_| submit(&spool, b"label")).collect();
    for (n, id) in ids.iter().enumerate().take(5) {
        finish(&spool, *id, 1000 + n as u64);
    }
    let keep = |jobs, age_ms| Retention { jobs, age_ms };
    assert_eq!(spool.expire(keep(4, 10_000), 2000), &ids[..1]);
    assert_eq!(spool.expire(keep(9, 100), 1103), &ids[1..3]);
    spool.update(ids[3], Change::Reprint, None).unwrap();
    assert_eq!(spool.expire(keep(0, 0), 5000), &ids[4..5]);
    assert_eq!(spool.jobs().iter().map(|job| job.id).collect::<Vec<_>>(), [ids[3], ids[5]]);
    spool.close();
    drop(spool);
    let left: Vec<bool> = ids.iter().map(|id| dir.path().join(id.file_name()).exists()).collect();
    assert_eq!(left, [false, false, false, true, false, true]);
}

#[test]
fn foreign_files_are_left_alone_and_orphans_put_aside() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let kept = submit(&spool, b"kept");
    spool.close();
    drop(spool);
    fs::write(dir.path().join("README"), "mine").unwrap();
    fs::write(dir.path().join("7.spl"), "mine too").unwrap();
    fs::create_dir(dir.path().join("00009.spl")).unwrap();
    fs::write(dir.path().join("04711.spl"), "whose?").unwrap();
    fs::write(dir.path().join(".0.part"), "half").unwrap();

    let (spool, report) = Spool::open(dir.path(), options()).unwrap();
    let aside: Vec<&str> = report.orphans.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(aside, ["04711.spl", ".0.part"]);
    assert_eq!(fs::read_to_string(dir.path().join("lost+found/04711.spl")).unwrap(), "whose?");
    assert_eq!(fs::read_to_string(dir.path().join("README")).unwrap(), "mine");
    assert_eq!(fs::read_to_string(dir.path().join("7.spl")).unwrap(), "mine too");
    assert_eq!(fs::read(dir.path().join(kept.file_name())).unwrap(), b"kept");
    assert!(submit(&spool, b"new").number() > 4711, "the orphan's number was somebody's id once");
}

#[test]
fn a_torn_tail_is_cut_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let first = submit(&spool, b"first");
    let second = submit(&spool, b"second");
    spool.close();
    drop(spool);
    let path = dir.path().join("journal");
    let mut journal = fs::read(&path).unwrap();
    let within = journal.windows(6).rposition(|bytes| bytes == b"second").unwrap();
    journal[within + 3..].fill(0);
    fs::write(&path, journal).unwrap();

    let (spool, report) = Spool::open(dir.path(), options()).unwrap();
    let (bytes, kept) = report.torn.unwrap();
    assert_eq!(fs::metadata(dir.path().join(kept)).unwrap().len(), bytes);
    assert_eq!(spool.jobs().iter().map(|job| job.id).collect::<Vec<_>>(), [first]);
    assert_eq!(
        report.orphans,
        [(second.file_name(), format!("lost+found/{}", second.file_name()))]
    );
}

#[test]
fn a_damaged_document_is_not_printed_as_if_it_were_whole() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let id = submit(&spool, &[1; 100_000]);
    let path = dir.path().join(id.file_name());
    fs::File::options().write(true).open(&path).unwrap().set_len(99_999).unwrap();
    let refused = spool.document(id).err().unwrap();
    assert_eq!(
        refused.to_string(),
        "spool: 00001.spl is damaged: it has 99999 bytes, the journal says 100000"
    );
    spool.close();
    drop(spool);
    let (spool, report) = Spool::open(dir.path(), options()).unwrap();
    assert_eq!(report.damaged.len(), 1);
    assert!(matches!(state(&spool, id), State::Aborted { .. }));
    assert_eq!(fs::metadata(dir.path().join("lost+found/00001.spl")).unwrap().len(), 99_999);
}

#[test]
fn limits_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Options { max_job_bytes: 1000, max_bytes: Some(1500), min_free_bytes: 0 };
    let (spool, _) = Spool::open(dir.path(), limits).unwrap();
    let refused = |expected| spool.begin(Ticket::new("label"), Some(expected)).err().unwrap();
    assert!(matches!(refused(1001), Error::TooLarge { limit_bytes: 1000 }));
    submit(&spool, &[0; 900]);
    assert!(matches!(refused(900), Error::Quota { used_bytes: 900, limit_bytes: 1500 }));
    let mut writer = spool.begin(Ticket::new("label"), None).unwrap();
    assert!(matches!(writer.append(&[0; 1001]), Err(Error::TooLarge { .. })));
    drop(writer);
    spool.set_options(Options { min_free_bytes: u64::MAX / 2, ..options() });
    let full = refused(1);
    assert!(matches!(full, Error::Full { .. }), "{full}");
    assert!(full.to_string().contains("make room or lower min_free_bytes"));
    // What is there can still be read and played.
    spool.document(JobId::new(1).unwrap()).unwrap();
}

#[test]
fn too_many_documents_at_a_time_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let mut writers = Vec::new();
    let refused = loop {
        match spool.begin(Ticket::new("label"), None) {
            Ok(writer) => writers.push(writer),
            Err(error) => break error,
        }
    };
    assert_eq!(writers.len(), despool_spool::limits::WRITERS);
    assert!(matches!(refused, Error::TooManyWriters { .. }));
    writers.pop();
    spool.begin(Ticket::new("label"), None).unwrap();
}

#[test]
fn the_journal_is_compacted_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let document = vec![5; 60_000];
    let size = || fs::metadata(dir.path().join("journal")).unwrap().len();
    let mut largest = 0;
    for n in 0..1000 {
        let id = submit(&spool, &document);
        finish(&spool, id, n);
        spool.expire(Retention { jobs: 3, age_ms: u64::MAX }, n);
        largest = largest.max(size());
    }
    assert!(largest < 40 << 20, "60 MB went through a journal of {largest} bytes");
    let jobs = spool.jobs();
    assert_eq!(jobs.len(), 3);
    spool.close();
    drop(spool);
    let (again, report) = Spool::open(dir.path(), options()).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(again.jobs(), jobs);
}

#[test]
fn a_closed_spool_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let writer = spool.begin(Ticket::new("label"), None).unwrap();
    spool.close();
    assert!(matches!(commit(writer), Err(Error::Closed)));
}

#[test]
fn a_small_document_is_taken_without_waiting_here() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let submit_all = || {
        let ids: Vec<JobId> = (0..40)
            .map(|_| {
                let mut writer = spool.begin(Ticket::new("label"), None).unwrap();
                let id = writer.job();
                writer.append(b"^XA").unwrap();
                assert!(writer.is_small_with(65_533) && !writer.is_small_with(65_534));
                commit_small(writer, b"^XZ").unwrap();
                id
            })
            .collect();
        for id in &ids {
            assert_eq!(fs::read(dir.path().join(id.file_name())).unwrap(), b"^XA^XZ");
        }
    };
    submit_all();
    let files = || fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(files(), 40 + 2, "the documents, the journal and the lock");
}

#[test]
fn a_small_document_that_cannot_be_taken_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), Options { max_job_bytes: 5, ..options() }).unwrap().0;
    let mut writer = spool.begin(Ticket::new("label"), None).unwrap();
    let id = writer.job();
    writer.append(b"^XA").unwrap();
    assert!(matches!(commit_small(writer, b"^XZ"), Err(Error::TooLarge { limit_bytes: 5 })));
    assert!(matches!(spool.job(id), Err(Error::NoSuchJob { .. })));
    assert!(!dir.path().join(id.file_name()).exists());
    let writer = spool.begin(Ticket::new("label"), None).unwrap();
    spool.close();
    assert!(matches!(commit_small(writer, b"^XA"), Err(Error::Closed)));
}

#[test]
fn who_listens_hears_of_a_durable_document_before_its_submitter() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let (heard, hear) = mpsc::channel();
    spool.on_durable(Box::new(move |jobs| jobs.iter().for_each(|job| heard.send(*job).unwrap())));
    let small = submit(&spool, b"^XA^XZ");
    assert_eq!(hear.try_recv(), Ok(small));
    let large = submit(&spool, &[7; 100_000]);
    assert_eq!(hear.try_recv(), Ok(large));
    spool.sync(Box::new(drop));
    spool.close();
    assert!(hear.try_recv().is_err(), "a sync alone is no document");
}
