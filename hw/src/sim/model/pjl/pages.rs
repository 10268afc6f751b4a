//! Where pages end, and how many there were.

use crate::limits::SIM_PJL_JOBS;

const FF: u8 = 0x0c;

#[derive(Debug, Default)]
pub(super) struct Pages {
    /// Something was put on the page that is open.
    marked: bool,
    /// Since the last `JOB` or `EOJ` (the manual p. 7-38).
    since: u64,
    /// Ever, for `INFO PAGECOUNT`.
    ever: u64,
    jobs: Vec<Frame>,
}

/// A `JOB` whose `EOJ` has not come.
#[derive(Debug)]
struct Frame {
    range: Option<(u64, u64)>,
    seen: u64,
    printed: u64,
}

impl Pages {
    pub(super) fn in_job(&self) -> bool {
        !self.jobs.is_empty()
    }

    pub(super) fn ever(&self) -> u64 {
        self.ever
    }

    /// Looks at data of the page language; how many pages it ends.
    pub(super) fn data(&mut self, data: &[u8]) -> usize {
        let ends = super::count(data, FF);
        if ends == 0 {
            self.marked |= !data.is_empty();
        } else {
            self.marked = data.last() != Some(&FF);
        }
        ends
    }

    /// Something is on the page.
    pub(super) fn mark(&mut self) {
        self.marked = true;
    }

    /// The data ends; does a page end with it?
    pub(super) fn eject(&mut self) -> bool {
        std::mem::take(&mut self.marked)
    }

    /// Counts a finished page; its number in its job.
    pub(super) fn count(&mut self) -> u64 {
        self.since = self.since.saturating_add(1);
        self.ever = self.ever.saturating_add(1);
        for frame in &mut self.jobs {
            frame.seen = frame.seen.saturating_add(1);
            if frame.range.is_none_or(|(first, last)| (first..=last).contains(&frame.seen)) {
                frame.printed = frame.printed.saturating_add(1);
            }
        }
        self.since
    }

    /// `JOB`. Beyond [`SIM_PJL_JOBS`] nested ones the outermost is forgotten.
    pub(super) fn begin_job(&mut self, range: Option<(u64, u64)>) {
        self.since = 0;
        if self.jobs.len() >= SIM_PJL_JOBS {
            self.jobs.remove(0);
        }
        self.jobs.push(Frame { range, seen: 0, printed: 0 });
    }

    /// `EOJ`; the pages printed since its `JOB`. One without a `JOB` is ignored (HP Color LaserJet 4550 user guide p.
    /// 270).
    pub(super) fn end_job(&mut self) -> Option<u64> {
        let frame = self.jobs.pop()?;
        self.since = 0;
        Some(frame.printed)
    }
}
