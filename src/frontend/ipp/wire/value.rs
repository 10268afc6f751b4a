//! One value: the syntaxes of RFC 8010 §3.5.2 and §3.9, as Rust types.
//!
//! A value is *not* checked for what its attribute allows; that takes knowing the attribute. A memberAttrName is not a
//! value here: it is the name of a member of an [`Attributes`] within [`Value::Collection`].
//!
//! The invariant: a [`Value`] has one encoding, and that encoding decodes to the same value. So what has a syntax of
//! its own is never an [`Opaque`], which only [`Value::from_wire`] makes.

use std::ops::RangeInclusive;

use super::attributes::Attributes;
use super::datetime::DateTime;
use super::{limits, tag};

/// A value of any syntax. 24 octets, and what it points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// There is no value, and this is why.
    OutOfBand(OutOfBand),
    /// `integer`
    Integer(i32),
    /// `boolean`
    Boolean(bool),
    /// `enum`
    Enum(i32),
    /// `octetString`
    OctetString(Box<[u8]>),
    /// `dateTime`
    DateTime(DateTime),
    /// `resolution`
    Resolution(Resolution),
    /// `rangeOfInteger`
    Range(Range),
    /// `collection`: member attributes, each a 1setOf any syntax, collections among them.
    Collection(Attributes),
    /// `textWithLanguage`
    TextWithLanguage(Box<Localized>),
    /// `nameWithLanguage`
    NameWithLanguage(Box<Localized>),
    /// `textWithoutLanguage`
    Text(Box<str>),
    /// `nameWithoutLanguage`
    Name(Box<str>),
    /// `keyword`
    Keyword(Box<str>),
    /// `uri`
    Uri(Box<str>),
    /// `uriScheme`
    UriScheme(Box<str>),
    /// `charset`
    Charset(Box<str>),
    /// `naturalLanguage`
    NaturalLanguage(Box<str>),
    /// `mimeMediaType`
    MimeMediaType(Box<str>),
    /// Octets that fit none of the above, kept as they came.
    Opaque(Box<Opaque>),
}

/// The out-of-band values (RFC 8010 §3.5.2, RFC 3380 §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutOfBand {
    /// The attribute or its value is not supported.
    Unsupported,
    /// The value that the printer takes by itself.
    Default,
    /// There is a value, but it is not known now.
    Unknown,
    /// None was ever given. Also how an empty 1setOf is written.
    NoValue,
    /// The attribute cannot be set.
    NotSettable,
    /// Asks to delete the attribute.
    DeleteAttribute,
    /// An administrator has to give the value.
    AdminDefine,
}

/// `rangeOfInteger`: both ends belong to it. That `lower` is not above `upper` is for its reader to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// The lower bound.
    pub lower: i32,
    /// The upper bound.
    pub upper: i32,
}

/// `resolution`, in dots per `unit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resolution {
    /// In the direction across the feed.
    pub cross_feed: i32,
    /// In the direction of the feed.
    pub feed: i32,
    /// Dots per what.
    pub unit: ResolutionUnit,
}

registry! {
    /// What the dots of a `resolution` are counted in (RFC 8011 §5.1.16).
    ResolutionUnit(u8) {
        PerInch = 3, "dpi";
        PerCentimeter = 4, "dpcm";
    }
}

/// A text or a name that says its own natural language.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Localized {
    /// The natural language, e.g. `fr-ca` (RFC 8011 §5.1.9).
    pub language: Box<str>,
    /// The text in it.
    pub text: Box<str>,
}

/// A value we cannot read and keep whole: a tag of a later standard, the extension tag, an out-of-band value that is
/// not empty (Brother sends them), a character string that is not UTF-8 (older Windows sends them).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Opaque {
    pub(super) tag: u8,
    pub(super) octets: Box<[u8]>,
}

impl Opaque {
    /// The value tag on the wire.
    pub fn tag(&self) -> u8 {
        self.tag
    }

