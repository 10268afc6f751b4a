//! The payload of printer-configuration notifications: values of a printer by the names of bidi schemas ([MS-PAN] 2.2.8).
//!
//! XML 1.0 in UTF-16LE, no byte-order mark, one NUL at the end, as [`crate::asyncui`] has it; always unidirectional. Where
//! not everything fits, values are left out from the last on and only their names are sent (`ReducedSchema`).

use bytes::Bytes;
use roxmltree::Node;

use crate::limits::XML_REQUEST_BYTES;
use crate::xml::{self, Malformed, Writer, elements, text_in, to_utf16};

/// Namespace of the document.
pub const BIDI: &str = "http://schemas.microsoft.com/windows/2005/03/printing/bidi";

/// What has changed in the configuration of a printer.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// The queue.
    pub printer: String,
    /// What has changed, at least one.
    pub changes: Vec<Change>,
}

/// A schema of a printer that has another value.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Its name (`\Printer.Status.Summary:State`) and its value.
    Schema(String, Value),
    /// Its name, or that of a property above it (`\Printer.Status`): the value is to be asked for.
    Reduced(String),
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `BIDI_STRING`
    String(String),
    /// `BIDI_TEXT`
    Text(String),
    /// `BIDI_ENUM`
    Enum(String),
    /// `BIDI_INT`
    Int(i64),
    /// `BIDI_FLOAT`, in XML Schema's form
    Float(String),
    /// `BIDI_BOOL`
    Bool(bool),
    /// `BIDI_BLOB`, in base64
    Blob(String),
}

impl Notification {
    /// The payload, at most `limit` bytes as long as names alone fit.
    pub fn encode(&self, limit: usize) -> Bytes {
        let mut fitting = self.clone();
        let mut payload = fitting.to_bytes();
        let mut next = fitting.changes.len();
        while payload.len() > limit && next > 0 {
            // Several at once: at most about log2(n) documents are made.
            let half = next / 2;
            for change in fitting.changes.iter_mut().skip(half) {
                if let Change::Schema(name, _) = change {
                    *change = Change::Reduced(std::mem::take(name));
                }
            }
            next = half;
            payload = fitting.to_bytes();
        }
        payload
    }

    fn to_bytes(&self) -> Bytes {
        let mut payload = to_utf16(&self.to_xml());
        payload.extend([0, 0]);
        payload.into()
    }

    /// The document as characters.
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::default();
        let attributes = [("xmlns", BIDI), ("printerName", self.printer.as_str())];
        writer.element("Notification", &attributes, |writer| {
            for change in &self.changes {
                change.write(writer);
            }
        });
        writer.finish()
    }

    /// Reads a payload.
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let text = xml::text_of(payload, XML_REQUEST_BYTES)?;
        let document = xml::parse(&text)?;
        let root = document.root_element();
        if !is(root, "Notification") {
            return Err(wrong("the root element is not Notification"));
        }
        let printer =
            root.attribute("printerName").ok_or_else(|| wrong("there is no printerName"))?;
        let changes = elements(root).map(change).collect::<Result<Vec<_>, _>>()?;
        if changes.is_empty() {
            return Err(wrong("there is no Schema"));
        }
        Ok(Self { printer: printer.to_owned(), changes })
    }
}

impl Change {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Reduced(name) => writer.empty("ReducedSchema", &[("name", name)]),
            Self::Schema(name, value) => writer.element("Schema", &[("name", name)], |writer| {
                let (kind, text) = value.parts();
                writer.element(kind, &[], |writer| writer.text(&text));
            }),
        }
    }
}

impl Value {
    fn parts(&self) -> (&'static str, String) {
        match self {
            Self::String(text) => ("BIDI_STRING", text.clone()),
            Self::Text(text) => ("BIDI_TEXT", text.clone()),
            Self::Enum(text) => ("BIDI_ENUM", text.clone()),
            Self::Int(number) => ("BIDI_INT", number.to_string()),
            Self::Float(text) => ("BIDI_FLOAT", text.clone()),
            Self::Bool(flag) => ("BIDI_BOOL", flag.to_string()),
            Self::Blob(text) => ("BIDI_BLOB", text.clone()),
        }
    }

    fn read(kind: &str, text: String) -> Result<Self, Malformed> {
        match kind {
            "BIDI_STRING" => Ok(Self::String(text)),
            "BIDI_TEXT" => Ok(Self::Text(text)),
            "BIDI_ENUM" => Ok(Self::Enum(text)),
            "BIDI_INT" => {
                text.trim().parse().map(Self::Int).map_err(|_| wrong("BIDI_INT is no integer"))
            }
            "BIDI_FLOAT" => Ok(Self::Float(text)),
            "BIDI_BOOL" => match text.trim() {
                "true" | "1" => Ok(Self::Bool(true)),
                "false" | "0" => Ok(Self::Bool(false)),
                _ => Err(wrong("BIDI_BOOL is neither true nor false")),
            },
            "BIDI_BLOB" => Ok(Self::Blob(text)),
            _ => Err(wrong("Schema holds no value")),
        }
    }
}

fn change(node: Node<'_, '_>) -> Result<Change, Malformed> {
    let name = node.attribute("name").ok_or_else(|| wrong("a schema without a name"))?.to_owned();
    if is(node, "ReducedSchema") {
        return if is_reduced_name(&name) {
            Ok(Change::Reduced(name))
        } else {
            Err(wrong("a ReducedSchema's name is malformed"))
        };
    }
    if !is(node, "Schema") || !is_schema_name(&name) {
        return Err(wrong("an element is no Schema, or its name is malformed"));
    }
    let mut values = elements(node);
    match (values.next(), values.next()) {
        (Some(value), None) if value.tag_name().namespace() == Some(BIDI) => {
            Ok(Change::Schema(name, Value::read(value.tag_name().name(), text_in(value))?))
        }
        _ => Err(wrong("Schema holds not exactly one value")),
    }
}

