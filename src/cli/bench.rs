//! `despool bench`: what a port takes, and how much of that is left when despool drives it.
//!
//! The same bytes go to the same port two ways, one after the other: by a plain loop that writes and waits, and through
//! a whole server (spooled by IPP, played back), each as often as asked, alternating. The ratio is what counts; absolute
//! numbers are the machine's and the device's.
//!
//! The bytes are NULs unless a file is named: most printers ignore them.

use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use clap::Args;
use despool_hw::{Bell, DeviceUri, Interest, Lent, Port};
use serde_json::json;

use super::client::{About, Client, Upload};
use super::output::say;
use super::{At, Failed, Outcome, open_file, units};
use crate::config::{Config, PrinterConfig, units::bytes};
use crate::event::{Events, What};
use crate::frontend::ipp::wire::{GroupTag, Operation};
use crate::limits::CONNECT_WAIT;
use crate::provider::{JobState, Subscribe};
use crate::server::Server;

const PRINTER: &str = "bench";

#[derive(Args, Debug)]
pub(super) struct Bench {
    /// The port, as a device URI
    #[arg(value_name = "PORT-URI")]
    port: DeviceUri,
    /// How much to send each time: 65536, 16MiB …
    #[arg(long, value_name = "BYTES", default_value = "16MiB", value_parser = bytes)]
    size: u64,
    /// Send this file instead of NULs
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How often each way
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
}

/// One way to the port.
#[derive(Clone, Copy, Debug)]
struct Lap {
    took: Duration,
    /// CPU time of this process meanwhile.
    cpu: Duration,
}

pub(super) fn run(args: &Bench) -> Outcome {
    args.at.must_be_here()?;
    let dir = tempfile::Builder::new().prefix("despool-bench-").tempdir()?;
    let (mut file, size) = open(args, dir.path())?;
    let (mut plain, mut despooled) = (Vec::new(), Vec::new());
    for run in 0..args.runs {
        plain.push(write_loop(&args.port, &mut file)?);
        tell(args, "plain write loop", run, size, plain.last())?;
        let state_dir = dir.path().join(format!("state{run}"));
        despooled.push(System::new().block_on(through_a_server(args, state_dir, &file, size))?);
        tell(args, "despooled", run, size, despooled.last())?;
    }
    summarize(args, size, &median(plain), &median(despooled))?;
    Ok(ExitCode::SUCCESS)
}

fn open(args: &Bench, dir: &std::path::Path) -> Result<(std::fs::File, u64), Failed> {
    if let Some(path) = &args.file {
        let file = open_file(path)?;
        let size = file.metadata()?.len();
        return Ok((file, size));
    }
    let mut file = std::fs::File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(dir.join("document"))?;
    let block = vec![0; 1 << 20];
    let mut left = args.size;
    while left > 0 {
        let now = left.min(1 << 20);
        file.write_all(block.get(..usize::try_from(now)?).unwrap_or_default())?;
        left = left.saturating_sub(now);
    }
    Ok((file, args.size))
}

/// Reads and writes until the device has everything.
fn write_loop(uri: &DeviceUri, file: &mut std::fs::File) -> Result<Lap, Failed> {
    use std::io::Read;
    file.seek(SeekFrom::Start(0))?;
    let mut port = despool_hw::open(uri)?;
    let bell = Bell::new()?;
    let clock = Clock::start();
    port.begin_job(&bell, Instant::now() + CONNECT_WAIT)?;
    let mut buf = vec![0; despool_hw::limits::WRITE_BYTES];
    loop {
        let got = file.read(&mut buf)?;
        if got == 0 {
            break;
        }
        write_all(&mut *port, &bell, buf.get(..got).unwrap_or_default())?;
    }
    port.end_job()?;
    while !wait(&mut *port, &bell, Interest { drained: true, ..Interest::default() })?.drained {}
    Ok(clock.stop())
}

fn write_all(port: &mut dyn Port, bell: &Bell, mut bytes: &[u8]) -> Result<(), Failed> {
    while !bytes.is_empty() {
        let took = port.write(Lent::memory(bytes))?;
        bytes = bytes.get(took..).unwrap_or_default();
        if took == 0 {
            wait(port, bell, Interest { write: true, ..Interest::default() })?;
        }
    }
    Ok(())
}

fn wait(port: &mut dyn Port, bell: &Bell, interest: Interest) -> Result<despool_hw::Ready, Failed> {
    let read = port.facts().back_channel;
    let ready = port.wait(Interest { read, ..interest }, bell, None)?;
    if ready.read {
        port.read(&mut [0; 4096])?;
    }
    Ok(ready)
}

