//! What happens to a printer while it prints, and how soon it is told; and lines that are held back for long.

use std::time::{Duration, Instant};

use despool_hw::sim::Language;

use super::attach::{ACM, FTDI, URI};
use super::check::{document_without_flow, equal, holds, median};
use super::server::{Queue, Server};
use super::{Scenario, Stage, When};
use crate::device::{Adapter, Printer, PrinterBuild, PrinterFlow, PrinterOptions, UsbPrinter};
use crate::error::Result;
use crate::limits::EVENT;
use crate::vm::Slot;

/// All of this room.
pub const ALL: &[Scenario] = &[
    Scenario {
        name: "conditions::offline",
        when: When::Full,
        run: |it| condition(it, Language::Plain, "offline", "offline"),
    },
    Scenario {
        name: "conditions::paper_out",
        when: When::Full,
        run: |it| condition(it, Language::Plain, "paper-out", "media-empty"),
    },
    Scenario {
        name: "conditions::cover_open",
        when: When::Full,
        run: |it| condition(it, Language::Escpos, "cover-open", "cover-open"),
    },
    Scenario { name: "conditions::xoff", when: When::Full, run: xoff },
];

/// Times that it happens in one job.
const TIMES: u32 = 5;

/// It happens in the middle of a job, is told, ends, and is told; several times in one job.
fn condition(stage: &Stage, language: Language, command: &str, reason: &str) -> Result<()> {
    let bench = stage.setup.start()?;
    let printer = Printer::new(PrinterBuild { language, ..PrinterBuild::default() });
    let wire = UsbPrinter::new(PrinterOptions::default(), printer.behind());
    let wire = bench.plug(Slot::Xhci(0), wire, &printer)?;
    bench.wait_for_node("/dev/usb/lp0")?;
    let name = if language == Language::Escpos { "escpos" } else { "none" };
    let server = Server::start(&bench, stage, &[Queue::new("label", URI).language(name)])?;
    // Lines of text: what is not text in what comes is a question of the language monitor.
    let line = b"A line of text as it stands on a receipt\n";
    let content: Vec<u8> = line.iter().copied().cycle().take(2 << 20).collect();
    // The job outlasts all that happens in it.
    wire.with(|device| device.set_rate(Some(50_000)));
    let job = server.print("label", &content)?;
    printer.wait_for_bytes(100_000)?;
    let mut latencies = Vec::new();
    for _ in 0..TIMES {
        for (now, there) in [("on", true), ("off", false)] {
            let begun = Instant::now();
            printer.tell(&format!("{command} {now}"))?;
            server.wait_for_reason("label", reason, there)?;
            latencies.push(begun.elapsed());
        }
        holds("the job is not done", server.job(&job)?.state() != "completed")?;
    }
    let count = latencies.len();
    println!("  from {command} to the notification: median {:.1?} of {count}", median(latencies));
    wire.with(|device| device.set_rate(None));
    server.wait_for_state(&job, "completed", EVENT)?;
    equal("the text that arrived", without_questions(&printer.take()) == content, true)?;
    server.stop().map(drop)
}

/// Without `DLE EOT n`, `GS a n` and `GS r n`, which the language monitor puts between the job's own commands.
fn without_questions(mut got: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some((first, rest)) = got.split_first() {
        if matches!(first, 0x10 | 0x1D) {
            got = rest.get(2..).unwrap_or_default();
        } else {
            text.push(*first);
            got = rest;
        }
    }
    text
}

/// Printers on three kinds of serial line say XOFF in the middle of a job, for half a minute. FTDI chips obey by themselves,
/// for the UART the kernel does, for CDC-ACM nobody but us.
fn xoff(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let (one, other, third) = (Printer::default(), Printer::default(), bench.serial().printer());
    let ftdi = FTDI.plug(&bench, &one, PrinterFlow::XonXoff)?;
    let acm = ACM.plug(&bench, &other, PrinterFlow::XonXoff)?;
    third.tell("speed 11520")?;
    let nodes = ["ttyUSB0", "ttyACM0", "ttyS1"];
    let uri = |node| format!("serial:/dev/{node}?baud=115200+flow=soft");
    let queues = nodes.map(|node| Queue::new(node, &uri(node)));
    let server = Server::start(&bench, stage, &queues)?;
    let content = document_without_flow(stage.seed, 240_000);
    let jobs = nodes.map(|node| server.print(node, &content));
    for printer in [&one, &other, third] {
        printer.wait_for_bytes(5000)?;
    }
    ftdi.with(|device| device.printer().hold(true, Instant::now()));
    acm.with(|device| device.printer().hold(true, Instant::now()));
    third.tell("xoff")?;
    let never = |_: &_| false;
    holds("half a minute passes", one.wait_for("nothing", HELD, never).is_err())?;
    for (printer, node) in [&one, &other, third].into_iter().zip(nodes) {
        let got = printer.bytes();
        holds(&format!("{node} stands still, at {got} bytes"), got < content.len() as u64)?;
    }
    ftdi.with(|device| device.printer().hold(false, Instant::now()));
    acm.with(|device| device.printer().hold(false, Instant::now()));
    third.tell("xon")?;
    for (job, printer) in jobs.into_iter().zip([&one, &other, third]) {
        server.wait_for_state(&job?, "completed", EVENT)?;
        printer.wait_for_bytes(content.len() as u64)?;
        printer.expect(&content)?;
    }
    equal("bytes lost", ftdi.with(|device| device.printer().taken_and_lost().1), 0)?;
    equal("bytes lost", acm.with(|device| device.printer().taken_and_lost().1), 0)?;
    server.stop().map(drop)
}

/// Longer than what it takes to print all of it, several times.
const HELD: Duration = Duration::from_secs(30);
