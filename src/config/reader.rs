//! Reading TOML with errors that an administrator can act on: file, line, key, and what would be right.
//!
//! A [`Section`] is one table. Each value is *taken* from it by name and turned into what it means; whatever is left at
//! the end is an unknown key. All problems are collected, so that one run of `despool check` shows them all.

mod words;

use std::cell::RefCell;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};

use self::words::{distance, kind, pick, quoted};
use super::units;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The key, with its sections: `printer[2].port`. Empty where the file itself cannot be read as TOML.
    pub key: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file.display(), self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// The text being read, and the problems found in it.
pub(super) struct Source<'a> {
    file: &'a Path,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
    /// Addresses that are listened to, and the keys that say so.
    addresses: RefCell<Vec<(SocketAddr, String)>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, problems: RefCell::default(), addresses: RefCell::default() }
    }

    /// The top-level table.
    pub(super) fn root(&self) -> Section<'a, '_> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let span = error.span().unwrap_or_default();
            match (error.message(), self.text.get(span.clone())) {
                ("duplicate key", Some(key)) => {
                    self.report(span, key, "is there twice; leave one of them");
                }
                (message, _) => self.report(span, "", message),
            }
        }
        let span = table.span();
        Section {
            source: self,
            path: String::new(),
            span,
            table: table.into_inner(),
            known: RefCell::default(),
        }
    }

    pub(super) fn report(&self, span: Range<usize>, key: &str, message: impl fmt::Display) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1);
        let problem =
            Problem { file: self.file.into(), line, key: key.into(), message: message.to_string() };
        self.problems.borrow_mut().push(problem);
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems
    }
}

