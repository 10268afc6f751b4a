//! What sources send, to the letter; what hostile words make of it; what hostile answers do.

use bolero::check;
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::asyncui::{Reply, Request};
use crate::bidi::Notification;
use crate::config::Ask;
use crate::sources::balloon::{self, Told};
use crate::sources::configuration::{self, Known};
use crate::sources::question::Kind;

const REQUEST: &str = "<?xml version=\"1.0\" ?><asyncPrintUIRequest \
    xmlns=\"http://schemas.microsoft.com/2003/print/asyncui/v1/request\"><v1><requestOpen>";
const END: &str = "</requestOpen></v1></asyncPrintUIRequest>";
const KINDS: [Kind; 2] = [Kind::MediaEmpty, Kind::HeldAfterCrash];

/// UTF-16LE without byte-order mark, and one NUL.
fn payload(xml: &str) -> Bytes {
    xml.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>().into()
}

fn in_state(state: JobState, reason: &str, message: &str) -> JobView {
    JobView {
        state,
        reasons: vec![reason.into()],
        message: message.into(),
        ..job_view("ann", "a & b")
    }
}

#[track_caller]
fn golden(request: &Request, inside: &str) {
    let expected = payload(&format!("{REQUEST}{inside}{END}"));
    assert_eq!(request.encode(), expected, "{}", request.to_xml());
    assert_eq!(Request::parse(&expected).as_ref(), Ok(request));
}

#[test]
fn balloons_to_the_letter() {
    use JobState as S;
    for (view, title, body) in [
        (
            in_state(S::Completed, "job-completed-successfully", ""),
            "Document printed",
            "\u{201c}a &amp; b\u{201d} (job 1) was printed on label.",
        ),
        (
            in_state(S::Aborted, "aborted-by-system", "its datatype is unknown"),
            "Document not printed",
            "\u{201c}a &amp; b\u{201d} (job 1) was given up on label: its datatype is unknown.",
        ),
        (
            in_state(S::Canceled, "job-canceled-by-user", "by bob"),
            "Document canceled",
            "\u{201c}a &amp; b\u{201d} (job 1) was canceled on label: by bob.",
        ),
        (
            in_state(S::ProcessingStopped, "media-empty", "out of paper"),
            "Printer needs attention",
            "\u{201c}a &amp; b\u{201d} (job 1) waits for label: out of paper.",
        ),
        (
            in_state(S::ProcessingStopped, "cover-open", ""),
            "Printer needs attention",
            "\u{201c}a &amp; b\u{201d} (job 1) waits for label: cover-open.",
        ),
        (
            in_state(S::PendingHeld, "held-after-crash", ""),
            "Document held",
            "\u{201c}a &amp; b\u{201d} (job 1) was cut off on label and waits for a decision.",
        ),
    ] {
        let request = balloon::about(None, &view).unwrap().balloon(&view);
        let inside = format!("<balloonUI><title>{title}</title><body>{body}</body></balloonUI>");
        golden(&request, &inside);
    }
}

#[test]
fn questions_to_the_letter() {
    let stopped = in_state(JobState::ProcessingStopped, "media-empty", "out of paper");
    golden(
        &Kind::MediaEmpty.message_box(&stopped),
        "<messageBoxUI><title>Printer out of paper</title>\
         <body>\u{201c}a &amp; b\u{201d} (job 1) waits for label: out of paper.</body>\
         <body>Add paper. OK: try again. Cancel: cancel the document.</body>\
         <buttons><button buttonID=\"IDOK\"/><button buttonID=\"IDCANCEL\"/></buttons></messageBoxUI>",
    );
    let held = in_state(JobState::PendingHeld, "held-after-crash", "");
    golden(
        &Kind::HeldAfterCrash.message_box(&held),
        "<messageBoxUI><title>Document cut off</title>\
         <body>\u{201c}a &amp; b\u{201d} (job 1) was cut off on label. Nothing of it is on paper.</body>\
         <body>OK: continue where it was cut off. \u{2026}: reprint it from the start. Cancel: discard it.</body>\
         <buttons><button buttonID=\"IDOK\"/><button buttonID=\"3\" stringID=\"100\"/>\
         <button buttonID=\"IDCANCEL\"/></buttons></messageBoxUI>",
    );
}

