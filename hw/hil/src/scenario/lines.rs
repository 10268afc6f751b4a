//! Printing by parallel port, UART and serial adapters.

use std::time::{Duration, Instant};

use super::attach::{ACM, AdapterKind, FTDI, attach};
use super::check::{document, equal, holds, is_front};
use super::server::{Queue, Server};
use super::{Scenario, Stage, When};
use crate::device::{Adapter, Behind, Printer, PrinterFlow};
use crate::error::Result;
use crate::limits::{BYTE_BY_BYTE, EVENT};
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
    Scenario {
        name: "lines::ftdi",
        when: When::Full,
        run: |it| adapter(it, FTDI, (PrinterFlow::Cts, "hard")),
    },
    Scenario { name: "lines::ftdi_unplugged", when: When::Full, run: ftdi_unplugged },
    Scenario {
        name: "lines::acm",
        when: When::Full,
        run: |it| adapter(it, ACM, (PrinterFlow::None, "none")),
    },
    Scenario { name: "lines::usblp", when: When::Full, run: usblp },
];

/// What every kind of port has to carry whole.
const VOLUME: usize = 10 << 20;

/// A paced line: 115200 baud are 11 520 bytes a second …
const SLOW: usize = 60_000;

/// … so that these take no less than this.
const SLOW_TAKES: Duration = Duration::from_secs(5);

/// Prints a document and compares it.
fn prints(server: &Server, printer: &Printer, content: &[u8]) -> Result<()> {
    let job = server.print("label", content)?;
    server.wait_for_state(&job, "completed", BYTE_BY_BYTE)?;
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
    prints(&server, printer, &document(stage.seed, VOLUME))?;
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
    prints(&server, printer, &document(stage.seed, VOLUME))?;
    server.stop().map(drop)
}

/// The volume goes as fast as the machine can do it, a little more at the pace of the line.
fn adapter<D: Adapter<Engine = Behind> + 'static>(
    stage: &Stage,
    kind: AdapterKind<D>,
    (flow, word): (PrinterFlow, &str),
) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = Printer::default();
    let wire = kind.plug(&bench, &printer, flow)?;
    let server = Server::start(&bench, stage, &[Queue::new("label", &kind.uri(word))])?;
    wire.with(|adapter| adapter.set_paced(false));
    prints(&server, &printer, &document(stage.seed, VOLUME))?;
    wire.with(|adapter| adapter.set_paced(true));
    let begun = Instant::now();
    prints(&server, &printer, &document(stage.seed + 1, SLOW))?;
    let took = begun.elapsed();
    holds(&format!("the line has its pace, and took {took:?}"), took >= SLOW_TAKES)?;
    equal("bytes lost", wire.with(|adapter| adapter.printer().taken_and_lost().1), 0)?;
    server.stop().map(drop)
}

/// The adapter is pulled in the middle of a job and put back: the job is printed again, whole.
fn ftdi_unplugged(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = Printer::default();
    let wire = FTDI.plug(&bench, &printer, PrinterFlow::None)?;
    let queue = Queue::new("label", &FTDI.uri("none"));
    let server = Server::start(&bench, stage, &[queue])?;
    let content = document(stage.seed, SLOW);
    let job = server.print("label", &content)?;
    printer.wait_for_bytes(20_000)?;
    wire.unplug();
    bench.wait_for_no_node(FTDI.node)?;
    let first = printer.take();
    is_front(&first, &content)?;
    let _wire = FTDI.plug(&bench, &printer, PrinterFlow::None)?;
    server.wait_for_state(&job, "completed", EVENT)?;
    printer.wait_for_bytes((first.len() + content.len()) as u64)?;
    printer.expect(&content)?;
    server.stop().map(drop)
}

/// The kernel's own USB printer driver, by its node.
fn usblp(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let (printer, _wire) = attach(&bench, Slot::Xhci(0))?;
    let server = Server::start(&bench, stage, &[Queue::new("label", "file:/dev/usb/lp0")])?;
    prints(&server, &printer, &document(stage.seed, VOLUME))?;
    // More than the printer's own buffer holds.
    conditions(&server, &printer, stage, 2 << 20)?;
    server.stop().map(drop)
}
