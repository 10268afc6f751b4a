//! Parallel and serial ports, beside a plain loop on the same device.

use std::time::Duration;

use super::{Figure, LAPS, Limit, TURNS, completed, lap, listen_no_more, median, pause, ratio};
use crate::Bench;
use crate::device::{Printer, PrinterFlow};
use crate::error::{Error, Result};
use crate::limits::EVENT;
use crate::scenario::Stage;
use crate::scenario::attach::{FTDI, attach};
use crate::scenario::check::document;
use crate::scenario::server::{Queue, Server};
use crate::vm::Slot;

/// Every byte of these lines costs the interpreter several exits: 1 MiB takes five seconds.
const BYTES: usize = 1 << 20;

/// The writer has come to where the printer does not let it go on.
const BEGUN: Duration = Duration::from_millis(500);

pub(super) fn parallel(stage: &Stage) -> Result<Vec<Figure>> {
    let bench = stage.setup.start()?;
    let line = Line {
        stage,
        bench: &bench,
        printer: bench.parallel().printer(),
        node: "/dev/lp0",
        laps: LAPS,
    };
    Ok(vec![
        line.beside_cat("parallel by lp / cat by lp", "parallel:/dev/lp0")?,
        line.beside_cat("parallel by ppdev / cat by lp", "parallel:/dev/parport0")?,
    ])
}

/// despool watches the modem lines, and `cat` does not. On a real UART that costs nothing. QEMU's asks its host for them then,
/// and sets a timer, each time that the interrupt handler looks at them, which is once for 16 bytes. Where no other timer
/// of the guest's is due sooner, that wakes the thread that QEMU waits in, and the line lost a quarter of its speed to it
/// (measured: 8500 such wakes a second; 3.2 s for what takes 2.4 s). The handler sends 4 KiB without a break, so the guest's
/// tick does not help; the timer of a USB 1.1 controller that has a device to ask does (30 wakes a second, 2.4 s).
pub(super) fn uart(stage: &Stage) -> Result<Vec<Figure>> {
    let bench = stage.setup.start()?;
    let _keeps_a_timer_running = attach(&bench, Slot::Uhci(0))?;
    let line = Line {
        stage,
        bench: &bench,
        printer: bench.serial().printer(),
        node: "/dev/ttyS1",
        laps: 2 * LAPS,
    };
    bench.guest().shell("stty -F /dev/ttyS1 raw -echo 115200 cs8 -parenb -cstopb -crtscts")?;
    let uri = "serial:/dev/ttyS1?baud=115200+bits=8+parity=none+flow=none";
    Ok(vec![line.beside_cat("serial (UART) / cat", uri)?])
}

/// A line with a printer on it.
#[derive(Clone, Copy)]
struct Line<'a> {
    stage: &'a Stage,
    bench: &'a Bench,
    printer: &'a Printer,
    node: &'a str,
    /// Times that each way is gone in a turn.
    laps: usize,
}

impl Line<'_> {
    /// How fast the document is by despool, beside `cat` where there is no despool; in turns.
    fn beside_cat(self, what: &str, uri: &str) -> Result<Figure> {
        let content = document(self.stage.seed, BYTES);
        self.bench.guest().write("/tmp/document", &content)?;
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            self.laps(&mut theirs, || self.cat(&content))?;
            let queue = Queue::new("label", uri);
            let server = Server::start(self.bench, self.stage, &[queue])?;
            listen_no_more(self.bench)?;
            self.laps(&mut ours, || self.print(&server, &content))?;
            server.stop()?;
        }
        Ok(ratio(what, 0.97, BYTES as u64, theirs, ours))
    }

    fn laps(self, laps: &mut Vec<Duration>, lap: impl Fn() -> Result<Duration>) -> Result<()> {
        (0..self.laps).try_for_each(|_| lap().map(|lap| laps.push(lap)))
    }

    fn cat(self, content: &[u8]) -> Result<Duration> {
        let words = ["/bin/sh", "-c", "cat /tmp/document > \"$0\"", self.node];
        let (writing, took) = self.timed(|| self.bench.guest().spawn(&words))?;
        writing.wait(EVENT)?.successful()?;
        self.printer.expect(content).map(|()| took)
    }

    fn print(self, server: &Server<'_>, content: &[u8]) -> Result<Duration> {
        let (job, took) = self.timed(|| server.print("label", content))?;
        completed(server, &job)?;
        self.printer.expect(content).map(|()| took)
    }

    /// Nothing is taken until the writer has begun.
    fn timed<T>(self, begin: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
        self.printer.tell("stall on")?;
        let before = self.printer.bytes();
        let begun = begin()?;
        pause(self.printer, BEGUN);
        self.printer.tell("stall off")?;
        lap(self.printer, before, BYTES as u64).map(|took| (begun, took))
    }
}

/// A line that is truly paced: 115200 baud are 11 520 bytes a second.
pub(super) fn paced(stage: &Stage) -> Result<Vec<Figure>> {
    const RATE: f64 = 11_520.0;
    const BYTES: usize = 120_000;
    let bench = stage.setup.start()?;
    let printer = Printer::default();
    let _wire = FTDI.plug(&bench, &printer, PrinterFlow::None)?;
    let queue = Queue::new("label", &FTDI.uri("none"));
    let server = Server::start(&bench, stage, &[queue])?;
    let content = document(stage.seed, BYTES);
    let mut laps = Vec::new();
    for _ in 0..TURNS {
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
