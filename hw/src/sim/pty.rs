//! A simulated printer behind a pty: for the code of serial ports, a real tty.
//!
//! The printer holds the master. The slave is in raw mode and held open by the printer too, so that its settings last
//! and the master never reports "nobody there" (which would be an endless event). Unplugging closes both: the host's
//! descriptor hangs up, as that of a USB serial adapter does. Plugging in makes a new pty, under a new name; a link
//! ([`PtyPrinter::start_at`]) keeps a stable one.
//!
//! A pty has no modem lines, no baud rate of its own and forces 8 bits without parity; XON/XOFF works (`xoff`,
//! `xon`).
//!
//! The one invariant: a byte read from the master is taken by the printer, or waits for it; none is dropped while the
//! cable is in.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::device::SimHandle;
use super::edge::{Host, Intake, Pumped, Stop, Worker, send};
use super::model::Model;
use crate::Error;
use crate::limits::{SIM_BACK_BYTES, SIM_PTY_LITTLE_BYTES, SIM_PTY_REST};
use crate::poll::poll;

/// A running printer behind a pty. Dropping it is like unplugging it.
#[derive(Debug)]
pub struct PtyPrinter {
    printer: SimHandle,
    place: Arc<Place>,
    _worker: Worker,
}

/// Where the tty is found.
#[derive(Debug)]
struct Place {
    link: Option<PathBuf>,
    slave: Mutex<PathBuf>,
}

impl PtyPrinter {
    /// Starts a printer behind a new pty.
    pub fn start(model: Model) -> Result<Self, Error> {
        Self::launch(model, None, false)
    }

    /// Starts a printer behind a new pty that is found under `link`, a symbolic link made here (and replaced, if it
    /// is one already). The link is there while the cable is in.
    pub fn start_at(model: Model, link: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::launch(model, Some(link.into()), false)
    }

    /// The same for a host that writes byte by byte, as QEMU's UART does: as a real FIFO it hands over what has gathered
    /// ([`crate::limits::SIM_PTY_REST`]). To be woken for each byte takes more of the processor than the host has.
    pub fn start_behind_fifo(model: Model, link: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::launch(model, Some(link.into()), true)
    }

    fn launch(mut model: Model, link: Option<PathBuf>, rests: bool) -> Result<Self, Error> {
        model.set_serial();
        let printer = SimHandle::new(model);
        let place = Arc::new(Place { link, slave: Mutex::default() });
        let line = TtyLine::open(&place)
            .map_err(|source| Error::Ours { doing: "making a pty", source })?;
        let (wire, at) = (printer.clone(), Arc::clone(&place));
        printer.expect_wire();
        let worker =
            Worker::spawn("sim-pty", move |stop| Edge::new(stop, wire, at, line, rests).run())?;
        Ok(Self { printer, place, _worker: worker })
    }

    /// The tty to open: the link, or else the slave of now (another one after each `plug`).
    pub fn path(&self) -> PathBuf {
        let slave = || self.place.slave.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.place.link.clone().unwrap_or_else(slave)
    }

    /// The printer.
    pub fn handle(&self) -> &SimHandle {
        &self.printer
    }
}

impl Place {
    fn appear(&self, slave: PathBuf) -> io::Result<()> {
        if let Some(link) = &self.link {
            self.vanish();
            std::os::unix::fs::symlink(&slave, link)?;
        }
        *self.slave.lock().unwrap_or_else(PoisonError::into_inner) = slave;
        Ok(())
    }

    /// Takes the link away, if it is one.
    fn vanish(&self) {
        let is_link =
            |path: &&PathBuf| Path::symlink_metadata(path).is_ok_and(|it| it.is_symlink());
        if let Some(link) = self.link.as_ref().filter(is_link) {
            // A link that cannot be removed leads nowhere, which is what it should do.
            let _ = std::fs::remove_file(link);
        }
    }
}

/// Both ends of a pty.
#[derive(Debug)]
struct TtyLine {
    master: OwnedFd,
    _slave: OwnedFd,
}

impl TtyLine {
    fn open(place: &Place) -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags)?;
        unlockpt(&master)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let slave = ioctl_tiocgptpeer(&master, flags)?;
        let mut settings = tcgetattr(&slave)?;
        settings.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &settings)?;
        let name = ptsname(&master, Vec::new())?.into_bytes();
        place.appear(PathBuf::from(std::ffi::OsString::from_vec(name)))?;
        Ok(Self { master, _slave: slave })
    }
}

