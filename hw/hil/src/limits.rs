//! Every bound of the bench, with its unit and its reason. TCG on two busy cores is slow: these are far beyond what is
//! ever seen, and a wait that comes to its end has failed.

use std::time::Duration;

/// Packages that could not be fetched are asked for again so often.
pub const FETCHES: u32 = 2;

/// A cold boot, from QEMU's start to the agent's first word. Seen: 5 to 9 s.
pub const BOOT: Duration = Duration::from_secs(120);

/// A restored snapshot answers within this. Seen: 0.3 to 1.1 s.
pub const RESTORE: Duration = Duration::from_secs(60);

/// QEMU answers a command of its monitor within this.
pub const MONITOR: Duration = Duration::from_secs(30);

/// A small command in the guest ends within this.
pub const COMMAND: Duration = Duration::from_secs(120);

/// A device that was plugged in has its node within this. Seen: 0.5 s.
pub const NODE: Duration = Duration::from_secs(30);

/// What a scenario waits for happens within this, unless it says otherwise.
pub const EVENT: Duration = Duration::from_secs(120);

/// 10 MiB, byte by byte on a parallel port or a UART, are printed within this. Each byte is several accesses to a port that is
/// interpreted: `cat` takes a minute for them on a quiet machine, and several on a busy one.
pub const BYTE_BY_BYTE: Duration = Duration::from_secs(900);

/// Time is counted by looking at the clock this often …
pub const LOOK_AT_CLOCK: Duration = Duration::from_millis(200);

/// … and between two looks no more than this has passed: otherwise the machine stood still, and everything with it.
pub const AWAKE: Duration = Duration::from_secs(1);

/// Not everything that is waited for is told: it is asked for again after this long.
pub const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A shim or a device says what it was asked for within this.
pub const SHIM: Duration = Duration::from_secs(10);

/// A line of QEMU's monitor is at most this long, in bytes.
pub const MONITOR_LINE_BYTES: u64 = 1 << 20;

/// What a job in the guest has said is kept up to this many bytes of each stream; what comes later is counted only.
pub const OUTPUT_BYTES: usize = 16 << 20;

/// The guest's memory. Spool and documents live in it too.
pub const GUEST_MEBIBYTES: u32 = 512;

/// Bytes read from a device's socket at a time.
pub const READ_BYTES: usize = 256 * 1024;

/// The buffer of a printer of the bench, in bytes: it must hold the longest transfer.
pub const PRINTER_BYTES: usize = 1 << 20;
