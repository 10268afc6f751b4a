//! A job is canceled in the middle, while it flows or is stuck: that is done at once, and the next job prints as if nothing had
//! been.

use std::time::Duration;

use super::super::Stage;
use super::super::check::{Dice, document, holds, is_front};
use super::super::way::{AHEAD, Begun, FULL_SPEED_ROUNDS, NODE, Place, Way};
use crate::error::Result;
use crate::limits::EVENT;
use crate::patience::Patience;

/// One transfer of usblp's.
const TRANSFER: u64 = 8192;

/// What waits in usblp for a fast printer: one write, of many transfers.
const WRITE: u64 = 256 * 1024;

/// Two commands of the guest, which take a second each under interpretation, and what they wait for.
const LIMIT: Duration = Duration::from_secs(10);

/// A job that gets stuck is canceled.
pub(super) fn stuck(stage: &Stage, way: Way) -> Result<()> {
    let bench = stage.setup.start()?;
    let place = Place::new(stage, &bench, way)?;
    cancel_stuck(stage, &place, 200_000)?;
    place.server.stop().map(drop)
}

/// The same with a printer that does not even answer requests.
pub(super) fn dead(stage: &Stage, way: Way) -> Result<()> {
    let bench = stage.setup.start()?;
    let place = Place::new(stage, &bench, way)?;
    cancel_dead(stage, &place, 200_000)?;
    place.server.stop().map(drop)
}

/// A job that flows is canceled, now and then, wherever it is.
pub(super) fn flowing(stage: &Stage) -> Result<()> {
    let bench = stage.setup.start()?;
    let place = Place::new(stage, &bench, Way::FULL_SPEED_FOR_LONG)?;
    let mut dice = Dice::new(stage.seed);
    for round in 0..FULL_SPEED_ROUNDS.into() {
        let begun = place.flowing(stage.seed + round, dice.below(place.way.total() / 8))?;
        // Until the port has heard of it, it goes on.
        cancel(&place, &begun, AHEAD)?;
    }
    place.server.stop().map(drop)
}

/// Cancels a job when the printer reads no more.
pub(super) fn cancel_stuck(stage: &Stage, place: &Place<'_>, at: u64) -> Result<()> {
    let begun = place.standing(stage.seed, at)?;
    cancel(place, &begun, 0)
}

/// Cancels a job when the printer answers nothing any more.
pub(super) fn cancel_dead(stage: &Stage, place: &Place<'_>, at: u64) -> Result<()> {
    let begun = place.standing(stage.seed, at)?;
    place.wire.with(|device| device.set_dead(true));
    // While usblp waits for a dead printer's answer (5 s) nothing can be done with its node: what is under way may come.
    let under_way = if place.way.rate.is_none() { WRITE } else { TRANSFER };
    cancel(place, &begun, if place.way.uri == NODE { under_way } else { 0 })
}

/// Cancels a job, of which so many bytes may come after its end was told, and prints another one.
fn cancel(place: &Place<'_>, begun: &Begun, late_bytes: u64) -> Result<()> {
    let Place { printer, wire, server, .. } = place;
    let Begun { job, content, .. } = begun;
    let limit = Patience::new(LIMIT);
    server.run(&["cancel", job])?;
    server.wait_for_state(job, "canceled", EVENT)?;
    holds(&format!("the cancel is done at once, in less than {LIMIT:?}"), !limit.is_over())?;
    let resets = wire.with(|device| device.seen().soft_resets);
    place.free();
    let before = printer.take();
    let next = document(before.len() as u64, 100_000);
    let following = server.print("label", &next)?;
    server.wait_for_state(&following, "completed", EVENT)?;
    let after = printer.take();
    let (late, last) = after.split_at(after.len().saturating_sub(next.len()));
    holds("the next job is whole", last == next)?;
    let late_came = late.len();
    holds(&format!("{late_came} bytes more of the one before"), late_came as u64 <= late_bytes)?;
    is_front(&[&before, late].concat(), content)?;
    server.job(job)?.fits((before.len() + late_came) as u64)?;
    holds("the printer was reset", wire.with(|device| device.seen().soft_resets) > resets)
}
