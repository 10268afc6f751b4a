//! From a device URI to an open port.

use crate::fault::unsupported;
use crate::{DeviceUri, Error, FilePort, Port, SerialPort, SocketPort, sim};

/// Opens the port that a URI names. Never blocks for long: a socket connects when a job begins.
///
/// Errors: see [`SerialPort::open`], [`FilePort::open`] and [`sim::open`]. Those for which [`Error::is_waiting`] holds end some day by
/// themselves: [`crate::Arrival`] waits for that.
pub fn open(uri: &DeviceUri) -> Result<Box<dyn Port>, Error> {
    let not_yet = |what: &str, why: &str| Err(unsupported(&uri.to_string(), what, why));
    match uri {
        DeviceUri::Serial(serial) => Ok(Box::new(SerialPort::open(serial)?)),
        DeviceUri::Socket(socket) => Ok(Box::new(SocketPort::new(socket))),
        DeviceUri::File(path) => Ok(Box::new(FilePort::open(path, &uri.to_string())?)),
        DeviceUri::Usb(_) => not_yet(
            "printing by usb:",
            "this version has no USB port yet; write file: and the printer's node, such as file:/dev/usb/lp0",
        ),
        DeviceUri::Parallel(_) => not_yet(
            "printing by parallel:",
            "this version has no parallel port yet; write file: and the printer's node, such as file:/dev/lp0",
        ),
        DeviceUri::Sim(printer) => sim::open(&printer.into()),
    }
}
