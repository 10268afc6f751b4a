//! What a server costs that has nothing to do.

use std::time::{Duration, Instant};

use super::{Figure, Limit, pause};
use crate::Bench;
use crate::device::{IdAnswer, Printer, PrinterOptions, UsbPrinter};
use crate::error::{Error, Result};
use crate::scenario::Stage;
use crate::scenario::server::{Queue, Server};
use crate::vm::Slot;

const PRINTERS: u8 = 8;

/// Until everything has been opened and asked once.
const SETTLE: Duration = Duration::from_secs(10);

const MEASURED: Duration = Duration::from_secs(30);

/// Eight printers are attached and say nothing.
pub(super) fn cpu(stage: &Stage) -> Result<Vec<Figure>> {
    let bench = stage.setup.start()?;
    let mut wires = Vec::new();
    let mut queues = Vec::new();
    for number in 0..PRINTERS {
        let serial = format!("HIL{number:04}");
        let options = PrinterOptions {
            strings: ["HIL", "Virtual Label Printer", &serial].map(str::to_owned),
            id: IdAnswer::honest(&format!("MFG:HIL;CMD:ZPL;MDL:Virtual Label;SN:{serial};")),
            ..PrinterOptions::default()
        };
        let printer = Printer::default();
        let wire = UsbPrinter::new(options, printer.behind());
        wires.push((bench.plug(Slot::Xhci(number), wire, &printer)?, printer));
        bench.wait_for_node(&format!("/dev/usb/lp{number}"))?;
        let uri = format!("usb://HIL/Virtual%20Label?serial={serial}");
        queues.push(Queue::new(&format!("label{number}"), &uri));
    }
    let server = Server::start(&bench, stage, &queues)?;
    let Some((_, printer)) = wires.first() else { return Ok(Vec::new()) };
    pause(printer, SETTLE);
    let (begun, before) = (Instant::now(), used(&bench)?);
    pause(printer, MEASURED);
    let (took, used) = (begun.elapsed(), used(&bench)?.saturating_sub(before));
    let value = 100.0 * used.as_secs_f64() / took.as_secs_f64().max(f64::MIN_POSITIVE);
    let of = format!("{used:.1?} of an interpreted processor in {took:.1?}");
    server.stop()?;
    let what = "CPU of an idle server with 8 silent printers".to_owned();
    Ok(vec![Figure { what, value, unit: "%", limit: Limit::Below(0.5), of }])
}

/// The processor time of the server's threads so far.
fn used(bench: &Bench) -> Result<Duration> {
    let script =
        "pid=$(busybox sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/' /host/tmp/state/listeners.json)
        cat /proc/$pid/task/*/schedstat";
    let said = bench.guest().shell(script)?.text();
    let nanos = said.lines().filter_map(|line| line.split(' ').next()?.parse::<u64>().ok());
    let nanos: Vec<u64> = nanos.collect();
    if nanos.is_empty() {
        return Err(Error::Unexpected(format!("there is no schedstat: {said}")));
    }
    Ok(Duration::from_nanos(nanos.into_iter().sum()))
}
