//! Scenarios: what must hold on real drivers, as an operator's steps. Each has a machine of its own.
//!
//! [`wires`] shows that the bench itself can be believed: the kernel's drivers and busybox, nothing of despool.
//! The others run despool itself, as an operator does ([`server`]).

pub mod attach;
pub mod chatter;
pub mod check;
pub mod conditions;
pub mod hotplug;
pub mod lines;
pub mod power;
pub mod server;
pub mod unplug;
pub mod usb;
pub mod way;
pub mod wires;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::bench::Setup;
use crate::error::{Error, Result};

/// When a scenario runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At every run: seconds.
    Always,
    /// Where all of them are asked for: it takes long, or repeats others at length.
    Full,
}

/// What a scenario has to work with.
#[derive(Debug)]
pub struct Stage {
    /// Makes machines.
    pub setup: Setup,
    /// The `despool` program, on the host.
    pub despool: PathBuf,
    /// What random choices start from.
    pub seed: u64,
    /// How often a scenario that repeats itself does so.
    pub rounds: u32,
}

/// One scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// How it is called on the command line.
    pub name: &'static str,
    /// When it runs.
    pub when: When,
    /// Its steps.
    pub run: fn(&Stage) -> Result<()>,
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    [
        wires::ALL,
        usb::ALL,
        unplug::ALL,
        hotplug::ALL,
        conditions::ALL,
        lines::ALL,
        power::ALL,
        chatter::ALL,
    ]
    .concat()
}

/// What running some scenarios came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Names of those that passed, and how long each took.
    pub passed: Vec<(&'static str, Duration)>,
    /// Names of those that failed, and why.
    pub failed: Vec<(&'static str, String)>,
}

/// Runs scenarios, so many at a time; `tell` hears of each as it ends.
pub fn run(
    stage: &Stage,
    scenarios: &[Scenario],
    at_a_time: usize,
    tell: &(dyn Fn(&str) + Sync),
) -> Summary {
    let (next, summary) = (AtomicUsize::new(0), Mutex::new(Summary::default()));
    let work = || {
        while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
            let begun = Instant::now();
            let result = run_one(stage, scenario);
            let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
            summary.note(scenario.name, begun.elapsed(), result, tell);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..at_a_time.max(1) {
            scope.spawn(work);
        }
    });
    summary.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Summary {
    fn note(
        &mut self,
        name: &'static str,
        took: Duration,
        result: Result<()>,
        tell: &dyn Fn(&str),
    ) {
        let seconds = took.as_secs_f32();
        match result {
            Ok(()) => {
                tell(&format!("test {name} ... ok ({seconds:.1} s)"));
                self.passed.push((name, took));
            }
            Err(error) => {
                tell(&format!("test {name} ... FAILED ({seconds:.1} s)\n  {error}"));
                self.failed.push((name, error.to_string()));
            }
        }
    }
}

/// A panic of a scenario is its failure, not the end of the others.
fn run_one(stage: &Stage, scenario: &Scenario) -> Result<()> {
    let run = std::panic::AssertUnwindSafe(|| (scenario.run)(stage));
    std::panic::catch_unwind(run).unwrap_or_else(|_| Err(Error::Unexpected("it panicked".into())))
}
