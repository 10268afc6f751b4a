//! `sim:LANGUAGE?control=/path/sock`: a simulated printer inside the server.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::options::Options;
use super::scan::{Fault, Part, encode};

const EXAMPLE: &str = "write sim:plain, sim:pjl, sim:escpos, sim:zpl or sim:ieee1284.4";

/// A simulated printer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimUri {
    /// What it speaks.
    pub language: SimLanguage,
    /// Where its control socket (Unix stream) is made; `None`: it has none.
    pub control: Option<PathBuf>,
}

/// What a simulated printer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SimLanguage {
    /// Nothing: it takes bytes.
    Plain,
    /// HP PJL, with USTATUS.
    Pjl,
    /// Epson ESC/POS, with automatic status back.
    Escpos,
    /// Zebra ZPL, with host status.
    Zpl,
    /// IEEE 1284.4 packets, with PJL within.
    Ieee1284_4,
}

impl SimLanguage {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Plain, Self::Pjl, Self::Escpos, Self::Zpl, Self::Ieee1284_4];

    const WORDS: [(&str, Self); 5] = [
        ("plain", Self::Plain),
        ("pjl", Self::Pjl),
        ("escpos", Self::Escpos),
        ("zpl", Self::Zpl),
        ("ieee1284.4", Self::Ieee1284_4),
    ];

    /// The word that stands for it in a URI.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|&&(_, meaning)| meaning == self).map_or("plain", |&(word, _)| word)
    }
}

impl SimUri {
    pub(super) fn parse(rest: Part<'_>) -> Result<Self, Fault> {
        let (language, query) = rest.cut(&['?']);
        let found =
            SimLanguage::WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(language.text));
        let Some(&(_, meaning)) = found else {
            let part =
                if language.text.is_empty() { Part { text: "sim:", at: 0 } } else { language };
            return Err(part.fault("names no language that a simulated printer speaks", EXAMPLE));
        };
        let options = Options::parse(query, &['&', '+'], &["control"])?;
        let control =
            options.find("control").map(|path| path.value.decoded_path("control=/run/sim.sock"));
        Ok(Self { language: meaning, control: control.transpose()? })
    }
}

impl fmt::Display for SimUri {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "sim:{}", self.language.word())?;
        let Some(control) = &self.control else { return Ok(()) };
        out.write_str("?control=")?;
        encode(out, control.as_os_str().as_bytes(), b"/")
    }
}
