//! The brake: flow control that is in our hands.
//!
//! RTS/CTS, and XON/XOFF where the driver or its chip obeys it, are the driver's. Two kinds are not:
//!
//! - **DTR/DSR**: no Linux driver does it. The watcher thread stops the driver's output (`TCOOFF`) as soon as DSR falls.
//! - **XON/XOFF on adapters that ignore it** (cdc_acm, ch341, …; they were seen to send 29 KB after XOFF). The port takes
//!   XOFF and XON out of what it reads.
//!
//! Where the driver cannot be stopped, little is put into it: at most [`crate::limits::FLOW_WINDOW`] of line time.

use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::termios::{Action, tcflow};

use super::modem::Modem;
use crate::limits::{FLOW_WINDOW, FLOW_WINDOW_BYTES};
use crate::{Lines, SerialUri};

/// Who stops the output, and what is known of it.
#[derive(Debug)]
pub(super) enum Brake {
    /// The driver, or nobody.
    Driver,
    /// We, by DSR.
    Dsr(std::sync::Arc<DsrBrake>),
    /// We, by the XOFF and XON that come in; true after XOFF.
    Xoff(bool),
}

/// Stops and starts the driver's output as DSR says. Shared by the port and its watcher.
#[derive(Debug)]
pub(super) struct DsrBrake {
    /// A duplicate of the port's descriptor.
    fd: OwnedFd,
    /// Held while DSR is read and obeyed, so that the two threads cannot leave the driver at an older reading.
    obeying: Mutex<()>,
}

impl DsrBrake {
    pub(super) fn new(fd: OwnedFd) -> Self {
        Self { fd, obeying: Mutex::new(()) }
    }

    /// Reads DSR and obeys it; true: the device holds us back.
    pub(super) fn obey(&self, modem: &dyn Modem) -> Result<bool, Errno> {
        let _obeying = self.obeying.lock().unwrap_or_else(PoisonError::into_inner);
        let Lines { dsr, .. } = modem.lines()?;
        tcflow(&self.fd, if dsr { Action::OOn } else { Action::OOff })?;
        Ok(!dsr)
    }
}

/// Line times of a port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    bits_a_character: u64,
    bits_a_second: u64,
}

impl Pace {
    pub(super) fn of(uri: &SerialUri) -> Self {
        Self {
            bits_a_character: uri.bits_a_character().into(),
            bits_a_second: uri.baud.get().into(),
        }
    }

    /// How long the line needs for this many bytes.
    pub(super) fn time(self, bytes: u64) -> Duration {
        let micros = bytes.saturating_mul(self.bits_a_character).saturating_mul(1_000_000)
            / self.bits_a_second;
        Duration::from_micros(micros)
    }

    /// How many bytes the line sends in this time.
    pub(super) fn bytes(self, time: Duration) -> u64 {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        micros.saturating_mul(self.bits_a_second) / self.bits_a_character / 1_000_000
    }

    /// How many bytes a driver that cannot be stopped may hold.
    pub(super) fn window_bytes(self) -> usize {
        usize::try_from(self.bytes(FLOW_WINDOW)).unwrap_or(usize::MAX).max(FLOW_WINDOW_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn line_times() {
        let pace = |baud| {
            Pace::of(&SerialUri {
                baud: NonZeroU32::new(baud).unwrap(),
                ..SerialUri::new("/dev/ttyS0")
            })
        };
        assert_eq!(pace(9600).time(960), Duration::from_secs(1));
        assert_eq!(pace(115_200).window_bytes(), 230);
        assert_eq!(pace(300).window_bytes(), FLOW_WINDOW_BYTES);
        assert_eq!(pace(1).time(u64::MAX).as_micros(), u128::from(u64::MAX));
    }
}
