//! Opening what a path names, if it is fit to be a port.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, lstat, open as open_fd};
use rustix::io::Errno;

use super::Kind;
use crate::Error;
use crate::fault::{absent, not_opened, unsupported};

/// Write-only, at the end, never waiting, never our controlling terminal.
const WRITING: OFlags = OFlags::WRONLY
    .union(OFlags::APPEND)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Opens what is at `path`; makes a plain file where nothing is.
pub(super) fn open(path: &Path, name: &str) -> Result<(OwnedFd, Kind), Error> {
    let opening = |errno| not_opened(name, "opening", errno);
    match lstat(path) {
        Ok(entry) => open_existing(path, name, is(&entry, FileType::Symlink)),
        Err(Errno::NOENT) => {
            let making = WRITING | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
            let fd =
                open_fd(path, making, Mode::RUSR | Mode::WUSR).map_err(|errno| match errno {
                    Errno::EXIST => absent(name, "something appeared there just now"),
                    errno => opening(errno),
                })?;
            Ok((fd, Kind::Plain))
        }
        Err(errno) => Err(opening(errno)),
    }
}

/// Looks at the file without opening it (`O_PATH`: opening alone can do something to a device), then opens it, and makes
/// sure that it is still the same one.
fn open_existing(path: &Path, name: &str, linked: bool) -> Result<(OwnedFd, Kind), Error> {
    let opening = |errno| not_opened(name, "opening", errno);
    let seen = open_fd(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(opening)?;
    let seen = fstat(&seen).map_err(opening)?;
    let kind = kind_of(&seen, name, linked)?;
    let fd = open_fd(path, WRITING, Mode::empty()).map_err(|errno| match (kind, errno) {
        (Kind::Fifo, Errno::NXIO) => absent(name, "no program reads it"),
        (_, errno) => opening(errno),
    })?;
    let opened = fstat(&fd).map_err(opening)?;
    if (opened.st_dev, opened.st_ino) != (seen.st_dev, seen.st_ino) {
        return Err(absent(name, "it was replaced while it was being opened"));
    }
    refuse_terminal(&fd, name)?;
    Ok((fd, kind))
}

fn kind_of(seen: &Stat, name: &str, linked: bool) -> Result<Kind, Error> {
    let refused = |what: &str, why: &str| Err(unsupported(name, what, why));
    match FileType::from_raw_mode(seen.st_mode) {
        FileType::RegularFile if linked => refused(
            "printing to a plain file through a symbolic link",
            "write the path of the file itself",
        ),
        FileType::RegularFile => Ok(Kind::Plain),
        FileType::Fifo => Ok(Kind::Fifo),
        FileType::CharacterDevice => Ok(Kind::Device),
        FileType::Directory => refused("printing to a directory", "write the path of a file in it"),
        FileType::Socket => {
            refused("printing to a Unix socket", "write a file, a FIFO or a device")
        }
        FileType::BlockDevice => refused(
            "printing to a block device",
            "it is a disk; write a file, a FIFO or a character device",
        ),
        FileType::Symlink | FileType::Unknown => {
            refused("printing to this kind of file", "write a file, a FIFO or a character device")
        }
    }
}

fn refuse_terminal(fd: impl AsFd, name: &str) -> Result<(), Error> {
    if !rustix::termios::isatty(fd) {
        return Ok(());
    }
    Err(unsupported(
        name,
        "printing to a terminal line as a file",
        "it would change the bytes; write serial: and the path",
    ))
}

fn is(entry: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(entry.st_mode) == kind
}
