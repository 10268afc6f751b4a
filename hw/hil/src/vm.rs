//! The machine: QEMU, from a cold boot or from a snapshot, and the ways to it.
//!
//! ```text
//!   Vm::boot ──► running ──► Vm::save ──► a file             Vm::restore(file) ──► running
//!                   │                                                                │
//!                   ├─ monitor: QEMU's own commands (QMP)                            │
//!                   ├─ guest: programs in the guest, by its agent         ◄──────────┘
//!                   └─ usbN.sock: what connects there is plugged in
//! ```
//!
//! The one invariant: QEMU does not outlive its [`Vm`], nor the program that made it.

mod guest;
mod machine;
mod monitor;
mod process;

use std::path::{Path, PathBuf};

pub use guest::{Guest, Output, Running};
pub use machine::{Accelerator, Machine, Slot};
use monitor::Monitor;
use process::Process;

use crate::error::{Error, Result, file};
use crate::limits::{BOOT, RESTORE};
use crate::patience::Patience;

/// A running machine. Dropping it kills it.
#[derive(Debug)]
pub struct Vm {
    dir: tempfile::TempDir,
    process: Process,
    monitor: Monitor,
    guest: Guest,
}

impl Vm {
    /// Makes the directory that a machine runs in: its sockets lie there, under short names.
    pub fn directory() -> Result<tempfile::TempDir> {
        let dir = tempfile::Builder::new().prefix("despool-hil-").tempdir();
        dir.map_err(file("making a directory in", std::env::temp_dir()))
    }

    /// Boots in `dir` until the agent has said hello.
    pub fn boot(machine: &Machine, dir: tempfile::TempDir) -> Result<Self> {
        let until = Patience::new(BOOT);
        let mut process = Process::start(machine, dir.path(), &[])?;
        let guest = Guest::connect(&dir.path().join("agent.sock"), &mut process, until)?;
        let monitor = Monitor::connect(&dir.path().join("monitor.sock"), &mut process, until)?;
        guest.wait_for_hello(until).map_err(|error| process.explain(error))?;
        Ok(Self { dir, process, monitor, guest })
    }

    /// Stops the machine and writes its state; it cannot go on afterwards.
    pub fn save(mut self, state: &Path) -> Result<()> {
        self.monitor.execute("stop", serde_json::json!({}))?;
        self.monitor.watch_migration()?;
        let uri = format!("exec:cat > '{}'", state.display());
        self.monitor.execute("migrate", serde_json::json!({ "uri": uri }))?;
        self.monitor.wait_for_migration(Patience::new(RESTORE))
    }

    /// Restores a state in `dir`. The machine stands still; [`Vm::go_on`] lets it run.
    pub fn restore(machine: &Machine, dir: tempfile::TempDir, state: &Path) -> Result<Self> {
        let until = Patience::new(RESTORE);
        let mut process = Process::start(machine, dir.path(), &["-incoming", "defer"])?;
        let guest = Guest::connect(&dir.path().join("agent.sock"), &mut process, until)?;
        let mut monitor = Monitor::connect(&dir.path().join("monitor.sock"), &mut process, until)?;
        monitor.watch_migration()?;
        let uri = format!("exec:cat '{}'", state.display());
        monitor.execute("migrate-incoming", serde_json::json!({ "uri": uri }))?;
        monitor.wait_for_migration(until).map_err(|error| process.explain(error))?;
        Ok(Self { dir, process, monitor, guest })
    }

    /// Lets a restored machine run, and tells it what time it is.
    pub fn go_on(&mut self) -> Result<()> {
        self.monitor.execute("cont", serde_json::json!({}))?;
        self.guest.set_time()?;
        let alive = self.guest.run(&["/bin/busybox", "true"]);
        alive.map(drop).map_err(|error| self.process.explain(error))
    }

    /// The programs in the guest.
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    /// Sends a break on the serial port's line, towards the guest.
    pub fn send_break(&mut self) -> Result<()> {
        self.monitor.execute("chardev-send-break", serde_json::json!({ "id": "serial" }))
    }

    /// Where the machine's sockets lie.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The socket of a USB port: what connects there is plugged in.
    pub fn usb_socket(&self, slot: Slot) -> PathBuf {
        self.dir.path().join(slot.socket())
    }

    /// What the guest's kernel has written on its console.
    pub fn console(&self) -> String {
        process::console(self.dir.path())
    }

    /// An error with what QEMU and the guest's kernel said beside it.
    pub fn explain(&mut self, error: Error) -> Error {
        self.process.explain(error)
    }
}
