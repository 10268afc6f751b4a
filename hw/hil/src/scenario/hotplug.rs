//! Printers that come, go, and look alike; and a server that dies among them.

use super::attach::Wire;
use super::check::{Dice, document, equal};
use super::server::{Queue, Server, ports};
use super::unplug::goes_on_after;
use super::way::{Place, Way};
use super::{Scenario, Stage, When};
use crate::Bench;
use crate::device::{IdAnswer, Printer, PrinterOptions, UsbPrinter};
use crate::error::{Error, Result};
use crate::limits::EVENT;
use crate::vm::Slot;

/// All of this room.
pub const ALL: &[Scenario] = &[
    Scenario { name: "hotplug::twins", when: When::Always, run: twins },
    Scenario { name: "hotplug::late", when: When::Always, run: late },
    Scenario { name: "hotplug::without_configuration", when: When::Full, run: unconfigured },
    Scenario { name: "hotplug::late_without_configuration", when: When::Full, run: newcomers },
    Scenario {
        name: "hotplug::server_killed",
        when: When::Always,
        run: |it| killed(it, "restart", Way { rate: Some(200_000), bytes: 1 << 20, ..Way::USBFS }),
    },
    Scenario {
        name: "hotplug::server_killed_full_speed",
        when: When::Full,
        run: |it| killed(it, "hold", Way { copies: 8, ..Way::FULL_SPEED }),
    },
    Scenario { name: "hotplug::ids_that_lie", when: When::Full, run: ids },
];

fn plug(bench: &Bench, slot: Slot, options: PrinterOptions) -> Result<(Printer, Wire)> {
    let printer = Printer::default();
    let wire = UsbPrinter::new(options, printer.behind());
    let plugged = bench.plug(slot, wire, &printer)?;
    Ok((printer, plugged))
}

/// A printer that has no serial number, as the cheap ones are.
fn nameless() -> PrinterOptions {
    PrinterOptions {
        strings: ["HIL", "Cheap", ""].map(str::to_owned),
        id: IdAnswer::honest("MFG:HIL;MDL:Cheap;CMD:ZPL;CLS:PRINTER;"),
        ..PrinterOptions::default()
    }
}

fn usb_uris(bench: &Bench, stage: &Stage) -> Result<Vec<String>> {
    let all = ports(bench, stage)?;
    let uris = all.iter().filter_map(|port| port.get("uri")?.as_str());
    Ok(uris.filter(|uri| uri.starts_with("usb:")).map(str::to_owned).collect())
}

/// Two printers that say the same of themselves: each gets its own jobs, also after both were plugged in anew, the other
/// one first.
fn twins(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let (one, one_wire) = plug(&bench, Slot::Xhci(0), nameless())?;
    bench.wait_for_node("/dev/usb/lp0")?;
    let first = usb_uris(&bench, stage)?;
    let (other, other_wire) = plug(&bench, Slot::Xhci(1), nameless())?;
    bench.wait_for_node("/dev/usb/lp1")?;
    let both = usb_uris(&bench, stage)?;
    let second: Vec<_> = both.into_iter().filter(|uri| !first.contains(uri)).collect();
    let ([first], [second]) = (first.as_slice(), second.as_slice()) else {
        return Err(Error::Unexpected(format!("two printers are {first:?} and {second:?}")));
    };
    let queues = [Queue::new("one", first), Queue::new("other", second)];
    let server = Server::start(&bench, stage, &queues)?;
    let mut seed = stage.seed;
    let mut each = |server: &Server, one: &Printer, other: &Printer| {
        for (name, printer) in [("other", other), ("one", one)] {
            seed += 1;
            let content = document(seed, 50_000);
            let job = server.print(name, &content)?;
            server.wait_for_state(&job, "completed", EVENT)?;
            printer.expect(&content)?;
        }
        Ok::<_, Error>(())
    };
    each(&server, &one, &other)?;
    drop((one_wire, other_wire));
    let (other, _other_wire) = plug(&bench, Slot::Xhci(1), nameless())?;
    let (one, _one_wire) = plug(&bench, Slot::Xhci(0), nameless())?;
    each(&server, &one, &other)?;
    server.stop().map(drop)
}

/// A job for a printer that is not there waits for it, and it is told that it waits.
fn late(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let uri = "usb://HIL/Virtual%20Label?serial=HIL0001";
    let server = Server::start(&bench, stage, &[Queue::new("label", uri)])?;
    let content = document(stage.seed, 200_000);
    let job = server.print("label", &content)?;
    server.wait_for_reason("label", "offline", true)?;
    let (printer, _wire) = plug(&bench, Slot::Ehci(0), PrinterOptions::default())?;
    server.wait_for_state(&job, "completed", EVENT)?;
    printer.expect(&content)?;
    server.stop().map(drop)
}

