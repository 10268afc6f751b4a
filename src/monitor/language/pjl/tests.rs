use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::limits::{PJL_MESSAGE_BYTES, STATUS_ANSWER_WAIT};
use crate::monitor::language::testing::{Did, PLAIN, Rig, device, status};
use crate::monitor::language::{Reason, Supply, SupplyKind};
use despool_spool::JobId;

const GREETING: &str = "\x1b%-12345X@PJL\r\n@PJL COMMENT despool\r\n@PJL USTATUS DEVICE = ON\r\n@PJL USTATUS JOB = ON\r\n\
     @PJL USTATUS PAGE = ON\r\n@PJL USTATUS TIMED = 30\r\n@PJL INFO ID\r\n@PJL INFO STATUS\r\n@PJL INFO PAGECOUNT\r\n\
     @PJL INFO SUPPLIES\r\n\x1b%-12345X";

fn greeted(setup: Setup) -> Rig {
    let mut rig = Rig::new(Pjl::new(setup));
    assert_eq!(rig.present(&device("CMD:PJL;")), [Did::Say(GREETING.into())]);
    rig
}

#[test]
fn what_is_said_byte_by_byte() {
    let mut rig = greeted(Setup { envelope: true, ..PLAIN });
    let begin = "\x1b%-12345X@PJL JOB NAME = \"despool-42\" DISPLAY = \"Le?tter???\"\r\n";
    assert_eq!(rig.begin(0), [Did::Add(begin.into())]);
    assert_eq!(rig.write(b"x"), [Did::Write(b"x".into())]);
    let end = b"\x1b%-12345X@PJL EOJ NAME = \"despool-42\"\r\n\x1b%-12345X";
    let ended = rig.step(|core, now, out| core.end(now, out));
    assert_eq!(ended, [Did::Add(end.into()), Did::End]);
    assert_eq!(rig.step(|core, now, out| core.over(Over::Ended, now, out)), []);
    assert_eq!(rig.begin(7), [], "it goes on in the middle");
    let canceled = Over::Stopped(How::Cancel, None);
    let said = rig.step(|core, now, out| core.over(canceled, now, out));
    assert_eq!(said, [Did::Say(b"\x1b%-12345X".into())]);
}

#[test]
fn without_an_envelope_not_one_byte_is_added_to_a_job() {
    let mut rig = greeted(PLAIN);
    assert_eq!(rig.begin(0), []);
    assert_eq!(rig.step(|core, now, out| core.end(now, out)), [Did::End]);
}

#[test]
fn where_each_job_is_a_connection_it_is_told_there() {
    let mut rig = Rig::new(Pjl::new(PLAIN));
    let socket = DeviceNote { job_is_connection: true, ..device("") };
    assert_eq!(rig.present(&socket), []);
    assert_eq!(rig.begin(0), [Did::Add(GREETING.into())]);
}

/// Messages that mean something whoever asked, and what they mean.
fn unsolicited() -> Vec<(&'static str, Vec<Did>)> {
    let found = |finding| vec![Did::Found(finding)];
    vec![
        (
            "@PJL USTATUS DEVICE\r\nCODE=10001\r\nDISPLAY=\"Ready\"\r\nONLINE=TRUE\r\n\x0c",
            vec![status(&[], "Ready")],
        ),
        (
            "@PJL USTATUS DEVICE\r\nCODE=41002\r\nDISPLAY=\"Load A4   \"\r\nONLINE=FALSE\r\n\x0c",
            vec![status(&[Reason::stops("media-empty")], "Load A4")],
        ),
        (
            "@PJL USTATUS TIMED \nCODE = 40021\nCODE=10006\nONLINE = FALSE\n\x0c",
            vec![status(&[Reason::stops("cover-open"), Reason::warns("toner-low")], "")],
        ),
        (
            "@PJL USTATUS DEVICE\r\nCODE=10001\r\nONLINE=FALSE\r\n\x0c",
            vec![status(&[Reason::stops("offline")], "")],
        ),
        ("@PJL USTATUS DEVICE\r\nCODE=20001\r\n\x0c", vec![]),
        ("@PJL USTATUS PAGE\r\n7\r\n\x0c", found(Finding::Pages(7))),
        ("@PJL USTATUS JOB\r\nSTART\r\nNAME=\"despool-42\"\r\n\x0c", vec![]),
        (
            "@PJL USTATUS JOB\r\nEND\r\nNAME=\"despool-42\"\r\nPAGES=3\r\n\x0c",
            found(Finding::Printed { job: JobId::new(42), pages: Some(3) }),
        ),
        (
            "@PJL USTATUS JOB\r\nEND\r\nNAME=\"other\"\r\n\x0c",
            found(Finding::Printed { job: None, pages: None }),
        ),
        (
            "\0\u{1}garbage\x0c\x0c@PJL ECHO x\r\n\x0cxx@PJL USTATUS PAGE\r\n1\r\n\x0c",
            found(Finding::Pages(1)),
        ),
    ]
}

#[test]
fn what_is_heard_byte_by_byte() {
    for (bytes, expected) in &unsolicited() {
        assert_eq!(greeted(PLAIN).hear(bytes.as_bytes()), *expected, "{bytes}");
    }
    let all: String = unsolicited().iter().map(|(bytes, _)| *bytes).collect();
    let expected: Vec<Did> = unsolicited().into_iter().flat_map(|(_, expected)| expected).collect();
    assert_eq!(greeted(PLAIN).hear(all.as_bytes()), expected);
    assert_eq!(greeted(PLAIN).spell(all.as_bytes()), expected);
}

