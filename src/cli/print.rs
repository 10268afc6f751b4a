//! `despool print`: submits files as one job.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::client::{About, Client, Refused, Upload};
use super::output::say;
use super::progress::Bar;
use super::{At, Failed, Outcome, open_file};
use crate::config::Datatype;
use crate::frontend::ipp::wire::{Attributes, GroupTag, JobState, Operation};

/// How often a waiting command looks at its job.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Args, Debug)]
pub(super) struct Print {
    /// The printer [default: the server's default printer]
    #[arg(short, long)]
    printer: Option<String>,
    /// The job's title [default: the first file's name]
    #[arg(short, long)]
    title: Option<String>,
    /// How often to print it
    #[arg(short = 'n', long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    copies: u16,
    /// From 1 (lowest) to 100
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=100))]
    priority: Option<u8>,
    /// Do not print it before it is released
    #[arg(long)]
    hold: bool,
    /// RAW, "RAW [FF appended]", "RAW [FF auto]" or TEXT [default: the printer's]
    #[arg(long, value_parser = datatype)]
    datatype: Option<Datatype>,
    /// Wait until it is printed
    #[arg(long)]
    wait: bool,
    /// The files, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    at: At,
}

pub(super) async fn run(args: Print) -> Outcome {
    let client = Client::find(&args.at)?;
    let (parts, length) = open(&args.files)?;
    let about = args.printer.as_deref().map_or(About::Server, About::Printer);
    let mut request = client.request(Operation::PrintJob, &about);
    let first =
        args.files.first().filter(|file| file.as_os_str() != "-").and_then(|file| file.file_name());
    let title = args.title.unwrap_or_else(|| {
        first.map_or("standard input".into(), |name| name.to_string_lossy().into_owned())
    });
    request
        .attributes_mut(GroupTag::Operation)
        .put_name("job-name", &title)
        .put("ipp-attribute-fidelity", true);
    let ticket = request.attributes_mut(GroupTag::Job);
    ticket.put("copies", i32::from(args.copies));
    if let Some(priority) = args.priority {
        ticket.put("job-priority", i32::from(priority));
    }
    if args.hold {
        ticket.put_keyword("job-hold-until", "indefinite");
    }
    if let Some(datatype) = &args.datatype {
        ticket.put_name("despool-datatype", datatype.name());
    }
    let mut bar = Bar::new("sending ");
    let upload = Upload::new(parts, length).telling(move |sent| bar.show(sent, length, ""));
    let answer = client.send(&request, upload).await?;
    let id = answer.attributes(GroupTag::Job).integer("job-id")?.unwrap_or_default();
    say(id)?;
    if args.wait { wait(&client, id).await } else { Ok(ExitCode::SUCCESS) }
}

fn datatype(name: &str) -> Result<Datatype, &'static str> {
    Datatype::named(name).ok_or(r#"write RAW, "RAW [FF appended]", "RAW [FF auto]" or TEXT"#)
}

/// Files to be sent, and their length where all of them have one.
type Parts = (Vec<Box<dyn Read>>, Option<u64>);

fn open(files: &[PathBuf]) -> Result<Parts, Failed> {
    let mut parts: Vec<Box<dyn Read>> = Vec::new();
    let mut length = Some(0u64);
    for path in files {
        if path.as_os_str() == "-" {
            length = None;
            parts.push(Box::new(std::io::stdin()));
            continue;
        }
        let file = open_file(path)?;
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(format!("{}: is a directory; name a file", path.display()).into());
        }
        length =
            length.filter(|_| about.is_file()).and_then(|length| length.checked_add(about.len()));
        parts.push(Box::new(file));
    }
    Ok((parts, length))
}

/// Waits for a job's end, and ends as it did.
pub(super) async fn wait(client: &Client, id: i32) -> Outcome {
    let mut bar = Bar::new("printing");
    let mut told = String::new();
    loop {
        let wanted = [
            "job-state",
            "job-state-reasons",
            "job-state-message",
            "despool-accepted-bytes",
            "despool-total-bytes",
        ];
        let job = client.job(id, &wanted).await?;
        let state = JobState::from_code(job.enumeration("job-state")?.unwrap_or_default());
        let number =
            |name: &str| Ok::<_, Refused>(job.text(name)?.and_then(|text| text.parse().ok()));
        let (done, total) =
            (number("despool-accepted-bytes")?.unwrap_or(0), number("despool-total-bytes")?);
        let note = note(state, &job)?;
        if state.is_terminal() {
            bar.clear();
            eprintln!("job {id}: {note}");
            return Ok(if state == JobState::Completed {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        if told != note {
            bar.clear();
            eprintln!("job {id}: {note}");
            told.clone_from(&note);
        }
        bar.show(done, total, &note);
        tokio::time::sleep(LOOK).await;
    }
}

/// Reasons that say no more than the state does.
const PLAIN: [&str; 6] = [
    "none",
    "job-queued",
    "job-incoming",
    "job-printing",
    "job-restartable",
    "job-completed-successfully",
];

/// A job's state, and why it is so.
fn note(state: JobState, job: &Attributes) -> Result<String, Refused> {
    let message = job.text("job-state-message")?.unwrap_or_default();
    if !message.is_empty() {
        return Ok(format!("{state}: {message}"));
    }
    let mut reasons = job.keywords("job-state-reasons")?;
    reasons.retain(|reason| !PLAIN.contains(reason));
    Ok(if reasons.is_empty() {
        state.to_string()
    } else {
        format!("{state}: {}", reasons.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_person_hears_why() {
        let said = |state, message: &str, reasons: &[&str]| {
            let mut job = Attributes::new();
            job.put_text("job-state-message", message);
            job.put_keywords("job-state-reasons", reasons.iter().copied());
            note(state, &job).unwrap()
        };
        assert_eq!(said(JobState::Pending, "", &["printer-stopped"]), "pending: printer-stopped");
        assert_eq!(said(JobState::Processing, "", &["job-printing"]), "processing");
        let stopped = said(JobState::ProcessingStopped, "Load paper", &["media-empty"]);
        assert_eq!(stopped, "processing-stopped: Load paper");
    }
}
