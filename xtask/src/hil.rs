//! `cargo xtask hil`: builds the bench and its parts, and runs it.

use std::process::Command;

use crate::{packages, run};

/// What the bench runs, beside itself: the agent of its guest, the shim in QEMU, and the program under test.
const PARTS: [&str; 4] = ["despool-hil", "despool-hil-agent", "despool-hil-shim", "despool"];

/// Builds everything that the bench needs.
fn build() -> Result<(), String> {
    let packages = PARTS.iter().flat_map(|package| ["--package", package]);
    run(Command::new("cargo").args(["build", "--quiet", "--lib", "--bins"]).args(packages))
}

/// Builds, and runs the bench with these words.
pub(crate) fn hil(words: &[&str]) -> Result<(), String> {
    packages::learn()?;
    build()?;
    if words.first() == Some(&"bench") {
        // What is measured is what people run.
        let mut release = Command::new("cargo");
        run(release.args(["build", "--quiet", "--release", "--package", "despool", "--bins"]))?;
    }
    // Packages vanish from the mirrors when newer ones come, and apt's lists are from the day before.
    if words.first() != Some(&"list") && run(bench().arg("prepare")).is_err() {
        println!("bench: once more, with new lists of packages");
        packages::update()?;
    }
    run(bench().args(words))
}

fn bench() -> Command {
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--package", "despool-hil", "--bin", "hil", "--"]);
    command
}
