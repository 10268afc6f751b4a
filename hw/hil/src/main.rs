//! `hil`: the bench's command. `cargo xtask hil` builds what it needs and runs it.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use despool_hil::Error;
use despool_hil::bench::Setup;
use despool_hil::scenario::{self, Scenario, Stage, Summary, When};

const USAGE: &str = "usage: cargo xtask hil [COMMAND]

  run [NAME…]   run the scenarios whose names contain one of these, or all of them (this is what is done without COMMAND)
  quick         run those that take seconds only
  list          name the scenarios
  prepare       fetch and make everything, and run nothing
  sh LINE       run a line of shell in a fresh guest, with a printer on each port

  DESPOOL_HIL_CACHE   where everything fetched is kept
  DESPOOL_HIL_SEED    what random choices start from; a failed run says which it was
  DESPOOL_HIL_ACCEL   kvm, to trust /dev/kvm (it is not trusted otherwise)";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] | ["run"] => run(&[], When::Full),
        ["run", names @ ..] => run(names, When::Full),
        ["quick"] => run(&[], When::Always),
        ["prepare"] => setup().map(|_| true),
        ["sh", line @ ..] => shell(&line.join(" ")),
        ["list"] => {
            scenario::all().iter().for_each(|scenario| println!("{}", scenario.name));
            Ok(true)
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // What cannot run is a failure, and counted as one.
            eprintln!("hil: {error}");
            println!("test result: FAILED. 0 passed; 1 failed; 0 ignored");
            ExitCode::FAILURE
        }
    }
}

fn programs() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.parent().unwrap_or(Path::new(".")).to_owned()
}

fn setup() -> Result<Setup, Error> {
    let begun = Instant::now();
    let setup = Setup::prepare(&programs(), &|what| println!("bench: {what}"))?;
    println!("bench: ready after {:.1} s", begun.elapsed().as_secs_f32());
    Ok(setup)
}

fn run(names: &[&str], when: When) -> Result<bool, Error> {
    let wanted = |scenario: &Scenario| {
        (when == When::Full || scenario.when == When::Always)
            && (names.is_empty() || names.iter().any(|name| scenario.name.contains(name)))
    };
    let scenarios: Vec<Scenario> = scenario::all().into_iter().filter(wanted).collect();
    if scenarios.is_empty() {
        return Err(Error::Unexpected("no scenario has such a name; see `list`".into()));
    }
    let stage = Stage { setup: setup()?, despool: programs().join("despool"), seed: seed() };
    let summary = scenario::run(&stage, &scenarios, &|line| println!("{line}"));
    conclude(&summary, stage.seed);
    Ok(summary.failed.is_empty())
}

fn seed() -> u64 {
    let given = std::env::var("DESPOOL_HIL_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_secs() % 1_000_000)
    })
}

fn conclude(summary: &Summary, seed: u64) {
    let Summary { passed, failed } = summary;
    let time: f32 = passed.iter().map(|(_, took)| took.as_secs_f32()).sum();
    println!();
    for (name, why) in failed {
        println!("{name}: {why}\n  DESPOOL_HIL_SEED={seed} cargo xtask hil run {name}");
    }
    let verdict = if failed.is_empty() { "ok" } else { "FAILED" };
    println!(
        "test result: {verdict}. {} passed; {} failed; 0 ignored; real drivers in {time:.0} s",
        passed.len(),
        failed.len()
    );
}

fn shell(line: &str) -> Result<bool, Error> {
    let bench = setup()?.start()?;
    let running = bench.guest().spawn(&["/bin/sh", "-c", line])?;
    let output = running.wait(std::time::Duration::from_secs(600))?;
    println!("{}\n{}", output.text(), output.complaints());
    Ok(output.status == 0)
}
