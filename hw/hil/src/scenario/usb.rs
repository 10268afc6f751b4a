//! Printing by USB: what an operator does to the printer, and what may not be lost by it.

mod cancel;
mod flow;

use super::attach::{URI, attach, plug_in};
use super::check::{Dice, document, equal, is_front};
use super::server::{Queue, Server, port};
use super::way::{Place, Way};
use super::{Scenario, Stage, When};
use crate::error::Result;
use crate::limits::EVENT;
use crate::vm::Slot;
pub(super) use flow::contains;

/// All of this room.
pub const ALL: &[Scenario] = &[
    Scenario { name: "usb::ten_mebibytes", when: When::Always, run: ten_mebibytes },
    Scenario { name: "usb::canceled", when: When::Always, run: |it| cancel::stuck(it, Way::USBFS) },
    Scenario {
        name: "usb::canceled_ehci",
        when: When::Full,
        run: |it| cancel::stuck(it, Way { slot: Slot::Ehci(0), ..Way::USBFS }),
    },
    Scenario {
        name: "usb::canceled_uhci",
        when: When::Full,
        run: |it| cancel::stuck(it, Way { slot: Slot::Uhci(0), ..Way::USBFS }),
    },
    Scenario {
        name: "usb::canceled_usblp",
        when: When::Full,
        run: |it| cancel::stuck(it, Way::USBLP),
    },
    Scenario { name: "usb::canceled_full_speed", when: When::Full, run: cancel::flowing },
    Scenario {
        name: "usb::canceled_while_dead",
        when: When::Always,
        run: |it| cancel::dead(it, Way::USBFS),
    },
    Scenario {
        name: "usb::canceled_while_dead_usblp",
        when: When::Full,
        run: |it| cancel::dead(it, Way::USBLP),
    },
    Scenario {
        name: "usb::out_of_paper",
        when: When::Always,
        run: |it| flow::out_of_paper(it, Way::USBFS),
    },
    Scenario { name: "usb::away_for_a_minute", when: When::Full, run: flow::away_for_a_minute },
    Scenario { name: "usb::stands_full_speed", when: When::Full, run: flow::stands },
    Scenario {
        name: "usb::halted_usblp",
        when: When::Full,
        run: |it| flow::halted(it, Way::USBLP),
    },
    Scenario {
        name: "usb::halted_full_speed",
        when: When::Full,
        run: |it| flow::halted(it, Way::FULL_SPEED),
    },
    Scenario { name: "usb::power_cycled_idle", when: When::Full, run: power_cycled_idle },
    Scenario {
        name: "usb::power_cycled_in_a_job",
        when: When::Full,
        run: |it| power_cycled_in_a_job(it, Way::USBFS),
    },
    Scenario {
        name: "usb::power_cycled_in_a_job_usblp",
        when: When::Full,
        run: |it| power_cycled_in_a_job(it, Way::USBLP),
    },
    Scenario {
        name: "usb::power_cycled_in_a_job_full_speed",
        when: When::Always,
        run: |it| power_cycled_in_a_job(it, Way::FULL_SPEED),
    },
    Scenario {
        name: "usb::garbage_comes_back",
        when: When::Full,
        run: |it| {
            flow::garbage(
                it,
                Way { rate: Some(1_000_000), ..Way::USBFS },
                &["none", "pjl", "escpos", "zpl"],
            )
        },
    },
    Scenario {
        name: "usb::garbage_comes_back_full_speed",
        when: When::Full,
        run: |it| flow::garbage(it, Way { copies: 8, ..Way::FULL_SPEED }, &["none", "pjl"]),
    },
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
fn power_cycled_in_a_job(stage: &Stage, way: Way) -> Result<()> {
    let bench = stage.setup.start()?;
    let place = Place::new(stage, &bench, way)?;
    let at = Dice::new(stage.seed).below(way.total());
    place.wire.with(|device| device.unplug_at(at));
    let begun = place.begin(stage.seed)?;
    let Place { printer, wire, server, .. } = place;
    wire.wait_until_gone(EVENT)?;
    drop(wire);
    printer.switch_off_and_on();
    is_front(&printer.take(), &begun.content)?;
    let _wire = plug_in(&bench, way.slot, &printer)?;
    server.wait_for_state(&begun.job, "completed", EVENT)?;
    printer.expect(&begun.content)?;
    equal("what was done", server.job(&begun.job)?.recovery(), Some("restarted"))?;
    server.stop().map(drop)
}
