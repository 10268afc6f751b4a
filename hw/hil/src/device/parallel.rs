//! The bench's end of the parallel port: the wire is modelled in QEMU's process (see the shim), the printer here.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use despool_hil_models::shim::{Message, Reader};
use despool_hil_models::{Engine, ieee1284};
use despool_hw::Bell;
use despool_hw::sim::Watch;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Behind, Modes, Printer};
use crate::error::{Error, Result, file};
use crate::limits::SHIM;
use crate::patience::Patience;

pub use ieee1284::Registers;

/// Words of the printer that are on their way to the host at a time.
const WORDS: usize = 4096;

/// What the shim says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// What the host has in its registers.
    pub registers: Registers,
    /// Accesses to registers since QEMU was started.
    pub accesses: u64,
    /// Bytes taken since then.
    pub taken: u64,
}

/// The parallel port with a printer on it.
#[derive(Debug)]
pub struct ParallelPort {
    shared: Arc<Shared>,
    printer: Printer,
    _watch: Watch,
}

#[derive(Debug)]
struct Shared {
    to_shim: Mutex<Option<UnixStream>>,
    heard: Mutex<Heard>,
    changed: Condvar,
    bell: Bell,
}

#[derive(Debug, Default)]
struct Heard {
    connected: bool,
    states: u64,
    state: Option<State>,
    resets: u32,
}

impl Shared {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, messages: &[Message]) {
        let mut out = Vec::new();
        messages.iter().for_each(|message| message.put(&mut out));
        let mut stream = self.to_shim.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = stream.as_mut() {
            // QEMU may have ended.
            let _ = stream.write_all(&out);
        }
    }
}

impl ParallelPort {
    /// Listens in `dir` for QEMU's shim. `id`: the device id, its length included.
    pub(crate) fn listen(dir: &Path, printer: Printer, id: Vec<u8>) -> Result<Self> {
        let path = dir.join("parallel.sock");
        let listener = UnixListener::bind(&path).map_err(file("listening on", &path))?;
        let bell = Bell::new()?;
        let watch = printer.handle().ring_at_changes(bell.clone());
        let shared = Arc::new(Shared {
            to_shim: Mutex::new(None),
            heard: Mutex::default(),
            changed: Condvar::new(),
            bell,
        });
        let (weak, behind) = (Arc::downgrade(&shared), printer.behind());
        let thread = std::thread::Builder::new().name("hil-parallel".into());
        let thread = thread.spawn(move || {
            let Ok((stream, _)) = listener.accept() else { return };
            let Some(shared) = weak.upgrade() else { return };
            let ours = stream.try_clone().ok();
            *shared.to_shim.lock().unwrap_or_else(PoisonError::into_inner) = ours;
            shared.send(&[Message::Id(id)]);
            Wire {
                stream,
                shared: &shared,
                behind,
                taken: 0,
                late: Vec::new(),
                told: None,
                due: None,
            }
            .run();
        });
        thread.map_err(|source| Error::Ours { doing: "starting a thread", source })?;
        Ok(Self { shared, printer, _watch: watch })
    }

    /// The printer on it.
    pub fn printer(&self) -> &Printer {
        &self.printer
    }

    /// Another device id, its length included.
    pub fn set_id(&self, id: Vec<u8>) {
        self.shared.send(&[Message::Id(id)]);
    }

    /// Agrees to other modes from the next negotiation on.
    pub fn set_modes(&self, modes: Modes) {
        self.shared.send(&[Message::Modes(modes)]);
    }

    /// How the port is; every byte taken before has reached the printer.
    pub fn state(&self) -> Result<State> {
        let until = Patience::new(SHIM);
        let late =
            || Error::TooLate { what: "the parallel port's shim is silent".into(), waited: SHIM };
        let changed = &self.shared.changed;
        let heard = until.wait_while(changed, self.shared.heard(), |heard| !heard.connected);
        if !heard.connected {
            return Err(late());
        }
        let before = heard.states;
        drop(heard);
        self.shared.send(&[Message::Ask]);
        let unchanged = |heard: &Heard| heard.states == before;
        let heard = until.wait_while(changed, self.shared.heard(), unchanged);
        heard.state.filter(|_| heard.states != before).ok_or_else(late)
    }

