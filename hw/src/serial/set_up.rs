//! Opening a line: from a URI to a port that is ready to write.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use serialport::TTYPort;

use super::brake::{Brake, DsrBrake, Pace};
use super::driver::Driver;
use super::inbox::Inbox;
use super::modem::{Modem, TtyModem, Watcher};
use super::{SerialPort, settings, tty};
use crate::fault::{failed, unsupported, while_opening};
use crate::limits::{STALL, STALL_CHARACTERS};
use crate::stall::Stall;
use crate::{Error, Flow, Line, SerialUri};

impl SerialPort {
    /// Opens the line and sets it up.
    ///
    /// Errors: [`Error::Absent`], [`Error::Denied`], [`Error::Busy`] (another program has it, root's included),
    /// [`Error::Unsupported`] (no terminal device, or a setting that its driver cannot do).
    pub fn open(uri: &SerialUri) -> Result<Self, Error> {
        let name = uri.to_string();
        let (tty, driver) = tty::open_alone(&uri.path, Path::new("/sys"), &name)?;
        let modem = TtyModem(duplicate(tty::borrow(&tty), &name)?);
        Self::set_up(tty, driver, Arc::new(modem), uri).map_err(while_opening)
    }

    pub(super) fn set_up(
        mut tty: TTYPort,
        driver: Driver,
        modem: Arc<dyn Modem>,
        uri: &SerialUri,
    ) -> Result<Self, Error> {
        let name = uri.to_string();
        settings::apply(&mut tty, &driver, uri, &name)?;
        let pace = Pace::of(uri);
        let modem = modem.lines().is_ok().then_some(modem);
        let brake = brake(tty::borrow(&tty), &driver, modem.is_some(), uri, &name)?;
        let window = !matches!(brake, Brake::Driver) && !driver.can_be_stopped();
        // Here the device stops a driver that tells nobody.
        let untold = match uri.flow {
            Flow::Soft => matches!(brake, Brake::Driver),
            Flow::Hard => modem.is_none(),
            Flow::None | Flow::DtrDsr => false,
        };
        let mut port = Self {
            watcher: None,
            name,
            uri: uri.clone(),
            driver,
            pace,
            brake,
            window_bytes: window.then(|| pace.window_bytes()),
            modem,
            dsr_wired: false,
            off_line: false,
            inbox: Inbox::default(),
            hung_up: None,
            stall: untold.then(|| Stall::new(STALL.max(pace.time(STALL_CHARACTERS)))),
            refused: false,
            taken: 0,
            taken_ever: 0,
            told: Line::default(),
            tty: Some(tty),
        };
        port.watch_lines()?;
        Ok(port)
    }

    fn watch_lines(&mut self) -> Result<(), Error> {
        let Some(modem) = &self.modem else { return Ok(()) };
        let dsr = match &self.brake {
            Brake::Dsr(dsr) => Some((Arc::clone(dsr), Arc::clone(modem))),
            Brake::Driver | Brake::Xoff(_) => None,
        };
        let watcher = Watcher::start(Arc::clone(modem), move |_| {
            if let Some((dsr, modem)) = &dsr {
                // A device that has gone is noticed by the port itself.
                let _ = dsr.obey(&**modem);
            }
        })?;
        self.watcher = Some(watcher);
        Ok(())
    }
}

/// Who is to stop the output.
fn brake(
    fd: BorrowedFd<'_>,
    driver: &Driver,
    has_lines: bool,
    uri: &SerialUri,
    name: &str,
) -> Result<Brake, Error> {
    match uri.flow {
        Flow::DtrDsr if has_lines => Ok(Brake::Dsr(Arc::new(DsrBrake::new(duplicate(fd, name)?)))),
        Flow::DtrDsr => Err(unsupported(name, "flow=dtrdsr", "its driver has no modem lines")),
        Flow::Soft if !driver.obeys_xoff() => Ok(Brake::Xoff(false)),
        Flow::None | Flow::Soft | Flow::Hard => Ok(Brake::Driver),
    }
}

fn duplicate(fd: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Error> {
    rustix::io::fcntl_dupfd_cloexec(fd, 0).map_err(|errno| failed(name, "opening", errno))
}
