//! `despool check`: validates a configuration.

use std::process::ExitCode;

use clap::Args;

use super::output::say;
use super::serve::default_config;
use super::{At, Failed, Outcome};
use crate::config::Config;

#[derive(Args, Debug)]
pub(super) struct Check {
    #[command(flatten)]
    at: At,
}

/// Every problem is a line on stderr: file, line, key, and what would be right.
pub(super) fn run(args: &Check) -> Outcome {
    args.at.must_be_here()?;
    let file = args.at.config.clone().or_else(default_config);
    let file = file.ok_or_else(|| {
        Failed::from("there is no configuration file; name one with --config FILE")
    })?;
    match Config::load(&file) {
        Ok(config) => {
            let count = config.printers.len();
            let printers = if count == 1 { "printer" } else { "printers" };
            say(format_args!("{}: good, {count} {printers}", file.display()))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            for problem in problems {
                eprintln!("{problem}");
            }
            Ok(ExitCode::FAILURE)
        }
    }
}
