//! The USB printers that are plugged in, as sysfs shows them.
//!
//! Nothing is opened and no device is asked: what it says of itself is known from its strings, from `usblp` (which asks at
//! every plug) and from our own earlier questions ([`super::known`]).

use std::path::{Path, PathBuf};

use super::descriptors::{Setting, best, settings};
use super::{known, quirks};
use crate::DeviceId;
use crate::discover::sysfs::{Root, attribute, bytes};
use crate::limits::USB_DESCRIPTOR_BYTES;

const DEVICES: &str = "/sys/bus/usb/devices";

/// One printing interface of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Printer {
    /// Where it is plugged in, as the kernel names it: `1-2.3`.
    pub(crate) place: String,
    /// `busnum`, `devnum`
    pub(crate) address: (u8, u8),
    /// `idVendor`, `idProduct`
    pub(crate) ids: (u16, u16),
    /// The best way to print.
    pub(crate) setting: Setting,
    /// The device's own strings.
    pub(crate) strings: Strings,
    /// What it says of itself. The outer `None`: nobody has asked it yet.
    pub(crate) device_id: Option<Option<DeviceId>>,
    /// The node that `usblp` has made for it.
    pub(crate) node: Option<PathBuf>,
    /// The bus it is on, such as `usb1`.
    pub(crate) bus: String,
}

/// String descriptors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Strings {
    pub(crate) manufacturer: Option<String>,
    pub(crate) product: Option<String>,
    pub(crate) serial: Option<String>,
}

impl Printer {
    /// Its node in usbfs.
    pub(crate) fn usbfs(&self) -> PathBuf {
        let (bus, number) = self.address;
        PathBuf::from(format!("/dev/bus/usb/{bus:03}/{number:03}"))
    }

    pub(super) fn key(&self) -> known::Key {
        (self.address.0, self.address.1, self.setting.interface)
    }

    /// The device id, as far as anybody knows it.
    pub(crate) fn id(&self) -> Option<&DeviceId> {
        self.device_id.as_ref().and_then(Option::as_ref)
    }
}

/// All printers, in the order of their places.
pub(crate) fn printers(root: &Root) -> Vec<Printer> {
    let names = root.names(DEVICES).into_iter();
    // `1-2.3` is a device, `1-2.3:1.0` an interface, `usb1` a root hub.
    let places = names.filter(|name| crate::uri::is_port(name));
    places.flat_map(|place| of_device(root, &place)).collect()
}

/// The printing interfaces of one device.
fn of_device(root: &Root, place: &str) -> Vec<Printer> {
    let Some(dir) = root.real(&Path::new(DEVICES).join(place)) else { return Vec::new() };
    let Some(about) = device(&dir, place) else { return Vec::new() };
    let any_class = quirks::of(about.ids.0, about.ids.1).any_class;
    let active = attribute(&dir, "bConfigurationValue").and_then(|value| value.parse().ok());
    let mut all = settings(&bytes(&dir, "descriptors", USB_DESCRIPTOR_BYTES));
    all.retain(|setting| active.is_none_or(|active: u8| setting.configuration == active));
    let mut interfaces: Vec<u8> = all.iter().map(|setting| setting.interface).collect();
    interfaces.sort_unstable();
    interfaces.dedup();
    let printing = interfaces.into_iter().filter_map(|number| {
        let of_it: Vec<_> = all.iter().filter(|it| it.interface == number).copied().collect();
        best(&of_it, any_class)
    });
    printing.map(|setting| complete(root, &dir, Printer { setting, ..about.clone() })).collect()
}

/// What is the same for all interfaces of a device.
fn device(dir: &Path, place: &str) -> Option<Printer> {
    let hex = |name| u16::from_str_radix(&attribute(dir, name)?, 16).ok();
    let number = |name| attribute(dir, name)?.parse::<u8>().ok();
    let setting = Setting {
        configuration: 0,
        interface: 0,
        alternate: 0,
        class: [0; 3],
        out: None,
        back: None,
    };
    Some(Printer {
        place: place.to_owned(),
        address: (number("busnum")?, number("devnum")?),
        ids: (hex("idVendor")?, hex("idProduct")?),
        setting,
        strings: Strings {
            manufacturer: attribute(dir, "manufacturer"),
            product: attribute(dir, "product"),
            serial: attribute(dir, "serial"),
        },
        device_id: None,
        node: None,
        bus: place.split_once('-').map(|(bus, _)| format!("usb{bus}")).unwrap_or_default(),
    })
}

/// Adds what `usblp` knows, where it is bound, or what was asked before.
fn complete(root: &Root, dir: &Path, mut printer: Printer) -> Printer {
    let Setting { configuration, interface, .. } = printer.setting;
    let dir = dir.join(format!("{}:{configuration}.{interface}", printer.place));
    let name = std::fs::read_dir(dir.join("usbmisc")).ok().and_then(|mut names| names.next());
    let name = name.and_then(Result::ok).and_then(|entry| entry.file_name().into_string().ok());
    let node = name.map(|name| Path::new("/dev/usb").join(name));
    printer.node = node.filter(|node| root.at(node).exists());
    let said = attribute(&dir, "ieee1284_id").and_then(|id| DeviceId::parse(id.as_bytes()));
    let bound = printer.node.is_some();
    printer.device_id = known::recall(printer.key()).or_else(|| bound.then_some(said));
    printer
}
