//! A URI cut into parts which know where they stand.
//!
//! Every part remembers its offset in the whole, so that a fault can point at it.

use std::ffi::OsString;
use std::fmt::{self, Write};
use std::ops::Range;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A piece of the URI's text and where it begins (in bytes).
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

/// What is wrong with a part, before it is known which URI it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) range: Range<usize>,
    pub(super) wrong: String,
    pub(super) right: String,
}

impl<'a> Part<'a> {
    pub(super) fn whole(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    /// This part is wrong in this way; that would be right.
    pub(super) fn fault(self, wrong: impl Into<String>, right: impl Into<String>) -> Fault {
        Fault { range: self.range(), wrong: wrong.into(), right: right.into() }
    }

    /// The part before the first of `separators`, and the one behind it.
    pub(super) fn cut(self, separators: &[char]) -> (Self, Option<Self>) {
        match self.text.find(separators) {
            Some(end) => (self.before(end), Some(self.after(end + 1))),
            None => (self, None),
        }
    }

    /// The part behind `prefix`, if it begins so.
    pub(super) fn strip(self, prefix: &str) -> Option<Self> {
        let text = self.text.strip_prefix(prefix)?;
        Some(Self { text, at: self.at + prefix.len() })
    }

    /// The first `end` bytes. Separators are ASCII, so every cut is at a character.
    fn before(self, end: usize) -> Self {
        Self { text: self.text.get(..end).unwrap_or_default(), at: self.at }
    }

    fn after(self, start: usize) -> Self {
        Self { text: self.text.get(start..).unwrap_or_default(), at: self.at + start }
    }

    /// The bytes this part stands for: `%41` is `A`.
    pub(super) fn decoded(self) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::with_capacity(self.text.len());
        let mut rest = self;
        while let Some(at) = rest.text.find('%') {
            bytes.extend_from_slice(rest.before(at).text.as_bytes());
            bytes.push(rest.after(at).percent_code()?);
            rest = rest.after(at + 3);
        }
        bytes.extend_from_slice(rest.text.as_bytes());
        Ok(bytes)
    }

    /// The byte of the percent code that this part begins with.
    fn percent_code(self) -> Result<u8, Fault> {
        let code = self.text.get(1..3).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        code.and_then(|code| u8::from_str_radix(code, 16).ok()).ok_or_else(|| {
            let end = self.text.char_indices().nth(3).map_or(self.text.len(), |(at, _)| at);
            self.before(end).fault("is not a percent code", "write %25 for a percent sign")
        })
    }

    /// The text this part stands for.
    pub(super) fn decoded_text(self) -> Result<String, Fault> {
        let text = String::from_utf8(self.decoded()?)
            .map_err(|_| self.fault("is not UTF-8 when decoded", "write UTF-8 percent codes"))?;
        if text.chars().any(char::is_control) {
            return Err(self.fault("holds a control character", "leave it out"));
        }
        Ok(text)
    }

    /// The absolute path this part stands for, without doubled slashes and `.` steps.
    pub(super) fn decoded_path(self, example: &str) -> Result<PathBuf, Fault> {
        let bytes = self.decoded()?;
        if bytes.first() != Some(&b'/') {
            return Err(self.fault("is not an absolute path", format!("write {example}")));
        }
        if bytes.contains(&0) {
            return Err(
                self.fault("holds a zero byte, which no path can", format!("write {example}"))
            );
        }
        Ok(PathBuf::from(OsString::from_vec(bytes)).components().collect())
    }
}

/// Writes bytes so that [`Part::decoded`] gives them back. `plain` says which bytes beside letters, digits and `-._~`
/// need no percent code.
pub(super) fn encode(out: &mut impl Write, bytes: &[u8], plain: &[u8]) -> fmt::Result {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || plain.contains(&byte) {
            out.write_char(char::from(byte))?;
        } else {
            write!(out, "%{byte:02X}")?;
        }
    }
    Ok(())
}

/// Writes a path before any option.
pub(super) fn encode_path(out: &mut impl Write, path: &Path) -> fmt::Result {
    encode(out, path.as_os_str().as_bytes(), b"/:@,=")
}
