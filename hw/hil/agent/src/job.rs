//! One command that the host has asked for.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use despool_hil_agent::{FRAME_BYTES, Kind};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitStatus};

/// A running command.
pub(super) struct Job {
    pub(super) id: u32,
    pid: Pid,
    input: Option<OwnedFd>,
    /// What the command has not taken yet; `None` behind it is the end.
    waiting: VecDeque<u8>,
    closing: bool,
    /// Standard output and standard error, until they end.
    outputs: [Option<OwnedFd>; 2],
    status: Option<i32>,
}

impl Job {
    /// Starts a command; `words`: each ended by a zero byte.
    pub(super) fn start(id: u32, words: &[u8]) -> Result<Self, String> {
        let words = words.strip_suffix(&[0]).unwrap_or(words);
        let mut words = words.split(|byte| *byte == 0).map(OsStr::from_bytes);
        let program = words.next().unwrap_or_default();
        let child = Command::new(program)
            .args(words)
            .env_clear()
            .envs([("PATH", "/bin:/sbin:/usr/bin:/usr/sbin"), ("HOME", "/tmp")])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let child = child.map_err(|error| format!("{}: {error}", program.display()))?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("no process id")?;
        let input = child.stdin.map(OwnedFd::from);
        if let Some(input) = &input {
            rustix::io::ioctl_fionbio(input, true).map_err(|error| error.to_string())?;
        }
        let outputs = [child.stdout.map(OwnedFd::from), child.stderr.map(OwnedFd::from)];
        let waiting = VecDeque::new();
        Ok(Self { id, pid, input, waiting, closing: false, outputs, status: None })
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.waiting.extend(bytes);
    }

    pub(super) fn end_input(&mut self) {
        self.closing = true;
    }

    /// Bytes that the command has not taken.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The pipe to write to, while something waits for it.
    pub(super) fn wants_to_write(&self) -> Option<BorrowedFd<'_>> {
        self.input.as_ref().filter(|_| !self.waiting.is_empty()).map(AsFd::as_fd)
    }

    /// The pipes to read from.
    pub(super) fn wants_to_read(&self) -> impl Iterator<Item = (usize, BorrowedFd<'_>)> {
        self.outputs.iter().enumerate().filter_map(|(at, fd)| Some((at, fd.as_ref()?.as_fd())))
    }

    /// Moves what waits into the pipe.
    pub(super) fn pour(&mut self) {
        while let Some(input) = &self.input {
            let (front, _) = self.waiting.as_slices();
            if front.is_empty() {
                break;
            }
            match rustix::io::write(input, front) {
                Ok(count) => drop(self.waiting.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // It reads no more.
                Err(_) => self.input = None,
            }
        }
        if self.input.is_none() {
            self.waiting.clear();
        }
        if self.closing && self.waiting.is_empty() {
            self.input = None;
        }
    }

    /// Reads from one of the pipes.
    pub(super) fn drain(&mut self, at: usize) -> Option<(Kind, Vec<u8>)> {
        let pipe = self.outputs.get_mut(at)?;
        let mut bytes = vec![0; FRAME_BYTES];
        match rustix::io::read(pipe.as_ref()?, &mut bytes) {
            Ok(0) => *pipe = None,
            Ok(count) => {
                bytes.truncate(count);
                return Some((if at == 0 { Kind::Stdout } else { Kind::Stderr }, bytes));
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => *pipe = None,
        }
        None
    }

    pub(super) fn signal(&self, number: i32) {
        if let Some(signal) = Signal::from_named_raw(number) {
            // It may have ended.
            let _ = rustix::process::kill_process_group(self.pid, signal);
        }
    }

    pub(super) fn is(&self, pid: Pid) -> bool {
        self.pid == pid
    }

    pub(super) fn ended(&mut self, status: WaitStatus) {
        let signal = status.terminating_signal().map(|signal| signal.saturating_add(128));
        self.status = status.exit_status().or(signal);
    }

    /// Its status, once all that it said has been read. What a grandchild holds open counts too.
    pub(super) fn is_over(&self) -> Option<i32> {
        self.status.filter(|_| self.outputs.iter().all(Option::is_none))
    }
}
