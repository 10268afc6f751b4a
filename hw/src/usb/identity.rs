//! Which printer is which: from a printer to its URI, and from a URI to the printers that it may mean.
//!
//! Three ways to say which one: by serial number, by the port it is plugged into, by make and model ("any of these"). Make,
//! model and serial number are what the device id says, or what the USB strings say: either is recognized, because not
//! everybody can ask for the device id at any time.

use super::find::Printer;
use crate::{DeviceUri, UsbUri};

/// Whether a URI means a printer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// Another is meant.
    No,
    /// That takes its device id, which nobody has asked for yet.
    Perhaps,
    /// It is meant.
    Yes,
}

/// Whether `wanted` means `printer`.
pub(crate) fn fit(printer: &Printer, wanted: &UsbUri) -> Fit {
    let on_port = wanted.port.as_ref().is_none_or(|port| *port == printer.place);
    let interface = wanted.interface.is_none_or(|number| number == printer.setting.interface);
    if !on_port || !interface {
        return Fit::No;
    }
    let (id, strings) = (printer.id(), &printer.strings);
    let is = |wanted: &str, said: [Option<&String>; 2]| {
        said.into_iter().flatten().any(|it| it == wanted)
    };
    let from_id = |field: fn(&crate::DeviceId) -> Option<&String>| id.and_then(field);
    let named = is(&wanted.make, [from_id(|id| id.make.as_ref()), strings.manufacturer.as_ref()])
        && is(&wanted.model, [from_id(|id| id.model.as_ref()), strings.product.as_ref()]);
    let numbered = wanted.serial.as_ref().is_none_or(|serial| {
        is(serial, [from_id(|id| id.serial.as_ref()), strings.serial.as_ref()])
    });
    match (named && numbered, printer.device_id.is_none()) {
        (true, _) => Fit::Yes,
        (false, true) => Fit::Perhaps,
        (false, false) => Fit::No,
    }
}

/// What each printer is called. Without a serial number, or with one that another has too, by the port it is on. `None`: it
/// does not say what it is.
pub(crate) fn uris(printers: &[Printer]) -> Vec<Option<UsbUri>> {
    let named: Vec<_> = printers.iter().map(uri).collect();
    let is_alone = |uri: &UsbUri| named.iter().flatten().filter(|other| *other == uri).count() == 1;
    let pairs = printers.iter().zip(&named);
    let full = pairs.map(|(printer, uri)| {
        let uri = uri.clone()?;
        let port = (uri.serial.is_none() || !is_alone(&uri)).then(|| printer.place.clone());
        let full = UsbUri { port, ..uri };
        // What a device says may be too long to be written as a URI.
        DeviceUri::Usb(full.clone()).to_string().parse::<DeviceUri>().is_ok().then_some(full)
    });
    full.collect()
}

fn uri(printer: &Printer) -> Option<UsbUri> {
    let (id, strings) = (printer.id(), &printer.strings);
    let said =
        |from_id: Option<&String>, string: &Option<String>| from_id.cloned().or(string.clone());
    let interface = printer.setting.interface;
    Some(UsbUri {
        make: said(id.and_then(|id| id.make.as_ref()), &strings.manufacturer)?,
        model: said(id.and_then(|id| id.model.as_ref()), &strings.product)?,
        serial: said(id.and_then(|id| id.serial.as_ref()), &strings.serial),
        interface: (interface != 0).then_some(interface),
        port: None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::descriptors::Setting;
    use super::super::find::Strings;
    use super::*;
    use crate::DeviceId;

    fn printer(place: &str, id: Option<Option<&str>>, serial: &str) -> Printer {
        let setting = Setting {
            configuration: 1,
            interface: 0,
            alternate: 0,
            class: [7, 1, 2],
            out: Some(1),
            back: None,
        };
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let strings =
            Strings { manufacturer: some("Acme"), product: some("Printer"), serial: some(serial) };
        let device_id = id.map(|id| id.and_then(|id| DeviceId::parse(id.as_bytes())));
        let (address, ids, bus) = ((1, 2), (1, 2), "usb1".to_owned());
        Printer { place: place.into(), address, ids, setting, strings, device_id, node: None, bus }
    }

    fn wanted(uri: &str) -> UsbUri {
        match uri.parse() {
            Ok(DeviceUri::Usb(usb)) => usb,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn by_number_by_port_by_model() {
        let known = printer("1-2", Some(Some("MFG:A;MDL:L 1;SN:7;")), "U9");
        for (uri, expected) in [
            ("usb://A/L%201?serial=7", Fit::Yes),
            ("usb://A/L%201?serial=U9", Fit::Yes),
            ("usb://Acme/Printer?serial=U9", Fit::Yes),
            ("usb://A/L%201", Fit::Yes),
            ("usb://A/L%201?port=1-2", Fit::Yes),
            ("usb://A/L%201?port=1-3", Fit::No),
            ("usb://A/L%201?serial=8", Fit::No),
            ("usb://A/L%202", Fit::No),
            ("usb://A/L%201?interface=1", Fit::No),
        ] {
            assert_eq!(fit(&known, &wanted(uri)), expected, "{uri}");
        }
        let silent = printer("1-2", Some(None), "");
        assert_eq!(fit(&silent, &wanted("usb://A/L%201")), Fit::No);
        let unasked = printer("1-2", None, "U9");
        assert_eq!(fit(&unasked, &wanted("usb://A/L%201?serial=7")), Fit::Perhaps);
        assert_eq!(fit(&unasked, &wanted("usb://A/L%201?port=1-3")), Fit::No);
        assert_eq!(fit(&unasked, &wanted("usb://Acme/Printer?serial=U9")), Fit::Yes);
    }

    #[test]
    fn twins_keep_apart_by_their_ports() {
        let id = Some(Some("MFG:A;MDL:L;"));
        let shown = |printers: &[Printer]| -> Vec<String> {
            uris(printers).into_iter().flatten().map(|uri| uri.to_string()).collect()
        };
        let one = [printer("1-1", id, "S1"), printer("1-2", id, "S2")];
        assert_eq!(shown(&one), ["usb://A/L?serial=S1", "usb://A/L?serial=S2"]);
        let none = [printer("1-1", id, ""), printer("1-2.4", id, "")];
        assert_eq!(shown(&none), ["usb://A/L?port=1-1", "usb://A/L?port=1-2.4"]);
        let same = [printer("1-1", id, "S"), printer("1-2", id, "S")];
        assert_eq!(shown(&same), ["usb://A/L?serial=S&port=1-1", "usb://A/L?serial=S&port=1-2"]);
        assert_eq!(fit(&same[1], &wanted("usb://A/L?serial=S&port=1-1")), Fit::No);
    }
}
