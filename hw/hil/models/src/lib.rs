//! The devices of the hardware-in-the-loop bench, as pure state machines: what is on the wire and the time go in, what
//! is on the wire comes out. No I/O, no clock, no thread; so all of it is tested without QEMU.
//!
//! ```text
//!            usb::Session ◄──► usb::Device ─┬─ UsbPrinter   (7/1/1, 7/1/2, 7/1/4)
//!   QEMU ◄──► (usbredir)                    ├─ Ftdi         (a serial adapter)       ──► Engine: the printer
//!                                           └─ CdcAcm       (another)                    behind the wire
//!            registers ◄──► ieee1284::Peripheral            (a parallel printer)
//! ```
//!
//! What it is *not*: a printer. What becomes of the bytes is the [`Engine`]'s business.
//!
//! The one invariant: a byte that the wire acknowledged was given to the engine once, and none that it did not.
#![forbid(unsafe_code)]

mod engine;
pub mod ieee1284;
pub mod limits;
pub mod shim;
pub mod usb;

pub use engine::{Condition, Engine, Sink};
