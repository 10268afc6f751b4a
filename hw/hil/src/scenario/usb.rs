//! Printing by USB: what an operator does to the printer, and what may not be lost by it.

use std::time::{Duration, Instant};

use super::check::{Dice, document, equal, holds, is_end, is_front};
use super::server::{Queue, Server, port};
use super::{Scenario, Stage, When};
use crate::Bench;
use crate::device::{Behind, Plugged, Printer, PrinterOptions, UsbPrinter};
use crate::error::Result;
use crate::limits::EVENT;
use crate::vm::Slot;

/// All of this room.
pub const ALL: &[Scenario] = &[
    Scenario { name: "usb::ten_mebibytes", when: When::Always, run: ten_mebibytes },
    Scenario { name: "usb::unplugged_auto", when: When::Always, run: |it| unplugged(it, "auto") },
    Scenario {
        name: "usb::unplugged_restart",
        when: When::Full,
        run: |it| unplugged(it, "restart"),
    },
    Scenario { name: "usb::unplugged_resume", when: When::Full, run: |it| unplugged(it, "resume") },
    Scenario { name: "usb::unplugged_hold", when: When::Full, run: |it| unplugged(it, "hold") },
    Scenario { name: "usb::canceled", when: When::Always, run: canceled },
    Scenario { name: "usb::canceled_while_dead", when: When::Full, run: canceled_while_dead },
    Scenario { name: "usb::out_of_paper", when: When::Always, run: out_of_paper },
];

/// A printer that is plugged in.
fn plug(bench: &Bench, slot: Slot) -> Result<(Printer, Plugged<UsbPrinter<Behind>>)> {
    let printer = Printer::default();
    let wire = UsbPrinter::new(PrinterOptions::default(), printer.behind());
    let plugged = bench.plug(slot, wire, &printer)?;
    bench.wait_for_node("/dev/usb/lp0")?;
    Ok((printer, plugged))
}

/// The operator looks what is there, writes it into the configuration, and prints.
fn ten_mebibytes(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let (printer, plugged) = plug(&bench, Slot::Xhci(0))?;
    let uri = port(&bench, stage, "usb:")?;
    equal("the printer's URI", uri.as_str(), "usb://HIL/Virtual%20Label?serial=HIL0001")?;
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

/// Long enough to be cut off in the middle.
const LONG: usize = 2 << 20;

/// The cable is pulled in the middle of a job, at any byte, and put back.
fn unplugged(stage: &Stage, policy: &str) -> Result<()> {
    let bench = stage.setup.start()?;
    let (printer, plugged) = plug(&bench, Slot::Xhci(0))?;
    let uri = port(&bench, stage, "usb:")?;
    let queue = Queue::new("label", &uri).recover(policy);
    let server = Server::start(&bench, stage, &[queue])?;
    let mut dice = Dice::new(stage.seed);
    let content = document(stage.seed, LONG);
    plugged.with(|device| device.unplug_at(dice.below(LONG as u64)));
    let job = server.print("label", &content)?;
    plugged.wait_until_gone(EVENT)?;
    let first = printer.take();
    is_front(&first, &content)?;
    let record = match policy {
        "hold" => server.wait_for_state(&job, "pending-held", EVENT)?,
        _ => server.wait_until(&job, "the cut", |job| job.recovery().is_some())?,
    };
    let maybe = record.maybe_on_paper();
    holds(
        &format!("{} of at most {maybe} bytes are on paper", first.len()),
        first.len() as u64 <= maybe,
    )?;
    let plugged = replug(&bench, &printer, Slot::Xhci(0))?;
    if policy == "hold" {
        // The queue goes on; the job waits for a person.
        let next = server.print("label", b"next")?;
        server.wait_for_state(&next, "completed", EVENT)?;
        printer.expect(b"next")?;
        equal("the job's state", server.job(&job)?.state(), "pending-held")?;
        server.run(&["release", &job])?;
    }
    let done = server.wait_for_state(&job, "completed", EVENT)?;
    let from = is_end(&printer.take(), &content)?;
    match policy {
        "resume" => {
            holds(
                &format!("nothing is lost between {} and {from}", first.len()),
                from <= first.len(),
            )?;
            holds(
                &format!("{from} is near {}", first.len()),
                first.len().saturating_sub(from) <= IN_FLIGHT,
            )?;
        }
        "hold" => {}
        _ => equal("it begins again at", from, 0)?,
    }
    holds(&format!("the record says what was done: {done:?}"), done.recovery().is_some())?;
    drop(plugged);
    server.stop().map(drop)
}

/// What may be in flight at most: [`despool_hw::limits::USB_TRANSFERS`] of the longest transfers.
const IN_FLIGHT: usize = despool_hw::limits::USB_TRANSFERS * despool_hw::limits::USB_TRANSFER_BYTES;

/// The same printer is plugged in again.
fn replug(bench: &Bench, printer: &Printer, slot: Slot) -> Result<Plugged<UsbPrinter<Behind>>> {
    let wire = UsbPrinter::new(PrinterOptions::default(), printer.behind());
    bench.plug(slot, wire, printer)
}

/// A job that gets stuck is canceled; the next one prints as if nothing had been.
fn canceled(stage: &Stage) -> Result<()> {
    cancel_at(stage, |device| device.set_nak(true), |device| device.set_nak(false))
}

/// The same with a printer that does not even answer requests.
fn canceled_while_dead(stage: &Stage) -> Result<()> {
    cancel_at(stage, |device| device.set_dead(true), |device| device.set_dead(false))
}

fn cancel_at(
    stage: &Stage,
    stick: fn(&mut UsbPrinter<Behind>),
    free: fn(&mut UsbPrinter<Behind>),
) -> Result<()> {
    let bench = stage.setup.start()?;
    let (printer, plugged) = plug(&bench, Slot::Xhci(0))?;
    let uri = port(&bench, stage, "usb:")?;
    let server = Server::start(&bench, stage, &[Queue::new("label", &uri)])?;
    let content = document(stage.seed, LONG);
    // Slow enough that it sticks in the middle.
    plugged.with(|device| device.set_rate(Some(500_000)));
    let job = server.print("label", &content)?;
    printer.wait_for_bytes(200_000)?;
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
    printer.expect(&next)?;
    equal("resets", plugged.with(|device| device.seen().soft_resets) >= 1, true)?;
    server.stop().map(drop)
}

/// Two commands of the guest, which take a second each under interpretation, and what they wait for.
const CANCEL: Duration = Duration::from_secs(10);

/// The paper runs out in the middle of a job, and somebody puts in more.
fn out_of_paper(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let (printer, plugged) = plug(&bench, Slot::Xhci(0))?;
    let uri = port(&bench, stage, "usb:")?;
    let server = Server::start(&bench, stage, &[Queue::new("label", &uri)])?;
    let content = document(stage.seed, LONG);
    plugged.with(|device| device.set_rate(Some(500_000)));
    let job = server.print("label", &content)?;
    printer.wait_for_bytes(100_000)?;
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
