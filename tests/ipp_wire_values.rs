//! Every syntax of RFC 8010 §3.9 as octets, both ways, and what must not be one.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use despool::frontend::ipp::wire::{
    Attribute, DateTime, EncodeError, Fault, GroupTag, Limits, Message, Operation, OutOfBand,
    Range, Resolution, ResolutionUnit, Value, decode, encode, encode_into, tag,
};

fn with(value: Value) -> Message {
    let mut message = Message { groups: Vec::new(), ..Message::request(Operation::PrintJob, 1) };
    message.add_group(GroupTag::Job).put("x", value);
    message
}

/// As the only value of the attribute `x`: first its tag, then its length and itself.
fn octets(value_tag: u8, length_and_value: &[u8]) -> Vec<u8> {
    let header = b"\x01\x01\x00\x02\x00\x00\x00\x01\x02".as_slice();
    [header, &[value_tag], b"\0\x01x", length_and_value, b"\x03"].concat()
}

#[track_caller]
fn both_ways(value: Value, value_tag: u8, length_and_value: &[u8]) {
    let octets = octets(value_tag, length_and_value);
    assert_eq!(value.tag(), value_tag);
    let message = with(value);
    assert_eq!(encode(&message).unwrap(), octets);
    assert_eq!(decode(&octets, Limits::REQUEST).unwrap().message, message);
}

fn decoded(value_tag: u8, length_and_value: &[u8]) -> Result<Value, Fault> {
    match decode(&octets(value_tag, length_and_value), Limits::REQUEST) {
        Ok(decoded) => {
            Ok(decoded.message.attributes(GroupTag::Job).find("x").unwrap().values()[0].clone())
        }
        Err(error) => Err(error.fault),
    }
}

#[test]
fn ipp_out_of_band() {
    both_ways(OutOfBand::Unsupported.into(), 0x10, b"\0\0");
    both_ways(OutOfBand::Default.into(), 0x11, b"\0\0");
    both_ways(OutOfBand::Unknown.into(), 0x12, b"\0\0");
    both_ways(OutOfBand::NoValue.into(), 0x13, b"\0\0");
    both_ways(OutOfBand::NotSettable.into(), 0x15, b"\0\0");
    both_ways(OutOfBand::DeleteAttribute.into(), 0x16, b"\0\0");
    both_ways(OutOfBand::AdminDefine.into(), 0x17, b"\0\0");
}

#[test]
fn ipp_numbers() {
    both_ways(Value::Integer(0), 0x21, b"\0\x04\0\0\0\0");
    both_ways(Value::Integer(-2), 0x21, b"\0\x04\xff\xff\xff\xfe");
    both_ways(i32::MIN.into(), 0x21, b"\0\x04\x80\0\0\0");
    both_ways(true.into(), 0x22, b"\0\x01\x01");
    both_ways(false.into(), 0x22, b"\0\x01\0");
    both_ways(Operation::CupsGetDefault.into(), 0x23, b"\0\x04\0\0\x40\x01");
    both_ways((1..=i32::MAX).into(), 0x33, b"\0\x08\0\0\0\x01\x7f\xff\xff\xff");
    both_ways(Range { lower: 5, upper: -1 }.into(), 0x33, b"\0\x08\0\0\0\x05\xff\xff\xff\xff");
    both_ways(Resolution::dpi(600).into(), 0x32, b"\0\x09\0\0\x02\x58\0\0\x02\x58\x03");
    let unit = ResolutionUnit::PerCentimeter;
    let oblong = Resolution { cross_feed: 300, feed: 600, unit };
    both_ways(oblong.into(), 0x32, b"\0\x09\0\0\x01\x2c\0\0\x02\x58\x04");
    let unit = ResolutionUnit::Other(0);
    let odd = Resolution { cross_feed: 1, feed: -1, unit };
    both_ways(odd.into(), 0x32, b"\0\x09\0\0\0\x01\xff\xff\xff\xff\0");
}

