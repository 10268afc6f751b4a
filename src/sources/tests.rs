//! Views of jobs and printers, for tests of the parts.

mod payloads;

use std::sync::Arc;

use despool_hw::DeviceUri;
use despool_spool::{Confirmed, DocumentState, JobId, Played, Shadow, State, Ticket};

use super::account_of;
use crate::config::PrinterConfig;
use crate::provider::{JobState, JobView, PrinterState, PrinterView};

/// Job 1 on the printer "label".
pub(super) fn job_view(user: &str, title: &str) -> JobView {
    let ticket = Ticket { user: user.into(), title: title.into(), ..Ticket::new("label") };
    let shadow = Shadow {
        id: JobId::new(1).unwrap(),
        ticket: ticket.into(),
        document: DocumentState::Receiving,
        state: State::Pending,
        started_ms: 0,
        prepared: false,
        played: Played::default(),
        confirmed: Confirmed::default(),
        recovery: None,
        attempts: 0,
    };
    JobView {
        shadow: Arc::new(shadow),
        state: JobState::Pending,
        reasons: vec!["job-queued".into()],
        message: String::new(),
    }
}

/// A printer without paper.
pub(super) fn printer_view(name: &str) -> PrinterView {
    let port = DeviceUri::File("/dev/null".into());
    PrinterView {
        config: Arc::new(PrinterConfig::new(name, port)),
        state: PrinterState::Idle,
        reasons: vec!["media-empty".into()],
        message: "out of paper".into(),
        accepting: true,
        queued: 0,
        identity: None,
        changed_ms: 0,
    }
}

#[test]
fn accounts_of_jobs() {
    for (user, expected) in [
        ("ann", "workgroup\\ann"),
        ("Ann", "workgroup\\ann"),
        ("OFFICE\\Ann", "office\\ann"),
        ("", "workgroup\\"),
    ] {
        assert_eq!(account_of(user, "WORKGROUP"), expected, "{user}");
    }
}
