//! Simulated printers on wires of their own: they live in the test, and so outlive the server.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use despool_hw::sim::{Keep, Language, Model, ModelOptions, PtyPrinter, SimHandle, Snapshot};

/// What a printer keeps of what it got, at most.
const KEEP_BYTES: usize = 256 << 20;

/// A printer behind a tty that is found under `link`.
pub(crate) fn tty(language: Language, link: &Path) -> PtyPrinter {
    let options = ModelOptions {
        keep: Keep::Memory { limit_bytes: KEEP_BYTES },
        buffer_bytes: 4096,
        ..ModelOptions::default()
    };
    PtyPrinter::start_at(Model::new(language, options, Instant::now()), link).unwrap()
}

/// Its device URI.
pub(crate) fn uri(printer: &PtyPrinter) -> String {
    format!("serial:{}", printer.path().display())
}

/// Gives a command that must succeed.
#[track_caller]
pub(crate) fn tell(printer: &SimHandle, line: &str) {
    let answer = printer.command(line);
    assert!(!answer.contains("\"error\""), "{line}: {answer}");
}

/// Waits until a printer is as wanted.
#[track_caller]
pub(crate) fn when(printer: &SimHandle, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
    assert!(printer.wait_for(wanted, super::soon()), "{:?}", printer.snapshot());
    printer.snapshot()
}

/// Waits until a printer took so many bytes of jobs since the last `reset`.
#[track_caller]
pub(crate) fn took(printer: &SimHandle, bytes: usize) {
    when(printer, |snapshot| snapshot.bytes >= bytes as u64);
}

/// Lets a printer take no more when it took so many bytes, or a few more. Once.
pub(crate) fn stall_at(printer: &SimHandle, bytes: usize) {
    let (handle, armed) = (printer.clone(), AtomicBool::new(true));
    printer.on_event(move |_| {
        if handle.snapshot().bytes >= bytes as u64 && armed.swap(false, Ordering::AcqRel) {
            tell(&handle, "stall on");
        }
    });
}

/// What a printer has kept, when that ends with `tail`.
#[track_caller]
pub(crate) fn kept_until(printer: &SimHandle, tail: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    loop {
        let seen = printer.snapshot().bytes;
        kept.extend(printer.take_kept());
        if kept.ends_with(tail) {
            return kept;
        }
        when(printer, |snapshot| snapshot.bytes > seen);
    }
}
