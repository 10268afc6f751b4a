//! From a device URI to an open port.

use crate::{DeviceUri, Error, FilePort, Port, PrinterPort, SerialPort, SocketPort, sim, usb};

/// Opens the port that a URI names. Never blocks for long: a socket connects when a job begins.
///
/// Errors: see [`SerialPort::open`], [`FilePort::open`], [`PrinterPort::parallel`] and [`sim::open`]; of a USB printer those of
/// [`PrinterPort::parallel`]. Those for which [`Error::is_waiting`] holds end some day by
/// themselves: [`crate::Arrival`] waits for that.
pub fn open(uri: &DeviceUri) -> Result<Box<dyn Port>, Error> {
    match uri {
        DeviceUri::Serial(serial) => Ok(Box::new(SerialPort::open(serial)?)),
        DeviceUri::Socket(socket) => Ok(Box::new(SocketPort::new(socket))),
        DeviceUri::File(path) if PrinterPort::is_usblp(path) => {
            Ok(Box::new(PrinterPort::usblp(path, &uri.to_string())?))
        }
        DeviceUri::File(path) => Ok(Box::new(FilePort::open(path, &uri.to_string())?)),
        DeviceUri::Usb(printer) => usb::open::open(printer),
        DeviceUri::Parallel(path) => Ok(Box::new(PrinterPort::parallel(path, &uri.to_string())?)),
        DeviceUri::Sim(printer) => sim::open(&printer.into()),
    }
}
