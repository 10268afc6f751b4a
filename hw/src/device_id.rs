//! IEEE 1284 device ids: what a printer says of itself.
//!
//! On the wire: two bytes of length (big-endian, counting themselves), then `KEY:value;KEY:value;…` (IEEE 1284-2000
//! §7.6). Printers get nearly all of it wrong: lengths that are little-endian, too long, too short, zero or missing;
//! garbage behind the end; keys in long, short or small letters. All of that is read here. What is *not* here: asking the
//! device (the ports do), and what the commands mean (the monitors know).
//!
//! The one invariant: `DeviceId::parse(&id.to_bytes())` is `id` again.

use crate::limits::DEVICE_ID_BYTES;

/// What a printer says of itself. Text that is not UTF-8 has its bad bytes replaced; control characters are dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceId {
    /// `MFG` or `MANUFACTURER`.
    pub make: Option<String>,
    /// `MDL` or `MODEL`.
    pub model: Option<String>,
    /// `SN`, `SERN` or `SERIALNUMBER`.
    pub serial: Option<String>,
    /// `CMD` or `COMMAND SET`: the languages it speaks, in its own order and spelling.
    pub commands: Vec<String>,
    /// The whole id as text, without the length; at most [`DEVICE_ID_BYTES`].
    pub raw: String,
}

impl DeviceId {
    /// Reads an id, with or without its two bytes of length. `None`: there is no `KEY:value` in it.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let raw = text(body(bytes));
        let value = |keys: &[&str]| find(&raw, keys).map(str::to_owned);
        let commands = find(&raw, &["CMD", "COMMAND SET"]).unwrap_or_default();
        let commands = commands.split(',').map(str::trim).filter(|command| !command.is_empty());
        pairs(&raw).next()?;
        Some(Self {
            make: value(&["MFG", "MANUFACTURER"]),
            model: value(&["MDL", "MODEL"]),
            serial: value(&["SN", "SERN", "SERIALNUMBER"]),
            commands: commands.map(str::to_owned).collect(),
            raw,
        })
    }

    /// The id as a device sends it: length (big-endian, counting itself), then the text.
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = u16::try_from(self.raw.len() + 2).unwrap_or(u16::MAX);
        [&length.to_be_bytes(), self.raw.as_bytes()].concat()
    }
}

/// The text of an id, without its length, as far as the length can be believed.
fn body(bytes: &[u8]) -> &[u8] {
    let Some((&[high, low], rest)) = bytes.split_first_chunk() else { return &[] };
    let is_text = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if is_text(high) && is_text(low) {
        // A length of letters would be over 8 KiB: there is none.
        return bytes;
    }
    let lengths = [u16::from_be_bytes([high, low]), u16::from_le_bytes([high, low])];
    let believed = lengths.into_iter().find_map(|length| {
        let text = rest.get(..usize::from(length).checked_sub(2)?)?;
        // A length that is too short would tear a value apart; a true one ends behind a `;` or with the data.
        (text.len() == rest.len() || text.ends_with(b";")).then_some(text)
    });
    believed.unwrap_or(rest)
}

/// Bytes as text: up to the first zero byte, within the limit, without control characters and blanks at the ends.
fn text(bytes: &[u8]) -> String {
    let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    let bytes = bytes.get(..DEVICE_ID_BYTES).unwrap_or(bytes);
    let mut text = String::new();
    for shown in String::from_utf8_lossy(bytes).trim().chars().filter(|c| !c.is_control()) {
        if text.len() + shown.len_utf8() > DEVICE_ID_BYTES {
            break;
        }
        text.push(shown);
    }
    text.truncate(text.trim_end().len());
    text.drain(..text.len() - text.trim_start().len());
    text
}

fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = text.split(';').filter_map(|pair| pair.split_once(':'));
    pairs.map(|(key, value)| (key.trim(), value.trim())).filter(|(key, _)| !key.is_empty())
}

