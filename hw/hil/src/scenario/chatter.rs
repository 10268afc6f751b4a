//! Printers at the end of a line say things that nobody asked for while they print: the job arrives whole.

use super::attach::{ACM, AdapterKind, FTDI};
use super::check::document;
use super::server::{Queue, Server};
use super::usb::contains;
use super::{Scenario, Stage, When};
use crate::Bench;
use crate::device::{Adapter, Behind, Printer, PrinterFlow};
use crate::error::{Error, Result};
use crate::limits::EVENT;

/// All of this room.
pub const ALL: &[Scenario] = &[
    Scenario { name: "chatter::parallel", when: When::Full, run: parallel },
    Scenario { name: "chatter::uart", when: When::Full, run: uart },
    Scenario { name: "chatter::ftdi", when: When::Full, run: |it| adapter(it, FTDI) },
    Scenario { name: "chatter::acm", when: When::Full, run: |it| adapter(it, ACM) },
];

/// Five seconds of a line of 115200 baud.
const JOB: usize = 57_600;

/// So much is said at a time, and so often in a job.
const GARBAGE: &str = "garbage 2048";
const TIMES: u64 = 16;

fn parallel(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = bench.parallel().printer();
    printer.tell("speed 30000")?;
    talk(stage, &bench, printer, "parallel:/dev/parport0")
}

fn uart(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = bench.serial().printer();
    printer.tell("speed 11520")?;
    talk(stage, &bench, printer, "serial:/dev/ttyS1?baud=115200+flow=hard")
}

fn adapter<D: Adapter<Engine = Behind> + 'static>(
    stage: &Stage,
    kind: AdapterKind<D>,
) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = Printer::default();
    let _wire = kind.plug(&bench, &printer, PrinterFlow::None)?;
    talk(stage, &bench, &printer, &kind.uri("none"))
}

fn talk(stage: &Stage, bench: &Bench, printer: &Printer, uri: &str) -> Result<()> {
    for language in ["none", "pjl", "escpos", "zpl"] {
        let queue = Queue::new("label", uri).language(language);
        let server = Server::start(bench, stage, &[queue])?;
        let content = document(stage.seed, JOB);
        let job = server.print("label", &content)?;
        for turn in 1..=TIMES {
            printer.wait_for_bytes(turn * (JOB as u64) / (TIMES + 1))?;
            printer.tell(GARBAGE)?;
        }
        server.wait_for_state(&job, "completed", EVENT)?;
        arrives_whole(printer, &content)
            .map_err(|error| Error::Unexpected(format!("{language}: {error}")))?;
        printer.tell("reset")?;
        server.stop()?;
    }
    Ok(())
}

/// What is on its way when the job is done still comes; language monitors put their own words before and behind it.
fn arrives_whole(printer: &Printer, content: &[u8]) -> Result<()> {
    let mut got = Vec::new();
    loop {
        let before = printer.bytes();
        got.extend(printer.take());
        if contains(&got, content) {
            return Ok(());
        }
        printer.wait_for("the whole document", EVENT, |printer| printer.bytes > before)?;
    }
}
