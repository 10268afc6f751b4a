//! Encoding: the exact inverse of decoding (RFC 8010 §3.1).
//!
//! Nothing is cut to fit. What the wire cannot say is refused, and then nothing is written.

use super::attributes::{Attribute, Attributes};
use super::limits::{DEPTH_MAX, LENGTH_MAX, NAME_MAX};
use super::message::Message;
use super::tag::{self, GroupTag};
use super::value::{Localized, Value};

/// Why a message cannot be encoded. Ours: it was put together wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A name has 1 to 255 octets (RFC 8011 §5.1.4).
    #[error("an attribute name of {length} octets; it must have 1 to 255")]
    Name {
        /// How many it has.
        length: usize,
    },
    /// A length is at most 32767 (RFC 8010 §3.8).
    #[error(
        "the attribute \"{}\" has a value of {length} octets; 32767 is the most that can be sent",
        attribute.escape_debug()
    )]
    Value {
        /// The attribute or member it belongs to.
        attribute: Box<str>,
        /// How many octets it has.
        length: usize,
    },
    /// [`GroupTag::Reserved`] is for 0x0B to 0x0F.
    #[error("0x{octet:02x} begins no attribute group")]
    Group {
        /// The octet it has.
        octet: u8,
    },
    /// The operation attributes are one group, the first (RFC 8011 §4.1.4).
    #[error(
        "the operation attributes come after another group; they must be the first group, once"
    )]
    LateOperationGroup,
    /// Collections within one another, [`DEPTH_MAX`] at most.
    #[error(
        "the attribute \"{}\" has collections within one another, more than {DEPTH_MAX} deep",
        attribute.escape_debug()
    )]
    Depth {
        /// The member it became too deep at.
        attribute: Box<str>,
    },
}

/// The octets of a message. A document goes right behind them.
///
/// # Errors
/// [`EncodeError`] where the message cannot be said on the wire.
pub fn encode(message: &Message) -> Result<Vec<u8>, EncodeError> {
    let mut octets = Vec::with_capacity(1024);
    encode_into(message, &mut octets)?;
    Ok(octets)
}

/// Appends the octets of a message to `out`.
///
/// # Errors
/// [`EncodeError`] where the message cannot be said on the wire; `out` is then as it was.
pub fn encode_into(message: &Message, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let before = out.len();
    let written = Encoder { out }.message(message);
    if written.is_err() {
        out.truncate(before);
    }
    written
}

struct Encoder<'o> {
    out: &'o mut Vec<u8>,
}

