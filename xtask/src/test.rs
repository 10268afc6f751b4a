//! Runs all tiers and adds up what they say.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// What the test programs counted.
#[derive(Default)]
struct Sum {
    passed: u64,
    failed: u64,
    ignored: u64,
    skipped: Vec<String>,
}

/// All tiers: the plain one, foreign programs, and the slow ones. The scenarios on real drivers are `cargo xtask hil`.
pub(crate) fn run() -> Result<(), String> {
    let mut sum = Sum::default();
    let mut command = Command::new("cargo");
    command.args(["test", "--workspace", "--no-fail-fast"]).env("DESPOOL_TIERS", "foreign,slow");
    let ended = follow(&mut command, &mut sum)?;
    println!();
    for skipped in &sum.skipped {
        println!("{skipped}");
    }
    println!("all tiers: {} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.ignored);
    println!("{} passed, {} failed", sum.passed, sum.failed);
    if !ended || sum.failed > 0 || sum.ignored > 0 || !sum.skipped.is_empty() {
        return Err("not every test ran and passed".to_owned());
    }
    if sum.passed == 0 {
        return Err("no test ran".to_owned());
    }
    Ok(())
}

/// Shows a command's output as it comes, and counts in it; whether the command succeeded.
fn follow(command: &mut Command, sum: &mut Sum) -> Result<bool, String> {
    let named = |error: std::io::Error| format!("cargo: {error}");
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(named)?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.map_err(named)?;
            println!("{line}");
            sum.count(&line);
        }
    }
    Ok(child.wait().map_err(named)?.success())
}

impl Sum {
    /// `test result: ok. 5 passed; 0 failed; 0 ignored; …`, and tests that say they could not run.
    fn count(&mut self, line: &str) {
        if line.starts_with("skipped: ") {
            self.skipped.push(line.to_owned());
        }
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let number = |what: &str| {
            let part = result.split(['.', ';']).find(|part| part.trim().ends_with(what))?;
            part.split_whitespace().next()?.parse::<u64>().ok()
        };
        self.passed += number("passed").unwrap_or(0);
        self.failed += number("failed").unwrap_or(0);
        self.ignored += number("ignored").unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up() {
        let mut sum = Sum::default();
        sum.count("test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s");
        sum.count("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s");
        sum.count("test something ... ok");
        assert_eq!((sum.passed, sum.failed, sum.ignored), (8, 2, 1));
    }
}
