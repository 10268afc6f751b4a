//! What the benches share: measuring in turns, closing lines, servers, sinks.
//!
//! Every figure that decides something is a ratio: ours beside a limit that was taken on the same machine in the same
//! run, the two in turns, medians of both. Absolute numbers are printed beside it and decide nothing.
//!
//! | variable | does |
//! | --- | --- |
//! | `DESPOOL_BENCH_QUICK=1` | less of everything: all benches in less than two minutes |
//! | `DESPOOL_BENCH_ENFORCE=1` | a ratio that misses its limit ends the bench with status 1 |
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each bench uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench that cannot measure stops"
)]

pub mod closing;
#[path = "../../tests/support/descriptors.rs"]
pub mod descriptors;
pub mod device;
pub mod echo;
pub mod ipp;
pub mod process;
pub mod rig;
pub mod scatter;
pub mod sink;
pub mod spool;
pub mod turns;

pub use closing::Closing;

use std::path::Path;
use std::time::Duration;

/// True where little time is to be spent.
pub fn quick() -> bool {
    is_set("DESPOOL_BENCH_QUICK")
}

/// The first where little time is to be spent, else the second.
pub fn quick_or<T>(quick_one: T, full: T) -> T {
    if quick() { quick_one } else { full }
}

pub(crate) fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty() && value != "0")
}

/// A directory on the disk that the build is on: `/tmp` may be memory, where a sync costs nothing.
pub fn dir_on_disk() -> tempfile::TempDir {
    dir_in(Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// A directory in memory, where this machine has one.
pub fn dir_in_memory() -> Option<tempfile::TempDir> {
    let shm = Path::new("/dev/shm");
    shm.is_dir().then(|| dir_in(shm))
}

fn dir_in(parent: &Path) -> tempfile::TempDir {
    tempfile::Builder::new().prefix("despool-bench-").tempdir_in(parent).unwrap()
}

/// Bytes that nothing can compress, the same each time.
pub fn noise(bytes: usize) -> Vec<u8> {
    let words = 0..u64::try_from(bytes.div_ceil(8)).unwrap();
    let mut noise: Vec<u8> = words
        .flat_map(|n| {
            (n ^ 0x9e37_79b9).wrapping_mul(0xd134_2543_de82_ef95).rotate_left(29).to_le_bytes()
        })
        .collect();
    noise.truncate(bytes);
    noise
}

/// The middle one.
pub fn median<T: PartialOrd + Copy>(values: &[T]) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_by(|one, other| one.partial_cmp(other).unwrap());
    sorted[sorted.len() / 2]
}

/// A time that people can read.
pub fn shown(time: Duration) -> String {
    format!("{time:.1?}")
}

/// CPU time of this process so far, all threads.
pub fn process_cpu() -> Duration {
    clock(rustix::time::ClockId::ProcessCPUTime)
}

/// CPU time of this thread so far.
pub fn thread_cpu() -> Duration {
    clock(rustix::time::ClockId::ThreadCPUTime)
}

fn clock(id: rustix::time::ClockId) -> Duration {
    let now = rustix::time::clock_gettime(id);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}
