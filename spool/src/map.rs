//! The mapping: windows into spool files, lent to the kernel.
//!
//! This is the only file of the crate with `unsafe`. A mapped page can vanish (a truncated file, a bad sector), and
//! touching it in user space would then be `SIGBUS`. So a window is *lent*: `write(2)` from it answers `EFAULT` for a bad
//! page. Nobody in this workspace reads a window's bytes by dereferencing them; who must copy reads the file.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use memmap2::{Advice, Mmap, MmapOptions};

/// A mapped range of a spool file, with the file it came from.
pub(crate) struct MappedWindow<F> {
    map: Mmap,
    file: Arc<F>,
    offset: u64,
}

impl<F: AsFd> MappedWindow<F> {
    /// Maps `bytes` > 0 bytes at `offset`, which the caller has checked to lie inside the file.
    pub(crate) fn new(file: Arc<F>, offset: u64, bytes: usize) -> io::Result<Self> {
        // SAFETY: the mapping is read-only and private to us: spool files live in our 0700 directory under our lock, are
        // never written again below their committed length, and are never truncated while a window is out. Should
        // somebody truncate one all the same, the slice is only ever lent to system calls, which answer EFAULT.
        let map = unsafe { MmapOptions::new().offset(offset).len(bytes).map(&file.as_fd())? };
        Ok(Self { map, file, offset })
    }

    /// The bytes, for lending to a system call only.
    pub(crate) fn lend(&self) -> &[u8] {
        &self.map
    }

    /// The file, and the offset of the first byte in it.
    pub(crate) fn file(&self) -> (BorrowedFd<'_>, u64) {
        (self.file.as_fd(), self.offset)
    }

    /// Brings the pages in and maps them in one go; a hint, errors show when the bytes are lent.
    pub(crate) fn prefault(&self) {
        let _ = self.map.advise(Advice::PopulateRead);
    }
}
