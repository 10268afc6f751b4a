//! `despool printers`, `despool jobs`: what there is.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::client::{About, Client};
use super::output::say;
use super::{At, Outcome, time};
use crate::frontend::ipp::wire::{
    AttributeError, Attributes, GroupTag, JobState, Operation, PrinterState,
};

#[derive(Args, Debug)]
pub(super) struct Printers {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
}

#[derive(Args, Debug)]
pub(super) struct Jobs {
    /// Of this printer only
    #[arg(short, long)]
    printer: Option<String>,
    /// Also those that have ended
    #[arg(long)]
    all: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
}

pub(super) async fn printers(args: Printers) -> Outcome {
    let client = Client::find(&args.at)?;
    let answer = client.ask(&client.request(Operation::CupsGetPrinters, &About::Server)).await?;
    let groups: Vec<&Attributes> = answer.groups_of(GroupTag::Printer).collect();
    let mut wide = "PORT".len();
    for printer in &groups {
        wide = wide.max(printer.uri("device-uri")?.map_or(0, |uri| uri.chars().count()));
    }
    if !args.json {
        say(format_args!(
            "{:<20} {:<11} {:<9} {:>6}  {:<wide$} STATUS",
            "PRINTER", "STATE", "ACCEPTING", "QUEUED", "PORT"
        ))?;
    }
    for (n, printer) in groups.into_iter().enumerate() {
        if args.json {
            say(printer_json(printer, n == 0)?)?;
        } else {
            say(printer_line(printer, wide)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn printer_json(printer: &Attributes, default: bool) -> Result<serde_json::Value, AttributeError> {
    let text =
        |name: &str| Ok::<_, AttributeError>(printer.text(name)?.unwrap_or_default().into_owned());
    Ok(json!({
        "name": text("printer-name")?,
        "state": printer_state(printer)?.to_string(),
        "reasons": reasons(printer, "printer-state-reasons")?,
        "message": text("printer-state-message")?,
        "accepting": printer.boolean("printer-is-accepting-jobs")?,
        "queued": printer.integer("queued-job-count")?,
        "port": printer.uri("device-uri")?,
        "uri": printer.uri("printer-uri-supported")?,
        "model": text("printer-make-and-model")?,
        "info": text("printer-info")?,
        "location": text("printer-location")?,
        "default": default,
    }))
}

fn printer_line(printer: &Attributes, wide: usize) -> Result<String, AttributeError> {
    let message = printer.text("printer-state-message")?.unwrap_or_default().into_owned();
    let reasons = reasons(printer, "printer-state-reasons")?.join(", ");
    let status = if message.is_empty() || reasons.is_empty() {
        reasons
    } else {
        format!("{reasons}: {message}")
    };
    Ok(format!(
        "{:<20} {:<11} {:<9} {:>6}  {:<wide$} {status}",
        printer.text("printer-name")?.unwrap_or_default(),
        printer_state(printer)?.to_string(),
        if printer.boolean("printer-is-accepting-jobs")? == Some(true) { "yes" } else { "no" },
        printer.integer("queued-job-count")?.unwrap_or_default(),
        printer.uri("device-uri")?.unwrap_or_default(),
    ))
}

fn printer_state(printer: &Attributes) -> Result<PrinterState, AttributeError> {
    Ok(PrinterState::from_code(printer.enumeration("printer-state")?.unwrap_or_default()))
}

/// Reasons; none for `none`.
fn reasons(attributes: &Attributes, name: &str) -> Result<Vec<String>, AttributeError> {
    let reasons = attributes.keywords(name)?;
    Ok(reasons.into_iter().filter(|reason| *reason != "none").map(str::to_owned).collect())
}

pub(super) async fn jobs(args: Jobs) -> Outcome {
    let client = Client::find(&args.at)?;
    let about = args.printer.as_deref().map_or(About::Server, About::Printer);
    let mut request = client.request(Operation::GetJobs, &about);
    request
        .attributes_mut(GroupTag::Operation)
        .put_keyword("which-jobs", if args.all { "all" } else { "not-completed" })
        .put_keyword("requested-attributes", "all");
    let answer = client.ask(&request).await?;
    if !args.json {
        say(format_args!(
            "{:>7} {:<16} {:<12} {:<18} {:>12} {:>12} {:<19} TITLE",
            "JOB", "PRINTER", "USER", "STATE", "BYTES", "PRINTED", "SUBMITTED"
        ))?;
    }
    for job in answer.groups_of(GroupTag::Job) {
        if args.json {
            say(job_json(job)?)?;
        } else {
            say(job_line(job)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn number(job: &Attributes, name: &str) -> Result<Option<u64>, AttributeError> {
    Ok(job.text(name)?.and_then(|text| text.parse().ok()))
}

fn job_json(job: &Attributes) -> Result<serde_json::Value, AttributeError> {
    let text =
        |name: &str| Ok::<_, AttributeError>(job.text(name)?.map(std::borrow::Cow::into_owned));
    let when = |name: &str| {
        Ok::<_, AttributeError>(job.integer(name)?.map(|seconds| time::rfc3339(seconds.into())))
    };
    Ok(json!({
        "id": job.integer("job-id")?,
        "printer": printer_of(job)?,
        "title": text("job-name")?,
        "user": text("job-originating-user-name")?,
        "host": text("job-originating-host-name")?,
        "state": job_state(job)?.to_string(),
        "reasons": reasons(job, "job-state-reasons")?,
        "message": text("job-state-message")?,
        "copies": job.integer("copies")?,
        "priority": job.integer("job-priority")?,
        "datatype": text("despool-datatype")?,
        "format": job.mime_type("document-format-supplied")?,
        "bytes_total": number(job, "despool-total-bytes")?,
        "bytes_done": number(job, "despool-accepted-bytes")?,
        "bytes_confirmed": number(job, "despool-confirmed-bytes")?,
        "pages": job.integer("job-impressions-completed")?,
        "attempts": job.integer("despool-attempts")?,
        "recovery": job.keyword("despool-recovery")?,
        "bytes_maybe_on_paper": number(job, "despool-maybe-on-paper-bytes")?,
        "submitted": when("time-at-creation")?,
        "started": when("time-at-processing")?,
        "ended": when("time-at-completed")?,
    }))
}

fn job_line(job: &Attributes) -> Result<String, AttributeError> {
    let bytes = |name: &str| {
        Ok::<_, AttributeError>(
            number(job, name)?.map_or("-".to_owned(), |bytes| bytes.to_string()),
        )
    };
    let submitted = job
        .integer("time-at-creation")?
        .map_or("-".to_owned(), |seconds| time::local(seconds.into()));
    Ok(format!(
        "{:>7} {:<16} {:<12} {:<18} {:>12} {:>12} {:<19} {}",
        job.integer("job-id")?.unwrap_or_default(),
        printer_of(job)?,
        job.text("job-originating-user-name")?.unwrap_or_default(),
        job_state(job)?.to_string(),
        bytes("despool-total-bytes")?,
        bytes("despool-accepted-bytes")?,
        submitted,
        job.text("job-name")?.unwrap_or_default(),
    ))
}

fn job_state(job: &Attributes) -> Result<JobState, AttributeError> {
    Ok(JobState::from_code(job.enumeration("job-state")?.unwrap_or_default()))
}

fn printer_of(job: &Attributes) -> Result<String, AttributeError> {
    let uri = job.uri("job-printer-uri")?.unwrap_or_default();
    Ok(crate::frontend::ipp::printer_name(uri).unwrap_or_else(|| uri.to_owned()))
}
