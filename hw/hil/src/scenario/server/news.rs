//! What the server tells of itself, by `despool watch`: so that nobody has to ask it again and again.
//!
//! ```text
//!   despool watch --json ──► a line for each notification ──► News: the last state of each job, the reasons of each printer
//! ```
//!
//! Under interpretation a program takes a second to start, on the only processor that the server has too: asking without
//! pause would be what is measured. Invariant: a line is taken in once, in its order.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::limits::{EVENT, LOOK_AGAIN};
use crate::patience::Patience;
use crate::vm::Running;

/// The program that listens, and what it has heard.
#[derive(Debug)]
pub(super) struct News {
    watching: Running,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    /// Bytes of its output that were taken in, whole lines only.
    taken: usize,
    /// Registrations that have been answered.
    registered: usize,
    /// Changes of anything below.
    changes: u64,
    jobs: HashMap<String, String>,
    printers: HashMap<String, Vec<String>>,
}

/// Something that was heard.
pub(super) enum About<'a> {
    /// The state of the job with this number.
    Job(&'a str),
    /// The reasons of a printer.
    Printer(&'a str),
}

impl News {
    /// Takes over a `despool watch --json` of this many notification types, and waits until it is registered for them.
    pub(super) fn listen(watching: Running, types: usize) -> Result<Self> {
        let news = Self { watching, heard: Mutex::default() };
        if !news.wait(EVENT, || news.lock().registered >= types) {
            let said = news.watching.so_far();
            let what = format!("despool watch has not registered: {}", said.complaints());
            return Err(Error::TooLate { what, waited: EVENT });
        }
        Ok(news)
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much has changed so far.
    pub(super) fn changes(&self) -> u64 {
        while self.hear(Duration::ZERO) {}
        self.lock().changes
    }

    /// Waits until something has changed since there were this many changes, for [`LOOK_AGAIN`] at most.
    pub(super) fn wait_for_change(&self, since: u64) {
        self.wait(LOOK_AGAIN, || self.lock().changes != since);
    }

    /// Waits until what was heard last is as wanted, for [`LOOK_AGAIN`] at most, and not at all where nothing was heard ever;
    /// true if it is as wanted.
    pub(super) fn wait_until(&self, about: &About<'_>, wanted: impl Fn(&[String]) -> bool) -> bool {
        self.changes();
        let limit = if self.last(about).is_some() { LOOK_AGAIN } else { Duration::ZERO };
        self.wait(limit, || self.last(about).is_some_and(|last| wanted(&last)))
    }

    /// The last state of a job.
    pub(super) fn state_of(&self, job: &str) -> Option<String> {
        self.lock().jobs.get(job).cloned()
    }

    /// Listens until `wanted` holds; false: it does not, and the time is over or nothing will come any more.
    fn wait(&self, limit: Duration, wanted: impl Fn() -> bool) -> bool {
        let until = Patience::new(limit);
        while !wanted() {
            let left = until.left();
            if left.is_zero() || !self.hear(left) {
                return false;
            }
        }
        true
    }

    fn last(&self, about: &About<'_>) -> Option<Vec<String>> {
        let heard = self.lock();
        match about {
            About::Job(id) => heard.jobs.get(*id).map(|state| vec![state.clone()]),
            About::Printer(name) => heard.printers.get(*name).cloned(),
        }
    }

    /// Takes in what comes next; false: nothing came in that time, or nothing will come any more.
    fn hear(&self, limit: Duration) -> bool {
        let taken = self.lock().taken;
        // What came is a part of a line as often as not: the rest of it comes at once.
        let Some(said) = self.watching.more(taken, limit) else { return false };
        let Some(end) = said.iter().rposition(|byte| *byte == b'\n') else {
            return self.watching.more(taken.saturating_add(said.len()), limit).is_some();
        };
        let mut heard = self.lock();
        let whole = said.get(..end).unwrap_or_default();
        whole.split(|byte| *byte == b'\n').for_each(|line| heard.take(line));
        heard.taken = heard.taken.saturating_add(end).saturating_add(1);
        true
    }
}

impl Heard {
    fn take(&mut self, line: &[u8]) {
        let Ok(line) = serde_json::from_slice::<Value>(line) else { return };
        let word = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("").to_owned();
        if word(line.get("event")) == "registered" {
            self.registered = self.registered.saturating_add(1);
        }
        let Some(data) = line.get("data") else { return };
        let changed = match data.get("job") {
            Some(job) => {
                let id = job.get("id").and_then(Value::as_i64).unwrap_or_default().to_string();
                let state = word(job.get("state"));
                self.jobs.insert(id, state.clone()) != Some(state)
            }
            None => {
                let reasons = data.get("reasons").and_then(Value::as_array);
                let reasons: Vec<String> =
                    reasons.into_iter().flatten().map(|it| word(Some(it))).collect();
                let before = self.printers.insert(word(data.get("printer")), reasons.clone());
                before != Some(reasons)
            }
        };
        self.changes = self.changes.saturating_add(changed.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts_and_repetitions_are_no_change() {
        let mut heard = Heard::default();
        for line in [
            r#"{"event":"registered","type":"job"}"#,
            r#"{"event":"notification","data":{"printer":"label","job":{"id":7,"state":"pending"}}}"#,
            r#"{"event":"notification","data":{"printer":"label","job":{"id":7,"state":"processing"}}}"#,
            r#"{"event":"notification","data":{"printer":"label","job":{"id":7,"state":"processing"}}}"#,
            r#"{"event":"notification","data":{"printer":"label","reasons":["media-empty-error"]}}"#,
            "what is no JSON",
        ] {
            heard.take(line.as_bytes());
        }
        assert_eq!(heard.registered, 1);
        assert_eq!(heard.jobs["7"], "processing");
        assert_eq!(heard.printers["label"], ["media-empty-error"]);
        assert_eq!(heard.changes, 3);
    }
}