impl Encoder<'_> {
    fn message(&mut self, message: &Message) -> Result<(), EncodeError> {
        self.out.extend([message.version.0, message.version.1]);
        self.out.extend(message.code.to_be_bytes());
        self.out.extend(message.request_id.to_be_bytes());
        for (index, group) in message.groups.iter().enumerate() {
            let octet = group.tag.octet();
            if GroupTag::from_octet(octet) != Some(group.tag) {
                return Err(EncodeError::Group { octet });
            }
            if group.tag == GroupTag::Operation && index > 0 {
                return Err(EncodeError::LateOperationGroup);
            }
            self.out.push(octet);
            group.attributes.iter().try_for_each(|attribute| self.attribute(attribute))?;
        }
        self.out.push(tag::END_OF_ATTRIBUTES);
        Ok(())
    }

    /// The first value with the name, the others without (RFC 8010 §3.1.4, §3.1.5).
    fn attribute(&mut self, attribute: &Attribute) -> Result<(), EncodeError> {
        let mut name = checked_name(attribute)?;
        for value in attribute.values() {
            self.field(value.tag(), name)?;
            self.value(value, attribute, 0)?;
            name = "";
        }
        Ok(())
    }

    /// Members have their names in front of them as values (RFC 8010 §3.1.7).
    fn collection(
        &mut self,
        members: &Attributes,
        within: &Attribute,
        depth: usize,
    ) -> Result<(), EncodeError> {
        if depth >= DEPTH_MAX {
            return Err(EncodeError::Depth { attribute: within.name().into() });
        }
        self.octets(&[], within)?;
        for member in members {
            self.field(tag::MEMBER_NAME, "")?;
            self.octets(checked_name(member)?.as_bytes(), member)?;
            for value in member.values() {
                self.field(value.tag(), "")?;
                self.value(value, member, depth.saturating_add(1))?;
            }
        }
        self.field(tag::END_COLLECTION, "")?;
        self.octets(&[], within)
    }

    /// Tag, name-length and name.
    fn field(&mut self, value_tag: u8, name: &str) -> Result<(), EncodeError> {
        let length = u16::try_from(name.len());
        let length = length.map_err(|_| EncodeError::Name { length: name.len() })?;
        self.out.push(value_tag);
        self.out.extend(length.to_be_bytes());
        self.out.extend_from_slice(name.as_bytes());
        Ok(())
    }

    /// Value-length and value (RFC 8010 §3.9).
    fn value(
        &mut self,
        value: &Value,
        attribute: &Attribute,
        depth: usize,
    ) -> Result<(), EncodeError> {
        match value {
            Value::OutOfBand(_) => self.octets(&[], attribute),
            Value::Integer(number) | Value::Enum(number) => {
                self.octets(&number.to_be_bytes(), attribute)
            }
            Value::Boolean(truth) => self.octets(&[u8::from(*truth)], attribute),
            Value::DateTime(moment) => self.octets(&moment.octets(), attribute),
            Value::Resolution(resolution) => {
                let (cross_feed, feed) = (resolution.cross_feed, resolution.feed);
                let unit = [resolution.unit.code()];
                self.parts(&[&cross_feed.to_be_bytes(), &feed.to_be_bytes(), &unit], attribute)
            }
            Value::Range(range) => {
                self.parts(&[&range.lower.to_be_bytes(), &range.upper.to_be_bytes()], attribute)
            }
            Value::Collection(members) => self.collection(members, attribute, depth),
            Value::TextWithLanguage(both) | Value::NameWithLanguage(both) => {
                self.with_language(both, attribute)
            }
            Value::OctetString(octets) => self.octets(octets, attribute),
            Value::Text(text)
            | Value::Name(text)
            | Value::Keyword(text)
            | Value::Uri(text)
            | Value::UriScheme(text)
            | Value::Charset(text)
            | Value::NaturalLanguage(text)
            | Value::MimeMediaType(text) => self.octets(text.as_bytes(), attribute),
            Value::Opaque(opaque) => self.octets(opaque.octets(), attribute),
        }
    }

    fn with_language(&mut self, both: &Localized, to: &Attribute) -> Result<(), EncodeError> {
        let (language, text) = (both.language.as_bytes(), both.text.as_bytes());
        let language_length = checked_length(language.len(), to)?.to_be_bytes();
        let text_length = checked_length(text.len(), to)?.to_be_bytes();
        self.parts(&[&language_length, language, &text_length, text], to)
    }

    fn octets(&mut self, octets: &[u8], attribute: &Attribute) -> Result<(), EncodeError> {
        self.parts(&[octets], attribute)
    }

    fn parts(&mut self, parts: &[&[u8]], attribute: &Attribute) -> Result<(), EncodeError> {
        let length = parts.iter().map(|part| part.len()).fold(0, usize::saturating_add);
        self.out.extend(checked_length(length, attribute)?.to_be_bytes());
        parts.iter().for_each(|part| self.out.extend_from_slice(part));
        Ok(())
    }
}

fn checked_name(attribute: &Attribute) -> Result<&str, EncodeError> {
    let name = attribute.name();
    let length = name.len();
    if (1..=NAME_MAX).contains(&length) { Ok(name) } else { Err(EncodeError::Name { length }) }
}

fn checked_length(length: usize, attribute: &Attribute) -> Result<u16, EncodeError> {
    let sayable = u16::try_from(length).ok().filter(|_| length <= LENGTH_MAX);
    sayable.ok_or_else(|| EncodeError::Value { attribute: attribute.name().into(), length })
}
