//! Printers that need to be treated differently: a table, which the configuration can overrule.
//!
//! The first entries are what is publicly known: those of Linux's `usblp` driver, which two decades of users have put
//! together. A line of the configuration is `VVVV:PPPP WORD,WORD`, both numbers in hexadecimal, `*` for any product; with no
//! word it takes the table's own entry back.

use std::fmt;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

/// What is different about a printer. All false: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ways {
    /// `one-way`: it says that it talks back, but reading from it upsets it.
    pub(crate) one_way: bool,
    /// `any-class`: its interface does not call itself a printer.
    pub(crate) any_class: bool,
    /// `no-set-interface`: it stops working when an alternate setting is chosen.
    pub(crate) no_set_interface: bool,
    /// `reset-first`: it works only after a bus reset.
    pub(crate) reset_first: bool,
    /// `no-status`: it must not be asked for its port status.
    pub(crate) no_status: bool,
    /// `no-soft-reset`: it must not be reset by the class's request.
    pub(crate) no_soft_reset: bool,
}

/// An entry of the table.
struct Known {
    vendor: u16,
    product: u16,
    what: &'static str,
    /// Which device, or why.
    _why: &'static str,
}

const fn known(vendor: u16, product: u16, what: &'static str, why: &'static str) -> Known {
    Known { vendor, product, what, _why: why }
}

/// Linux `drivers/usb/class/usblp.c`, `quirk_printers`, as of 6.12, in our words.
const TABLE: [Known; 17] = [
    known(
        0x03F0,
        0x0004,
        "one-way",
        "HP DeskJet 895C: mixes status into data when asked with full buffers",
    ),
    known(0x03F0, 0x0104, "one-way", "HP DeskJet 880C: the same"),
    known(0x03F0, 0x0204, "one-way", "HP DeskJet 815C: the same"),
    known(0x03F0, 0x0304, "one-way", "HP DeskJet 810C and 812C: the same"),
    known(0x03F0, 0x0404, "one-way", "HP DeskJet 830C: the same"),
    known(0x03F0, 0x0504, "one-way", "HP DeskJet 885C: the same"),
    known(0x03F0, 0x0604, "one-way", "HP DeskJet 840C: the same"),
    known(0x03F0, 0x0804, "one-way", "HP DeskJet 816C: the same"),
    known(0x03F0, 0x1104, "one-way", "HP Deskjet 959C: the same"),
    known(0x0409, 0xEFBE, "one-way", "NEC Picty900, made by HP"),
    known(0x0409, 0xBEF4, "one-way", "NEC Picty760, made by HP"),
    known(0x0409, 0xF0BE, "one-way", "NEC Picty920, made by HP"),
    known(0x0409, 0xF1BE, "one-way", "NEC Picty800, made by HP"),
    known(0x0482, 0x0010, "one-way", "Kyocera Mita FS 820"),
    known(0x04F9, 0x000D, "one-way", "Brother HL-1440"),
    known(0x04B8, 0x0202, "any-class", "Epson receipt printer M129C: a vendor's class"),
    known(
        0x0416,
        0x5011,
        "no-set-interface",
        "Winbond's chip in many receipt printers: stops answering",
    ),
];

/// Says how printers of some make are to be treated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quirk {
    vendor: u16,
    /// `None`: all of this vendor.
    product: Option<u16>,
    ways: Ways,
}

/// A line that is no quirk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no quirk; write VENDOR:PRODUCT in hexadecimal, then of one-way, any-class, no-set-interface, reset-first, no-status, no-soft-reset those that are true, such as `04b8:0e15 no-status,no-soft-reset`"
)]
pub struct QuirkError(String);

impl FromStr for Quirk {
    type Err = QuirkError;

