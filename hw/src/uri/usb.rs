//! `usb://MAKE/MODEL?serial=SN&interface=N`.

use std::fmt;

use super::options::Options;
use super::scan::{Fault, Part, encode};

const KNOWN: &[&str] = &["serial", "interface"];
const EXAMPLE: &str = "write usb://MAKE/MODEL?serial=NUMBER, as `despool ports` shows it";

/// A USB printer, by what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsbUri {
    /// `MFG` of its device id, or the device's manufacturer string.
    pub make: String,
    /// `MDL` of its device id, or the device's product string.
    pub model: String,
    /// Serial number; `None`: any device of this make and model will do.
    pub serial: Option<String>,
    /// Interface number (`bInterfaceNumber`); `None`: the first of printer class.
    pub interface: Option<u8>,
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
        Ok(Self {
            make: make.decoded_text()?,
            model: model.decoded_text()?,
            serial: serial.transpose()?,
            interface: interface.transpose()?.and_then(|number| u8::try_from(number).ok()),
        })
    }
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
        }
        Ok(())
    }
}
