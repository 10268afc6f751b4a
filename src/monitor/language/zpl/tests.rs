use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::config::StatusQueries;
use crate::limits::STATUS_PACE_JOB;
use crate::monitor::language::Reason;
use crate::monitor::language::testing::{Did, PLAIN, Rig, device, status};

const FINE: &[u8] = b"\x02030,0,0,1218,000,0,0,0,000,0,0,0\x03\r\n\
    \x02000,0,0,0,0,2,6,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n";
const BUSY: &[u8] = b"\x02030,0,0,1218,001,0,0,0,000,0,0,0\x03\r\n\
    \x02000,0,0,0,0,2,6,0,00000003,1,000\x03\r\n\x021234,0\x03\r\n";
const EMPTY: &[u8] = b"\x02030,1,1,1218,001,0,0,0,000,0,0,0\x03\r\n\
    \x02000,0,0,0,0,2,6,0,00000003,1,000\x03\r\n\x021234,0\x03\r\n";
const NO_ERRORS: &[u8] =
    b"\x02\r\nPRINTER STATUS\r\nERRORS: 0 00000000 00000000\r\nWARNINGS: 0 00000000 00000000\r\n\x03";
const HEAD_OPEN: &[u8] =
    b"\x02\r\nPRINTER STATUS\r\nERRORS: 1 00000000 00010004\r\nWARNINGS: 0 00000000 00000000\r\n\x03";
const NEW: &[u8] = b"\x02ZD420,V84.20.18Z,8,8176KB\x03\r\n";

/// A printer that was greeted.
fn greeted(queries: StatusQueries) -> Rig {
    let mut rig = Rig::new(Zpl::new(Setup { queries, ..PLAIN }));
    assert_eq!(rig.present(&device("")), [Did::Say(b"~HI".into()), Did::Say(b"~HS~HQES".into())]);
    rig
}

fn over(rig: &mut Rig, how: Over) -> Vec<Did> {
    rig.step(|core, now, out| core.over(how, now, out))
}

fn ask() -> Did {
    Did::Say(ASK.into())
}

fn stops(keyword: &'static str) -> Did {
    status(&[Reason::stops(keyword)], "")
}

fn printed(pages: Option<u32>) -> Did {
    Did::Found(Finding::Printed { job: JobId::new(42), pages })
}

fn count(labels: u64) -> Did {
    Did::Found(Finding::PageCount(labels))
}

/// A whole job.
fn play(rig: &mut Rig) {
    assert_eq!(rig.begin(0), [], "not one byte is added to a job");
    assert_eq!(rig.write(b"^XA^XZ"), [Did::Write(b"^XA^XZ".into())]);
    assert_eq!(rig.step(|core, now, out| core.end(now, out)), [Did::End]);
    assert_eq!(over(rig, Over::Ended), [ask()]);
}

#[test]
fn what_is_said_byte_by_byte() {
    assert_eq!(COUNT, b"! U1 getvar \"odometer.total_label_count\"\x0d\x0a");
    let mut rig = greeted(StatusQueries::BetweenJobs);
    rig.begin(0);
    let canceled = Over::Stopped(How::Cancel, None);
    assert_eq!(over(&mut rig, canceled), [Did::Say(b"~JX".into()), ask()]);
    rig.begin(0);
    assert_eq!(over(&mut rig, Over::Stopped(How::Park, None)), [ask()]);
}

#[test]
fn a_dialogue() {
    let mut rig = greeted(StatusQueries::BetweenJobs);
    assert_eq!(rig.hear(FINE), []);
    assert_eq!(rig.hear(NO_ERRORS), []);
    assert_eq!(rig.core.due(), Some(rig.now + STATUS_PACE));
    assert_eq!(rig.wake(), [ask()]);
    assert_eq!(rig.spell(EMPTY), [], "the rest of the answer is on its way");
    let head = [Reason::stops("cover-open"), Reason::stops("media-empty")];
    assert_eq!(rig.spell(HEAD_OPEN), [status(&head, "")]);
    assert_eq!(rig.core.due(), Some(rig.now + STATUS_PACE_BUSY), "somebody is about to cure it");
    assert_eq!(rig.wake(), [ask()]);
    assert_eq!(rig.hear(HEAD_OPEN), [stops("cover-open")], "it does not answer ~HS now");
    rig.wake();
    assert_eq!(rig.hear(&[FINE, NO_ERRORS].concat()), [status(&[], "")]);
}

