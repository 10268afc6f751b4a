//! Printing by USB: what an operator does to the printer, and what may not be lost by it.

use std::time::{Duration, Instant};

use super::attach::{URI, Wire, attach, plug_in};
use super::check::{document, equal, holds, is_front};
use super::server::{Queue, Server, port};
use super::{Scenario, Stage, When};
use crate::Bench;
use crate::device::{Behind, Printer, UsbPrinter};
use crate::error::Result;
use crate::limits::EVENT;
use crate::vm::Slot;

/// All of this room.
pub const ALL: &[Scenario] = &[
    Scenario { name: "usb::ten_mebibytes", when: When::Always, run: ten_mebibytes },
    Scenario {
        name: "usb::canceled",
        when: When::Always,
        run: |it| canceled(it, Slot::Xhci(0), URI),
    },
    Scenario {
        name: "usb::canceled_ehci",
        when: When::Full,
        run: |it| canceled(it, Slot::Ehci(0), URI),
    },
    Scenario {
        name: "usb::canceled_uhci",
        when: When::Full,
        run: |it| canceled(it, Slot::Uhci(0), URI),
    },
    Scenario {
        name: "usb::canceled_usblp",
        when: When::Full,
        run: |it| canceled(it, Slot::Xhci(0), NODE),
    },
    Scenario {
        name: "usb::canceled_while_dead",
        when: When::Always,
        run: |it| canceled_while_dead(it, URI),
    },
    Scenario {
        name: "usb::canceled_while_dead_usblp",
        when: When::Full,
        run: |it| canceled_while_dead(it, NODE),
    },
    Scenario { name: "usb::out_of_paper", when: When::Always, run: out_of_paper },
    Scenario { name: "usb::away_for_a_minute", when: When::Full, run: away },
    Scenario { name: "usb::power_cycled_idle", when: When::Full, run: power_cycled_idle },
    Scenario {
        name: "usb::power_cycled_in_a_job",
        when: When::Full,
        run: |it| power_cycled_in_a_job(it, URI),
    },
    Scenario {
        name: "usb::power_cycled_in_a_job_usblp",
        when: When::Full,
        run: |it| power_cycled_in_a_job(it, NODE),
    },
    Scenario { name: "usb::garbage_comes_back", when: When::Full, run: garbage },
];

/// The operator looks what is there, writes it into the configuration, and prints.
fn ten_mebibytes(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let (printer, plugged) = attach(&bench, Slot::Xhci(0))?;
    let uri = port(&bench, stage, "usb:")?;
    equal("the printer's URI", uri.as_str(), URI)?;
    let server = Server::start(&bench, stage, &[Queue::new("label", &uri)])?;
    // For a moment it takes nothing: what is in flight then shows.
    plugged.with(|device| device.set_nak(true));
    let content = document(stage.seed, 10 << 20);
    let job = server.print("label", &content)?;
    plugged.wait_for("several transfers in flight", EVENT, |device| {
        (device.seen().most_waiting >= 2).then_some(())
    })?;
    plugged.with(|device| device.set_nak(false));
    server.wait_for_state(&job, "completed", EVENT)?;
    printer.expect(&content)?;
    equal("the longest transfer", plugged.with(|device| device.seen().longest), 64 * 1024)?;
    server.stop()?;
    // The printer is usblp's again.
    bench.wait_for_node("/dev/usb/lp0")
}

/// The same printer behind the kernel's own driver.
const NODE: &str = "file:/dev/usb/lp0";

/// Long enough to stick in the middle.
const LONG: usize = 2 << 20;

/// A long job in the middle of a slow printer.
struct Begun<'a> {
    printer: Printer,
    plugged: Wire,
    server: Server<'a>,
    content: Vec<u8>,
    job: String,
}

/// Prints until so many bytes have come, slow enough that what happens then happens in the middle.
fn begin<'a>(
    stage: &Stage,
    bench: &'a Bench,
    (slot, uri): (Slot, &str),
    bytes: u64,
) -> Result<Begun<'a>> {
    let (printer, plugged) = attach(bench, slot)?;
    let server = Server::start(bench, stage, &[Queue::new("label", uri)])?;
    let content = document(stage.seed, LONG);
    plugged.with(|device| device.set_rate(Some(500_000)));
    let job = server.print("label", &content)?;
    printer.wait_for_bytes(bytes)?;
    Ok(Begun { printer, plugged, server, content, job })
}

/// A job that gets stuck is canceled; the next one prints as if nothing had been.
fn canceled(stage: &Stage, slot: Slot, uri: &str) -> Result<()> {
    cancel_at(stage, (slot, uri), |device| device.set_nak(true), |device| device.set_nak(false))
}

/// The same with a printer that does not even answer requests.
fn canceled_while_dead(stage: &Stage, uri: &str) -> Result<()> {
    let at = (Slot::Xhci(0), uri);
    cancel_at(stage, at, |device| device.set_dead(true), |device| device.set_dead(false))
}

