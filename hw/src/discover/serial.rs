//! Serial lines: UARTs and USB adapters.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::Found;
use super::sysfs::{Root, attribute, bus, product};
use crate::{DeviceUri, SerialUri};

pub(super) fn find(root: &Root) -> Vec<Found> {
    let consoles =
        attribute(&root.at(Path::new("/sys/class/tty/console")), "active").unwrap_or_default();
    let links = links(root);
    let names = root.names("/sys/class/tty").into_iter();
    let names = names.filter(|name| !consoles.split_whitespace().any(|console| console == name));
    names.filter_map(|name| line(root, &name, &links)).collect()
}

/// The line called `name`, if it is a real one.
fn line(root: &Root, name: &str, links: &HashMap<PathBuf, PathBuf>) -> Option<Found> {
    let device = root.class("tty", name)?;
    let node = root.real(&Path::new("/dev").join(name))?;
    let controller = bus(&device);
    let description = match &controller {
        Some(_) => format!("{} ({name})", product(&device).unwrap_or("USB serial adapter".into())),
        None => uart(&device, name)?,
    };
    let path = links.get(&node).cloned().unwrap_or_else(|| root.outside(&node));
    let uri = DeviceUri::Serial(SerialUri::new(&path));
    Some(Found { uri, description, path, device_id: None, controller })
}

/// What a UART is called. Only the kernel's serial core has `uartclk`; type 0 is `PORT_UNKNOWN`: there is no chip.
fn uart(device: &Path, name: &str) -> Option<String> {
    attribute(device, "uartclk")?;
    attribute(device, "type").filter(|kind| kind != "0")?;
    let place = attribute(device, "port").filter(|port| port != "0x0");
    Some(match place.or_else(|| attribute(device, "iomem_base")) {
        Some(place) => format!("Serial port {name} (at {place})"),
        None => format!("Serial port {name}"),
    })
}

/// udev's stable names for nodes: by what the adapter says of itself, else by where it is plugged in.
fn links(root: &Root) -> HashMap<PathBuf, PathBuf> {
    let mut links = HashMap::new();
    for directory in ["/dev/serial/by-id", "/dev/serial/by-path"] {
        for name in root.names(directory) {
            let link = Path::new(directory).join(name);
            if let Some(node) = root.real(&link) {
                links.entry(node).or_insert(link);
            }
        }
    }
    links
}
