//! USB printers, whether `usblp` has bound them, a program has claimed them, or nobody cares.

use super::Found;
use super::sysfs::Root;
use crate::usb::find::{Printer, printers};
use crate::usb::identity::{Fit, fit, uris};
use crate::{DeviceUri, UsbUri};

pub(super) fn find(root: &Root) -> Vec<Found> {
    find_others(root, &[])
}

/// Those that none of these URIs may mean.
pub(super) fn find_others(root: &Root, known: &[DeviceUri]) -> Vec<Found> {
    let all = printers(root);
    let named = uris(&all);
    let others = all.into_iter().zip(named).filter(|(printer, _)| !is_meant(printer, known));
    others.filter_map(|(printer, uri)| found(printer, uri)).collect()
}

fn is_meant(printer: &Printer, known: &[DeviceUri]) -> bool {
    known.iter().any(|uri| match uri {
        DeviceUri::Usb(wanted) => fit(printer, wanted) != Fit::No,
        uri => printer.node.is_some() && uri.path() == printer.node.as_deref(),
    })
}

fn found(printer: Printer, uri: Option<UsbUri>) -> Option<Found> {
    let device_id = printer.id().cloned();
    let path = printer.node.clone().unwrap_or_else(|| printer.usbfs());
    // A printer that does not say what it is can only be named by its node.
    let uri = match uri {
        Some(uri) => DeviceUri::Usb(uri),
        None => DeviceUri::File(printer.node?),
    };
    let words = match &uri {
        DeviceUri::Usb(usb) => format!("{} {}", usb.make, usb.model),
        _ => "USB printer".to_owned(),
    };
    let description = format!("{words} (USB {})", printer.place);
    Some(Found { uri, description, path, device_id, controller: Some(printer.bus) })
}

/// The bus of the printer that `wanted` names.
pub(super) fn bus_of(root: &Root, wanted: &UsbUri) -> Option<String> {
    let mut fits: Vec<_> = printers(root).into_iter().map(|it| (fit(&it, wanted), it)).collect();
    fits.sort_by_key(|(fit, _)| std::cmp::Reverse(*fit));
    fits.into_iter().find(|(fit, _)| *fit != Fit::No).map(|(_, printer)| printer.bus)
}
