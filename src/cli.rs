//! The command line.
//!
//! There is no private protocol: whatever a command does to a server it does by IPP, or hears by [MS-PAN], as any other
//! client would. Errors are one line on stderr: what failed, on what, what to do. Exit status: 0 done, 1 failed, 2 wrong usage.

mod bench;
mod check;
mod client;
mod control;
mod demo;
mod list;
mod output;
mod ports;
mod print;
mod progress;
mod serve;
mod time;
mod units;
mod usage;
mod user;
mod watch;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// The print server for raw jobs.
#[derive(Debug, Parser)]
#[command(name = "despool", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Where the server is.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct At {
    /// The server's IPP address, HOST:PORT [default: the local server's]
    #[arg(long, value_name = "ADDRESS", global = true)]
    server: Option<String>,
    /// The server's configuration file [default: $DESPOOL_CONFIG, or /etc/despool/despool.toml if there is one]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

impl At {
    /// For commands that need no server: refuses what is not this machine.
    pub(crate) fn must_be_here(&self) -> Result<(), Failed> {
        let Some(address) = &self.server else { return Ok(()) };
        let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let loops = host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if loops || host.eq_ignore_ascii_case("localhost") {
            return Ok(());
        }
        Err(format!("{address}: this command looks at the machine it runs on; run it there").into())
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server in the foreground
    Serve(serve::Serve),
    /// Print a file to a simulated printer, and watch it travel
    Demo(demo::Demo),
    /// Submit files (or - for standard input) as one job
    Print(print::Print),
    /// List printers
    Printers(list::Printers),
    /// List jobs
    Jobs(list::Jobs),
    /// Cancel jobs
    Cancel(control::JobArgs),
    /// Hold jobs
    Hold(control::JobArgs),
    /// Release held jobs
    Release(control::JobArgs),
    /// Print jobs again
    Reprint(control::JobArgs),
    /// Move a job to another printer
    Move(control::MoveArgs),
    /// Begin no more jobs on a printer
    Pause(control::PrinterArgs),
    /// Begin jobs on a printer again
    Resume(control::PrinterArgs),
    /// Accept new jobs for a printer
    Accept(control::PrinterArgs),
    /// Refuse new jobs for a printer
    Reject(control::PrinterArgs),
    /// Show notifications as they come, and answer questions
    Watch(watch::Watch),
    /// List attached devices as device URIs
    Ports(ports::Ports),
    /// Measure a port: despooled, beside a plain write loop
    Bench(bench::Bench),
    /// Accounts of the people and programs that log on
    User(user::User),
    /// Check a configuration file
    Check(check::Check),
}

/// What a command ends with.
pub(crate) type Outcome = Result<ExitCode, Failed>;

/// Why a command failed, in one line.
#[derive(Debug)]
pub(crate) struct Failed(String);

impl<E: std::fmt::Display> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::answer(&error),
    };
    let (name, outcome) = dispatch(cli.command);
    // Simulated printers belong to no server: nothing that runs in this process needs them now.
    despool_hw::sim::retire_all();
    match outcome {
        Ok(code) => code,
        Err(Failed(why)) => {
            eprintln!("despool {name}: {}", why.trim_end().replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> (&'static str, Outcome) {
    use control::{JobVerb, PrinterVerb};
    match command {
        Command::Serve(args) => ("serve", serve::run(&args)),
        Command::Demo(args) => ("demo", demo::run(&args)),
        Command::Print(args) => ("print", with_runtime(print::run(args))),
        Command::Printers(args) => ("printers", with_runtime(list::printers(args))),
        Command::Jobs(args) => ("jobs", with_runtime(list::jobs(args))),
        Command::Cancel(args) => ("cancel", with_runtime(control::jobs(JobVerb::Cancel, args))),
        Command::Hold(args) => ("hold", with_runtime(control::jobs(JobVerb::Hold, args))),
        Command::Release(args) => ("release", with_runtime(control::jobs(JobVerb::Release, args))),
        Command::Reprint(args) => ("reprint", with_runtime(control::jobs(JobVerb::Reprint, args))),
        Command::Move(args) => ("move", with_runtime(control::move_job(args))),
        Command::Pause(args) => ("pause", with_runtime(control::printer(PrinterVerb::Pause, args))),
        Command::Resume(args) => {
            ("resume", with_runtime(control::printer(PrinterVerb::Resume, args)))
        }
        Command::Accept(args) => {
            ("accept", with_runtime(control::printer(PrinterVerb::Accept, args)))
        }
        Command::Reject(args) => {
            ("reject", with_runtime(control::printer(PrinterVerb::Reject, args)))
        }
        Command::Watch(args) => ("watch", with_runtime(watch::run(args))),
        Command::Ports(args) => ("ports", ports::run(&args)),
        Command::Bench(args) => ("bench", bench::run(&args)),
        Command::User(args) => ("user", user::run(&args)),
        Command::Check(args) => ("check", check::run(&args)),
    }
}

/// A file that a person named.
fn open_file(path: &Path) -> Result<File, Failed> {
    File::open(path).map_err(|error| {
        Failed(format!("{}: {error}; name a file that can be read", path.display()))
    })
}

fn with_runtime(command: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, command)
}
