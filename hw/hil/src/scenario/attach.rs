//! What is plugged into the machine's ports, as most scenarios have it: a USB printer, a serial adapter with a printer at the
//! end of its line.

use crate::Bench;
use crate::device::{
    Adapter, Behind, CdcAcm, Ftdi, Plugged, Printer, PrinterFlow, PrinterOptions, SerialPrinter,
    Speed, UsbPrinter,
};
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

/// A kind of serial adapter, each with a port and a node of its own.
#[derive(Debug)]
pub struct AdapterKind<D> {
    make: fn(SerialPrinter<Behind>) -> D,
    slot: Slot,
    /// The node that its driver makes.
    pub node: &'static str,
}

/// A chip with `ftdi_sio`.
pub const FTDI: AdapterKind<Ftdi<Behind>> = AdapterKind {
    make: |printer| Ftdi::new(printer, "HILF0001"),
    slot: Slot::Xhci(2),
    node: "/dev/ttyUSB0",
};

/// A modem of the communication class, with `cdc_acm`.
pub const ACM: AdapterKind<CdcAcm<Behind>> = AdapterKind {
    make: |printer| CdcAcm::new(printer, "HILA0001"),
    slot: Slot::Xhci(3),
    node: "/dev/ttyACM0",
};

impl<D: Adapter<Engine = Behind> + 'static> AdapterKind<D> {
    /// Plugs one in, with this printer at the end of its line, and waits for its node.
    pub fn plug(&self, bench: &Bench, printer: &Printer, flow: PrinterFlow) -> Result<Plugged<D>> {
        let wire = (self.make)(SerialPrinter::new(printer.behind(), flow));
        let wire = bench.plug(self.slot, wire, printer)?;
        bench.wait_for_node(self.node)?;
        Ok(wire)
    }

    /// Its URI, at 115200 baud with this flow control.
    pub fn uri(&self, flow: &str) -> String {
        format!("serial:{}?baud=115200+flow={flow}", self.node)
    }
}
