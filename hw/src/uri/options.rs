//! The options behind the `?` of a URI: `name=value`, joined by `+` or `&`.

use std::ops::RangeInclusive;

use super::scan::{Fault, Part};

/// One option. Names are compared without regard to case, as CUPS does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opt<'a> {
    /// `name=value`.
    pub(super) all: Part<'a>,
    name: Part<'a>,
    pub(super) value: Part<'a>,
}

/// The options of a URI, each known and given once.
#[derive(Debug, Default)]
pub(super) struct Options<'a> {
    list: Vec<Opt<'a>>,
}

impl<'a> Options<'a> {
    /// Reads what follows the `?`. An option that is not in `known` is a fault, as is one given twice.
    pub(super) fn parse(
        query: Option<Part<'a>>,
        separators: &[char],
        known: &[&str],
    ) -> Result<Self, Fault> {
        let mut options = Self::default();
        let mut rest = query.filter(|query| !query.text.is_empty());
        while let Some(part) = rest {
            let (all, next) = part.cut(separators);
            options.add(all, known)?;
            rest = next;
        }
        Ok(options)
    }

    fn add(&mut self, all: Part<'a>, known: &[&str]) -> Result<(), Fault> {
        let hint = || format!("the options here are {}", known.join(", "));
        let (name, Some(value)) = all.cut(&['=']) else {
            return Err(all.fault("is not an option of the form name=value", hint()));
        };
        if !known.iter().any(|known| known.eq_ignore_ascii_case(name.text)) {
            return Err(all.fault("is not an option of this kind of port", hint()));
        }
        if self.find(name.text).is_some() {
            return Err(all.fault("is given a second time", format!("write {} once", name.text)));
        }
        self.list.push(Opt { all, name, value });
        Ok(())
    }

    /// The option called `name`, if it was given.
    pub(super) fn find(&self, name: &str) -> Option<Opt<'a>> {
        self.list.iter().copied().find(|option| option.name.text.eq_ignore_ascii_case(name))
    }
}

impl Opt<'_> {
    /// The value as a number within `range`; `right` says what to write instead.
    pub(super) fn number(self, range: RangeInclusive<u32>, right: &str) -> Result<u32, Fault> {
        let digits =
            !self.value.text.is_empty() && self.value.text.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return Err(self.all.fault("is not a number", right));
        }
        let number = self.value.text.parse::<u32>().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let wrong = format!("is not between {} and {}", range.start(), range.end());
            self.all.fault(wrong, right)
        })
    }

    /// The value as one of a few words, without regard to case.
    pub(super) fn word<T: Copy>(self, words: &[(&str, T)], right: &str) -> Result<T, Fault> {
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(self.value.text));
        found
            .map(|&(_, meaning)| meaning)
            .ok_or_else(|| self.all.fault("is not a value it knows", right))
    }
}