#[test]
fn configurations_to_the_letter() {
    let notification = configuration::news(&mut Known::new(), &printer_view("label")).unwrap();
    let expected = payload(
        "<?xml version=\"1.0\" ?><Notification \
         xmlns=\"http://schemas.microsoft.com/windows/2005/03/printing/bidi\" printerName=\"label\">\
         <Schema name=\"\\Printer.Status.Summary:State\"><BIDI_STRING>Idle</BIDI_STRING></Schema>\
         <Schema name=\"\\Printer.Status.Summary:StateReason\"><BIDI_STRING>media-empty</BIDI_STRING></Schema>\
         <Schema name=\"\\Printer.DeviceInfo:FriendlyName\"><BIDI_STRING></BIDI_STRING></Schema>\
         <Schema name=\"\\Printer.DeviceInfo:Location\"><BIDI_STRING></BIDI_STRING></Schema>\
         <Schema name=\"\\Printer.Queue:Accepting\"><BIDI_BOOL>true</BIDI_BOOL></Schema></Notification>",
    );
    assert_eq!(notification.encode(10_000), expected, "{}", notification.to_xml());
    assert_eq!(Notification::parse(&expected), Ok(notification));
}

fn hostile() -> impl Strategy<Value = JobView> {
    use JobState as S;
    let states = [S::Completed, S::Aborted, S::Canceled, S::ProcessingStopped, S::PendingHeld];
    let words = || any::<String>();
    (prop::sample::select(states.to_vec()), words(), words(), words()).prop_map(
        |(state, title, user, message)| {
            let reasons = vec!["held-after-crash".to_owned(), "media-empty".to_owned()];
            JobView { state, reasons, message, ..job_view(&user, &title) }
        },
    )
}

proptest! {
    /// Whatever a document is called and a device displays, a client can read it, and there is no second meaning in it.
    #[test]
    fn words_from_outside_stay_words(view in hostile()) {
        let told = balloon::about(None, &view).map(|about| about.balloon(&view));
        let asked = KINDS.map(|kind| kind.message_box(&view));
        for request in told.into_iter().chain(asked) {
            let read = Request::parse(&request.encode());
            let same_shape = match (&request, &read) {
                (Request::Balloon(sent), Ok(Request::Balloon(read))) => {
                    read.action.is_none() && sent.body.len() == read.body.len()
                }
                (Request::MessageBox(sent), Ok(Request::MessageBox(read))) => {
                    sent.buttons == read.buttons && sent.body.len() == read.body.len()
                }
                _ => false,
            };
            prop_assert!(same_shape, "{:?}", read);
        }
    }

    /// The same view asks and tells nothing twice.
    #[test]
    fn what_was_told_is_not_told_again(view in hostile()) {
        prop_assert!(balloon::about(Some(&Told::of(&view)), &view).is_none());
        let both = [Ask::MediaEmpty, Ask::HeldAfterCrash];
        prop_assert_eq!(Kind::wanted(&view, &[]), None);
        let wanted = Kind::wanted(&view, &both);
        let person = matches!(view.state, JobState::ProcessingStopped | JobState::PendingHeld);
        prop_assert_eq!(wanted.is_some(), person);
    }
}

/// An answer does something if and only if it names a button that was shown.
#[test]
fn fuzz_answers() {
    check!().for_each(|answer| {
        for kind in KINDS {
            let Request::MessageBox(question) = kind.message_box(&job_view("ann", "letter")) else {
                panic!()
            };
            let shown = |number| question.buttons.iter().any(|button| button.id.number() == number);
            let named = matches!(Reply::parse(answer), Ok(Reply::Button(number)) if shown(number));
            assert_eq!(kind.deed(answer).is_ok(), named);
        }
    });
}

/// The same with answers that are well-formed.
#[test]
fn fuzz_buttons() {
    check!().with_type::<i64>().for_each(|number| {
        for kind in KINDS {
            let understood = kind.deed(&Reply::Button(*number).encode()).is_ok();
            let shown = (1..=2).contains(number) || kind == Kind::HeldAfterCrash && *number == 3;
            assert_eq!(understood, shown, "{number}");
        }
    });
}