/// One table of the file.
pub(super) struct Section<'a, 's> {
    source: &'s Source<'a>,
    path: String,
    span: Range<usize>,
    table: DeTable<'a>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a, 's> Section<'a, 's> {
    /// An empty one, for a section that is not there.
    fn absent(&self, key: &str) -> Self {
        Section {
            source: self.source,
            path: self.path_of(key),
            span: 0..0,
            table: DeTable::new(),
            known: RefCell::default(),
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn value(&mut self, key: &'static str) -> Option<Spanned<DeValue<'a>>> {
        self.known.borrow_mut().push(key);
        self.table.remove(key)
    }

    fn wrong(&self, span: Range<usize>, key: &str, message: impl fmt::Display) {
        self.source.report(span, &self.path_of(key), message);
    }

    /// Reports a problem of the section as a whole.
    pub(super) fn complain(&self, key: &str, message: impl fmt::Display) {
        self.wrong(self.span.clone(), key, message);
    }

    /// True where a problem of this key was reported already.
    pub(super) fn complained(&self, key: &str) -> bool {
        let path = self.path_of(key);
        self.source.problems.borrow().iter().any(|problem| problem.key == path)
    }

    /// A text, made into what it means by `read`; `None` where the key is absent or wrong.
    pub(super) fn text<T, E: fmt::Display>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => {
                read(text).map_err(|error| self.wrong(value.span(), key, error)).ok()
            }
            other => {
                self.wrong(
                    value.span(),
                    key,
                    format_args!("is {}; write it in quotes", kind(other)),
                );
                None
            }
        }
    }

    /// An address to listen to; no two listeners can have one.
    pub(super) fn address(&mut self, key: &'static str) -> Option<SocketAddr> {
        let span = self.table.get(key).map_or(0..0, Spanned::span);
        let address = self.text(key, units::address)?;
        let mut addresses = self.source.addresses.borrow_mut();
        let other = addresses.iter().find(|(other, _)| collide(*other, address));
        if let Some((_, other)) = other {
            let right = "write another port, or 0 for any";
            self.wrong(
                span,
                key,
                format_args!("{address} is listened to by {other} already; {right}"),
            );
        }
        addresses.push((address, self.path_of(key)));
        Some(address)
    }

    /// A text or a whole number, read as text.
    pub(super) fn number_or_text<T, E: fmt::Display>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.value(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().replace('_', ""),
            other => {
                self.wrong(
                    value.span(),
                    key,
                    format_args!("is {}; write a number or a text", kind(other)),
                );
                return None;
            }
        };
        read(&text).map_err(|error| self.wrong(value.span(), key, error)).ok()
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        self.text(key, |text| pick(text, words))
    }

    /// True or false.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        if let DeValue::Boolean(flag) = value.get_ref() {
            return Some(*flag);
        }
        self.wrong(
            value.span(),
            key,
            format_args!("is {}; write true or false", kind(value.get_ref())),
        );
        None
    }

    /// A list of words.
    pub(super) fn list_of<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Option<Vec<T>> {
        self.list(key, &quoted(words), |text| pick(text, words))
    }

    /// A list of texts, each made into what it means by `read`.
    pub(super) fn texts<T, E: fmt::Display>(
        &mut self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        self.list(key, "\"…\", \"…\"", read)
    }

    fn list<T, E: fmt::Display>(
        &mut self,
        key: &'static str,
        example: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            let message = format!("is {}; write a list: [{example}]", kind(value.get_ref()));
            self.wrong(value.span(), key, message);
            return None;
        };
        let mut list = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::String(word) => match read(word) {
                    Ok(word) => list.push(word),
                    Err(error) => self.wrong(item.span(), key, error),
                },
                other => {
                    self.wrong(
                        item.span(),
                        key,
                        format_args!("holds {}; write texts", kind(other)),
                    );
                }
            }
        }
        Some(list)
    }

    /// A section below this one; an empty one where it is absent.
    pub(super) fn section(&mut self, key: &'static str) -> Self {
        match self.value(key) {
            Some(value) => self.table_of(key, value),
            None => self.absent(key),
        }
    }

    /// The sections of a list: `[[printer]]`.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let span = value.span();
        let DeValue::Array(items) = value.into_inner() else {
            self.wrong(span, key, format_args!("write it as [[{key}]], once for each"));
            return Vec::new();
        };
        let numbered = items.into_iter().enumerate();
        numbered
            .map(|(n, item)| self.table_of(&format!("{key}[{}]", n.saturating_add(1)), item))
            .collect()
    }

    fn table_of(&self, key: &str, value: Spanned<DeValue<'a>>) -> Self {
        let span = value.span();
        if let DeValue::Table(table) = value.into_inner() {
            return Section { span, table, ..self.absent(key) };
        }
        self.wrong(span, key, format_args!("is not a section; write [{key}]"));
        self.absent(key)
    }

    /// Reports the keys that nobody took.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            let near = known.iter().find(|known| distance(name, known) <= 2);
            let right = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            self.wrong(key.span(), name, format_args!("there is no such key; {right}"));
        }
    }
}

/// True where the kernel has only one of them listen: `0.0.0.0` is all of IPv4, `[::]` is everything.
fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let everything = |ip: IpAddr| ip.is_unspecified() && ip.is_ipv6();
    let covers = |a: IpAddr, b: IpAddr| {
        a == b || everything(a) || (a.is_unspecified() && a.is_ipv4() == b.is_ipv4())
    };
    let (one, other) = (a.ip(), b.ip());
    a.port() == b.port() && a.port() != 0 && (covers(one, other) || covers(other, one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_collide() {
        for (a, b, expected) in [
            ("127.0.0.1:9100", "127.0.0.1:9100", true),
            ("127.0.0.1:9100", "127.0.0.1:9101", false),
            ("127.0.0.1:9100", "127.0.0.2:9100", false),
            ("127.0.0.1:9100", "0.0.0.0:9100", true),
            ("[::]:9100", "127.0.0.1:9100", true),
            ("[::1]:9100", "0.0.0.0:9100", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
        ] {
            let (a, b) = (a.parse().unwrap(), b.parse().unwrap());
            assert_eq!((collide(a, b), collide(b, a)), (expected, expected), "{a} {b}");
        }
    }
}
