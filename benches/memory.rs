//! How much memory does the server take, and how long does it take to open a full spool?
//!
//! Memory is that of a real `despool serve` process, from `/proc/PID/status`. Mapped files (`RssFile`) are page cache that
//! is there anyway, so what a job adds is counted in anonymous memory (`RssAnon`); both are printed.
//!
//! - *idle*: just started, every listener on: all that is resident.
//! - *pending job*: what each of 100,000 waiting jobs (submitted by IPP, printer paused) adds to what is resident.
//! - *large job*: the most that a 4 GiB job adds, while it is received (by IPP) and while it is played to `/dev/null`.
//! - *reopen*: the time that `Spool::open` needs for 100,000 jobs (in this process, from the page cache).
//!
//! Criterion times nothing here: these are states, not speeds. The lines are the same.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot measure stops"
)]

mod support;

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use despool::frontend::ipp::wire::{JobState, Operation};
use support::ipp::Client;
use support::process::{Memory, Process, memory_of};
use support::rig::printer;
use support::{Closing, median, noise, quick_or, shown};

const MIB: f64 = 1024.0 * 1024.0;

/// An idle server takes less than this.
const IDLE_BYTES: f64 = 15.0 * 1000.0 * 1000.0;

/// A pending job takes less than this.
const JOB_BYTES: f64 = 1024.0;

/// A large job adds less than this.
const LARGE_BYTES: f64 = 8.0 * MIB;

/// A spool of [`JOBS`] jobs opens in less than this.
const REOPEN: Duration = Duration::from_secs(1);

/// What the bounds of pending jobs and of reopening are meant for.
const JOBS: usize = 100_000;

/// Connections that submit at the same time.
const SUBMITTERS: usize = 8;

/// How often memory is looked at while a large job is under way.
const LOOK: Duration = Duration::from_millis(10);

fn main() -> ExitCode {
    let mut closing = Closing::new();
    let dir = support::dir_on_disk();
    idle_and_pending(&mut closing, &dir.path().join("pending"));
    large(&mut closing, &dir.path().join("large"));
    reopen(&mut closing, &dir.path().join("reopen"));
    closing.end()
}

fn config(state_dir: &Path) -> String {
    let listen: String = ["ipp", "lpd", "http", "rpc", "epm"]
        .map(|key| format!("{key} = \"127.0.0.1:0\"\n"))
        .concat();
    format!(
        "[server]\nstate_dir = \"{}\"\n[listen]\n{listen}[spool]\nmin_free_bytes = 0\n\
         [scheduler]\nmemory_pressure = 100\nio_pressure = 100\n{}",
        state_dir.display(),
        printer("bench", "file:/dev/null", "appsocket = \"127.0.0.1:0\"")
    )
}

fn told(name: &str, memory: Memory) {
    let mib = |bytes: u64| bytes as f64 / MIB;
    let Memory { rss, anon, file } = memory;
    println!(
        "{name}: {:.1} MiB resident: {:.1} MiB anonymous, {:.1} MiB of mapped files",
        mib(rss),
        mib(anon),
        mib(file)
    );
}

fn idle_and_pending(closing: &mut Closing, state_dir: &Path) {
    let server = Process::serve(state_dir, &config(state_dir));
    let mut client = Client::connect(server.ipp());
    client.ask(Operation::GetPrinterAttributes, "bench");
    let idle = server.memory();
    told("memory/idle", idle);
    closing.within("memory/idle", idle.rss as f64, IDLE_BYTES);

    client.ask(Operation::PausePrinter, "bench");
    let jobs = quick_or(JOBS / 5, JOBS);
    // The pools of threads and connections have their size after these.
    submit(&server, jobs / 100);
    let before = server.memory();
    let begun = Instant::now();
    submit(&server, jobs);
    let rate = jobs as f64 / begun.elapsed().as_secs_f64();
    let after = server.memory();
    told(&format!("memory/pending_job: before {jobs} jobs"), before);
    told(&format!("memory/pending_job: with {jobs} jobs"), after);
    let each = after.rss.saturating_sub(before.rss) as f64 / jobs as f64;
    println!("memory/pending_job: {each:.0} bytes each ({rate:.0} jobs/s by IPP)");
    closing.within("memory/pending_job", each, JOB_BYTES);
}

