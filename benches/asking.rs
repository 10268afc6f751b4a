//! What does it cost to ask a printer how it is while it prints?
//!
//! Two simulated printers of the same make, each behind a pty of its own, print the same job in turns: one is asked in the
//! middle of it, as often as `status_queries = "while-printing"` asks, the other has `language = "none"`. Both take so many
//! bytes a second, as printers do, so that a job is long enough to be asked in. Time runs from the order to print to the
//! last label.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot measure stops"
)]

mod support;

use std::cell::Cell;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::Criterion;
use despool::limits::STATUS_PACE_JOB;
use despool::provider::JobControl;
use despool_hw::sim::{Language, Model, ModelOptions, PtyPrinter};
use despool_spool::JobId;
use support::rig::{Rig, printer, ticket};
use support::turns::{Effort, Lap, Turns, in_turns};
use support::{Closing, process_cpu, quick_or, shown};

/// What is to be reached.
const LIMIT: f64 = 0.95;

/// A fast label printer on USB.
const BYTES_A_SECOND: usize = 4 << 20;

/// A label that is not printed in this time never will be.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let mut criterion = Criterion::default().configure_from_args();
    let mut closing = Closing::new();
    // Long enough for one question, and for three.
    let length = STATUS_PACE_JOB * quick_or(3, 7) / 2;
    escpos(&mut criterion, &mut closing, length);
    zpl(&mut criterion, &mut closing, length);
    criterion.final_summary();
    closing.end()
}

fn escpos(criterion: &mut Criterion, closing: &mut Closing, length: Duration) {
    let receipt = [&b"\x1b@"[..], &b"1 x something        9.99\n".repeat(40), b"\x1dVA\x00"];
    measure(criterion, closing, Language::Escpos, &receipt.concat(), length);
}

fn zpl(criterion: &mut Criterion, closing: &mut Closing, length: Duration) {
    let label = [&b"^XA"[..], &b"^FO10,10^FDa line of text^FS\r\n".repeat(32), b"^XZ\r\n"];
    measure(criterion, closing, Language::Zpl, &label.concat(), length);
}

fn measure(
    criterion: &mut Criterion,
    closing: &mut Closing,
    language: Language,
    label: &[u8],
    length: Duration,
) {
    let name = format!("asking/{}", language.word());
    let labels = BYTES_A_SECOND * usize::try_from(length.as_millis()).unwrap() / 1000 / label.len();
    let bytes = Bytes::from(label.repeat(labels));
    let silent = Printer::new(language, "language = \"none\"", &bytes, labels);
    let settings =
        format!("language = \"{}\"\nstatus_queries = \"while-printing\"", language.word());
    let asked = Printer::new(language, &settings, &bytes, labels);
    let effort = Effort::new((10, 30), (10, 70));
    let Some(turns) = in_turns(criterion, &name, effort, || silent.lap(), || asked.lap()) else {
        return;
    };
    report(&name, &turns, &asked, closing);
}

/// A simulated printer, a server that prints on it, and a job that was printed once.
struct Printer {
    device: PtyPrinter,
    rig: Rig,
    id: JobId,
    labels: u64,
    /// Bytes that it answered while it printed.
    answered: Cell<u64>,
    _dir: tempfile::TempDir,
}

impl Printer {
    fn new(language: Language, settings: &str, job: &Bytes, labels: usize) -> Self {
        let model = Model::new(language, ModelOptions::default(), Instant::now());
        let device = PtyPrinter::start(model).unwrap();
        let dir = support::dir_on_disk();
        let port = format!("serial:{}", device.path().display());
        let rig = Rig::start(dir.path(), &[printer("bench", &port, settings)]);
        let id = rig.run(rig.submit(ticket("bench"), job));
        rig.wait_for_end(id);
        device.handle().command(&format!("speed {BYTES_A_SECOND}"));
        let labels = labels.try_into().unwrap();
        Self { device, rig, id, labels, answered: Cell::new(0), _dir: dir }
    }

    /// Prints the job again.
    fn lap(&self) -> Lap {
        let device = self.device.handle();
        device.command("reset");
        let before = device.snapshot().back_sent;
        let (begun, cpu) = (Instant::now(), process_cpu());
        self.rig.run(self.rig.control(self.id, JobControl::Reprint));
        let printed = device.wait_for(|it| it.pages >= self.labels, begun + PATIENCE);
        assert!(printed, "the job did not come");
        let lap = Lap { took: begun.elapsed(), cpu: process_cpu() - cpu };
        self.answered.set(self.answered.get() + device.snapshot().back_sent - before);
        self.rig.wait_for_end(self.id);
        lap
    }
}

fn report(name: &str, turns: &Turns, asked: &Printer, closing: &mut Closing) {
    let ((silent, ours), (silent_cpu, ours_cpu)) = (turns.times(), turns.cpu());
    let laps = turns.ours.len();
    let answered = asked.answered.get();
    assert!(answered > 0, "it was never asked");
    println!("{name}: a job of {} labels, medians of {laps} turns", asked.labels);
    println!("{name}: not asked {} ({} CPU)", shown(silent), shown(silent_cpu));
    println!(
        "{name}: asked     {} ({} CPU), {answered} bytes of answers",
        shown(ours),
        shown(ours_cpu)
    );
    closing.ratio(name, turns.speed(), LIMIT);
}
