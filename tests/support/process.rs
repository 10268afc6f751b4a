//! Child processes, each with a deadline.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit status; -1 where a signal ended it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// What it said, where it ended well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// The lines of what it said, each a JSON object.
    #[track_caller]
    pub(crate) fn json(self) -> Vec<serde_json::Value> {
        self.ok().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Runs a program to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Ended {
    run_with(command, b"")
}

/// Runs a program to its end, with this on its standard input.
#[track_caller]
pub(crate) fn run_with(command: &mut Command, input: &[u8]) -> Ended {
    use std::io::Write;
    let what = format!("{command:?}");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{what}: {error}"));
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let mut stdin = child.stdin.take().unwrap();
    // A program that does not read all of its input is free to do so.
    let _ = stdin.write_all(input);
    drop(stdin);
    let code = end_of(&mut child, &what).code().unwrap_or(-1);
    Ended { code, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

fn collect(from: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    let mut from = from.unwrap();
    std::thread::spawn(move || {
        let mut all = Vec::new();
        from.read_to_end(&mut all).unwrap();
        String::from_utf8_lossy(&all).into_owned()
    })
}

/// Waits for a child's end.
#[track_caller]
pub(crate) fn end_of(child: &mut Child, what: &str) -> ExitStatus {
    let pidfd = pidfd_open(pid(child), PidfdFlags::empty()).unwrap();
    if !readable(&[pidfd.as_fd()], super::soon())[0] {
        let _ = child.kill();
        panic!("{what}: has not ended");
    }
    child.wait().unwrap()
}

/// Sends a signal.
pub(crate) fn signal(child: &Child, signal: Signal) {
    kill_process(pid(child), signal).unwrap();
}

pub(crate) fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Waits until one of these can be read from; which.
pub(crate) fn readable(fds: &[BorrowedFd<'_>], deadline: Instant) -> Vec<bool> {
    let mut polled: Vec<PollFd<'_>> =
        fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    let left = deadline.saturating_duration_since(Instant::now());
    let left = Timespec::try_from(left).unwrap();
    poll(&mut polled, Some(&left)).unwrap();
    polled.iter().map(|fd| !fd.revents().is_empty()).collect()
}
