//! The hardware-in-the-loop bench: QEMU with Debian's stock kernel and its real drivers (`usblp`, usbfs, `ftdi_sio`,
//! `cdc_acm`, `8250`, `parport_pc`, `lp`, `ppdev`), and emulated printers on every port.
//!
//! ```text
//!   prepare ──► cold boot ──► snapshot          once for each version of everything (a cache knows)
//!                                │
//!                             restore (0.5 s) ──► plug devices ──► run programs in the guest ──► kill
//!                                                     ▲                     │
//!                                              the test pulls cables,       └─ usbfs, /dev/lp0, /dev/ttyUSB0, …
//!                                              takes the paper, compares bytes
//! ```
//!
//! [`Bench::start`] gives a running machine; [`Bench::plug`] plugs a USB device into it; [`Guest`] runs programs in it, those of
//! the host too. What it is *not*: a test of despool. The scenarios of despool ([`scenario`]) use it as anybody would.
//!
//! Everything runs without privileges, by QEMU's own interpreter (TCG): `/dev/kvm` is not trusted (see [`Accelerator`]).

pub mod bench;
pub mod device;
mod error;
pub mod limits;
pub mod measure;
pub mod patience;
pub mod prepare;
pub mod scenario;
pub mod vm;

pub use bench::Bench;
pub use error::Error;
pub use vm::{Accelerator, Guest, Output};
