//! What tests of languages share.

use std::time::{Duration, Instant};

use despool_hw::DeviceId;
use despool_spool::{JobId, Ticket};

use super::{Action, DeviceNote, Finding, JobNote, Language, Reason, Setup, Status};
use crate::config::StatusQueries;
use crate::piece::Piece;

/// Neither an envelope nor questions in the middle of jobs.
pub(super) const PLAIN: Setup = Setup { envelope: false, queries: StatusQueries::BetweenJobs };

/// An [`Action`] with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Did {
    Found(Finding),
    Say(Vec<u8>),
    /// Bytes of the document.
    Write(Vec<u8>),
    /// Bytes of the language.
    Add(Vec<u8>),
    Room,
    End,
    Ask(Vec<u8>),
}

impl From<Action> for Did {
    fn from(action: Action) -> Self {
        match action {
            Action::Found(finding) => Self::Found(finding),
            Action::Say(bytes) => Self::Say(bytes.to_vec()),
            Action::Write(piece) if piece.is_of_job() => Self::Write(piece.lend(0).bytes.to_vec()),
            Action::Write(piece) => Self::Add(piece.lend(0).bytes.to_vec()),
            Action::Room => Self::Room,
            Action::End => Self::End,
            Action::Ask(bytes) => Self::Ask(bytes.to_vec()),
        }
    }
}

/// A core and its clock.
pub(super) struct Rig {
    pub(super) core: Box<dyn Language>,
    pub(super) now: Instant,
}

impl Rig {
    pub(super) fn new(core: impl Language + 'static) -> Self {
        Self { core: Box::new(core), now: Instant::now() }
    }

    pub(super) fn step(
        &mut self,
        step: impl FnOnce(&mut dyn Language, Instant, &mut Vec<Action>),
    ) -> Vec<Did> {
        let mut out = Vec::new();
        step(&mut *self.core, self.now, &mut out);
        out.into_iter().map(Did::from).collect()
    }

    pub(super) fn present(&mut self, device: &DeviceNote) -> Vec<Did> {
        self.step(|core, now, out| core.present(device, now, out))
    }

    pub(super) fn hear(&mut self, bytes: &[u8]) -> Vec<Did> {
        self.step(|core, now, out| core.heard(bytes, now, out))
    }

    /// The same, byte by byte.
    pub(super) fn spell(&mut self, bytes: &[u8]) -> Vec<Did> {
        bytes.iter().flat_map(|byte| self.hear(&[*byte])).collect()
    }

    pub(super) fn begin(&mut self, from: u64) -> Vec<Did> {
        self.step(|core, now, out| core.begin(&JobNote { from, ..note() }, now, out))
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Vec<Did> {
        self.step(|core, now, out| core.write(Piece::inline(bytes.to_vec()), now, out))
    }

    /// Lets time pass up to what is due next, and does it.
    pub(super) fn wake(&mut self) -> Vec<Did> {
        let due = self.core.due().expect("something is due");
        assert!(due > self.now, "what was due has been done");
        self.now = due;
        self.step(|core, now, out| core.tick(now, out))
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, time: Duration) -> Vec<Did> {
        let until = self.now + time;
        let mut did = Vec::new();
        while let Some(due) = self.core.due().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            did.extend(self.step(|core, now, out| core.tick(now, out)));
        }
        self.now = until;
        did
    }
}

/// A device on a wire that carries bytes both ways, with this device id.
pub(super) fn device(id: &str) -> DeviceNote {
    DeviceNote { id: DeviceId::parse(id.as_bytes()), back_channel: true, job_is_connection: false }
}

pub(super) fn note() -> JobNote {
    let ticket = Ticket { title: "Le\"tter\u{e9}\r\n".into(), ..Ticket::new("printer") };
    JobNote { job: JobId::new(42).unwrap(), ticket: ticket.into(), from: 0 }
}

/// A finding of these reasons.
pub(super) fn status(reasons: &[Reason], message: &str) -> Did {
    Did::Found(Finding::Status(Status::new(reasons.iter().copied(), message)))
}
