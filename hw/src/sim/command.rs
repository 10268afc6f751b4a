//! The control language: one command a line, one JSON object as its answer.
//!
//! | command | does |
//! | --- | --- |
//! | `paper-out on\|off`, `cover-open …`, `offline …` | what the sensors see; the input buffer fills, then nothing is taken |
//! | `ribbon-out …`, `cutter-jam …`, `overheated …`, `broken …` | further faults, with the same effect |
//! | `paper-low on\|off`, `drawer-open on\|off` | what the sensors see, without an effect on printing |
//! | `toner PERCENT` | how much toner is left |
//! | `stall on\|off` | nothing is taken from the wire at all |
//! | `speed BYTES_PER_SECOND\|max` | how fast bytes are taken |
//! | `say HEX` | sends these bytes on the back channel (blanks between the digits are allowed) |
//! | `garbage N` | sends N bytes that look random and are the same every time |
//! | `xoff`, `xon` | sends DC3, DC1 (printers on a serial line) |
//! | `unplug` (`hang-up`), `plug` | pulls the cable, puts it back |
//! | `received` | `{"bytes":…,"sha256":"…",…}`: what came since the last `reset` |
//! | `state` | everything that can be seen from outside |
//! | `reset` | sets the counts to zero |
//!
//! Parsing is pure. What it is *not*: the socket (`control.rs`), the effects (`model/panel.rs`, `device.rs`) or the
//! answers (`answer.rs`).

use std::num::NonZeroU64;

use super::Condition;
use crate::limits::SIM_BACK_BYTES;

/// A command, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// A sensor is set.
    Sense(Sensor, bool),
    /// So much toner is left, in percent.
    Toner(u8),
    /// Nothing is taken from the wire (or again).
    Stall(bool),
    /// Bytes per second; `None`: as fast as they come.
    Speed(Option<NonZeroU64>),
    /// Bytes for the back channel.
    Say(Vec<u8>),
    /// So many random-looking bytes for the back channel.
    Garbage(usize),
    /// DC3 on a serial line.
    Xoff,
    /// DC1 on a serial line.
    Xon,
    /// The cable is pulled.
    Unplug,
    /// The cable is put back.
    Plug,
    /// What came since the last `Reset`?
    Received,
    /// What can be seen from outside?
    State,
    /// The counts are set to zero.
    Reset,
}

/// A sensor of [`Condition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensor {
    /// `paper-out`.
    PaperOut,
    /// `paper-low`.
    PaperLow,
    /// `cover-open`.
    CoverOpen,
    /// `offline`.
    Offline,
    /// `drawer-open`.
    DrawerOpen,
    /// `ribbon-out`.
    RibbonOut,
    /// `cutter-jam`.
    CutterJam,
    /// `overheated`.
    Overheated,
    /// `broken`.
    Broken,
}

impl Sensor {
    const WORDS: [(&str, Self); 9] = [
        ("paper-out", Self::PaperOut),
        ("paper-low", Self::PaperLow),
        ("cover-open", Self::CoverOpen),
        ("offline", Self::Offline),
        ("drawer-open", Self::DrawerOpen),
        ("ribbon-out", Self::RibbonOut),
        ("cutter-jam", Self::CutterJam),
        ("overheated", Self::Overheated),
        ("broken", Self::Broken),
    ];

    /// Where the condition keeps it.
    pub(super) fn of(self, condition: &mut Condition) -> &mut bool {
        match self {
            Self::PaperOut => &mut condition.paper_out,
            Self::PaperLow => &mut condition.paper_low,
            Self::CoverOpen => &mut condition.cover_open,
            Self::Offline => &mut condition.offline,
            Self::DrawerOpen => &mut condition.drawer_open,
            Self::RibbonOut => &mut condition.ribbon_out,
            Self::CutterJam => &mut condition.cutter_jam,
            Self::Overheated => &mut condition.overheated,
            Self::Broken => &mut condition.broken,
        }
    }
}

