//! Cuts the octets of a message into elements: the header, a delimiter tag, a whole attribute field.
//!
//! ```text
//!   header   version(2) code(2) request-id(4)                                 RFC 8010 §3.1.1
//!   delimiter   tag(1), below 0x10                                            §3.5.1
//!   field       tag(1) name-length(2) name value-length(2) value              §3.1.4, §3.1.5
//! ```
//!
//! It knows no more of an element than how long it is. The invariant: what it holds is the beginning of one element,
//! whose lengths were held against the limits before the octets they count were kept.

use super::fault::Fault;
use super::limits::{LENGTH_MAX, Limits};
use super::reader::Reader;
use super::tag;

/// Length of the header.
const HEADER_BYTES: usize = 8;

/// How long the element is whose beginning is here.
enum Extent {
    /// As long as this.
    Whole(usize),
    /// That shows when this many octets of it are here.
    Needs(usize),
}

#[derive(Debug)]
pub(super) struct Framer {
    element: Vec<u8>,
    offset: usize,
}

impl Framer {
    pub(super) fn new() -> Self {
        Self { element: Vec::new(), offset: 0 }
    }

    /// Takes from `input` what the element still lacks. True when it is whole; false when `input` is used up.
    pub(super) fn fill(
        &mut self,
        input: &mut &[u8],
        limits: &Limits,
    ) -> Result<bool, (Fault, usize)> {
        loop {
            let (length, whole) = match self.extent(limits)? {
                Extent::Whole(length) => (length, true),
                Extent::Needs(length) => (length, false),
            };
            if self.offset.saturating_add(length) > limits.header_bytes {
                let fault = Fault::TooMuch { of: "octets", limit: limits.header_bytes };
                return Err(fault.at(self.offset));
            }
            let lacking = length.saturating_sub(self.element.len());
            let (taken, rest) = input.split_at(lacking.min(input.len()));
            self.element.extend_from_slice(taken);
            *input = rest;
            if self.element.len() < length {
                return Ok(false);
            }
            if whole {
                return Ok(true);
            }
        }
    }

    /// Reads the element.
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader::new(&self.element, self.offset)
    }

    /// Where the element begins.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// Where the octets fed so far end.
    pub(super) fn end(&self) -> usize {
        self.offset.saturating_add(self.element.len())
    }

    /// The element was read: on to the next.
    pub(super) fn advance(&mut self) {
        self.offset = self.end();
        self.element.clear();
    }

    fn extent(&self, limits: &Limits) -> Result<Extent, (Fault, usize)> {
        if self.offset == 0 {
            return Ok(Extent::Whole(HEADER_BYTES));
        }
        let mut reader = self.reader();
        let Some(first) = reader.u8() else { return Ok(Extent::Needs(1)) };
        if first < tag::FIRST_VALUE {
            return Ok(Extent::Whole(1));
        }
        let Some(name) = length(&mut reader)? else { return Ok(Extent::Needs(3)) };
        if name > limits.name_bytes {
            let fault = Fault::NameTooLong { length: name, limit: limits.name_bytes };
            return Err(fault.at(self.offset.saturating_add(1)));
        }
        let before_value = name.saturating_add(5);
        if reader.take(name).is_none() {
            return Ok(Extent::Needs(before_value));
        }
        let at = reader.offset();
        let Some(value) = length(&mut reader)? else { return Ok(Extent::Needs(before_value)) };
        let limit = limits.value_bytes.min(LENGTH_MAX);
        if value > limit {
            return Err(Fault::ValueTooLong { length: value, limit }.at(at));
        }
        Ok(Extent::Whole(before_value.saturating_add(value)))
    }
}

/// A length: a SIGNED-SHORT, and not negative (RFC 8010 §3.6, §3.8).
fn length(reader: &mut Reader<'_>) -> Result<Option<usize>, (Fault, usize)> {
    let at = reader.offset();
    match reader.u16() {
        Some(length) if usize::from(length) > LENGTH_MAX => {
            Err(Fault::NegativeLength { length }.at(at))
        }
        length => Ok(length.map(usize::from)),
    }
}
