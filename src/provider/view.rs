//! Printers and jobs as clients see them.

use std::sync::Arc;

use despool_spool::{DocumentState, Played, Shadow, State};

use crate::config::PrinterConfig;
use crate::monitor::language::Supply;

/// State of a printer (RFC 8011 §5.4.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrinterState {
    /// Nothing to do, or nothing that can be done now.
    Idle,
    /// A job is at the device (which may be waiting for paper).
    Processing,
    /// A person has paused it.
    Stopped,
}

impl PrinterState {
    /// The IPP name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Processing => "processing",
            Self::Stopped => "stopped",
        }
    }
}

/// A printer.
#[derive(Clone, Debug)]
pub struct PrinterView {
    /// Its configuration.
    pub config: Arc<PrinterConfig>,
    /// Its state.
    pub state: PrinterState,
    /// Why: `printer-state-reasons` keywords; empty for `none`.
    pub reasons: Vec<String>,
    /// The same for people.
    pub message: String,
    /// New jobs are taken.
    pub accepting: bool,
    /// Jobs that have not ended.
    pub queued: usize,
    /// What the device calls itself.
    pub identity: Option<String>,
    /// What the device says it has left.
    pub supplies: Vec<Supply>,
    /// Pages that the device has printed in its life, where it tells.
    pub page_count: Option<u64>,
    /// When `state` changed last, in ms since 1970.
    pub changed_ms: u64,
}

/// State of a job as IPP names it (RFC 8011 §5.3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Waiting for its turn.
    Pending,
    /// Waiting for a person or the clock.
    PendingHeld,
    /// At the device.
    Processing,
    /// At the device, which takes nothing.
    ProcessingStopped,
    /// Canceled by a person.
    Canceled,
    /// Given up by the server.
    Aborted,
    /// Printed.
    Completed,
}

impl JobState {
    /// The IPP name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::PendingHeld => "pending-held",
            Self::Processing => "processing",
            Self::ProcessingStopped => "processing-stopped",
            Self::Canceled => "canceled",
            Self::Aborted => "aborted",
            Self::Completed => "completed",
        }
    }

    /// True for a job that a device is busy with.
    pub fn is_at_device(self) -> bool {
        matches!(self, Self::Processing | Self::ProcessingStopped)
    }

    /// True for a job that will not be printed any more (unless it is printed again).
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Canceled | Self::Aborted | Self::Completed)
    }
}

/// A job.
#[derive(Clone, Debug)]
pub struct JobView {
    /// What the spool knows.
    pub shadow: Arc<Shadow>,
    /// Its state.
    pub state: JobState,
    /// Why: `job-state-reasons` keywords; empty for `none`.
    pub reasons: Vec<String>,
    /// The same for people.
    pub message: String,
}

impl JobView {
    /// What the driver has of it.
    pub fn played(&self) -> Played {
        self.shadow.played
    }

    /// Bytes of all copies, without what the datatype adds; `None` while the document is being received.
    pub fn total_bytes(&self) -> Option<u64> {
        let direct = matches!(self.shadow.document, DocumentState::None { .. });
        if direct {
            return Some(self.shadow.played.accepted).filter(|_| self.state.has_ended());
        }
        self.shadow.bytes().map(|bytes| bytes.saturating_mul(self.shadow.ticket.copies.into()))
    }
}

/// The note on a job whose sender fell silent (`job-state-reasons` keyword).
pub(crate) const SUBMISSION_INTERRUPTED: &str = "submission-interrupted";

/// What surrounds a job: whatever of its state the spool does not know.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings<'a> {
    /// The job is with the print processor.
    pub(super) is_current: bool,
    /// Its printer is paused.
    pub(super) paused: bool,
    /// Why the device does not print; empty where it does.
    pub(super) stops: &'a [String],
    /// What keeps the scheduler from beginning it.
    pub(super) waits_for: Option<String>,
    /// The device's words.
    pub(super) message: &'a str,
}

impl JobView {
    /// Puts together what the spool and the printer know.
    pub(super) fn new(shadow: Arc<Shadow>, around: &Surroundings<'_>) -> Self {
        let incoming = matches!(shadow.document, DocumentState::Receiving)
            && shadow.state.ended_ms().is_none();
        let (state, mut reasons, message) = match &shadow.state {
            State::Pending if around.is_current => (JobState::Processing, vec![], String::new()),
            State::Pending => pending(around),
            State::Held { why } => {
                let message = if &**why == "held-after-crash" {
                    "it was cut off half-way; release it to go on, reprint it to begin again, or cancel it".to_owned()
                } else {
                    String::new()
                };
                let cut_short =
                    shadow.ticket.extra.iter().find(|(name, _)| &**name == SUBMISSION_INTERRUPTED);
                match cut_short {
                    Some((name, why)) => {
                        (JobState::PendingHeld, vec![name.to_string()], why.to_string())
                    }
                    None => (JobState::PendingHeld, vec![why.to_string()], message),
                }
            }
            State::Processing if around.is_current && !around.stops.is_empty() => {
                (JobState::ProcessingStopped, around.stops.to_vec(), around.message.to_owned())
            }
            State::Processing => {
                (JobState::Processing, vec!["job-printing".to_owned()], String::new())
            }
            State::Canceled { why, .. } => {
                (JobState::Canceled, vec!["job-canceled-by-user".to_owned()], why.to_string())
            }
            State::Aborted { why, .. } => {
                (JobState::Aborted, vec!["aborted-by-system".to_owned()], why.to_string())
            }
            State::Completed { .. } => {
                (JobState::Completed, vec!["job-completed-successfully".to_owned()], String::new())
            }
        };
        if incoming {
            reasons.push("job-incoming".to_owned());
        }
        if state.has_ended() && shadow.has_document() {
            reasons.push("job-restartable".to_owned());
        }
        Self { shadow, state, reasons, message }
    }
}

fn pending(around: &Surroundings<'_>) -> (JobState, Vec<String>, String) {
    let reason = if around.paused {
        "printer-stopped"
    } else if around.waits_for.is_some() {
        "resources-are-not-ready"
    } else {
        "job-queued"
    };
    (JobState::Pending, vec![reason.to_owned()], around.waits_for.clone().unwrap_or_default())
}
