//! From the octets of one value to a [`Value`] (RFC 8010 §3.9).
//!
//! What has a fixed length must have it. What is text must be UTF-8 to become a `str`, and stays [`Opaque`] otherwise:
//! a job is not lost because its title is in Latin-1. A boolean is true where its octet is not 0, as CUPS takes it.

use super::datetime::DateTime;
use super::fault::Fault;
use super::reader::Reader;
use super::tag;
use super::value::{Localized, Opaque, OutOfBand, Range, Resolution, Value};

impl Value {
    /// Reads a value from its tag and its octets. What is not known is kept as [`Value::Opaque`].
    ///
    /// # Errors
    /// [`Fault::WrongLength`] and [`Fault::InnerLengths`] where the syntax does not allow that many octets,
    /// [`Fault::NotAValue`] for a delimiter tag and for what builds collections.
    pub fn from_wire(value_tag: u8, octets: &[u8]) -> Result<Self, Fault> {
        match value_tag {
            ..tag::FIRST_VALUE | tag::BEGIN_COLLECTION | tag::END_COLLECTION | tag::MEMBER_NAME => {
                Err(Fault::NotAValue { tag: value_tag })
            }
            tag::FIRST_VALUE..=0x1F => Ok(out_of_band(value_tag, octets)),
            0x20..=0x33 => binary(value_tag, octets),
            tag::TEXT_WITH_LANGUAGE | tag::NAME_WITH_LANGUAGE => with_language(value_tag, octets),
            tag::EXTENSION if octets.len() < 4 => Err(wrong_length(value_tag, "4 or more", octets)),
            _ => Ok(string(value_tag, octets)),
        }
    }
}

fn out_of_band(value_tag: u8, octets: &[u8]) -> Value {
    let why = match value_tag {
        _ if !octets.is_empty() => return opaque(value_tag, octets),
        tag::UNSUPPORTED => OutOfBand::Unsupported,
        tag::DEFAULT => OutOfBand::Default,
        tag::UNKNOWN => OutOfBand::Unknown,
        tag::NO_VALUE => OutOfBand::NoValue,
        tag::NOT_SETTABLE => OutOfBand::NotSettable,
        tag::DELETE_ATTRIBUTE => OutOfBand::DeleteAttribute,
        tag::ADMIN_DEFINE => OutOfBand::AdminDefine,
        _ => return opaque(value_tag, octets),
    };
    Value::OutOfBand(why)
}

fn binary(value_tag: u8, octets: &[u8]) -> Result<Value, Fault> {
    let (needs, read): (&'static str, fn(&mut Reader<'_>) -> Option<Value>) = match value_tag {
        tag::INTEGER => ("4", |r| r.i32().map(Value::Integer)),
        tag::ENUM => ("4", |r| r.i32().map(Value::Enum)),
        tag::BOOLEAN => ("1", |r| r.u8().map(|octet| Value::Boolean(octet != 0))),
        tag::DATE_TIME => ("11", |r| r.array().map(DateTime::from_octets).map(Value::DateTime)),
        tag::RESOLUTION => ("9", |r| resolution(r).map(Value::Resolution)),
        tag::RANGE => ("8", |r| range(r).map(Value::Range)),
        tag::OCTET_STRING => return Ok(Value::OctetString(octets.into())),
        _ => return Ok(opaque(value_tag, octets)),
    };
    let mut reader = Reader::new(octets, 0);
    let value = read(&mut reader).filter(|_| reader.is_empty());
    value.ok_or_else(|| wrong_length(value_tag, needs, octets))
}

fn resolution(reader: &mut Reader<'_>) -> Option<Resolution> {
    let (cross_feed, feed) = (reader.i32()?, reader.i32()?);
    Some(Resolution { cross_feed, feed, unit: reader.u8()?.into() })
}

fn range(reader: &mut Reader<'_>) -> Option<Range> {
    Some(Range { lower: reader.i32()?, upper: reader.i32()? })
}

/// Two octets of length, the language, two octets of length, the text, and nothing more (RFC 8010 §3.9).
fn with_language(value_tag: u8, octets: &[u8]) -> Result<Value, Fault> {
    let Some((language, text)) = language_and_text(Reader::new(octets, 0)) else {
        return Err(Fault::InnerLengths { syntax: name_of(value_tag), length: octets.len() });
    };
    let (Ok(language), Ok(text)) = (str::from_utf8(language), str::from_utf8(text)) else {
        return Ok(opaque(value_tag, octets));
    };
    let both = Box::new(Localized { language: language.into(), text: text.into() });
    Ok(match value_tag {
        tag::NAME_WITH_LANGUAGE => Value::NameWithLanguage(both),
        _ => Value::TextWithLanguage(both),
    })
}

fn language_and_text<'a>(mut reader: Reader<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let mut part = || {
        let length = reader.u16()?;
        reader.sub(length.into()).map(Reader::remainder)
    };
    let both = (part()?, part()?);
    reader.is_empty().then_some(both)
}

fn string(value_tag: u8, octets: &[u8]) -> Value {
    let kind: fn(Box<str>) -> Value = match value_tag {
        tag::TEXT => Value::Text,
        tag::NAME => Value::Name,
        tag::KEYWORD => Value::Keyword,
        tag::URI => Value::Uri,
        tag::URI_SCHEME => Value::UriScheme,
        tag::CHARSET => Value::Charset,
        tag::NATURAL_LANGUAGE => Value::NaturalLanguage,
        tag::MIME_MEDIA_TYPE => Value::MimeMediaType,
        _ => return opaque(value_tag, octets),
    };
    match str::from_utf8(octets) {
        Ok(text) => kind(text.into()),
        Err(_) => opaque(value_tag, octets),
    }
}

fn opaque(tag: u8, octets: &[u8]) -> Value {
    Value::Opaque(Box::new(Opaque { tag, octets: octets.into() }))
}

fn wrong_length(value_tag: u8, needs: &'static str, octets: &[u8]) -> Fault {
    Fault::WrongLength { syntax: name_of(value_tag), needs, length: octets.len() }
}

fn name_of(value_tag: u8) -> &'static str {
    tag::syntax(value_tag).unwrap_or("unassigned syntax")
}
