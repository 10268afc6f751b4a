//! A program that runs in the guest, and what it said.

use std::time::Duration;

use despool_hil_agent::Kind;

use super::{Guest, State};
use crate::error::{Error, Result};
use crate::limits::OUTPUT_BYTES;
use crate::patience::Patience;

/// What the bench knows of a program.
#[derive(Debug, Default)]
pub(super) struct Job {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    status: Option<i32>,
}

impl Job {
    pub(super) fn hear(&mut self, kind: Kind, body: &[u8]) {
        let keep = |kept: &mut Vec<u8>| {
            let room = OUTPUT_BYTES.saturating_sub(kept.len());
            kept.extend_from_slice(body.get(..room).unwrap_or(body));
        };
        match kind {
            Kind::Stdout => keep(&mut self.stdout),
            Kind::Stderr => keep(&mut self.stderr),
            Kind::Exit => self.status = body.first_chunk().map(|bytes| i32::from_le_bytes(*bytes)),
            _ => {}
        }
    }
}

/// A program that runs in the guest. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    id: u32,
    what: String,
    guest: Guest,
}

/// What a program has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The program and its words.
    pub what: String,
    /// As a shell has it: 128 and the number of the signal that ended it.
    pub status: i32,
    /// What it wrote on its standard output.
    pub stdout: Vec<u8>,
    /// What it wrote on its standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Its standard output as text, without blanks at the ends.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim().to_owned()
    }

    /// Its standard error as text, without blanks at the ends.
    pub fn complaints(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim().to_owned()
    }

    /// An error where the status is not 0.
    pub fn successful(self) -> Result<Self> {
        if self.status == 0 {
            return Ok(self);
        }
        let why = format!(
            "`{}` ended with status {}: {} {}",
            self.what,
            self.status,
            self.complaints(),
            self.text()
        );
        Err(Error::Guest { why })
    }
}

impl Running {
    pub(super) fn new(id: u32, what: String, guest: Guest) -> Self {
        Self { id, what, guest }
    }

    /// Gives it bytes on its standard input.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        self.guest.shared.send(self.id, Kind::Stdin, bytes)
    }

    /// Ends its standard input.
    pub fn end_input(&mut self) -> Result<()> {
        self.guest.shared.send(self.id, Kind::CloseStdin, &[])
    }

    /// Sends a signal to it and to the programs that it started.
    pub fn signal(&self, number: i32) -> Result<()> {
        self.guest.shared.send(self.id, Kind::Signal, &number.to_le_bytes())
    }

    /// True once it has ended.
    pub fn has_ended(&self) -> bool {
        self.look(|job| job.status.is_some())
    }

    /// What it has said so far.
    pub fn so_far(&self) -> Output {
        self.output(0)
    }

    /// Waits for its end.
    pub fn wait(self, limit: Duration) -> Result<Output> {
        let id = self.id;
        let ended = self.until(limit, |state| state.jobs.get(&id)?.status);
        ended.map(|status| self.output(status)).ok_or_else(|| self.late("did not end", limit))
    }

    /// Waits that long, and fails if it has ended by then.
    pub fn goes_on(&self, time: Duration) -> Result<()> {
        let id = self.id;
        match self.until(time, |state| state.jobs.get(&id)?.status) {
            None => Ok(()),
            Some(status) => {
                let output = self.output(status);
                let why = format!(
                    "`{}` should have waited, but ended with status {status}: {}",
                    self.what,
                    output.complaints()
                );
                Err(Error::Guest { why })
            }
        }
    }

    /// Waits until it has said something that `wanted` recognizes in its standard output so far.
    pub fn wait_for<R>(
        &self,
        what: &str,
        limit: Duration,
        mut wanted: impl FnMut(&str) -> Option<R>,
    ) -> Result<R> {
        let id = self.id;
        let found = self.until(limit, |state| {
            let job = state.jobs.get(&id)?;
            let text = String::from_utf8_lossy(&job.stdout);
            wanted(&text).map(Ok).or_else(|| job.status.map(Err))
        });
        match found {
            Some(Ok(found)) => Ok(found),
            Some(Err(status)) => {
                let output = self.output(status);
                let why = format!(
                    "`{}` ended with status {status} before it said {what}: {}",
                    self.what,
                    output.complaints()
                );
                Err(Error::Guest { why })
            }
            None => Err(self.late(&format!("did not say {what}"), limit)),
        }
    }

    /// Waits until it has said more on its standard output than `from` bytes, and gives what that is; `None`: it has not, or
    /// has ended.
    pub fn more(&self, from: usize, limit: Duration) -> Option<Vec<u8>> {
        let id = self.id;
        let found = self.until(limit, |state| {
            let job = state.jobs.get(&id)?;
            let said = job.stdout.get(from..).filter(|said| !said.is_empty());
            said.map(|said| Some(said.to_vec())).or_else(|| job.status.map(|_| None))
        });
        found.flatten()
    }

    fn until<R>(&self, limit: Duration, look: impl FnMut(&mut State) -> Option<R>) -> Option<R> {
        self.guest.shared.wait(Patience::new(limit), look)
    }

    fn late(&self, what: &str, limit: Duration) -> Error {
        if let Some(why) = self.guest.shared.lock().ended.clone() {
            return super::lost(&why);
        }
        let said = self.output(0);
        let what = format!("`{}` {what}: {} {}", self.what, said.complaints(), said.text());
        Error::TooLate { what, waited: limit }
    }

    fn look<R: Default>(&self, look: impl FnOnce(&Job) -> R) -> R {
        self.guest.shared.lock().jobs.get(&self.id).map(look).unwrap_or_default()
    }

    fn output(&self, status: i32) -> Output {
        let (stdout, stderr) = self.look(|job| (job.stdout.clone(), job.stderr.clone()));
        Output { what: self.what.clone(), status, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            // The guest may be gone already.
            let _ = self.signal(9);
        }
        self.guest.shared.lock().jobs.remove(&self.id);
    }
}
