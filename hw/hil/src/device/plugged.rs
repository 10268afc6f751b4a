//! A USB device that is plugged into the machine: a thread between its model and QEMU.
//!
//! Connecting to the slot's socket is plugging in, closing it is pulling the cable.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use despool_hil_models::usb::{Device, Session};
use despool_hw::Bell;
use despool_hw::sim::Watch;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Printer;
use crate::error::{Error, Result, file};
use crate::limits::READ_BYTES;
use crate::patience::Patience;

/// A device that is plugged in. Dropping it pulls the cable.
#[derive(Debug)]
pub struct Plugged<D> {
    shared: Arc<Shared<D>>,
    thread: Option<JoinHandle<()>>,
    _watch: Watch,
}

#[derive(Debug)]
struct Shared<D> {
    device: Mutex<D>,
    state: Mutex<State>,
    changed: Condvar,
    bell: Bell,
}

#[derive(Debug, Default)]
struct State {
    stop: bool,
    /// Why the thread has ended.
    ended: Option<String>,
    /// Turns of the thread.
    turns: u64,
}

impl<D> Shared<D> {
    fn device(&self) -> MutexGuard<'_, D> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Device + 'static> Plugged<D> {
    /// Plugs a device with this printer behind it into the slot of this socket.
    pub(crate) fn plug(socket: &Path, device: D, printer: &Printer) -> Result<Self> {
        let stream = UnixStream::connect(socket).map_err(file("plugging into", socket))?;
        stream.set_nonblocking(true).map_err(file("plugging into", socket))?;
        let bell = Bell::new()?;
        let watch = printer.handle().ring_at_changes(bell.clone());
        let shared = Arc::new(Shared {
            device: Mutex::new(device),
            state: Mutex::default(),
            changed: Condvar::new(),
            bell,
        });
        let ours = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("hil-usb".into());
        let thread = thread.spawn(move || {
            let (session, due) = (Session::default(), Some(Instant::now()));
            let why = Wire { stream, session, shared: &ours, due }.run();
            ours.state().ended = Some(why);
            ours.changed.notify_all();
        });
        let thread = thread.map_err(|source| Error::Ours { doing: "starting a thread", source })?;
        Ok(Self { shared, thread: Some(thread), _watch: watch })
    }

    /// Does something with the device.
    pub fn with<R>(&self, act: impl FnOnce(&mut D) -> R) -> R {
        let result = act(&mut self.shared.device());
        self.shared.bell.ring();
        result
    }

    /// Waits until something can be seen of the device.
    pub fn wait_for<R>(
        &self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&mut D) -> Option<R>,
    ) -> Result<R> {
        let until = Patience::new(limit);
        loop {
            let turns = self.shared.state().turns;
            if let Some(found) = look(&mut self.shared.device()) {
                return Ok(found);
            }
            let state = self.shared.state();
            let left = until.left();
            if left.is_zero() || state.ended.is_some() {
                let why = state.ended.as_deref().unwrap_or("it is plugged in");
                let what = format!("the USB device does not show {what} ({why})");
                return Err(Error::TooLate { what, waited: limit });
            }
            let unchanged = |state: &mut State| state.turns == turns && state.ended.is_none();
            let waited = self.shared.changed.wait_timeout_while(state, left, unchanged);
            drop(waited);
        }
    }

    /// True while it is plugged in. A device may leave by itself.
    pub fn is_plugged(&self) -> bool {
        self.shared.state().ended.is_none()
    }

    /// Waits until it has left by itself.
    pub fn wait_until_gone(&self, limit: Duration) -> Result<()> {
        let until = Patience::new(limit);
        let there = |state: &State| state.ended.is_none();
        let state = until.wait_while(&self.shared.changed, self.shared.state(), there);
        match state.ended {
            Some(_) => Ok(()),
            None => {
                let what = "the USB device is still plugged in".to_owned();
                Err(Error::TooLate { what, waited: limit })
            }
        }
    }

    /// Pulls the cable.
    pub fn unplug(self) {
        drop(self);
    }
}

impl<D> Drop for Plugged<D> {
    fn drop(&mut self) {
        self.shared.state().stop = true;
        self.shared.bell.ring();
        if let Some(thread) = self.thread.take() {
            // It said its last word in its own panic message.
            let _ = thread.join();
        }
    }
}

/// The thread's side.
struct Wire<'a, D> {
    stream: UnixStream,
    session: Session,
    shared: &'a Shared<D>,
    /// When the device has something to do, as of the last time that it had. Asked for later it might be over, and forgotten.
    due: Option<Instant>,
}

impl<D: Device> Wire<'_, D> {
    /// Runs until the cable is pulled, at whichever end; why it ended.
    fn run(mut self) -> String {
        let mut bytes = vec![0; READ_BYTES];
        loop {
            if self.shared.state().stop {
                return "it was unplugged".to_owned();
            }
            if let Err(why) = self.turn(&mut bytes) {
                return why;
            }
            self.shared.state().turns += 1;
            self.shared.changed.notify_all();
            if self.session.is_unplugged() && self.session.output().is_empty() {
                return "it left the bus".to_owned();
            }
        }
    }

    /// Waits for something, and does it.
    fn turn(&mut self, bytes: &mut [u8]) -> std::result::Result<(), String> {
        self.sleep()?;
        let read = match self.stream.read(bytes) {
            Ok(0) => return Err("QEMU has hung up".to_owned()),
            Ok(count) => bytes.get(..count).unwrap_or_default(),
            Err(error) if is_later(&error) => &[],
            Err(error) => return Err(error.to_string()),
        };
        {
            let mut device = self.shared.device();
            let now = Instant::now();
            if !read.is_empty() {
                let heard = self.session.receive(read, &mut *device, now);
                heard.map_err(|fault| fault.to_string())?;
            }
            self.session.tick(&mut *device, now);
            self.due = device.next_event(now);
        }
        self.write()
    }

    fn sleep(&mut self) -> std::result::Result<(), String> {
        let limit = self.due.map(|due| due.saturating_duration_since(Instant::now()));
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let mut events = PollFlags::IN;
        events.set(PollFlags::OUT, !self.session.output().is_empty());
        let mut fds = [
            PollFd::from_borrowed_fd(self.stream.as_fd(), events),
            PollFd::new(&self.shared.bell, PollFlags::IN),
        ];
        match poll(&mut fds, limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.to_string()),
        }
        self.shared.bell.hush();
        Ok(())
    }

    fn write(&mut self) -> std::result::Result<(), String> {
        let output = self.session.output();
        while !output.is_empty() {
            match self.stream.write(output) {
                Ok(count) => drop(output.drain(..count)),
                Err(error) if is_later(&error) => break,
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }
}

fn is_later(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
