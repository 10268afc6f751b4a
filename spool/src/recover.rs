//! Opening a spool: what a crash, a power cut or a person left there.
//!
//! ```text
//!  lock ─► replay the journal ─► cut a torn tail (kept aside) ─► check each document ─► rebuild what rode in the journal
//!       ─► put orphans aside ─► give up what was half received ─► record the opening, set ids aside ─► sync
//! ```
//!
//! Nothing is deleted: what does not belong goes to `lost+found/` and into the [`Report`]. Files that are not ours
//! (no `NNNNN.spl`, no `.part`) are not touched.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::JobId;
use crate::error::{Error, Result};
use crate::journal::{self, HEADER_BYTES, Journal, Record, Room};
use crate::limits::{ID_BLOCK, ID_LAST};
use crate::shadow::{Cause, Change, DocumentState, Shadow, State};
use crate::spool::now_ms;
use crate::store::{Entry, File, Store};
use crate::table::Table;

/// What opening a spool found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Jobs, ended ones included.
    pub jobs: usize,
    /// The machine was booted since the spool was used last: offsets that were not synced are not known.
    pub power_lost: bool,
    /// Jobs that were being played, and how sure their offset is.
    pub interrupted: Vec<Interrupted>,
    /// Jobs whose document was still being received; they are aborted now.
    pub half_received: Vec<JobId>,
    /// Documents made anew from the journal, because the power went before their own file was on disk.
    pub rebuilt: Vec<JobId>,
    /// Jobs whose document does not hold what the journal says, and why.
    pub damaged: Vec<(JobId, String)>,
    /// The journal's end that did not check: how many bytes, and where they were put.
    pub torn: Option<(u64, String)>,
    /// Spool files that no job knows: their name, and where they were put.
    pub orphans: Vec<(String, String)>,
}

impl Report {
    /// True where nothing but jobs was found.
    pub fn is_clean(&self) -> bool {
        *self == Self { jobs: self.jobs, ..Self::default() }
    }
}

/// A job that was being played when the server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted {
    /// The job.
    pub id: JobId,
    /// [`Cause::Crash`] or [`Cause::PowerLoss`].
    pub cause: Cause,
    /// Its recorded offset is exact.
    pub certain: bool,
}

/// A spool as it was found, ready to work on.
pub(crate) struct Recovered {
    pub(crate) table: Table,
    pub(crate) journal: Journal,
    pub(crate) report: Report,
    pub(crate) lock: Box<dyn Send + Sync>,
}

/// Brings a spool directory into a state to work on.
pub(crate) fn recover(store: &dyn Store) -> Result<Recovered> {
    let lock = store.lock().map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => Error::InUse { path: store.path() },
        _ => Error::disk("locking", store.path())(error),
    })?;
    let mut found = Found::new(store)?;
    let journal = found.replay()?;
    found.table.boot = found.power_check(found.table.boot)?;
    found.check_documents(&journal)?;
    found.put_orphans_aside()?;
    found.give_up_half_received(&journal);
    found.set_ids_aside();
    let opened = [
        Record::Opened { boot: found.table.boot.unwrap_or_default(), at_ms: now_ms() },
        Record::Ids { next: found.table.ceiling },
    ];
    journal.append(&opened, Room::Upkeep)?;
    journal.file().sync().map_err(Error::disk("syncing", journal::NAME))?;
    store.sync_names().map_err(Error::disk("syncing", store.path()))?;
    found.report.jobs = found.table.len();
    Ok(Recovered { table: found.table, journal, report: found.report, lock })
}

/// The directory and the journal, as far as they were looked at.
struct Found<'a> {
    store: &'a dyn Store,
    /// Spool files by job.
    documents: BTreeMap<JobId, u64>,
    /// Our own files that no journal knows: half-written documents, a journal under construction.
    strays: Vec<String>,
    has_journal: bool,
    table: Table,
    /// Where in the journal a document rides that its file may not hold yet.
    inline_at: HashMap<JobId, u64>,
    /// Jobs that were removed, whose file may still be there.
    removed: HashSet<JobId>,
    report: Report,
}

impl<'a> Found<'a> {
    fn new(store: &'a dyn Store) -> Result<Self> {
        let mut documents = BTreeMap::new();
        let mut strays = Vec::new();
        let mut has_journal = false;
        for Entry { name, bytes } in store.list().map_err(Error::disk("listing", store.path()))? {
            if let Some(id) = JobId::from_file_name(&name) {
                documents.insert(id, bytes);
            } else if name == journal::NAME {
                has_journal = true;
            } else if name.starts_with('.') && name.ends_with(".part") {
                strays.push(name);
            }
        }
        let (table, inline_at, removed, report) = Default::default();
        Ok(Self { store, documents, strays, has_journal, table, inline_at, removed, report })
    }

