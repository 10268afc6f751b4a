//! Reading `/sys` and `/dev` below some root directory.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::limits::{ATTRIBUTE_BYTES, DIRECTORY_ENTRIES};

/// The directory that stands for `/`, without links.
#[derive(Debug)]
pub(crate) struct Root(PathBuf);

impl Root {
    pub(crate) fn new(root: &Path) -> Self {
        Self(fs::canonicalize(root).unwrap_or_else(|_| root.to_owned()))
    }

    /// Where an absolute path is below this root.
    pub(crate) fn at(&self, path: &Path) -> PathBuf {
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// What a path below the root is called by those for whom the root is `/`.
    pub(crate) fn outside(&self, path: &Path) -> PathBuf {
        Path::new("/").join(path.strip_prefix(&self.0).unwrap_or(path))
    }

    /// The path without links, below the root. `None`: it does not exist.
    pub(crate) fn real(&self, path: &Path) -> Option<PathBuf> {
        fs::canonicalize(self.at(path)).ok().filter(|path| path.starts_with(&self.0))
    }

    /// The device directory of a member of a class: `/sys/class/tty/ttyUSB0` without links.
    pub(crate) fn class(&self, class: &str, name: &str) -> Option<PathBuf> {
        self.real(&Path::new("/sys/class").join(class).join(name))
    }

    /// The names in a directory, sorted, numbers by their value; at most [`DIRECTORY_ENTRIES`]. None if it does not exist.
    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.at(Path::new(directory))).into_iter().flatten().flatten();
        let names = entries
            .take(DIRECTORY_ENTRIES)
            .filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<_> = names.collect();
        names.sort_by_cached_key(|name| sort_key(name));
        names
    }
}

/// `ttyS10` comes behind `ttyS9`.
fn sort_key(name: &str) -> (String, u64, String) {
    let stem = name.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let number = name.get(stem.len()..).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    (stem.to_owned(), number, name.to_owned())
}

/// A file of one value: its text without line ends and other control characters (a device may have put them there).
/// `None`: it does not exist, or says nothing.
pub(crate) fn attribute(directory: &Path, name: &str) -> Option<String> {
    // One read: some files of /proc/sys give nothing more behind the first, however short it was.
    let mut bytes = vec![0; usize::try_from(ATTRIBUTE_BYTES).unwrap_or(0)];
    let count = fs::File::open(directory.join(name)).ok()?.read(&mut bytes).ok()?;
    bytes.truncate(count);
    let text = String::from_utf8_lossy(&bytes);
    let text: String = text.trim().chars().filter(|shown| !shown.is_control()).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// A file of raw bytes, at most `limit_bytes` of it; nothing if it cannot be read.
pub(crate) fn bytes(directory: &Path, name: &str, limit_bytes: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(file) = fs::File::open(directory.join(name)) {
        // What was read before an error counts: the reader believes no length anyway.
        let _ = file.take(limit_bytes).read_to_end(&mut bytes);
    }
    bytes
}

/// The nearest directory at or above `device` that has this attribute.
pub(crate) fn above<'a>(device: &'a Path, name: &str) -> Option<&'a Path> {
    device.ancestors().find(|directory| directory.join(name).is_file())
}

/// The USB bus in a device's path, such as `usb1`.
pub(crate) fn bus(device: &Path) -> Option<String> {
    let is_bus = |step: &&str| {
        step.strip_prefix("usb")
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    device.iter().filter_map(OsStr::to_str).find(is_bus).map(str::to_owned)
}

/// Make and product of the USB device that `device` is part of.
pub(crate) fn product(device: &Path) -> Option<String> {
    let device = above(device, "idVendor")?;
    let words: Vec<_> = ["manufacturer", "product"]
        .into_iter()
        .filter_map(|name| attribute(device, name))
        .collect();
    Some(words.join(" ")).filter(|words| !words.is_empty())
}
