//! Something happens to the printer in the middle of a job and is over again, or it speaks meanwhile: the job goes on by itself
//! and arrives whole, and while it stands the record tells how far it is.

use std::time::Duration;

use super::super::Stage;
use super::super::attach::{Wire, attach, plug_in};
use super::super::check::{Dice, holds, is_end, is_front};
use super::super::server::Server;
use super::super::way::{Begun, Place, Way};
use super::cancel::{cancel_dead, cancel_stuck};
use crate::device::Printer;
use crate::error::Result;
use crate::limits::EVENT;

/// Longer than any timeout that a transfer might have.
const AWAY: Duration = Duration::from_secs(60);

/// Longer than what despool, which asks for the status when nothing flows, might wait for.
const STANDSTILL: Duration = Duration::from_secs(3);

/// The paper runs out in the middle of a job, and somebody puts in more.
pub(super) fn out_of_paper(stage: &Stage, way: Way) -> Result<()> {
    let bench = stage.setup.start()?;
    let place = Place::new(stage, &bench, way)?;
    run_out(&place, &place.flowing(stage.seed, 100_000)?)?;
    place.server.stop().map(drop)
}

/// The printer takes nothing for a minute in the middle of a job, and goes on.
pub(super) fn away_for_a_minute(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let place = Place::new(stage, &bench, Way::USBFS)?;
    stand(&place, &place.standing(stage.seed, 200_000)?, AWAY)?;
    place.server.stop().map(drop)
}

/// A printer that takes what comes as fast as it comes stops all at once and goes on, runs out of paper, stops and has its job
/// canceled, and dies.
pub(super) fn stands(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let mut place = Place::new(stage, &bench, Way::FULL_SPEED)?;
    let mut dice = Dice::new(stage.seed);
    let mut at = || dice.below(Way::FULL_SPEED.total());
    stand(&place, &place.standing(stage.seed, at())?, STANDSTILL)?;
    cancel_stuck(stage, &place, at())?;
    cancel_dead(stage, &place, at())?;
    place.way.copies = Way::FULL_SPEED_FOR_LONG.copies;
    run_out(&place, &place.flowing(stage.seed, at())?)?;
    place.server.stop().map(drop)
}

/// The printer halts its endpoint for data, for which usblp knows no remedy, and somebody plugs it in anew. Whatever becomes
/// of the job meanwhile, it is not done; and then it goes on where it was.
pub(super) fn halted(stage: &Stage, way: Way) -> Result<()> {
    let bench = stage.setup.start()?;
    let place = Place::with(stage, &bench, way, way.queue().recover("resume"))?;
    let at = Dice::new(stage.seed).below(way.total());
    place.wire.with(|device| device.stall_at(at));
    let Begun { job, content, .. } = place.begin(stage.seed)?;
    let Place { printer, wire, server, .. } = place;
    printer.wait_for_bytes(at)?;
    let done = server.wait_for_state(&job, "completed", STANDSTILL).is_ok();
    holds(&format!("a job whose printer has {at} bytes of it is not done"), !done)?;
    drop(wire);
    let first = printer.take();
    is_front(&first, &content)?;
    let _wire = plug_in(&bench, way.slot, &printer)?;
    server.wait_for_state(&job, "completed", EVENT)?;
    let (count, from) = (first.len(), is_end(&printer.take(), &content)?);
    holds(&format!("nothing is lost between {count} and {from}"), from <= count)?;
    server.stop().map(drop)
}

fn run_out(place: &Place<'_>, begun: &Begun) -> Result<()> {
    let Place { printer, server, .. } = place;
    printer.tell("paper-out on")?;
    server.wait_for_reason("label", "media-empty", true)?;
    // What it has in memory is printed; then it takes nothing.
    place.wire.with(|device| device.set_nak(true));
    waits(place, begun)?;
    printer.tell("paper-out off")?;
    goes_on(place, begun)?;
    server.wait_for_reason("label", "media-empty", false)
}

fn stand(place: &Place<'_>, begun: &Begun, time: Duration) -> Result<()> {
    let before = place.printer.bytes();
    let more = place.printer.wait_for("another byte", time, |printer| printer.bytes > before);
    holds(&format!("it takes nothing for {time:?}"), more.is_err())?;
    waits(place, begun)?;
    goes_on(place, begun)
}

fn waits(place: &Place<'_>, begun: &Begun) -> Result<()> {
    let job = place.server.job(&begun.job)?;
    holds("the job waits", job.state() != "completed")?;
    job.fits(place.had(begun))
}

fn goes_on(place: &Place<'_>, Begun { job, content, .. }: &Begun) -> Result<()> {
    place.free();
    place.server.wait_for_state(job, "completed", EVENT)?;
    place.printer.expect(content)
}

/// The printer says things that nobody asked for, without end, while it prints.
pub(super) fn garbage(stage: &Stage, way: Way, languages: &[&str]) -> Result<()> {
    let bench = stage.setup.start()?;
    let (printer, wire) = attach(&bench, way.slot)?;
    for language in languages {
        let queue = way.queue().language(language);
        let server = Server::start(&bench, stage, &[queue])?;
        wire.with(|device| device.set_rate(way.rate));
        let (job, content) = way.submit(&server, stage.seed)?;
        speak(&printer, &wire, way.total())?;
        server.wait_for_state(&job, "completed", EVENT)?;
        let whole = contains(&printer.take(), &content);
        holds(&format!("{language}: the document arrived whole"), whole)?;
        server.stop()?;
    }
    Ok(())
}

/// Speaks for a moment, and then without end for a quarter of a job.
fn speak(printer: &Printer, wire: &Wire, total: u64) -> Result<()> {
    let before = printer.bytes();
    let wait = |part: u64| printer.wait_for_bytes(before.saturating_add(total / 20 * part));
    wait(1)?;
    printer.tell("garbage 4096")?;
    wait(2)?;
    wire.with(|device| device.send_endlessly(0x1B));
    wait(7)?;
    wire.with(|device| {
        device.end_endless();
        device.set_rate(None);
    });
    Ok(())
}

/// Language monitors ask before and after a job; the document is in one piece between.
pub(in super::super) fn contains(got: &[u8], document: &[u8]) -> bool {
    got.windows(document.len()).any(|window| window == document)
}
