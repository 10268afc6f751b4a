//! What holds for every message: it comes back as it went out, in whatever pieces; and no octets do harm.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use despool::frontend::ipp::wire::{
    Attribute, Attributes, DateTime, DecodeError, Decoded, Decoder, Duplicate, Group, GroupTag,
    Limits, Localized, Message, OutOfBand, Progress, Range, Resolution, ResolutionUnit, Value,
    decode, encode,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn string() -> impl Strategy<Value = Box<str>> {
    prop_oneof!["[ -~]{0,20}", ".{0,12}"].prop_map(Into::into)
}

fn localized() -> impl Strategy<Value = Box<Localized>> {
    (string(), string()).prop_map(|(language, text)| Box::new(Localized { language, text }))
}

fn out_of_band() -> impl Strategy<Value = Value> {
    use OutOfBand::*;
    select(vec![Unsupported, Default, Unknown, NoValue, NotSettable, DeleteAttribute, AdminDefine])
        .prop_map(Value::OutOfBand)
}

fn date_time() -> impl Strategy<Value = DateTime> {
    (any::<i64>(), any::<u8>(), any::<[u8; 3]>()).prop_map(|(seconds, hour, [a, b, c])| DateTime {
        hour,
        direction: a,
        utc_hours: b,
        utc_minutes: c,
        ..DateTime::utc(seconds)
    })
}

fn numbers() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(Value::Integer),
        any::<bool>().prop_map(Value::Boolean),
        any::<i32>().prop_map(Value::Enum),
        date_time().prop_map(Value::DateTime),
        any::<(i32, i32)>().prop_map(|(lower, upper)| Value::Range(Range { lower, upper })),
        any::<(i32, i32, u8)>().prop_map(|(cross_feed, feed, unit)| {
            let unit = ResolutionUnit::from_code(unit);
            Value::Resolution(Resolution { cross_feed, feed, unit })
        }),
    ]
}

fn strings() -> impl Strategy<Value = Value> {
    prop_oneof![
        vec(any::<u8>(), 0..40).prop_map(|octets| Value::OctetString(octets.into())),
        localized().prop_map(Value::TextWithLanguage),
        localized().prop_map(Value::NameWithLanguage),
        string().prop_map(Value::Text),
        string().prop_map(Value::Name),
        string().prop_map(Value::Keyword),
        string().prop_map(Value::Uri),
        string().prop_map(Value::UriScheme),
        string().prop_map(Value::Charset),
        string().prop_map(Value::NaturalLanguage),
        string().prop_map(Value::MimeMediaType),
    ]
}

/// Whatever a tag and some octets make, opaque values above all.
fn from_wire() -> impl Strategy<Value = Value> {
    (any::<u8>(), vec(any::<u8>(), 0..12))
        .prop_filter_map("no value", |(tag, octets)| Value::from_wire(tag, &octets).ok())
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![out_of_band(), numbers(), strings(), from_wire()].prop_recursive(
        6,
        40,
        4,
        |inner| attributes(inner, 0..4).prop_map(Value::Collection),
    )
}

fn attributes(
    value: impl Strategy<Value = Value> + Clone,
    count: std::ops::Range<usize>,
) -> impl Strategy<Value = Attributes> {
    let attribute = ("[a-z-]{1,6}|.{1,40}", vec(value, 1..4));
    vec(attribute.prop_map(|(name, values)| Attribute::set_of(&name, values)), count)
        .prop_map(Attributes::from_iter)
}

fn group() -> impl Strategy<Value = Group> {
    let tag = prop_oneof![Just(0x02u8), 0x04u8..=0x0F];
    (tag, attributes(value().boxed(), 0..6))
        .prop_map(|(tag, attributes)| Group { tag: GroupTag::from_octet(tag).unwrap(), attributes })
}

fn message() -> impl Strategy<Value = Message> {
    let operation = attributes(value().boxed(), 0..6);
    (
        any::<(u8, u8)>(),
        any::<u16>(),
        any::<i32>(),
        proptest::option::of(operation),
        vec(group(), 0..4),
    )
        .prop_map(|(version, code, request_id, operation, others)| {
            let operation =
                operation.map(|attributes| Group { tag: GroupTag::Operation, attributes });
            Message {
                version,
                code,
                request_id,
                groups: operation.into_iter().chain(others).collect(),
            }
        })
}

/// What is left of decoding `octets` in those pieces: the message, how long it was in all, what came twice.
fn in_pieces(
    octets: &[u8],
    cuts: &[usize],
) -> Result<(Message, usize, Vec<Duplicate>), DecodeError> {
    let mut decoder = Decoder::default();
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (octets.len() + 1)).collect();
    cuts.push(octets.len());
    cuts.sort_unstable();
    let mut fed = 0;
    for cut in cuts {
        match decoder.feed(&octets[fed..cut])? {
            Progress::NeedMore => fed = cut,
            Progress::Done(Decoded { message, consumed, duplicates }) => {
                return Ok((message, fed + consumed, duplicates));
            }
        }
    }
    Err(decoder.truncated())
}

fn whole(octets: &[u8]) -> Result<(Message, usize, Vec<Duplicate>), DecodeError> {
    decode(octets, Limits::REQUEST)
        .map(|Decoded { message, consumed, duplicates }| (message, consumed, duplicates))
}

/// Octets that are often almost a message: those of one, with a few of them changed.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    (message(), vec((any::<usize>(), any::<u8>()), 0..4)).prop_map(|(message, damage)| {
        let mut octets = encode(&message).unwrap();
        for (at, octet) in damage {
            let at = at % octets.len();
            octets[at] = octet;
        }
        octets
    })
}

proptest! {
    #[test]
    fn ipp_messages_go_round(message in message(), document in vec(any::<u8>(), 0..20)) {
        let octets = encode(&message).unwrap();
        let piece = [&octets[..], &document].concat();
        let (decoded, consumed, duplicates) = whole(&piece).unwrap();
        prop_assert_eq!(&decoded, &message);
        prop_assert_eq!(consumed, octets.len());
        prop_assert_eq!(duplicates, vec![]);
    }

    #[test]
    fn ipp_pieces_make_no_difference(octets in damaged(), cuts in vec(any::<usize>(), 0..8)) {
        let at_once = whole(&octets);
        prop_assert_eq!(&in_pieces(&octets, &cuts), &at_once);
        let everywhere: Vec<usize> = (0..=octets.len()).collect();
        prop_assert_eq!(&in_pieces(&octets, &everywhere), &at_once);
    }

    #[test]
    fn ipp_what_was_decoded_is_stable(octets in damaged()) {
        if let Ok((message, ..)) = whole(&octets) {
            let again = encode(&message).unwrap();
            prop_assert_eq!(whole(&again), Ok((message, again.len(), vec![])));
        }
    }

    #[test]
    fn ipp_moments_go_round(seconds in -62_167_219_200..=253_402_207_200i64) {
        prop_assert_eq!(DateTime::utc(seconds).unix_seconds(), Some(seconds));
    }

    #[test]
    fn ipp_dumps_are_lines_of_their_own(message in message()) {
        let lines = 1 + message.groups.iter().map(|group| 1 + group.attributes.len()).sum::<usize>();
        let dump = message.to_string();
        prop_assert_eq!(dump.split('\n').count(), lines);
        prop_assert!(dump.chars().all(|c| c == '\n' || !c.is_control()));
    }
}