async fn through_a_server(
    args: &Bench,
    state_dir: PathBuf,
    file: &std::fs::File,
    size: u64,
) -> Result<Lap, Failed> {
    let mut config = Config::without_file();
    config.server.state_dir = state_dir;
    config.listen.ipp = Some(([127, 0, 0, 1], 0).into());
    config.spool.max_job_bytes = u64::MAX;
    config.spool.min_free_bytes = 0;
    config.printers = vec![Arc::new(PrinterConfig::new(PRINTER, args.port.clone()))];
    let server = Server::start(config)?;
    let client =
        Client::new(server.address("ipp").ok_or("the server does not listen")?.to_string());
    let id = submit_held(&client, file, size).await?;
    let (told, ended) = tokio::sync::oneshot::channel();
    let watch = End { told: Some(told) }.start();
    server.router().ask(Subscribe { to: watch.recipient() }).await?;
    let clock = Clock::start();
    client.ask(&client.request(Operation::ReleaseJob, &About::Job(&id.to_string()))).await?;
    let state = ended.await?;
    let lap = clock.stop();
    server.stop().await;
    if state == JobState::Completed {
        Ok(lap)
    } else {
        Err(format!("the job is {}", state.name()).into())
    }
}

/// Hears of the job's end.
struct End {
    told: Option<tokio::sync::oneshot::Sender<JobState>>,
}

impl Actor for End {
    type Context = Context<Self>;
}

impl Handler<Events> for End {
    type Result = ();

    fn handle(&mut self, events: Events, _: &mut Self::Context) {
        for event in events.each() {
            if let What::Job(view) = event.what
                && view.state.has_ended()
                && let Some(told) = self.told.take()
            {
                let _ = told.send(view.state);
            }
        }
    }
}

/// Spools the job without playing it, so that only the way to the port is measured.
async fn submit_held(client: &Client, file: &std::fs::File, size: u64) -> Result<i32, Failed> {
    let mut request = client.request(Operation::PrintJob, &About::Printer(PRINTER));
    request.attributes_mut(GroupTag::Job).put_keyword("job-hold-until", "indefinite");
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(0))?;
    let answer = client.send(&request, Upload::new(vec![Box::new(file)], Some(size))).await?;
    Ok(answer.attributes(GroupTag::Job).integer("job-id")?.unwrap_or_default())
}

/// Wall time and CPU time.
struct Clock {
    begun: Instant,
    cpu: Duration,
}

impl Clock {
    fn start() -> Self {
        Self { begun: Instant::now(), cpu: cpu_time() }
    }

    fn stop(self) -> Lap {
        Lap { took: self.begun.elapsed(), cpu: cpu_time().saturating_sub(self.cpu) }
    }
}

fn cpu_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

fn median(mut laps: Vec<Lap>) -> Option<Lap> {
    laps.sort_by_key(|lap| lap.took);
    laps.get(laps.len() / 2).copied()
}

fn tell(args: &Bench, way: &str, run: u8, size: u64, lap: Option<&Lap>) -> Result<(), Failed> {
    let Some(lap) = lap else { return Ok(()) };
    let cpu_per_gib = lap.cpu.as_secs_f64() / units::ratio(size.max(1), 1 << 30);
    if args.json {
        let line = json!({"way": way, "run": run, "bytes": size, "seconds": lap.took.as_secs_f64(), "cpu_seconds_per_gib": cpu_per_gib});
        return say(line);
    }
    say(format_args!(
        "{way:<17} {:>9.3} s  {:>14}  {cpu_per_gib:.2} CPU s/GiB",
        lap.took.as_secs_f64(),
        units::rate(size, lap.took)
    ))
}

fn summarize(
    args: &Bench,
    size: u64,
    plain: &Option<Lap>,
    despooled: &Option<Lap>,
) -> Result<(), Failed> {
    let (Some(plain), Some(despooled)) = (plain, despooled) else { return Ok(()) };
    let ratio = plain.took.as_secs_f64() / despooled.took.as_secs_f64().max(f64::MIN_POSITIVE);
    if args.json {
        return say(json!({"port": args.port.to_string(), "bytes": size, "ratio": ratio}));
    }
    say(format_args!(
        "despooling reaches {ratio:.3} of the plain write loop (medians of {})",
        args.runs
    ))
}