/// The first value that is not empty under any of these keys.
fn find<'a>(text: &'a str, keys: &[&str]) -> Option<&'a str> {
    let known = |key: &str| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
    pairs(text).find(|(key, value)| known(key) && !value.is_empty()).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ZEBRA: &str =
        "MFG:Zebra Technologies;CMD:ZPL, EPL;MDL:ZTC ZD420-203dpi ZPL;CLS:PRINTER;SN:D2J1;";

    fn prefixed(length: [u8; 2], text: &str) -> Vec<u8> {
        [&length, text.as_bytes()].concat()
    }

    #[test]
    fn golden_both_ways() {
        let id = DeviceId {
            make: Some("Zebra Technologies".into()),
            model: Some("ZTC ZD420-203dpi ZPL".into()),
            serial: Some("D2J1".into()),
            commands: vec!["ZPL".into(), "EPL".into()],
            raw: ZEBRA.into(),
        };
        let wire = prefixed([0, 83], ZEBRA);
        assert_eq!(DeviceId::parse(&wire).as_ref(), Some(&id));
        assert_eq!(id.to_bytes(), wire);
    }

    #[test]
    fn long_keys_and_small_letters() {
        let text = "manufacturer: Hewlett-Packard ;MODEL:HP LaserJet 4;Command Set:PCL,,PJL,;SERN:;SerialNumber:X9";
        let id = DeviceId::parse(text.as_bytes()).unwrap();
        assert_eq!(id.make.as_deref(), Some("Hewlett-Packard"));
        assert_eq!(id.model.as_deref(), Some("HP LaserJet 4"));
        assert_eq!(id.serial.as_deref(), Some("X9"));
        assert_eq!(id.commands, ["PCL", "PJL"]);
    }

    #[test]
    fn lengths_that_lie() {
        for length in [[0, 83], [83, 0], [0, 81], [0, 0], [0, 20], [255, 255], [1, 0], [0, 1]] {
            let id = DeviceId::parse(&prefixed(length, ZEBRA)).unwrap();
            assert_eq!(id.raw, ZEBRA, "{length:?}");
        }
        for length in [[0, 83], [83, 0]] {
            let id = DeviceId::parse(&prefixed(length, &format!("{ZEBRA}stale:rest"))).unwrap();
            assert_eq!(id.raw, ZEBRA, "{length:?}");
        }
        assert_eq!(DeviceId::parse(ZEBRA.as_bytes()).unwrap().raw, ZEBRA);
        let padded = [ZEBRA.as_bytes(), &[0; 900]].concat();
        assert_eq!(DeviceId::parse(&padded).unwrap().raw, ZEBRA);
    }

    #[test]
    fn garbage_and_too_much() {
        for nothing in [&b""[..], b"\0", b"\0\x02", b"printer", b"\xff\xff\xff", b";;:;", b":x;"] {
            assert_eq!(DeviceId::parse(nothing), None);
        }
        let id = DeviceId::parse(b"MFG:A\xaeB\n;MDL:\x1b[1mC;").unwrap();
        assert_eq!((id.make.as_deref(), id.model.as_deref()), (Some("A\u{fffd}B"), Some("[1mC")));
        let long = DeviceId::parse(format!("MFG:A;DES:{}", "é".repeat(5000)).as_bytes()).unwrap();
        assert!(long.raw.len() <= DEVICE_ID_BYTES && long.make.as_deref() == Some("A"));
    }

    proptest! {
        #[test]
        fn what_a_device_sends_is_what_it_meant(
            make in "[A-Za-z0-9 -]{0,20}[A-Za-z]",
            model in "[A-Za-z0-9][A-Za-z0-9 _.+-]{0,30}",
            commands in proptest::collection::vec("[A-Z][A-Z0-9]{1,8}", 0..6),
        ) {
            let text = format!("MFG:{make};CMD:{};MDL:{model};", commands.join(","));
            let id = DeviceId::parse(&prefixed(((text.len() + 2) as u16).to_be_bytes(), &text)).unwrap();
            prop_assert_eq!(id.make.as_deref(), Some(make.trim()));
            prop_assert_eq!(id.model.as_deref(), Some(model.trim()));
            prop_assert_eq!(&id.commands, &commands);
            prop_assert_eq!(DeviceId::parse(&id.to_bytes()), Some(id));
        }
    }
}