    fn from_str(line: &str) -> Result<Self, QuirkError> {
        let wrong = || QuirkError(line.chars().take(80).collect());
        let (ids, words) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        let (vendor, product) = ids.split_once(':').ok_or_else(wrong)?;
        let number = |digits: &str| {
            let hex =
                (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
            hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
        };
        let vendor = number(vendor).ok_or_else(wrong)?;
        let product = match product {
            "*" => None,
            digits => Some(number(digits).ok_or_else(wrong)?),
        };
        let ways = ways(words).ok_or_else(wrong)?;
        Ok(Self { vendor, product, ways })
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04x}:", self.vendor)?;
        match self.product {
            Some(product) => write!(out, "{product:04x}")?,
            None => out.write_str("*")?,
        }
        let mut ways = self.ways;
        let mut separator = " ";
        for word in WORDS {
            if *way(&mut ways, word).unwrap_or(&mut false) {
                write!(out, "{separator}{word}")?;
                separator = ",";
            }
        }
        Ok(())
    }
}

const WORDS: [&str; 6] =
    ["one-way", "any-class", "no-set-interface", "reset-first", "no-status", "no-soft-reset"];

fn way<'a>(ways: &'a mut Ways, word: &str) -> Option<&'a mut bool> {
    Some(match word {
        "one-way" => &mut ways.one_way,
        "any-class" => &mut ways.any_class,
        "no-set-interface" => &mut ways.no_set_interface,
        "reset-first" => &mut ways.reset_first,
        "no-status" => &mut ways.no_status,
        "no-soft-reset" => &mut ways.no_soft_reset,
        _ => return None,
    })
}

fn ways(words: &str) -> Option<Ways> {
    let mut ways = Ways::default();
    for word in words.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()) {
        *way(&mut ways, word)? = true;
    }
    Some(ways)
}

static CONFIGURED: RwLock<Vec<Quirk>> = RwLock::new(Vec::new());

/// The quirks of the configuration: they overrule the table, for printers that are opened from now on.
pub fn set_quirks(quirks: Vec<Quirk>) {
    *CONFIGURED.write().unwrap_or_else(PoisonError::into_inner) = quirks;
}

/// How a printer is to be treated.
pub(crate) fn of(vendor: u16, product: u16) -> Ways {
    let configured = CONFIGURED.read().unwrap_or_else(PoisonError::into_inner);
    let overruled = lookup(&configured, vendor, product);
    overruled.or_else(|| from_table(vendor, product)).unwrap_or_default()
}

/// What the last line that fits says; one that names the product goes before one that does not.
fn lookup(quirks: &[Quirk], vendor: u16, product: u16) -> Option<Ways> {
    let fitting = |exact: bool| {
        let wanted = exact.then_some(product);
        quirks.iter().rev().find(move |it| it.vendor == vendor && it.product == wanted)
    };
    fitting(true).or_else(|| fitting(false)).map(|quirk| quirk.ways)
}

fn from_table(vendor: u16, product: u16) -> Option<Ways> {
    let entry = TABLE.iter().find(|it| (it.vendor, it.product) == (vendor, product))?;
    ways(entry.what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_table_is_understood() {
        for entry in &TABLE {
            let ways = from_table(entry.vendor, entry.product).unwrap();
            assert_ne!(ways, Ways::default(), "{}", entry._why);
        }
        assert!(from_table(0x0416, 0x5011).unwrap().no_set_interface);
        assert_eq!(from_table(0x1209, 1), None);
    }

    #[test]
    fn lines_both_ways() {
        for line in ["04b8:0e15 no-status,no-soft-reset", "03f0:0004", "0a5f:* one-way"] {
            assert_eq!(line.parse::<Quirk>().unwrap().to_string(), line);
        }
        let loose: Quirk = " 4B8:E15  reset-first, any-class ".parse().unwrap();
        assert_eq!(loose.to_string(), "04b8:0e15 any-class,reset-first");
        for line in ["", "04b8", "04b8:", "g:1 one-way", "04b8:0e15 loud", "12345:1", "+1:2"] {
            assert!(line.parse::<Quirk>().is_err(), "{line}");
        }
    }

    #[test]
    fn the_nearest_and_last_line_counts() {
        let quirks: Vec<Quirk> = ["1:* one-way", "1:2 no-status", "1:2", "3:* any-class"]
            .iter()
            .map(|line| line.parse().unwrap())
            .collect();
        assert_eq!(lookup(&quirks, 1, 2), Some(Ways::default()), "taken back");
        assert!(lookup(&quirks, 1, 9).unwrap().one_way);
        assert_eq!(lookup(&quirks, 4, 4), None);
    }
}
