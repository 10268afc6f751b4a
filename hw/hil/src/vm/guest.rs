//! Programs in the guest, by its agent.
//!
//! A program runs in one of two places: in the bare guest (busybox, devices, nothing else), or in the host's own file system,
//! which the guest has at `/host` read-only, with the guest's `/dev`, `/proc`, `/sys` and a fresh `/tmp` and `/run` in it. So whatever runs
//! on the host runs in the guest unchanged, and sees the guest's devices.

mod running;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use despool_hil_agent::{Frame, Kind, Reader, put};

use running::Job;
pub use running::{Output, Running};

use super::process::Process;
use crate::error::{Error, Result};
use crate::limits::COMMAND;
use crate::patience::Patience;

/// The way to the guest's programs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guest {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    to_agent: Mutex<UnixStream>,
}

#[derive(Debug, Default)]
struct State {
    hello: bool,
    /// Why nothing more will come.
    ended: Option<String>,
    jobs: HashMap<u32, Job>,
    last_job: u32,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, job: u32, kind: Kind, body: &[u8]) -> Result<()> {
        let mut bytes = Vec::new();
        put(&mut bytes, job, kind, body);
        let mut stream = self.to_agent.lock().unwrap_or_else(PoisonError::into_inner);
        stream.write_all(&bytes).map_err(|error| lost(&error))
    }

    /// Waits until `look` finds something.
    fn wait<R>(&self, until: Patience, mut look: impl FnMut(&mut State) -> Option<R>) -> Option<R> {
        let mut state = self.lock();
        loop {
            if let Some(found) = look(&mut state) {
                return Some(found);
            }
            let left = until.left();
            if left.is_zero() || state.ended.is_some() {
                return None;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn hear(&self, frame: Frame) {
        let mut state = self.lock();
        match frame.kind {
            Kind::Hello => state.hello = true,
            kind => {
                if let Some(job) = state.jobs.get_mut(&frame.job) {
                    job.hear(kind, &frame.body);
                }
            }
        }
        self.changed.notify_all();
    }
}

fn lost(error: &dyn std::fmt::Display) -> Error {
    Error::Guest { why: format!("its agent cannot be reached: {error}") }
}

impl Guest {
    pub(super) fn connect(socket: &Path, process: &mut Process, until: Patience) -> Result<Self> {
        let stream = process.connect(socket, until)?;
        let reading = stream.try_clone().map_err(|error| lost(&error))?;
        let (state, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { state, changed, to_agent: Mutex::new(stream) });
        let ours = Arc::clone(&shared);
        let dir = socket.parent().unwrap_or(Path::new(".")).to_owned();
        let listening = std::thread::Builder::new().name("hil-guest".into());
        let listening = listening.spawn(move || {
            let why = listen(reading, &ours);
            // QEMU may have ended by itself.
            let said = super::process::last_words(&dir);
            ours.lock().ended = Some(format!("{why}; QEMU says: {said}"));
            ours.changed.notify_all();
        });
        listening.map_err(|source| Error::Ours { doing: "starting a thread", source })?;
        Ok(Self { shared })
    }

    pub(super) fn wait_for_hello(&self, until: Patience) -> Result<()> {
        let hello = self.shared.wait(until, |state| state.hello.then_some(()));
        hello.ok_or_else(|| Error::Guest { why: "its agent has not said hello".into() })
    }

    /// Tells the guest what time it is, and stirs its random numbers.
    pub(super) fn set_time(&self) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut body = u64::try_from(now.as_nanos()).unwrap_or(0).to_le_bytes().to_vec();
        let mut noise = [0; 32];
        let stirred =
            std::fs::File::open("/dev/urandom").and_then(|mut it| it.read_exact(&mut noise));
        if stirred.is_ok() {
            body.extend(noise);
        }
        self.shared.send(0, Kind::SetTime, &body)
    }

    /// Starts a program in the bare guest.
    pub fn spawn<W: AsRef<str>>(&self, words: &[W]) -> Result<Running> {
        let mut body = Vec::new();
        for word in words {
            body.extend(word.as_ref().bytes());
            body.push(0);
        }
        let id = {
            let mut state = self.shared.lock();
            state.last_job = state.last_job.wrapping_add(1);
            let id = state.last_job;
            state.jobs.insert(id, Job::default());
            id
        };
        let what = words.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(" ");
        self.shared.send(id, Kind::Exec, &body)?;
        Ok(Running::new(id, what, self.clone()))
    }

    /// Runs a program in the bare guest to its end; a status other than 0 is an error.
    pub fn run<W: AsRef<str>>(&self, words: &[W]) -> Result<Output> {
        self.spawn(words)?.wait(COMMAND)?.successful()
    }

    /// Runs a line of shell in the bare guest.
    pub fn shell(&self, line: &str) -> Result<Output> {
        self.run(&["/bin/sh", "-c", line])
    }

    /// Starts a program of the host in the guest. Its files must be under the same path on the host.
    pub fn spawn_host<W: AsRef<str>>(&self, words: &[W]) -> Result<Running> {
        self.mount_host()?;
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        self.spawn(&[&["/bin/busybox", "chroot", "/host"], words.as_slice()].concat())
    }

    /// Runs a program of the host in the guest to its end; a status other than 0 is an error.
    pub fn run_host<W: AsRef<str>>(&self, words: &[W]) -> Result<Output> {
        self.spawn_host(words)?.wait(COMMAND)?.successful()
    }

    /// Writes a file in the guest. For programs of the host it lies at the same path without `/host`.
    pub fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        let mut writing = self.spawn(&["/bin/sh", "-c", "cat > \"$0\"", path])?;
        writing.feed(content)?;
        writing.end_input()?;
        writing.wait(COMMAND)?.successful().map(drop)
    }

    /// Gives the guest the host's file system, once. `/tmp` claims more room than there is memory: programs that look for room
    /// before they begin (spoolers) find it.
    fn mount_host(&self) -> Result<()> {
        const SCRIPT: &str = "
            [ -e /host/proc/self ] && exit 0
            set -e
            mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=loose,ro host /host
            mount -t devtmpfs dev /host/dev; mount -t devpts pts /host/dev/pts
            mount -t proc proc /host/proc; mount -t sysfs sys /host/sys
            for dir in tmp run; do mount -t tmpfs -o size=2g tmp /host/$dir; done";
        self.shell(SCRIPT).map(drop)
    }
}

fn listen(mut stream: UnixStream, shared: &Shared) -> String {
    let (mut reader, mut bytes) = (Reader::default(), vec![0; 64 * 1024]);
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return "it has hung up".to_owned(),
            Ok(count) => reader.push(bytes.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return error.to_string(),
        }
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => shared.hear(frame),
                Ok(None) => break,
                Err(garbled) => return garbled.to_string(),
            }
        }
    }
}
