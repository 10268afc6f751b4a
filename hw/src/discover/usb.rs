//! USB printers that the kernel's `usblp` has bound.

use std::path::{Path, PathBuf};

use super::Found;
use super::sysfs::{Root, above, attribute, bus, product};
use crate::{DeviceId, DeviceUri, UsbUri};

pub(super) fn find(root: &Root) -> Vec<Found> {
    root.names("/sys/class/usbmisc").into_iter().filter_map(|name| printer(root, &name)).collect()
}

fn printer(root: &Root, name: &str) -> Option<Found> {
    let device = root.class("usbmisc", name)?;
    let path = Path::new("/dev/usb").join(name);
    if !name.starts_with("lp") || !root.at(&path).exists() {
        return None;
    }
    let interface = above(&device, "bInterfaceNumber");
    let id = interface.and_then(|interface| attribute(interface, "ieee1284_id"));
    let device_id = id.and_then(|id| DeviceId::parse(id.as_bytes()));
    // A printer that does not say what it is can only be named by its node.
    let uri = uri(&device, device_id.as_ref());
    let uri = uri.map_or_else(|| DeviceUri::File(path.clone()), DeviceUri::Usb);
    let description = match &uri {
        DeviceUri::Usb(usb) => format!("{} {}", usb.make, usb.model),
        _ => product(&device).unwrap_or("USB printer".into()),
    };
    let description = format!("{description} ({name})");
    Some(Found { uri, description, path, device_id, controller: bus(&device) })
}

/// Names as CUPS does: by the device id, and where that is silent by the USB strings.
fn uri(device: &Path, id: Option<&DeviceId>) -> Option<UsbUri> {
    let usb = above(device, "idVendor")?;
    let said =
        |from_id: Option<&String>, name: &str| from_id.cloned().or_else(|| attribute(usb, name));
    let number = above(device, "bInterfaceNumber")
        .and_then(|interface| attribute(interface, "bInterfaceNumber"))
        .and_then(|number| u8::from_str_radix(&number, 16).ok());
    Some(UsbUri {
        make: said(id.and_then(|id| id.make.as_ref()), "manufacturer")?,
        model: said(id.and_then(|id| id.model.as_ref()), "product")?,
        serial: said(id.and_then(|id| id.serial.as_ref()), "serial"),
        interface: number.filter(|&number| number != 0),
        port: None,
    })
    .filter(|uri| DeviceUri::Usb(uri.clone()).to_string().parse::<DeviceUri>().is_ok())
}

/// The bus of the printer that `wanted` names, whether or not `usblp` has bound it.
pub(super) fn bus_of(root: &Root, wanted: &UsbUri) -> Option<String> {
    let bound = find(root).into_iter().find(|found| match &found.uri {
        DeviceUri::Usb(usb) => is(usb, wanted),
        _ => false,
    });
    bound.and_then(|found| found.controller).or_else(|| {
        let devices = root.names("/sys/bus/usb/devices").into_iter();
        let mut devices =
            devices.filter_map(|name| root.real(&Path::new("/sys/bus/usb/devices").join(name)));
        let device: PathBuf = devices.find(|device| {
            let serial = attribute(device, "serial");
            serial.is_some() && serial == wanted.serial
        })?;
        bus(&device)
    })
}

/// True if the printer `usb` is one that `wanted` names.
fn is(usb: &UsbUri, wanted: &UsbUri) -> bool {
    let serial = wanted.serial.is_none() || usb.serial == wanted.serial;
    usb.make == wanted.make && usb.model == wanted.model && serial
}
