//! QEMU's monitor (QMP): one JSON object a line, commands answered in order, events in between.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{Value, json};

use super::process::Process;
use crate::error::{Error, Result};
use crate::limits::{MONITOR, MONITOR_LINE_BYTES};
use crate::patience::Patience;

#[derive(Debug)]
pub(super) struct Monitor {
    stream: BufReader<UnixStream>,
    /// What migrations have come to, of the events heard so far.
    migration: Option<String>,
}

fn wrong(why: impl std::fmt::Display) -> Error {
    Error::Qemu { why: format!("its monitor: {why}") }
}

impl Monitor {
    pub(super) fn connect(socket: &Path, process: &mut Process, until: Patience) -> Result<Self> {
        let stream = process.connect(socket, until)?;
        let mut monitor = Self { stream: BufReader::new(stream), migration: None };
        // The greeting.
        monitor.line(Patience::new(MONITOR))?;
        monitor.execute("qmp_capabilities", json!({}))?;
        Ok(monitor)
    }

    /// Carries out a command.
    pub(super) fn execute(&mut self, command: &str, arguments: Value) -> Result<()> {
        let mut line = json!({ "execute": command, "arguments": arguments }).to_string();
        line.push('\n');
        self.stream.get_mut().write_all(line.as_bytes()).map_err(wrong)?;
        let until = Patience::new(MONITOR);
        loop {
            let said = self.line(until)?;
            if said.get("return").is_some() {
                return Ok(());
            }
            if let Some(error) = said.get("error") {
                return Err(wrong(format!("{command}: {error}")));
            }
            self.heed(&said);
        }
    }

    /// Has the monitor tell how a migration goes.
    pub(super) fn watch_migration(&mut self) -> Result<()> {
        let events = json!({ "capabilities": [{ "capability": "events", "state": true }] });
        self.execute("migrate-set-capabilities", events)
    }

    pub(super) fn wait_for_migration(&mut self, until: Patience) -> Result<()> {
        loop {
            match self.migration.as_deref() {
                Some("completed") => return Ok(()),
                Some("failed") => return Err(wrong("the machine's state could not be moved")),
                _ => {}
            }
            let said = self.line(until)?;
            self.heed(&said);
        }
    }

    fn heed(&mut self, said: &Value) {
        if said.get("event").and_then(Value::as_str) == Some("MIGRATION") {
            let status = said.pointer("/data/status").and_then(Value::as_str);
            self.migration = status.map(str::to_owned);
        }
    }

    fn line(&mut self, until: Patience) -> Result<Value> {
        let mut line = Vec::new();
        loop {
            let left = until.left();
            if left.is_zero() {
                return Err(wrong("it says nothing"));
            }
            self.stream.get_ref().set_read_timeout(Some(left)).map_err(wrong)?;
            let room = MONITOR_LINE_BYTES.saturating_sub(line.len() as u64);
            match (&mut self.stream).take(room).read_until(b'\n', &mut line) {
                Ok(0) => return Err(wrong("it has hung up")),
                Ok(_) => return serde_json::from_slice(&line).map_err(wrong),
                // Perhaps it was the machine that stood still.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(wrong(error)),
            }
        }
    }
}
