//! What a single [`Value`] is, as a Rust type: `None` for every other syntax.

use std::borrow::Cow;

use super::attributes::Attributes;
use super::datetime::DateTime;
use super::tag;
use super::value::{Range, Resolution, Value};

/// `fn $name(&self) -> Option<$type>`: `Some` for the variants named.
macro_rules! picks {
    ($($(#[$meta:meta])* $name:ident -> $type:ty { $($pattern:pat => $picked:expr,)+ })+) => {
        impl Value {
            $(
                $(#[$meta])*
                pub fn $name(&self) -> Option<$type> {
                    match self {
                        $($pattern => Some($picked),)+
                        _ => None,
                    }
                }
            )+
        }
    };
}

picks! {
    /// An `integer`.
    as_integer -> i32 { Self::Integer(number) => *number, }
    /// A `boolean`.
    as_boolean -> bool { Self::Boolean(truth) => *truth, }
    /// An `enum`.
    as_enum -> i32 { Self::Enum(number) => *number, }
    /// A `keyword`, or a `name` with or without language.
    as_keyword -> &str {
        Self::Keyword(word) | Self::Name(word) => word,
        Self::NameWithLanguage(both) => &both.text,
    }
    /// A `uri`.
    as_uri -> &str { Self::Uri(uri) => uri, }
    /// A `charset`.
    as_charset -> &str { Self::Charset(charset) => charset, }
    /// A `naturalLanguage`.
    as_language -> &str { Self::NaturalLanguage(language) => language, }
    /// A `mimeMediaType`.
    as_mime_type -> &str { Self::MimeMediaType(mime_type) => mime_type, }
    /// An `octetString`.
    as_octet_string -> &[u8] { Self::OctetString(octets) => octets, }
    /// A `dateTime`.
    as_date_time -> DateTime { Self::DateTime(moment) => *moment, }
    /// A `resolution`.
    as_resolution -> Resolution { Self::Resolution(resolution) => *resolution, }
    /// A `rangeOfInteger`, or an `integer` as the range of itself alone.
    as_range -> Range {
        Self::Range(range) => *range,
        Self::Integer(number) => Range { lower: *number, upper: *number },
    }
    /// The members of a `collection`.
    as_collection -> &Attributes { Self::Collection(members) => members, }
}

impl Value {
    /// A `text` or a `name`, with or without language. Where its octets are not UTF-8, U+FFFD is put for what is not.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) | Self::Name(text) => Some(Cow::Borrowed(text)),
            Self::TextWithLanguage(both) | Self::NameWithLanguage(both) => {
                Some(Cow::Borrowed(&both.text))
            }
            Self::Opaque(opaque) if matches!(opaque.tag(), tag::TEXT | tag::NAME) => {
                Some(String::from_utf8_lossy(opaque.octets()))
            }
            _ => None,
        }
    }
}
