//! What a source sends: the four kinds of request ([MS-PAN] 2.2.7.1 to 2.2.7.7).

mod read;
mod write;

use bytes::Bytes;

/// A notification of type AsyncUI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Something that happened. Unidirectional.
    Balloon(Balloon),
    /// A question. Bidirectional; answered when the channel is closed.
    MessageBox(MessageBox),
    /// Code of a driver is to be called with a text.
    CustomUi {
        /// What to call, with what.
        code: Code,
        /// The code's answer goes back: bidirectional.
        bidi: bool,
    },
    /// Code of a driver is to be called with bytes.
    CustomData {
        /// What to call. Its text is empty.
        code: Code,
        /// The code's answer goes back: bidirectional.
        bidi: bool,
        /// The bytes; they follow the XML and its NUL.
        data: Bytes,
    },
}

/// A message that asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balloon {
    /// An icon: its number, in this resource file. None: a generic one.
    pub icon: Option<(i64, String)>,
    /// Its title.
    pub title: Text,
    /// Its text, in parts that are joined by blanks. None where a sender left it out.
    pub body: Vec<Text>,
    /// Code of a driver that a click would call.
    pub action: Option<Code>,
}

/// A question with 1 to 5 buttons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageBox {
    /// Its title.
    pub title: Text,
    /// A picture: its number, and its resource file where it is not the default one.
    pub bitmap: Option<(i64, Option<String>)>,
    /// Its text, in parts that are joined by blanks.
    pub body: Vec<Text>,
    /// Its buttons.
    pub buttons: Vec<Button>,
}

/// A title or a part of a text: words in which `%1` … stand for the parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The words.
    pub words: Words,
    /// What `%1`, `%2` … stand for.
    pub parameters: Vec<Parameter>,
}

/// Where words come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// Here they are.
    Literal(String),
    /// A string resource: its number, and its file where it is not the default one ([`super::default_string`]).
    Resource(i64, Option<String>),
}

impl Default for Words {
    fn default() -> Self {
        Self::Literal(String::new())
    }
}

impl Text {
    /// Words that every client can show as they are. A `%` before a digit would be taken for a parameter: an invisible
    /// WORD JOINER goes between.
    pub fn literal(text: &str) -> Self {
        let mut words = String::with_capacity(text.len());
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            words.push(c);
            if c == '%' && rest.peek().is_some_and(char::is_ascii_digit) {
                words.push('\u{2060}');
            }
        }
        Self { words: Words::Literal(words), parameters: Vec::new() }
    }
}

/// What a `%n` stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// The name of the printer, as the client knows it.
    PrinterName,
    /// This text.
    Literal(String),
    /// A string resource; where it cannot be had, the text.
    Resource(i64, Option<String>, String),
}

/// A button of a message box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What choosing it answers.
    pub id: ButtonId,
    /// What stands on it: a string resource. OK and Cancel need none, all others do ([MS-PAN] 2.2.7.3.1 knows no literal
    /// text for buttons).
    pub label: Option<(i64, Option<String>)>,
}

/// `buttonID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ButtonId {
    /// `IDOK`, answered as 1.
    Ok,
    /// `IDCANCEL`, answered as 2.
    Cancel,
    /// Another number.
    Number(i64),
}

impl ButtonId {
    /// What the answer says.
    pub fn number(self) -> i64 {
        match self {
            Self::Ok => 1,
            Self::Cancel => 2,
            Self::Number(number) => number,
        }
    }
}

/// Code in a driver's file on the client, with what it is to be given. We never call any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Code {
    /// The file: a bare name, without `\ / ? * < > " | :`.
    pub dll: String,
    /// The function.
    pub entrypoint: String,
    /// What it is given.
    pub data: String,
}