#[test]
fn an_old_printer_without_error_flags() {
    let mut rig = greeted(StatusQueries::BetweenJobs);
    assert_eq!(rig.hear(EMPTY), [stops("media-empty")], "told at once");
    assert_eq!(rig.wake(), [], "it has said what it can");
    assert_eq!(rig.wake(), [ask()]);
    assert_eq!(rig.hear(FINE), [status(&[], "")]);
}

#[test]
fn a_job_is_printed_when_nothing_is_left() {
    let mut rig = greeted(StatusQueries::BetweenJobs);
    rig.hear(&[FINE, NO_ERRORS].concat());
    play(&mut rig);
    assert_eq!(rig.hear(&[BUSY, NO_ERRORS].concat()), []);
    assert_eq!(rig.core.due(), Some(rig.now + STATUS_PACE_BUSY));
    assert_eq!(rig.wake(), [ask()]);
    assert_eq!(rig.hear(&[FINE, NO_ERRORS].concat()), [printed(None)]);
    rig.wake();
    assert_eq!(rig.hear(&[FINE, NO_ERRORS].concat()), [], "once");
}

#[test]
fn where_labels_are_counted_the_job_knows_how_many() {
    let mut rig = greeted(StatusQueries::BetweenJobs);
    let identity = Did::Found(Finding::Identity("ZD420 V84.20.18Z".into()));
    assert_eq!(rig.hear(NEW), [identity, Did::Say(COUNT.into())]);
    assert_eq!(rig.hear(b"\"100\"\r\n"), [count(100)]);
    rig.hear(&[FINE, NO_ERRORS].concat());
    play(&mut rig);
    assert_eq!(rig.hear(&[FINE, NO_ERRORS].concat()), [Did::Say(COUNT.into())]);
    assert_eq!(rig.hear(b"\"103\""), [count(103), printed(Some(3))]);
    play(&mut rig);
    rig.hear(&[FINE, NO_ERRORS].concat());
    assert_eq!(rig.hear(b"\"?\""), [printed(None)], "it does not know that it knows");
    play(&mut rig);
    assert_eq!(rig.hear(&[FINE, NO_ERRORS].concat()), [printed(None)], "and is not asked again");
}

#[test]
fn a_count_that_never_comes_is_not_waited_for_for_ever() {
    let mut rig = greeted(StatusQueries::BetweenJobs);
    rig.hear(&[NEW, b"\"100\"", FINE, NO_ERRORS].concat());
    play(&mut rig);
    let rounds = (0..20).position(|_| {
        let did = rig.hear(&[FINE, NO_ERRORS].concat());
        rig.wake();
        did == [printed(None)]
    });
    assert_eq!(rounds, Some(1 + STATUS_MISSES as usize));
}

#[test]
fn an_answer_to_no_question_is_none() {
    let mut rig = Rig::new(Zpl::new(PLAIN));
    assert_eq!(rig.hear(&[EMPTY, HEAD_OPEN, b"\"5\""].concat()), []);
    let mut rig = greeted(StatusQueries::BetweenJobs);
    rig.hear(&[FINE, NO_ERRORS].concat());
    assert_eq!(rig.hear(&[EMPTY, HEAD_OPEN, b"\"5\""].concat()), []);
}

#[test]
fn a_question_that_found_no_place_has_no_answer() {
    let mut rig = greeted(StatusQueries::WhenStalled);
    rig.hear(&[FINE, NO_ERRORS].concat());
    rig.begin(0);
    rig.step(|core, now, out| core.stalled(true, now, out));
    rig.core.unasked();
    assert_eq!(rig.hear(&[EMPTY, HEAD_OPEN].concat()), [], "what the job asked for is the job's");
}

