//! Printing by USB: what an operator does to the printer, and what may not be lost by it.

use super::check::{document, equal, holds};
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
    let content = document(stage.seed, 10 << 20);
    let job = server.print("label", &content)?;
    server.wait_for_state(&job, "completed", EVENT)?;
    printer.expect(&content)?;
    let seen = plugged.with(|device| device.seen());
    holds(&format!("several transfers are in flight: {seen:?}"), seen.most_waiting >= 2)?;
    equal("the longest transfer", seen.longest, 64 * 1024)?;
    server.stop()?;
    // The printer is usblp's again.
    bench.wait_for_node("/dev/usb/lp0")
}
