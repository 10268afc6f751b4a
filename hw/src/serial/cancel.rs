//! Taking back what the driver has not sent.
//!
//! The kernel's own drivers flush on `TCOFLUSH`. Those of USB adapters do not (measured: ftdi_sio and cdc_acm of Linux 6.1
//! went on to print 4.6 KB and 20 KB of a canceled job): they drop what they hold only when they are closed. And a close
//! waits half a minute for it to leave, unless a signal comes. So the line is closed on a thread that is sent one.

use std::time::Instant;

use rustix::io::Errno;
use rustix::termios::{Action, QueueSelector, tcflow, tcflush};
use serialport::TTYPort;

use super::SerialPort;
use super::brake::Brake;
use super::driver::Driver;
use crate::limits::{CORE_FIFO_BYTES, PTY_HOLDS_BYTES, SLEEPER_WAKE_TRIES, TTY_WRITE_BYTES};
use crate::sleeper::Sleeper;
use crate::{Canceled, Flow};

impl SerialPort {
    /// Withdraws what the driver holds; what became of the bytes of this job.
    pub(super) fn withdraw(&mut self) -> Canceled {
        let taken = std::mem::take(&mut self.taken);
        let lost = match self.driver {
            Driver::Core(_) => self.flush_exactly(),
            // A pty throws away what the far end has not read, and counts none of it.
            Driver::Pty => self.flush().map(|_| unknown(PTY_HOLDS_BYTES)),
            Driver::Other(_) => self.flush().map(|(before, after)| {
                if after > 0 {
                    self.reopen();
                }
                unknown(before)
            }),
        };
        // On a line that is gone, what was taken last may not have left.
        let lost = lost.unwrap_or(unknown(TTY_WRITE_BYTES as u64));
        let withdrawn_bytes = lost.withdrawn_bytes.min(taken);
        let unknown_bytes = lost.unknown_bytes.min(taken - withdrawn_bytes);
        self.refused = false;
        // Restarts the driver, or stops it again, as DSR says; a line that is gone is noticed later.
        let _ = self.held();
        Canceled { withdrawn_bytes, unknown_bytes }
    }

    /// Flushes the driver's queue: what it held before and after. On a line that is gone both are `None`.
    fn flush(&self) -> Option<(u64, u64)> {
        let before = self.queued().ok()?;
        tcflush(self.fd().ok()?, QueueSelector::OFlush).ok()?;
        Some((before, self.queued().ok()?))
    }

    /// Flushes a driver whose counts are exact, stopped meanwhile where that is possible.
    fn flush_exactly(&self) -> Option<Canceled> {
        // TCOON would also lift an XOFF that the printer means.
        let stop = self.uri.flow != Flow::Soft;
        let fd = self.fd().ok()?;
        if stop {
            tcflow(fd, Action::OOff).ok()?;
        }
        let start = Instant::now();
        let flushed = self.flush();
        if stop {
            tcflow(fd, Action::OOn).ok()?;
        }
        let (before, _) = flushed?;
        // Unstopped, this much may have left between the count and the flush.
        let moved = self.pace.bytes(start.elapsed()).saturating_add(CORE_FIFO_BYTES);
        let unknown_bytes = if stop { 0 } else { before.min(moved) };
        Some(Canceled { withdrawn_bytes: before - unknown_bytes, unknown_bytes })
    }

    /// Closes the line at once, whatever its driver holds, and opens it again. DTR stays as it is. If it cannot be opened
    /// the port is hung up.
    pub(super) fn reopen(&mut self) {
        self.take_in();
        // Whoever has a descriptor keeps the line open.
        self.watcher = None;
        self.modem = None;
        let brake = std::mem::replace(&mut self.brake, Brake::Driver);
        if let Some(tty) = self.tty.take() {
            close_at_once(tty);
        }
        match Self::open(&self.uri) {
            Ok(fresh) => {
                let old = std::mem::replace(self, fresh);
                self.inbox = old.inbox;
                self.told = old.told;
                self.dsr_wired = old.dsr_wired;
                // The printer has not forgotten its XOFF.
                if matches!((&self.brake, &brake), (Brake::Xoff(_), Brake::Xoff(true))) {
                    self.brake = brake;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "after a cancel, the port could not be opened again");
                self.hung_up = Some(Errno::NODEV);
            }
        }
    }
}

/// Closes on a thread to which a signal comes, so that the driver does not wait for its queue to leave.
fn close_at_once(tty: TTYPort) {
    match Sleeper::start("port close", SLEEPER_WAKE_TRIES, move |_| drop(tty)) {
        Ok(closing) => drop(closing),
        Err(error) => tracing::warn!(%error, "closing a port may have taken long"),
    }
}

fn unknown(unknown_bytes: u64) -> Canceled {
    Canceled { withdrawn_bytes: 0, unknown_bytes }
}
