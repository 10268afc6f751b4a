//! The pauses between attempts to register again ([MS-PAN] 3.1.1.4.1): 1 s, then longer, up to 1 min.

use std::time::Duration;

/// The first pause …
pub const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// … and the longest.
pub const PAUSE_LAST: Duration = Duration::from_secs(60);

/// Counts attempts that failed since the last that did not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retry {
    failed: u32,
}

impl Retry {
    /// It works again.
    pub fn succeeded(&mut self) {
        self.failed = 0;
    }

    /// The pause before the next attempt: 1, 2, 4 … 60 s, shortened by up to a fifth, as `jitter` (0 to 255) says, so that
    /// the clients of a server that was restarted do not all come at once.
    pub fn pause(&mut self, jitter: u8) -> Duration {
        let doubled = 1u32.checked_shl(self.failed).unwrap_or(u32::MAX);
        self.failed = self.failed.saturating_add(1);
        let full = PAUSE_FIRST.saturating_mul(doubled).min(PAUSE_LAST);
        full.saturating_sub(full / 5 * u32::from(jitter) / 255)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_become_rarer() {
        let mut retry = Retry::default();
        let pauses: Vec<u64> = (0..40).map(|_| retry.pause(0).as_secs()).collect();
        assert_eq!(pauses[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(pauses[8..].iter().all(|pause| *pause == 60));
        retry.succeeded();
        assert_eq!(retry.pause(255), Duration::from_millis(800));
        assert_eq!(retry.pause(255), Duration::from_millis(1600));
    }
}
