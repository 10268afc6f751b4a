//! `despool demo`: the main job, with no set-up at all.
//!
//! A server in a temporary directory, a simulated bidirectional printer behind a real tty, and a file that travels through
//! router, local print provider, spool, print processor, language monitor and port monitor. What the server tells of it comes
//! as it comes to any client: registered by [MS-PAN], over a socket. In the end the bytes that the
//! printer got are compared with those that were sent.

mod document;
mod hear;
mod show;

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use clap::Args;
use despool_hw::sim::{Event as SimEvent, Language, Model, ModelOptions, PtyPrinter};
use sha2::{Digest, Sha256};

use self::hear::Hearing;
use self::show::Screen;
use super::client::{About, Client, Upload};
use super::watch::place::Place;
use super::{At, Failed, Outcome, units};
use crate::config::{Config, LanguageName, PrinterConfig};
use crate::frontend::ipp::wire::{GroupTag, JobState, Operation};
use crate::server::Server;

/// The printer's name.
const PRINTER: &str = "demo";

/// What the built-in document is printed at, so that there is something to see.
const SLOW: u64 = 48 * 1024;

/// The printer runs out of paper for this long.
const OUT_OF_PAPER: Duration = Duration::from_millis(700);

/// The printer's last words may take this long.
const LAST_WORDS: Duration = Duration::from_secs(5);

#[derive(Args, Debug)]
pub(super) struct Demo {
    /// The file to print [default: a built-in document, slowly, and the printer runs out of paper]
    file: Option<PathBuf>,
    /// How fast the printer takes bytes [default: as fast as it can; the built-in document at 48 KiB/s]
    #[arg(long, value_name = "BYTES_PER_SECOND")]
    speed: Option<u64>,
    #[command(flatten)]
    at: At,
}

pub(super) fn run(args: &Demo) -> Outcome {
    args.at.must_be_here()?;
    let dir = tempfile::Builder::new().prefix("despool-demo-").tempdir()?;
    let file = match &args.file {
        Some(file) => file.clone(),
        None => built_in(dir.path())?,
    };
    let (bytes, digest) = digest(&file)?;
    let speed = args.speed.or(args.file.is_none().then_some(SLOW));
    let options = ModelOptions {
        speed: speed.and_then(std::num::NonZero::new),
        buffer_bytes: 4096,
        ..ModelOptions::default()
    };
    let printer = PtyPrinter::start(Model::new(Language::Pjl, options, Instant::now()))?;
    let config = config(dir.path(), &printer)?;
    let journey = Journey { file, bytes, digest, printer, with_faults: args.file.is_none() };
    System::new().block_on(journey.run(config))
}

fn built_in(dir: &Path) -> Result<PathBuf, Failed> {
    let path = dir.join("built-in document");
    File::create(&path)?.write_all(&document::pages())?;
    Ok(path)
}

