//! QEMU's process: started so that it dies with us, killed when dropped.

use std::fs::File;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Signal, set_parent_process_death_signal};

use super::Machine;
use crate::error::{Error, Result, file};
use crate::patience::Patience;

/// A socket that is not there yet is tried again after this long: QEMU tells nobody that it listens.
const CONNECT_EVERY: Duration = Duration::from_millis(5);

/// As much of a log as is worth showing, in bytes.
const SHOWN: usize = 1500;

#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    dir: std::path::PathBuf,
}

impl Process {
    pub(super) fn start(machine: &Machine, dir: &Path, more: &[&str]) -> Result<Self> {
        let log = File::create(dir.join("qemu.log")).map_err(file("making a file in", dir))?;
        let mut command = machine.command(dir);
        command.args(more).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // SAFETY: between fork and exec only an async-signal-safe system call is made; nothing is allocated.
        unsafe {
            command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
        }
        let child = command
            .spawn()
            .map_err(|error| Error::Qemu { why: format!("it cannot be started: {error}") })?;
        Ok(Self { child, dir: dir.to_owned() })
    }

    /// Connects to one of its sockets, as soon as it listens.
    pub(super) fn connect(&mut self, socket: &Path, until: Patience) -> Result<UnixStream> {
        loop {
            match UnixStream::connect(socket) {
                Ok(stream) => return Ok(stream),
                Err(_) if self.is_alive() && !until.is_over() => pause(CONNECT_EVERY),
                Err(error) => {
                    let why = format!("{}: {error}", socket.display());
                    return Err(self.explain(Error::Qemu { why }));
                }
            }
        }
    }

    fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The error, with what QEMU and the guest's kernel said before it.
    pub(super) fn explain(&mut self, error: Error) -> Error {
        let qemu = std::fs::read_to_string(self.dir.join("qemu.log")).unwrap_or_default();
        let state = if self.is_alive() { "runs" } else { "has ended" };
        let (qemu, console) = (tail(&qemu), console(&self.dir));
        let console = tail(&console);
        let why = format!(
            "{error}\n  it {state} and says:\n{}\n  the guest's console:\n{}",
            indent(qemu),
            indent(console)
        );
        Error::Qemu { why }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the guest's kernel has written on its console.
pub(super) fn console(dir: &Path) -> String {
    let bytes = std::fs::read(dir.join("console.log")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What QEMU itself has said last.
pub(super) fn last_words(dir: &Path) -> String {
    let said = std::fs::read(dir.join("qemu.log")).unwrap_or_default();
    tail(&String::from_utf8_lossy(&said)).to_owned()
}

fn tail(text: &str) -> &str {
    let start = text.len().saturating_sub(SHOWN);
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(start..).unwrap_or_default().trim()
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {}\n", line.trim_end())).collect()
}

/// Lets some time pass, for what tells nobody when it happens.
fn pause(time: Duration) {
    let (_keep, never) = crossbeam_channel::bounded::<()>(0);
    let _ = never.recv_timeout(time);
}
