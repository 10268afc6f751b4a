//! Compaction: the journal written anew with only what is alive.
//!
//! ```text
//!   snapshot of the table, at offset L ──► journal.new (snapshots) ──► sync everything
//!        appends go on meanwhile                                            │
//!   stop appends ──► copy the frames from L on ──► sync ──► rename ──► go on in the new file
//! ```
//!
//! Documents that rode in the old journal are safe in their own files by then: everything is synced after the snapshot
//! was taken, and what was committed later is copied with its record.
//!
//! The invariant: at every instant one whole journal has the name `journal`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::journal::{self, Record, Room, Tail};
use crate::limits::{JOURNAL_SLACK_BYTES, SNAPSHOT_BYTES};
use crate::shadow::Shadow;
use crate::spool::Inner;
use crate::sync::locked;

/// Where the journal ended after the last compaction, so that a failed one is not tried again at once.
#[derive(Default)]
pub(crate) struct Pace {
    end_bytes: AtomicU64,
}

/// The table at one point of the journal.
struct Snapshot {
    shadows: Vec<Arc<Shadow>>,
    ids: u32,
    boot: Option<[u8; 16]>,
    at: u64,
}

impl Inner {
    /// True where the journal has outgrown what is alive in it.
    pub(crate) fn compaction_pays(&self) -> bool {
        let live = u64::try_from(locked(&self.table).len()).unwrap_or(u64::MAX);
        let live_bytes = live.saturating_mul(SNAPSHOT_BYTES);
        let floor = live_bytes.max(self.pace.end_bytes.load(Ordering::Acquire));
        self.journal.end() > floor.saturating_mul(2).saturating_add(JOURNAL_SLACK_BYTES)
    }

    /// Writes the journal anew.
    pub(crate) fn compact(&self) -> Result<()> {
        self.check_poison()?;
        let _one_at_a_time = locked(&self.compacting);
        let compacted = self.write_anew();
        self.pace.end_bytes.store(self.journal.end(), Ordering::Release);
        compacted
    }

    fn write_anew(&self) -> Result<()> {
        let snapshot = self.snapshot();
        let mut new = journal::create(&*self.store, journal::fresh_generation()?)?;
        write_snapshot(&mut new, &snapshot)?;
        self.store
            .sync_all()
            .map_err(|source| self.poison("syncing", "the spool's file system", source))?;
        self.journal.stopped(|old| self.switch(old, new, snapshot.at))
    }

    fn snapshot(&self) -> Snapshot {
        let table = locked(&self.table);
        self.journal.stopped(|tail| Snapshot {
            shadows: table.all().collect(),
            ids: table.ceiling,
            boot: table.boot,
            at: tail.end(),
        })
    }

    /// With appends stopped: what came since the snapshot, the sync, the rename.
    fn switch(&self, old: &mut Tail, mut new: Tail, from: u64) -> Result<()> {
        old.move_to(&mut new, from)?;
        let failed = |error: Error| match error {
            Error::Disk { source, .. } => {
                self.poison("syncing", journal::NEW_NAME, std::io::Error::other(source))
            }
            other => other,
        };
        new.sync().map_err(failed)?;
        self.store
            .rename(journal::NEW_NAME, journal::NAME)
            .map_err(Error::disk("renaming", journal::NEW_NAME))?;
        *old = new;
        // Until this is durable a power cut may bring the old journal back. Nothing is appended before it is, so both
        // hold everything that was acknowledged.
        self.store
            .sync_names()
            .map_err(|source| self.poison("syncing", "the spool directory", source))?;
        Ok(())
    }
}

/// Ids first: no crash may find a journal without them.
fn write_snapshot(new: &mut Tail, snapshot: &Snapshot) -> Result<()> {
    const BATCH: usize = 256;
    let mut first = vec![Record::Ids { next: snapshot.ids }];
    first.extend(snapshot.boot.map(|boot| Record::Opened { boot, at_ms: 0 }));
    new.append(&first, Room::Upkeep)?;
    for batch in snapshot.shadows.chunks(BATCH) {
        let records: Vec<Record> =
            batch.iter().map(|shadow| Record::Snapshot(Box::new(Shadow::clone(shadow)))).collect();
        new.append(&records, Room::Upkeep)?;
    }
    Ok(())
}
