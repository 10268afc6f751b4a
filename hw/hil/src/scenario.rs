//! Scenarios: what must hold on real drivers, as an operator's steps. Each has a machine of its own.
//!
//! [`wires`] shows that the bench itself can be believed: the kernel's drivers and busybox, nothing of despool.
//! The others run despool itself, as an operator does ([`server`]).

pub mod check;
pub mod hotplug;
pub mod lines;
pub mod server;
pub mod usb;
pub mod wires;

use std::path::PathBuf;
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
    [wires::ALL, usb::ALL, hotplug::ALL, lines::ALL].concat()
}

/// What running some scenarios came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Names of those that passed, and how long each took.
    pub passed: Vec<(&'static str, Duration)>,
    /// Names of those that failed, and why.
    pub failed: Vec<(&'static str, String)>,
}

/// Runs scenarios one after the other; `tell` hears of each as it ends.
pub fn run(stage: &Stage, scenarios: &[Scenario], tell: &dyn Fn(&str)) -> Summary {
    let mut summary = Summary::default();
    for scenario in scenarios {
        let begun = Instant::now();
        let result = run_one(stage, scenario);
        let took = begun.elapsed();
        let seconds = took.as_secs_f32();
        match result {
            Ok(()) => {
                tell(&format!("test {} ... ok ({seconds:.1} s)", scenario.name));
                summary.passed.push((scenario.name, took));
            }
            Err(error) => {
                tell(&format!("test {} ... FAILED ({seconds:.1} s)\n  {error}", scenario.name));
                summary.failed.push((scenario.name, error.to_string()));
            }
        }
    }
    summary
}

/// A panic of a scenario is its failure, not the end of the others.
fn run_one(stage: &Stage, scenario: &Scenario) -> Result<()> {
    let run = std::panic::AssertUnwindSafe(|| (scenario.run)(stage));
    std::panic::catch_unwind(run).unwrap_or_else(|_| Err(Error::Unexpected("it panicked".into())))
}
