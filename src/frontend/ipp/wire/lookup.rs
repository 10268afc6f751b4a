//! Reading attributes by name, with their syntax checked.
//!
//! `Ok(None)` is: not there, or there with an out-of-band value such as `no-value`. An error is a value of the wrong
//! syntax, too long for its syntax, or several where one belongs; each is the peer's fault, and says what to answer
//! (RFC 3196 §3.1.2.1.5).

use std::borrow::Cow;

use super::attributes::{Attribute, Attributes};
use super::datetime::DateTime;
use super::status::Status;
use super::value::{Range, Resolution, Value};

/// Why an attribute is not what it should be. The peer's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributeError {
    /// It has to be there.
    #[error("the attribute \"{}\" is missing", name.escape_debug())]
    Missing {
        /// Its name.
        name: Box<str>,
    },
    /// It has another syntax.
    #[error("the attribute \"{}\" is {wanted}, not {found}", name.escape_debug())]
    Syntax {
        /// Its name.
        name: Box<str>,
        /// The syntax it has by its definition.
        wanted: &'static str,
        /// The syntax it came with.
        found: &'static str,
    },
    /// It has one value.
    #[error("the attribute \"{}\" has one value, not {count}", name.escape_debug())]
    Several {
        /// Its name.
        name: Box<str>,
        /// How many it came with.
        count: usize,
    },
    /// A value is longer than its syntax allows.
    #[error(
        "the attribute \"{}\" has a value of {length} octets; {limit} are allowed",
        name.escape_debug()
    )]
    TooLong {
        /// Its name.
        name: Box<str>,
        /// How many octets it came with.
        length: usize,
        /// How many there may be (RFC 8011 §5.1).
        limit: usize,
    },
}

impl AttributeError {
    /// That an attribute has to be there: `attributes.uri(name)?.ok_or_else(|| AttributeError::missing(name))`.
    pub fn missing(name: &str) -> Self {
        Self::Missing { name: name.into() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Missing { name }
            | Self::Syntax { name, .. }
            | Self::Several { name, .. }
            | Self::TooLong { name, .. } => name,
        }
    }

    /// The status to answer with, whatever the group (RFC 3196 §3.1.2.1.5, §3.1.2.2.3). A value of the right syntax
    /// that is merely not supported is `client-error-attributes-or-values-not-supported`, which the reader of the
    /// value knows and we do not.
    pub fn status(&self) -> Status {
        match self {
            Self::TooLong { .. } => Status::RequestValueTooLong,
            _ => Status::BadRequest,
        }
    }
}

/// One lookup for a single value, and one for all values of a 1setOf (empty where the attribute is not there).
macro_rules! lookups {
    ($($(#[$meta:meta])* $one:ident, $all:ident: $type:ty = $wanted:literal, $pick:expr;)+) => {
        impl Attributes {
            $(
                $(#[$meta])*
                ///
                /// # Errors
                /// [`AttributeError`] where it is there and is something else.
                pub fn $one(&self, name: &str) -> Result<Option<$type>, AttributeError> {
                    self.find(name).map_or(Ok(None), |attribute| attribute.single($wanted, $pick))
                }

                #[doc = concat!("All values of a 1setOf that [`Self::", stringify!($one), "`] reads one of.")]
                ///
                /// # Errors
                /// [`AttributeError`] where one of them is something else.
                pub fn $all(&self, name: &str) -> Result<Vec<$type>, AttributeError> {
                    self.find(name).map_or(Ok(Vec::new()), |attribute| attribute.every($wanted, $pick))
                }
            )+
        }
    };
}

lookups! {
    /// An integer.
    integer, integers: i32 = "integer", Value::as_integer;
    /// A boolean.
    boolean, booleans: bool = "boolean", Value::as_boolean;
    /// An enum.
    enumeration, enumerations: i32 = "enum", Value::as_enum;
    /// A text or a name, with or without language. Octets that are not UTF-8 are replaced by U+FFFD.
    text, texts: Cow<'_, str> = "text or name", Value::as_text;
    /// A keyword; also a name, as in "media" and "job-sheets" (type `keyword | name`).
    keyword, keywords: &str = "keyword or name", Value::as_keyword;
    /// A uri.
    uri, uris: &str = "uri", Value::as_uri;
    /// A charset.
    charset, charsets: &str = "charset", Value::as_charset;
    /// A natural language.
    language, languages: &str = "naturalLanguage", Value::as_language;
    /// A MIME media type.
    mime_type, mime_types: &str = "mimeMediaType", Value::as_mime_type;
    /// An octet string.
    octet_string, octet_strings: &[u8] = "octetString", Value::as_octet_string;
    /// A moment.
    date_time, date_times: DateTime = "dateTime", Value::as_date_time;
    /// A resolution.
    resolution, resolutions: Resolution = "resolution", Value::as_resolution;
    /// A range; an integer is the range of itself alone (type `integer | rangeOfInteger`).
    range, ranges: Range = "rangeOfInteger", Value::as_range;
    /// The members of a collection.
    collection, collections: &Attributes = "collection", Value::as_collection;
}

impl Attribute {
    fn single<'a, T>(
        &'a self,
        wanted: &'static str,
        pick: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, AttributeError> {
        match self.values() {
            [Value::OutOfBand(_)] => Ok(None),
            [value] => self.check(value, wanted, &pick).map(Some),
            several => {
                Err(AttributeError::Several { name: self.name().into(), count: several.len() })
            }
        }
    }

    fn every<'a, T>(
        &'a self,
        wanted: &'static str,
        pick: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Vec<T>, AttributeError> {
        match self.values() {
            [Value::OutOfBand(_)] => Ok(Vec::new()),
            values => values.iter().map(|value| self.check(value, wanted, &pick)).collect(),
        }
    }

    fn check<'a, T>(
        &self,
        value: &'a Value,
        wanted: &'static str,
        pick: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<T, AttributeError> {
        let name = || self.name().into();
        let picked = pick(value).ok_or_else(|| AttributeError::Syntax {
            name: name(),
            wanted,
            found: value.syntax(),
        })?;
        match value.too_long() {
            Some((length, limit)) => Err(AttributeError::TooLong { name: name(), length, limit }),
            None => Ok(picked),
        }
    }
}