/// `\\\w+(\.\w+)*\:\w+`
fn is_schema_name(name: &str) -> bool {
    let parts = name.strip_prefix('\\').and_then(|name| name.split_once(':'));
    parts.is_some_and(|(path, value)| path.split('.').all(is_word) && is_word(value))
}

/// `\\(\w+(\.\w+)*(\:\w+)?)?`
fn is_reduced_name(name: &str) -> bool {
    let path = name.strip_prefix('\\');
    is_schema_name(name) || path.is_some_and(|path| path.is_empty() || path.split('.').all(is_word))
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name && node.tag_name().namespace() == Some(BIDI)
}

fn wrong(what: &str) -> Malformed {
    Malformed::Schema(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn document(inside: &str) -> Vec<u8> {
        let text = format!(
            "<?xml version=\"1.0\" ?><Notification \
             xmlns=\"http://schemas.microsoft.com/windows/2005/03/printing/bidi\" printerName=\"label\">{inside}\
             </Notification>\0"
        );
        to_utf16(&text)
    }

    #[test]
    fn golden_both_ways() {
        let schema = |name: &str, value| Change::Schema(name.into(), value);
        let notification = Notification {
            printer: "label".into(),
            changes: vec![
                schema("\\Printer.Status.Summary:State", Value::String("idle".into())),
                schema("\\Printer.Consumables.Black:Level", Value::Int(12)),
                schema("\\Printer.A:B", Value::Bool(true)),
                schema("\\P:T", Value::Text("a<b".into())),
                schema("\\P:E", Value::Enum("x".into())),
                schema("\\P:F", Value::Float("1.5".into())),
                schema("\\P:D", Value::Blob("AAE=".into())),
                Change::Reduced("\\Printer.Status".into()),
            ],
        };
        let expected = document(
            "<Schema name=\"\\Printer.Status.Summary:State\"><BIDI_STRING>idle</BIDI_STRING></Schema>\
             <Schema name=\"\\Printer.Consumables.Black:Level\"><BIDI_INT>12</BIDI_INT></Schema>\
             <Schema name=\"\\Printer.A:B\"><BIDI_BOOL>true</BIDI_BOOL></Schema>\
             <Schema name=\"\\P:T\"><BIDI_TEXT>a&lt;b</BIDI_TEXT></Schema>\
             <Schema name=\"\\P:E\"><BIDI_ENUM>x</BIDI_ENUM></Schema>\
             <Schema name=\"\\P:F\"><BIDI_FLOAT>1.5</BIDI_FLOAT></Schema>\
             <Schema name=\"\\P:D\"><BIDI_BLOB>AAE=</BIDI_BLOB></Schema>\
             <ReducedSchema name=\"\\Printer.Status\"/>",
        );
        assert_eq!(notification.encode(10_000), expected);
        assert_eq!(Notification::parse(&expected), Ok(notification));
    }

    #[test]
    fn what_is_refused() {
        for inside in [
            "",
            "<Schema name=\"\\P:S\"/>",
            "<Schema name=\"P:S\"><BIDI_INT>1</BIDI_INT></Schema>",
            "<Schema name=\"\\P\"><BIDI_INT>1</BIDI_INT></Schema>",
            "<Schema name=\"\\P..Q:S\"><BIDI_INT>1</BIDI_INT></Schema>",
            "<Schema name=\"\\P:S\"><BIDI_INT>x</BIDI_INT></Schema>",
            "<Schema name=\"\\P:S\"><BIDI_BOOL>x</BIDI_BOOL></Schema>",
            "<Schema name=\"\\P:S\"><OTHER>x</OTHER></Schema>",
            "<Schema name=\"\\P:S\"><BIDI_INT>1</BIDI_INT><BIDI_INT>1</BIDI_INT></Schema>",
            "<ReducedSchema name=\"\\P:\"/>",
            "<ReducedSchema/>",
            "<Other name=\"\\P:S\"/>",
        ] {
            let read = Notification::parse(&document(inside));
            assert!(matches!(read, Err(Malformed::Schema(_))), "{inside}: {read:?}");
        }
        assert!(Notification::parse(&document("<ReducedSchema name=\"\\\"/>")).is_ok());
    }

    proptest! {
        #[test]
        fn both_ways_and_within_the_limit(
            printer in "[ -~]{0,8}",
            values in prop::collection::vec(("[a-zA-Z_]{1,9}", "[ -~]{0,40}"), 1..20),
            limit in 0_usize..4000,
        ) {
            let change = |(name, text): (String, String)| {
                Change::Schema(format!("\\P:{name}"), Value::String(text))
            };
            let notification =
                Notification { printer, changes: values.into_iter().map(change).collect() };
            let whole = notification.to_bytes();
            let read = Notification::parse(&whole).unwrap();
            prop_assert_eq!(&read, &notification);
            let cut = notification.encode(limit);
            let read = Notification::parse(&cut).unwrap();
            let reduced = |change: &Change| matches!(change, Change::Reduced(_));
            prop_assert!(cut.len() <= limit || read.changes.iter().all(reduced));
            prop_assert!(whole.len() > limit || cut == whole);
        }
    }
}
