use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::config::StatusQueries;
use crate::limits::{STATUS_MISSES, STATUS_PACE_JOB};
use crate::monitor::language::Reason;
use crate::monitor::language::testing::{Did, PLAIN, Rig, device, status};

const CLOSED: &[u8] = b"\x12\x12\x12\x12";

fn setup(queries: StatusQueries) -> Setup {
    Setup { queries, ..PLAIN }
}

/// A printer that has just come.
fn greeted(queries: StatusQueries) -> Rig {
    let mut rig = Rig::new(Escpos::new(setup(queries)));
    assert_eq!(rig.present(&device("")), [Did::Say(REPORT.into()), Did::Say(ASK.into())]);
    rig
}

fn over(rig: &mut Rig) -> Vec<Did> {
    rig.step(|core, now, out| core.over(Over::Ended, now, out))
}

/// What is said behind a job.
fn behind() -> [Did; 3] {
    [ASK_LAST, REPORT, ASK].map(|said| Did::Say(said.into()))
}

fn stops(keyword: &'static str) -> Did {
    status(&[Reason::stops(keyword)], "")
}

#[test]
fn what_is_said_byte_by_byte() {
    assert_eq!(REPORT, [0x1d, 0x61, 0x0f]);
    assert_eq!(ASK, [0x10, 4, 1, 0x10, 4, 2, 0x10, 4, 4, 0x10, 4, 3]);
    assert_eq!(ASK_LAST, [0x1d, 0x72, 1]);
    let mut rig = greeted(StatusQueries::WhenStalled);
    assert_eq!(rig.begin(0), [], "not one byte is added to a job");
    assert_eq!(rig.write(b"x"), [Did::Write(b"x".into())]);
    assert_eq!(rig.step(|core, now, out| core.end(now, out)), [Did::End]);
    assert_eq!(over(&mut rig), behind());
}

#[test]
fn a_dialogue_with_a_printer_that_reports_by_itself() {
    let mut rig = greeted(StatusQueries::BetweenJobs);
    assert_eq!(rig.hear(b"\x10\0\0\0\x12\x12\x12\x12"), []);
    assert_eq!(rig.hear(b"\x38\0\0\0"), [stops("cover-open")]);
    assert_eq!(
        rig.hear(b"\x38\0\x0f\0"),
        [status(&[Reason::stops("cover-open"), Reason::stops("media-empty")], "")]
    );
    assert_eq!(rig.hear(b"\x10\0\x03\0"), [status(&[Reason::warns("media-low")], "")]);
    assert_eq!(rig.hear(b"\x14\0\0\0"), [status(&[], "the cash drawer is open")]);
    assert_eq!(rig.hear(b"\x10\0\0\0"), [status(&[], "")]);
    assert_eq!(rig.hear(b"\x10\0\0\0"), [], "no news");
    assert_eq!(rig.core.due(), Some(rig.now + STATUS_PACE_SILENT), "it need not be asked");
}

#[test]
fn a_dialogue_with_a_printer_that_must_be_asked() {
    let mut rig = greeted(StatusQueries::BetweenJobs);
    assert_eq!(rig.hear(CLOSED), []);
    assert_eq!(rig.core.due(), Some(rig.now + STATUS_PACE));
    assert_eq!(rig.wake(), [Did::Say(ASK.into())]);
    assert_eq!(rig.hear(b"\x1a\x32\x7e\x12"), [stops("media-empty")]);
    assert_eq!(rig.core.due(), Some(rig.now + STATUS_PACE_BUSY), "somebody is about to cure it");
    assert_eq!(rig.wake(), [Did::Say(ASK.into())]);
    assert_eq!(rig.spell(b"\x12\x12"), [], "half an answer: it may be out of paper still");
    assert_eq!(rig.hear(b"\x12\x12"), [status(&[], "")]);
}

#[test]
fn an_answer_to_no_question_is_none() {
    let mut rig = Rig::new(Escpos::new(PLAIN));
    assert_eq!(rig.hear(b"\x1a\x36\x7e\x3a\x0f\x0f"), []);
    let mut rig = greeted(StatusQueries::BetweenJobs);
    rig.hear(CLOSED);
    assert_eq!(rig.hear(b"\x1a\x36\x7e\x3a\x0f"), []);
}

#[test]
fn old_printers_are_asked_in_the_old_way() {
    let mut rig = greeted(StatusQueries::BetweenJobs);
    assert_eq!(rig.wake(), [Did::Say(ASK_SLOWLY.into())]);
    assert_eq!(rig.hear(b"\x0f\x00"), [stops("media-empty")]);
    assert_eq!(rig.hear(b"\x00"), [], "asked for two");
}

#[test]
fn a_job_is_printed_when_the_question_behind_it_is_answered() {
    let printed = Did::Found(Finding::Printed { job: JobId::new(42), pages: None });
    let mut rig = greeted(StatusQueries::BetweenJobs);
    rig.hear(CLOSED);
    rig.begin(0);
    assert_eq!(over(&mut rig), behind());
    assert_eq!(rig.hear(b"\x1a\x32\x7e\x12"), [stops("media-empty")], "not yet");
    rig.begin(0);
    over(&mut rig);
    assert_eq!(rig.hear(b"\x12\x12\x12\x12"), [status(&[], "")]);
    assert_eq!(rig.hear(b"\x00"), vec![printed.clone()]);
    assert_eq!(rig.hear(b"\x03\x00"), [printed, status(&[Reason::warns("media-low")], "")]);
    rig.begin(0);
    let stopped = rig.step(|core, now, out| core.over(Over::Lost, now, out));
    assert_eq!(stopped, behind()[1..], "nobody will print it");
    for nth in 0..2 * UNPRINTED_JOBS {
        rig.begin(0);
        let asked = over(&mut rig).contains(&Did::Say(ASK_LAST.into()));
        assert_eq!(asked, nth < UNPRINTED_JOBS, "one that never answers is not asked without end");
    }
}