    /// Reads the journal, or makes the first one.
    fn replay(&mut self) -> Result<Journal> {
        if !self.has_journal {
            return self.first_journal();
        }
        let file = self.store.open(journal::NAME).map_err(Error::disk("opening", journal::NAME))?;
        let mut header = [0; HEADER_BYTES as usize];
        let got = file.read_at(&mut header, 0).map_err(Error::disk("reading", journal::NAME))?;
        let generation = journal::check_header(header.get(..got).unwrap_or_default())?;
        let (table, inline_at, removed) = (&mut self.table, &mut self.inline_at, &mut self.removed);
        let replayed = journal::replay(&*file, generation, |record, at| {
            match &record {
                Record::Committed { id, inline: Some(_), .. } => {
                    inline_at.insert(*id, at);
                }
                Record::Snapshot(shadow) => {
                    inline_at.remove(&shadow.id);
                }
                Record::Removed { id } => {
                    removed.insert(*id);
                }
                _ => {}
            }
            if !table.apply(record) {
                tracing::warn!(at, "a record of the journal does not fit what came before it");
            }
        })?;
        let allocated = self.cut(&*file, replayed)?;
        Ok(Journal::new(file, generation, replayed.valid_to, allocated))
    }

    fn first_journal(&mut self) -> Result<Journal> {
        let tail = journal::create(self.store, journal::fresh_generation()?)?;
        tail.sync()?;
        let rename = self.store.rename(journal::NEW_NAME, journal::NAME);
        rename.map_err(Error::disk("renaming", journal::NEW_NAME))?;
        Ok(tail.into())
    }

    /// Cuts what follows the last good record, and allocates space after it. What is cut is kept.
    fn cut(&mut self, file: &dyn File, replayed: journal::Replayed) -> Result<u64> {
        let failed = || Error::disk("cutting", journal::NAME);
        let valid_to = replayed.valid_to;
        let bytes = file.bytes().map_err(failed())?;
        let rest = nonzero_tail(file, valid_to, bytes).map_err(failed())?;
        if !rest.is_empty() {
            let name = format!("journal.torn.{valid_to}");
            let kept = self.keep_aside(&name, &rest)?;
            self.report.torn = Some((u64::try_from(rest.len()).unwrap_or(u64::MAX), kept));
            // Zeroed and not truncated: on a full disk the space must stay ours.
            file.write_at(&vec![0; rest.len()], valid_to).map_err(failed())?;
        }
        Ok(bytes.max(valid_to))
    }