fn submit(server: &Process, jobs: usize) {
    let document = noise(256);
    std::thread::scope(|scope| {
        for submitter in 0..SUBMITTERS {
            let document = &document;
            scope.spawn(move || {
                let mut client = Client::connect(server.ipp());
                for _ in 0..jobs / SUBMITTERS + usize::from(submitter < jobs % SUBMITTERS) {
                    client.print("bench", &**document, document.len() as u64);
                }
            });
        }
    });
}

fn large(closing: &mut Closing, state_dir: &Path) {
    let server = Process::serve(state_dir, &config(state_dir));
    let bytes = quick_or(512 << 20, 4 << 30);
    let source = state_dir.join("source");
    File::create(&source).unwrap().set_len(bytes).unwrap();
    let mut client = Client::connect(server.ipp());
    let mut other = Client::connect(server.ipp());
    // A small job has been everywhere that a large one goes.
    let id = client.print("bench", File::open(&source).unwrap(), 1 << 20);
    wait_for_end(&mut other, id);
    client.ask(Operation::PausePrinter, "bench");
    let before = server.memory();
    let mut id = 0;
    let received =
        most(&server, || id = client.print("bench", File::open(&source).unwrap(), bytes));
    let played = most(&server, || {
        other.ask(Operation::ResumePrinter, "bench");
        wait_for_end(&mut other, id);
    });
    let gib = bytes as f64 / f64::from(1 << 30);
    told("memory/large_job: before", before);
    told(&format!("memory/large_job: receiving {gib} GiB, at most"), received);
    told(&format!("memory/large_job: playing {gib} GiB, at most"), played);
    let added = received.anon.max(played.anon).saturating_sub(before.anon) as f64;
    println!("memory/large_job: adds {:.1} MiB of anonymous memory", added / MIB);
    closing.within("memory/large_job", added, LARGE_BYTES);
}

/// The most of each kind while something is done.
fn most(server: &Process, work: impl FnOnce()) -> Memory {
    let (done, wait) = channel::<()>();
    let process = server.id();
    let look = move || {
        let mut most = Memory::default();
        while wait.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            let now = memory_of(process);
            most.rss = most.rss.max(now.rss);
            most.anon = most.anon.max(now.anon);
            most.file = most.file.max(now.file);
        }
        most
    };
    let looking = std::thread::spawn(look);
    work();
    drop(done);
    looking.join().unwrap()
}

fn wait_for_end(client: &mut Client, id: i32) {
    let completed = JobState::Completed;
    while client.job_state(id) != completed {}
}

fn reopen(closing: &mut Closing, dir: &Path) {
    let jobs = quick_or(JOBS / 5, JOBS);
    let spool = support::spool::open(dir);
    support::spool::fill(&spool, "bench", jobs, &noise(4096));
    spool.close();
    drop(spool);
    let times: Vec<Duration> = (0..quick_or(3, 5))
        .map(|_| {
            let begun = Instant::now();
            let spool = support::spool::open(dir);
            let took = begun.elapsed();
            assert_eq!(spool.usage().0, jobs);
            took
        })
        .collect();
    let took = median(&times);
    let journal = std::fs::metadata(dir.join("journal")).unwrap().len();
    println!(
        "memory/reopen: {jobs} jobs in {}, a journal of {:.1} MiB",
        shown(took),
        journal as f64 / MIB
    );
    let bound = REOPEN.as_secs_f64() * jobs as f64 / JOBS as f64;
    closing.within("memory/reopen", took.as_secs_f64(), bound);
}
