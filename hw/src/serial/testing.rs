//! Pseudo terminals for tests.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::io::ioctl_fionbio;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A pty: its far end, which does not wait, and the path of the near one.
pub(crate) fn pty() -> (OwnedFd, PathBuf) {
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&far).unwrap();
    unlockpt(&far).unwrap();
    ioctl_fionbio(&far, true).unwrap();
    let name = ptsname(&far, Vec::new()).unwrap();
    (far, OsStr::from_bytes(name.as_bytes()).into())
}