#[test]
fn a_question_that_found_no_place_has_no_answer() {
    let mut rig = greeted(StatusQueries::WhenStalled);
    rig.hear(CLOSED);
    rig.begin(0);
    rig.step(|core, now, out| core.stalled(true, now, out));
    rig.core.unasked();
    assert_eq!(rig.hear(b"\x1a\x36\x7e\x3a"), [], "what the job asked for is the job's");
}

#[test]
fn silence_means_that_nothing_is_known() {
    let mut rig = greeted(StatusQueries::BetweenJobs);
    rig.hear(b"\x1a\x16\x12\x12");
    let mut did = rig.pass(Duration::from_secs(20));
    let said = did.iter().filter(|did| matches!(did, Did::Say(_))).count();
    did.retain(|did| !matches!(did, Did::Say(_)));
    assert_eq!((did, said), (vec![status(&[], "")], STATUS_MISSES as usize));
    let silent_since = rig.now;
    assert_eq!(rig.wake(), [Did::Say(ASK.into())]);
    assert!(rig.now - silent_since > Duration::from_secs(30), "asked seldom");
    assert_eq!(rig.hear(b"\x1a\x16\x12\x12"), [stops("cover-open")], "and believed again");
}

#[test]
fn where_a_printer_is_asked_in_the_middle_of_a_job() {
    let stalled = |rig: &mut Rig, is| rig.step(|core, now, out| core.stalled(is, now, out));
    for (queries, when_stalled, while_printing) in [
        (StatusQueries::BetweenJobs, false, false),
        (StatusQueries::WhenStalled, true, false),
        (StatusQueries::WhilePrinting, true, true),
    ] {
        let mut rig = greeted(queries);
        rig.hear(CLOSED);
        assert_eq!(rig.core.boundaries().is_some(), when_stalled, "{queries:?}");
        rig.begin(0);
        let asked = rig.pass(2 * STATUS_PACE_JOB);
        assert_eq!(asked.is_empty(), !while_printing, "{queries:?}: {asked:?}");
        assert!(asked.iter().all(|did| *did == Did::Ask(ASK.into())), "{asked:?}");
        rig.hear(CLOSED);
        let asked = stalled(&mut rig, true);
        assert_eq!(asked, if when_stalled { vec![Did::Ask(ASK.into())] } else { vec![] });
        let news = if when_stalled { vec![stops("media-empty")] } else { vec![] };
        assert_eq!(rig.hear(b"\x1a\x32\x7e\x12"), news, "{queries:?}");
        let again = rig.pass(STATUS_PACE_JOB);
        assert_eq!(again, if when_stalled { vec![Did::Ask(ASK.into())] } else { vec![] });
        stalled(&mut rig, false);
        assert_eq!(over(&mut rig), behind());
    }
}

#[test]
fn where_each_job_is_a_connection_it_is_greeted_there() {
    let mut rig = Rig::new(Escpos::new(setup(StatusQueries::WhenStalled)));
    let socket = DeviceNote { job_is_connection: true, ..device("") };
    assert_eq!(rig.present(&socket), []);
    assert_eq!(rig.begin(0), [Did::Add([REPORT, ASK].concat())]);
    assert_eq!(rig.hear(b"\x10\0\0\0\x1a\x12\x12\x12"), [stops("offline")]);
    assert_eq!(over(&mut rig), []);
    assert_eq!(rig.core.due(), None);
}

#[test]
fn a_device_that_went_away_is_forgotten() {
    let mut rig = greeted(StatusQueries::BetweenJobs);
    rig.hear(b"\x38\0");
    rig.core.absent();
    assert_eq!((rig.hear(b"\0\0\x12"), rig.core.due()), (vec![], None));
}

proptest! {
    #[test]
    fn split_anywhere_with_garbage_between_it_means_the_same(
        picks in prop::collection::vec((0usize..5, prop::collection::vec(0x80u8.., 0..6)), 0..12),
        cuts in prop::collection::vec(1usize..7, 1..8),
    ) {
        let frames: [&[u8; 4]; 5] =
            [b"\x10\0\0\0", b"\x38\0\0\0", b"\x18\0\x0f\0", b"\x18\x08\0\0", b"\x14\0\x03\0"];
        let mut bytes = Vec::new();
        let mut rig = greeted(StatusQueries::BetweenJobs);
        let mut expected = Vec::new();
        for (pick, garbage) in picks {
            bytes.extend(garbage);
            bytes.extend(frames[pick]);
            expected.extend(rig.hear(frames[pick]));
        }
        prop_assert_eq!(&greeted(StatusQueries::BetweenJobs).spell(&bytes), &expected);
        let mut rig = greeted(StatusQueries::BetweenJobs);
        let (mut rest, mut did) = (&bytes[..], Vec::new());
        for cut in cuts.iter().cycle().take(bytes.len()) {
            let (piece, tail) = rest.split_at((*cut).min(rest.len()));
            did.extend(rig.hear(piece));
            rest = tail;
        }
        // What comes at one stroke is told once, as it is in the end; and not at all where that is how it was.
        let fine = status(&[], "");
        prop_assert_eq!(did.last().unwrap_or(&fine), expected.last().unwrap_or(&fine));
    }
}