fn cancel_at(
    stage: &Stage,
    at: (Slot, &str),
    stick: fn(&mut UsbPrinter<Behind>),
    free: fn(&mut UsbPrinter<Behind>),
) -> Result<()> {
    let bench = stage.setup.start()?;
    let Begun { printer, plugged, server, content, job } = begin(stage, &bench, at, 200_000)?;
    plugged.with(stick);
    let begun = Instant::now();
    server.run(&["cancel", &job])?;
    server.wait_for_state(&job, "canceled", EVENT)?;
    let took = begun.elapsed();
    holds(&format!("the cancel is done at once, and took {took:?}"), took < CANCEL)?;
    plugged.with(free);
    plugged.with(|device| device.set_rate(None));
    let before = printer.take();
    is_front(&before, &content)?;
    let next = document(stage.seed + 1, 100_000);
    let job = server.print("label", &next)?;
    server.wait_for_state(&job, "completed", EVENT)?;
    let got = printer.take();
    let (late, last) = got.split_at(got.len().saturating_sub(next.len()));
    holds("the next job is whole", last == next)?;
    // While usblp waits for a dead printer's answer (5 s) nothing can be done with its node: what is under way may come.
    let allowed = if at.1 == NODE { TRANSFER } else { 0 };
    holds(&format!("{} bytes more of the one before", late.len()), late.len() <= allowed)?;
    is_front(&[&before, late].concat(), &content)?;
    equal("resets", plugged.with(|device| device.seen().soft_resets) >= 1, true)?;
    server.stop().map(drop)
}

/// One transfer of usblp's.
const TRANSFER: usize = 8192;

/// Two commands of the guest, which take a second each under interpretation, and what they wait for.
const CANCEL: Duration = Duration::from_secs(10);

/// The paper runs out in the middle of a job, and somebody puts in more.
fn out_of_paper(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let Begun { printer, plugged, server, content, job } =
        begin(stage, &bench, (Slot::Xhci(0), URI), 100_000)?;
    printer.tell("paper-out on")?;
    server.wait_for_reason("label", "media-empty", true)?;
    holds("the job waits", server.job(&job)?.state() != "completed")?;
    printer.tell("paper-out off")?;
    plugged.with(|device| device.set_rate(None));
    server.wait_for_state(&job, "completed", EVENT)?;
    server.wait_for_reason("label", "media-empty", false)?;
    printer.expect(&content)?;
    server.stop().map(drop)
}

/// The printer takes nothing for a minute in the middle of a job, and goes on.
fn away(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let Begun { printer, plugged, server, content, job } =
        begin(stage, &bench, (Slot::Xhci(0), URI), 200_000)?;
    plugged.with(|device| device.set_nak(true));
    let before = printer.bytes();
    let more = printer.wait_for("another byte", AWAY, |printer| printer.bytes > before);
    holds("it takes nothing for a minute", more.is_err())?;
    holds("the job waits", server.job(&job)?.state() != "completed")?;
    plugged.with(|device| {
        device.set_rate(None);
        device.set_nak(false);
    });
    server.wait_for_state(&job, "completed", EVENT)?;
    printer.expect(&content)?;
    server.stop().map(drop)
}

/// Longer than any timeout that a transfer might have.
const AWAY: Duration = Duration::from_secs(60);

/// The printer is switched off and on while it has nothing to do.
fn power_cycled_idle(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let (printer, plugged) = attach(&bench, Slot::Xhci(0))?;
    let server = Server::start(&bench, stage, &[Queue::new("label", URI)])?;
    let mut wire = plugged;
    for seed in 0..3 {
        let content = document(stage.seed + seed, 100_000);
        let job = server.print("label", &content)?;
        server.wait_for_state(&job, "completed", EVENT)?;
        printer.expect(&content)?;
        drop(wire);
        server.wait_for_reason("label", "offline", true)?;
        printer.switch_off_and_on();
        wire = plug_in(&bench, Slot::Xhci(0), &printer)?;
        server.wait_for_reason("label", "offline", false)?;
    }
    server.stop().map(drop)
}

/// It is switched off in the middle of a job, and forgets what it had: the job is printed again, whole.
fn power_cycled_in_a_job(stage: &Stage, uri: &str) -> Result<()> {
    let bench = stage.setup.start()?;
    let Begun { printer, plugged, server, content, job } =
        begin(stage, &bench, (Slot::Xhci(0), uri), 300_000)?;
    plugged.unplug();
    printer.switch_off_and_on();
    is_front(&printer.take(), &content)?;
    let _wire = plug_in(&bench, Slot::Xhci(0), &printer)?;
    server.wait_for_state(&job, "completed", EVENT)?;
    printer.expect(&content)?;
    equal("what was done", server.job(&job)?.recovery(), Some("restarted"))?;
    server.stop().map(drop)
}

/// The printer says things that nobody asked for, without end, while it prints.
fn garbage(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let (printer, plugged) = attach(&bench, Slot::Xhci(0))?;
    for language in ["none", "pjl", "escpos", "zpl"] {
        let queue = Queue::new("label", URI).language(language);
        let server = Server::start(&bench, stage, &[queue])?;
        let content = document(stage.seed, LONG);
        plugged.with(|device| device.set_rate(Some(1_000_000)));
        let job = server.print("label", &content)?;
        printer.wait_for_bytes(100_000)?;
        printer.tell("garbage 4096")?;
        printer.wait_for_bytes(300_000)?;
        plugged.with(|device| device.send_endlessly(0x1B));
        printer.wait_for_bytes(600_000)?;
        plugged.with(|device| {
            device.end_endless();
            device.set_rate(None);
        });
        server.wait_for_state(&job, "completed", EVENT)?;
        let got = printer.take();
        holds(&format!("{language}: the document arrived whole"), contains(&got, &content))?;
        server.stop()?;
    }
    Ok(())
}

/// Language monitors ask before and after a job; the document is in one piece between.
pub(super) fn contains(got: &[u8], document: &[u8]) -> bool {
    got.windows(document.len()).any(|window| window == document)
}
