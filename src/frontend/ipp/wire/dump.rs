//! Messages for the eye, in logs and failed tests, much as `ipptool -v` prints them.
//!
//! ```text
//!   IPP/1.1 Print-Job, request-id 1
//!     operation-attributes-tag
//!       attributes-charset (charset) = utf-8
//!     job-attributes-tag
//!       media-col (collection) = {media-size={x-dimension=21000 y-dimension=29700}}
//! ```
//!
//! It is *not* for parsing. The invariants: what a peer sent cannot begin a line of its own or send a terminal codes
//! (control characters are escaped), and passwords are not shown.

use std::fmt::{self, Debug, Display, Formatter};

use super::attributes::{Attribute, Attributes};
use super::message::{Group, Message};
use super::operation::Operation;
use super::state::{JobState, PrinterState};
use super::value::{Opaque, Range, Resolution, Value};

/// Attributes that carry secrets (PWG 5100.11, PWG 5100.13, CUPS).
const SECRETS: [&str; 3] = ["job-password", "document-password", "auth-info"];

/// A message on the point of being printed: [`Message::as_request`], [`Message::as_response`].
#[derive(Clone, Copy)]
pub struct Dump<'m> {
    message: &'m Message,
    code: Code,
}

#[derive(Clone, Copy)]
enum Code {
    Operation,
    Status,
    Number,
}

impl Message {
    /// To print it as the request it is.
    pub fn as_request(&self) -> Dump<'_> {
        Dump { message: self, code: Code::Operation }
    }

    /// To print it as the response it is.
    pub fn as_response(&self) -> Dump<'_> {
        Dump { message: self, code: Code::Status }
    }
}

impl Display for Dump<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Message { version: (major, minor), code, request_id, groups } = self.message;
        write!(f, "IPP/{major}.{minor} ")?;
        match self.code {
            Code::Operation => write!(f, "{}", self.message.operation())?,
            Code::Status => write!(f, "{}", self.message.status())?,
            Code::Number => write!(f, "0x{code:04x}")?,
        }
        write!(f, ", request-id {request_id}")?;
        groups.iter().try_for_each(|group| write!(f, "\n  {group}"))
    }
}

impl Display for Message {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&Dump { message: self, code: Code::Number }, f)
    }
}

impl Display for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tag)?;
        self.attributes.iter().try_for_each(|attribute| write!(f, "\n    {attribute}"))
    }
}

impl Display for Attribute {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let set = if self.values().len() > 1 { "1setOf " } else { "" };
        let syntax = self.values().first().map_or("", Value::syntax);
        write!(f, "{} ({set}{syntax}) = ", Shown(self.name()))?;
        values(self, f)
    }
}

impl Display for Attributes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, attribute) in self.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            write!(f, "{space}{}=", Shown(attribute.name()))?;
            values(attribute, f)?;
        }
        f.write_str("}")
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfBand(_) => f.write_str(self.syntax()),
            Self::Integer(number) | Self::Enum(number) => Display::fmt(number, f),
            Self::Boolean(truth) => Display::fmt(truth, f),
            Self::OctetString(octets) => Display::fmt(&octets.escape_ascii(), f),
            Self::DateTime(moment) => Display::fmt(moment, f),
            Self::Resolution(resolution) => Display::fmt(resolution, f),
            Self::Range(range) => Display::fmt(range, f),
            Self::Collection(members) => Display::fmt(members, f),
            Self::TextWithLanguage(both) | Self::NameWithLanguage(both) => {
                write!(f, "{}[{}]", Shown(&both.text), Shown(&both.language))
            }
            Self::Text(text)
            | Self::Name(text)
            | Self::Keyword(text)
            | Self::Uri(text)
            | Self::UriScheme(text)
            | Self::Charset(text)
            | Self::NaturalLanguage(text)
            | Self::MimeMediaType(text) => Display::fmt(&Shown(text), f),
            Self::Opaque(opaque) => Display::fmt(opaque, f),
        }
    }
}

impl Display for Resolution {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cross_feed)?;
        if self.cross_feed != self.feed {
            write!(f, "x{}", self.feed)?;
        }
        write!(f, "{}", self.unit)
    }
}

impl Display for Range {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.lower, self.upper)
    }
}

impl Display for Opaque {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "<0x{:02x} {}>", self.tag(), self.octets().escape_ascii())
    }
}

/// Text with all escaped that is not plain to see, line breaks and terminal codes above all; quotes are.
struct Shown<'t>(&'t str);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(['\'', '"']) {
            let plain = part.trim_end_matches(['\'', '"']);
            write!(f, "{}", plain.escape_debug())?;
            f.write_str(part.strip_prefix(plain).unwrap_or_default())?;
        }
        Ok(())
    }
}

/// The values of one attribute, with commas between; a state or an operation by its name.
fn values(attribute: &Attribute, f: &mut Formatter<'_>) -> fmt::Result {
    let name = attribute.name();
    if SECRETS.contains(&name) {
        return f.write_str("(not shown)");
    }
    for (index, value) in attribute.values().iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        f.write_str(comma)?;
        match value {
            Value::Enum(number) => enumerated(name, *number, f)?,
            other => Display::fmt(other, f)?,
        }
    }
    Ok(())
}

fn enumerated(name: &str, number: i32, f: &mut Formatter<'_>) -> fmt::Result {
    let known = match name {
        "job-state" => JobState::from_code(number).name(),
        "printer-state" => PrinterState::from_code(number).name(),
        "operations-supported" => {
            u16::try_from(number).ok().and_then(|code| Operation::from_code(code).name())
        }
        _ => None,
    };
    match known {
        Some(name) => f.write_str(name),
        None => Display::fmt(&number, f),
    }
}

/// `Debug` is `Display`: a failed test shows what a log would.
macro_rules! debug_as_display {
    ($($type:ty),+) => {
        $(impl Debug for $type {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                Display::fmt(self, f)
            }
        })+
    };
}

debug_as_display!(Message, Group, Attribute, Attributes, Dump<'_>);
