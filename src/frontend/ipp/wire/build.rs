//! Putting attributes together from ordinary Rust types.
//!
//! `&str` could be any of eight syntaxes, so each has its method; the other types say their syntax themselves. A later
//! `put` of the same name replaces the earlier.

use std::ops::RangeInclusive;

use super::attributes::{Attribute, Attributes};
use super::datetime::DateTime;
use super::operation::Operation;
use super::state::{JobState, PrinterState};
use super::value::{Localized, OutOfBand, Range, Resolution, Value};

impl Attributes {
    /// Puts an attribute with one value.
    pub fn put(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        self.insert(Attribute::new(name, value));
        self
    }

    /// Puts a 1setOf; an empty one has the value `no-value`.
    pub fn put_all<V: Into<Value>>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) -> &mut Self {
        self.insert(Attribute::set_of(name, values));
        self
    }

    /// Puts a 1setOf keyword; an empty one has the value `no-value`.
    pub fn put_keywords<'v>(
        &mut self,
        name: &str,
        keywords: impl IntoIterator<Item = &'v str>,
    ) -> &mut Self {
        self.put_all(name, keywords.into_iter().map(Value::keyword))
    }

    /// Puts a keyword.
    pub fn put_keyword(&mut self, name: &str, keyword: &str) -> &mut Self {
        self.put(name, Value::keyword(keyword))
    }

    /// Puts a text, in the language of the message.
    pub fn put_text(&mut self, name: &str, text: &str) -> &mut Self {
        self.put(name, Value::text(text))
    }

    /// Puts a name, in the language of the message.
    pub fn put_name(&mut self, name: &str, value: &str) -> &mut Self {
        self.put(name, Value::name(value))
    }

    /// Puts a uri.
    pub fn put_uri(&mut self, name: &str, uri: &str) -> &mut Self {
        self.put(name, Value::uri(uri))
    }

    /// Puts an enum.
    pub fn put_enum(&mut self, name: &str, number: i32) -> &mut Self {
        self.put(name, Value::Enum(number))
    }

    /// Puts a charset.
    pub fn put_charset(&mut self, name: &str, charset: &str) -> &mut Self {
        self.put(name, Value::charset(charset))
    }

    /// Puts a natural language.
    pub fn put_language(&mut self, name: &str, language: &str) -> &mut Self {
        self.put(name, Value::language(language))
    }

    /// Puts a MIME media type.
    pub fn put_mime_type(&mut self, name: &str, mime_type: &str) -> &mut Self {
        self.put(name, Value::mime_type(mime_type))
    }

    /// Puts `unsupported`: in the Unsupported Attributes group, what the server does not know (RFC 8011 §4.1.7).
    pub fn put_unsupported(&mut self, name: &str) -> &mut Self {
        self.put(name, OutOfBand::Unsupported)
    }
}

impl Value {
    /// A keyword.
    pub fn keyword(keyword: &str) -> Self {
        Self::Keyword(keyword.into())
    }

    /// A text, in the language of the message.
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// A text in a language of its own.
    pub fn text_in(language: &str, text: &str) -> Self {
        Self::TextWithLanguage(Localized::boxed(language, text))
    }

    /// A name, in the language of the message.
    pub fn name(name: &str) -> Self {
        Self::Name(name.into())
    }

    /// A name in a language of its own.
    pub fn name_in(language: &str, name: &str) -> Self {
        Self::NameWithLanguage(Localized::boxed(language, name))
    }

    /// A uri.
    pub fn uri(uri: &str) -> Self {
        Self::Uri(uri.into())
    }

    /// The scheme of a uri.
    pub fn uri_scheme(scheme: &str) -> Self {
        Self::UriScheme(scheme.into())
    }

    /// A charset.
    pub fn charset(charset: &str) -> Self {
        Self::Charset(charset.into())
    }

    /// A natural language.
    pub fn language(language: &str) -> Self {
        Self::NaturalLanguage(language.into())
    }

    /// A MIME media type.
    pub fn mime_type(mime_type: &str) -> Self {
        Self::MimeMediaType(mime_type.into())
    }
}

impl Localized {
    fn boxed(language: &str, text: &str) -> Box<Self> {
        Box::new(Self { language: language.into(), text: text.into() })
    }
}

/// `From<$from> for Value`, for the types whose syntax is plain.
macro_rules! into_value {
    ($($from:ty => |$value:ident| $make:expr;)+) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $make
            }
        })+
    };
}

into_value! {
    i32 => |number| Self::Integer(number);
    bool => |truth| Self::Boolean(truth);
    RangeInclusive<i32> => |range| Self::Range(range.into());
    Range => |range| Self::Range(range);
    Resolution => |resolution| Self::Resolution(resolution);
    DateTime => |moment| Self::DateTime(moment);
    OutOfBand => |why| Self::OutOfBand(why);
    Attributes => |members| Self::Collection(members);
    &[u8] => |octets| Self::OctetString(octets.into());
    JobState => |state| Self::Enum(state.code());
    PrinterState => |state| Self::Enum(state.code());
    Operation => |operation| Self::Enum(operation.code().into());
}
