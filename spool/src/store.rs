//! What the spool needs from a file system: the seam at which tests fail, cut and forget I/O.
//!
//! [`Store`] is one directory with files in it, [`File`] one of them. `disk` is the real one. The tests have another,
//! which keeps apart what was written and what was made durable, fails the Nth operation, or cuts the power there.
//!
//! The invariant that all code above relies on: what was written is visible at once, and durable only after
//! [`File::sync`] (the bytes and the length of that file), [`Store::sync_names`] (which names there are) or
//! [`Store::sync_all`] (everything).

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use crate::document::Bytes;

/// One directory of files.
pub trait Store: Send + Sync + 'static {
    /// Keeps other servers out until the returned value is dropped; `WouldBlock` where one is in already.
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>>;

    /// The plain files in the directory.
    fn list(&self) -> io::Result<Vec<Entry>>;

    /// Opens a file that exists, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>>;

    /// Makes a new, empty file; `AlreadyExists` where the name is taken.
    fn create(&self, name: &str) -> io::Result<Arc<dyn File>>;

    /// Makes a new file that has no name yet and vanishes with its last handle unless it is given one.
    fn create_unnamed(&self) -> io::Result<Arc<dyn File>>;

    /// Renames, replacing what has the new name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a name.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Moves a file into `lost+found/`, under a name that is free there; the name it got.
    fn put_aside(&self, name: &str) -> io::Result<String>;

    /// Makes the names durable (`fsync` of the directory).
    fn sync_names(&self) -> io::Result<()>;

    /// Makes everything durable (`syncfs`).
    fn sync_all(&self) -> io::Result<()>;

    /// Free bytes for us.
    fn free_bytes(&self) -> io::Result<u64>;

    /// What the machine was booted as: changes when the power was gone in between.
    fn boot_id(&self) -> io::Result<[u8; 16]>;

    /// Where this is, for messages.
    fn path(&self) -> String;
}

/// A file's name and length, as a listing gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, relative to the directory.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
}

/// One open file. All operations give the place in the file: there is no cursor, and threads may share it.
pub trait File: Send + Sync {
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Reads at `offset`; fewer bytes than asked only at the end.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Length in bytes.
    fn bytes(&self) -> io::Result<u64>;

    /// Cuts or extends (with zeros).
    fn set_bytes(&self, bytes: u64) -> io::Result<()>;

    /// Reserves space up to `bytes` without changing the length where `keep_length`, else extending it with zeros.
    fn allocate(&self, bytes: u64, keep_length: bool) -> io::Result<()>;

    /// Makes content and length durable (`fdatasync`).
    fn sync(&self) -> io::Result<()>;

    /// A window into the file for lending; `bytes` > 0 and inside the file.
    fn window(self: Arc<Self>, offset: u64, bytes: usize) -> io::Result<Bytes>;

    /// Gives a file made by [`Store::create_unnamed`] a name; `AlreadyExists` where it is taken.
    fn name(&self, name: &str) -> io::Result<()>;

    /// The descriptor, where there is one.
    fn fd(&self) -> Option<BorrowedFd<'_>>;
}
