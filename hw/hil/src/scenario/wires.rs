//! The bench itself: each wire with its real driver, by busybox alone.

use std::time::Duration;

use super::attach::{ACM, FTDI};
use super::check::{document, equal, holds};
use super::{Scenario, Stage, When};
use crate::Bench;
use crate::device::{
    Adapter, Happened, ModemLines, Printer, PrinterFlow, PrinterOptions, Speed, UsbPrinter,
};
use crate::error::Result;
use crate::limits::EVENT;
use crate::vm::Slot;

/// All of this room.
pub const ALL: &[Scenario] = &[
    Scenario { name: "wires::parallel", when: When::Always, run: parallel },
    Scenario { name: "wires::serial", when: When::Always, run: serial },
    Scenario { name: "wires::usb_printers", when: When::Always, run: usb_printers },
    Scenario { name: "wires::usb_on_every_controller", when: When::Always, run: controllers },
    Scenario { name: "wires::adapters", when: When::Always, run: adapters },
    Scenario { name: "wires::cold_boot", when: When::Full, run: cold_boot },
];

/// Long enough to see that something does not go on.
const MOMENT: Duration = Duration::from_millis(300);

/// Writes a document to a device from the bare guest.
fn cat(bench: &Bench, content: &[u8], node: &str) -> Result<()> {
    bench.guest().write("/tmp/document", content)?;
    bench.guest().run(&["/bin/sh", "-c", "cat /tmp/document > \"$0\"", node]).map(drop)
}

fn parallel(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = bench.parallel().printer();
    // Beginning with the byte that a fresh model did not have in its register after a restore.
    let mut content = document(stage.seed, 64 * 1024);
    content.insert(0, 0x04);
    cat(&bench, &content, "/dev/lp0")?;
    printer.wait_for_bytes(content.len() as u64)?;
    printer.expect(&content)?;
    let probed = bench.guest().shell("cat /proc/sys/dev/parport/parport0/autoprobe")?.text();
    holds("the kernel has read the device id", probed.contains("MODEL:Parallel Label"))?;
    // Nobody takes anything: the writer waits, and nothing is lost.
    printer.tell("stall on")?;
    bench.guest().write("/tmp/document", &content)?;
    let writing = bench.guest().spawn(&["/bin/sh", "-c", "cat /tmp/document > /dev/lp0"])?;
    writing.goes_on(MOMENT)?;
    printer.tell("stall off")?;
    writing.wait(EVENT)?.successful()?;
    printer.wait_for_bytes(2 * content.len() as u64)?;
    printer.expect(&content)
}

fn serial(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = bench.serial().printer();
    let content = document(stage.seed, 64 * 1024);
    bench.guest().shell("stty -F /dev/ttyS1 raw -echo 19200 cs7 parenb cstopb")?;
    let format = Happened::Format { baud: 19_200, bits: 7, parity: 'E', stop: 2 };
    bench.serial().wait_for(format, EVENT)?;
    bench.guest().shell("stty -F /dev/ttyS1 raw -echo 115200 cs8 -parenb -cstopb crtscts")?;
    cat(&bench, &content, "/dev/ttyS1")?;
    printer.wait_for_bytes(content.len() as u64)?;
    printer.expect(&content)?;
    bench.serial().wait_for(Happened::Outputs { dtr: true, rts: true }, EVENT)?;
    // CTS low holds the writer back.
    bench.serial().set_lines(ModemLines { cts: false, ..ModemLines::default() });
    let writing = bench.guest().spawn(&["/bin/sh", "-c", "cat /tmp/document > /dev/ttyS1"])?;
    writing.goes_on(MOMENT)?;
    bench.serial().set_lines(ModemLines::default());
    writing.wait(EVENT)?.successful()?;
    printer.wait_for_bytes(2 * content.len() as u64)?;
    printer.expect(&content)
}

