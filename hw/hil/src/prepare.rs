//! From a bare Debian machine to a snapshot that can be restored: everything is fetched and unpacked, nothing installed.
//!
//! ```text
//!   apt-get download ──► dpkg -x ──► vmlinux, modules ──► initramfs ──► cold boot ──► snapshot
//!   └───── packages-KEY/ (names and versions) ─────┘      └──────── snapshot-KEY/ (all of it) ────────┘
//! ```
//!
//! Both directories are made under another name and renamed when they are whole, so that whatever breaks off leaves
//! nothing half done. Several benches may share the cache: each has a lock on what it uses, and nobody removes that. The cache is
//! `$DESPOOL_HIL_CACHE`, else `$XDG_CACHE_HOME/despool-hil`, else `~/.cache/despool-hil`.

mod elf;
mod initramfs;
mod kernel;
mod packages;
mod tool;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

pub use packages::Packages;

use crate::error::{Error, Result, file};
pub(crate) use initramfs::Initramfs;
pub(crate) use kernel::{extract_vmlinux, module_order};
pub(crate) use tool::{key_of, run};

/// Where everything is kept. What was asked of it stays there for as long as this is not dropped.
#[derive(Debug)]
pub struct Cache {
    dir: PathBuf,
    /// Locks on the entries in use.
    held: Mutex<Vec<File>>,
}

impl Cache {
    /// The cache of this user.
    pub fn open() -> Result<Self> {
        let from = |name: &str| std::env::var_os(name).filter(|dir| !dir.is_empty());
        let dir = from("DESPOOL_HIL_CACHE")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(from("XDG_CACHE_HOME")?).join("despool-hil")))
            .or_else(|| Some(PathBuf::from(from("HOME")?).join(".cache/despool-hil")))
            .ok_or_else(|| Error::Missing {
                what: "there is no place for the bench's cache".into(),
                remedy: "set DESPOOL_HIL_CACHE to a directory".into(),
            })?;
        std::fs::create_dir_all(&dir).map_err(file("making", &dir))?;
        Ok(Self { dir, held: Mutex::default() })
    }

    /// While this is held nobody else makes or removes entries.
    fn lock(&self) -> Result<File> {
        let lock = File::open(&self.dir).map_err(file("opening", &self.dir))?;
        lock.lock().map_err(file("locking", &self.dir))?;
        Ok(lock)
    }

    /// Keeps others from removing an entry; false: it is not there.
    fn hold(&self, entry: &Path) -> Result<bool> {
        let Ok(held) = File::open(entry) else { return Ok(false) };
        held.lock_shared().map_err(file("locking", entry))?;
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(held);
        Ok(true)
    }

    /// A directory of the cache, made by `make` (in a directory of another name) where it is not there yet.
    pub fn entry(&self, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let place = self.dir.join(name);
        let lock = self.lock()?;
        if self.hold(&place)? {
            return Ok(place);
        }
        let new = tempfile::Builder::new().prefix("new-").tempdir_in(&self.dir);
        let new = new.map_err(file("making a directory in", &self.dir))?;
        self.hold(new.path())?;
        drop(lock);
        make(new.path())?;
        let _lock = self.lock()?;
        let new = new.keep();
        match std::fs::rename(&new, &place) {
            Ok(()) => Ok(place),
            // Somebody else was faster.
            Err(_) if self.hold(&place)? => {
                let _ = std::fs::remove_dir_all(&new);
                Ok(place)
            }
            Err(error) => Err(file("renaming", &new)(error)),
        }
    }

    /// Removes what nobody uses: old versions, and what was left behind half done.
    pub fn remove_unused(&self) -> Result<()> {
        let _lock = self.lock()?;
        for entry in self.entries("")? {
            let is_used = File::open(&entry).is_ok_and(|entry| entry.try_lock().is_err());
            if !is_used {
                std::fs::remove_dir_all(&entry).map_err(file("removing", &entry))?;
            }
        }
        Ok(())
    }

    /// An entry whose name begins so, whichever it is; `None`: there is none.
    pub fn any(&self, prefix: &str) -> Result<Option<PathBuf>> {
        let _lock = self.lock()?;
        for entry in self.entries(prefix)? {
            if self.hold(&entry)? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn entries(&self, prefix: &str) -> Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(&self.dir).map_err(file("reading", &self.dir))?.flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        Ok(named.map(|entry| entry.path()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_made_once_and_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Cache { dir: dir.path().to_owned(), held: Mutex::default() };
        let cache = open();
        let broken = cache.entry("a", |new| {
            std::fs::write(new.join("half"), "").unwrap();
            Err(Error::Unexpected("broke off".into()))
        });
        assert!(broken.is_err() && std::fs::read_dir(dir.path()).unwrap().next().is_none());
        for _ in 0..2 {
            let made = cache.entry("a", |new| {
                std::fs::write(new.join("whole"), "").map_err(file("writing", new))
            });
            assert!(made.unwrap().join("whole").exists());
        }
        drop(cache);
        assert_eq!(open().any("a").unwrap(), Some(dir.path().join("a")));
        assert_eq!(open().any("b").unwrap(), None);
    }

    #[test]
    fn what_another_bench_uses_is_not_removed() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Cache { dir: dir.path().to_owned(), held: Mutex::default() };
        open().entry("old", |_| Ok(())).unwrap();
        let (one, other) = (open(), open());
        one.entry("a", |_| Ok(())).unwrap();
        // Also while it is being made.
        let made = other.entry("b", |_| one.remove_unused());
        assert!(made.unwrap().exists() && dir.path().join("a").exists());
        assert!(!dir.path().join("old").exists());
        drop(other);
        one.remove_unused().unwrap();
        assert!(dir.path().join("a").exists() && !dir.path().join("b").exists());
    }
}
