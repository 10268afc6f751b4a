//! How a simulated printer is made, and what can be seen of it.

use std::num::NonZeroU64;

use super::{Checksum, Keep};
use crate::limits::SIM_BUFFER_BYTES;
use crate::sim::Condition;

/// How a simulated printer is made.
#[derive(Debug)]
pub struct ModelOptions {
    /// Size of the input buffer, at least 1.
    pub buffer_bytes: usize,
    /// How the bytes of jobs are summed up.
    pub checksum: Checksum,
    /// What becomes of them.
    pub keep: Keep,
    /// Bytes per second taken from the wire; `None`: as fast as they come.
    pub speed: Option<NonZeroU64>,
    /// What `garbage` starts from.
    pub seed: u64,
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self {
            buffer_bytes: SIM_BUFFER_BYTES,
            checksum: Checksum::default(),
            keep: Keep::default(),
            speed: None,
            seed: 1,
        }
    }
}

/// What can be seen of a simulated printer from outside. Cheap to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The cable is in.
    pub plugged: bool,
    /// What the sensors see.
    pub condition: Condition,
    /// Nothing is taken from the wire.
    pub stalled: bool,
    /// Bytes per second; `None`: as fast as they come.
    pub speed: Option<NonZeroU64>,
    /// Bytes of jobs since the last `reset`.
    pub bytes: u64,
    /// Bytes of the language monitor since then.
    pub monitor_bytes: u64,
    /// Jobs that ended since then.
    pub jobs: u64,
    /// Pages, receipts or labels since then.
    pub pages: u64,
    /// Bytes in the input buffer.
    pub buffered: usize,
    /// Bytes taken since then and forgotten before they were printed.
    pub discarded: u64,
    /// Bytes on the back channel that the wire has not taken.
    pub back_waiting: usize,
    /// Bytes of the back channel that the wire took, ever.
    pub back_sent: u64,
    /// Messages dropped because the back channel was full, ever.
    pub back_lost: u64,
    /// Every byte of a job was kept that should be (see [`Keep`]).
    pub kept_all: bool,
    /// Hosts at the other end: open connections, or the open in-process port (a pty cannot tell: 0).
    pub hosts: usize,
}
