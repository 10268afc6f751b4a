//! A job as IPP shows it.

use despool_spool::{Deed, Hold, State};

use super::attributes::OF_JOB;
use super::printer::{Here, moment, seconds, strings, uuid};
use super::wire::{AttributeError, Attributes, JobState, OutOfBand, Requested, Value};
use crate::provider::{JobView, now_ms};

/// Reads what a request wants of a job.
pub(super) fn wanted<'a>(
    operation: &'a Attributes,
    absent: &[&'static str],
) -> Result<Requested<'a>, AttributeError> {
    Requested::read(operation, OF_JOB, absent)
}

/// The attributes of a job that are wanted.
pub(super) fn attributes(view: &JobView, here: &Here, wanted: &Requested<'_>) -> Attributes {
    let mut all = Attributes::new();
    identity(&mut all, view, here);
    state(&mut all, view);
    progress(&mut all, view);
    times(&mut all, view);
    ticket(&mut all, view);
    wanted.select(&all)
}

/// The few that the answer to a new job has (RFC 8011 §4.2.1.2).
pub(super) fn of_new_job(view: &JobView, here: &Here) -> Attributes {
    let mut all = Attributes::new();
    all.put_uri("job-uri", &here.job(view.shadow.id)).put("job-id", id(view));
    state(&mut all, view);
    all
}

fn id(view: &JobView) -> i32 {
    i32::try_from(view.shadow.id.number()).unwrap_or(i32::MAX)
}

fn identity(all: &mut Attributes, view: &JobView, here: &Here) {
    let ticket = &view.shadow.ticket;
    let number = view.shadow.id.to_string();
    all.put("job-id", id(view))
        .put_uri("job-uri", &here.job(&number))
        .put_uri("job-printer-uri", &here.printer(&ticket.printer))
        .put_uri("job-more-info", &format!("http://{}/jobs/{number}", here.authority))
        .put_uri("job-uuid", &uuid("job", &format!("{} {}", number, ticket.submitted_ms)))
        .put_name("job-name", &ticket.title)
        .put_name("job-originating-user-name", &ticket.user)
        .put_name("job-originating-host-name", &ticket.host)
        .put_mime_type("document-format-supplied", &ticket.format)
        .put("number-of-documents", 1);
}

fn state(all: &mut Attributes, view: &JobView) {
    let state = JobState::from_name(view.state.name()).unwrap_or(JobState::Aborted);
    let reasons = if view.reasons.is_empty() { vec!["none"] } else { strings(&view.reasons) };
    all.put("job-state", state)
        .put_keywords("job-state-reasons", reasons)
        .put_text("job-state-message", &view.message);
}

fn progress(all: &mut Attributes, view: &JobView) {
    let shadow = &view.shadow;
    let pages = i32::try_from(shadow.confirmed.pages).unwrap_or(i32::MAX);
    let total = view.total_bytes();
    all.put("job-k-octets", k_octets(shadow.bytes().unwrap_or(0)))
        .put("job-k-octets-processed", k_octets(view.played().accepted))
        .put("job-impressions-completed", pages)
        .put("job-media-sheets-completed", pages)
        .put("number-of-intervening-jobs", 0)
        .put_text("despool-accepted-bytes", &view.played().accepted.to_string())
        .put_text("despool-confirmed-bytes", &shadow.confirmed.bytes.to_string())
        .put("despool-attempts", i32::from(shadow.attempts));
    match total {
        Some(total) => all.put_text("despool-total-bytes", &total.to_string()),
        None => all.put("despool-total-bytes", OutOfBand::Unknown),
    };
    if let Some(recovery) = &shadow.recovery {
        let deed = match recovery.deed {
            Deed::Resumed => "resumed",
            Deed::Restarted => "restarted",
            Deed::Held => "held",
        };
        all.put_keyword("despool-recovery", deed)
            .put_text("despool-maybe-on-paper-bytes", &recovery.maybe_on_paper.to_string());
    }
}

/// Units of 1024 octets, rounded up (RFC 8011 §5.3.17.1).
fn k_octets(bytes: u64) -> i32 {
    i32::try_from(bytes.div_ceil(1024)).unwrap_or(i32::MAX)
}

fn times(all: &mut Attributes, view: &JobView) {
    let shadow = &view.shadow;
    let ended = shadow.state.ended_ms().unwrap_or(0);
    let count =
        |ms: u64| if ms == 0 { OutOfBand::NoValue.into() } else { Value::from(seconds(ms)) };
    all.put("time-at-creation", count(shadow.ticket.submitted_ms))
        .put("time-at-processing", count(shadow.started_ms))
        .put("time-at-completed", count(ended))
        .put("date-time-at-creation", moment(shadow.ticket.submitted_ms))
        .put("date-time-at-processing", moment(shadow.started_ms))
        .put("date-time-at-completed", moment(ended))
        .put("job-printer-up-time", seconds(now_ms()));
}

fn ticket(all: &mut Attributes, view: &JobView) {
    let ticket = &view.shadow.ticket;
    let hold = match (&view.shadow.state, ticket.hold) {
        (State::Held { .. }, Hold::Until(_)) => "until-time",
        (State::Held { .. }, _) => "indefinite",
        _ => "no-hold",
    };
    all.put("copies", i32::from(ticket.copies))
        .put("job-priority", i32::from(ticket.priority))
        .put_keyword("job-hold-until", hold)
        .put_name("despool-datatype", &ticket.datatype);
}
