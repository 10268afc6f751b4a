//! The little XML that [MS-PAN] payloads need: UTF-16LE texts, written by hand and read within bounds.
//!
//! Not a general XML library. Reading is `roxmltree`'s, with document type definitions refused (so there are no entities to
//! expand, and nothing outside is ever looked at) and with bounds on bytes and nodes.
//!
//! The invariant: what [`Writer`] writes, [`parse`] reads as the same texts, whatever characters they hold that XML can
//! carry; others become U+FFFD.

use std::borrow::Cow;

use roxmltree::{Document, Node, ParsingOptions};

use crate::limits::XML_NODES;

/// What is wrong with a document from outside. All of it is the peer's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// More bytes than this kind of document may have.
    #[error("it has {bytes} bytes; at most {limit} are taken")]
    TooLong {
        /// As sent.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A byte too many for UTF-16.
    #[error("it ends in the middle of a UTF-16 character")]
    OddLength,
    /// A surrogate without its other half.
    #[error("it is not UTF-16LE: a lone surrogate at character {at}")]
    LoneSurrogate {
        /// Counted in 16-bit units.
        at: usize,
    },
    /// Something follows the terminating NUL.
    #[error("something follows the NUL at its end")]
    AfterNul,
    /// Not well-formed, or with a document type definition, or with too many elements.
    #[error("{0}")]
    Xml(String),
    /// Well-formed, and not what it should be.
    #[error("{0}")]
    Schema(String),
}

/// Cuts a payload at its first 16-bit NUL: the text in UTF-16LE without byte-order mark, and what follows the NUL, if
/// there is one.
pub fn split_at_nul(payload: &[u8]) -> (&[u8], Option<&[u8]>) {
    let payload = payload.strip_prefix(b"\xff\xfe").unwrap_or(payload);
    let units = payload.as_chunks::<2>().0;
    let Some(nul) = units.iter().position(|unit| *unit == [0, 0]) else { return (payload, None) };
    let (text, rest) = payload.split_at_checked(nul.saturating_mul(2)).unwrap_or((payload, b""));
    (text, rest.get(2..))
}

/// The text of UTF-16LE bytes.
pub fn from_utf16(bytes: &[u8]) -> Result<String, Malformed> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Malformed::OddLength);
    }
    let mut at = 0_usize;
    let mut text = String::with_capacity(units.len());
    for c in char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))) {
        let c = c.map_err(|_| Malformed::LoneSurrogate { at })?;
        at = at.saturating_add(c.len_utf16());
        text.push(c);
    }
    Ok(text)
}

/// The whole text of a payload that is nothing but text: with or without byte-order mark and terminating NULs.
pub fn text_of(payload: &[u8], limit: usize) -> Result<String, Malformed> {
    if payload.len() > limit {
        return Err(Malformed::TooLong { bytes: payload.len(), limit });
    }
    let (text, rest) = split_at_nul(payload);
    let rest = rest.unwrap_or_default();
    if !rest.len().is_multiple_of(2) {
        return Err(Malformed::OddLength);
    }
    if rest.iter().any(|byte| *byte != 0) {
        return Err(Malformed::AfterNul);
    }
    from_utf16(text)
}

/// UTF-16LE bytes of a text.
pub fn to_utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Reads a document.
pub fn parse(text: &str) -> Result<Document<'_>, Malformed> {
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: XML_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| Malformed::Xml(error.to_string()))
}

/// Elements below a node.
pub fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

/// All text directly in a node.
pub fn text_in(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|text| text.text()).collect()
}

/// Builds a document. Names are given by us and not escaped; texts and values are.
#[derive(Debug)]
pub struct Writer {
    text: String,
}

impl Default for Writer {
    fn default() -> Self {
        Self { text: "<?xml version=\"1.0\" ?>".to_owned() }
    }
}

impl Writer {
    /// An element with attributes, and what `inside` writes into it.
    pub fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        inside: impl FnOnce(&mut Self),
    ) {
        self.open(name, attributes);
        self.text.push('>');
        inside(self);
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    /// An element with attributes only.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.open(name, attributes);
        self.text.push_str("/>");
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.text.push('<');
        self.text.push_str(name);
        for (name, value) in attributes {
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.text.push_str(&escaped(value, true));
            self.text.push('"');
        }
    }

    /// Text.
    pub fn text(&mut self, text: &str) {
        self.text.push_str(&escaped(text, false));
    }

    /// The document as characters.
    pub fn finish(self) -> String {
        self.text
    }
}

/// Escapes what XML reads otherwise; a reader would also make of CR, and of TAB and LF in a value, something else.
fn escaped(text: &str, in_value: bool) -> Cow<'_, str> {
    let plain = |c: char| !matches!(c, '&' | '<' | '>' | '"' | '\0'..' ' | '\u{fffe}' | '\u{ffff}');
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len().saturating_add(16));
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' if in_value => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' if in_value => escaped.push_str("&#9;"),
            '\n' if in_value => escaped.push_str("&#10;"),
            '\t' | '\n' => escaped.push(c),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utf16(text: &str) -> Vec<u8> {
        to_utf16(text)
    }

    #[test]
    fn what_may_stand_around_a_text() {
        let bare = utf16("<a/>");
        let with = |before: &[u8], after: &[u8]| [before, &bare, after].concat();
        for payload in [
            bare.clone(),
            with(b"\xff\xfe", b""),
            with(b"", b"\0\0"),
            with(b"\xff\xfe", b"\0\0\0\0"),
        ] {
            assert_eq!(text_of(&payload, 64).as_deref(), Ok("<a/>"), "{payload:x?}");
        }
        for (payload, error) in [
            (with(b"", b"\0"), Malformed::OddLength),
            (with(b"", b"\0\0\0"), Malformed::OddLength),
            (with(b"", b"\0\0x\0"), Malformed::AfterNul),
            (with(b"", b"\x00\xd8"), Malformed::LoneSurrogate { at: 4 }),
            (with(b"", &[b' '; 64]), Malformed::TooLong { bytes: 72, limit: 64 }),
        ] {
            assert_eq!(text_of(&payload, 64), Err(error), "{payload:x?}");
        }
    }

    #[test]
    fn no_document_type_definition_and_no_flood_of_elements() {
        for text in [
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "<a>&x;</a>",
            &format!("<a>{}</a>", "<b/>".repeat(5000)),
            &"<a>".repeat(5000),
        ] {
            assert!(
                matches!(parse(text), Err(Malformed::Xml(_))),
                "{}",
                &text[..20.min(text.len())]
            );
        }
    }

    proptest! {
        #[test]
        fn texts_and_values_both_ways(text: String, value: String) {
            let mut writer = Writer::default();
            writer.element("a", &[("b", &value)], |writer| writer.text(&text));
            let document = writer.finish();
            let read = parse(&document).unwrap();
            let carried = |text: &str| -> String {
                let odd = |c| matches!(c, '\0'..' ' | '\u{fffe}' | '\u{ffff}');
                let kept = |c| matches!(c, '\t' | '\n' | '\r');
                text.chars().map(|c| if odd(c) && !kept(c) { '\u{fffd}' } else { c }).collect()
            };
            prop_assert_eq!(text_in(read.root_element()), carried(&text));
            prop_assert_eq!(read.root_element().attribute("b").unwrap(), carried(&value));
        }

        #[test]
        fn utf16_both_ways(text: String) {
            prop_assert_eq!(from_utf16(&to_utf16(&text)), Ok(text));
        }
    }
}
