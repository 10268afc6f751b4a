//! Requests as bytes.

use bytes::Bytes;

use super::{Balloon, Button, ButtonId, Code, MessageBox, Parameter, Request, Text, Words};
use crate::asyncui::REQUEST;
use crate::xml::{Writer, to_utf16};

impl Request {
    /// The payload: XML in UTF-16LE with its terminating NUL; for custom data, the data after it.
    pub fn encode(&self) -> Bytes {
        let mut payload = to_utf16(&self.to_xml());
        payload.extend([0, 0]);
        if let Self::CustomData { data, .. } = self {
            payload.extend_from_slice(data);
        }
        payload.into()
    }

    /// The same as characters.
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::default();
        writer.element("asyncPrintUIRequest", &[("xmlns", REQUEST)], |writer| {
            writer.element("v1", &[], |writer| {
                writer.element("requestOpen", &[], |writer| self.write(writer));
            });
        });
        writer.finish()
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Balloon(balloon) => balloon.write(writer),
            Self::MessageBox(question) => question.write(writer),
            Self::CustomUi { code, bidi } => {
                writer
                    .element("customUI", &code.with_bidi(*bidi), |writer| writer.text(&code.data));
            }
            Self::CustomData { code, bidi, .. } => {
                writer.empty("customData", &code.with_bidi(*bidi));
            }
        }
    }
}

impl Balloon {
    fn write(&self, writer: &mut Writer) {
        let number = self.icon.as_ref().map(|(id, _)| id.to_string());
        let mut attributes = Vec::new();
        if let (Some(number), Some((_, dll))) = (&number, &self.icon) {
            attributes.extend([("iconID", number.as_str()), ("resourceDll", dll)]);
        }
        writer.element("balloonUI", &attributes, |writer| {
            self.title.write("title", writer);
            for part in &self.body {
                part.write("body", writer);
            }
            if let Some(code) = &self.action {
                let attributes = [("dll", &*code.dll), ("entrypoint", &*code.entrypoint)];
                writer.element("action", &attributes, |writer| writer.text(&code.data));
            }
        });
    }
}

impl MessageBox {
    fn write(&self, writer: &mut Writer) {
        writer.element("messageBoxUI", &[], |writer| {
            self.title.write("title", writer);
            if let Some((id, dll)) = &self.bitmap {
                let id = id.to_string();
                writer.empty("bitmap", &resource("bitmapID", &id, dll.as_deref()));
            }
            for part in &self.body {
                part.write("body", writer);
            }
            writer.element("buttons", &[], |writer| {
                for button in &self.buttons {
                    button.write(writer);
                }
            });
        });
    }
}

impl Button {
    fn write(&self, writer: &mut Writer) {
        let id = match self.id {
            ButtonId::Ok => "IDOK".to_owned(),
            ButtonId::Cancel => "IDCANCEL".to_owned(),
            ButtonId::Number(number) => number.to_string(),
        };
        let label = self.label.as_ref().map(|(string, dll)| (string.to_string(), dll.as_deref()));
        let mut attributes = vec![("buttonID", id.as_str())];
        if let Some((string, dll)) = &label {
            attributes.extend(resource("stringID", string, *dll));
        }
        writer.empty("button", &attributes);
    }
}

impl Text {
    fn write(&self, name: &str, writer: &mut Writer) {
        let (text, id, dll) = match &self.words {
            Words::Literal(text) => (text.as_str(), String::new(), None),
            Words::Resource(id, dll) => ("", id.to_string(), dll.as_deref()),
        };
        let attributes = if id.is_empty() { Vec::new() } else { resource("stringID", &id, dll) };
        writer.element(name, &attributes, |writer| {
            writer.text(text);
            for parameter in &self.parameters {
                parameter.write(writer);
            }
        });
    }
}

impl Parameter {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::PrinterName => writer.empty("parameter", &[("type", "PrinterName")]),
            Self::Literal(text) => writer.element("parameter", &[], |writer| writer.text(text)),
            Self::Resource(id, dll, fallback) => {
                let id = id.to_string();
                let attributes = resource("stringID", &id, dll.as_deref());
                writer.element("parameter", &attributes, |writer| writer.text(fallback));
            }
        }
    }
}

impl Code {
    fn with_bidi(&self, bidi: bool) -> [(&str, &str); 3] {
        let bidi = if bidi { "true" } else { "false" };
        [("dll", &self.dll), ("entrypoint", &self.entrypoint), ("bidi", bidi)]
    }
}

fn resource<'a>(name: &'a str, id: &'a str, dll: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    [(name, id)].into_iter().chain(dll.map(|dll| ("resourceDll", dll))).collect()
}
