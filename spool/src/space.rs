//! Room for documents: the disk's free space, and the spool's quota (`max_bytes`).
//!
//! The invariant: documents that are whole and the shares of those that are being received never exceed the quota
//! together. Documents of jobs that have ended are kept for a reprint only as long as nothing new needs their place.

use std::sync::Arc;

use crate::JobId;
use crate::disk::Request;
use crate::error::{Error, Result};
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
    /// Refuses what would leave too little of the disk.
    pub(crate) fn check_disk(&self, more_bytes: u64) -> Result<()> {
        let free_bytes = self
            .store
            .free_bytes()
            .map_err(Error::disk("asking for free space of", self.store.path()))?;
        let needed_bytes = self.options().min_free_bytes.saturating_add(more_bytes);
        if free_bytes < needed_bytes {
            return Err(Error::Full { free_bytes, needed_bytes });
        }
        Ok(())
    }

    /// Gives up the oldest jobs that have ended, where that makes place for so many bytes; refuses otherwise.
    fn make_place(
        &self,
        table: &mut Table,
        more_bytes: u64,
        limit_bytes: u64,
    ) -> Result<Vec<Request>> {
        let used_bytes = table.document_bytes().saturating_add(table.receiving_bytes);
        let mut surplus = used_bytes.saturating_add(more_bytes).saturating_sub(limit_bytes);
        let mut given_up: Vec<JobId> = Vec::new();
        for (_, id) in table.ended() {
            if surplus == 0 {
                break;
            }
            let bytes = table.bytes_of(*id);
            if bytes > 0 {
                given_up.push(*id);
                surplus = surplus.saturating_sub(bytes);
            }
        }
        if surplus > 0 {
            return Err(Error::Quota { used_bytes, limit_bytes });
        }
        let unlink = given_up.into_iter().map(|id| self.remove_from(table, id));
        unlink.filter_map(Result::transpose).collect()
    }
}