/// Length and SHA-256 of a file.
fn digest(path: &Path) -> Result<(u64, String), Failed> {
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = File::open(path).map_err(named)?;
    let mut sha = Sha256::new();
    let mut buf = vec![0; 1 << 20];
    let mut bytes = 0u64;
    loop {
        let got = file.read(&mut buf).map_err(named)?;
        if got == 0 {
            break;
        }
        sha.update(buf.get(..got).unwrap_or_default());
        bytes = bytes.saturating_add(u64::try_from(got)?);
    }
    Ok((bytes, sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn config(dir: &Path, printer: &PtyPrinter) -> Result<Config, Failed> {
    let port = format!("serial:{}?baud=115200", printer.path().display()).parse()?;
    let mut config = Config::without_file();
    config.server.state_dir = dir.join("state");
    config.listen.ipp = Some(([127, 0, 0, 1], 0).into());
    config.spool.min_free_bytes = 0;
    let printer =
        PrinterConfig { language: LanguageName::Pjl, ..PrinterConfig::new(PRINTER, port) };
    config.printers = vec![Arc::new(printer)];
    Ok(config)
}

/// One file on its way.
struct Journey {
    file: PathBuf,
    bytes: u64,
    digest: String,
    printer: PtyPrinter,
    with_faults: bool,
}

impl Journey {
    async fn run(self, config: Config) -> Outcome {
        let state_dir = config.server.state_dir.clone();
        let place = Place::local(&state_dir, &config.security.domain);
        let server = Server::start(config)?;
        let address = server.address("ipp").ok_or("the server does not listen")?;
        let rpc = server.address("rpc").ok_or("the server does not listen for RPC")?;
        let screen = Screen::new(self.bytes);
        screen.line(format!(
            "printer     a simulated PJL printer behind a real tty, {}",
            self.printer.path().display()
        ));
        screen.line(format!(
            "server      IPP on {address}, notifications ([MS-PAN] over DCE/RPC) on {rpc}, spool in {}",
            state_dir.join("spool").display()
        ));
        screen.line(format!("document    {}, {}", self.file.display(), units::bytes(self.bytes)));
        screen.line(
            "road        client -> router -> local print provider -> spool -> print processor"
                .to_owned(),
        );
        screen.line(
            "            -> language monitor (PJL) -> port monitor -> tty -> printer".to_owned(),
        );
        screen.line(String::new());
        let hearing = Hearing::begin(&place, screen.clone()).await?;
        self.arrange_faults(&screen);
        let begun = Instant::now();
        let id = self.submit(&address.to_string(), &screen).await?;
        let client = Client::new(address.to_string());
        let state = ended(&client, id).await?;
        let took = begun.elapsed();
        hearing.end().await?;
        let done = self.account(&client, id, state, took, &screen).await;
        server.stop().await;
        done
    }

    /// The built-in document meets an empty paper tray half-way.
    fn arrange_faults(&self, screen: &Screen) {
        let (screen, half) = (screen.clone(), self.bytes / 2);
        let printer = self.printer.handle().clone();
        if self.with_faults {
            let waiting = printer.clone();
            // Its own thread: the simulated printer is outside of the server.
            std::thread::spawn(move || {
                let limit = Instant::now() + Duration::from_secs(60);
                if waiting.wait_for(|snapshot| snapshot.bytes >= half, limit) {
                    waiting.command("paper-out on");
                    let refilled = Instant::now() + OUT_OF_PAPER;
                    waiting.wait_for(|snapshot| !snapshot.condition.paper_out, refilled);
                    waiting.command("paper-out off");
                }
            });
        }
        printer.on_event(move |event| screen.device(event));
    }

    async fn submit(&self, address: &str, screen: &Screen) -> Result<i32, Failed> {
        let client = Client::new(address.to_owned());
        let mut request = client.request(Operation::PrintJob, &About::Printer(PRINTER));
        let title = self.file.file_name().map_or("document".into(), |name| name.to_string_lossy());
        request.attributes_mut(GroupTag::Operation).put_name("job-name", &title);
        let file = File::open(&self.file)?;
        let upload = Upload::new(vec![Box::new(file)], Some(self.bytes));
        let answer = client.send(&request, upload).await?;
        let id = answer.attributes(GroupTag::Job).integer("job-id")?.unwrap_or_default();
        screen.line(format!(
            "job {id} is accepted: its {} are on disk, whatever happens now",
            units::bytes(self.bytes)
        ));
        Ok(id)
    }

    /// Compares what was sent with what arrived.
    async fn account(
        &self,
        client: &Client,
        id: i32,
        state: JobState,
        took: Duration,
        screen: &Screen,
    ) -> Outcome {
        let printer = self.printer.handle().clone();
        let bytes = self.bytes;
        // The tty has accepted everything; the last of it may still be on its way.
        let limit = Instant::now() + LAST_WORDS;
        tokio::task::spawn_blocking(move || {
            printer.wait_for(|snapshot| snapshot.bytes >= bytes && snapshot.buffered == 0, limit)
        })
        .await?;
        let received = self.printer.handle().received();
        let job = client.job(id, &["job-impressions-completed", "despool-accepted-bytes"]).await?;
        let digest = received.sum.hex();
        let equal = digest == self.digest && received.bytes == self.bytes;
        screen.line(String::new());
        screen.line(format!("sent        {:>12} bytes   sha256 {}", self.bytes, self.digest));
        screen.line(format!("received    {:>12} bytes   sha256 {digest}", received.bytes));
        screen.line(format!(
            "            {}; {} bytes accepted by the driver, {} pages confirmed by the printer",
            if equal { "equal, byte for byte" } else { "NOT EQUAL" },
            job.text("despool-accepted-bytes")?.unwrap_or_default(),
            job.integer("job-impressions-completed")?.unwrap_or_default(),
        ));
        screen.line(format!(
            "job {id} is {state} after {:.3} s, {}",
            took.as_secs_f64(),
            units::rate(self.bytes, took)
        ));
        Ok(if equal && state == JobState::Completed {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// Waits for the end of a job.
async fn ended(client: &Client, id: i32) -> Result<JobState, Failed> {
    loop {
        let job = client.job(id, &["job-state"]).await?;
        let state = JobState::from_code(job.enumeration("job-state")?.unwrap_or_default());
        if state.is_terminal() {
            return Ok(state);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Screen {
    /// Shows what happens at the device itself.
    fn device(&self, event: &SimEvent) {
        if let Some(text) = show::describe(event) {
            self.line(format!("device      {text}"));
        }
    }
}