fn usb_printers(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let (both, one) = (Printer::default(), Printer::default());
    let wire = UsbPrinter::new(PrinterOptions::default(), both.behind());
    let first = bench.plug(Slot::Xhci(0), wire, &both)?;
    bench.wait_for_node("/dev/usb/lp0")?;
    let options = PrinterOptions { protocols: vec![1], ..PrinterOptions::default() };
    let second = bench.plug(Slot::Xhci(1), UsbPrinter::new(options, one.behind()), &one)?;
    bench.wait_for_node("/dev/usb/lp1")?;
    let contents = [document(stage.seed, 300_000), document(stage.seed + 1, 300_000)];
    for (number, (printer, content)) in [&both, &one].into_iter().zip(&contents).enumerate() {
        cat(&bench, content, &format!("/dev/usb/lp{number}"))?;
        printer.wait_for_bytes(content.len() as u64)?;
        printer.expect(content)?;
    }
    both.tell("say 6f6b0a")?;
    let said = bench.guest().shell("head -n 1 /dev/usb/lp0 || dd if=/dev/usb/lp0 bs=3 count=1")?;
    equal("what the printer said", said.text().lines().next().unwrap_or_default(), "ok")?;
    // The cable is pulled in the middle of a job.
    first.with(|device| device.unplug_at(400_000));
    let writing = bench.guest().spawn(&["/bin/sh", "-c", "cat /dev/zero > /dev/usb/lp0"])?;
    let ended = writing.wait(EVENT)?;
    holds("the writer hears of it", ended.status != 0)?;
    bench.wait_for_no_node("/dev/usb/lp0")?;
    equal("bytes until the unplug", both.bytes(), 400_000)?;
    holds("the other printer is still there", second.is_plugged())
}

/// The same printer on xHCI (also at super speed), EHCI and UHCI.
fn controllers(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let content = document(stage.seed, 100_000);
    let kinds = [
        (Slot::Xhci(0), Speed::Super),
        (Slot::Xhci(1), Speed::Full),
        (Slot::Ehci(0), Speed::High),
        (Slot::Uhci(0), Speed::Full),
    ];
    for (slot, speed) in kinds {
        let printer = Printer::default();
        let options = PrinterOptions { speed, ..PrinterOptions::default() };
        let wire = UsbPrinter::new(options, printer.behind());
        let plugged = bench.plug(slot, wire, &printer)?;
        bench.wait_for_node("/dev/usb/lp0")?;
        cat(&bench, &content, "/dev/usb/lp0")?;
        printer.wait_for_bytes(content.len() as u64)?;
        printer.expect(&content)?;
        plugged.unplug();
        bench.wait_for_no_node("/dev/usb/lp0")?;
    }
    Ok(())
}

fn adapters(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let (one, other) = (Printer::default(), Printer::default());
    let ftdi = FTDI.plug(&bench, &one, PrinterFlow::None)?;
    let acm = ACM.plug(&bench, &other, PrinterFlow::None)?;
    let content = document(stage.seed, 8000);
    for (printer, node) in [(&one, FTDI.node), (&other, ACM.node)] {
        bench.guest().run(&["/bin/stty", "-F", node, "raw", "-echo", "115200"])?;
        cat(&bench, &content, node)?;
        printer.wait_for_bytes(content.len() as u64)?;
        printer.expect(&content)?;
    }
    ftdi.wait_for("its speed", EVENT, |ftdi| {
        ftdi.log().any(|line| line.starts_with("baud 115")).then_some(())
    })?;
    acm.wait_for("its speed", EVENT, |acm| {
        acm.log().any(|line| line == "baud 115200").then_some(())
    })?;
    ftdi.unplug();
    bench.wait_for_no_node("/dev/ttyUSB0")
}

/// What a snapshot might hide shows after a boot.
fn cold_boot(stage: &Stage) -> Result<()> {
    let bench = stage.setup.boot()?;
    let content = document(stage.seed, 20_000);
    let printer = bench.parallel().printer();
    cat(&bench, &content, "/dev/lp0")?;
    printer.wait_for_bytes(content.len() as u64)?;
    printer.expect(&content)?;
    let usb = Printer::default();
    let wire = UsbPrinter::new(PrinterOptions::default(), usb.behind());
    let _plugged = bench.plug(Slot::Xhci(0), wire, &usb)?;
    bench.wait_for_node("/dev/usb/lp0")?;
    cat(&bench, &content, "/dev/usb/lp0")?;
    usb.wait_for_bytes(content.len() as u64)?;
    usb.expect(&content)
}
