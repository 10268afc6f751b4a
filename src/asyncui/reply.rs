//! What a client answers ([MS-PAN] 2.2.7.4, 2.2.7.6).

use bytes::Bytes;
use roxmltree::Node;

use super::{RESPONSE, integer, is_namespace};
use crate::limits::XML_REPLY_BYTES;
use crate::xml::{self, Malformed, Writer, elements, text_in, to_utf16};

/// A response of type AsyncUI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The button that was chosen: 1 is OK, 2 is Cancel, others are the button's own number.
    Button(i64),
    /// What a driver's code returned.
    CustomUi(String),
}

impl Reply {
    /// The payload: XML in UTF-16LE with its terminating NUL.
    pub fn encode(&self) -> Bytes {
        let mut payload = to_utf16(&self.to_xml());
        payload.extend([0, 0]);
        payload.into()
    }

    /// The same as characters.
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::default();
        writer.element("asyncPrintUIResponse", &[("xmlns", RESPONSE)], |writer| {
            writer.element("v1", &[], |writer| {
                writer.element("requestClose", &[], |writer| match self {
                    Self::Button(id) => writer.element("messageBoxUI", &[], |writer| {
                        writer.element("buttonID", &[], |writer| writer.text(&id.to_string()));
                    }),
                    Self::CustomUi(text) => {
                        writer.element("CustomUI", &[], |writer| writer.text(text));
                    }
                });
            });
        });
        writer.finish()
    }

    /// Reads a payload. Names of elements may be in any ASCII case; the button may also be called `IDOK` or `IDCANCEL`, as
    /// pages of the WDK have it.
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let text = xml::text_of(payload, XML_REPLY_BYTES)?;
        let document = xml::parse(&text)?;
        let root = document.root_element();
        if !is(root, "asyncPrintUIResponse") {
            return Err(wrong("the root element is not asyncPrintUIResponse"));
        }
        let closing = only(only(root, "v1")?, "requestClose")?;
        let mut kinds = elements(closing);
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) if is(kind, "messageBoxUI") => Ok(Self::Button(button(kind)?)),
            (Some(kind), None) if is(kind, "CustomUI") => Ok(Self::CustomUi(text_in(kind))),
            _ => Err(wrong("requestClose holds not exactly one of messageBoxUI and CustomUI")),
        }
    }
}

fn button(node: Node<'_, '_>) -> Result<i64, Malformed> {
    let given = text_in(only(node, "buttonID")?);
    let given = given.trim();
    if given.eq_ignore_ascii_case("IDOK") {
        Ok(1)
    } else if given.eq_ignore_ascii_case("IDCANCEL") {
        Ok(2)
    } else if given.is_empty() {
        Err(wrong("buttonID is empty"))
    } else {
        Ok(integer(given))
    }
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    let tag = node.tag_name();
    tag.name().eq_ignore_ascii_case(name) && is_namespace(tag.namespace(), RESPONSE)
}

fn only<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Result<Node<'a, 'i>, Malformed> {
    let mut found = elements(node).filter(|child| is(*child, name));
    match (found.next(), found.next()) {
        (Some(found), None) => Ok(found),
        _ => Err(Malformed::Schema(format!("there is not exactly one {name}"))),
    }
}

fn wrong(what: &str) -> Malformed {
    Malformed::Schema(what.to_owned())
}
