//! The real store: a directory of a file system.
//!
//! The directory is made with mode 0700. Names are never followed through symbolic links and never contain a `/`.
//! Unnamed files are `O_TMPFILE` where the file system has it; elsewhere a hidden `.NNN.part` file, which recovery puts
//! aside after a crash.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{
    AtFlags, CWD, Dir, FallocateFlags, FileType, FlockOperation, Mode, OFlags, RawMode,
};

use crate::document::{Bytes, Lend};
use crate::map::MappedWindow;
use crate::store::{Entry, File, Store};

const LOCK_NAME: &str = "lock";
const LOST_FOUND: &str = "lost+found";
const FILE_MODE: RawMode = 0o600;
const DIR_MODE: RawMode = 0o700;

/// A spool directory on disk.
pub(crate) struct DiskStore {
    path: PathBuf,
    dir: Arc<OwnedFd>,
    parts: AtomicU64,
}

impl DiskStore {
    /// Opens the directory, making it (and its parents) where it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(DIR_MODE).create(path)?;
        let dir = rustix::fs::open(
            path,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        Ok(Self { path: path.to_owned(), dir: Arc::new(dir), parts: AtomicU64::new(0) })
    }

    fn open_at(&self, name: &str, flags: OFlags) -> io::Result<Arc<dyn File>> {
        let flags = flags | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = rustix::fs::openat(&*self.dir, name, flags, Mode::from_raw_mode(FILE_MODE))?;
        Ok(DiskFile::shared(fd, self.dir.clone(), None))
    }

    fn create_part(&self) -> io::Result<Arc<dyn File>> {
        let name = format!(".{}.part", self.parts.fetch_add(1, Ordering::Relaxed));
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&*self.dir, &name, flags, Mode::from_raw_mode(FILE_MODE))?;
        let part = Part { dir: self.dir.clone(), name };
        Ok(DiskFile::shared(fd, self.dir.clone(), Some(part)))
    }
}

impl Store for DiskStore {
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = rustix::fs::openat(&*self.dir, LOCK_NAME, flags, Mode::from_raw_mode(FILE_MODE))?;
        rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Box::new(fd))
    }

    fn list(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for found in Dir::read_from(&*self.dir)? {
            let found = found?;
            let stat = match rustix::fs::statat(
                &*self.dir,
                found.file_name(),
                AtFlags::SYMLINK_NOFOLLOW,
            ) {
                Err(rustix::io::Errno::NOENT) => continue,
                stat => stat?,
            };
            if let (FileType::RegularFile, Ok(name)) =
                (FileType::from_raw_mode(stat.st_mode), found.file_name().to_str())
            {
                entries.push(Entry {
                    name: name.to_owned(),
                    bytes: u64::try_from(stat.st_size).unwrap_or(0),
                });
            }
        }
        Ok(entries)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        self.open_at(name, OFlags::empty())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        self.open_at(name, OFlags::CREATE | OFlags::EXCL)
    }

    fn create_unnamed(&self) -> io::Result<Arc<dyn File>> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        match rustix::fs::openat(&*self.dir, ".", flags, Mode::from_raw_mode(FILE_MODE)) {
            Ok(fd) => Ok(DiskFile::shared(fd, self.dir.clone(), None)),
            Err(
                rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR | rustix::io::Errno::INVAL,
            ) => self.create_part(),
            Err(error) => Err(error.into()),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&*self.dir, from, &*self.dir, to)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&*self.dir, name, AtFlags::empty())?)
    }

    fn put_aside(&self, name: &str) -> io::Result<String> {
        match rustix::fs::mkdirat(&*self.dir, LOST_FOUND, Mode::from_raw_mode(DIR_MODE)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let mut target = format!("{LOST_FOUND}/{name}");
        for attempt in 1u32.. {
            let flags = rustix::fs::RenameFlags::NOREPLACE;
            match rustix::fs::renameat_with(&*self.dir, name, &*self.dir, &target, flags) {
                Ok(()) => break,
                Err(rustix::io::Errno::EXIST) => target = format!("{LOST_FOUND}/{name}.{attempt}"),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(target)
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&*self.dir)?)
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&*self.dir)?)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let stat = rustix::fs::fstatvfs(&*self.dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn boot_id(&self) -> io::Result<[u8; 16]> {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        let hex: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        let number = u128::from_str_radix(&hex, 16).map_err(io::Error::other)?;
        Ok(number.to_be_bytes())
    }

    fn path(&self) -> String {
        String::from_utf8_lossy(self.path.as_os_str().as_bytes()).into_owned()
    }
}

/// An open spool file.
struct DiskFile {
    file: std::fs::File,
    dir: Arc<OwnedFd>,
    /// The hidden name of a file that would be unnamed if the file system could; removed with the last handle.
    _part: Option<Part>,
}

struct Part {
    dir: Arc<OwnedFd>,
    name: String,
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = rustix::fs::unlinkat(&*self.dir, &*self.name, AtFlags::empty());
    }
}

impl DiskFile {
    fn shared(fd: OwnedFd, dir: Arc<OwnedFd>, part: Option<Part>) -> Arc<dyn File> {
        Arc::new(Self { file: fd.into(), dir, _part: part })
    }
}

impl AsFd for DiskFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl File for DiskFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut got = 0;
        while let Some(rest) = buf.get_mut(got..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(u64::try_from(got).unwrap_or(u64::MAX));
            match self.file.read_at(rest, at) {
                Ok(0) => break,
                Ok(more) => got = got.saturating_add(more),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(got)
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_bytes(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn allocate(&self, bytes: u64, keep_length: bool) -> io::Result<()> {
        let flags = if keep_length { FallocateFlags::KEEP_SIZE } else { FallocateFlags::empty() };
        match rustix::fs::fallocate(&self.file, flags, 0, bytes) {
            // The file system cannot reserve: a full disk shows at the write instead.
            Err(rustix::io::Errno::OPNOTSUPP) if keep_length => Ok(()),
            Err(rustix::io::Errno::OPNOTSUPP) => self.set_bytes(bytes.max(self.bytes()?)),
            done => Ok(done?),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn window(self: Arc<Self>, offset: u64, bytes: usize) -> io::Result<Bytes> {
        Ok(Bytes::new(MappedWindow::new(self, offset, bytes)?))
    }

    fn name(&self, name: &str) -> io::Result<()> {
        let link = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        match rustix::fs::linkat(CWD, &link, &*self.dir, name, AtFlags::SYMLINK_FOLLOW) {
            Err(rustix::io::Errno::NOENT) => {
                Err(io::Error::other("cannot name the spool file: /proc is not mounted"))
            }
            linked => Ok(linked?),
        }
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.file.as_fd())
    }
}

impl Lend for MappedWindow<DiskFile> {
    fn lend(&self) -> &[u8] {
        self.lend()
    }

    fn file(&self) -> Option<(BorrowedFd<'_>, u64)> {
        Some(self.file())
    }

    fn prefault(&self) {
        self.prefault();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A file without a name, for tests that need any file.
    pub(crate) fn scratch_file() -> Arc<dyn File> {
        DiskStore::open(&std::env::temp_dir()).unwrap().create_unnamed().unwrap()
    }
}
