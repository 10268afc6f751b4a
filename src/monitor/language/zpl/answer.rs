//! What a ZPL printer answers (ZPL II Programming Guide: `~HS`, `~HQ`, `~HI`, and SGD's `getvar`).
//!
//! ```text
//!   ~HS     STX aaa,b,c,dddd,eee,f,g,h,iii,j,k,l ETX CR LF      12 fields
//!           STX mmm,n,o,p,q,r,s,t,uuuuuuuu,v,www ETX CR LF      11 fields
//!           STX xxxx,y ETX CR LF                                 2 fields
//!   ~HQES   STX … ERRORS: a bbbbbbbb cccccccc … WARNINGS: a bbbbbbbb cccccccc … ETX
//!   ~HI     STX model,Vversion,dots per mm,memory … ETX
//!   getvar  "value"
//! ```
//!
//! Whatever stands between is not for us. The invariant: at most [`ZPL_ANSWER_BYTES`] of an unfinished answer are kept; a
//! longer one is none.

use crate::limits::ZPL_ANSWER_BYTES;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;

/// An answer, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The first string of `~HS`.
    Line(Line),
    /// The second.
    Print(Print),
    /// The third.
    Memory,
    /// `~HQES`.
    Flags(Flags),
    /// `~HI`.
    Identity(Identity),
    /// What a `getvar` asked for.
    Value(String),
}

/// The first string of `~HS`, as far as it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) media_out: bool,
    pub(super) paused: bool,
    /// Formats in the receive buffer.
    pub(super) formats: u32,
    /// A format is half there.
    pub(super) partial: bool,
    pub(super) too_cold: bool,
    pub(super) too_hot: bool,
}

/// The second string of `~HS`, as far as it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Print {
    pub(super) head_open: bool,
    pub(super) ribbon_out: bool,
    /// A label waits to be taken off.
    pub(super) label_waiting: bool,
    /// Labels of the batch that are still to be printed.
    pub(super) labels_left: u32,
}

/// The first group of each flag word of `~HQES`; `None`: the printer says that there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) errors: Option<u32>,
    pub(super) warnings: Option<u32>,
}

/// What a printer calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Model and version.
    pub(super) name: String,
    /// It knows SGD ("firmware x.14 or later").
    pub(super) knows_sgd: bool,
}

/// Cuts the back channel into answers.
#[derive(Debug, Default)]
pub(super) struct Answers {
    state: State,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    /// From STX to ETX.
    Frame,
    /// Between quotation marks.
    Value,
}

impl Answers {
    /// Takes the next byte; what it completes.
    pub(super) fn take(&mut self, byte: u8) -> Option<Answer> {
        match (self.state, byte) {
            (_, STX) => self.enter(State::Frame),
            (State::Frame, ETX) => return parse(&self.leave()),
            (State::Between, b'"') => self.enter(State::Value),
            (State::Value, b'"') => {
                return Some(Answer::Value(String::from_utf8_lossy(&self.leave()).into_owned()));
            }
            // A value is one line.
            (State::Value, b'\r' | b'\n') => drop(self.leave()),
            // XON and XOFF stand anywhere.
            (State::Between, _) | (_, 0x11 | 0x13) => {}
            (State::Frame | State::Value, _) if self.bytes.len() >= ZPL_ANSWER_BYTES => {
                drop(self.leave());
            }
            (State::Frame | State::Value, byte) => self.bytes.push(byte),
        }
        None
    }

    fn enter(&mut self, state: State) {
        self.bytes.clear();
        self.state = state;
    }

    fn leave(&mut self) -> Vec<u8> {
        self.state = State::Between;
        std::mem::take(&mut self.bytes)
    }
}

/// What stood between STX and ETX.
fn parse(frame: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(frame);
    if text.contains("ERRORS:") {
        return flags(&text).map(Answer::Flags);
    }
    let fields: Vec<&str> = text.split(',').map(str::trim).collect();
    match fields[..] {
        [_, media, pause, _, formats, _, _, partial, _, _, cold, hot] => Some(Answer::Line(Line {
            media_out: flag(media)?,
            paused: flag(pause)?,
            formats: formats.parse().ok()?,
            partial: flag(partial)?,
            too_cold: flag(cold)?,
            too_hot: flag(hot)?,
        })),
        [_, _, head, ribbon, _, _, _, waiting, left, _, _] => Some(Answer::Print(Print {
            head_open: flag(head)?,
            ribbon_out: flag(ribbon)?,
            label_waiting: flag(waiting)?,
            labels_left: left.parse().ok()?,
        })),
        [password, ram] => {
            (password.parse::<u32>().is_ok() && flag(ram).is_some()).then_some(Answer::Memory)
        }
        [model, version, _, _, ..] => identity(model, version).map(Answer::Identity),
        _ => None,
    }
}

