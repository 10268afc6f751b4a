//! What goes wrong, and the count of the operations that says when.

use std::io;
use std::sync::Mutex;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The Nth operation fails with this error; the others work.
    Fail(u64, io::ErrorKind),
    /// The Nth operation and all after it never happen.
    Cut(u64),
}

#[derive(Default)]
pub(super) struct Faults {
    pub(super) operations: u64,
    pub(super) fault: Option<Fault>,
    pub(super) cut: bool,
    pub(super) log: Vec<String>,
}

/// Counts an operation, and lets it happen, fail, or be cut.
pub(super) fn count(faults: &Mutex<Faults>, what: impl FnOnce() -> String) -> io::Result<()> {
    let mut faults = faults.lock().unwrap();
    let n = faults.operations;
    faults.operations += 1;
    let what = what();
    faults.log.push(format!("{n} {what}"));
    match faults.fault {
        _ if faults.cut => Err(io::Error::other("the process is gone")),
        Some(Fault::Fail(at, kind)) if at == n => Err(kind.into()),
        Some(Fault::Cut(at)) if at <= n => {
            faults.cut = true;
            Err(io::Error::other("the process is gone"))
        }
        _ => Ok(()),
    }
}
