//! Parallel and serial ports, beside a plain loop on the same device.

use std::time::Duration;

use super::{Figure, LAPS, Limit, TURNS, completed, lap, listen_no_more, median, pause, ratio};
use crate::Bench;
use crate::device::{Printer, PrinterFlow};
use crate::error::{Error, Result};
use crate::limits::EVENT;
use crate::scenario::Stage;
use crate::scenario::attach::FTDI;
use crate::scenario::check::document;
use crate::scenario::server::{Queue, Server};

/// Every byte of these lines costs the interpreter several exits: 1 MiB takes five seconds.
const BYTES: usize = 1 << 20;

/// The writer has come to where the printer does not let it go on.
const BEGUN: Duration = Duration::from_millis(500);

pub(super) fn parallel(stage: &Stage) -> Result<Vec<Figure>> {
    let bench = stage.setup.start()?;
    let line = Line { stage, bench: &bench, printer: bench.parallel().printer(), node: "/dev/lp0" };
    let figure = |what: &str, laps: Laps| ratio(what, 0.97, BYTES as u64, laps.alone, laps.ours);
    let lp = line.beside_cat("parallel:/dev/lp0", false)?;
    let ppdev = line.beside_cat("parallel:/dev/parport0", false)?;
    Ok(vec![
        figure("parallel by lp / cat by lp", lp),
        figure("parallel by ppdev / cat by lp", ppdev),
    ])
}

/// The floor is `cat` on a line whose modem lines are watched, as despool watches them: this UART asks its host for them at
/// every access then, which a real one does not. Beside it, `cat` where nobody watches.
pub(super) fn uart(stage: &Stage) -> Result<Vec<Figure>> {
    let bench = stage.setup.start()?;
    let line = Line { stage, bench: &bench, printer: bench.serial().printer(), node: "/dev/ttyS1" };
    bench.guest().shell("stty -F /dev/ttyS1 raw -echo 115200 cs8 -parenb -cstopb -crtscts")?;
    let uri = "serial:/dev/ttyS1?baud=115200+bits=8+parity=none+flow=none";
    let Laps { alone, beside, ours } = line.beside_cat(uri, true)?;
    let alone = ratio("", 0.0, BYTES as u64, alone, ours.clone()).value;
    let mut figure = ratio("serial (UART) / cat, lines watched", 0.97, BYTES as u64, beside, ours);
    figure.of += &format!("; {alone:.3} of cat where nobody watches the lines");
    Ok(vec![figure])
}

/// A line with a printer on it.
#[derive(Clone, Copy)]
struct Line<'a> {
    stage: &'a Stage,
    bench: &'a Bench,
    printer: &'a Printer,
    node: &'a str,
}

/// How long the document took.
#[derive(Default)]
struct Laps {
    /// By `cat`, where there is no despool.
    alone: Vec<Duration>,
    /// By `cat`, where despool has the line open too.
    beside: Vec<Duration>,
    ours: Vec<Duration>,
}

impl Line<'_> {
    /// Laps by `cat` and by despool, in turns. `shared`: the line can be open twice.
    fn beside_cat(self, uri: &str, shared: bool) -> Result<Laps> {
        let content = document(self.stage.seed, BYTES);
        self.bench.guest().write("/tmp/document", &content)?;
        let mut laps = Laps::default();
        for _ in 0..TURNS {
            self.laps(&mut laps.alone, || self.cat(&content))?;
            let queue = Queue::new("label", uri);
            let server = Server::start(self.bench, self.stage, &[queue])?;
            listen_no_more(self.bench)?;
            if shared {
                self.laps(&mut laps.beside, || self.cat(&content))?;
            }
            self.laps(&mut laps.ours, || self.print(&server, &content))?;
            server.stop()?;
        }
        Ok(laps)
    }

    fn laps(self, laps: &mut Vec<Duration>, lap: impl Fn() -> Result<Duration>) -> Result<()> {
        (0..LAPS).try_for_each(|_| lap().map(|lap| laps.push(lap)))
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