    /// Pulses of nInit that the printer has seen.
    pub fn resets(&self) -> u32 {
        self.shared.heard().resets
    }

    /// Puts the registers as they were when a snapshot was taken: QEMU does not write what it believes to be there.
    pub(crate) fn restore(&self, registers: Registers) -> Result<()> {
        // Waits for the shim too.
        self.state()?;
        self.shared.send(&[Message::Restore(registers)]);
        self.state().map(drop)
    }
}

impl Drop for ParallelPort {
    fn drop(&mut self) {
        let stream = self.shared.to_shim.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(stream) = stream {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        self.shared.bell.ring();
    }
}

/// The thread's side.
struct Wire<'a> {
    stream: UnixStream,
    shared: &'a Shared,
    behind: Behind,
    /// Bytes that the shim's printer took.
    taken: u64,
    /// Those of them that the printer has not: it stopped when they were on their way. No more than it had allowed.
    late: Vec<u8>,
    /// What the shim was told last: limit and condition.
    told: Option<(u64, despool_hil_models::Condition)>,
    /// When something changes by itself: a printer with a pace of its own has room again as time goes by.
    due: Option<Instant>,
}

impl Wire<'_> {
    fn run(mut self) {
        let (mut reader, mut bytes) = (Reader::default(), vec![0; 64 * 1024]);
        let Ok(()) = self.stream.set_nonblocking(false) else { return };
        self.tell();
        self.shared.heard().connected = true;
        self.shared.changed.notify_all();
        loop {
            let mut fds = [
                PollFd::new(&self.stream, PollFlags::IN),
                PollFd::new(&self.shared.bell, PollFlags::IN),
            ];
            let left = self.due.map(|due| due.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            if poll(&mut fds, left.as_ref()).is_err() {
                continue;
            }
            let [socket, _] = &fds;
            if !socket.revents().is_empty() {
                match self.stream.read(&mut bytes) {
                    Ok(0) | Err(_) => return,
                    Ok(count) => reader.push(bytes.get(..count).unwrap_or_default()),
                }
            }
            self.shared.bell.hush();
            while let Ok(Some(message)) = reader.next_message() {
                self.hear(message);
            }
            self.tell();
        }
    }

    fn hear(&mut self, message: Message) {
        let now = Instant::now();
        match message {
            Message::Taken(bytes) => {
                self.taken = self.taken.saturating_add(bytes.len() as u64);
                self.late.extend(bytes);
                self.give(now);
            }
            Message::Reset => {
                self.late.clear();
                self.behind.reset(now);
                self.shared.heard().resets += 1;
            }
            Message::State { registers, accesses, taken } => {
                let mut heard = self.shared.heard();
                heard.states += 1;
                heard.state = Some(State { registers, accesses, taken });
            }
            _ => {}
        }
        self.shared.changed.notify_all();
    }

    /// Gives the printer what it takes.
    fn give(&mut self, now: Instant) {
        let count = self.behind.take(&self.late, now);
        self.late.drain(..count.min(self.late.len()));
    }

    /// Tells the shim what has changed at the printer.
    fn tell(&mut self) {
        let now = Instant::now();
        self.give(now);
        let room = self.behind.room(now).saturating_sub(self.late.len());
        let room = u64::try_from(room).unwrap_or(u64::MAX);
        let state = (self.taken.saturating_add(room), self.behind.condition());
        self.due = self.behind.next_event(now);
        let mut messages = Vec::new();
        if self.told != Some(state) {
            self.told = Some(state);
            messages.extend([Message::Condition(state.1), Message::Limit(state.0)]);
        }
        let words = self.behind.say(WORDS, now);
        if !words.is_empty() {
            messages.push(Message::Words(words));
        }
        self.shared.send(&messages);
    }
}
