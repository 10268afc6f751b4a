//! The ratios that despool is held to, measured on real drivers: ours beside what the same device does without us, in one
//! run.
//!
//! Under interpretation the guest's processor is ten to thirty times slower than a real one: ratios mean what they say,
//! and times are at most what they would be elsewhere. What is compared is done in turns, so that a host that becomes slower
//! in between is slower for both. Each figure is a median, and is printed beside its limit whether it is reached or not; so is
//! what the same device does without despool (a floor), and what the bench itself takes.

mod idle;
mod latency;
mod lines;
mod usb;

use std::time::{Duration, Instant};

use crate::Bench;
use crate::device::Printer;
use crate::error::Result;
use crate::limits::EVENT;
use crate::scenario::Stage;
use crate::scenario::check::median;

/// What a figure has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// No less.
    AtLeast(f64),
    /// Less.
    Below(f64),
}

/// One figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// What it came to.
    pub value: f64,
    /// In which unit; empty for ratios.
    pub unit: &'static str,
    /// What it has to be.
    pub limit: Limit,
    /// What it was made of.
    pub of: String,
}

impl Figure {
    /// True where it is as it has to be.
    pub fn is_reached(&self) -> bool {
        match self.limit {
            Limit::AtLeast(least) => self.value >= least,
            Limit::Below(end) => self.value < end,
        }
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, value, unit, of, .. } = self;
        let verdict = if self.is_reached() { "ok    " } else { "MISSED" };
        let (word, limit) = match self.limit {
            Limit::AtLeast(limit) => (">=", limit),
            Limit::Below(limit) => ("< ", limit),
        };
        write!(out, "{verdict} {what:<52} {value:>8.3} {unit:<2} ({word} {limit} {unit})  {of}")
    }
}

/// A measurement: several figures of one machine.
type Measure = fn(&Stage) -> Result<Vec<Figure>>;

const ALL: &[(&str, Measure)] = &[
    ("usb", usb::throughput),
    ("dead-time", usb::dead_time),
    ("parallel", lines::parallel),
    ("serial", lines::uart),
    ("paced", lines::paced),
    ("latency", latency::all),
    ("idle", idle::cpu),
];

/// Measures everything whose name contains one of `names` (all of it if there are none); `tell` hears each figure. True if
/// all limits were reached and nothing went wrong.
pub fn run(stage: &Stage, names: &[&str], tell: &dyn Fn(&str)) -> bool {
    let wanted = |name: &str| names.is_empty() || names.iter().any(|it| name.contains(it));
    let mut good = true;
    for (name, measure) in ALL.iter().filter(|(name, _)| wanted(name)) {
        match measure(stage) {
            Ok(figures) => {
                for figure in figures {
                    good &= figure.is_reached();
                    tell(&figure.to_string());
                }
            }
            Err(error) => {
                good = false;
                tell(&format!("FAILED {name}: {error}"));
            }
        }
    }
    good
}

/// Times that each way is gone in a turn, and turns.
const LAPS: usize = 2;
const TURNS: usize = 2;

/// How long the printer takes from now until it has this many more bytes than before.
fn lap(printer: &Printer, before: u64, bytes: u64) -> Result<Duration> {
    let begun = Instant::now();
    printer.wait_for_bytes(before.saturating_add(bytes))?;
    Ok(begun.elapsed())
}

/// Ends the client that the scenarios listen with: nobody is told of anything but those who are measured.
fn listen_no_more(bench: &Bench) -> Result<()> {
    // The brackets keep the shell itself out.
    let script = "for it in /proc/[0-9]*; do
            busybox tr '\\0' ' ' < $it/cmdline | busybox grep -q ' [w]atch ' && kill -9 ${it#/proc/}
        done; true";
    bench.guest().shell(script).map(drop)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Lets time pass.
fn pause(printer: &Printer, time: Duration) {
    // It never has what is wanted.
    let _ = printer.wait_for("nothing", time, |_| false);
}

fn rate(bytes: u64, took: Duration) -> String {
    let mebibytes = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / f64::from(1 << 20);
    format!("{:.3} MiB/s", mebibytes / took.as_secs_f64().max(f64::MIN_POSITIVE))
}

/// How fast ours is beside theirs.
fn ratio(what: &str, least: f64, bytes: u64, theirs: Vec<Duration>, ours: Vec<Duration>) -> Figure {
    let (theirs, ours) = (median(theirs), median(ours));
    let value = theirs.as_secs_f64() / ours.as_secs_f64().max(f64::MIN_POSITIVE);
    let of = format!("{} to {}", rate(bytes, ours), rate(bytes, theirs));
    Figure { what: what.to_owned(), value, unit: "", limit: Limit::AtLeast(least), of }
}

/// Waits until a job has ended well.
fn completed(server: &crate::scenario::server::Server<'_>, job: &str) -> Result<()> {
    server.wait_for_state(job, "completed", EVENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_of_medians_and_says_whether_it_is_reached() {
        let seconds =
            |all: &[u64]| all.iter().copied().map(Duration::from_secs).collect::<Vec<_>>();
        let figure = ratio("it", 0.97, 1 << 20, seconds(&[9, 1, 2]), seconds(&[2, 4, 2]));
        assert!((figure.value - 1.0).abs() < 1e-9 && figure.is_reached());
        let slow = ratio("it", 0.97, 1 << 20, seconds(&[2]), seconds(&[4]));
        assert!(!slow.is_reached());
        assert!(slow.to_string().starts_with("MISSED it"), "{slow}");
        let below = Figure { limit: Limit::Below(1.0), value: 1.0, ..figure };
        assert!(!below.is_reached(), "the limit itself is too much");
    }
}
