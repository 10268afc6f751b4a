//! The accounts file on disk: read with its owner and mode checked, rewritten whole.
//!
//! Writers exclude each other by a lock on a file of its own (`users.lock`), since the accounts file itself is replaced.
//! Invariant: whoever reads sees one whole file, the old or the new; after a crash too.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags};
use rustix::process::geteuid;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::{Account, file};
use crate::limits::ACCOUNTS_FILE_BYTES;
use crate::{Error, Result};

/// Which state of the file this is: another one whenever the file was replaced or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    file: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    rights: (u32, u32),
}

/// The file's stamp; none where there is no file.
pub(super) fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(Stamp {
            file: (metadata.dev(), metadata.ino()),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            rights: (metadata.mode(), metadata.uid()),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// All accounts; none where there is no file.
pub(super) fn read(path: &Path) -> Result<Vec<Account>> {
    let reading = |error: io::Error| failed("reading", path, &error);
    let nonblock = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = match OpenOptions::new().read(true).custom_flags(nonblock).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(reading(error)),
    };
    check_rights(path, &file)?;
    let most = u64::try_from(ACCOUNTS_FILE_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Zeroizing::new(Vec::with_capacity(length(&file).min(ACCOUNTS_FILE_BYTES)));
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(reading)?;
    if bytes.len() > ACCOUNTS_FILE_BYTES {
        let why = format!("is longer than {ACCOUNTS_FILE_BYTES} bytes");
        return Err(Error::AccountsFile { path: path.display().to_string(), line: 1, why });
    }
    file::decode(&bytes).map_err(|file::Wrong { line, why }| Error::AccountsFile {
        path: path.display().to_string(),
        line,
        why,
    })
}

/// Length of a file plus one: room to see its end without growing (a grown buffer leaves secrets behind).
fn length(file: &File) -> usize {
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    usize::try_from(bytes).unwrap_or(usize::MAX).saturating_add(1)
}

fn check_rights(path: &Path, file: &File) -> Result<()> {
    let refuse = |why: String| Error::AccountsRights { path: path.display().to_string(), why };
    let metadata = file.metadata().map_err(|error| failed("reading", path, &error))?;
    if !metadata.is_file() {
        return Err(refuse("is no regular file".to_owned()));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & !0o600 != 0 {
        return Err(refuse(format!(
            "has mode {mode:04o}; make it 0600: chmod 600 {}",
            path.display()
        )));
    }
    let owner = metadata.uid();
    let us = geteuid();
    let rightful = owner == us.as_raw() || (us.is_root() && Some(owner) == owner_of(parent(path)));
    if rightful {
        return Ok(());
    }
    Err(refuse(format!("belongs to user {owner}, not to user {us}", us = us.as_raw())))
}

/// Reads, changes and rewrites the accounts while no other writer does. Waits for another writer to end, which a person
/// can interrupt.
pub(super) fn update(
    path: &Path,
    change: impl FnOnce(&mut Vec<Account>) -> Result<()>,
) -> Result<()> {
    let writing = |error: io::Error| failed("writing", path, &error);
    let dir = parent(path);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(writing)?;
    let _lock = lock(path).map_err(writing)?;
    let mut accounts = read(path)?;
    change(&mut accounts)?;
    let text = file::encode(&accounts).ok_or(Error::TooManyAccounts)?;
    let mut new = NamedTempFile::new_in(dir).map_err(writing)?;
    new.write_all(&text).map_err(writing)?;
    give_to_owner(new.as_file(), dir).map_err(writing)?;
    new.as_file().sync_all().map_err(writing)?;
    new.persist(path).map_err(|error| writing(error.error))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(writing)
}

fn lock(path: &Path) -> io::Result<File> {
    let path = PathBuf::from(format!("{}.lock", path.display()));
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
    give_to_owner(&file, parent(&path))?;
    rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

/// What root makes in the server's directory belongs to the server.
fn give_to_owner(file: &impl AsFd, dir: &Path) -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let owner = owner_of(dir).map(rustix::fs::Uid::from_raw);
    Ok(rustix::fs::fchown(file, owner, None)?)
}

fn owner_of(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|metadata| metadata.uid())
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(super) fn failed(doing: &'static str, path: &Path, error: &io::Error) -> Error {
    Error::State { doing, path: path.display().to_string(), why: error.to_string() }
}
