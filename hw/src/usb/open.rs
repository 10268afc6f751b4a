//! From a URI to a claimed printer.

use std::time::Instant;

use nusb::transfer::{Bulk, In, Out};
use nusb::{Device, Endpoint, ErrorKind, Interface, MaybeFuture};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::find::{Printer, printers};
use super::flights::Flights;
use super::hearing::Hearing;
use super::identity::{Fit, fit};
use super::pipes::Pipes;
use super::status::Status;
use super::usbfs::Usbfs;
use super::{UsbPort, class, known, quirks};
use crate::discover::sysfs::Root;
use crate::fault::{absent, unsupported};
use crate::limits::USB_BACK_BYTES;
use crate::{Bell, DeviceId, DeviceUri, Error, Line, Port, PrinterPort, UsbUri};

/// The printers that `wanted` may mean, those that it means for certain first.
pub(crate) fn candidates(root: &Root, wanted: &UsbUri) -> Vec<(Fit, Printer)> {
    let fits = printers(root).into_iter().map(|printer| (fit(&printer, wanted), printer));
    let mut fits: Vec<_> = fits.filter(|(fit, _)| *fit != Fit::No).collect();
    fits.sort_by_key(|(fit, _)| std::cmp::Reverse(*fit));
    fits
}

/// Opens the first printer that the URI means and that is free: claimed, or by its `usblp` node where we may not claim it.
///
/// Waits for the device for at most [`crate::limits::DEVICE_ID_WAIT`], for each that has to be asked who it is.
///
/// Errors: [`Error::Absent`], [`Error::Busy`], [`Error::Denied`], [`Error::Unsupported`].
pub(crate) fn open(wanted: &UsbUri) -> Result<Box<dyn Port>, Error> {
    let name = DeviceUri::Usb(wanted.clone()).to_string();
    let mut why = absent(&name, "no such printer is plugged in");
    for (fit, printer) in candidates(&Root::new("/".as_ref()), wanted) {
        match open_one(&printer, wanted, &name) {
            Ok(Some(port)) => return Ok(port),
            Ok(None) => {}
            // What stands in the way of the printer that is meant says more than that another one is not.
            Err(error) if fit == Fit::Yes => why = error,
            Err(error) => tracing::debug!(%error, place = printer.place, "cannot ask who it is"),
        }
    }
    Err(why)
}

/// `None`: it is another printer.
fn open_one(
    printer: &Printer,
    wanted: &UsbUri,
    name: &str,
) -> Result<Option<Box<dyn Port>>, Error> {
    let (device, interface) = match claim(printer, name) {
        Err(Error::Denied { .. }) if let Some(node) = &printer.node => {
            let port = PrinterPort::usblp(node, name)?;
            return Ok(Some(Box::new(port)));
        }
        claimed => claimed?,
    };
    let ways = quirks::of(printer.ids.0, printer.ids.1);
    if ways.reset_first {
        device.reset().wait().map_err(|error| refused(name, "resetting it", &error))?;
    }
    let setting = &printer.setting;
    if setting.alternate != 0 && !ways.no_set_interface {
        let set = interface.set_alt_setting(setting.alternate).wait();
        set.map_err(|error| refused(name, "choosing the alternate setting", &error))?;
    }
    let device_id = class::device_id(&interface, setting);
    let device_id = device_id.map_err(|error| absent(name, error.to_string()))?;
    known::remember(printer.key(), device_id.clone());
    let asked = Printer { device_id: Some(device_id.clone()), ..printer.clone() };
    if fit(printer, wanted) != Fit::Yes && fit(&asked, wanted) != Fit::Yes {
        return Ok(None);
    }
    port(interface, &asked, name, device_id, ways).map(|port| Some(Box::new(port) as Box<dyn Port>))
}

/// Claims the interface; `usblp` gives way, unless somebody prints through it.
fn claim(printer: &Printer, name: &str) -> Result<(Device, Interface), Error> {
    if let Some(node) = &printer.node {
        // usblp lets one program in at a time, and the kernel would take the printer from it in the middle of a job.
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        if rustix::fs::open(node, flags, Mode::empty()).err() == Some(Errno::BUSY) {
            let why = format!("{} is open", node.display());
            return Err(Error::Busy { port: name.to_owned(), why });
        }
    }
    let (bus, number) = printer.address;
    let mut devices =
        nusb::list_devices().wait().map_err(|error| refused(name, "listing devices", &error))?;
    let info = devices.find(|it| (it.busnum(), it.device_address()) == (bus, number));
    let info = info.ok_or_else(|| absent(name, "it has just gone"))?;
    let device = info.open().wait().map_err(|error| refused(name, "opening", &error))?;
    let claimed = device.detach_and_claim_interface(printer.setting.interface).wait();
    let interface = claimed.map_err(|error| refused(name, "claiming the interface", &error))?;
    Ok((device, interface))
}

fn port(
    interface: Interface,
    printer: &Printer,
    name: &str,
    device_id: Option<DeviceId>,
    ways: quirks::Ways,
) -> Result<UsbPort, Error> {
    let failed = |error: nusb::Error| refused(name, "opening an endpoint", &error);
    let setting = printer.setting;
    let Some(out) = setting.out else {
        return Err(unsupported(name, "printing", "it has no bulk endpoint for data"));
    };
    let out: Endpoint<Bulk, Out> = interface.endpoint(out).map_err(failed)?;
    let back = setting.back.filter(|_| !ways.one_way && setting.class[2] != 1);
    let back = back.map(|(address, packet)| {
        let back: Endpoint<Bulk, In> = interface.endpoint(address).map_err(failed)?;
        Ok::<_, Error>((back, USB_BACK_BYTES.next_multiple_of(packet.max(1))))
    });
    let back = back.transpose()?;
    let (done, two_way) = (Bell::new()?, back.is_some());
    let pipes = Box::new(Usbfs::new(interface, out, back, done.clone()));
    let mut port = UsbPort::over(pipes, done, name, two_way, ways, device_id);
    port.half_a_job = known::take_half(printer.key());
    port.key = Some(printer.key());
    Ok(port)
}

impl UsbPort {
    /// A port over the pipes of a claimed interface, which ring `done` at every completion.
    pub(super) fn over(
        pipes: Box<dyn Pipes>,
        done: Bell,
        name: &str,
        two_way: bool,
        ways: quirks::Ways,
        device_id: Option<DeviceId>,
    ) -> Self {
        let now = Instant::now();
        Self {
            name: name.to_owned(),
            done,
            pipes,
            flights: Flights::default(),
            hearing: Hearing::new(two_way, now),
            status: Status::new(!ways.no_status, now),
            mending: None,
            broken: None,
            in_job: false,
            half_a_job: false,
            key: None,
            resettable: !ways.no_soft_reset,
            device_id: device_id.map(|id| id.raw),
            told: Line::default(),
        }
    }
}

/// An error of nusb, by whose fault it is.
fn refused(name: &str, doing: &'static str, error: &nusb::Error) -> Error {
    let (port, why) = (name.to_owned(), error.to_string());
    match error.kind() {
        ErrorKind::PermissionDenied => Error::Denied { port },
        ErrorKind::Busy => Error::Busy { port, why },
        ErrorKind::Disconnected | ErrorKind::NotFound => Error::Absent { port, why },
        _ => Error::Device { port, doing, source: std::io::Error::other(why) },
    }
}
