//! What is wrong with a device URI, and where.

use std::fmt;
use std::ops::Range;

use super::scan::Fault;
use crate::limits::URI_SHOWN_CHARS;

/// A text that is not a device URI. The administrator's fault, found while a configuration is read: no port is involved
/// yet, so this is not a variant of [`crate::Error`].
///
/// The message names the offending part, says what is wrong with it, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriError {
    uri: String,
    fault: Fault,
}

impl UriError {
    pub(super) fn new(uri: &str, fault: Fault) -> Self {
        Self { uri: uri.to_owned(), fault }
    }

    /// The text that was read.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Where the offending part stands in [`Self::uri`], in bytes. Always at characters; may be the whole.
    pub fn range(&self) -> Range<usize> {
        self.fault.range.clone()
    }

    /// The offending part.
    pub fn part(&self) -> &str {
        self.uri.get(self.range()).unwrap_or(&self.uri)
    }

    /// What is wrong with it, as the end of a sentence: "is not a number".
    pub fn wrong(&self) -> &str {
        &self.fault.wrong
    }

    /// What would be right, as a sentence without a full stop: "write baud=9600".
    pub fn right(&self) -> &str {
        &self.fault.right
    }
}

impl fmt::Display for UriError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(out, &self.uri)?;
        write!(out, ": `")?;
        show(out, self.part())?;
        write!(out, "` {}; {}", self.fault.wrong, self.fault.right)
    }
}

impl std::error::Error for UriError {}

/// Writes text from a configuration into a message: no control characters, not for ever.
fn show(out: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for shown in text.chars().take(URI_SHOWN_CHARS) {
        write!(out, "{}", shown.escape_debug())?;
    }
    if text.chars().nth(URI_SHOWN_CHARS).is_some() { out.write_str("…") } else { Ok(()) }
}
