//! Resource monitors: whether this is a good time to begin a job.
//!
//! Looked at when a job could begin, and again after [`crate::limits::RESOURCE_PAUSE`] while one waits for them; not
//! otherwise. Free disk is the spool's own business: it refuses new jobs, and those that are there free it.

use std::path::Path;
use std::time::Duration;

use crate::config::SchedulerConfig;

/// What the machine says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pressure {
    /// Share of the last 10 s that somebody waited for memory, in percent; `None` where the kernel does not say.
    pub(super) memory: Option<f32>,
    /// The same for the disk.
    pub(super) io: Option<f32>,
}

impl Pressure {
    /// Reads `/proc/pressure`.
    pub(super) fn read() -> Self {
        let read = |what: &str| {
            let text = std::fs::read_to_string(Path::new("/proc/pressure").join(what)).ok()?;
            some_avg10(&text)
        };
        Self { memory: read("memory"), io: read("io") }
    }

    /// Why no job should begin now; `None` where one may.
    pub(super) fn objection(self, limits: &SchedulerConfig) -> Option<String> {
        let over = |pressure: Option<f32>, limit: u8| {
            pressure.filter(|pressure| *pressure > f32::from(limit))
        };
        if let Some(pressure) = over(self.memory, limits.memory_pressure) {
            return Some(format!("waiting for memory (pressure {pressure:.0}%)"));
        }
        over(self.io, limits.io_pressure)
            .map(|pressure| format!("waiting for the disk (pressure {pressure:.0}%)"))
    }
}

/// The number behind `avg10=` in the line `some …` (Documentation/accounting/psi.rst).
fn some_avg10(text: &str) -> Option<f32> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    line.split_whitespace().find_map(|word| word.strip_prefix("avg10="))?.parse().ok()
}

/// Minutes since midnight, local time.
pub(super) fn minute_of_day() -> u16 {
    let now = jiff::Zoned::now();
    let minute = i32::from(now.hour()).saturating_mul(60).saturating_add(now.minute().into());
    u16::try_from(minute).unwrap_or(0)
}

/// How long the minute that is running goes on.
pub(super) fn to_next_minute(now_ms: u64) -> Duration {
    const MINUTE_MS: u64 = 60_000;
    Duration::from_millis(MINUTE_MS.saturating_sub(now_ms % MINUTE_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_is_read_and_judged() {
        let text = "some avg10=81.25 avg60=0.00 avg300=0.00 total=1\nfull avg10=99.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(some_avg10(text), Some(81.25));
        assert_eq!(some_avg10("nonsense"), None);
        let limits = SchedulerConfig::default();
        let objection = |memory, io| Pressure { memory, io }.objection(&limits);
        assert_eq!(objection(Some(80.0), None), None);
        assert_eq!(objection(Some(81.25), None).unwrap(), "waiting for memory (pressure 81%)");
        assert_eq!(objection(None, Some(95.0)).unwrap(), "waiting for the disk (pressure 95%)");
    }

    #[test]
    fn the_next_minute_is_never_now() {
        for (now_ms, left_ms) in [(0, 60_000), (59_999, 1), (60_000, 60_000), (90_500, 29_500)] {
            assert_eq!(to_next_minute(now_ms), Duration::from_millis(left_ms));
        }
    }
}
