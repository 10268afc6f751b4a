//! The requests of the printer class (USB Device Class Definition for Printing Devices 1.1 §4.2).

use std::time::Duration;

use nusb::transfer::{ControlIn, ControlOut, ControlType, Recipient, TransferError};
use nusb::{Interface, MaybeFuture};

use super::descriptors::Setting;
use crate::limits::{DEVICE_ID_BYTES, DEVICE_ID_WAIT, USB_REQUEST_WAIT};
use crate::{DeviceId, Line};

const GET_DEVICE_ID: u8 = 0;
const GET_PORT_STATUS: u8 = 1;
const SOFT_RESET: u8 = 2;

/// Asks for the device id; waits for at most [`DEVICE_ID_WAIT`]. `None`: it has none, or does not say. An error: the device
/// is on its way out.
///
/// The index is the interface in its high and the alternate setting in its low byte (§4.2.1), which Linux checks.
pub(super) fn device_id(
    interface: &Interface,
    setting: &Setting,
) -> Result<Option<DeviceId>, TransferError> {
    let asked = ControlIn {
        control_type: ControlType::Class,
        recipient: Recipient::Interface,
        request: GET_DEVICE_ID,
        value: 0,
        index: u16::from_be_bytes([setting.interface, setting.alternate]),
        length: u16::try_from(DEVICE_ID_BYTES - 1).unwrap_or(u16::MAX),
    };
    match interface.control_in(asked, DEVICE_ID_WAIT).wait() {
        Ok(bytes) => Ok(DeviceId::parse(&bytes)),
        Err(TransferError::Stall | TransferError::Cancelled) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Asks for the port status, without waiting: what is returned is to be polled.
pub(super) fn port_status(
    interface: &Interface,
    number: u8,
) -> impl Future<Output = Result<Vec<u8>, TransferError>> + Send + use<> {
    let asked = ControlIn {
        control_type: ControlType::Class,
        recipient: Recipient::Interface,
        request: GET_PORT_STATUS,
        value: 0,
        index: number.into(),
        length: 1,
    };
    interface.control_in(asked, USB_REQUEST_WAIT).into_future()
}

/// Resets the printer. Version 1.0 of the class addressed the request to "other", and some printers still know only that.
pub(super) fn soft_reset(interface: &Interface, number: u8) -> Result<(), TransferError> {
    let asked = |recipient| ControlOut {
        control_type: ControlType::Class,
        recipient,
        request: SOFT_RESET,
        value: 0,
        index: number.into(),
        data: &[],
    };
    let ask = |recipient, time: Duration| interface.control_out(asked(recipient), time).wait();
    match ask(Recipient::Interface, USB_REQUEST_WAIT) {
        Err(TransferError::Stall) => match ask(Recipient::Other, USB_REQUEST_WAIT) {
            // It knows neither: it has nothing to forget.
            Err(TransferError::Stall) => Ok(()),
            other => other,
        },
        said => said,
    }
}

/// What a port status says: bit 5 paper empty, bit 4 selected, bit 3 no error.
pub(crate) fn line_of(status: u8) -> Line {
    Line {
        paper_out: Some(status & 0x20 != 0),
        online: Some(status & 0x10 != 0),
        fault: Some(status & 0x08 == 0),
        ..Line::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_bits() {
        let said = |status| {
            let line = line_of(status);
            [line.paper_out, line.online, line.fault].map(Option::unwrap)
        };
        assert_eq!(said(0x18), [false, true, false]);
        assert_eq!(said(0x38), [true, true, false]);
        assert_eq!(said(0x08), [false, false, false]);
        assert_eq!(said(0x10), [false, true, true]);
    }
}
