//! Every bound of this crate, with its unit and its reason.

use std::time::Duration;

/// One usbredir packet: a transfer of 1 MiB and its headers fit.
pub const PACKET_BYTES: usize = (1 << 20) + 64;

/// Transfers that the host may have waiting at one endpoint. QEMU asks for no more than the guest has submitted, but UHCI hands on each
/// packet of 64 bytes by itself: eight transfers of 64 KiB are 8192. A refusal would overtake those that wait, which QEMU asserts
/// not to happen.
pub const TRANSFERS: usize = 16 * 1024;

/// A configuration descriptor's length is 16 bits wide.
pub const CONFIGURATION_BYTES: usize = 65_535;

/// What a serial adapter has received from the printer and the host has not read: further bytes are lost, as in a
/// real one.
pub const ADAPTER_BYTES: usize = 64 * 1024;

/// An FT232 tells its lines at least this often (its latency timer is 16 ms; the driver asks for no more).
pub const FTDI_STATUS_EVERY: Duration = Duration::from_millis(40);

/// Lines that a serial adapter remembers of what the host did to it.
pub const LOG_LINES: usize = 256;

/// What a parallel printer wants to say and the host has not read.
pub const REVERSE_BYTES: usize = 64 * 1024;

/// A message between the bench and the shim in QEMU's process.
pub const MESSAGE_BYTES: usize = 64 * 1024;

/// A printer remembers when so many transfers came.
pub const ARRIVALS: usize = 4096;
