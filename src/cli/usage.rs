//! What a command line that is not understood gets: one line, as every other error.

use std::process::ExitCode;

use clap::error::ErrorKind;

/// Wrong usage.
const WRONG: u8 = 2;

/// Shows the help that was asked for, or says in one line what is wrong with the command line.
pub(super) fn answer(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nobody reads it: then nobody misses it.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(WRONG)
        }
        _ => {
            eprintln!("despool: {}", one_line(&error.render().to_string()));
            ExitCode::from(WRONG)
        }
    }
}

/// Clap writes paragraphs: what is wrong, tips, the usage, where to read more.
fn one_line(said: &str) -> String {
    let mut parts = Vec::new();
    for paragraph in said.split("\n\n") {
        let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(wrong) = line.strip_prefix("error: ") {
            parts.push(wrong.to_owned());
        } else if let Some(tip) = line.strip_prefix("tip: ") {
            parts.push(tip.to_owned());
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            parts.push(format!("write `{usage}`"));
        }
    }
    parts.push("--help says more".to_owned());
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn said(arguments: &[&str]) -> String {
        let arguments = ["despool"].iter().chain(arguments);
        one_line(&Cli::try_parse_from(arguments).unwrap_err().render().to_string())
    }

    #[test]
    fn wrong_usage_is_one_line() {
        for (arguments, expected) in [
            (
                &["print"][..],
                "the following required arguments were not provided: <FILE>...; write `despool print <FILE>...`; --help says more",
            ),
            (
                &["cancel", "0"],
                "invalid value '0' for '<JOB>...': 0 is not in 1..=2147483647; --help says more",
            ),
            (
                &["jobs", "--al"],
                "unexpected argument '--al' found; a similar argument exists: '--all'; write `despool jobs --all`; --help says more",
            ),
            (
                &["cancle"],
                "unrecognized subcommand 'cancle'; a similar subcommand exists: 'cancel'; write `despool <COMMAND>`; --help says more",
            ),
        ] {
            assert_eq!(said(arguments), expected);
        }
    }
}
