//! Room for documents: the disk's free space, and the spool's quota (`max_bytes`).
//!
//! The invariant: documents that are whole and the shares of those that are being received never exceed the quota
//! together. Documents of jobs that have ended are kept for a reprint only as long as nothing new needs their place, in the
//! quota or on the disk; those of jobs that have not are never given up.

use std::sync::Arc;

use crate::JobId;
use crate::disk::Request;
use crate::error::{Error, Result};
use crate::limits::BLOCK_BYTES;
use crate::spool::Inner;
use crate::sync::locked;
use crate::table::Table;

/// What a document that is being received takes of the quota; given back when it is dropped.
pub(crate) struct Share {
    spool: Arc<Inner>,
    bytes: u64,
}

impl Share {
    /// A share of so many bytes.
    pub(crate) fn of(spool: Arc<Inner>, bytes: u64) -> Result<Self> {
        let mut share = Self { spool, bytes: 0 };
        share.reach(bytes)?;
        Ok(share)
    }

    /// Takes more, where the document is larger than the share.
    pub(crate) fn reach(&mut self, bytes: u64) -> Result<()> {
        let Some(limit_bytes) = self.spool.options().max_bytes else { return Ok(()) };
        let more_bytes = bytes.saturating_sub(self.bytes);
        if more_bytes > 0 {
            let unlink = {
                let mut table = locked(&self.spool.table);
                let unlink = self.spool.make_place(&mut table, more_bytes, limit_bytes)?;
                table.receiving_bytes = table.receiving_bytes.saturating_add(more_bytes);
                unlink
            };
            self.bytes = bytes;
            unlink.into_iter().for_each(|request| self.spool.disk(request));
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.bytes > 0 {
            let mut table = locked(&self.spool.table);
            table.receiving_bytes = table.receiving_bytes.saturating_sub(self.bytes);
        }
    }
}

impl Inner {
    /// Refuses what would leave too little of the disk. Before that the oldest jobs that have ended give way, where that
    /// helps: this waits until their files are gone, which takes a sync of the journal.
    pub(crate) fn check_disk(&self, more_bytes: u64) -> Result<()> {
        let needed_bytes = self.options().min_free_bytes.saturating_add(more_bytes);
        if self.ask_free_bytes()? >= needed_bytes {
            return Ok(());
        }
        let _one_at_a_time = locked(&self.making_room);
        loop {
            let free_bytes = self.ask_free_bytes()?;
            let Some(surplus) = needed_bytes.checked_sub(free_bytes).filter(|bytes| *bytes > 0)
            else {
                return Ok(());
            };
            let unlink = self.give_up_for_the_disk(&mut locked(&self.table), surplus)?;
            if unlink.is_empty() {
                return Err(Error::Full { free_bytes, needed_bytes });
            }
            // A file that somebody reads keeps its place a while: then the next ones give way too.
            self.unlink_and_wait(unlink)?;
        }
    }

    fn ask_free_bytes(&self) -> Result<u64> {
        self.store.free_bytes().map_err(Error::disk("asking for free space of", self.store.path()))
    }

    fn give_up_for_the_disk(&self, table: &mut Table, surplus: u64) -> Result<Vec<Request>> {
        let on_disk = |bytes: u64| bytes.checked_next_multiple_of(BLOCK_BYTES).unwrap_or(bytes);
        match oldest_ended(table, surplus, on_disk) {
            Some(given_up) => self.remove_all(table, given_up),
            None => Ok(Vec::new()),
        }
    }

    /// Gives up the oldest jobs that have ended, where that makes place in the quota for so many bytes; refuses otherwise.
    fn make_place(
        &self,
        table: &mut Table,
        more_bytes: u64,
        limit_bytes: u64,
    ) -> Result<Vec<Request>> {
        let used_bytes = table.document_bytes().saturating_add(table.receiving_bytes);
        let surplus = used_bytes.saturating_add(more_bytes).saturating_sub(limit_bytes);
        match oldest_ended(table, surplus, |bytes| bytes) {
            Some(given_up) => self.remove_all(table, given_up),
            None => Err(Error::Quota { used_bytes, limit_bytes }),
        }
    }

    fn remove_all(&self, table: &mut Table, given_up: Vec<JobId>) -> Result<Vec<Request>> {
        let unlink = given_up.into_iter().map(|id| self.remove_from(table, id));
        unlink.filter_map(Result::transpose).collect()
    }

    /// The disk thread takes them in their order: when the last is gone, all are.
    fn unlink_and_wait(&self, mut requests: Vec<Request>) -> Result<()> {
        let (told, gone) = crossbeam_channel::bounded(1);
        if let Some(Request::Unlink { then, .. }) = requests.last_mut() {
            *then = Some(Box::new(move |done| drop(told.send(done))));
        }
        requests.into_iter().for_each(|request| self.disk(request));
        gone.recv().unwrap_or(Err(Error::Closed))
    }
}

/// The jobs to be given up, longest ago first and no more than needed, so that so many bytes become free; `None` where all of
/// them together would not do.
fn oldest_ended(table: &Table, mut surplus: u64, takes: impl Fn(u64) -> u64) -> Option<Vec<JobId>> {
    let mut given_up = Vec::new();
    for (_, id) in table.ended() {
        if surplus == 0 {
            break;
        }
        let bytes = takes(table.bytes_of(*id));
        if bytes > 0 {
            given_up.push(*id);
            surplus = surplus.saturating_sub(bytes);
        }
    }
    (surplus == 0).then_some(given_up)
}
