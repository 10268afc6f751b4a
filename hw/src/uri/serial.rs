//! `serial:/dev/ttyS0?baud=9600+bits=8+parity=none+flow=none+stop=1`.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;

use super::local_path;
use super::options::Options;
use super::scan::{Fault, Part, encode_path};

const KNOWN: &[&str] = &["baud", "bits", "parity", "flow", "stop"];
const BAUD: &str = "write baud=9600, baud=115200 or whatever the printer is set to";
const PARITY: &str = "write parity=none, parity=even, parity=odd, parity=mark or parity=space";
const FLOW: &str = "write flow=none, flow=soft (XON/XOFF), flow=hard (RTS/CTS) or flow=dtrdsr";
const EXAMPLE: &str = "serial:/dev/ttyS0?baud=9600+bits=8+parity=none+flow=none";

/// A serial port and its settings. What the URI leaves out is 9600 baud, 8 bits, no parity, no flow control, one stop bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialUri {
    /// The device node.
    pub path: PathBuf,
    /// Bits a second.
    pub baud: NonZeroU32,
    /// Bits of a character, 5 to 8.
    pub bits: DataBits,
    /// The parity bit.
    pub parity: Parity,
    /// Who stops whom, and how.
    pub flow: Flow,
    /// Stop bits.
    pub stop: StopBits,
}

/// Bits of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataBits {
    /// 5.
    Five,
    /// 6.
    Six,
    /// 7.
    Seven,
    /// 8.
    Eight,
}

/// The parity bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// There is none.
    None,
    /// Makes the number of ones even.
    Even,
    /// Makes the number of ones odd.
    Odd,
    /// Always one.
    Mark,
    /// Always zero.
    Space,
}

/// Flow control: how the printer stops us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It cannot.
    None,
    /// XON/XOFF.
    Soft,
    /// RTS/CTS.
    Hard,
    /// DTR/DSR: the printer's DTR is our DSR.
    DtrDsr,
}

/// Stop bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopBits {
    /// One.
    One,
    /// Two (one and a half with 5 data bits, as UARTs have it).
    Two,
}

impl SerialUri {
    /// A port at the defaults: 9600 baud, 8 bits, no parity, no flow control, one stop bit.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            baud: NonZeroU32::MIN.saturating_add(9600 - 1),
            bits: DataBits::Eight,
            parity: Parity::None,
            flow: Flow::None,
            stop: StopBits::One,
        }
    }

    /// Bits on the wire for one character: start, data, parity and stop bits.
    pub fn bits_a_character(&self) -> u32 {
        let parity = u32::from(self.parity != Parity::None);
        1 + u32::from(self.bits.count()) + parity + if self.stop == StopBits::Two { 2 } else { 1 }
    }

    pub(super) fn parse(rest: Part<'_>) -> Result<Self, Fault> {
        let (path, query) = rest.cut(&['?']);
        let options = Options::parse(query, &['+', '&'], KNOWN)?;
        let mut uri = Self::new(local_path(path, EXAMPLE)?);
        if let Some(baud) = options.find("baud") {
            uri.baud = NonZeroU32::new(baud.number(1..=u32::MAX, BAUD)?).unwrap_or(uri.baud);
        }
        if let Some(bits) = options.find("bits") {
            uri.bits = bits.word(&DataBits::WORDS, "write bits=5, bits=6, bits=7 or bits=8")?;
        }
        if let Some(parity) = options.find("parity") {
            uri.parity = parity.word(&Parity::WORDS, PARITY)?;
        }
        if let Some(flow) = options.find("flow") {
            uri.flow = flow.word(&Flow::WORDS, FLOW)?;
        }
        if let Some(stop) = options.find("stop") {
            uri.stop = stop.word(&StopBits::WORDS, "write stop=1 or stop=2")?;
        }
        Ok(uri)
    }
}

impl fmt::Display for SerialUri {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("serial:")?;
        encode_path(out, &self.path)?;
        let bits = self.bits.count();
        let stop = if self.stop == StopBits::Two { 2 } else { 1 };
        let (parity, flow) = (self.parity.word(), self.flow.word());
        write!(out, "?baud={}+bits={bits}+parity={parity}+flow={flow}+stop={stop}", self.baud)
    }
}

impl DataBits {
    const WORDS: [(&str, Self); 4] =
        [("5", Self::Five), ("6", Self::Six), ("7", Self::Seven), ("8", Self::Eight)];

    /// The number.
    pub fn count(self) -> u8 {
        match self {
            Self::Five => 5,
            Self::Six => 6,
            Self::Seven => 7,
            Self::Eight => 8,
        }
    }
}

impl Parity {
    const WORDS: [(&str, Self); 5] = [
        ("none", Self::None),
        ("even", Self::Even),
        ("odd", Self::Odd),
        ("mark", Self::Mark),
        ("space", Self::Space),
    ];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|&&(_, meaning)| meaning == self).map_or("none", |&(word, _)| word)
    }
}

impl Flow {
    /// Contract words first (they are what is written), then what CUPS users paste.
    const WORDS: [(&str, Self); 6] = [
        ("none", Self::None),
        ("soft", Self::Soft),
        ("hard", Self::Hard),
        ("dtrdsr", Self::DtrDsr),
        ("rtscts", Self::Hard),
        ("xonxoff", Self::Soft),
    ];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|&&(_, meaning)| meaning == self).map_or("none", |&(word, _)| word)
    }
}

impl StopBits {
    const WORDS: [(&str, Self); 2] = [("1", Self::One), ("2", Self::Two)];
}
