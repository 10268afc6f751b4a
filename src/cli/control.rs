//! What a person does to jobs and printers.

use std::process::ExitCode;

use clap::Args;

use super::client::{About, Client};
use super::{At, Failed, Outcome};
use crate::frontend::ipp::wire::{GroupTag, Operation};

#[derive(Args, Debug)]
pub(super) struct JobArgs {
    /// The jobs' numbers
    #[arg(required = true, value_name = "JOB", value_parser = clap::value_parser!(u32).range(1..=2_147_483_647))]
    jobs: Vec<u32>,
    #[command(flatten)]
    at: At,
}

#[derive(Args, Debug)]
pub(super) struct MoveArgs {
    /// The job's number
    #[arg(value_name = "JOB", value_parser = clap::value_parser!(u32).range(1..=2_147_483_647))]
    job: u32,
    /// The printer to move it to
    printer: String,
    #[command(flatten)]
    at: At,
}

#[derive(Args, Debug)]
pub(super) struct PrinterArgs {
    /// The printer
    printer: String,
    #[command(flatten)]
    at: At,
}

/// What can be done to jobs.
#[derive(Clone, Copy, Debug)]
pub(super) enum JobVerb {
    Cancel,
    Hold,
    Release,
    Reprint,
}

/// What can be done to a printer.
#[derive(Clone, Copy, Debug)]
pub(super) enum PrinterVerb {
    Pause,
    Resume,
    Accept,
    Reject,
}

/// Does it to each job; those that refuse do not keep the others from it.
pub(super) async fn jobs(verb: JobVerb, args: JobArgs) -> Outcome {
    let client = Client::find(&args.at)?;
    let operation = match verb {
        JobVerb::Cancel => Operation::CancelJob,
        JobVerb::Hold => Operation::HoldJob,
        JobVerb::Release => Operation::ReleaseJob,
        JobVerb::Reprint => Operation::RestartJob,
    };
    let mut refusals = Vec::new();
    for job in args.jobs {
        if let Err(refused) =
            client.ask(&client.request(operation, &About::Job(&job.to_string()))).await
        {
            refusals.push(refused.to_string());
        }
    }
    if refusals.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(Failed::from(refusals.join("; "))) }
}

pub(super) async fn move_job(args: MoveArgs) -> Outcome {
    let client = Client::find(&args.at)?;
    let mut request = client.request(Operation::CupsMoveJob, &About::Job(&args.job.to_string()));
    request
        .attributes_mut(GroupTag::Job)
        .put_uri("job-printer-uri", &client.printer_uri(&args.printer));
    client.ask(&request).await?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn printer(verb: PrinterVerb, args: PrinterArgs) -> Outcome {
    let client = Client::find(&args.at)?;
    let operation = match verb {
        PrinterVerb::Pause => Operation::PausePrinter,
        PrinterVerb::Resume => Operation::ResumePrinter,
        PrinterVerb::Accept => Operation::CupsAcceptJobs,
        PrinterVerb::Reject => Operation::CupsRejectJobs,
    };
    client.ask(&client.request(operation, &About::Printer(&args.printer))).await?;
    Ok(ExitCode::SUCCESS)
}
