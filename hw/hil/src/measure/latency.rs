//! From a change at the printer to its notification in a client's hands.
//!
//! What is seen holds the bench's own way too: from here to the device, and from the client's output back to here. How long
//! that takes, a `cat` shows that sends a line back; it is taken off, and printed beside.

use std::time::{Duration, Instant};

use super::{Figure, Limit, listen_no_more, median, milliseconds, pause};
use crate::Bench;
use crate::device::{Adapter, ModemLines, Printer, PrinterFlow};
use crate::error::{Error, Result};
use crate::limits::EVENT;
use crate::scenario::Stage;
use crate::scenario::attach::{ACM, URI, attach};
use crate::scenario::check::{Dice, document};
use crate::scenario::server::{Queue, Server};
use crate::vm::{Running, Slot};

/// Changes each way.
const CHANGES: usize = 15;

/// Changes come at any moment of the polling interval, which is shorter.
const SPREAD_MS: u64 = 150;

pub(super) fn all(stage: &Stage) -> Result<Vec<Figure>> {
    Ok(vec![polled(stage)?, told(stage)?])
}

/// The paper sensor of a USB printer, whose status is asked for while a job waits.
fn polled(stage: &Stage) -> Result<Figure> {
    let bench = stage.setup.start()?;
    let (printer, wire) = attach(&bench, Slot::Xhci(0))?;
    let server = Server::start(&bench, stage, &[Queue::new("label", URI)])?;
    let watch = Watch::start(&bench, &server)?;
    wire.with(|device| device.set_nak(true));
    server.print("label", &document(stage.seed, 1 << 20))?;
    wire.wait_for("a transfer", EVENT, |device| (device.waiting() > 0).then_some(()))?;
    let change = |on: bool| printer.tell(if on { "paper-out on" } else { "paper-out off" });
    let (took, own) = (watch.time(stage, &printer, "paper_out", change)?, round_trip(&bench)?);
    drop(wire);
    Ok(figure("status change to notification, polled (USB)", took, own, 50.0))
}

/// The lines of a CDC-ACM adapter, which tells of them by itself.
fn told(stage: &Stage) -> Result<Figure> {
    let bench = stage.setup.start()?;
    let printer = Printer::default();
    let wire = ACM.plug(&bench, &printer, PrinterFlow::None)?;
    let queue = Queue::new("label", &ACM.uri("none"));
    let server = Server::start(&bench, stage, &[queue])?;
    let watch = Watch::start(&bench, &server)?;
    let change = |dcd: bool| {
        let lines = ModemLines { dcd: !dcd, ..ModemLines::default() };
        wire.with(|device| device.printer().set_lines(lines));
        Ok(())
    };
    // `true` here is the line that falls.
    let (took, own) = (watch.time(stage, &printer, "dcd", change)?, round_trip(&bench)?);
    Ok(figure("status change to notification, told (CDC-ACM)", took, own, 5.0))
}

fn figure(what: &str, took: Vec<Duration>, own: Duration, limit: f64) -> Figure {
    let slowest = took.iter().max().copied().unwrap_or_default();
    let count = took.len();
    let seen = median(took);
    let of = format!(
        "{count} changes, {seen:.1?} as seen, the slowest {slowest:.1?}; the bench's own way {own:.1?}"
    );
    let value = milliseconds(seen.saturating_sub(own));
    Figure { what: what.to_owned(), value, unit: "ms", limit: Limit::Below(limit), of }
}

/// A client that hears of ports.
struct Watch(Running);

impl Watch {
    /// Nobody else listens.
    fn start(bench: &Bench, server: &Server<'_>) -> Result<Self> {
        listen_no_more(bench)?;
        let watching = server.spawn(&["watch", "--json", "--type", "port"])?;
        watching.wait_for("that it is registered", EVENT, |said| {
            said.contains("\"registered\"").then_some(())
        })?;
        Ok(Self(watching))
    }

    /// Changes something there and back, and takes the time until it is told.
    fn time(
        &self,
        stage: &Stage,
        printer: &Printer,
        key: &str,
        change: impl Fn(bool) -> Result<()>,
    ) -> Result<Vec<Duration>> {
        let (mut dice, mut took) = (Dice::new(stage.seed), Vec::new());
        for on in (0..CHANGES).flat_map(|_| [true, false]) {
            pause(printer, Duration::from_millis(dice.below(SPREAD_MS)));
            let from = self.0.so_far().stdout.len();
            let begun = Instant::now();
            change(on)?;
            // A line of ours that falls is told as `false`, a sensor that is on as `true`.
            self.hear(from, &[format!("\"{key}\":true"), format!("\"{key}\":false")])?;
            took.push(begun.elapsed());
        }
        Ok(took)
    }

    fn hear(&self, from: usize, needles: &[String]) -> Result<()> {
        let mut heard = Vec::new();
        loop {
            let Some(more) = self.0.more(from + heard.len(), EVENT) else {
                let what = format!("{needles:?} was not told");
                return Err(Error::TooLate { what, waited: EVENT });
            };
            heard.extend(more);
            let text = String::from_utf8_lossy(&heard);
            if needles.iter().any(|needle| text.contains(needle.as_str())) {
                return Ok(());
            }
        }
    }
}

/// A line to the guest and back.
fn round_trip(bench: &Bench) -> Result<Duration> {
    let mut echo = bench.guest().spawn(&["/bin/cat"])?;
    let mut took = Vec::new();
    for number in 0..CHANGES {
        let begun = Instant::now();
        echo.feed(b"x\n")?;
        echo.more(number * 2, EVENT);
        took.push(begun.elapsed());
    }
    Ok(median(took))
}
