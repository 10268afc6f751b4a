//! Printing by USB: what an operator does to the printer, and what may not be lost by it.

use super::check::{document, equal};
use super::server::{Queue, Server, port};
use super::{Scenario, Stage, When};
use crate::Bench;
use crate::device::{Behind, Plugged, Printer, PrinterOptions, UsbPrinter};
use crate::error::Result;
use crate::limits::EVENT;
use crate::vm::Slot;

/// All of this room.
pub const ALL: &[Scenario] =
    &[Scenario { name: "usb::ten_mebibytes", when: When::Always, run: ten_mebibytes }];

/// A printer that is plugged in.
fn plug(bench: &Bench, slot: Slot) -> Result<(Printer, Plugged<UsbPrinter<Behind>>)> {
    let printer = Printer::default();
    let wire = UsbPrinter::new(PrinterOptions::default(), printer.behind());
    let plugged = bench.plug(slot, wire, &printer)?;
    bench.wait_for_node("/dev/usb/lp0")?;
    Ok((printer, plugged))
}

/// The operator looks what is there, writes it into the configuration, and prints.
fn ten_mebibytes(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let (printer, plugged) = plug(&bench, Slot::Xhci(0))?;
    let uri = port(&bench, stage, "usb:")?;
    equal("the printer's URI", uri.as_str(), "usb://HIL/Virtual%20Label?serial=HIL0001")?;
    let server = Server::start(&bench, stage, &[Queue::new("label", &uri)])?;
    // For a moment it takes nothing: what is in flight then shows.
    plugged.with(|device| device.set_nak(true));
    let content = document(stage.seed, 10 << 20);
    let job = server.print("label", &content)?;
    plugged.wait_for("several transfers in flight", EVENT, |device| {
        (device.seen().most_waiting >= 2).then_some(())
    })?;
    plugged.with(|device| device.set_nak(false));
    server.wait_for_state(&job, "completed", EVENT)?;
    printer.expect(&content)?;
    equal("the longest transfer", plugged.with(|device| device.seen().longest), 64 * 1024)?;
    server.stop()?;
    // The printer is usblp's again.
    bench.wait_for_node("/dev/usb/lp0")
}
