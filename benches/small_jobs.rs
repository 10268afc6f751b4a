//! How many small jobs a second can be accepted durably, beside one fsync after another?
//!
//! The limit does by hand less than a job needs: make a file, write 4 KiB, `fsync` it (not its directory), and then the
//! next. Neither side removes files while it is measured: ext4 passes over inodes that were given back less than minutes
//! ago, one by one, and whoever makes files pays for it. Ours are accepted jobs (the callback of the commit says that the job survives a loss of power), on the
//! same disk, measured at two places, each with one submitter and with eight:
//!
//! - *spool*: the spool's own API (crate `despool-spool`), a thread a submitter.
//! - *provider*: what a front end does, in a server in this process (`despool::server`): `StartDocPrinter` through the
//!   router, the bytes, the end. All submitters are tasks of one thread, as connections are. The printer is paused.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot measure stops"
)]

mod support;

use std::cell::Cell;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::Criterion;
use despool::provider::PrinterControl;
use despool_spool::Spool;
use support::rig::{Rig, printer, ticket};
use support::turns::{Effort, Lap, Turns, in_turns};
use support::{Closing, noise};

const JOB_BYTES: usize = 4096;

/// Jobs of each submitter in one lap; the limit makes as many files.
const JOBS: usize = 50;

/// With one submitter at least half of the limit; with eight at least four times of it.
const TARGETS: [(usize, f64); 2] = [(1, 0.5), (8, 4.0)];

fn main() -> ExitCode {
    let mut criterion = Criterion::default().configure_from_args();
    let mut closing = Closing::new();
    let dir = support::dir_on_disk();
    let floor = Floor::new(dir.path());
    let mut measure =
        |place: &str, submitters: usize, target: f64, ours: &mut dyn FnMut() -> Lap| {
            let name = format!("small_jobs/{place}_{submitters}");
            let effort = Effort::new((10, 2), (30, 12));
            if let Some(turns) = in_turns(&mut criterion, &name, effort, || floor.lap(), ours) {
                report(&name, &turns, submitters, target, &mut closing);
            }
        };
    for (submitters, target) in TARGETS {
        let spool = support::spool::open(&dir.path().join(format!("spool{submitters}")));
        measure("spool", submitters, target, &mut || in_spool(&spool, submitters));
    }
    for (submitters, target) in TARGETS {
        let state_dir = dir.path().join(format!("state{submitters}"));
        let rig = Rig::start(&state_dir, &[printer("bench", "file:/dev/null", "")]);
        rig.control_printer("bench", PrinterControl::Pause);
        measure("provider", submitters, target, &mut || through_provider(&rig, submitters));
    }
    criterion.final_summary();
    closing.end()
}

/// One fsync after another.
struct Floor {
    dir: PathBuf,
    made: Cell<usize>,
}

impl Floor {
    fn new(parent: &Path) -> Self {
        let dir = parent.join("floor");
        std::fs::create_dir(&dir).unwrap();
        Self { dir, made: Cell::default() }
    }

    fn lap(&self) -> Lap {
        let document = noise(JOB_BYTES);
        let first = self.made.replace(self.made.get() + JOBS);
        let paths: Vec<PathBuf> =
            (first..first + JOBS).map(|n| self.dir.join(n.to_string())).collect();
        let begun = Instant::now();
        for path in &paths {
            let mut file = File::create_new(path).unwrap();
            file.write_all(&document).unwrap();
            file.sync_all().unwrap();
        }
        Lap { took: begun.elapsed(), cpu: Duration::ZERO }
    }
}

/// Threads that each submit one job after the other.
fn in_spool(spool: &Spool, submitters: usize) -> Lap {
    let document = noise(JOB_BYTES);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..submitters {
            scope.spawn(|| {
                let (told, durable) = channel();
                for _ in 0..JOBS {
                    let mut writer = spool.begin(ticket("bench"), None).unwrap();
                    writer.append(&document).unwrap();
                    let told = told.clone();
                    writer.commit(move |done| told.send(done).unwrap());
                    durable.recv().unwrap().unwrap();
                }
            });
        }
    });
    Lap { took: begun.elapsed(), cpu: Duration::ZERO }
}

/// Tasks that each submit one job after the other.
fn through_provider(rig: &Rig, submitters: usize) -> Lap {
    let document: Bytes = noise(JOB_BYTES).into();
    let begun = Instant::now();
    rig.run(support::rig::together(submitters, |_| async {
        for _ in 0..JOBS {
            rig.submit(ticket("bench"), &document).await;
        }
    }));
    Lap { took: begun.elapsed(), cpu: Duration::ZERO }
}

fn report(name: &str, turns: &Turns, submitters: usize, target: f64, closing: &mut Closing) {
    let (limit, ours) = turns.times();
    let limit = JOBS as f64 / limit.as_secs_f64();
    let ours = (JOBS * submitters) as f64 / ours.as_secs_f64();
    println!(
        "{name}: one fsync after another {limit:>6.0} jobs/s, accepted durably {ours:>6.0} jobs/s"
    );
    closing.ratio(name, ours / limit, target);
}