/// `despool serve` with no configuration serves what it finds.
fn unconfigured(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let (printer, _wire) = plug(&bench, Slot::Xhci(0), PrinterOptions::default())?;
    bench.wait_for_node("/dev/usb/lp0")?;
    let server = Server::start_without_configuration(&bench, stage)?;
    let content = document(stage.seed, 100_000);
    for (name, printer) in
        [("Virtual-Label", &printer), ("Parallel-Label", bench.parallel().printer())]
    {
        let job = server.print(name, &content)?;
        server.wait_for_state(&job, "completed", EVENT)?;
        printer.expect(&content)?;
    }
    server.stop().map(drop)
}

/// Printers that are plugged in while it serves are served too, each as a printer of its own, and stay when they are pulled.
fn newcomers(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let server = Server::start_without_configuration(&bench, stage)?;
    let content = document(stage.seed, 100_000);
    let print = |name: &str, printer: &Printer| {
        server.wait_for_printer(name)?;
        let job = server.print(name, &content)?;
        server.wait_for_state(&job, "completed", EVENT)?;
        printer.expect(&content)
    };
    let (one, one_wire) = plug(&bench, Slot::Xhci(0), PrinterOptions::default())?;
    print("Virtual-Label", &one)?;
    let (other, _other_wire) = plug(&bench, Slot::Ehci(0), nameless())?;
    print("Cheap", &other)?;
    drop(one_wire);
    server.wait_for_reason("Virtual-Label", "offline", true)?;
    let (one, _one_wire) = plug(&bench, Slot::Xhci(1), PrinterOptions::default())?;
    print("Virtual-Label", &one)?;
    // The parallel port's, Virtual Label and Cheap.
    equal("printers", server.printers()?.len(), 3)?;
    server.stop().map(drop)
}

/// The server is killed in the middle of a job, while it flows and while the printer reads nothing, and started again.
fn killed(stage: &Stage, policy: &str, way: Way) -> Result<()> {
    let bench = stage.setup.start()?;
    let mut place = Place::with(stage, &bench, way, way.queue().recover(policy))?;
    let mut dice = Dice::new(stage.seed);
    for stands in [false, true] {
        let at = dice.below(way.total() / 2);
        let begun =
            if stands { place.standing(stage.seed, at)? } else { place.flowing(stage.seed, at)? };
        let dead = place.server.kill()?;
        let first = place.printer.take();
        place.server = dead.restart()?;
        let Place { printer, server, .. } = &place;
        let job = &begun.job;
        let record = server.wait_until(job, "taken up again", |job| job.recovery().is_some())?;
        if policy == "hold" {
            record.fits(first.len() as u64)?;
            server.run(&["release", job])?;
        }
        place.free();
        server.wait_for_state(job, "completed", EVENT)?;
        goes_on_after(policy, &begun.content, [&first, &printer.take()], &record)?;
    }
    place.server.stop().map(drop)
}

/// Printers whose device id is missing, cut short, or of the wrong length print all the same.
fn ids(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let honest = IdAnswer::honest("MFG:HIL;MDL:Liar;CMD:ZPL;SN:X1;");
    let IdAnswer::Bytes(bytes) = honest else { return Ok(()) };
    let body = bytes.get(2..).unwrap_or_default();
    let answers = [
        IdAnswer::Stall,
        IdAnswer::Bytes(Vec::new()),
        // Cut short in the middle of a value.
        IdAnswer::Bytes(bytes.iter().take(9).copied().collect()),
        // A length that is far too long.
        IdAnswer::Bytes([&[0xFF, 0xFF], body].concat()),
    ];
    let content = document(stage.seed, 50_000);
    let queue = Queue::new("label", "usb://HIL/Virtual%20Label%20Printer?serial=HIL0001");
    let server = Server::start(&bench, stage, &[queue])?;
    for id in answers {
        let what = format!("{id:?}");
        let (printer, wire) =
            plug(&bench, Slot::Xhci(0), PrinterOptions { id, ..PrinterOptions::default() })?;
        let job = server.print("label", &content)?;
        server.wait_for_state(&job, "completed", EVENT)?;
        let arrived = printer.expect(&content);
        arrived.map_err(|error| Error::Unexpected(format!("{what}: {error}")))?;
        drop(wire);
        server.wait_for_reason("label", "offline", true)?;
    }
    server.stop().map(drop)
}
