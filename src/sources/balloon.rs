//! Balloons: what has become of somebody's job, once each.

use crate::asyncui::{Balloon, Request, Text};
use crate::provider::{JobState, JobView};

/// What was told of a job last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) state: JobState,
    reasons: Vec<String>,
}

impl Told {
    pub(super) fn of(view: &JobView) -> Self {
        Self { state: view.state, reasons: view.reasons.clone() }
    }
}

/// A balloon that is yet to be made: most often nobody wants it.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    title: &'static str,
    body: fn(&JobView) -> String,
}

impl About {
    /// The balloon about this job.
    pub(super) fn balloon(self, view: &JobView) -> Request {
        let (title, body) = (Text::literal(self.title), vec![Text::literal(&(self.body)(view))]);
        Request::Balloon(Balloon { title, body, ..Balloon::default() })
    }
}

/// The balloon about what is new of a job; none where it is nothing to tell its owner.
pub(super) fn about(before: Option<&Told>, view: &JobView) -> Option<About> {
    let same_state = before.is_some_and(|told| told.state == view.state);
    let same = same_state && before.is_some_and(|told| told.reasons == view.reasons);
    let (title, body): (_, fn(&JobView) -> String) = match view.state {
        JobState::Completed if !same_state => ("Document printed", printed),
        JobState::Aborted if !same_state => ("Document not printed", failed),
        JobState::Canceled if !same_state => ("Document canceled", canceled),
        JobState::ProcessingStopped if !same && !is_only_slow(view) => {
            ("Printer needs attention", waits)
        }
        JobState::PendingHeld if !same && is_held_after_crash(view) => ("Document held", held),
        _ => return None,
    };
    Some(About { title, body })
}

/// A device that takes no data for a while gives no reason, and most often goes on.
fn is_only_slow(view: &JobView) -> bool {
    view.reasons.iter().all(|reason| reason == "timed-out")
}

/// A job that waits for a person since it was cut off.
pub(super) fn is_held_after_crash(view: &JobView) -> bool {
    view.state == JobState::PendingHeld
        && view.reasons.iter().any(|reason| reason == "held-after-crash")
}

/// How people know a job: by its title, else by its number.
pub(super) fn document(view: &JobView) -> String {
    let ticket = &view.shadow.ticket;
    match &*ticket.title {
        "" => format!("Job {}", view.shadow.id),
        title => format!("\u{201c}{title}\u{201d} (job {})", view.shadow.id),
    }
}

fn printed(view: &JobView) -> String {
    let confirmed = view.shadow.confirmed;
    // While the device is still at it, it has not counted the last of them.
    let all = confirmed.bytes >= view.played().accepted;
    let pages = match confirmed.pages {
        0 => String::new(),
        _ if !all => String::new(),
        1 => ", 1 page".to_owned(),
        pages => format!(", {pages} pages"),
    };
    format!("{} was printed on {}{pages}.", document(view), view.shadow.ticket.printer)
}

fn failed(view: &JobView) -> String {
    let printer = &view.shadow.ticket.printer;
    format!("{} was given up on {printer}: {}.", document(view), because(view))
}

fn canceled(view: &JobView) -> String {
    let printer = &view.shadow.ticket.printer;
    format!("{} was canceled on {printer}: {}.", document(view), because(view))
}

fn waits(view: &JobView) -> String {
    format!("{} waits for {}: {}.", document(view), view.shadow.ticket.printer, because(view))
}

fn held(view: &JobView) -> String {
    let printer = &view.shadow.ticket.printer;
    format!("{} was cut off on {printer} and waits for a decision.", document(view))
}

/// The reason in words, or the keywords where nobody has words for them.
pub(super) fn because(view: &JobView) -> String {
    if view.message.is_empty() { view.reasons.join(", ") } else { view.message.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::tests::job_view;

    fn in_state(state: JobState, reasons: &[&str]) -> JobView {
        let reasons = reasons.iter().map(|reason| (*reason).to_owned()).collect();
        JobView { state, reasons, message: String::new(), ..job_view("ann", "letter") }
    }

    /// The titles of balloons along the life of a job.
    fn titles(life: &[JobView]) -> Vec<String> {
        let mut told: Option<Told> = None;
        let mut titles = Vec::new();
        for view in life {
            let request = about(told.as_ref(), view).map(|about| about.balloon(view));
            if let Some(Request::Balloon(balloon)) = request {
                titles.push(crate::asyncui::show(&[balloon.title], ""));
            }
            told = Some(Told::of(view));
        }
        titles
    }

    #[test]
    fn each_thing_is_told_once() {
        use JobState as S;
        let life = [
            in_state(S::Pending, &[]),
            in_state(S::Processing, &["job-printing"]),
            in_state(S::ProcessingStopped, &["timed-out"]),
            in_state(S::ProcessingStopped, &["media-empty"]),
            in_state(S::ProcessingStopped, &["media-empty"]),
            in_state(S::ProcessingStopped, &["cover-open", "media-empty"]),
            in_state(S::Processing, &["job-printing"]),
            in_state(S::Completed, &["job-completed-successfully"]),
            in_state(S::Completed, &["job-completed-successfully", "job-restartable"]),
        ];
        let attention = "Printer needs attention";
        assert_eq!(titles(&life), [attention, attention, "Document printed"]);
        for (state, reason, title) in [
            (S::Aborted, "aborted-by-system", "Document not printed"),
            (S::Canceled, "job-canceled-by-user", "Document canceled"),
            (S::PendingHeld, "held-after-crash", "Document held"),
        ] {
            let now = in_state(state, &[reason]);
            assert_eq!(titles(&[now.clone(), now]), [title]);
        }
        assert!(titles(&[in_state(S::PendingHeld, &["job-hold-until-specified"])]).is_empty());
    }

    #[test]
    fn what_balloons_say() {
        let mut view = in_state(JobState::Aborted, &[]);
        view.message = "the port is gone".into();
        let Request::Balloon(balloon) = about(None, &view).unwrap().balloon(&view) else {
            panic!()
        };
        let said = crate::asyncui::show(&balloon.body, "");
        assert_eq!(said, "“letter” (job 1) was given up on label: the port is gone.");
    }
}