    fn keep_aside(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let failed = || Error::disk("keeping", name);
        match self.store.remove(name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed()(error));
            }
            _ => {}
        }
        let file = self.store.create(name).map_err(failed())?;
        file.write_at(bytes, 0).map_err(failed())?;
        self.store.put_aside(name).map_err(failed())
    }

    /// What the machine is booted as now; reports a change.
    fn power_check(&mut self, before: Option<[u8; 16]>) -> Result<Option<[u8; 16]>> {
        let boot = self.store.boot_id().map_err(Error::disk("reading", "the boot id"))?;
        self.report.power_lost = before.is_some_and(|before| before != boot);
        Ok(Some(boot))
    }

    /// Every document that the journal promises must be there, and whole.
    fn check_documents(&mut self, journal: &Journal) -> Result<()> {
        let shadows: Vec<Arc<Shadow>> = self.table.all().collect();
        for shadow in shadows {
            if let DocumentState::Whole { bytes, crc32c } = shadow.document {
                let on_disk = self.documents.remove(&shadow.id);
                self.check_document(journal, &shadow, bytes, crc32c, on_disk)?;
            }
            self.check_offset(&shadow);
        }
        Ok(())
    }

    fn check_document(
        &mut self,
        journal: &Journal,
        shadow: &Shadow,
        bytes: u64,
        crc32c: u32,
        on_disk: Option<u64>,
    ) -> Result<()> {
        let id = shadow.id;
        let inline_at = self.inline_at.get(&id).copied();
        // Without a power cut the page cache has kept every byte; with one, only synced files are sure.
        let sound = on_disk == Some(bytes)
            && (inline_at.is_none()
                || !self.report.power_lost
                || self.checks(id, bytes, crc32c)?);
        if sound {
            return Ok(());
        }
        if let Some(at) = inline_at
            && self.rebuild(journal, id, at, on_disk.is_some())?
        {
            self.report.rebuilt.push(id);
            return Ok(());
        }
        let why = match on_disk {
            Some(there) => {
                format!("{} has {there} bytes, the journal says {bytes}", id.file_name())
            }
            None => format!("{} is missing", id.file_name()),
        };
        self.give_up_damaged(journal, shadow, bytes, &why)
    }

    fn checks(&self, id: JobId, bytes: u64, crc32c: u32) -> Result<bool> {
        let name = id.file_name();
        let file = self.store.open(&name).map_err(Error::disk("opening", &*name))?;
        let mut document = vec![0; usize::try_from(bytes).unwrap_or(0)];
        let got = file.read_at(&mut document, 0).map_err(Error::disk("reading", name))?;
        Ok(got == document.len() && crc32c::crc32c(&document) == crc32c)
    }

    /// Writes a document anew from the record that it rode in.
    fn rebuild(&self, journal: &Journal, id: JobId, at: u64, exists: bool) -> Result<bool> {
        let Some(Record::Committed { inline: Some(document), .. }) = journal.record_at(at)? else {
            return Ok(false);
        };
        let name = id.file_name();
        let failed = || Error::disk("rebuilding", &*name);
        let file = if exists { self.store.open(&name) } else { self.store.create(&name) }
            .map_err(failed())?;
        file.set_bytes(0).map_err(failed())?;
        file.write_at(&document, 0).map_err(failed())?;
        file.sync().map_err(failed())?;
        Ok(true)
    }

    /// The document is gone or wrong: the job can't be played (again). What is left of it goes aside.
    fn give_up_damaged(
        &mut self,
        journal: &Journal,
        shadow: &Shadow,
        bytes: u64,
        why: &str,
    ) -> Result<()> {
        let name = shadow.id.file_name();
        if self.store.open(&name).is_ok() {
            let aside =
                self.store.put_aside(&name).map_err(Error::disk("putting aside", &*name))?;
            self.report.orphans.push((name, aside));
        }
        let mut shadow = shadow.clone();
        shadow.document = DocumentState::None { bytes };
        if shadow.state.ended_ms().is_none() {
            shadow.state = State::Aborted {
                at_ms: now_ms(),
                why: format!("the document is damaged: {why}").into(),
            };
        }
        self.report.damaged.push((shadow.id, why.to_owned()));
        journal.append(&[Record::Snapshot(Box::new(shadow.clone()))], Room::Upkeep)?;
        self.table.insert(shadow);
        Ok(())
    }

    /// Notes a job that was at the device.
    fn check_offset(&mut self, shadow: &Shadow) {
        let cause = if self.report.power_lost { Cause::PowerLoss } else { Cause::Crash };
        let interrupted = match shadow.state {
            State::Processing => true,
            State::Pending => shadow.prepared && self.report.power_lost,
            _ => false,
        };
        if interrupted && shadow.bytes().is_some() {
            let certain = !self.report.power_lost && shadow.played.is_certain();
            self.report.interrupted.push(Interrupted { id: shadow.id, cause, certain });
        }
    }

    fn put_orphans_aside(&mut self) -> Result<()> {
        let (removed, orphans): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.documents)
                .into_iter()
                .partition(|(id, _)| self.removed.contains(id));
        for name in removed.keys().map(|id| id.file_name()) {
            self.store.remove(&name).map_err(Error::disk("removing", name))?;
        }
        if let Some((last, _)) = orphans.last_key_value() {
            self.table.next_id = self.table.next_id.max(last.number().saturating_add(1));
        }
        let strays = std::mem::take(&mut self.strays);
        for name in orphans.keys().map(|id| id.file_name()).chain(strays) {
            let aside =
                self.store.put_aside(&name).map_err(Error::disk("putting aside", &*name))?;
            self.report.orphans.push((name, aside));
        }
        Ok(())
    }

    /// A job whose document was still coming in when the server ended will never be whole; a direct job is gone.
    fn give_up_half_received(&mut self, journal: &Journal) {
        let half: Vec<JobId> = self
            .table
            .all()
            .filter(|shadow| !shadow.has_document() && shadow.state.ended_ms().is_none())
            .map(|shadow| shadow.id)
            .collect();
        for id in half {
            let why = "the server ended while the job was being received".into();
            let record = Record::Changed { id, change: Change::Abort { at_ms: now_ms(), why } };
            if journal.append(std::slice::from_ref(&record), Room::Upkeep).is_ok() {
                self.table.apply(record);
                self.report.half_received.push(id);
            }
        }
    }

    /// No id that may have been given out is given out again.
    fn set_ids_aside(&mut self) {
        let used = self.table.all().last().map_or(1, |shadow| shadow.id.number().saturating_add(1));
        let next = self.table.next_id.max(self.table.ceiling).max(used).max(1);
        self.table.next_id = next;
        self.table.ceiling = next.saturating_add(ID_BLOCK).min(ID_LAST.saturating_add(1));
    }
}

/// What lies between `from` and `to`, without the zeros at its end.
fn nonzero_tail(file: &dyn File, from: u64, to: u64) -> std::io::Result<Vec<u8>> {
    let mut rest = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(0)];
    let got = file.read_at(&mut rest, from)?;
    rest.truncate(got);
    let end = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
    rest.truncate(end);
    Ok(rest)
}
