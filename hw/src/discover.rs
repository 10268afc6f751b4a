//! What is attached to this machine, as device URIs.
//!
//! Only what is really there: a UART that the kernel has found (its `type` is not 0; distributions make 4 to 32 nodes
//! `/dev/ttyS*` for chips that may not exist), USB serial adapters, USB printers (whoever has claimed them), parallel ports.
//! Not offered: a serial line that the kernel uses as its console.
//!
//! Each is named by the most stable name that udev has for it, so that a configuration survives the next plug. What it is
//! *not*: a look at the devices themselves. Everything comes from `/sys` and `/dev`; nothing is opened.

mod parallel;
mod serial;
pub(crate) mod sysfs;
mod usb;

use std::path::{Path, PathBuf};

use crate::limits::DISCOVERED;
use crate::{DeviceId, DeviceUri};
use sysfs::Root;

/// A port that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What to write as the printer's port. Serial lines have the default settings.
    pub uri: DeviceUri,
    /// For people: make and model, or which port it is.
    pub description: String,
    /// The device node, by its most stable name.
    pub path: PathBuf,
    /// The IEEE 1284 device id, where the kernel has already asked for it.
    pub device_id: Option<DeviceId>,
    /// The USB bus it is on, such as `usb1`: ports of one bus share its speed.
    pub controller: Option<String>,
}

impl Found {
    /// True for a port that certainly has a printer on it (USB printer class, a parallel port that named its device). A
    /// serial line may have anything.
    pub fn is_printer(&self) -> bool {
        match self.uri {
            DeviceUri::Usb(_) => true,
            DeviceUri::Parallel(_) => self.device_id.is_some(),
            _ => self.path.to_string_lossy().starts_with("/dev/usb/lp"),
        }
    }
}

/// All attached ports: serial lines, USB printers, parallel ports, each kind in the order of their names; at most
/// [`DISCOVERED`].
pub fn discover() -> Vec<Found> {
    discover_in(Path::new("/"))
}

/// Attached printers ([`Found::is_printer`]) that none of these URIs means, also by another name for the same device.
pub fn discover_printers_but(known: &[DeviceUri]) -> Vec<Found> {
    discover_printers_but_in(Path::new("/"), known)
}

/// Like [`discover_printers_but`], with another directory for `/`.
pub fn discover_printers_but_in(root: &Path, known: &[DeviceUri]) -> Vec<Found> {
    let root = Root::new(root);
    let mut found = usb::find_others(&root, known);
    found.extend(parallel::find(&root).into_iter().filter(|port| !known.contains(&port.uri)));
    found.retain(Found::is_printer);
    found.truncate(DISCOVERED);
    found
}

/// Like [`discover`], with another directory for `/` (its `sys`, `dev` and `proc` are read).
pub fn discover_in(root: &Path) -> Vec<Found> {
    let root = Root::new(root);
    let mut found = serial::find(&root);
    found.extend(usb::find(&root));
    found.extend(parallel::find(&root));
    found.truncate(DISCOVERED);
    found
}

/// The USB bus that a device is on, such as `usb1`. `None`: it is not on USB, or not there.
pub fn host_controller(uri: &DeviceUri) -> Option<String> {
    host_controller_in(Path::new("/"), uri)
}

/// Like [`host_controller`], with another directory for `/`.
pub fn host_controller_in(root: &Path, uri: &DeviceUri) -> Option<String> {
    let root = Root::new(root);
    if let DeviceUri::Usb(wanted) = uri {
        return usb::bus_of(&root, wanted);
    }
    // The node's real name is what sysfs knows it by; links lead to it.
    let node = root.real(uri.path()?)?;
    let name = node.file_name()?.to_str()?;
    let class = if node.parent()?.ends_with("dev/usb") { "usbmisc" } else { "tty" };
    sysfs::bus(&root.class(class, name)?)
}

#[cfg(test)]
mod tests;
