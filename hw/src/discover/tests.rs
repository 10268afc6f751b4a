use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::SerialUri;

/// A machine made of files: plain ones stand for nodes, relative links lead as udev's and the kernel's do.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn link(&self, path: &str, target: &str) -> &Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
        self
    }

    fn uart(&self, name: &str, kind: &str) {
        let device = format!("sys/devices/pnp0/00:00/tty/{name}");
        self.file(&format!("{device}/uartclk"), "1843200\n")
            .file(&format!("{device}/type"), kind)
            .file(&format!("{device}/port"), "0x3F8\n")
            .link(&format!("sys/class/tty/{name}"), &format!("../../devices/pnp0/00:00/tty/{name}"))
            .file(&format!("dev/{name}"), "");
    }

    /// A USB device at `bus/port` with one interface; the path of the interface below `sys`.
    fn usb(&self, bus: &str, port: &str, strings: [&str; 3]) -> String {
        let device = format!("devices/pci0000:00/0000:00:14.0/{bus}/{port}");
        let (_, number) = port.split_once('-').unwrap();
        self.file(&format!("sys/{device}/idVendor"), "0a5f\n")
            .file(&format!("sys/{device}/idProduct"), "0001\n")
            .file(&format!("sys/{device}/bConfigurationValue"), "1\n")
            .file(&format!("sys/{device}/busnum"), &bus["usb".len()..])
            // Not a number that a printer of another test has: what printers say is remembered for all.
            .file(&format!("sys/{device}/devnum"), &format!("{}", 200 + number.len()));
        for (name, text) in ["manufacturer", "product", "serial"].into_iter().zip(strings) {
            if !text.is_empty() {
                self.file(&format!("sys/{device}/{name}"), &format!("{text}\n"));
            }
        }
        self.link(&format!("sys/bus/usb/devices/{port}"), &format!("../../../{device}"));
        let interface = format!("{device}/{port}:1.0");
        self.file(&format!("sys/{interface}/bInterfaceNumber"), "00\n");
        interface
    }

    /// Gives a USB device the descriptors of a two-way printer.
    fn prints(&self, bus: &str, port: &str) {
        const DESCRIPTORS: &[u8] = &[
            18, 1, 0, 2, 0, 0, 0, 64, 0x5F, 0x0A, 1, 0, 0, 1, 1, 2, 3, 1, // device
            9, 2, 32, 0, 1, 1, 0, 0xC0, 50, // configuration 1
            9, 4, 0, 0, 2, 7, 1, 2, 0, 7, 5, 1, 2, 0, 2, 0, 7, 5, 0x82, 2, 0, 2, 0,
        ];
        let file = format!("sys/devices/pci0000:00/0000:00:14.0/{bus}/{port}/descriptors");
        fs::write(self.0.path().join(file), DESCRIPTORS).unwrap();
    }

    fn adapter(&self, bus: &str, port: &str, name: &str, strings: [&str; 3]) {
        let interface = self.usb(bus, port, strings);
        self.file(&format!("sys/{interface}/{name}/tty/{name}/dev"), "188:0\n")
            .link(&format!("sys/class/tty/{name}"), &format!("../../{interface}/{name}/tty/{name}"))
            .file(&format!("dev/{name}"), "");
    }

    fn printer(&self, bus: &str, port: &str, name: &str, strings: [&str; 3]) -> String {
        let interface = self.usb(bus, port, strings);
        self.prints(bus, port);
        self.file(&format!("sys/{interface}/usbmisc/{name}/dev"), "180:0\n")
            .link(
                &format!("sys/class/usbmisc/{name}"),
                &format!("../../{interface}/usbmisc/{name}"),
            )
            .file(&format!("dev/usb/{name}"), "");
        interface
    }

    fn found(&self) -> Vec<(String, String, Option<String>)> {
        let found = discover_in(self.0.path()).into_iter();
        found.map(|found| (found.uri.to_string(), found.description, found.controller)).collect()
    }

    fn bus(&self, uri: &str) -> Option<String> {
        host_controller_in(self.0.path(), &uri.parse().unwrap())
    }
}

