//! The agent's loop: frames from the host, bytes and ends of jobs to the host.

use std::convert::Infallible;
use std::os::fd::OwnedFd;
use std::time::Duration;

use despool_hil_agent::{Frame, Kind, Reader, put};
use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use rustix::io::Errno;
use rustix::process::{WaitOptions, wait};

use super::job::Job;

/// Jobs at a time.
const JOBS: usize = 64;

/// What a job has not read of its input: with more the host has to wait.
const INPUT_BYTES: usize = 1 << 20;

/// Ends of processes are looked for at least this often. They are seen at once by their pipes; only one that has closed
/// its pipes and goes on is seen later.
const REAP_EVERY: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

pub(super) struct Server {
    port: OwnedFd,
    /// Tells of the port by edges: while no host is there, its level is a hang-up, which would wake every wait.
    edges: OwnedFd,
    reader: Reader,
    jobs: Vec<Job>,
}

impl Server {
    pub(super) fn new(port: OwnedFd) -> Result<Self, String> {
        let edges = epoll::create(epoll::CreateFlags::CLOEXEC).and_then(|edges| {
            let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
            epoll::add(&edges, &port, epoll::EventData::new_u64(0), flags)?;
            Ok(edges)
        });
        let edges = edges.map_err(|error| format!("watching the agent's port: {error}"))?;
        Ok(Self { port, edges, reader: Reader::default(), jobs: Vec::new() })
    }

    pub(super) fn run(mut self) -> Result<Infallible, String> {
        self.tell(0, Kind::Hello, b"hil")?;
        loop {
            self.hear()?;
            self.serve_pipes()?;
            self.reap();
            self.tell_ends()?;
            self.sleep()?;
        }
    }

    /// Waits until the port or a pipe has something.
    fn sleep(&self) -> Result<(), String> {
        let mut fds = Vec::new();
        if !self.is_choked() {
            fds.push(PollFd::new(&self.edges, PollFlags::IN));
        }
        for job in &self.jobs {
            let reads = job.wants_to_read();
            fds.extend(reads.map(|(_, fd)| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
            let write = job.wants_to_write();
            fds.extend(write.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::OUT)));
        }
        let limit = (!self.jobs.is_empty()).then_some(&REAP_EVERY);
        match poll(&mut fds, limit) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(format!("waiting: {error}")),
        }
    }

    fn is_choked(&self) -> bool {
        self.jobs.iter().any(|job| job.waiting() >= INPUT_BYTES)
    }

    /// Hears all that the host has said.
    fn hear(&mut self) -> Result<(), String> {
        self.take_edge();
        let mut bytes = vec![0; 64 * 1024];
        while !self.is_choked() {
            match rustix::io::read(&self.port, &mut bytes) {
                Ok(count) if count > 0 => {
                    self.reader.push(bytes.get(..count).unwrap_or_default());
                    while let Some(frame) =
                        self.reader.next_frame().map_err(|error| error.to_string())?
                    {
                        self.obey(frame)?;
                    }
                }
                Ok(_) | Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(format!("reading the agent's port: {error}")),
            }
        }
        Ok(())
    }

    fn take_edge(&self) {
        let mut events = [std::mem::MaybeUninit::uninit(); 1];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let _ = epoll::wait(&self.edges, &mut events, Some(&now));
    }

    fn obey(&mut self, frame: Frame) -> Result<(), String> {
        let Frame { job: id, kind, body } = frame;
        let number = |bytes: &[u8]| bytes.first_chunk().map(|bytes| i32::from_le_bytes(*bytes));
        match kind {
            Kind::Exec => return self.start(id, &body),
            Kind::SetTime => set_time(&body),
            Kind::PowerOff => return Err("switched off".to_owned()),
            Kind::Hello | Kind::Stdout | Kind::Stderr | Kind::Exit => {}
            Kind::Stdin | Kind::CloseStdin | Kind::Signal => {
                let Some(job) = self.jobs.iter_mut().find(|job| job.id == id) else {
                    return Ok(());
                };
                match kind {
                    Kind::Stdin => job.feed(&body),
                    Kind::CloseStdin => job.end_input(),
                    _ => job.signal(number(&body).unwrap_or(9)),
                }
                job.pour();
            }
        }
        Ok(())
    }

    fn start(&mut self, id: u32, words: &[u8]) -> Result<(), String> {
        let started = match self.jobs.len() < JOBS {
            true => Job::start(id, words),
            false => Err(format!("more than {JOBS} jobs at a time")),
        };
        match started {
            Ok(job) => self.jobs.push(job),
            Err(why) => {
                self.tell(id, Kind::Stderr, format!("hil-agent: {why}\n").as_bytes())?;
                // As a shell has it: not found.
                self.tell(id, Kind::Exit, &127i32.to_le_bytes())?;
            }
        }
        Ok(())
    }

    fn serve_pipes(&mut self) -> Result<(), String> {
        let mut said = Vec::new();
        for job in &mut self.jobs {
            job.pour();
            let ready: Vec<usize> =
                job.wants_to_read().filter(|(_, fd)| has_something(fd)).map(|(at, _)| at).collect();
            for at in ready {
                let bytes = job.drain(at);
                said.extend(bytes.map(|(kind, bytes)| (job.id, kind, bytes)));
            }
        }
        said.into_iter().try_for_each(|(id, kind, bytes)| self.tell(id, kind, &bytes))
    }

    /// Takes the ends of all processes, orphans too.
    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if let Some(job) = self.jobs.iter_mut().find(|job| job.is(pid)) {
                job.ended(status);
            }
        }
    }

    fn tell_ends(&mut self) -> Result<(), String> {
        let ends: Vec<(u32, i32)> =
            self.jobs.iter().filter_map(|job| Some((job.id, job.is_over()?))).collect();
        self.jobs.retain(|job| job.is_over().is_none());
        ends.into_iter()
            .try_for_each(|(id, status)| self.tell(id, Kind::Exit, &status.to_le_bytes()))
    }

    /// Says something to the host, waiting until it is there and has room.
    fn tell(&self, job: u32, kind: Kind, body: &[u8]) -> Result<(), String> {
        let mut frame = Vec::new();
        put(&mut frame, job, kind, body);
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            match rustix::io::write(&self.port, rest) {
                Ok(count) if count > 0 => rest = rest.get(count..).unwrap_or_default(),
                Ok(_) | Err(Errno::AGAIN) => wait_for_room(&self.port),
                Err(Errno::INTR) => {}
                Err(error) => return Err(format!("writing to the agent's port: {error}")),
            }
        }
        Ok(())
    }
}

fn has_something(fd: &std::os::fd::BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_ok_and(|found| found > 0)
}

/// While no host is there the port's level is a hang-up, which would end a wait at once: then only the time counts.
fn wait_for_room(port: &OwnedFd) {
    let limit = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
    let mut fds = [PollFd::new(port, PollFlags::OUT)];
    let found = poll(&mut fds, Some(&limit));
    if found.is_ok() && fds.iter().any(|fd| fd.revents().contains(PollFlags::HUP)) {
        let _ = poll(&mut [], Some(&limit));
    }
}

fn set_time(body: &[u8]) {
    let Some((nanos, noise)) = body.split_first_chunk() else { return };
    let since = Duration::from_nanos(u64::from_le_bytes(*nanos));
    if let Ok(time) = Timespec::try_from(since) {
        let _ = rustix::time::clock_settime(rustix::time::ClockId::Realtime, time);
    }
    let _ = std::fs::write("/dev/urandom", noise);
}
