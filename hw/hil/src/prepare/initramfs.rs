//! The guest's root file system: a `newc` archive (Documentation/driver-api/early-userspace/buffer-format.rst), written here
//! because it needs neither root nor `cpio` that way.

use std::path::Path;

use crate::error::{Result, file};

const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const LINK: u32 = 0o120_777;
const CHARACTER_DEVICE: u32 = 0o020_600;

/// An archive being written.
#[derive(Debug, Default)]
pub(crate) struct Initramfs {
    bytes: Vec<u8>,
    entries: u32,
}

impl Initramfs {
    /// A directory; those above it must be there.
    pub(crate) fn directory(&mut self, name: &str) -> &mut Self {
        self.entry(name, DIRECTORY, (0, 0), &[])
    }

    /// A program, a library or a text.
    pub(crate) fn program(&mut self, name: &str, content: &[u8]) -> &mut Self {
        self.entry(name, PROGRAM, (0, 0), content)
    }

    /// The same, with a file's content.
    pub(crate) fn copy(&mut self, name: &str, from: &Path) -> Result<&mut Self> {
        let content = std::fs::read(from).map_err(file("reading", from))?;
        Ok(self.program(name, &content))
    }

    /// A symbolic link.
    pub(crate) fn link(&mut self, name: &str, target: &str) -> &mut Self {
        self.entry(name, LINK, (0, 0), target.as_bytes())
    }

    /// A character device.
    pub(crate) fn device(&mut self, name: &str, numbers: (u32, u32)) -> &mut Self {
        self.entry(name, CHARACTER_DEVICE, numbers, &[])
    }

    /// The whole archive.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, (0, 0), &[]);
        self.pad(512);
        self.bytes
    }

    fn entry(&mut self, name: &str, mode: u32, device: (u32, u32), content: &[u8]) -> &mut Self {
        self.entries = self.entries.saturating_add(1);
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        let fields = [
            self.entries,
            mode,
            0,
            0,
            1,
            0,
            length(content.len()),
            0,
            0,
            device.0,
            device.1,
            length(name.len().saturating_add(1)),
            0,
        ];
        self.bytes.extend(b"070701");
        self.bytes.extend(fields.into_iter().flat_map(|field| format!("{field:08X}").into_bytes()));
        self.bytes.extend(name.bytes());
        self.bytes.push(0);
        self.pad(4);
        self.bytes.extend(content);
        self.pad(4);
        self
    }

    fn pad(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        let mut archive = Initramfs::default();
        archive.directory("bin").program("bin/x", b"hello").device("console", (5, 1));
        let bytes = archive.finish();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with(
            "07070100000001000041ED000000000000000000000001000000000000000000000000000000000000000000000000000000040000000\
             0bin\0"
        ));
        let at = text.find("bin/x").unwrap();
        assert_eq!(&bytes[at - 110..][..46], b"07070100000002000081ED000000000000000000000001");
        assert_eq!(&bytes[at - 110 + 54..][..8], b"00000005");
        assert_eq!(&bytes[at + 6..][..8], b"hello\0\0\0");
        let console = text.find("console").unwrap();
        assert_eq!(&bytes[console - 110 + 78..][..16], b"0000000500000001");
        assert!(text.contains("TRAILER!!!") && bytes.len() % 512 == 0);
    }
}
