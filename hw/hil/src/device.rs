//! What hangs on the machine's ports, and the test's hands on it.
//!
//! ```text
//!   Printer (a simulated printer) ──► Behind ──► wire: Plugged<UsbPrinter | Ftdi | CdcAcm>   usbN.sock ──► QEMU
//!                                           └──► wire: ParallelPort                          shim's socket
//!   SerialPort: a pty whose other end is QEMU's UART
//! ```
//!
//! The test tells the *printer* what happens to it (paper, cover, speed), in the words of despool's simulated printers, and
//! the *wire* what happens to that (NAK, stall, unplug).

mod parallel;
mod plugged;
mod printer;
mod serial;

pub use despool_hil_models::ieee1284::Modes;
pub use despool_hil_models::usb::{
    Adapter, CdcAcm, Ftdi, IdAnswer, ModemLines, PrinterFlow, PrinterOptions, Seen, SerialPrinter,
    Speed, UsbPrinter,
};
pub use parallel::{ParallelPort, Registers, State};
pub use plugged::Plugged;
pub use printer::{Behind, Printer, PrinterBuild};
pub use serial::{Happened, SerialPort};