#[test]
fn silence_means_that_nothing_is_known() {
    let mut rig = greeted(StatusQueries::BetweenJobs);
    assert!(!rig.hear(&[EMPTY, HEAD_OPEN].concat()).is_empty());
    let mut did = rig.pass(Duration::from_secs(20));
    did.retain(|did| *did != ask());
    assert_eq!(did, [status(&[], "")]);
    let silent_since = rig.now;
    assert_eq!(rig.wake(), [ask()]);
    assert!(rig.now - silent_since > Duration::from_secs(30), "asked seldom");
    assert_eq!(rig.hear(&[FINE, HEAD_OPEN].concat()), [stops("cover-open")], "believed again");
}

#[test]
fn where_a_printer_is_asked_in_the_middle_of_a_job() {
    for (queries, when_stalled, while_printing) in [
        (StatusQueries::BetweenJobs, false, false),
        (StatusQueries::WhenStalled, true, false),
        (StatusQueries::WhilePrinting, true, true),
    ] {
        let mut rig = greeted(queries);
        rig.hear(&[FINE, NO_ERRORS].concat());
        assert_eq!(rig.core.boundaries().is_some(), when_stalled, "{queries:?}");
        rig.begin(0);
        let asked = rig.pass(2 * STATUS_PACE_JOB);
        assert_eq!(asked.is_empty(), !while_printing, "{queries:?}: {asked:?}");
        assert!(asked.iter().all(|did| *did == Did::Ask(ASK.into())), "{asked:?}");
        rig.hear(&[FINE, NO_ERRORS].concat());
        let asked = rig.step(|core, now, out| core.stalled(true, now, out));
        assert_eq!(asked, if when_stalled { vec![Did::Ask(ASK.into())] } else { vec![] });
        let news = if when_stalled { vec![stops("cover-open")] } else { vec![] };
        assert_eq!(rig.hear(&[BUSY, HEAD_OPEN].concat()), news, "{queries:?}");
        let did = rig.pass(Duration::from_secs(60));
        assert!(did.iter().all(|did| *did == Did::Ask(ASK.into())), "no news in silence: {did:?}");
    }
}

#[test]
fn where_each_job_is_a_connection_it_is_asked_there() {
    let mut rig = Rig::new(Zpl::new(PLAIN));
    assert_eq!(rig.present(&DeviceNote { job_is_connection: true, ..device("") }), []);
    assert_eq!(rig.begin(0), [Did::Add(ASK.into())]);
    assert_eq!(rig.hear(&[FINE, HEAD_OPEN].concat()), [stops("cover-open")]);
    assert_eq!((over(&mut rig, Over::Ended), rig.core.due()), (vec![], None));
}

#[test]
fn a_device_that_went_away_is_forgotten() {
    let mut rig = greeted(StatusQueries::BetweenJobs);
    rig.hear(b"\x02030,1,1");
    rig.core.absent();
    assert_eq!((rig.hear(HEAD_OPEN), rig.core.due()), (vec![], None));
}

proptest! {
    #[test]
    fn split_anywhere_with_garbage_between_it_means_the_same(
        picks in prop::collection::vec((0usize..5, prop::collection::vec(b'0'..0xff, 0..6)), 0..12),
        cut in 1usize..40,
    ) {
        let answers = [FINE, BUSY, EMPTY, NO_ERRORS, HEAD_OPEN];
        let mut bytes = Vec::new();
        let (mut whole, mut split) =
            (greeted(StatusQueries::BetweenJobs), greeted(StatusQueries::BetweenJobs));
        let mut expected = Vec::new();
        for (pick, garbage) in picks {
            bytes.extend(garbage);
            bytes.extend(answers[pick]);
            expected.extend(whole.hear(answers[pick]));
        }
        let did: Vec<Did> = bytes.chunks(cut).flat_map(|piece| split.hear(piece)).collect();
        prop_assert_eq!(did, expected);
    }
}