#[test]
fn ipp_date_time() {
    let east = DateTime {
        direction: b'+',
        utc_hours: 1,
        utc_minutes: 30,
        hour: 9,
        ..DateTime::utc(1_795_253_415)
    };
    both_ways(east.into(), 0x31, b"\0\x0b\x07\xea\x0b\x15\x09\x1e\x0f\0+\x01\x1e");
    assert_eq!(east.to_string(), "2026-11-21T09:30:15+0130");
    assert_eq!(east.unix_seconds(), Some(1_795_248_015));

    let moment = DateTime::utc(1_795_248_015);
    assert_eq!(moment.to_string(), "2026-11-21T08:00:15Z");
    assert_eq!(moment.unix_seconds(), Some(1_795_248_015));
    assert_eq!(DateTime::utc(-1).to_string(), "1969-12-31T23:59:59Z");
    assert_eq!(DateTime::utc(i64::MIN).to_string(), "0000-01-01T00:00:00Z");
    assert_eq!(DateTime::utc(i64::MAX).year, 9999);

    let nonsense = decoded(0x31, b"\0\x0b\xff\xff\xff\xff\xff\xff\xff\xff\n\xff\xff").unwrap();
    let moment = nonsense.as_date_time().unwrap();
    assert_eq!(moment.unix_seconds(), None);
    assert_eq!(moment.to_string(), "65535-255-255T255:255:255\\n255255");
}

#[test]
fn ipp_moments() {
    let good = DateTime::utc(951_827_696);
    assert_eq!(good.to_string(), "2000-02-29T12:34:56Z");
    let west = DateTime { direction: b'-', utc_hours: 14, utc_minutes: 59, ..good };
    assert_eq!(west.unix_seconds(), Some(951_827_696 + 14 * 3600 + 59 * 60));
    let leap = DateTime { second: 60, decisecond: 9, ..good };
    assert_eq!(leap.unix_seconds(), Some(951_827_700));
    for bad in [
        DateTime { year: 2001, ..good },
        DateTime { year: 65_535, ..good },
        DateTime { month: 0, ..good },
        DateTime { month: 13, ..good },
        DateTime { day: 30, ..good },
        DateTime { hour: 24, ..good },
        DateTime { minute: 60, ..good },
        DateTime { second: 61, ..good },
        DateTime { decisecond: 10, ..good },
        DateTime { direction: b' ', ..good },
        DateTime { utc_hours: 15, ..good },
        DateTime { utc_hours: 15, direction: b'-', ..good },
        DateTime { utc_minutes: 60, ..good },
    ] {
        assert_eq!(bad.unix_seconds(), None, "{bad}");
    }
}

#[test]
fn ipp_strings() {
    both_ways(Value::OctetString((*b"\0\xff").into()), 0x30, b"\0\x02\0\xff");
    both_ways(Value::text("Größe"), 0x41, b"\0\x07Gr\xc3\xb6\xc3\x9fe");
    both_ways(Value::name(""), 0x42, b"\0\0");
    both_ways(Value::keyword("one-sided"), 0x44, b"\0\x09one-sided");
    both_ways(Value::uri("ipp://h/p"), 0x45, b"\0\x09ipp://h/p");
    both_ways(Value::uri_scheme("ipps"), 0x46, b"\0\x04ipps");
    both_ways(Value::charset("utf-8"), 0x47, b"\0\x05utf-8");
    both_ways(Value::language("de-ch"), 0x48, b"\0\x05de-ch");
    both_ways(Value::mime_type("text/plain"), 0x49, b"\0\x0atext/plain");
    both_ways(Value::text_in("fr", "fou"), 0x35, b"\0\x09\0\x02fr\0\x03fou");
    both_ways(Value::name_in("", ""), 0x36, b"\0\x04\0\0\0\0");
}

#[test]
fn ipp_what_is_not_known_is_kept() {
    for unassigned in [0x14, 0x18, 0x1F, 0x20, 0x24, 0x2F, 0x38, 0x40, 0x43, 0x4B, 0x60, 0x80, 0xFF]
    {
        for length_and_value in [b"\0\0".as_slice(), b"\0\x03a\0\xff"] {
            let value = decoded(unassigned, length_and_value).unwrap();
            let Value::Opaque(opaque) = &value else { panic!("{value:?}") };
            assert_eq!((opaque.tag(), opaque.extended_tag()), (unassigned, None));
            both_ways(value, unassigned, length_and_value);
        }
    }
    let extended = decoded(0x7F, b"\0\x06\x40\0\0\x01ab").unwrap();
    let Value::Opaque(opaque) = &extended else { panic!("{extended:?}") };
    assert_eq!(opaque.extended_tag(), Some(0x4000_0001));
    both_ways(extended, 0x7F, b"\0\x06\x40\0\0\x01ab");
    both_ways(decoded(0x7F, b"\0\x04\0\0\0\0").unwrap(), 0x7F, b"\0\x04\0\0\0\0");
}

