//! How long does a first byte take through the server, and how long does a port lie idle between two jobs?
//!
//! A server in this process (`despool::server`).
//!
//! - *first byte*: a client writes one byte to a printer's raw TCP port (`start = "immediately"`); the clock stops when a
//!   sink on the printer's own port has it. A bare round trip over loopback, taken in turns, is taken off.
//! - *dead time*: jobs wait for a paused printer; it is resumed; at the sink, the time from the last byte of one job to the
//!   first byte of the next. For a plain file in memory (on a disk each job ends with an `fsync`, which is the disk's time
//!   and printed beside it), a FIFO, a pty, and a TCP sink whose connection is held (`?hold`). A gap is 0 where one
//!   read gave the end of one job and the beginning of the next: what the port buffers kept the sink busy meanwhile.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot measure stops"
)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::Criterion;
use despool::provider::PrinterControl;
use support::echo::Echo;
use support::rig::{Rig, printer, ticket};
use support::sink::{self, Sink};
use support::turns::{Effort, Lap, in_turns};
use support::{Closing, median, noise, quick_or, shown};

/// A first byte takes at most this long, the round trip apart.
const FIRST_BYTE: Duration = Duration::from_millis(1);

/// A port lies idle between two jobs at most this long.
const DEAD_TIME: Duration = Duration::from_micros(200);

/// Jobs whose gaps are measured are this long.
const JOB_BYTES: usize = 16 * 1024;

fn main() -> ExitCode {
    let mut criterion = Criterion::default().configure_from_args();
    let mut closing = Closing::new();
    first_byte(&mut criterion, &mut closing);
    dead_times(&mut criterion, &mut closing);
    criterion.final_summary();
    closing.end()
}

fn first_byte(criterion: &mut Criterion, closing: &mut Closing) {
    let dir = support::dir_on_disk();
    let (sink, address) = sink::tcp(1);
    let more = "start = \"immediately\"\nappsocket = \"127.0.0.1:0\"";
    let rig =
        Rig::start(dir.path(), &[printer("bench", &format!("socket://{address}?hold=60"), more)]);
    let door = rig.address("appsocket bench");
    // The next client is on the line before the last one's job is over, so that its connection is accepted when it writes.
    let mut client = TcpStream::connect(door).unwrap();
    let mut echo = Echo::start();
    let name = "latency/first_byte";
    let effort = Effort::new((20, 3), (50, 10));
    let ours = || {
        let mut now = std::mem::replace(&mut client, TcpStream::connect(door).unwrap());
        now.set_nodelay(true).unwrap();
        let begun = Instant::now();
        now.write_all(b"x").unwrap();
        let took = sink.next().first - begun;
        now.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = now.read(&mut [0]);
        Lap { took, cpu: Duration::ZERO }
    };
    let Some(turns) = in_turns(criterion, name, effort, || echo.lap(), ours) else { return };
    let (round_trip, took) = turns.times();
    let over = took.saturating_sub(round_trip);
    println!(
        "{name}: {} (loopback round trip {}, over it {})",
        shown(took),
        shown(round_trip),
        shown(over)
    );
    closing.within(name, over.as_secs_f64(), FIRST_BYTE.as_secs_f64());
}

fn dead_times(criterion: &mut Criterion, closing: &mut Closing) {
    let dir = support::dir_on_disk();
    let (sink, address) = sink::tcp(JOB_BYTES as u64);
    dead_time(criterion, closing, "socket_held", &sink, &format!("socket://{address}?hold=60"));
    let pty = sink::pty(JOB_BYTES as u64);
    dead_time(criterion, closing, "pty", &pty.sink, &format!("serial:{}", pty.path.display()));
    let (sink, path) = sink::fifo(JOB_BYTES as u64, dir.path());
    dead_time(criterion, closing, "fifo", &sink, &format!("file:{}", path.display()));
    match support::dir_in_memory() {
        Some(memory) => {
            let (sink, path) = sink::file(JOB_BYTES as u64, memory.path());
            dead_time(criterion, closing, "file", &sink, &format!("file:{}", path.display()));
        }
        None => println!("skipped: latency/dead_time_file: this machine has no /dev/shm"),
    }
    file_on_disk(dir.path());
}

/// Queues jobs, lets them go, and looks at the gaps.
fn dead_time(
    criterion: &mut Criterion,
    closing: &mut Closing,
    kind: &str,
    sink: &Sink,
    port: &str,
) {
    let name = format!("latency/dead_time_{kind}");
    let dir = support::dir_on_disk();
    let rig = Rig::start(dir.path(), &[printer("bench", port, "")]);
    let mut group = criterion.benchmark_group("latency");
    group.sample_size(10).measurement_time(Duration::from_secs(quick_or(1, 5)));
    group.sampling_mode(criterion::SamplingMode::Flat).warm_up_time(Duration::from_millis(1));
    let mut all = Vec::new();
    group.bench_function(format!("dead_time_{kind}"), |bencher| {
        bencher.iter_custom(|rounds| {
            let gaps = gaps(&rig, sink, quick_or(50, 100));
            let middle = median(&gaps);
            all.extend(gaps);
            middle * u32::try_from(rounds).unwrap_or(u32::MAX)
        });
    });
    group.finish();
    if all.is_empty() {
        return;
    }
    let middle = median(&all);
    let none = all.iter().filter(|gap| gap.is_zero()).count();
    println!("{name}: median {} of {} gaps ({none} of them none)", shown(middle), all.len());
    closing.within(name, middle.as_secs_f64(), DEAD_TIME.as_secs_f64());
}

/// The gaps between so many jobs that were queued together.
fn gaps(rig: &Rig, sink: &Sink, jobs: usize) -> Vec<Duration> {
    rig.control_printer("bench", PrinterControl::Pause);
    let document: Bytes = noise(JOB_BYTES).into();
    let mut last = None;
    rig.run(async {
        for _ in 0..jobs {
            last = Some(rig.submit(ticket("bench"), &document).await);
        }
    });
    rig.control_printer("bench", PrinterControl::Resume);
    let arrivals: Vec<_> = (0..jobs).map(|_| sink.next()).collect();
    rig.wait_for_end(last.unwrap());
    arrivals.windows(2).map(|two| two[1].first.saturating_duration_since(two[0].last)).collect()
}

/// What a plain file on a disk adds to each job.
fn file_on_disk(dir: &Path) {
    let (sink, path) = sink::file(JOB_BYTES as u64, dir);
    let rig = Rig::start(
        &dir.join("state"),
        &[printer("bench", &format!("file:{}", path.display()), "")],
    );
    let ours = median(&gaps(&rig, &sink, quick_or(50, 200)));
    let mut file = std::fs::File::create(dir.join("beside")).unwrap();
    let document = noise(JOB_BYTES);
    let syncs: Vec<Duration> = (0..quick_or(50, 200))
        .map(|_| {
            file.write_all(&document).unwrap();
            let begun = Instant::now();
            file.sync_all().unwrap();
            begun.elapsed()
        })
        .collect();
    let sync = shown(median(&syncs));
    println!("latency/dead_time_file: on a disk {}, of which an fsync takes {sync}", shown(ours));
}
