//! `hil`: the bench's command. `cargo xtask hil` builds what it needs and runs it.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use despool_hil::bench::Setup;
use despool_hil::scenario::{self, Scenario, Stage, Summary, When};
use despool_hil::{Error, measure};

const USAGE: &str = "usage: cargo xtask hil [COMMAND]

  run [NAME…]   run the scenarios whose names contain one of these, or all of them (this is what is done without COMMAND)
  quick         run those that take seconds only
  bench [NAME…] measure what despool is held to, beside its limits
  list          name the scenarios
  prepare       fetch and make everything, and run nothing
  sh LINE       run a line of shell in a fresh guest, with a printer on each port

  DESPOOL_HIL_CACHE   where everything fetched is kept
  DESPOOL_HIL_DESPOOL the program under test, where it is not the one beside this
  DESPOOL_HIL_SEED    what random choices start from; a failed run says which it was
  DESPOOL_HIL_ROUNDS  how often a scenario that repeats itself does so: 50, or 3 when it is to be quick
  DESPOOL_HIL_JOBS    how many scenarios run at a time: 2, where there are two processors
  DESPOOL_HIL_ACCEL   kvm, to trust /dev/kvm (it is not trusted otherwise)";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] | ["run"] => run(&[], When::Full),
        ["run", names @ ..] => run(names, When::Full),
        ["quick"] => run(&[], When::Always),
        ["bench", names @ ..] => bench(names),
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
    let stage = stage(when, "despool")?;
    let begun = Instant::now();
    let summary = scenario::run(&stage, &scenarios, at_a_time(), &|line| println!("{line}"));
    conclude(&summary, stage.seed, begun.elapsed());
    Ok(summary.failed.is_empty())
}

/// Measures the release build, which `cargo xtask hil bench` makes.
fn bench(names: &[&str]) -> Result<bool, Error> {
    let stage = stage(When::Full, "../release/despool")?;
    println!("bench: {} under test", stage.despool.display());
    Ok(measure::run(&stage, names, &|line| println!("{line}")))
}

fn stage(when: When, despool: &str) -> Result<Stage, Error> {
    let given = std::env::var_os("DESPOOL_HIL_DESPOOL").map(PathBuf::from);
    let despool = given.unwrap_or_else(|| programs().join(despool));
    let despool = despool.canonicalize().map_err(|error| {
        let remedy = "`cargo xtask hil` builds it".into();
        Error::Missing { what: format!("{}: {error}", despool.display()), remedy }
    })?;
    let rounds = rounds(when);
    let stage = Stage { setup: setup()?, despool, seed: seed(), rounds };
    println!("bench: seed {}, {rounds} rounds where a scenario repeats itself", stage.seed);
    Ok(stage)
}

fn seed() -> u64 {
    let given = std::env::var("DESPOOL_HIL_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_secs() % 1_000_000)
    })
}

/// How often a scenario that repeats itself does so.
fn rounds(when: When) -> u32 {
    let given = std::env::var("DESPOOL_HIL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    given.unwrap_or(if when == When::Always { 3 } else { 50 })
}

/// A machine keeps one processor busy, and a half where it moves much.
fn at_a_time() -> usize {
    const MOST: usize = 2;
    let given = std::env::var("DESPOOL_HIL_JOBS").ok().and_then(|jobs| jobs.parse().ok());
    given.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from).min(MOST))
}

fn conclude(summary: &Summary, seed: u64, took: Duration) {
    let Summary { passed, failed } = summary;
    let time = took.as_secs_f32();
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
    // The host's own files are at /host then.
    bench.guest().run_host(&["/bin/true"])?;
    let running = bench.guest().spawn(&["/bin/sh", "-c", line])?;
    let output = running.wait(Duration::from_secs(600))?;
    println!("{}\n{}", output.text(), output.complaints());
    Ok(output.status == 0)
}
