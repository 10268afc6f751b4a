//! What scenarios need to say what they expect.

use std::fmt::Debug;
use std::time::Duration;

use crate::error::{Error, Result};

/// Fails with `what` unless it holds.
pub fn holds(what: &str, it: bool) -> Result<()> {
    if it { Ok(()) } else { Err(Error::Unexpected(format!("it does not hold that {what}"))) }
}

/// Fails unless both are equal.
pub fn equal<T: PartialEq + Debug>(what: &str, got: T, expected: T) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    Err(Error::Unexpected(format!("{what}: {got:?} instead of {expected:?}")))
}

/// Fails unless the printer got the document's front, whatever of it.
pub fn is_front(got: &[u8], document: &[u8]) -> Result<()> {
    holds("what the printer got is the front of the document", document.starts_with(got))
}

/// Fails unless the printer got the document's end, whatever of it; gives the offset that it begins at.
pub fn is_end(got: &[u8], document: &[u8]) -> Result<usize> {
    holds("what the printer got is the end of the document", document.ends_with(got))?;
    Ok(document.len().saturating_sub(got.len()))
}

/// A document in which every offset shows, different for each seed (xorshift; Marsaglia 2003).
pub fn document(seed: u64, bytes: usize) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let words = std::iter::repeat_with(|| dice.roll().to_le_bytes());
    words.take(bytes.div_ceil(8)).flatten().take(bytes).collect()
}

/// The same for a line with flow control by characters, which does not carry these two as data.
pub fn document_without_flow(seed: u64, bytes: usize) -> Vec<u8> {
    let plain = |byte: u8| if matches!(byte, 0x11 | 0x13) { b'.' } else { byte };
    document(seed, bytes).into_iter().map(plain).collect()
}

/// The one in the middle; none of none.
pub fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// Random choices that a seed repeats.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that start from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }
}
