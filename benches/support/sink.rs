//! The other end of a port: a thread that reads and throws away, and notes when each job's first and last byte came.
//!
//! The same sink serves despool and the plain write loop. Its own CPU time is known, so that it can be taken off.

use std::fs::File;
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags, inotify};
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::thread_cpu;

/// A job that does not come in this time never will.
const PATIENCE: Duration = Duration::from_secs(120);

/// One read takes at most this much.
const READ_BYTES: usize = 256 * 1024;

/// One job at the sink.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub first: Instant,
    pub last: Instant,
    /// CPU time that the sink spent on it.
    pub cpu: Duration,
}

/// A sink for jobs of one size.
pub struct Sink {
    arrivals: Receiver<Arrival>,
}

impl Sink {
    /// The next job that has arrived.
    pub fn next(&self) -> Arrival {
        self.arrivals.recv_timeout(PATIENCE).expect("a job did not arrive")
    }

    fn start(job_bytes: u64, source: impl FnOnce(Counter) + Send + 'static) -> Self {
        let (told, arrivals) = channel();
        let counter = Counter { job_bytes, count: 0, first: None, cpu: Duration::ZERO, told };
        std::thread::spawn(move || source(counter));
        Self { arrivals }
    }
}

/// Finds the jobs in the stream.
struct Counter {
    job_bytes: u64,
    /// Bytes of the job under way.
    count: u64,
    first: Option<Instant>,
    /// CPU time of this thread up to the last job's end.
    cpu: Duration,
    told: Sender<Arrival>,
}

impl Counter {
    /// Takes what one read gave; false where nobody listens any more.
    fn take(&mut self, bytes: usize, now: Instant) -> bool {
        let mut bytes = u64::try_from(bytes).unwrap();
        while bytes > 0 {
            let first = *self.first.get_or_insert(now);
            let part = bytes.min(self.job_bytes - self.count);
            self.count += part;
            bytes -= part;
            if self.count == self.job_bytes {
                (self.count, self.first) = (0, None);
                let before = std::mem::replace(&mut self.cpu, thread_cpu());
                let cpu = self.cpu.saturating_sub(before);
                if self.told.send(Arrival { first, last: now, cpu }).is_err() {
                    return false;
                }
            }
        }
        true
    }

    /// Reads to the end; false where nobody listens any more.
    fn drain(&mut self, from: &mut impl Read, buf: &mut [u8]) -> bool {
        loop {
            match from.read(buf) {
                Ok(0) | Err(_) => return true,
                Ok(bytes) => {
                    if !self.take(bytes, Instant::now()) {
                        return false;
                    }
                }
            }
        }
    }
}

/// A TCP sink: any number of connections, one after the other.
pub fn tcp(job_bytes: u64) -> (Sink, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let sink = Sink::start(job_bytes, move |mut counter| {
        let mut buf = vec![0; READ_BYTES];
        while let Ok((mut stream, _)) = listener.accept() {
            if !counter.drain(&mut stream, &mut buf) {
                return;
            }
        }
    });
    (sink, address)
}

/// A tty whose other end is a sink. It stays open at both ends.
pub struct Pty {
    pub sink: Sink,
    pub path: PathBuf,
    _open: OwnedFd,
}

/// A pty sink, raw.
pub fn pty(job_bytes: u64) -> Pty {
    let master =
        rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .unwrap();
    rustix::pty::grantpt(&master).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    let path: PathBuf =
        rustix::pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap().into();
    let open =
        rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())
            .unwrap();
    let mut termios = tcgetattr(&open).unwrap();
    termios.make_raw();
    tcsetattr(&open, OptionalActions::Now, &termios).unwrap();
    let sink = Sink::start(job_bytes, move |mut counter| {
        counter.drain(&mut File::from(master), &mut vec![0; READ_BYTES]);
    });
    Pty { sink, path, _open: open }
}

/// A FIFO sink. It holds a writing end itself, so that it never ends.
pub fn fifo(job_bytes: u64, dir: &Path) -> (Sink, PathBuf) {
    let path = dir.join("fifo");
    rustix::fs::mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    let mut fifo = File::options().read(true).write(true).open(&path).unwrap();
    let sink = Sink::start(job_bytes, move |mut counter| {
        counter.drain(&mut fifo, &mut vec![0; READ_BYTES]);
    });
    (sink, path)
}

/// A plain file, looked at whenever it has changed.
pub fn file(job_bytes: u64, dir: &Path) -> (Sink, PathBuf) {
    let path = dir.join("printed");
    let file = File::create(&path).unwrap();
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
    inotify::add_watch(&watch, &path, inotify::WatchFlags::MODIFY).unwrap();
    let sink = Sink::start(job_bytes, move |mut counter| {
        let (mut watch, mut buf, mut seen) = (File::from(watch), [0; 4096], 0);
        while watch.read(&mut buf).is_ok() {
            let now = Instant::now();
            let bytes = file.metadata().unwrap().len();
            let more = usize::try_from(bytes - std::mem::replace(&mut seen, bytes)).unwrap();
            if !counter.take(more, now) {
                return;
            }
        }
    });
    (sink, path)
}
