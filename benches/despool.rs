//! How fast is a spooled job played, beside a plain write loop of the same file to the same kind of sink?
//!
//! A server in this process (`despool::server`) plays one job over and over (it is printed again), to a TCP sink and to a
//! pty sink. The limit reads the very same spool file, from the same page cache, and writes it to the same TCP sink, or to
//! a pty of the same make. Time runs from the order to print (or the opening of the sink) to the last byte at the sink.
//! CPU time is this process' without the sink's.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot measure stops"
)]

mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use criterion::Criterion;
use despool::provider::JobControl;
use despool_spool::JobId;
use support::rig::{Rig, printer, ticket};
use support::sink::{self, Sink};
use support::turns::{Effort, Lap, Turns, in_turns};
use support::{Closing, noise, process_cpu, quick_or};

/// What is to be reached.
const LIMIT: f64 = 0.95;

/// The plain loop reads and writes this much at a time, which is what despool offers at most in one `write`.
const LOOP_BYTES: usize = 256 * 1024;

const GIB: f64 = (1u64 << 30) as f64;

fn main() -> ExitCode {
    let mut criterion = Criterion::default().configure_from_args();
    let mut closing = Closing::new();
    let bytes = quick_or(64, 256) << 20;
    socket(&mut criterion, &mut closing, bytes);
    pty(&mut criterion, &mut closing, bytes);
    criterion.final_summary();
    closing.end()
}

fn effort() -> Effort {
    Effort::new((15, 6), (30, 30))
}

fn socket(criterion: &mut Criterion, closing: &mut Closing, bytes: usize) {
    let (sink, address) = sink::tcp(size(bytes));
    let job = Played::new(&format!("socket://{address}"), bytes, &sink);
    let turns = in_turns(
        criterion,
        "despool/socket",
        effort(),
        || lap(&sink, || write_loop(&job.file, TcpStream::connect(address).unwrap()), || ()),
        || lap(&sink, || job.print_again(), || job.wait_for_end()),
    );
    report("despool/socket", turns, bytes, closing);
}

fn pty(criterion: &mut Criterion, closing: &mut Closing, bytes: usize) {
    let (plain, ported) = (sink::pty(size(bytes)), sink::pty(size(bytes)));
    let job = Played::new(&format!("serial:{}", ported.path.display()), bytes, &ported.sink);
    let open = || File::options().write(true).open(&plain.path).unwrap();
    let turns = in_turns(
        criterion,
        "despool/pty",
        effort(),
        || lap(&plain.sink, || write_loop(&job.file, open()), || ()),
        || lap(&ported.sink, || job.print_again(), || job.wait_for_end()),
    );
    report("despool/pty", turns, bytes, closing);
}

/// A job that was played once.
struct Played {
    rig: Rig,
    id: JobId,
    file: PathBuf,
    _dir: tempfile::TempDir,
}

impl Played {
    fn new(port: &str, bytes: usize, sink: &Sink) -> Self {
        let dir = support::dir_on_disk();
        let rig = Rig::start(dir.path(), &[printer("bench", port, "")]);
        let id = rig.run(rig.submit(ticket("bench"), &noise(bytes).into()));
        sink.next();
        rig.wait_for_end(id);
        let file = rig.document(id);
        Self { rig, id, file, _dir: dir }
    }

    fn print_again(&self) {
        self.rig.run(self.rig.control(self.id, JobControl::Reprint));
    }

    fn wait_for_end(&self) {
        self.rig.wait_for_end(self.id);
    }
}

/// Times one way to a sink: from `go` to the last byte there. `settle` waits for what comes after that.
fn lap(sink: &Sink, go: impl FnOnce(), settle: impl FnOnce()) -> Lap {
    let (begun, cpu) = (Instant::now(), process_cpu());
    go();
    let arrival = sink.next();
    settle();
    let cpu = process_cpu() - cpu;
    Lap { took: arrival.last - begun, cpu: cpu.saturating_sub(arrival.cpu) }
}

fn write_loop(file: &Path, mut to: impl Write) {
    let mut file = File::open(file).unwrap();
    let mut buf = vec![0; LOOP_BYTES];
    loop {
        match file.read(&mut buf).unwrap() {
            0 => return,
            got => to.write_all(&buf[..got]).unwrap(),
        }
    }
}

fn size(bytes: usize) -> u64 {
    bytes.try_into().unwrap()
}

fn report(name: &str, turns: Option<Turns>, bytes: usize, closing: &mut Closing) {
    let Some(turns) = turns else { return };
    let gib = bytes as f64 / GIB;
    let line = |way: &str, took: Duration, cpu: Duration| {
        let (speed, cpu) = (gib / took.as_secs_f64(), cpu.as_secs_f64() / gib);
        println!("{name}: {way:<16} {speed:>6.2} GiB/s  {cpu:.2} CPU s/GiB");
    };
    let ((limit, ours), (limit_cpu, ours_cpu)) = (turns.times(), turns.cpu());
    println!("{name}: {} MiB, medians of {} turns", bytes >> 20, turns.ours.len());
    line("plain write loop", limit, limit_cpu);
    line("despool", ours, ours_cpu);
    closing.ratio(name, turns.speed(), LIMIT);
}