fn flag(field: &str) -> Option<bool> {
    match field {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

fn flags(text: &str) -> Option<Flags> {
    let group = |word: &str| {
        let mut words = text.split_whitespace().skip_while(|it| *it != word).skip(1);
        let present = flag(words.next()?)?;
        let bits = u32::from_str_radix(words.nth(1)?, 16).ok()?;
        Some(present.then_some(bits))
    };
    Some(Flags { errors: group("ERRORS:")?, warnings: group("WARNINGS:").flatten() })
}

fn identity(model: &str, version: &str) -> Option<Identity> {
    let (_, minor) = version.strip_prefix('V')?.split_once('.')?;
    let minor: u32 = minor.split('.').next()?.parse().ok()?;
    (!model.is_empty())
        .then(|| Identity { name: format!("{model} {version}"), knows_sgd: minor >= 14 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(bytes: &[u8]) -> Vec<Answer> {
        let mut answers = Answers::default();
        bytes.iter().filter_map(|byte| answers.take(*byte)).collect()
    }

    #[test]
    fn host_status_golden() {
        let fine = b"\x02030,0,0,1218,000,0,0,0,000,0,0,0\x03\r\n\
            \x02000,0,0,0,0,2,6,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n";
        assert_eq!(
            answers(fine),
            [Answer::Line(Line::default()), Answer::Print(Print::default()), Answer::Memory]
        );
        let all = b"\x02014,1,1,0937,003,1,0,1,000,0,1,1\x03\r\n\
            \x02001,0,1,1,1,2,4,1,00000017,1,000\x03\r\n\x020000,1\x03\r\n";
        let line = Line {
            media_out: true,
            paused: true,
            formats: 3,
            partial: true,
            too_cold: true,
            too_hot: true,
        };
        let print =
            Print { head_open: true, ribbon_out: true, label_waiting: true, labels_left: 17 };
        assert_eq!(answers(all), [Answer::Line(line), Answer::Print(print), Answer::Memory]);
    }

    #[test]
    fn errors_golden() {
        let answer = b"\x02\r\n\r\n  PRINTER STATUS                             \r\n   ERRORS:         1 00000000 00010005\r\n   WARNINGS:       1 00000000 00000002\r\n\x03";
        let flags = Flags { errors: Some(0x1_0005), warnings: Some(2) };
        assert_eq!(answers(answer), [Answer::Flags(flags)]);
        let fine = b"\x02\r\nPRINTER STATUS\r\nERRORS: 0 00000000 00000000\r\nWARNINGS: 0 00000000 00000000\r\n\x03";
        assert_eq!(answers(fine), [Answer::Flags(Flags::default())]);
    }

    #[test]
    fn identities_and_values_golden() {
        let identity =
            |name: &str, knows_sgd| Answer::Identity(Identity { name: name.into(), knows_sgd });
        assert_eq!(
            answers(b"\x02ZD420-203dpi,V84.20.18Z,8,8176KB,X\x03\r\n\"1234\"\r\n\"?\""),
            [
                identity("ZD420-203dpi V84.20.18Z", true),
                Answer::Value("1234".into()),
                Answer::Value("?".into())
            ]
        );
        assert_eq!(
            answers(b"\x02LP2844-Z,V45.11.7Z,8,1024KB,\x03"),
            [identity("LP2844-Z V45.11.7Z", false)]
        );
    }

    #[test]
    fn what_is_none_of_these_is_nothing() {
        for garbage in [
            &b"\x02\x03\x02,\x03\x02a,b\x03\x0212,2\x03"[..],
            b"\x02030,0,0,1218,x,0,0,0,000,0,0,0\x03",
            b"\x02030,2,0,1218,000,0,0,0,000,0,0,0\x03",
            b"\x02ERRORS: 1 00000000\x03\x02ERRORS: 1 0 xyz\x03",
            b"\x02a,b,c,d\x03\x02,V1.2,c,d\x03",
            b"\"no end\r\n",
        ] {
            assert_eq!(answers(garbage), [], "{}", garbage.escape_ascii());
        }
        let long = [&b"\x02"[..], &[b'1'; ZPL_ANSWER_BYTES + 1], b",0\x03\x021234,0\x03"].concat();
        assert_eq!(answers(&long), [Answer::Memory]);
        assert_eq!(answers(b"\x0212\x0234,0\x03"), [Answer::Memory], "cut off, and begun anew");
        assert_eq!(answers(b"\x021\x1323\x11,1\x03"), [Answer::Memory]);
    }
}
