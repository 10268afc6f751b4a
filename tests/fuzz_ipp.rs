//! Fuzz targets of the IPP codec: `cargo test --test fuzz_ipp` runs them on random input, `cargo bolero test
//! --test fuzz_ipp NAME` fuzzes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use bolero::check;
use despool::frontend::ipp::wire::{
    Attributes, Decoder, Limits, Message, Progress, Value, decode, encode,
};

/// Small enough that random input runs into every one of them.
const LIMITS: Limits = Limits {
    header_bytes: 600,
    groups: 5,
    attributes: 12,
    values: 16,
    depth: 3,
    name_bytes: 9,
    value_bytes: 80,
};

/// Attributes and values in there, members of collections too.
fn count(attributes: &Attributes) -> (usize, usize) {
    let mut sum = (0, 0);
    for attribute in attributes {
        sum = (sum.0 + 1, sum.1 + attribute.values().len());
        for members in attribute.values().iter().filter_map(Value::as_collection) {
            let inner = count(members);
            sum = (sum.0 + inner.0, sum.1 + inner.1);
        }
    }
    sum
}

fn is_within(message: &Message, limits: &Limits) -> bool {
    let counts = message.groups.iter().map(|group| count(&group.attributes));
    let (attributes, values) = counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    message.groups.len() <= limits.groups
        && attributes <= limits.attributes
        && values <= limits.values
}

/// All that must hold of any octets at all.
fn decodes_well(octets: &[u8], limits: Limits) {
    let at_once = decode(octets, limits);
    let mut decoder = Decoder::new(limits);
    let bit_by_bit =
        octets.chunks(1).enumerate().find_map(|(at, octet)| match decoder.feed(octet) {
            Ok(Progress::NeedMore) => None,
            Ok(Progress::Done(decoded)) => Some(Ok((decoded.message, at + decoded.consumed))),
            Err(error) => Some(Err(error)),
        });
    let bit_by_bit = bit_by_bit.unwrap_or_else(|| Err(decoder.truncated()));
    let at_once = at_once.map(|decoded| (decoded.message, decoded.consumed));
    assert_eq!(at_once, bit_by_bit);
    match at_once {
        Err(error) => {
            assert!(error.offset <= octets.len() && !error.to_string().is_empty());
            assert_eq!(error.header.is_some(), octets.len() >= 8);
        }
        Ok((message, consumed)) => {
            assert!(consumed <= octets.len().min(limits.header_bytes));
            assert!(is_within(&message, &limits));
            let _ = format!("{} {message:?}", message.as_request());
            let again = encode(&message).unwrap();
            assert_eq!(decode(&again, Limits::REQUEST).unwrap().message, message);
        }
    }
}

#[test]
fn fuzz_ipp_octets() {
    check!().for_each(|octets: &[u8]| {
        decodes_well(octets, LIMITS);
        decodes_well(octets, Limits::REQUEST);
        decodes_well(&[b"\x01\x01\0\x02\0\0\0\x01\x02", octets].concat(), Limits::REQUEST);
    });
}

/// Strings fields together, each mostly where it may stand: random octets alone seldom make one.
struct Author {
    octets: Vec<u8>,
    /// For each open collection, and first for the group: is there something that values can be added to?
    open: Vec<bool>,
}

impl Author {
    const VALUE_TAGS: [u8; 12] =
        [0x13, 0x21, 0x22, 0x23, 0x30, 0x31, 0x33, 0x35, 0x36, 0x41, 0x44, 0x7F];
    const NAMES: [&str; 4] = ["a", "bb", "c", "ä"];

    fn new() -> Self {
        Self { octets: b"\x01\x01\0\x02\0\0\0\x01\x02".to_vec(), open: vec![false] }
    }

    fn field(&mut self, tag: u8, name: &str, value: &[u8]) {
        self.octets.extend([tag, 0, u8::try_from(name.len()).unwrap()]);
        self.octets.extend(name.bytes());
        self.octets.extend([0, u8::try_from(value.len()).unwrap()]);
        self.octets.extend(value);
    }

    fn value(&mut self, name: &str, kind: u8, octet: u8) {
        if kind.is_multiple_of(4) {
            self.field(0x34, name, b"");
            return self.open.push(false);
        }
        let tag = Self::VALUE_TAGS[usize::from(kind) % Self::VALUE_TAGS.len()];
        match tag {
            0x13 => self.field(tag, name, b""),
            0x21 | 0x23 => self.field(tag, name, &[octet; 4]),
            0x22 => self.field(tag, name, &[octet]),
            0x31 => self.field(tag, name, &[octet; 11]),
            0x33 => self.field(tag, name, &[octet; 8]),
            0x35 | 0x36 => self.field(tag, name, &[0, 1, octet, 0, 1, octet]),
            _ => self.field(tag, name, &vec![octet; 4 + usize::from(octet) % 80]),
        }
    }

    /// One more field, as the three numbers have it; one in 32 where it does not belong.
    fn step(&mut self, what: u8, kind: u8, octet: u8) {
        let name = Self::NAMES[usize::from(what / 8) % Self::NAMES.len()];
        let (depth, open) = (self.open.len(), self.open.last() == Some(&true));
        match what % 32 {
            31 if octet.is_multiple_of(2) => {
                self.field(kind, if kind.is_multiple_of(3) { "a" } else { "" }, &[octet]);
            }
            31 => self.octets.push(octet % 16),
            0..4 if open => self.value("", kind, octet),
            4..8 if depth == 1 => {
                self.octets.push(if octet.is_multiple_of(2) { 0x02 } else { 0x04 });
                self.open = vec![false];
            }
            4..16 if depth > 1 => {
                self.field(0x37, "", b"");
                self.open.pop();
            }
            _ if depth == 1 => {
                self.open = vec![true];
                self.value(name, kind, octet);
            }
            _ => {
                self.field(0x4A, "", name.as_bytes());
                *self.open.last_mut().unwrap() = true;
                self.value("", kind, octet);
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        while self.open.len() > 1 {
            self.field(0x37, "", b"");
            self.open.pop();
        }
        self.octets.push(0x03);
        self.octets
    }
}

#[test]
fn fuzz_ipp_fields() {
    check!().with_type::<Vec<(u8, u8, u8)>>().for_each(|steps| {
        let mut author = Author::new();
        steps.iter().for_each(|(what, kind, octet)| author.step(*what, *kind, *octet));
        let octets = author.finish();
        decodes_well(&octets, LIMITS);
        decodes_well(&octets, Limits::REQUEST);
    });
}
