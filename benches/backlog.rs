//! Does the 100,000th waiting job cost what the 100th did?
//!
//! Two servers in this process (`despool::server`), alike but for the jobs that wait for their (paused) printer: 100, and
//! 100,000. In turns both are given jobs as a front end gives them (eight submitters, through the router, accepted
//! durably), and asked for the first few jobs in the queue. What was submitted is canceled after each lap, untimed.
//!
//! - *submit*: jobs for now.
//! - *held*: jobs for later (`job-hold-until`).
//! - *list*: `Get-Jobs` with a limit.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot measure stops"
)]

mod support;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::Criterion;
use despool::provider::{JobControl, Jobs, PrinterControl};
use despool_spool::{Hold, JobId};
use support::rig::{Rig, printer, ticket, together};
use support::turns::{Effort, Lap, Turns, in_turns};
use support::{Closing, noise, quick_or, shown};

/// At a full queue we are at least half as fast.
const LIMIT: f64 = 0.5;

const FEW: usize = 100;

const SUBMITTERS: usize = 8;

/// Jobs of each submitter in one lap.
const JOBS: usize = 25;

/// Jobs of a listing.
const LISTED: usize = 10;

/// Listings in one lap.
const LISTINGS: usize = 20;

fn main() -> ExitCode {
    let mut criterion = Criterion::default().configure_from_args();
    let mut closing = Closing::new();
    let dir = support::dir_on_disk();
    let many = quick_or(20_000, 100_000);
    let few = with_backlog(&dir.path().join("few"), FEW);
    let full = with_backlog(&dir.path().join("many"), many);
    println!("backlog: {FEW} jobs wait at one server, {many} at the other");
    let effort = Effort::new((10, 3), (30, 15));
    for (name, hold) in [("submit", Hold::No), ("held", Hold::Until(u64::MAX))] {
        let turns = in_turns(
            &mut criterion,
            &format!("backlog/{name}"),
            effort,
            || submit(&few, hold),
            || submit(&full, hold),
        );
        report(&format!("backlog/{name}"), turns, SUBMITTERS * JOBS, &mut closing);
    }
    let turns = in_turns(&mut criterion, "backlog/list", effort, || list(&few), || list(&full));
    report("backlog/list", turns, LISTINGS, &mut closing);
    criterion.final_summary();
    closing.end()
}

/// A server that finds these jobs in its spool.
fn with_backlog(state_dir: &Path, jobs: usize) -> Rig {
    let spool = support::spool::open(&state_dir.join("spool"));
    support::spool::fill(&spool, "bench", jobs, &noise(256));
    spool.close();
    drop(spool);
    // Paused from the beginning.
    std::fs::write(state_dir.join("printers"), "bench paused\n").unwrap();
    let rig = Rig::start(state_dir, &[printer("bench", "file:/dev/null", "")]);
    rig.control_printer("bench", PrinterControl::Pause);
    rig
}

fn submit(rig: &Rig, hold: Hold) -> Lap {
    let document: Bytes = noise(256).into();
    let submitted: Mutex<Vec<JobId>> = Mutex::default();
    let begun = Instant::now();
    rig.run(together(SUBMITTERS, |_| async {
        for _ in 0..JOBS {
            let mut ticket = ticket("bench");
            ticket.hold = hold;
            let job = rig.submit(ticket, &document).await;
            submitted.lock().unwrap().push(job);
        }
    }));
    let took = begun.elapsed();
    rig.run(async {
        for job in submitted.into_inner().unwrap() {
            rig.control(job, JobControl::Cancel { why: "measured".to_owned() }).await;
        }
    });
    Lap { took, cpu: Duration::ZERO }
}

fn list(rig: &Rig) -> Lap {
    let begun = Instant::now();
    rig.run(async {
        for _ in 0..LISTINGS {
            let jobs =
                Jobs { printer: Some("bench".to_owned()), limit: Some(LISTED), ..Jobs::default() };
            assert_eq!(rig.router.ask(jobs).await.unwrap().unwrap().len(), LISTED);
        }
    });
    Lap { took: begun.elapsed(), cpu: Duration::ZERO }
}

fn report(name: &str, turns: Option<Turns>, operations: usize, closing: &mut Closing) {
    let Some(turns) = turns else { return };
    let each = |time: Duration| shown(time / u32::try_from(operations).unwrap());
    let (few, full) = turns.times();
    println!("{name}: each takes {} with a short queue, {} with a long one", each(few), each(full));
    closing.ratio(name, turns.speed(), LIMIT);
}
