//! Help for whole-server tests: a real server process, clients that speak to it over real sockets, printers on real
//! wires.
//!
//! Nothing here sleeps. What the server does is waited for by its own words: `READY=1` on its notify socket, and the
//! events that it logs (`despool::event`), each of which is a reason to ask again by IPP how things stand. The longest
//! wait for anything is [`PATIENCE`].
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "each test file uses a part of this, and helpers of tests fail as tests do"
)]

pub(crate) mod control;
pub(crate) mod http;
pub(crate) mod ipp;
pub(crate) mod log;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod server;
pub(crate) mod sink;
pub(crate) mod site;
pub(crate) mod tiers;
pub(crate) mod wires;

use std::time::{Duration, Instant};

/// The longest wait for anything that must happen: a machine that is busy with other things has time enough.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The moment at which patience ends.
pub(crate) fn soon() -> Instant {
    Instant::now() + PATIENCE
}

/// A document of so many bytes that no other seed's resembles, and no part of itself either.
pub(crate) fn document(seed: u64, bytes: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut document = Vec::with_capacity(bytes + 8);
    while document.len() < bytes {
        document.extend(random.next().to_le_bytes());
    }
    document.truncate(bytes);
    document
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, not including, `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Compares documents without printing them.
#[track_caller]
pub(crate) fn assert_same(got: &[u8], expected: &[u8], what: &str) {
    if got == expected {
        return;
    }
    let at = got.iter().zip(expected).take_while(|(got, expected)| got == expected).count();
    panic!("{what}: {} bytes, expected {}; they differ from byte {at}", got.len(), expected.len());
}
