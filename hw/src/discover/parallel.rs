//! Parallel ports.

use std::path::Path;

use super::Found;
use super::sysfs::{Root, attribute};
use crate::{DeviceId, DeviceUri};

/// Ports by their ppdev nodes; where there are none, by the nodes of `lp`.
pub(super) fn find(root: &Root) -> Vec<Found> {
    let nodes = root.names("/dev");
    let of = |stem: &str| -> Vec<Found> {
        nodes.iter().filter_map(|name| port(root, name, name.strip_prefix(stem)?)).collect()
    };
    let ports = of("parport");
    if ports.is_empty() { of("lp") } else { ports }
}

fn port(root: &Root, name: &str, number: &str) -> Option<Found> {
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let path = Path::new("/dev").join(name);
    // What the kernel heard when it asked the device at boot: an id, a key a line.
    let probed = attribute(&root.at(&Path::new("/proc/sys/dev/parport").join(name)), "autoprobe");
    let device_id = probed.and_then(|id| DeviceId::parse(id.as_bytes()));
    let words = device_id.iter().flat_map(|id| [id.make.as_deref(), id.model.as_deref()]);
    let words: Vec<_> = words.flatten().collect();
    let described = if words.is_empty() { "Parallel port".to_owned() } else { words.join(" ") };
    let description = format!("{described} ({name})");
    let uri = DeviceUri::Parallel(path.clone());
    Some(Found { uri, description, path, device_id, controller: None })
}