#[test]
fn answers_count_once_and_only_if_asked_for() {
    // As a Brother HL-5170DN answers; it repeats the question first.
    let id = b"@PJL INFO ID\r\n\"Brother HL-5170DN series:84UZ74:Ver1.11\"\r\n\x0c";
    let status_of =
        b"@PJL INFO STATUS\r\nCODE=10001\r\nDISPLAY=\"READY           \"\r\nONLINE=TRUE\r\n\x0c";
    let pages = b"@PJL INFO PAGECOUNT\r\nPAGECOUNT=18421\r\n\x0c";
    let mut rig = greeted(PLAIN);
    let identity = Finding::Identity("Brother HL-5170DN series:84UZ74:Ver1.11".into());
    assert_eq!(rig.hear(id), [Did::Found(identity)]);
    assert_eq!(rig.hear(status_of), [status(&[], "READY")]);
    assert_eq!(rig.hear(pages), [Did::Found(Finding::PageCount(18_421))]);
    assert_eq!(rig.hear(b"@PJL INFO SUPPLIES\r\n\"?\"\r\n\x0c"), []);
    for again in [&id[..], status_of, pages] {
        assert_eq!(rig.hear(again), [], "nobody asked again");
    }
    let mut unasked = Rig::new(Pjl::new(PLAIN));
    assert_eq!(unasked.hear(id), []);
    let mut bare = greeted(PLAIN);
    assert_eq!(
        bare.hear(b"@PJL INFO PAGECOUNT\r\n77\r\n\x0c"),
        [Did::Found(Finding::PageCount(77))]
    );
}

#[test]
fn supplies_are_told_where_the_printer_tells_them() {
    let mut rig = greeted(PLAIN);
    let toner = |percent| {
        let (name, kind) = ("TONER".to_owned(), SupplyKind::Toner);
        Did::Found(Finding::Supplies(vec![Supply {
            name,
            kind,
            color: None,
            percent: Some(percent),
        }]))
    };
    // As a Pantum tells it when its cover is opened.
    let open = b"@PJL USTATUS DEVICE\r\nCODE=40021\r\nTONER=44\r\n\x0c";
    assert_eq!(rig.hear(open), [toner(44), status(&[Reason::stops("cover-open")], "")]);
    assert_eq!(rig.hear(open), [status(&[Reason::stops("cover-open")], "")], "no news");
    assert_eq!(rig.hear(b"@PJL INFO SUPPLIES\r\nTONER=43%\r\n\x0c"), [toner(43)]);
}

#[test]
fn an_endless_message_is_skipped_and_the_next_understood() {
    let mut rig = greeted(PLAIN);
    for _ in 0..1000 {
        assert_eq!(rig.hear(&[b'x'; PJL_MESSAGE_BYTES]), []);
    }
    assert_eq!(rig.hear(b"\x0c@PJL USTATUS PAGE\r\n2\r\n\x0c"), [Did::Found(Finding::Pages(2))]);
}

#[test]
fn a_message_broken_by_a_loss_is_void() {
    let mut rig = greeted(PLAIN);
    rig.hear(b"@PJL USTATUS PAGE\r\n1");
    rig.core.torn();
    assert_eq!(rig.hear(b"2\r\n\x0c"), []);
    rig.hear(b"@PJL USTATUS PAGE\r\n1");
    rig.core.absent();
    assert_eq!(rig.hear(b"2\r\n\x0c"), []);
}

#[test]
fn one_that_never_answers_is_told_once() {
    let mut rig = greeted(PLAIN);
    assert_eq!(rig.pass(Duration::from_secs(86_400)), []);
    assert_eq!(rig.core.due(), None);
}

#[test]
fn one_that_falls_silent_is_told_again_and_then_nothing_is_known_of_it() {
    let mut rig = greeted(PLAIN);
    rig.hear(b"@PJL USTATUS DEVICE\r\nCODE=41002\r\nONLINE=FALSE\r\n\x0c");
    rig.begin(0);
    assert_eq!(rig.pass(2 * PJL_SILENCE), [], "not in the middle of a job");
    rig.step(|core, now, out| core.over(Over::Ended, now, out));
    assert_eq!(rig.wake(), [Did::Say(GREETING.into())]);
    assert_eq!(rig.core.due(), Some(rig.now + STATUS_ANSWER_WAIT));
    assert_eq!(rig.wake(), [status(&[], "")]);
    assert_eq!(rig.core.due(), None);
    assert_eq!(rig.hear(b"@PJL USTATUS PAGE\r\n1\r\n\x0c"), [Did::Found(Finding::Pages(1))]);
}

proptest! {
    #[test]
    fn split_anywhere_with_garbage_between_it_means_the_same(
        picks in prop::collection::vec((0usize..10, "[^\x0c@]{0,20}"), 0..12),
        cut in 0usize..2000,
    ) {
        let messages = unsolicited();
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        for (pick, garbage) in picks {
            let (message, means) = &messages[pick];
            // Garbage is a message of its own, or stands before one.
            bytes.extend(garbage.bytes());
            bytes.extend(message.bytes());
            expected.extend(means.clone());
        }
        prop_assert_eq!(&greeted(PLAIN).hear(&bytes), &expected);
        prop_assert_eq!(&greeted(PLAIN).spell(&bytes), &expected);
        let (left, right) = bytes.split_at(cut.min(bytes.len()));
        let mut rig = greeted(PLAIN);
        let mut both = rig.hear(left);
        both.extend(rig.hear(right));
        prop_assert_eq!(&both, &expected);
    }
}
