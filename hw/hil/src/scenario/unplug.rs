//! The cable is pulled in the middle of a job, at any byte, again and again, and put back: for each `recover` policy and on
//! each kind of host controller. The record says what may be on paper, nothing is lost or doubled beyond what the policy
//! says, and the queue goes on.
//!
//! ```text
//!   print ──► pulled at a random byte ──► put back ──► (hold: released) ──► completed      × rounds, one machine, one server
//!                 │                                            │
//!                 front of the document ≤ "maybe on paper"     all of it, or from where it was cut off
//! ```

use super::attach::{URI, Wire, attach, plug_in};
use super::check::{Dice, document, equal, holds, is_end, is_front};
use super::server::{Job, Queue, Server};
use super::way::{AHEAD, FULL_SPEED_ROUNDS, Way};
use super::{Scenario, Stage, When};
use crate::Bench;
use crate::device::Printer;
use crate::error::{Error, Result};
use crate::limits::EVENT;
use crate::vm::Slot;

/// All of this room.
pub const ALL: &[Scenario] = &[
    Scenario {
        name: "unplug::auto",
        when: When::Always,
        run: |it| rounds(it, "auto", USBFS, it.rounds),
    },
    Scenario {
        name: "unplug::restart",
        when: When::Full,
        run: |it| rounds(it, "restart", USBFS, it.rounds),
    },
    Scenario {
        name: "unplug::resume",
        when: When::Always,
        run: |it| rounds(it, "resume", USBFS, it.rounds),
    },
    Scenario {
        name: "unplug::hold",
        when: When::Full,
        run: |it| rounds(it, "hold", USBFS, it.rounds),
    },
    Scenario {
        name: "unplug::ehci",
        when: When::Full,
        run: |it| few(it, Way { slot: Slot::Ehci(0), ..USBFS }),
    },
    Scenario {
        name: "unplug::uhci",
        when: When::Full,
        run: |it| few(it, Way { slot: Slot::Uhci(0), ..USBFS }),
    },
    Scenario {
        name: "unplug::auto_full_speed",
        when: When::Full,
        run: |it| rounds(it, "auto", Way::FULL_SPEED, FULL_SPEED_ROUNDS),
    },
    Scenario {
        name: "unplug::hold_full_speed",
        when: When::Full,
        run: |it| rounds(it, "hold", Way::FULL_SPEED, FULL_SPEED_ROUNDS),
    },
    Scenario { name: "unplug::hold_goes_on", when: When::Full, run: goes_on },
];

/// More than is in flight at one time, so that a job is cut off in all its parts.
const JOB: usize = 768 * 1024;

/// As fast as usbfs and the printer can.
const USBFS: Way = Way { rate: None, bytes: JOB, ..Way::USBFS };

/// What may be in flight at most: so many of the longest transfers.
const IN_FLIGHT: usize = despool_hw::limits::USB_TRANSFERS * despool_hw::limits::USB_TRANSFER_BYTES;

/// The other controllers do the same, one unplug more or less.
const FEW: u32 = 5;

/// What the guest's kernel knows of the cable.
const KERNEL: &str = "busybox dmesg | busybox tail -n 12; ls /sys/bus/usb/devices /dev/usb; true";

fn few(stage: &Stage, way: Way) -> Result<()> {
    rounds(stage, "auto", way, stage.rounds.min(FEW))?;
    rounds(stage, "resume", way, stage.rounds.min(FEW))
}

