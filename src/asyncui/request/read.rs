//! Requests from bytes, with the tolerance of [MS-PAN] 3.2.3.4.1: names of elements and the values of `bidi` and `buttonID`
//! in any ASCII case, siblings in any order, unknown attributes, integers by their leading digits, no `body`.

use bytes::Bytes;
use roxmltree::Node;

use super::{Balloon, Button, ButtonId, Code, MessageBox, Parameter, Request, Text, Words};
use crate::asyncui::{REQUEST, integer, is_namespace};
use crate::limits::XML_REQUEST_BYTES;
use crate::xml::{self, Malformed, elements, text_in};

/// Most buttons that a message box has.
const BUTTONS: usize = 5;

impl Request {
    /// Reads a payload. What is wrong with it is for the log: the peer is told by the channel's end only.
    pub fn parse(payload: &Bytes) -> Result<Self, Malformed> {
        let (text, rest) = xml::split_at_nul(payload);
        if text.len() > XML_REQUEST_BYTES {
            return Err(Malformed::TooLong { bytes: text.len(), limit: XML_REQUEST_BYTES });
        }
        let text = xml::from_utf16(text)?;
        let document = xml::parse(&text)?;
        let request = read(document.root_element())?;
        match (request, rest) {
            (Self::CustomData { code, bidi, .. }, Some(rest)) => {
                Ok(Self::CustomData { code, bidi, data: payload.slice_ref(rest) })
            }
            (request @ Self::CustomData { .. }, None) => Ok(request),
            // Nothing but NULs may follow any other.
            (request, _) => xml::text_of(payload, usize::MAX).map(|_| request),
        }
    }
}

fn read(root: Node<'_, '_>) -> Result<Request, Malformed> {
    if !is(root, "asyncPrintUIRequest") {
        return Err(wrong("the root element is not asyncPrintUIRequest"));
    }
    let open = only(only(root, "v1")?, "requestOpen")?;
    let mut kinds = elements(open);
    let (Some(kind), None) = (kinds.next(), kinds.next()) else {
        return Err(wrong("requestOpen holds not exactly one element"));
    };
    if is(kind, "balloonUI") {
        Ok(Request::Balloon(balloon(kind)?))
    } else if is(kind, "messageBoxUI") {
        Ok(Request::MessageBox(message_box(kind)?))
    } else if is(kind, "customUI") {
        Ok(Request::CustomUi { code: code(kind)?, bidi: bidi(kind)? })
    } else if is(kind, "customData") {
        let code = Code { data: String::new(), ..code(kind)? };
        Ok(Request::CustomData { code, bidi: bidi(kind)?, data: Bytes::new() })
    } else {
        Err(wrong("requestOpen holds none of balloonUI, messageBoxUI, customUI, customData"))
    }
}

fn balloon(node: Node<'_, '_>) -> Result<Balloon, Malformed> {
    let icon = match (node.attribute("iconID"), node.attribute("resourceDll")) {
        (Some(_), None) => return Err(wrong("iconID without resourceDll")),
        (Some(id), Some(dll)) => Some((integer(id), dll.to_owned())),
        (None, _) => None,
    };
    let action = at_most_one(node, "action")?.map(code).transpose()?;
    Ok(Balloon { icon, title: text(only(node, "title")?)?, body: body(node)?, action })
}

fn message_box(node: Node<'_, '_>) -> Result<MessageBox, Malformed> {
    let bitmap = at_most_one(node, "bitmap")?.map(|bitmap| {
        let id = bitmap.attribute("bitmapID").ok_or_else(|| wrong("bitmap without bitmapID"))?;
        Ok((integer(id), bitmap.attribute("resourceDll").map(str::to_owned)))
    });
    let buttons = all(only(node, "buttons")?, "button").map(button);
    let buttons = buttons.collect::<Result<Vec<_>, Malformed>>()?;
    if buttons.is_empty() || buttons.len() > BUTTONS {
        return Err(wrong("a message box has 1 to 5 buttons"));
    }
    let title = text(only(node, "title")?)?;
    Ok(MessageBox { title, bitmap: bitmap.transpose()?, body: body(node)?, buttons })
}

fn body(node: Node<'_, '_>) -> Result<Vec<Text>, Malformed> {
    all(node, "body").map(text).collect()
}

