//! Collections (RFC 8010 §3.1.6, §3.1.7), octet by octet, both ways.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use despool::frontend::ipp::wire::{
    Attributes, GroupTag, Limits, Message, Operation, OutOfBand, Range, Value, decode, encode,
};

/// These octets are the message, and it is these octets.
#[track_caller]
fn both_ways(parts: &[&[u8]], message: &Message) {
    let octets = parts.concat();
    assert_eq!(encode(message).unwrap(), octets);
    assert_eq!(decode(&octets, Limits::REQUEST).unwrap().message, *message);
}

/// RFC 3382 §7.2, Table 5.
#[test]
fn ipp_media_col() {
    let mut size = Attributes::new();
    size.put("x-dimension", 6).put("y-dimension", 4);
    let mut media = Attributes::new();
    media.put_keyword("media-color", "blue").put("media-size", size);
    let mut message = Message { groups: Vec::new(), ..Message::request(Operation::CreateJob, 1) };
    message.add_group(GroupTag::Job).put("media-col", media);
    both_ways(
        &[
            b"\x01\x01\x00\x05\x00\x00\x00\x01",
            b"\x02",
            b"\x34\0\x09media-col\0\0",
            b"\x4a\0\0\0\x0bmedia-color",
            b"\x44\0\0\0\x04blue",
            b"\x4a\0\0\0\x0amedia-size",
            b"\x34\0\0\0\0",
            b"\x4a\0\0\0\x0bx-dimension",
            b"\x21\0\0\0\x04\0\0\0\x06",
            b"\x4a\0\0\0\x0by-dimension",
            b"\x21\0\0\0\x04\0\0\0\x04",
            b"\x37\0\0\0\0",
            b"\x37\0\0\0\0",
            b"\x03",
        ],
        &message,
    );
}

/// What the `ipp` crate loses: a 1setOf within a collection, and a 1setOf collection within a collection.
#[test]
fn ipp_sets_within_collections() {
    let mut first = Attributes::new();
    first
        .put_all("pages", [1..=2, 5..=6])
        .put_all("media", [Value::keyword("a4"), Value::name("The Good One")]);
    let mut inner = [Attributes::new(), Attributes::new()];
    inner[0].put_all("n", [1, 2]);
    inner[1].put("n", OutOfBand::NoValue);
    let mut second = Attributes::new();
    second.put_all("parts", inner).put("empty", Attributes::new());
    let mut message = Message { groups: Vec::new(), ..Message::request(Operation::CreateJob, 1) };
    message.add_group(GroupTag::Job).put_all("overrides", [first, second]).put("copies", 1);
    both_ways(
        &[
            b"\x01\x01\x00\x05\x00\x00\x00\x01",
            b"\x02",
            b"\x34\0\x09overrides\0\0",
            b"\x4a\0\0\0\x05pages",
            b"\x33\0\0\0\x08\0\0\0\x01\0\0\0\x02",
            b"\x33\0\0\0\x08\0\0\0\x05\0\0\0\x06",
            b"\x4a\0\0\0\x05media",
            b"\x44\0\0\0\x02a4",
            b"\x42\0\0\0\x0cThe Good One",
            b"\x37\0\0\0\0",
            b"\x34\0\0\0\0",
            b"\x4a\0\0\0\x05parts",
            b"\x34\0\0\0\0",
            b"\x4a\0\0\0\x01n",
            b"\x21\0\0\0\x04\0\0\0\x01",
            b"\x21\0\0\0\x04\0\0\0\x02",
            b"\x37\0\0\0\0",
            b"\x34\0\0\0\0",
            b"\x4a\0\0\0\x01n",
            b"\x13\0\0\0\0",
            b"\x37\0\0\0\0",
            b"\x4a\0\0\0\x05empty",
            b"\x34\0\0\0\0",
            b"\x37\0\0\0\0",
            b"\x37\0\0\0\0",
            b"\x21\0\x06copies\0\x04\0\0\0\x01",
            b"\x03",
        ],
        &message,
    );
    let overrides = message.attributes(GroupTag::Job).collections("overrides").unwrap();
    let pages = overrides[0].ranges("pages").unwrap();
    assert_eq!(pages, [Range { lower: 1, upper: 2 }, Range { lower: 5, upper: 6 }]);
}
