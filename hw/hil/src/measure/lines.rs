//! Parallel and serial ports, beside a plain loop on the same device.

use std::time::Duration;

use super::{Figure, LAPS, Limit, completed, lap, median, pause, ratio};
use crate::Bench;
use crate::device::{Ftdi, Printer, PrinterFlow, SerialPrinter};
use crate::error::{Error, Result};
use crate::limits::EVENT;
use crate::scenario::Stage;
use crate::scenario::check::document;
use crate::scenario::server::{Queue, Server};
use crate::vm::Slot;

/// Every byte of these lines costs the interpreter several exits: 1 MiB takes five seconds and more.
const BYTES: usize = 1 << 20;

/// The writer has come to where the printer does not let it go on.
const BEGUN: Duration = Duration::from_millis(500);

pub(super) fn parallel(stage: &Stage) -> Result<Vec<Figure>> {
    let bench = stage.setup.start()?;
    let printer = bench.parallel().printer();
    let one = beside_cat(stage, &bench, printer, "/dev/lp0", "parallel:/dev/lp0")?;
    let figure = |what: &str, (theirs, ours)| ratio(what, 0.97, BYTES as u64, theirs, ours);
    let lp = figure("parallel by lp / cat by lp", one);
    let other = beside_cat(stage, &bench, printer, "/dev/lp0", "parallel:/dev/parport0")?;
    Ok(vec![lp, figure("parallel by ppdev / cat by lp", other)])
}

pub(super) fn uart(stage: &Stage) -> Result<Vec<Figure>> {
    let bench = stage.setup.start()?;
    let printer = bench.serial().printer();
    bench.guest().shell("stty -F /dev/ttyS1 raw -echo 115200 cs8 -parenb -cstopb -crtscts")?;
    let uri = "serial:/dev/ttyS1?baud=115200+bits=8+parity=none+flow=none";
    let (theirs, ours) = beside_cat(stage, &bench, printer, "/dev/ttyS1", uri)?;
    Ok(vec![ratio("serial (UART) / cat", 0.97, BYTES as u64, theirs, ours)])
}

/// Laps by `cat` and by despool. Nothing is taken until the job has begun.
fn beside_cat(
    stage: &Stage,
    bench: &Bench,
    printer: &Printer,
    node: &str,
    uri: &str,
) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let content = document(stage.seed, BYTES);
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    bench.guest().write("/tmp/document", &content)?;
    let timed = |begin: &mut dyn FnMut() -> Result<()>| {
        printer.tell("stall on")?;
        let before = printer.bytes();
        begin()?;
        pause(printer, BEGUN);
        printer.tell("stall off")?;
        lap(printer, before, BYTES as u64)
    };
    for _ in 0..LAPS {
        let mut writing = None;
        theirs.push(timed(&mut || {
            let words = ["/bin/sh", "-c", "cat /tmp/document > \"$0\"", node];
            writing = Some(bench.guest().spawn(&words)?);
            Ok(())
        })?);
        writing.map(|writing| writing.wait(EVENT)?.successful()).transpose()?;
        printer.expect(&content)?;
    }
    let server = Server::start(bench, stage, &[Queue::new("label", uri)])?;
    for _ in 0..LAPS {
        let mut job = String::new();
        ours.push(timed(&mut || {
            job = server.print("label", &content)?;
            Ok(())
        })?);
        completed(&server, &job)?;
        printer.expect(&content)?;
    }
    server.stop()?;
    Ok((theirs, ours))
}

/// A line that is truly paced: 115200 baud are 11 520 bytes a second.
pub(super) fn paced(stage: &Stage) -> Result<Vec<Figure>> {
    const RATE: f64 = 11_520.0;
    const BYTES: usize = 120_000;
    let bench = stage.setup.start()?;
    let printer = Printer::default();
    let wire = Ftdi::new(SerialPrinter::new(printer.behind(), PrinterFlow::None), "HILF0001");
    let _wire = bench.plug(Slot::Xhci(2), wire, &printer)?;
    bench.wait_for_node("/dev/ttyUSB0")?;
    let queue = Queue::new("label", "serial:/dev/ttyUSB0?baud=115200+flow=none");
    let server = Server::start(&bench, stage, &[queue])?;
    let content = document(stage.seed, BYTES);
    let mut laps = Vec::new();
    for _ in 0..LAPS {
        let before = printer.bytes();
        let job = server.print("label", &content)?;
        printer.wait_for_bytes(before + 1)?;
        let left = before + BYTES as u64 - printer.bytes();
        let took = lap(&printer, printer.bytes(), left)?;
        let whole =
            f64::from(u32::try_from(left).map_err(|_| Error::Unexpected("too long".into()))?);
        laps.push(Duration::from_secs_f64(took.as_secs_f64() / whole.max(1.0)));
        completed(&server, &job)?;
        printer.wait_for_bytes(before + BYTES as u64)?;
        printer.expect(&content)?;
    }
    server.stop()?;
    let value = 1.0 / median(laps).as_secs_f64().max(f64::MIN_POSITIVE) / RATE;
    let of = format!("{:.0} of {RATE} bytes/s", value * RATE);
    let what = "paced 115200 (FTDI) / line rate".to_owned();
    Ok(vec![Figure { what, value, unit: "", limit: Limit::AtLeast(0.99), of }])
}
