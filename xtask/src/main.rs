//! despool's chores: `cargo xtask test`, `cargo xtask deps`, `cargo xtask bench`, `cargo xtask hil`.
#![forbid(unsafe_code)]

mod hil;
mod packages;
mod python;
mod test;

use std::process::{Command, ExitCode};

const USAGE: &str = "usage: cargo xtask COMMAND

  test    install what the tests need (says what and why first), run every tier, print one summary
  deps    only install what the tests need
  bench   run the benches, and fail where a ratio misses its target
  hil     run scenarios on real drivers: `cargo xtask hil help` says more";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => install().and_then(|()| test::run()),
        ["deps"] => install(),
        ["bench"] => bench(),
        ["hil", words @ ..] => hil::hil(words),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn install() -> Result<(), String> {
    packages::install().and_then(|()| python::install())
}

fn bench() -> Result<(), String> {
    run(Command::new("cargo")
        .args(["bench", "--workspace", "--bench", "*", "--no-fail-fast"])
        .env("DESPOOL_BENCH_ENFORCE", "1"))
}

/// Runs a command to its end.
fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown}: {status}")),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}
