//! A USB printer in a port of the machine, as most scenarios have it.

use crate::Bench;
use crate::device::{Behind, Plugged, Printer, PrinterOptions, Speed, UsbPrinter};
use crate::error::Result;
use crate::vm::Slot;

/// A printer's plug in its port.
pub type Wire = Plugged<UsbPrinter<Behind>>;

/// Its URI, as `despool ports` names it.
pub const URI: &str = "usb://HIL/Virtual%20Label?serial=HIL0001";

/// Plugs in a new printer, and waits for its node.
pub fn attach(bench: &Bench, slot: Slot) -> Result<(Printer, Wire)> {
    let printer = Printer::default();
    let wire = plug_in(bench, slot, &printer)?;
    bench.wait_for_node("/dev/usb/lp0")?;
    Ok((printer, wire))
}

/// Plugs a printer in, for the first time or again.
pub fn plug_in(bench: &Bench, slot: Slot, printer: &Printer) -> Result<Wire> {
    let speed = match slot {
        // All that it can.
        Slot::Uhci(_) => Speed::Full,
        _ => Speed::High,
    };
    let options = PrinterOptions { speed, ..PrinterOptions::default() };
    bench.plug(slot, UsbPrinter::new(options, printer.behind()), printer)
}
