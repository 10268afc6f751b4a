//! From a bare Debian machine to a snapshot that can be restored: everything is fetched and unpacked, nothing installed.
//!
//! ```text
//!   apt-get download ──► dpkg -x ──► vmlinux, modules ──► initramfs ──► cold boot ──► snapshot
//!   └───── packages-KEY/ (names and versions) ─────┘      └──────── snapshot-KEY/ (all of it) ────────┘
//! ```
//!
//! Both directories are made under another name and renamed when they are whole, so that whatever breaks off leaves
//! nothing half done. The cache is `$DESPOOL_HIL_CACHE`, else `$XDG_CACHE_HOME/despool-hil`, else `~/.cache/despool-hil`.

mod elf;
mod initramfs;
mod kernel;
mod packages;
mod tool;

use std::path::{Path, PathBuf};

pub use packages::Packages;

use crate::error::{Error, Result, file};
pub(crate) use initramfs::Initramfs;
pub(crate) use kernel::{extract_vmlinux, module_order};
pub(crate) use tool::{key_of, run};

/// Where everything is kept.
#[derive(Clone, Debug)]
pub struct Cache {
    dir: PathBuf,
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
        Ok(Self { dir })
    }

    /// A directory of the cache, made by `make` (in a directory of another name) where it is not there yet.
    pub fn entry(&self, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let place = self.dir.join(name);
        if place.is_dir() {
            return Ok(place);
        }
        let new = tempfile::Builder::new().prefix("new-").tempdir_in(&self.dir);
        let new = new.map_err(file("making a directory in", &self.dir))?;
        make(new.path())?;
        let new = new.keep();
        match std::fs::rename(&new, &place) {
            Ok(()) => Ok(place),
            // Somebody else was faster.
            Err(_) if place.is_dir() => {
                let _ = std::fs::remove_dir_all(&new);
                Ok(place)
            }
            Err(error) => Err(file("renaming", &new)(error)),
        }
    }

    /// Removes everything but these entries: old versions, and what was left behind half done.
    pub fn keep_only(&self, kept: &[PathBuf]) -> Result<()> {
        let entries = std::fs::read_dir(&self.dir).map_err(file("reading", &self.dir))?;
        for entry in entries.flatten().map(|entry| entry.path()).filter(|path| !kept.contains(path))
        {
            std::fs::remove_dir_all(&entry).map_err(file("removing", &entry))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_made_once_and_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache { dir: dir.path().to_owned() };
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
        cache.entry("b", |_| Ok(())).unwrap();
        cache.keep_only(&[dir.path().join("b")]).unwrap();
        assert!(!dir.path().join("a").exists() && dir.path().join("b").exists());
    }
}
