//! How fast a printer takes data, as far as it matters: whether one write can be of many transfers.
//!
//! ```text
//!   slow ──much in a short time──► fast
//!     ▲                             │
//!     └── a write took long ◄───────┘
//! ```
//!
//! How much of a write has left is known when it has ended: of a slow printer each transfer is to be known of.

use std::time::Instant;

use crate::limits::{
    USBLP_FAST_BYTES, USBLP_FAST_TIME, USBLP_TRANSFER_BYTES, USBLP_WRITE_BYTES, USBLP_WRITE_TIME,
};

/// What a printer has shown.
#[derive(Debug, Default)]
pub(super) enum Pace {
    /// Nothing yet, or that it is slow.
    #[default]
    Slow,
    /// It has taken so many bytes since then.
    Proving {
        since: Instant,
        bytes: usize,
    },
    Fast,
}

impl Pace {
    /// A write of so many bytes took from `begun` to `now`.
    pub(super) fn wrote(&mut self, bytes: usize, begun: Instant, now: Instant) {
        *self = match *self {
            _ if now.saturating_duration_since(begun) > USBLP_WRITE_TIME => Self::Slow,
            Self::Fast => Self::Fast,
            Self::Proving { since, bytes: before }
                if now.saturating_duration_since(since) <= USBLP_FAST_TIME =>
            {
                match before.saturating_add(bytes) {
                    USBLP_FAST_BYTES.. => Self::Fast,
                    bytes => Self::Proving { since, bytes },
                }
            }
            Self::Slow | Self::Proving { .. } => Self::Proving { since: begun, bytes },
        };
    }

    pub(super) fn is_fast(&self) -> bool {
        matches!(self, Self::Fast)
    }

    /// How much to write at once.
    pub(super) fn write_bytes(&self) -> usize {
        if self.is_fast() { USBLP_WRITE_BYTES } else { USBLP_TRANSFER_BYTES }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What a printer shows that takes so long for each transfer.
    fn shown(each: Duration) -> Pace {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for _ in 0..10 * USBLP_FAST_BYTES / USBLP_TRANSFER_BYTES {
            pace.wrote(USBLP_TRANSFER_BYTES, now, now + each);
            now += each;
        }
        pace
    }

    #[test]
    fn only_much_in_a_short_time_is_fast() {
        let transfers = u32::try_from(USBLP_FAST_BYTES / USBLP_TRANSFER_BYTES).unwrap();
        assert!(shown(Duration::ZERO).is_fast());
        assert!(shown(USBLP_FAST_TIME / transfers).is_fast());
        assert!(!shown(USBLP_FAST_TIME / transfers * 2).is_fast());
    }

    #[test]
    fn a_write_that_takes_long_is_slow() {
        let (mut pace, now) = (shown(Duration::ZERO), Instant::now());
        assert_eq!(pace.write_bytes(), USBLP_WRITE_BYTES);
        pace.wrote(USBLP_WRITE_BYTES, now, now + USBLP_WRITE_TIME);
        assert!(pace.is_fast());
        pace.wrote(USBLP_WRITE_BYTES, now, now + USBLP_WRITE_TIME * 2);
        assert_eq!(pace.write_bytes(), USBLP_TRANSFER_BYTES);
    }
}