fn serial(path: &str) -> String {
    DeviceUri::Serial(SerialUri::new(path)).to_string()
}

#[test]
fn only_real_uarts_that_are_no_console() {
    let machine = Machine::new();
    machine.uart("ttyS10", "4\n");
    machine.uart("ttyS0", "4\n");
    machine.uart("ttyS1", "0\n");
    machine.uart("ttyS2", "4\n");
    machine.file("sys/class/tty/console/active", "tty0 ttyS0\n");
    machine
        .file("sys/devices/virtual/tty/tty1/dev", "4:1")
        .link("sys/class/tty/tty1", "../../devices/virtual/tty/tty1");
    machine.file("dev/tty1", "");
    assert_eq!(
        machine.found(),
        [
            (serial("/dev/ttyS2"), "Serial port ttyS2 (at 0x3F8)".into(), None),
            (serial("/dev/ttyS10"), "Serial port ttyS10 (at 0x3F8)".into(), None),
        ]
    );
    assert_eq!(machine.bus("serial:/dev/ttyS2"), None);
}

#[test]
fn adapters_by_their_stable_names() {
    let machine = Machine::new();
    machine.adapter("usb1", "1-1", "ttyUSB0", ["FTDI", "FT232R USB UART", "A9"]);
    machine.adapter("usb3", "3-2", "ttyUSB1", ["", "", ""]);
    machine.adapter("usb3", "3-1", "ttyACM0", ["", "Label printer", ""]);
    machine
        .link("dev/serial/by-id/usb-FTDI_FT232R_A9-if00-port0", "../../ttyUSB0")
        .link("dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0", "../../ttyUSB0")
        .link("dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0", "../../ttyUSB1");
    let by_id = "/dev/serial/by-id/usb-FTDI_FT232R_A9-if00-port0";
    let by_path = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0";
    assert_eq!(
        machine.found(),
        [
            (serial("/dev/ttyACM0"), "Label printer (ttyACM0)".into(), Some("usb3".into())),
            (serial(by_id), "FTDI FT232R USB UART (ttyUSB0)".into(), Some("usb1".into())),
            (serial(by_path), "USB serial adapter (ttyUSB1)".into(), Some("usb3".into())),
        ]
    );
    for uri in [serial(by_id), "serial:/dev/ttyUSB0".into(), "file:/dev/ttyUSB0".into()] {
        assert_eq!(machine.bus(&uri).as_deref(), Some("usb1"), "{uri}");
    }
    assert_eq!(machine.bus("serial:/dev/ttyUSB7"), None);
}

#[test]
fn usb_printers_by_what_they_say() {
    let machine = Machine::new();
    let zebra = machine.printer("usb1", "1-1", "lp0", ["Zebra Tech", "ZD420", "USB7"]);
    let id = "MFG:Zebra Technologies;CMD:ZPL;MDL:ZTC ZD420;SN:D2J1;";
    machine.file(&format!("sys/{zebra}/ieee1284_id"), id);
    machine.printer("usb2", "2-1", "lp1", ["HP", "LaserJet", ""]);
    machine.printer("usb2", "2-2.4", "lp2", ["", "", ""]);
    let zebra = "usb://Zebra%20Technologies/ZTC%20ZD420?serial=D2J1";
    assert_eq!(
        machine.found(),
        [
            (zebra.into(), "Zebra Technologies ZTC ZD420 (USB 1-1)".into(), Some("usb1".into())),
            // Without a serial number: by the port, so that one like it is not taken for it.
            (
                "usb://HP/LaserJet?port=2-1".into(),
                "HP LaserJet (USB 2-1)".into(),
                Some("usb2".into())
            ),
            ("file:/dev/usb/lp2".into(), "USB printer (USB 2-2.4)".into(), Some("usb2".into())),
        ]
    );
    let first = discover_in(machine.0.path()).swap_remove(0);
    assert_eq!(first.device_id.unwrap().raw, id);
    assert_eq!(first.path, Path::new("/dev/usb/lp0"));
    assert_eq!(machine.bus(zebra).as_deref(), Some("usb1"));
    assert_eq!(machine.bus("usb://HP/LaserJet").as_deref(), Some("usb2"));
    assert_eq!(machine.bus("file:/dev/usb/lp2").as_deref(), Some("usb2"));
    assert_eq!(machine.bus("usb://HP/LaserJet?serial=Y"), None);
    assert!(discover_in(machine.0.path()).iter().all(Found::is_printer));
}

