//! inotify watches on all that decides where a path leads.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
use rustix::io::Errno;

use crate::limits::{INOTIFY_READS, LINKS};

/// In a directory: entries that come, go, or get other permissions; and the end of the directory itself.
const ENTRIES: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// At the node: whoever had it open closes it; udev sets its permissions.
const NODE: WatchFlags = WatchFlags::CLOSE.union(WatchFlags::ATTRIB).union(WatchFlags::DELETE_SELF);

/// Watches on one path. Made anew for each wait: nothing that happened before it is heard, our own attempts to open the
/// device least of all.
#[derive(Debug)]
pub(super) struct Watch {
    fd: OwnedFd,
    /// A directory on the way may not be watched (we may not read it).
    pub(super) is_blind: bool,
}

impl Watch {
    /// Watches, for the node and for each symbolic link that leads to it, the directory it is in or will be in, as far
    /// down as that exists.
    pub(super) fn on(path: &Path) -> Result<Self, Errno> {
        let fd = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let mut watch = Self { fd, is_blind: false };
        let mut entry = path.to_owned();
        for _ in 0..LINKS {
            watch.directory_of(&entry)?;
            match target(&entry) {
                Some(next) => entry = next,
                None => break,
            }
        }
        // Not there: its directory is watched.
        watch.add(path, NODE)?;
        Ok(watch)
    }

    /// Watches the nearest existing directory above `entry`.
    fn directory_of(&mut self, entry: &Path) -> Result<(), Errno> {
        for directory in entry.ancestors().skip(1) {
            if self.add(directory, ENTRIES)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// True if it is watched, or could never be.
    fn add(&mut self, path: &Path, flags: WatchFlags) -> Result<bool, Errno> {
        match add_watch(&self.fd, path, flags) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(false),
            Err(Errno::ACCESS) => {
                self.is_blind = true;
                Ok(true)
            }
            Err(errno) => Err(errno),
        }
    }

    /// Takes what was told; true if some program closed the node.
    pub(super) fn was_closed(&self) -> bool {
        let mut buf = [MaybeUninit::uninit(); 4096];
        let mut told = Reader::new(&self.fd, &mut buf);
        let mut closed = false;
        for _ in 0..INOTIFY_READS {
            let Ok(event) = told.next() else { break };
            closed |= event.events().intersects(ReadFlags::CLOSE_WRITE | ReadFlags::CLOSE_NOWRITE);
        }
        closed
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Where a symbolic link leads; `None`: it is none.
fn target(link: &Path) -> Option<PathBuf> {
    let target = std::fs::read_link(link).ok()?;
    // The directory's own links are resolved, so that `..` in the target can be.
    let directory = std::fs::canonicalize(link.parent()?).ok()?;
    let mut resolved = PathBuf::new();
    for step in directory.join(target).components() {
        match step {
            Component::ParentDir => {
                resolved.pop();
            }
            step => resolved.push(step),
        }
    }
    Some(resolved)
}
