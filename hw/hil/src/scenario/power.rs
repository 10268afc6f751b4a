//! Printers at the end of a line are switched off and on, idle and in the middle of a job. Nobody unplugs anything: what tells
//! of it is the line itself, its status or modem lines.
//!
//! What the printer had in memory is forgotten, and no line says so; but nothing is sent to a printer that is off, and the job
//! goes on where it was.

use std::time::{Duration, Instant};

use super::attach::{ACM, AdapterKind, FTDI};
use super::check::{document_without_flow, holds, median};
use super::server::{Queue, Server};
use super::{Scenario, Stage, When};
use crate::Bench;
use crate::device::{Adapter, Behind, ModemLines, Printer, PrinterFlow};
use crate::error::{Error, Result};
use crate::limits::EVENT;

/// All of this room.
pub const ALL: &[Scenario] = &[
    Scenario { name: "power::parallel", when: When::Full, run: parallel },
    Scenario { name: "power::uart", when: When::Full, run: uart },
    Scenario {
        name: "power::ftdi",
        when: When::Full,
        run: |it| adapter(it, FTDI, (PrinterFlow::Cts, "hard"), 0),
    },
    Scenario {
        name: "power::acm",
        when: When::Full,
        run: |it| adapter(it, ACM, (PrinterFlow::XonXoff, "soft"), ON_ITS_WAY),
    },
];

/// How often it is switched off while it is idle.
const TIMES: u32 = 3;

/// Ten seconds of a line of 115200 baud.
const JOB: usize = 115_200;

/// Nobody stops an adapter without CTS but we: what it had been given when its printer was switched off is lost.
const ON_ITS_WAY: usize = 1024;

/// Longer than it takes to send what is on its way.
const QUIET: Duration = Duration::from_secs(2);

/// A printer that can be switched off, and what is seen of it then.
struct Switched<'a> {
    uri: &'a str,
    printer: &'a Printer,
    /// Switches its side of the line; its memory is seen to here.
    switch: &'a dyn Fn(bool) -> Result<()>,
    /// How its state is told when it is off.
    reason: &'a str,
    /// Bytes that may be lost each time.
    lost: usize,
}

fn parallel(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = bench.parallel().printer();
    printer.tell("speed 30000")?;
    let switch = |on| printer.tell(if on { "offline off" } else { "offline on" });
    let (uri, reason) = ("parallel:/dev/parport0", "offline");
    run(stage, &bench, &Switched { uri, printer, switch: &switch, reason, lost: 0 })
}

fn uart(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = bench.serial().printer();
    printer.tell("speed 11520")?;
    let switch = |on| {
        let down = ModemLines { cts: false, dsr: false, dcd: false, ri: false };
        bench.serial().set_lines(if on { ModemLines::default() } else { down });
        Ok(())
    };
    let (uri, reason) = ("serial:/dev/ttyS1?baud=115200+flow=hard", "offline");
    run(stage, &bench, &Switched { uri, printer, switch: &switch, reason, lost: 0 })
}

fn adapter<D: Adapter<Engine = Behind> + 'static>(
    stage: &Stage,
    kind: AdapterKind<D>,
    (flow, word): (PrinterFlow, &str),
    lost: usize,
) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = &Printer::default();
    let wire = kind.plug(&bench, printer, flow)?;
    let switch = |on| {
        wire.with(|adapter| adapter.printer().switch(on));
        Ok(())
    };
    let uri = &kind.uri(word);
    run(stage, &bench, &Switched { uri, printer, switch: &switch, reason: "offline", lost })
}

fn run(stage: &Stage, bench: &Bench, it: &Switched<'_>) -> Result<()> {
    let server = Server::start(bench, stage, &[Queue::new("label", it.uri)])?;
    idle(stage, &server, it)?;
    in_a_job(stage, &server, it)?;
    server.stop().map(drop)
}

fn idle(stage: &Stage, server: &Server<'_>, it: &Switched<'_>) -> Result<()> {
    let mut latencies = Vec::new();
    for seed in 0..TIMES.into() {
        let content = document_without_flow(stage.seed + seed, JOB / 10);
        let job = server.print("label", &content)?;
        server.wait_for_state(&job, "completed", EVENT)?;
        it.printer.wait_for_bytes(content.len() as u64)?;
        it.printer.expect(&content)?;
        it.printer.tell("reset")?;
        for on in [false, true] {
            let begun = Instant::now();
            it.switch(on)?;
            server.wait_for_reason("label", it.reason, !on)?;
            latencies.push(begun.elapsed());
        }
    }
    let (uri, median) = (it.uri, median(latencies));
    println!("  {uri}: from the switch to the notification: median {median:.1?}");
    Ok(())
}

fn in_a_job(stage: &Stage, server: &Server<'_>, it: &Switched<'_>) -> Result<()> {
    let content = document_without_flow(stage.seed, JOB);
    let job = server.print("label", &content)?;
    it.printer.wait_for_bytes(JOB as u64 / 4)?;
    it.switch(false)?;
    server.wait_for_reason("label", it.reason, true)?;
    // What the kernel still holds comes, or is lost.
    let _ = it.printer.wait_for("more", QUIET, |_| false);
    let before = it.printer.bytes();
    let _ = it.printer.wait_for("more", QUIET, |_| false);
    holds("nothing is sent to a printer that is off", it.printer.bytes() == before)?;
    holds("the job waits", server.job(&job)?.state() != "completed")?;
    it.switch(true)?;
    server.wait_for_state(&job, "completed", EVENT)?;
    server.wait_for_reason("label", it.reason, false)?;
    it.printer.wait_for_bytes((content.len() - it.lost) as u64)?;
    it.compare(&content, before)
}

impl Switched<'_> {
    fn switch(&self, on: bool) -> Result<()> {
        if on {
            self.printer.switch_off_and_on();
        }
        (self.switch)(on)
    }

    /// Compares what came before and after; in between no more is missing than may be lost.
    fn compare(&self, content: &[u8], before: u64) -> Result<()> {
        let got = self.printer.take();
        let at = usize::try_from(before).unwrap_or(usize::MAX).min(got.len());
        let (first, last) = got.split_at(at);
        let missing = content.len().saturating_sub(got.len());
        let whole = content.starts_with(first) && content.ends_with(last);
        if whole && missing <= self.lost && got.len() <= content.len() {
            return Ok(());
        }
        let (had, last) = (first.len(), last.len());
        let all = content.len();
        let what =
            format!("the printer got {had} bytes and then {last} of {all}, in order: {whole}");
        Err(Error::Unexpected(what))
    }
}