/// The thread behind the pty.
struct Edge {
    stop: Stop,
    printer: SimHandle,
    place: Arc<Place>,
    line: Option<TtyLine>,
    plugs: u64,
    intake: Intake,
    /// What the printer says and the tty has not taken.
    out: Vec<u8>,
    /// After a few bytes it lets more gather.
    rests: bool,
}

/// The host behind the tty.
struct Talk<'a> {
    master: &'a OwnedFd,
    out: &'a mut Vec<u8>,
    took_bytes: usize,
}

impl Host for Talk<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(self.master, buf)?)
    }

    fn took(&mut self, bytes: &[u8]) {
        self.took_bytes = self.took_bytes.saturating_add(bytes.len());
    }

    fn hear(&mut self, model: &mut Model, _asked: bool) {
        // What a host does not read stays with the printer, which has a bound of its own.
        if self.out.len() < SIM_BACK_BYTES {
            model.reply(self.out);
        }
    }
}

/// What the printer wants of its wire.
struct Wants {
    plugged: bool,
    plugs: u64,
    read: bool,
    until: Option<Instant>,
}

impl Edge {
    fn new(stop: Stop, printer: SimHandle, place: Arc<Place>, line: TtyLine, rests: bool) -> Self {
        let (intake, out) = (Intake::default(), Vec::new());
        Self { stop, printer, place, line: Some(line), plugs: 0, intake, out, rests }
    }

    fn run(mut self) {
        self.printer.follow();
        let printer = self.printer.clone();
        let _watch = printer.watch(self.stop.bell.clone());
        while !self.stop.asked() {
            let wants = self.wants();
            if wants.plugs != self.plugs {
                self.follow_cable(&wants);
            } else if self.turn(&wants).is_err() {
                break;
            }
        }
    }

    fn wants(&mut self) -> Wants {
        let Self { printer, out, .. } = self;
        printer.with(|state, now| {
            if out.is_empty() {
                state.model.reply(out);
            }
            Wants {
                plugged: state.model.plugged(),
                plugs: state.plugs,
                read: state.model.wire_room(now) > 0,
                until: state.model.next_event(now),
            }
        })
    }

    fn follow_cable(&mut self, wants: &Wants) {
        // Also where it is plugged in by now: it was out in between, so this is another line.
        self.place.vanish();
        self.line = None;
        self.intake.clear();
        self.out.clear();
        let made = if wants.plugged { TtyLine::open(&self.place).map(Some) } else { Ok(None) };
        let fault = made.as_ref().err().map(|error| format!("no new pty could be made: {error}"));
        self.line = made.unwrap_or(None);
        self.plugs = wants.plugs;
        self.printer.settled(wants.plugs, fault);
    }

    /// Waits for something to do, and does it.
    fn turn(&mut self, wants: &Wants) -> io::Result<()> {
        let waiting = !self.intake.waiting().is_empty();
        if wants.read && waiting {
            return self.pump_in();
        }
        let mut interest = PollFlags::empty();
        interest.set(PollFlags::IN, wants.read);
        interest.set(PollFlags::OUT, !self.out.is_empty());
        let mut fds = vec![PollFd::new(&self.stop.bell, PollFlags::IN)];
        fds.extend(self.line.iter().map(|line| PollFd::new(&line.master, interest)));
        poll(&mut fds, wants.until)?;
        let found = fds.get(1).map_or(PollFlags::empty(), PollFd::revents);
        self.stop.bell.hush();
        if found.contains(PollFlags::IN) {
            self.pump_in()?;
        }
        if found.contains(PollFlags::OUT) {
            self.pump_out();
        }
        Ok(())
    }

    fn pump_in(&mut self) -> io::Result<()> {
        let Self { intake, line, printer, out, rests, .. } = self;
        let Some(TtyLine { master, .. }) = line else { return Ok(()) };
        let mut host = Talk { master, out, took_bytes: 0 };
        let pumped = intake.pump(printer, usize::MAX, &mut host);
        let little = (1..SIM_PTY_LITTLE_BYTES).contains(&host.took_bytes);
        if let Pumped::Broken | Pumped::End = pumped {
            *line = None;
        } else if *rests && little && out.is_empty() {
            // The bell stays rung.
            let mut bell = [PollFd::new(&self.stop.bell, PollFlags::IN)];
            poll(&mut bell, Instant::now().checked_add(SIM_PTY_REST))?;
        }
        Ok(())
    }

    fn pump_out(&mut self) {
        let Some(line) = &self.line else { return };
        if send(&mut self.out, |bytes| Ok(rustix::io::write(&line.master, bytes)?)).is_err() {
            self.out.clear();
        }
        self.out.shrink_to(SIM_BACK_BYTES);
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.place.vanish();
        self.printer.unfollow();
    }
}
