//! What a PJL printer has left, as far as it tells: there is no standard form.
//!
//! Printers that tell at all answer `INFO SUPPLIES` with lines like `BLACK TONER=44%` or put `TONER=44` into their status
//! messages; most answer `"?"`. A line counts if its key names a supply (or a colour) and its value is a percentage.

use super::message::unquoted;
use crate::limits::{PJL_NAME_BYTES, PJL_SUPPLIES};
use crate::monitor::language::{Supply, SupplyKind};

/// A supply's level, as one line tells it.
pub(super) type Level = Supply;

/// All that the printer told of.
#[derive(Debug, Default)]
pub(super) struct Supplies(Vec<Supply>);

impl Supplies {
    /// Takes in levels; everything that is known, where something is new.
    pub(super) fn learn(&mut self, levels: Vec<Level>) -> Option<Vec<Supply>> {
        let mut news = false;
        for level in levels {
            match self.0.iter().position(|known| known.name == level.name) {
                Some(at) => {
                    if let Some(known) = self.0.get_mut(at).filter(|known| **known != level) {
                        *known = level;
                        news = true;
                    }
                }
                None if self.0.len() < PJL_SUPPLIES => {
                    self.0.push(level);
                    news = true;
                }
                None => {}
            }
        }
        news.then(|| self.0.clone())
    }
}

const KINDS: [(&str, SupplyKind); 10] = [
    ("WASTE", SupplyKind::WasteToner),
    ("DRUM", SupplyKind::Opc),
    ("OPC", SupplyKind::Opc),
    ("PHOTOCONDUCTOR", SupplyKind::Opc),
    ("FUSER", SupplyKind::Fuser),
    ("TRANSFER", SupplyKind::TransferUnit),
    ("BELT", SupplyKind::TransferUnit),
    ("INK", SupplyKind::Ink),
    ("TONER", SupplyKind::Toner),
    ("CARTRIDGE", SupplyKind::Toner),
];

const COLORS: [(&str, &str); 4] =
    [("BLACK", "#000000"), ("CYAN", "#00FFFF"), ("MAGENTA", "#FF00FF"), ("YELLOW", "#FFFF00")];

/// Reads one line of a message.
pub(super) fn read(line: &str) -> Option<Level> {
    let (name, value) = line.split_once('=')?;
    let name: String = unquoted(name.trim()).chars().take(PJL_NAME_BYTES).collect();
    let key = name.to_ascii_uppercase();
    let words: Vec<&str> =
        key.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is = |wanted: &str| words.contains(&wanted);
    let color = COLORS.iter().find(|(word, _)| is(word)).map(|(_, color)| *color);
    let kind = KINDS.iter().find(|(word, _)| is(word)).map(|(_, kind)| *kind);
    let kind = kind.or(color.map(|_| SupplyKind::Toner))?;
    let value = unquoted(value.trim());
    let percent = value.strip_suffix('%').unwrap_or(value).trim().parse().ok();
    let percent = percent.filter(|percent: &u8| *percent <= 100)?;
    Some(Supply { name, kind, color, percent: Some(percent) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_name_a_supply() {
        let shown = |line| read(line).map(|it| (it.name, it.kind, it.color, it.percent.unwrap()));
        let cases = [
            ("TONER=44", ("TONER", SupplyKind::Toner, None, 44)),
            ("Black Toner = \"7%\"", ("Black Toner", SupplyKind::Toner, Some("#000000"), 7)),
            ("CYAN=100", ("CYAN", SupplyKind::Toner, Some("#00FFFF"), 100)),
            ("DRUM_LIFE=0", ("DRUM_LIFE", SupplyKind::Opc, None, 0)),
            ("WASTE TONER BOX=12", ("WASTE TONER BOX", SupplyKind::WasteToner, None, 12)),
        ];
        for (line, (name, kind, color, percent)) in cases {
            assert_eq!(shown(line), Some((name.to_owned(), kind, color, percent)), "{line}");
        }
        for line in
            ["\"?\"", "CODE=10001", "TONER=LOW", "TONER=101", "TONERDENSITY=3", "=", "TONER=-1"]
        {
            assert_eq!(shown(line), None, "{line}");
        }
    }

    #[test]
    fn what_is_known_is_bounded_and_told_when_new() {
        let mut supplies = Supplies::default();
        let toner = |percent| read(&format!("TONER={percent}")).unwrap();
        assert_eq!(supplies.learn(vec![toner(44)]), Some(vec![toner(44)]));
        assert_eq!(supplies.learn(vec![toner(44)]), None);
        assert_eq!(supplies.learn(vec![toner(43)]), Some(vec![toner(43)]));
        let many = (0..1000).map(|n| read(&format!("TONER {n}=1")).unwrap()).collect();
        assert_eq!(supplies.learn(many).unwrap().len(), PJL_SUPPLIES);
    }
}
