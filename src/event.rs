//! What happens in the server, as those outside the road hear of it: notification sources, the demo, front ends.
//!
//! The provider tells; events of one printer or job come in the order in which they happened. Progress is told at most
//! every [`crate::limits::PROGRESS_PACE`]; a change of state at once.

use std::sync::Arc;

use actix::prelude::*;
use bytes::Bytes;

use crate::provider::{JobView, PrinterView};

/// Something has happened.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Event {
    /// Counts up by one for each event of this process.
    pub seq: u64,
    /// When, in ms since 1970.
    pub at_ms: u64,
    /// What.
    pub what: What,
}

/// What has happened.
#[derive(Clone, Debug)]
pub enum What {
    /// A job is new, has changed, or has got on.
    Job(JobView),
    /// A printer has changed.
    Printer(Arc<PrinterView>),
    /// A port has something to say.
    Port(PortEvent),
}

/// What happens at a port.
#[derive(Clone, Debug)]
pub struct PortEvent {
    /// The port's key.
    pub port: Arc<str>,
    /// Printers on it.
    pub printers: Vec<Arc<str>>,
    /// What.
    pub what: PortChange,
}

/// What can happen at a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortChange {
    /// The device came.
    Attached {
        /// What it calls itself.
        identity: Option<String>,
    },
    /// The device went.
    Detached {
        /// Why.
        why: String,
    },
    /// The lines changed; what they say, for people.
    Line(String),
    /// The device said something that its language monitor did not understand or that nobody asked for.
    Garbage(Bytes),
}

impl What {
    /// Says the same in the server's log (`DESPOOL_LOG=info,despool::event=debug`), for whoever looks for a cause.
    pub(crate) fn log(&self) {
        match self {
            Self::Job(job) => tracing::debug!(
                job = %job.shadow.id, printer = %job.shadow.ticket.printer, state = job.state.name(),
                reasons = ?job.reasons, accepted = job.played().accepted, "job"
            ),
            Self::Printer(printer) => tracing::debug!(
                printer = %printer.config.name, state = printer.state.name(), reasons = ?printer.reasons,
                message = printer.message, "printer"
            ),
            Self::Port(event) => tracing::debug!(port = %event.port, what = ?event.what, "port"),
        }
    }
}
