//! What a print provider can be told and asked. Front ends ask through the router; the rest comes from below.

use std::sync::Arc;

use actix::prelude::*;
use despool_spool::{Deed, Hold, JobId, Ticket};

use super::view::{JobView, PrinterView};
use crate::config::Config;
use crate::error::Result;
use crate::event::Events;
use crate::follow::Follower;
use crate::monitor::{Monitor, Outcome, PlayId};
use crate::submission::Submission;

/// A client begins a document. The answer takes the bytes.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<Submission>")]
pub struct StartDocPrinter {
    /// What the client says of it. An empty datatype means the printer's.
    pub ticket: Ticket,
    /// Its length, where the client said it.
    pub expected_bytes: Option<u64>,
    /// The job is to be visible before its document is whole.
    pub announce: bool,
    /// The sender wants to know how it goes.
    pub follower: Option<Follower>,
}

/// Documents are over: whole and durable, or given up.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct EndDocPrinter {
    /// Their jobs.
    pub jobs: Vec<JobId>,
}

/// The sender of a direct job is gone before its end.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct AbortDocPrinter {
    /// The job.
    pub job: JobId,
    /// Why.
    pub why: Arc<str>,
}

/// A print processor opens a printer to write to it.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<Monitor>")]
pub struct OpenPrinter {
    /// The printer.
    pub printer: Arc<str>,
}

/// All printers.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Vec<Arc<PrinterView>>")]
pub struct Printers;

/// One printer.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<Arc<PrinterView>>")]
pub struct Printer {
    /// Its name, in any case.
    pub name: String,
}

/// Some jobs: those that have not ended, what is being played first, then by priority and number; then those that have,
/// the last one first.
#[derive(Message, Clone, Debug, Default)]
#[rtype(result = "Result<Vec<JobView>>")]
pub struct Jobs {
    /// Of this printer only.
    pub printer: Option<String>,
    /// Of this user only.
    pub user: Option<String>,
    /// Which.
    pub which: Which,
    /// With this number or a higher one only.
    pub first: u32,
    /// At most so many.
    pub limit: Option<usize>,
}

/// Which jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// Those that have not ended.
    #[default]
    NotCompleted,
    /// Those that have.
    Completed,
    /// All.
    All,
}

/// One job.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Result<JobView>")]
pub struct Job {
    /// Its number.
    pub id: JobId,
}

/// Something is to be done to a job. Answered when it is durable.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<()>")]
pub struct ControlJob {
    /// The job.
    pub id: JobId,
    /// What.
    pub what: JobControl,
}

/// What can be done to a job.
#[derive(Clone, Debug)]
pub enum JobControl {
    /// Never print it (further).
    Cancel {
        /// Who says so, and why.
        why: String,
    },
    /// Do not print it before …
    Hold(Hold),
    /// Print it when its turn comes.
    Release,
    /// Print it again from its first byte.
    Reprint,
    /// Print it elsewhere.
    Move {
        /// There.
        printer: String,
    },
    /// Change its priority.
    Prioritize(u8),
    /// What a person says of a job that was held after it had been cut off: go on or start again.
    Resolve(Deed),
}

/// Something is to be done to a printer. Answered when it holds; after a restart it holds where the disk took it.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<()>")]
pub struct ControlPrinter {
    /// The printer, in any case.
    pub name: String,
    /// What.
    pub what: PrinterControl,
    /// Why, for people: what the printer's message says while it is paused or rejects jobs. Empty where nobody said.
    pub why: String,
}

/// What can be done to a printer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrinterControl {
    /// Begin no more jobs. The running one goes on.
    Pause,
    /// Begin jobs again.
    Resume,
    /// Take new jobs.
    Accept,
    /// Refuse new jobs.
    Reject,
}

/// The configuration has changed.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Reload {
    /// What it is now.
    pub config: Arc<Config>,
}

/// The server stops: give running jobs their grace, then park them. Answered when nothing runs any more.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Park;

/// From now on, tell me what happens.
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub struct Subscribe {
    /// Where to tell.
    pub to: Recipient<Events>,
}

/// What became of a playing.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Played {
    /// The printer.
    pub printer: Arc<str>,
    /// The playing.
    pub play: PlayId,
    /// What happened.
    pub outcome: Outcome,
}

/// A part of the road was made anew, and has forgotten what it was doing.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Reborn {
    /// Which.
    pub part: Part,
}

/// A part of the road.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The processor or the language monitor of this printer.
    Printer(Arc<str>),
    /// The port monitor of this port.
    Port(Arc<str>),
}
