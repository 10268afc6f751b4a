//! A PJL printer on a pty: takes whatever comes, and says how it is.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Instant;

use super::sink::open_pty;

/// The device's end of a port: reads all that comes, and says how it is.
pub struct Device {
    end: File,
    /// What the server opens.
    pub path: PathBuf,
    said: u64,
    _open: OwnedFd,
}

impl Device {
    pub fn start() -> Self {
        let (end, path, open) = open_pty();
        let mut reader = end.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buf = vec![0; 64 * 1024];
            while reader.read(&mut buf).is_ok_and(|bytes| bytes > 0) {}
        });
        Self { end, path, said: 0, _open: open }
    }

    /// Says that it is ready, in words that it has not used before. When, and which.
    pub fn say(&mut self) -> (Instant, u64) {
        self.said += 1;
        let said = self.said;
        let status = format!(
            "@PJL USTATUS DEVICE\r\nCODE=10001\r\nDISPLAY=\"NOTE {said}\"\r\nONLINE=TRUE\r\n\x0c"
        );
        let begun = Instant::now();
        self.end.write_all(status.as_bytes()).unwrap();
        (begun, said)
    }
}
