//! What is counted as whose, and kept.

use super::*;

fn tally(language: Language, keep: Keep) -> Tally {
    Tally::new(language, Checksum::Crc32c, keep)
}

#[test]
fn keeps_up_to_a_limit_and_says_so() {
    let mut tally = tally(Language::Plain, Keep::Memory { limit_bytes: 3 });
    tally.enter(b"ab", None);
    assert!(tally.kept_all());
    tally.enter(b"cd", None);
    assert!(!tally.kept_all());
    assert_eq!((tally.take_kept(), tally.bytes()), (b"abc".to_vec(), 4));
}

#[test]
fn what_is_undecided_counts_as_the_jobs_until_it_is_decided() {
    let mut tally = tally(Language::Pjl, Keep::Memory { limit_bytes: 99 });
    tally.enter(b"job\x1b%-12345X@PJL COMMENT despool\n", None);
    assert_eq!((tally.bytes(), tally.monitor_bytes()), (33, 0));
    tally.enter(b"\x1b%-12345X", None);
    assert_eq!((tally.bytes(), tally.monitor_bytes()), (3, 39));
    let mut plain = Digest::new(Checksum::Crc32c);
    plain.update(b"job");
    assert_eq!(tally.sum(), plain.finish());
}

#[test]
fn inside_the_server_the_origin_decides() {
    let mut tally = tally(Language::Pjl, Keep::Memory { limit_bytes: 99 });
    tally.enter(b"\x1b%-12345X@PJL COMMENT despool\n\x1b%-12345X", Some(Origin::Job));
    tally.enter(b"xyz", Some(Origin::Monitor));
    assert_eq!((tally.bytes(), tally.monitor_bytes()), (39, 3));
}

#[test]
fn spans_say_where_jobs_lay() {
    let mut tally = tally(Language::Pjl, Keep::Nothing);
    tally.begin();
    tally.enter(b"abc\x1b", None);
    tally.begin();
    tally.enter(b"de", None);
    assert_eq!(tally.end(true), Some(JobSpan { start: 4, bytes: 2, complete: true }));
    assert_eq!(tally.end(true), None);
    assert_eq!(tally.spans()[0], JobSpan { start: 0, bytes: 4, complete: false });
    tally.begin();
    tally.reset();
    tally.enter(b"f", None);
    assert_eq!(tally.end(true), Some(JobSpan { start: 0, bytes: 1, complete: true }));
    assert_eq!(tally.jobs(), 1);
}

#[test]
fn a_sink_gets_the_bytes_of_jobs() {
    let path = tempfile::NamedTempFile::new().unwrap();
    let mut tally = tally(Language::Plain, Keep::Sink(Box::new(path.reopen().unwrap())));
    tally.enter(b"one", Some(Origin::Job));
    tally.enter(b"no", Some(Origin::Monitor));
    tally.enter(b"two", None);
    assert_eq!(std::fs::read(path.path()).unwrap(), b"onetwo");
}
