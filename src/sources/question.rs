//! Questions: message boxes where a person can decide, and what each answer means.
//!
//! [MS-PAN] knows no literal text for buttons: only OK and Cancel can be shown by every client without a resource file, and
//! the strings that every client has ([`crate::asyncui::default_string`]). So buttons are OK, Cancel, and "…" (string 100)
//! where there is a third choice; the text says what each does.

use despool_spool::Deed as Recovery;

use super::balloon::{because, document, is_held_after_crash};
use crate::asyncui::{Button, ButtonId, MessageBox, Reply, Request, Text};
use crate::config::Ask;
use crate::notify::SourceChannel;
use crate::provider::{JobState, JobView};

/// The number of the third button.
const THIRD: i64 = 3;
/// What stands on it: an ellipsis, by the number of its default string.
const ELLIPSIS: i64 = 100;

/// A question about a job.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) kind: Kind,
    /// No other question has it.
    pub(super) number: u64,
    /// Where it is asked. None of them: it has been answered, and its cause is still there.
    pub(super) channels: Vec<SourceChannel>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The device is out of paper: try again, or cancel?
    MediaEmpty,
    /// The job was cut off and held: continue, reprint from the start, or discard?
    HeldAfterCrash,
}

/// What an answer wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Go on as soon as there is paper.
    Retry,
    /// Do not print it.
    Cancel,
    /// Go on, or begin again.
    Resolve(Recovery),
}

impl Kind {
    /// What is to be asked about a job as it stands, if its printer asks such things.
    pub(super) fn wanted(view: &JobView, ask: &[Ask]) -> Option<Self> {
        let no_paper = |reason: &String| matches!(&**reason, "media-empty" | "media-needed");
        let stopped = view.state == JobState::ProcessingStopped;
        if stopped && view.reasons.iter().any(no_paper) && ask.contains(&Ask::MediaEmpty) {
            Some(Self::MediaEmpty)
        } else if is_held_after_crash(view) && ask.contains(&Ask::HeldAfterCrash) {
            Some(Self::HeldAfterCrash)
        } else {
            None
        }
    }

    /// The message box.
    pub(super) fn message_box(self, view: &JobView) -> Request {
        let (document, printer) = (document(view), &view.shadow.ticket.printer);
        let (title, body) = match self {
            Self::MediaEmpty => (
                "Printer out of paper",
                [
                    format!("{document} waits for {printer}: {}.", because(view)),
                    "Add paper. OK: try again. Cancel: cancel the document.".to_owned(),
                ],
            ),
            Self::HeldAfterCrash => (
                "Document cut off",
                [
                    format!("{document} was cut off on {printer}. {}", on_paper(view)),
                    "OK: continue where it was cut off. \u{2026}: reprint it from the start. Cancel: discard it."
                        .to_owned(),
                ],
            ),
        };
        Request::MessageBox(MessageBox {
            title: Text::literal(title),
            bitmap: None,
            body: body.iter().map(|part| Text::literal(part)).collect(),
            buttons: self.buttons(),
        })
    }

    fn buttons(self) -> Vec<Button> {
        let plain = |id| Button { id, label: None };
        let third = Button { id: ButtonId::Number(THIRD), label: Some((ELLIPSIS, None)) };
        match self {
            Self::MediaEmpty => vec![plain(ButtonId::Ok), plain(ButtonId::Cancel)],
            Self::HeldAfterCrash => {
                vec![plain(ButtonId::Ok), third, plain(ButtonId::Cancel)]
            }
        }
    }

    /// What an answer means, or why it means nothing.
    pub(super) fn deed(self, answer: &[u8]) -> Result<Deed, String> {
        let reply = Reply::parse(answer).map_err(|malformed| malformed.to_string())?;
        let Reply::Button(button) = reply else {
            return Err("it names no button".to_owned());
        };
        let ok = ButtonId::Ok.number();
        let cancel = ButtonId::Cancel.number();
        match (self, button) {
            (_, button) if button == cancel => Ok(Deed::Cancel),
            (Self::MediaEmpty, button) if button == ok => Ok(Deed::Retry),
            (Self::HeldAfterCrash, button) if button == ok => Ok(Deed::Resolve(Recovery::Resumed)),
            (Self::HeldAfterCrash, THIRD) => Ok(Deed::Resolve(Recovery::Restarted)),
            (_, button) => Err(format!("there is no button {button}")),
        }
    }
}

/// How much may have been printed.
fn on_paper(view: &JobView) -> String {
    let bytes = view.shadow.recovery.as_deref().map_or(0, |recovery| recovery.maybe_on_paper);
    match (bytes, view.total_bytes()) {
        (0, _) => "Nothing of it is on paper.".to_owned(),
        (bytes, Some(total)) => format!("Up to {bytes} of {total} bytes of it may be on paper."),
        (bytes, None) => format!("Up to {bytes} bytes of it may be on paper."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::tests::job_view;

    #[test]
    fn when_something_is_asked() {
        let both = [Ask::MediaEmpty, Ask::HeldAfterCrash];
        for (state, reason, ask, expected) in [
            (JobState::ProcessingStopped, "media-empty", &both[..], Some(Kind::MediaEmpty)),
            (JobState::ProcessingStopped, "media-empty", &both[1..], None),
            (JobState::ProcessingStopped, "cover-open", &both[..], None),
            (JobState::Processing, "media-empty", &both[..], None),
            (JobState::PendingHeld, "held-after-crash", &both[..], Some(Kind::HeldAfterCrash)),
            (JobState::PendingHeld, "held-after-crash", &both[..1], None),
            (JobState::PendingHeld, "job-hold-until-specified", &both[..], None),
        ] {
            let view = JobView { state, reasons: vec![reason.into()], ..job_view("ann", "letter") };
            assert_eq!(Kind::wanted(&view, ask), expected, "{state:?} {reason} {ask:?}");
        }
    }

    #[test]
    fn every_button_means_something() {
        for (kind, expected) in [
            (Kind::MediaEmpty, vec![Deed::Retry, Deed::Cancel]),
            (
                Kind::HeldAfterCrash,
                vec![
                    Deed::Resolve(Recovery::Resumed),
                    Deed::Resolve(Recovery::Restarted),
                    Deed::Cancel,
                ],
            ),
        ] {
            let request = kind.message_box(&job_view("ann", "letter"));
            assert_eq!(Request::parse(&request.encode()).as_ref(), Ok(&request));
            let Request::MessageBox(question) = request else { panic!() };
            let deeds: Vec<Deed> = question
                .buttons
                .iter()
                .map(|button| kind.deed(&Reply::Button(button.id.number()).encode()).unwrap())
                .collect();
            assert_eq!(deeds, expected);
            assert!(kind.deed(&Reply::Button(9).encode()).is_err());
            assert!(kind.deed(&Reply::CustomUi("1".into()).encode()).is_err());
            assert!(kind.deed(b"yes").is_err());
        }
    }
}