#[test]
fn usb_printers_that_nobody_has_bound() {
    let machine = Machine::new();
    machine.usb("usb5", "5-1.2", ["Star", "SP500", "S1"]);
    assert_eq!(machine.found(), [], "no printer by its descriptors");
    machine.prints("usb5", "5-1.2");
    let uri = "usb://Star/SP500?serial=S1";
    let found = discover_in(machine.0.path()).swap_remove(0);
    assert_eq!(found.uri.to_string(), uri);
    assert_eq!(found.path, Path::new("/dev/bus/usb/005/203"));
    assert_eq!(machine.bus(uri).as_deref(), Some("usb5"));
}

#[test]
fn printers_that_are_known_by_whatever_name_are_no_newcomers() {
    let machine = Machine::new();
    machine.printer("usb1", "1-1", "lp0", ["Zebra", "ZD420", "D2J1"]);
    machine.printer("usb2", "2-1", "lp1", ["HP", "LaserJet", ""]);
    machine.adapter("usb3", "3-1", "ttyUSB0", ["FTDI", "FT232R USB UART", "A9"]);
    machine.file("dev/parport0", "");
    machine.file("proc/sys/dev/parport/parport0/autoprobe", "CLASS:PRINTER;\nMODEL:Label;\n");
    let others = |known: &[&str]| {
        let known: Vec<DeviceUri> = known.iter().map(|uri| uri.parse().unwrap()).collect();
        let found = discover_printers_but_in(machine.0.path(), &known).into_iter();
        found.map(|found| found.uri.to_string()).collect::<Vec<_>>()
    };
    let (zebra, laser) = ("usb://Zebra/ZD420?serial=D2J1", "usb://HP/LaserJet?port=2-1");
    assert_eq!(others(&[]), [zebra, laser, "parallel:/dev/parport0"]);
    assert_eq!(others(&["parallel:/dev/parport0", laser]), [zebra]);
    // By its node; as any printer of its model; another serial number is another printer.
    assert_eq!(others(&["file:/dev/usb/lp0", "usb://HP/LaserJet"]), ["parallel:/dev/parport0"]);
    assert_eq!(
        others(&["usb://Zebra/ZD420?serial=OTHER", laser]),
        [zebra, "parallel:/dev/parport0"]
    );
}

#[test]
fn parallel_ports_once() {
    let machine = Machine::new();
    machine.file("dev/lp0", "").file("dev/lpx", "").file("dev/parport", "");
    assert_eq!(machine.found(), [("parallel:/dev/lp0".into(), "Parallel port (lp0)".into(), None)]);
    machine.file("dev/parport0", "").file("dev/parport1", "");
    let probed = "CLASS:PRINTER;\nMODEL:Label;\nMANUFACTURER:HIL Parallel;\nDESCRIPTION:x;\n";
    machine.file("proc/sys/dev/parport/parport1/autoprobe", probed);
    assert_eq!(
        machine.found(),
        [
            ("parallel:/dev/parport0".into(), "Parallel port (parport0)".into(), None),
            ("parallel:/dev/parport1".into(), "HIL Parallel Label (parport1)".into(), None),
        ]
    );
}

#[test]
fn an_empty_machine_and_this_one() {
    assert_eq!(discover_in(Path::new("/no/such/machine")), []);
    for found in discover() {
        assert_eq!(found.uri.to_string().parse(), Ok(found.uri.clone()));
        assert!(found.path.exists() && !found.description.is_empty());
    }
}
