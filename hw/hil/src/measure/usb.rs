//! USB: throughput beside `cat`, and the time between jobs in which the wire lies idle.

use std::time::Duration;

use super::{Figure, Limit, completed, lap, listen_no_more, median, milliseconds, ratio};
use crate::Bench;
use crate::device::Printer;
use crate::error::Result;
use crate::limits::EVENT;
use crate::scenario::Stage;
use crate::scenario::attach::{URI, Wire, attach};
use crate::scenario::check::document;
use crate::scenario::server::{Queue, Server};
use crate::vm::Slot;

const BYTES: usize = 10 << 20;

/// Turns. More than elsewhere: a lap takes a quarter of a second, and the same work another time a fifth more or less.
const USB_TURNS: usize = 8;

/// Laps in a turn. One more goes before them, for code that is interpreted is translated when it first runs, and a print server
/// runs for long.
const USB_LAPS: usize = 4;

/// Where a printer that takes nothing has got to: as much as there is has begun to leave.
const BEGUN: Duration = Duration::from_millis(500);

/// By `usblp` and by usbfs, beside `cat` by `usblp`. Each turn has a machine of its own: from one to another the same ratio
/// differs by up to a tenth.
pub(super) fn throughput(stage: &Stage) -> Result<Vec<Figure>> {
    let content = document(stage.seed, BYTES);
    let [mut theirs, mut usblp, mut nusb] = [const { Vec::new() }; 3];
    for _ in 0..USB_TURNS {
        let bench = stage.setup.start()?;
        let (printer, wire) = attach(&bench, Slot::Xhci(0))?;
        theirs.extend(cat(&bench, &printer, &wire, &content)?);
        usblp.extend(printed(stage, &bench, &printer, &wire, "file:/dev/usb/lp0", &content)?);
        nusb.extend(printed(stage, &bench, &printer, &wire, URI, &content)?);
    }
    let bytes = content.len() as u64;
    Ok(vec![
        ratio("USB by usblp / cat by usblp", 0.95, bytes, theirs.clone(), usblp),
        ratio("USB by nusb / cat by usblp", 1.5, bytes, theirs, nusb),
    ])
}

/// `cat file > /dev/usb/lp0`, from the moment in which the printer takes something until it has all.
fn cat(bench: &Bench, printer: &Printer, wire: &Wire, content: &[u8]) -> Result<Vec<Duration>> {
    bench.guest().write("/tmp/document", content)?;
    let mut laps = Vec::new();
    for _ in 0..=USB_LAPS {
        wire.with(|device| device.set_nak(true));
        let before = printer.bytes();
        let writing =
            bench.guest().spawn(&["/bin/sh", "-c", "cat /tmp/document > /dev/usb/lp0"])?;
        wire.wait_for("a transfer", EVENT, |device| (device.waiting() > 0).then_some(()))?;
        super::pause(printer, BEGUN);
        wire.with(|device| device.set_nak(false));
        laps.push(lap(printer, before, content.len() as u64)?);
        writing.wait(EVENT)?.successful()?;
        printer.expect(content)?;
    }
    laps.remove(0);
    Ok(laps)
}

/// The same by despool: the job is spooled and begun when the printer takes something.
fn printed(
    stage: &Stage,
    bench: &Bench,
    printer: &Printer,
    wire: &Wire,
    uri: &str,
    content: &[u8],
) -> Result<Vec<Duration>> {
    let server = Server::start(bench, stage, &[Queue::new("label", uri)])?;
    listen_no_more(bench)?;
    let mut laps = Vec::new();
    for _ in 0..=USB_LAPS {
        wire.with(|device| device.set_nak(true));
        let before = printer.bytes();
        let job = server.print("label", content)?;
        wire.wait_for("a transfer", EVENT, |device| (device.waiting() > 0).then_some(()))?;
        super::pause(printer, BEGUN);
        wire.with(|device| device.set_nak(false));
        laps.push(lap(printer, before, content.len() as u64)?);
        completed(&server, &job)?;
        printer.expect(content)?;
    }
    server.stop()?;
    // The guest's disk is its memory.
    bench.guest().shell("busybox rm -rf /host/tmp/state")?;
    laps.remove(0);
    Ok(laps)
}

const JOBS: usize = 100;

/// One label.
const LABEL: &[u8] =
    b"^XA^FO50,50^ADN,36,20^FDDespool^FS^FO50,100^BY3^BCN,100,Y,N,N^FD123456789012^FS^XZ";

/// From the arrival of a job's only transfer to that of the next one's; the jobs wait, their senders have gone, and the
/// printer takes each at once. The floor is a loop that writes as many labels to `usblp`, each by a write of its own.
pub(super) fn dead_time(stage: &Stage) -> Result<Vec<Figure>> {
    let bench = stage.setup.start()?;
    let (printer, wire) = attach(&bench, Slot::Xhci(0))?;
    let floor = median(loop_gaps(&bench, &printer, &wire)?);
    let before = wire.with(|device| device.arrivals().len());
    let server = Server::start(&bench, stage, &[Queue::new("label", URI)])?;
    wire.with(|device| device.set_nak(true));
    for _ in 0..JOBS {
        server.print("label", LABEL)?;
    }
    listen_no_more(&bench)?;
    wire.with(|device| device.set_nak(false));
    printer.wait_for_bytes(2 * (JOBS * LABEL.len()) as u64)?;
    printer.expect(&LABEL.repeat(JOBS))?;
    server.stop()?;
    // The first one waited.
    let gaps = gaps(&wire, before + 1);
    let longest = gaps.iter().max().copied().unwrap_or_default();
    let count = gaps.len();
    let of =
        format!("{count} gaps, the longest {longest:.1?}; a loop that writes to usblp {floor:.2?}");
    let value = milliseconds(median(gaps));
    let what = "dead time between one-label jobs on USB, median".to_owned();
    Ok(vec![Figure { what, value, unit: "ms", limit: Limit::Below(1.0), of }])
}

/// The gaps of a plain loop.
fn loop_gaps(bench: &Bench, printer: &Printer, wire: &Wire) -> Result<Vec<Duration>> {
    bench.guest().write("/tmp/labels", &LABEL.repeat(JOBS))?;
    let words = format!("dd if=/tmp/labels of=/dev/usb/lp0 bs={}", LABEL.len());
    bench.guest().shell(&words)?;
    printer.wait_for_bytes((JOBS * LABEL.len()) as u64)?;
    printer.expect(&LABEL.repeat(JOBS))?;
    Ok(gaps(wire, 0))
}

/// The times between the transfers that came, but for so many of the first.
fn gaps(wire: &Wire, before: usize) -> Vec<Duration> {
    let arrivals = wire.with(|device| device.arrivals().to_vec());
    let pairs = arrivals.iter().skip(before).zip(arrivals.iter().skip(before + 1));
    pairs.map(|(one, next)| next.duration_since(*one)).collect()
}