    /// The value, for the extension tag with the four octets of the true tag before it.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The true tag behind the extension tag 0x7F (RFC 8010 §3.5.2).
    pub fn extended_tag(&self) -> Option<u32> {
        let octets = self.octets.first_chunk().filter(|_| self.tag == tag::EXTENSION)?;
        Some(u32::from_be_bytes(*octets))
    }
}

impl OutOfBand {
    /// The value tag on the wire.
    pub const fn tag(self) -> u8 {
        match self {
            Self::Unsupported => tag::UNSUPPORTED,
            Self::Default => tag::DEFAULT,
            Self::Unknown => tag::UNKNOWN,
            Self::NoValue => tag::NO_VALUE,
            Self::NotSettable => tag::NOT_SETTABLE,
            Self::DeleteAttribute => tag::DELETE_ATTRIBUTE,
            Self::AdminDefine => tag::ADMIN_DEFINE,
        }
    }
}

impl Value {
    /// The value tag on the wire; for a collection that of its beginning.
    pub fn tag(&self) -> u8 {
        match self {
            Self::OutOfBand(why) => why.tag(),
            Self::Integer(_) => tag::INTEGER,
            Self::Boolean(_) => tag::BOOLEAN,
            Self::Enum(_) => tag::ENUM,
            Self::OctetString(_) => tag::OCTET_STRING,
            Self::DateTime(_) => tag::DATE_TIME,
            Self::Resolution(_) => tag::RESOLUTION,
            Self::Range(_) => tag::RANGE,
            Self::Collection(_) => tag::BEGIN_COLLECTION,
            Self::TextWithLanguage(_) => tag::TEXT_WITH_LANGUAGE,
            Self::NameWithLanguage(_) => tag::NAME_WITH_LANGUAGE,
            Self::Text(_) => tag::TEXT,
            Self::Name(_) => tag::NAME,
            Self::Keyword(_) => tag::KEYWORD,
            Self::Uri(_) => tag::URI,
            Self::UriScheme(_) => tag::URI_SCHEME,
            Self::Charset(_) => tag::CHARSET,
            Self::NaturalLanguage(_) => tag::NATURAL_LANGUAGE,
            Self::MimeMediaType(_) => tag::MIME_MEDIA_TYPE,
            Self::Opaque(opaque) => opaque.tag,
        }
    }

    /// The name of the syntax, as `ipptool` and the RFC write it.
    pub fn syntax(&self) -> &'static str {
        tag::syntax(self.tag()).unwrap_or("unassigned syntax")
    }

    /// How many octets it has where its syntax allows fewer, and how many are allowed (RFC 8011 §5.1). Such a value
    /// is answered with [`RequestValueTooLong`](super::Status::RequestValueTooLong).
    pub fn too_long(&self) -> Option<(usize, usize)> {
        let (length, limit) = match self {
            Self::Text(text) => (text.len(), limits::TEXT_MAX),
            Self::TextWithLanguage(both) => (both.text.len(), limits::TEXT_MAX),
            Self::NameWithLanguage(both) => (both.text.len(), limits::WORD_MAX),
            Self::Uri(uri) => (uri.len(), limits::URI_MAX),
            Self::OctetString(octets) => (octets.len(), limits::OCTET_STRING_MAX),
            Self::Name(word) | Self::Keyword(word) | Self::MimeMediaType(word) => {
                (word.len(), limits::WORD_MAX)
            }
            Self::UriScheme(word) | Self::Charset(word) | Self::NaturalLanguage(word) => {
                (word.len(), limits::SHORT_WORD_MAX)
            }
            _ => return None,
        };
        (length > limit).then_some((length, limit))
    }
}

impl From<RangeInclusive<i32>> for Range {
    fn from(range: RangeInclusive<i32>) -> Self {
        let (lower, upper) = range.into_inner();
        Self { lower, upper }
    }
}

impl Resolution {
    /// So many dots per inch, both ways.
    pub const fn dpi(dots: i32) -> Self {
        Self { cross_feed: dots, feed: dots, unit: ResolutionUnit::PerInch }
    }
}