fn text(node: Node<'_, '_>) -> Result<Text, Malformed> {
    let given = text_in(node);
    let words = match node.attribute("stringID") {
        Some(_) if !given.trim().is_empty() => return Err(wrong("text beside a stringID")),
        Some(id) => Words::Resource(integer(id), dll(node)),
        None if given.is_empty() => return Err(wrong("a text is neither given nor named")),
        None => Words::Literal(literal(node)?),
    };
    let parameters = all(node, "parameter").map(parameter).collect::<Result<_, _>>()?;
    Ok(Text { words, parameters })
}

/// The text of a node that stands before its parameters; none may follow them.
fn literal(node: Node<'_, '_>) -> Result<String, Malformed> {
    let mut text = String::new();
    let mut children = node.children();
    for child in children.by_ref().take_while(|child| !child.is_element()) {
        text.push_str(child.text().filter(|_| child.is_text()).unwrap_or_default());
    }
    let follows = |child: Node<'_, '_>| {
        child.is_text() && child.text().is_some_and(|text| !text.trim().is_empty())
    };
    if children.any(follows) {
        return Err(wrong("text follows a parameter"));
    }
    Ok(text)
}

fn parameter(node: Node<'_, '_>) -> Result<Parameter, Malformed> {
    let text = text_in(node);
    match (node.attribute("type"), node.attribute("stringID")) {
        // The WDK lists "Document", too; what it would stand for is in the text, if anywhere.
        (Some("PrinterName"), _) => Ok(Parameter::PrinterName),
        (_, Some(id)) => Ok(Parameter::Resource(integer(id), dll(node), text)),
        (Some(_), None) => Ok(Parameter::Literal(text)),
        (None, None) if text.is_empty() => Err(wrong("a parameter is neither given nor named")),
        (None, None) => Ok(Parameter::Literal(text)),
    }
}

fn button(node: Node<'_, '_>) -> Result<Button, Malformed> {
    let id = node.attribute("buttonID").ok_or_else(|| wrong("a button without buttonID"))?;
    let label = node.attribute("stringID").map(|string| (integer(string), dll(node)));
    let id = if id.eq_ignore_ascii_case("IDOK") {
        ButtonId::Ok
    } else if id.eq_ignore_ascii_case("IDCANCEL") {
        ButtonId::Cancel
    } else {
        ButtonId::Number(integer(id))
    };
    match (id, label) {
        (ButtonId::Number(_), None) => Err(wrong("a button with nothing on it")),
        (ButtonId::Number(_), label) => Ok(Button { id, label }),
        // What stands on these two is known; attributes are ignored.
        (id, _) => Ok(Button { id, label: None }),
    }
}

fn code(node: Node<'_, '_>) -> Result<Code, Malformed> {
    let attribute =
        |name| node.attribute(name).ok_or_else(|| wrong("code without dll or entrypoint"));
    let dll = attribute("dll")?;
    if dll.contains(['\\', '/', '?', '*', '<', '>', '"', '|', ':']) {
        return Err(wrong("a dll is not a bare file name"));
    }
    let entrypoint = attribute("entrypoint")?.to_owned();
    Ok(Code { dll: dll.to_owned(), entrypoint, data: text_in(node) })
}

fn bidi(node: Node<'_, '_>) -> Result<bool, Malformed> {
    let value = node.attribute("bidi").ok_or_else(|| wrong("bidi is missing"))?;
    Ok(value.eq_ignore_ascii_case("true"))
}

fn dll(node: Node<'_, '_>) -> Option<String> {
    node.attribute("resourceDll").map(str::to_owned)
}

/// Whether a node is this element of a request.
fn is(node: Node<'_, '_>, name: &str) -> bool {
    let tag = node.tag_name();
    node.is_element()
        && tag.name().eq_ignore_ascii_case(name)
        && is_namespace(tag.namespace(), REQUEST)
}

fn all<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    elements(node).filter(move |child| is(*child, name))
}

fn at_most_one<'a, 'i>(
    node: Node<'a, 'i>,
    name: &'static str,
) -> Result<Option<Node<'a, 'i>>, Malformed> {
    let mut found = all(node, name);
    match (found.next(), found.next()) {
        (found, None) => Ok(found),
        _ => Err(Malformed::Schema(format!("there is more than one {name}"))),
    }
}

fn only<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Result<Node<'a, 'i>, Malformed> {
    let missing = || Malformed::Schema(format!("there is no {name}"));
    at_most_one(node, name)?.ok_or_else(missing)
}

fn wrong(what: &str) -> Malformed {
    Malformed::Schema(what.to_owned())
}