/// Reads one command line. The error is a sentence: what is wrong, and what would be right.
pub fn parse(line: &str) -> Result<Command, String> {
    let line = line.trim_ascii();
    let (word, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let value = value.trim_ascii();
    if let Some((_, sensor)) = Sensor::WORDS.iter().find(|(name, _)| *name == word) {
        return Ok(Command::Sense(*sensor, on_off(word, value)?));
    }
    match word {
        "stall" => return Ok(Command::Stall(on_off(word, value)?)),
        "speed" => return speed(value),
        "say" => return say(value),
        "garbage" => return garbage(value),
        "toner" => return toner(value),
        _ => {}
    }
    let command = bare(word)?;
    if value.is_empty() {
        Ok(command)
    } else {
        Err(format!("`{word}` takes no value; write `{word}`"))
    }
}

fn bare(word: &str) -> Result<Command, String> {
    Ok(match word {
        "xoff" => Command::Xoff,
        "xon" => Command::Xon,
        "unplug" | "hang-up" => Command::Unplug,
        "plug" => Command::Plug,
        "received" => Command::Received,
        "state" => Command::State,
        "reset" => Command::Reset,
        _ => {
            return Err(format!(
                "`{}` is no command; write paper-out, paper-low, cover-open, offline, drawer-open, ribbon-out, \
                 cutter-jam, overheated, broken or stall with on or off, toner PERCENT, speed BYTES_PER_SECOND \
                 or max, say HEX, garbage N, xoff, xon, unplug, plug, received, state, reset",
                short(word)
            ));
        }
    })
}

fn on_off(word: &str, value: &str) -> Result<bool, String> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{word}` is on or off, not `{}`; write `{word} on`", short(value))),
    }
}

fn speed(value: &str) -> Result<Command, String> {
    if value == "max" {
        return Ok(Command::Speed(None));
    }
    let rate = value.parse().ok().and_then(NonZeroU64::new).ok_or_else(|| {
        format!(
            "`speed` is a whole number of bytes per second from 1 on, or max, not `{}`",
            short(value)
        )
    })?;
    Ok(Command::Speed(Some(rate)))
}

fn say(value: &str) -> Result<Command, String> {
    let wrong = || "`say` takes pairs of hexadecimal digits; write `say 1B40`".to_owned();
    let digits = value.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| {
        char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or_else(wrong)
    });
    let digits = digits.collect::<Result<Vec<u8>, String>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return Err(wrong());
    }
    Ok(Command::Say(pairs.iter().map(|[high, low]| high << 4 | low).collect()))
}

fn garbage(value: &str) -> Result<Command, String> {
    match value.parse() {
        Ok(count @ 1..=SIM_BACK_BYTES) => Ok(Command::Garbage(count)),
        _ => Err(format!(
            "`garbage` takes a number of bytes from 1 to {SIM_BACK_BYTES}, not `{}`",
            short(value)
        )),
    }
}

fn toner(value: &str) -> Result<Command, String> {
    match value.parse() {
        Ok(percent @ 0..=100) => Ok(Command::Toner(percent)),
        _ => Err(format!("`toner` takes a percentage from 0 to 100, not `{}`", short(value))),
    }
}

/// Enough of a word to recognize it by.
fn short(word: &str) -> String {
    word.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn golden() {
        let cases = [
            ("paper-out on", Command::Sense(Sensor::PaperOut, true)),
            (" cover-open\toff\r", Command::Sense(Sensor::CoverOpen, false)),
            ("offline on", Command::Sense(Sensor::Offline, true)),
            ("broken on", Command::Sense(Sensor::Broken, true)),
            ("toner 7", Command::Toner(7)),
            ("stall on", Command::Stall(true)),
            ("speed 1200", Command::Speed(NonZeroU64::new(1200))),
            ("speed max", Command::Speed(None)),
            ("say 1B40", Command::Say(vec![0x1b, 0x40])),
            ("say 1b 40", Command::Say(vec![0x1b, 0x40])),
            ("garbage 5", Command::Garbage(5)),
            ("xoff", Command::Xoff),
            ("xon", Command::Xon),
            ("unplug", Command::Unplug),
            ("hang-up", Command::Unplug),
            ("plug", Command::Plug),
            ("received", Command::Received),
            ("state", Command::State),
            ("reset", Command::Reset),
        ];
        for (line, command) in cases {
            assert_eq!(parse(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn a_wrong_line_is_told_what_would_be_right() {
        let cases = [
            ("", "is no command"),
            ("paper-out", "write `paper-out on`"),
            ("paper-out maybe", "not `maybe`"),
            ("Stall on", "is no command"),
            ("speed 0", "from 1 on, or max"),
            ("speed -5", "not `-5`"),
            ("say", "write `say 1B40`"),
            ("say 1", "pairs"),
            ("say 1G", "hexadecimal"),
            ("say é", "hexadecimal"),
            ("toner 101", "from 0 to 100"),
            ("garbage 0", "from 1 to 65536"),
            ("garbage 65537", "not `65537`"),
            ("reset now", "takes no value"),
        ];
        for (line, hint) in cases {
            let error = parse(line).unwrap_err();
            assert!(error.contains(hint), "{line}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_answered_in_a_bounded_way(line in "\\PC{0,200}") {
            match parse(&line) {
                Ok(_) => {}
                Err(error) => prop_assert!(error.len() < 600),
            }
        }
    }
}
