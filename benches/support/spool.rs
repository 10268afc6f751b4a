//! Spools with many jobs in them.

use std::path::Path;
use std::sync::mpsc::channel;

use despool_spool::{Options, Spool};

use super::rig::ticket;

/// Opens a spool that minds no free space.
pub fn open(path: &Path) -> Spool {
    Spool::open(path, Options { min_free_bytes: 0, ..Options::default() }).unwrap().0
}

/// Commits this many jobs for a printer, each with this document; returns when all of them are durable.
pub fn fill(spool: &Spool, printer: &str, jobs: usize, document: &[u8]) {
    let (told, durable) = channel();
    for _ in 0..jobs {
        let mut writer = spool.begin(ticket(printer), None).unwrap();
        writer.append(document).unwrap();
        let told = told.clone();
        writer.commit(move |done| told.send(done).unwrap());
    }
    for _ in 0..jobs {
        durable.recv().unwrap().unwrap();
    }
}
