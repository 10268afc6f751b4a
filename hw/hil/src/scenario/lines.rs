//! Printing by parallel port, UART and serial adapters.

use super::check::{document, holds, is_front};
use super::server::{Queue, Server};
use super::{Scenario, Stage, When};
use crate::Bench;
use crate::device::{Behind, CdcAcm, Ftdi, Plugged, Printer, PrinterFlow, SerialPrinter};
use crate::error::Result;
use crate::limits::EVENT;
use crate::vm::Slot;

/// All of this room.
pub const ALL: &[Scenario] = &[
    Scenario {
        name: "lines::parallel",
        when: When::Full,
        run: |it| parallel(it, "parallel:/dev/parport0"),
    },
    Scenario {
        name: "lines::parallel_by_lp",
        when: When::Full,
        run: |it| parallel(it, "parallel:/dev/lp0"),
    },
    Scenario { name: "lines::uart", when: When::Full, run: uart },
    Scenario { name: "lines::ftdi", when: When::Full, run: ftdi },
    Scenario { name: "lines::ftdi_unplugged", when: When::Full, run: ftdi_unplugged },
    Scenario { name: "lines::acm", when: When::Full, run: acm },
    Scenario { name: "lines::usblp", when: When::Full, run: usblp },
];

/// Prints a document and compares it.
fn prints(server: &Server, printer: &Printer, content: &[u8]) -> Result<()> {
    let job = server.print("label", content)?;
    server.wait_for_state(&job, "completed", EVENT)?;
    printer.wait_for_bytes(content.len() as u64)?;
    printer.expect(content)?;
    printer.tell("reset")
}

/// What happens to a printer in the middle of a job, and is over again.
fn conditions(server: &Server, printer: &Printer, stage: &Stage, bytes: usize) -> Result<()> {
    let content = document(stage.seed, bytes);
    for (command, reason) in [("paper-out", "media-empty"), ("offline", "offline-report")] {
        printer.tell(&format!("{command} on"))?;
        let job = server.print("label", &content)?;
        server.wait_for_reason("label", reason, true)?;
        holds("the job waits", server.job(&job)?.state() != "completed")?;
        printer.tell(&format!("{command} off"))?;
        server.wait_for_state(&job, "completed", EVENT)?;
        server.wait_for_reason("label", reason, false)?;
        printer.expect(&content)?;
    }
    Ok(())
}

fn parallel(stage: &Stage, uri: &str) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = bench.parallel().printer();
    let server = Server::start(&bench, stage, &[Queue::new("label", uri)])?;
    prints(&server, printer, &document(stage.seed, 1 << 20))?;
    conditions(&server, printer, stage, 100_000)?;
    let model = server.printer("label")?.to_string();
    holds(&format!("the model is known: {model}"), model.contains("Parallel Label"))?;
    server.stop().map(drop)
}

fn uart(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = bench.serial().printer();
    let uri = "serial:/dev/ttyS1?baud=115200+bits=8+parity=none+flow=hard";
    let server = Server::start(&bench, stage, &[Queue::new("label", uri)])?;
    prints(&server, printer, &document(stage.seed, 1 << 20))?;
    server.stop().map(drop)
}

/// A paced line: 115200 baud are 11 520 bytes a second.
const SLOW: usize = 60_000;

fn plug_ftdi(bench: &Bench, printer: &Printer) -> Result<Plugged<Ftdi<Behind>>> {
    let wire = Ftdi::new(SerialPrinter::new(printer.behind(), PrinterFlow::None), "HILF0001");
    bench.plug(Slot::Xhci(2), wire, printer)
}

fn ftdi(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = Printer::default();
    let _wire = plug_ftdi(&bench, &printer)?;
    bench.wait_for_node("/dev/ttyUSB0")?;
    let queue = Queue::new("label", "serial:/dev/ttyUSB0?baud=115200+flow=none");
    let server = Server::start(&bench, stage, &[queue])?;
    prints(&server, &printer, &document(stage.seed, SLOW))?;
    server.stop().map(drop)
}

/// The adapter is pulled in the middle of a job and put back: the job is printed again, whole.
fn ftdi_unplugged(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = Printer::default();
    let wire = plug_ftdi(&bench, &printer)?;
    bench.wait_for_node("/dev/ttyUSB0")?;
    let queue = Queue::new("label", "serial:/dev/ttyUSB0?baud=115200+flow=none");
    let server = Server::start(&bench, stage, &[queue])?;
    let content = document(stage.seed, SLOW);
    let job = server.print("label", &content)?;
    printer.wait_for_bytes(20_000)?;
    wire.unplug();
    bench.wait_for_no_node("/dev/ttyUSB0")?;
    let first = printer.take();
    is_front(&first, &content)?;
    let _wire = plug_ftdi(&bench, &printer)?;
    server.wait_for_state(&job, "completed", EVENT)?;
    printer.wait_for_bytes((first.len() + content.len()) as u64)?;
    printer.expect(&content)?;
    server.stop().map(drop)
}

fn acm(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = Printer::default();
    let wire = CdcAcm::new(SerialPrinter::new(printer.behind(), PrinterFlow::None), "HILA0001");
    let _wire = bench.plug(Slot::Xhci(3), wire, &printer)?;
    bench.wait_for_node("/dev/ttyACM0")?;
    let queue = Queue::new("label", "serial:/dev/ttyACM0?baud=115200+flow=none");
    let server = Server::start(&bench, stage, &[queue])?;
    prints(&server, &printer, &document(stage.seed, SLOW))?;
    server.stop().map(drop)
}

/// The kernel's own USB printer driver, by its node.
fn usblp(stage: &Stage) -> Result<()> {
    use crate::device::{PrinterOptions, UsbPrinter};
    let bench = stage.setup.start()?;
    let printer = Printer::default();
    let wire = UsbPrinter::new(PrinterOptions::default(), printer.behind());
    let _wire = bench.plug(Slot::Xhci(0), wire, &printer)?;
    bench.wait_for_node("/dev/usb/lp0")?;
    let server = Server::start(&bench, stage, &[Queue::new("label", "file:/dev/usb/lp0")])?;
    prints(&server, &printer, &document(stage.seed, 10 << 20))?;
    // More than the printer's own buffer holds.
    conditions(&server, &printer, stage, 2 << 20)?;
    server.stop().map(drop)
}
