//! What a writer is given at a time: a range of a file, or a few bytes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::port::{Entry, Ledger};
use crate::{Lent, Origin};

/// What is given at a time.
#[derive(Debug)]
pub(super) struct Load {
    content: Content,
    pub(super) bytes: usize,
    /// Who notes it, and where in the job it begins.
    entry: Option<(Arc<dyn Ledger>, u64)>,
    origin: Origin,
}

#[derive(Debug)]
enum Content {
    File { file: File, offset: u64 },
    Memory(Vec<u8>),
}

impl Load {
    /// Fails only where the process has no descriptor left.
    pub(super) fn of(lent: Lent<'_>) -> io::Result<Self> {
        let content = match lent.file {
            Some(range) => {
                let file = range.file.try_clone_to_owned()?.into();
                Content::File { file, offset: range.offset }
            }
            None => Content::Memory(lent.bytes.to_vec()),
        };
        let entry = lent.entry.map(|Entry { ledger, at }| (Arc::clone(ledger), at));
        Ok(Self { content, bytes: lent.bytes.len(), entry, origin: lent.origin })
    }

    /// So many of its bytes, as bytes of a job.
    pub(super) fn counted(&self, bytes: usize) -> u64 {
        if self.origin == Origin::Job { bytes as u64 } else { 0 }
    }

    /// As many bytes from `from` on as are there, `limit` at most.
    pub(super) fn read<'a>(
        &'a self,
        from: usize,
        limit: usize,
        buf: &'a mut [u8],
    ) -> io::Result<&'a [u8]> {
        let count = self.bytes.saturating_sub(from).min(limit).min(buf.len());
        match &self.content {
            Content::File { file, offset } => {
                let buf = buf.get_mut(..count).unwrap_or_default();
                file.read_exact_at(buf, offset.saturating_add(from as u64))?;
                Ok(buf)
            }
            Content::Memory(bytes) => {
                Ok(bytes.get(from..from.saturating_add(count)).unwrap_or_default())
            }
        }
    }

    /// Notes that so many bytes from `from` on are offered now; all before them have left.
    pub(super) fn note(&self, from: usize, bytes: usize) -> io::Result<()> {
        let Some((ledger, at)) = &self.entry else { return Ok(()) };
        let begin = at.saturating_add(from as u64);
        ledger.note(begin..begin.saturating_add(bytes as u64))
    }
}
