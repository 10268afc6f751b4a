//! What the server logs, line by line as it comes.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

/// Lines that are kept for a failing test to show.
const TAIL: usize = 60;

/// The server's log so far, and the events in it.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    grown: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    /// How many of them tell of something that happened to a job, a printer or a port.
    events: usize,
    ended: bool,
}

impl Log {
    /// Reads a log until it ends.
    pub(crate) fn read(from: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        let writer = log.clone();
        std::thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|len| len > 0) {
                writer.push(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
            writer.state().ended = true;
            writer.0.grown.notify_all();
        });
        log
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    fn push(&self, line: String) {
        let mut state = self.state();
        state.events += usize::from(line.contains("despool::event:"));
        state.lines.push(line);
        self.0.grown.notify_all();
    }

    /// How many events there were so far.
    pub(crate) fn events(&self) -> usize {
        self.state().events
    }

    /// How many lines there are so far.
    pub(crate) fn len(&self) -> usize {
        self.state().lines.len()
    }

    /// Waits for more than `seen` events; false where the log ended or the deadline came.
    pub(crate) fn wait_beyond(&self, seen: usize, deadline: Instant) -> bool {
        self.wait(deadline, |state| (state.events > seen).then_some(())).is_some()
    }

    /// Waits for a line like that behind the first `after` lines.
    #[track_caller]
    pub(crate) fn wait_for(&self, after: usize, wanted: impl Fn(&str) -> bool) -> String {
        let found = self.wait(super::soon(), |state| {
            state.lines.iter().skip(after).find(|line| wanted(line)).cloned()
        });
        found.unwrap_or_else(|| panic!("no such line in the log:\n{}", self.tail()))
    }

    fn wait<T>(&self, deadline: Instant, look: impl Fn(&State) -> Option<T>) -> Option<T> {
        let mut state = self.state();
        loop {
            let found = look(&state);
            let left = deadline.saturating_duration_since(Instant::now());
            if found.is_some() || state.ended || left.is_zero() {
                return found;
            }
            state = self.0.grown.wait_timeout(state, left).unwrap().0;
        }
    }

    /// The last lines.
    pub(crate) fn tail(&self) -> String {
        let state = self.state();
        let from = state.lines.len().saturating_sub(TAIL);
        state.lines[from..].join("\n")
    }
}