fn rounds(stage: &Stage, policy: &str, way: Way, count: u32) -> Result<()> {
    let bench = stage.setup.start()?;
    let (printer, mut wire) = attach(&bench, way.slot)?;
    let server = Server::start(&bench, stage, &[way.queue().recover(policy)])?;
    let mut dice = Dice::new(stage.seed);
    for round in 0..count {
        let at = dice.below(way.total());
        let told = |error: Error| {
            let kernel = bench.guest().shell(KERNEL).map(|said| said.text()).unwrap_or_default();
            let what = format!("{policy}, round {round}, pulled at byte {at}: {error}");
            Error::Unexpected(format!("{what}\nthe guest's kernel: {kernel}\n{}", server.log()))
        };
        let cut = Cut { server: &server, bench: &bench, printer: &printer, way, policy };
        let seed = stage.seed.wrapping_add(u64::from(round));
        wire = cut.once(wire, seed, at).map_err(told)?;
    }
    server.stop().map(drop)
}

/// What one round needs.
struct Cut<'a> {
    server: &'a Server<'a>,
    bench: &'a Bench,
    printer: &'a Printer,
    way: Way,
    policy: &'a str,
}

impl Cut<'_> {
    /// Prints, pulls the cable at this byte, and puts it back; the plug that is in now.
    fn once(&self, wire: Wire, seed: u64, at: u64) -> Result<Wire> {
        let Self { server, bench, printer, .. } = self;
        wire.with(|device| {
            let now = device.seen().bytes;
            device.unplug_at(now.saturating_add(at));
        });
        let (job, content) = self.way.submit(server, seed)?;
        wire.wait_until_gone(EVENT)?;
        drop(wire);
        let first = printer.take();
        if self.policy == "hold" {
            server.wait_for_state(&job, "pending-held", EVENT)?;
            server.run(&["release", &job])?;
        }
        let wire = plug_in(bench, self.way.slot, printer)?;
        server.wait_for_state(&job, "completed", EVENT)?;
        goes_on_after(self.policy, &content, [&first, &printer.take()], &server.job(&job)?)?;
        Ok(wire)
    }
}

/// Compares what came before a job was cut off and after, and both with what the record says.
pub(super) fn goes_on_after(
    policy: &str,
    content: &[u8],
    [first, rest]: [&[u8]; 2],
    done: &Job,
) -> Result<()> {
    is_front(first, content)?;
    let (count, maybe) = (first.len(), done.maybe_on_paper());
    holds(&format!("the record says what was done: {done:?}"), done.recovery().is_some())?;
    holds(&format!("{count} of at most {maybe} bytes are on paper"), count as u64 <= maybe)?;
    let near = maybe.saturating_sub(count as u64) <= AHEAD;
    holds(&format!("{maybe}, of which the record tells, are near {count}"), near)?;
    let from = is_end(rest, content)?;
    // Who releases a job that was held has looked at the paper and has it go on; `reprint` would begin again.
    if !["resume", "hold"].contains(&policy) {
        return equal("it begins again at", from, 0);
    }
    holds(&format!("nothing is lost between {count} and {from}"), from <= count)?;
    holds(&format!("{from} is near {count}"), count.saturating_sub(from) <= IN_FLIGHT)
}

/// While a job that was cut off waits for a person, the queue goes on.
fn goes_on(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let (printer, wire) = attach(&bench, Slot::Xhci(0))?;
    let server = Server::start(&bench, stage, &[Queue::new("label", URI).recover("hold")])?;
    let content = document(stage.seed, JOB);
    wire.with(|device| device.unplug_at(Dice::new(stage.seed).below(JOB as u64)));
    let job = server.print("label", &content)?;
    wire.wait_until_gone(EVENT)?;
    is_front(&printer.take(), &content)?;
    server.wait_for_state(&job, "pending-held", EVENT)?;
    let _wire = plug_in(&bench, Slot::Xhci(0), &printer)?;
    let next = server.print("label", b"next")?;
    server.wait_for_state(&next, "completed", EVENT)?;
    printer.expect(b"next")?;
    equal("the job's state", server.job(&job)?.state(), "pending-held")?;
    server.run(&["release", &job])?;
    server.wait_for_state(&job, "completed", EVENT)?;
    is_end(&printer.take(), &content)?;
    server.stop().map(drop)
}
