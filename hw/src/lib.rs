//! Ports and what hangs on them.
//!
//! Every port a printer can hang on lives behind one trait, [`Port`]: serial, USB, parallel, socket, file, and the
//! simulated printers. A port is opened from a [`DeviceUri`], moves bytes without blocking, and waits for everything
//! at once: room, back-channel bytes, a change of the lines, the end of the line, and a [`Bell`].
//!
//! What is *not* here: actors, jobs, spool files, printer languages as the server understands them. This crate does
//! not know that despool exists.
//!
//! The one invariant: a byte is *accepted* only when the driver took it, and a port can always say how many it took,
//! also after a cancel and after the device went away.

mod arrival;
mod bell;
mod device_id;
mod discover;
mod error;
mod fault;
mod file;
pub mod limits;
mod open;
mod poll;
mod port;
mod printer;
mod serial;
pub mod sim;
mod sleeper;
mod socket;
mod stall;
#[cfg(test)]
mod testing;
mod uri;
mod usb;

pub use arrival::{Arrival, Arrived};
pub use bell::Bell;
pub use device_id::DeviceId;
pub use discover::{
    Found, discover, discover_in, discover_printers_but, discover_printers_but_in, host_controller,
    host_controller_in,
};
pub use error::Error;
pub use file::FilePort;
pub use open::open;
pub use port::{
    Canceled, Entry, FileRange, Interest, Ledger, Lent, Line, Lines, Origin, Port, PortFacts,
    Ready, Tail,
};
pub use printer::PrinterPort;
pub use serial::SerialPort;
pub use socket::SocketPort;
pub use uri::{
    APPSOCKET_PORT, DataBits, DeviceUri, Flow, Host, Parity, SerialUri, SimLanguage, SimUri,
    SocketUri, StopBits, UriError, UsbUri,
};
pub use usb::hotplug::Hotplug;
pub use usb::{Quirk, QuirkError, UsbPort, set_quirks};
