//! `usb://MAKE/MODEL?serial=SN&interface=N&port=1-2.3`.

use std::fmt;

use super::options::Options;
use super::scan::{Fault, Part, encode};

const KNOWN: &[&str] = &["serial", "interface", "port"];
const PORT: &str =
    "write port=1-2.3 as `despool ports` shows it: bus, then the ports of the hubs on the way";
const EXAMPLE: &str = "write usb://MAKE/MODEL?serial=NUMBER, as `despool ports` shows it";

/// A USB printer, by what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsbUri {
    /// `MFG` of its device id, or the device's manufacturer string.
    pub make: String,
    /// `MDL` of its device id, or the device's product string.
    pub model: String,
    /// Serial number; `None`: any device of this make and model will do (or any on that port).
    pub serial: Option<String>,
    /// Interface number (`bInterfaceNumber`); `None`: the first of printer class.
    pub interface: Option<u8>,
    /// Where it is plugged in, as the kernel names it: the bus, `-`, and the ports of the hubs on the way, joined by `.`.
    /// For identical printers without serial numbers. `None`: anywhere.
    pub port: Option<String>,
}

impl UsbUri {
    pub(super) fn parse(rest: Part<'_>) -> Result<Self, Fault> {
        let (address, query) = rest.cut(&['?']);
        let Some(names) = address.strip("//") else {
            return Err(address.fault("does not name make and model", EXAMPLE));
        };
        let (make, Some(model)) = names.cut(&['/']) else {
            return Err(names.fault("does not name make and model", EXAMPLE));
        };
        for (part, what) in [(make, "an empty make"), (model, "an empty model")] {
            if part.text.is_empty() {
                return Err(names.fault(format!("has {what}"), EXAMPLE));
            }
        }
        let options = Options::parse(query, &['&'], KNOWN)?;
        let serial = options.find("serial").map(|serial| match serial.value.text {
            "" => Err(serial
                .all
                .fault("names no serial number", "leave it out, or write serial=NUMBER")),
            _ => serial.value.decoded_text(),
        });
        let interface = options.find("interface").map(|number| {
            number.number(0..=255, "write interface=0 or the number `despool ports` shows")
        });
        let port = options.find("port").map(|port| match is_port(port.value.text) {
            true => Ok(port.value.text.to_owned()),
            false => Err(port.all.fault("is no place on a USB bus", PORT)),
        });
        Ok(Self {
            port: port.transpose()?,
            make: make.decoded_text()?,
            model: model.decoded_text()?,
            serial: serial.transpose()?,
            interface: interface.transpose()?.and_then(|number| u8::try_from(number).ok()),
        })
    }
}

/// True for the kernel's name of a place on a bus, such as `1-2.3`.
pub(crate) fn is_port(text: &str) -> bool {
    let number =
        |digits: &str| digits.parse::<u8>().is_ok_and(|number| number.to_string() == digits);
    // A bus has at most seven tiers (USB 2.0 §4.1.1), so five hubs between root and device.
    text.split_once('-').is_some_and(|(bus, ports)| {
        number(bus) && ports.split('.').count() <= 6 && ports.split('.').all(number)
    })
}

impl fmt::Display for UsbUri {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("usb://")?;
        encode(out, self.make.as_bytes(), b"")?;
        out.write_str("/")?;
        encode(out, self.model.as_bytes(), b"")?;
        let mut separator = '?';
        if let Some(serial) = &self.serial {
            write!(out, "{separator}serial=")?;
            encode(out, serial.as_bytes(), b"")?;
            separator = '&';
        }
        if let Some(interface) = self.interface {
            write!(out, "{separator}interface={interface}")?;
            separator = '&';
        }
        if let Some(port) = &self.port {
            write!(out, "{separator}port={port}")?;
        }
        Ok(())
    }
}
