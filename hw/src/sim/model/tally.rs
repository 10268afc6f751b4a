//! What the printer got: counts, a digest, the bytes themselves where they are kept, and where jobs began.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::io::Write;

use super::digest::{Checksum, Digest, Sum};
use super::sort::{Sorted, Sorter};
use crate::Origin;
use crate::limits::SIM_JOB_SPANS;
use crate::sim::Language;

/// What becomes of the bytes of jobs, beside being counted.
#[derive(Default)]
pub enum Keep {
    /// Nothing.
    #[default]
    Nothing,
    /// They are kept for `take_kept`, up to so many; what comes later is counted only.
    Memory {
        /// The most bytes to keep.
        limit_bytes: usize,
    },
    /// They are written there, until the first error.
    Sink(Box<dyn Write + Send>),
}

impl fmt::Debug for Keep {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => out.write_str("Nothing"),
            Self::Memory { limit_bytes } => write!(out, "Memory({limit_bytes})"),
            Self::Sink(_) => out.write_str("Sink"),
        }
    }
}

/// What a printer received since the last `reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Bytes of jobs.
    pub bytes: u64,
    /// Their digest.
    pub sum: Sum,
    /// Bytes of the language monitor.
    pub monitor_bytes: u64,
    /// Jobs that ended, as far as the wire shows where jobs end.
    pub jobs: u64,
    /// Pages, receipts or labels finished.
    pub pages: u64,
    /// Bytes in the input buffer, of those above.
    pub buffered: usize,
    /// Bytes that were forgotten before they were printed, of those above.
    pub discarded: u64,
}

/// Where a job lay in the bytes of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobSpan {
    /// Offset of its first byte since the last `reset`.
    pub start: u64,
    /// Its length.
    pub bytes: u64,
    /// It ended as a job should; false: it was cut off.
    pub complete: bool,
}

#[derive(Debug)]
pub(super) struct Tally {
    checksum: Checksum,
    sorter: Option<Sorter>,
    book: Book,
    jobs: u64,
    spans: VecDeque<JobSpan>,
    /// Where the running job began.
    begun: Option<u64>,
}

#[derive(Debug)]
struct Book {
    bytes: u64,
    monitor_bytes: u64,
    digest: Digest,
    keep: Keep,
    kept: Vec<u8>,
    kept_all: bool,
}

impl Book {
    fn enter(&mut self, sorted: &Sorted<'_>) {
        match sorted {
            Sorted::Monitor(len) => {
                self.monitor_bytes = self.monitor_bytes.saturating_add(*len as u64);
            }
            Sorted::Job(bytes) => {
                self.bytes = self.bytes.saturating_add(bytes.len() as u64);
                self.digest.update(bytes);
                self.keep(bytes);
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let kept = match &mut self.keep {
            Keep::Nothing => true,
            Keep::Memory { limit_bytes } => {
                let room = limit_bytes.saturating_sub(self.kept.len());
                self.kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
                bytes.len() <= room
            }
            Keep::Sink(sink) => self.kept_all && sink.write_all(bytes).is_ok(),
        };
        self.kept_all &= kept;
    }
}

impl Tally {
    pub(super) fn new(language: Language, checksum: Checksum, keep: Keep) -> Self {
        let digest = Digest::new(checksum);
        let sorter = matches!(language, Language::Pjl | Language::Ieee1284_4).then(Sorter::default);
        let book =
            Book { bytes: 0, monitor_bytes: 0, digest, keep, kept: Vec::new(), kept_all: true };
        Self { checksum, sorter, book, jobs: 0, spans: VecDeque::new(), begun: None }
    }

    /// Counts bytes that came in; on a real wire (`origin` is `None`) the grammar says whose they are.
    pub(super) fn enter(&mut self, bytes: &[u8], origin: Option<Origin>) {
        let book = &mut self.book;
        let mut out = |sorted: Sorted<'_>| book.enter(&sorted);
        match (origin, &mut self.sorter) {
            (None, Some(sorter)) => sorter.sort(bytes, &mut out),
            (None | Some(Origin::Job), _) => {
                self.settle();
                self.book.enter(&Sorted::Job(bytes));
            }
            (Some(Origin::Monitor), _) => {
                self.settle();
                self.book.enter(&Sorted::Monitor(bytes.len()));
            }
        }
    }

    /// Counts bytes around those of jobs that are nobody's.
    pub(super) fn beside(&mut self, bytes: usize) {
        self.book.enter(&Sorted::Monitor(bytes));
    }

    /// What is undecided is the job's.
    fn settle(&mut self) {
        if let Some(sorter) = &mut self.sorter {
            let book = &mut self.book;
            sorter.flush(&mut |sorted| book.enter(&sorted));
        }
    }

    fn held(&self) -> &[u8] {
        self.sorter.as_ref().map(Sorter::held).unwrap_or_default()
    }

    /// Bytes of jobs so far.
    pub(super) fn bytes(&self) -> u64 {
        self.book.bytes.saturating_add(self.held().len() as u64)
    }

    pub(super) fn monitor_bytes(&self) -> u64 {
        self.book.monitor_bytes
    }

    pub(super) fn sum(&self) -> Sum {
        let mut digest = self.book.digest.clone();
        digest.update(self.held());
        digest.finish()
    }

    pub(super) fn jobs(&self) -> u64 {
        self.jobs
    }

    /// A job begins here; one that was under way is cut off.
    pub(super) fn begin(&mut self) {
        self.end(false);
        self.settle();
        self.begun = Some(self.bytes());
    }

    /// The running job ends here, if there is one.
    pub(super) fn end(&mut self, complete: bool) -> Option<JobSpan> {
        let start = self.begun.take()?;
        self.settle();
        let span = JobSpan { start, bytes: self.bytes().saturating_sub(start), complete };
        self.jobs = self.jobs.saturating_add(1);
        if self.spans.len() >= SIM_JOB_SPANS {
            self.spans.pop_front();
        }
        self.spans.push_back(span);
        Some(span)
    }

    /// The last jobs, oldest first.
    pub(super) fn spans(&self) -> Vec<JobSpan> {
        self.spans.iter().copied().collect()
    }

    /// The bytes kept so far, which are forgotten here.
    pub(super) fn take_kept(&mut self) -> Vec<u8> {
        if matches!(self.book.keep, Keep::Memory { .. }) {
            self.settle();
        }
        std::mem::take(&mut self.book.kept)
    }

    /// Was every byte kept that should be?
    pub(super) fn kept_all(&self) -> bool {
        self.book.kept_all
    }

    pub(super) fn reset(&mut self) {
        if let Some(sorter) = &mut self.sorter {
            sorter.clear();
        }
        let book = &mut self.book;
        (book.bytes, book.monitor_bytes, self.jobs) = (0, 0, 0);
        book.digest = Digest::new(self.checksum);
        book.kept.clear();
        book.kept_all = true;
        self.spans.clear();
        self.begun = self.begun.map(|_| 0);
    }
}