/// Brother fills out-of-band values, old Windows writes Latin-1: no job is lost for that.
#[test]
fn ipp_what_is_merely_odd_is_kept() {
    for (value_tag, odd) in
        [(0x13, b"\0\x01x".as_slice()), (0x42, b"\0\x03B\xfcr"), (0x35, b"\0\x05\0\0\0\x01\xfc")]
    {
        both_ways(decoded(value_tag, odd).unwrap(), value_tag, odd);
    }
    let latin = decoded(0x35, b"\0\x05\0\0\0\x01\xfc").unwrap();
    assert_eq!(latin.as_text(), None);
    let latin = decoded(0x42, b"\0\x03B\xfcr").unwrap();
    assert_eq!(latin.as_text().as_deref(), Some("B\u{fffd}r"));
    assert_eq!(decoded(0x22, b"\0\x01\xff"), Ok(Value::Boolean(true)));
}

#[test]
fn ipp_wrong_lengths() {
    let needs = |syntax, needs, length| Err(Fault::WrongLength { syntax, needs, length });
    assert_eq!(decoded(0x21, b"\0\x03\0\0\x01"), needs("integer", "4", 3));
    assert_eq!(decoded(0x21, b"\0\x05\0\0\0\0\x01"), needs("integer", "4", 5));
    assert_eq!(decoded(0x23, b"\0\0"), needs("enum", "4", 0));
    assert_eq!(decoded(0x22, b"\0\0"), needs("boolean", "1", 0));
    assert_eq!(decoded(0x22, b"\0\x02\0\x01"), needs("boolean", "1", 2));
    assert_eq!(decoded(0x31, b"\0\x08\x07\xea\x0b\x15\x09\x1e\x0f\0"), needs("dateTime", "11", 8));
    assert_eq!(decoded(0x32, b"\0\x08\0\0\0\0\0\0\0\0"), needs("resolution", "9", 8));
    assert_eq!(decoded(0x33, b"\0\x04\0\0\0\0"), needs("rangeOfInteger", "8", 4));
    assert_eq!(decoded(0x7F, b"\0\x03\x40\0\0"), needs("extension", "4 or more", 3));
    let inner = |syntax, length| Err(Fault::InnerLengths { syntax, length });
    assert_eq!(decoded(0x35, b"\0\0"), inner("textWithLanguage", 0));
    assert_eq!(decoded(0x35, b"\0\x05\0\x02fr\0"), inner("textWithLanguage", 5));
    assert_eq!(decoded(0x36, b"\0\x06\0\x02fr\0\x01"), inner("nameWithLanguage", 6));
    assert_eq!(decoded(0x36, b"\0\x07\0\0\0\x02ab!"), inner("nameWithLanguage", 7));
}

/// Nothing that is a value by its octets is one by a tag that builds messages.
#[test]
fn ipp_tags_that_are_no_values() {
    for structural in
        [0x00, 0x01, 0x03, 0x0F, tag::BEGIN_COLLECTION, tag::END_COLLECTION, tag::MEMBER_NAME]
    {
        assert_eq!(Value::from_wire(structural, b""), Err(Fault::NotAValue { tag: structural }));
    }
}

#[test]
fn ipp_what_cannot_be_said_is_refused() {
    let refused = |message: &Message| {
        let mut out = b"before".to_vec();
        let error = encode_into(message, &mut out).unwrap_err();
        assert_eq!(out, b"before");
        error
    };
    let longest = "x".repeat(0x7FFF);
    assert!(encode(&with(Value::text(&longest))).is_ok());
    let too_long = |length| EncodeError::Value { attribute: "x".into(), length };
    for length in [0x8000, 0xFFFF, 0x1_0000, 0x2_0005] {
        assert_eq!(refused(&with(Value::text(&"x".repeat(length)))), too_long(length));
    }
    assert_eq!(refused(&with(Value::text_in("en", &longest))), too_long(0x7FFF + 6));

    let mut message = with(Value::Integer(1));
    message.attributes_mut(GroupTag::Job).put("", 1);
    assert_eq!(refused(&message), EncodeError::Name { length: 0 });
    let long_name = "n".repeat(256);
    let message = with(
        [Attribute::new(&long_name, 1)]
            .into_iter()
            .collect::<despool::frontend::ipp::wire::Attributes>()
            .into(),
    );
    assert_eq!(refused(&message), EncodeError::Name { length: 256 });

    let mut message = with(Value::Integer(1));
    message.groups[0].tag = GroupTag::Reserved(0x21);
    assert_eq!(refused(&message), EncodeError::Group { octet: 0x21 });
    let mut message = with(Value::Integer(1));
    let operation = Message::request(Operation::PrintJob, 1).groups;
    message.groups.extend(operation);
    assert_eq!(refused(&message), EncodeError::LateOperationGroup);
}

#[test]
fn ipp_values_are_small() {
    assert!(size_of::<Value>() <= 24);
    assert!(size_of::<Attribute>() <= 40);
}
