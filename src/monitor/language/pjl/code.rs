//! PJL status codes and what they mean for a printer's state (PJL Technical Reference Manual 7-34 and appendix D; codes of
//! later printers as HPLIP's `base/status.py` and Lexmark's Technical Reference, tables 3-12 to 3-14, give them).
//!
//! | family | about | stops printing |
//! | --- | --- | --- |
//! | 10xxx | information | no |
//! | 11xyy, 12xyy | a tray is empty, open; another is used | no |
//! | 15xxy | output bins | where the printer is off line |
//! | 20xxx, 25xxx, 27xxx, 32xxx | somebody's PJL commands and files | not about the device |
//! | 30xxx, 35xxx | what goes on by itself, or may need a person | where the printer is off line |
//! | 40xxx | a person is needed | yes |
//! | 41xyy | paper is needed | yes |
//! | 42xyy, 44xyy | jams | yes |
//! | 43xyy | optional devices | yes |
//! | 50xxx, 55xxx | hardware, personalities | yes |

use crate::monitor::language::Reason;

/// The device is off line for a reason of its own.
pub(super) const OFFLINE: Reason = Reason::stops("offline");

/// False for codes that are about commands.
pub(super) fn is_of_device(code: u32) -> bool {
    !matches!(code, 20_000..=29_999 | 32_000..=32_999)
}

/// The reason that a code stands for; `None` where all is well.
pub(super) fn reason(code: u32, online: bool) -> Option<Reason> {
    let stops = Reason::stops;
    let depends = |keyword| Reason { keyword, stops: !online };
    Some(match code {
        10_000..=10_999 => return information(code),
        11_000..=11_999 => Reason::warns("media-empty"),
        12_000..=12_999 => Reason::warns("input-tray-missing"),
        15_000..=15_999 => depends("output-area-full"),
        30_016 => depends("interpreter-resource-unavailable"),
        30_119 => stops("media-jam"),
        35_078 => return None,
        30_000..=30_999 | 35_000..=35_999 => depends("other"),
        40_000..=40_999 => return attendance(code, online),
        41_000..=41_999 => stops("media-empty"),
        42_000..=42_999 | 44_000..=44_999 => stops("media-jam"),
        43_000..=43_999 => stops("subunit-recoverable-failure"),
        50_000..=50_999 | 55_000..=55_999 => stops("subunit-unrecoverable-failure"),
        _ => depends("other"),
    })
}

/// 10xxx: ready, busy, and what should be ordered soon.
fn information(code: u32) -> Option<Reason> {
    let keyword = match code {
        10_002 | 10_011 => return Some(OFFLINE),
        10_027 => return Some(Reason::stops("media-jam")),
        10_006 | 10_200..=10_203 | 10_209..=10_212 | 10_218 => "toner-low",
        10_300..=10_303 | 10_309..=10_312 | 10_318 => "toner-empty",
        10_204..=10_208 => "opc-near-eol",
        10_304..=10_308 => "opc-life-over",
        10_024 | 10_025 | 10_033 | 10_213..=10_217 | 10_313..=10_317 | 10_402 => "other",
        _ => return None,
    };
    Some(Reason::warns(keyword))
}

/// 40xxx: a person is needed.
fn attendance(code: u32, online: bool) -> Option<Reason> {
    let keyword = match code {
        // Asleep.
        40_000 => return None,
        40_079 => return Some(OFFLINE),
        // Said on line too, as a reminder.
        40_038 => return Some(Reason { keyword: "toner-low", stops: !online }),
        40_010 | 40_046 | 40_600..=40_699 => "marker-supply-missing",
        40_039 => "toner-empty",
        40_019 => "output-area-full",
        40_021 | 40_096 => "cover-open",
        40_022 => "media-jam",
        40_026..=40_028 | 40_128 => "input-tray-missing",
        40_029 => "output-tray-missing",
        40_050..=40_059 => "subunit-unrecoverable-failure",
        _ => "other",
    };
    Some(Reason::stops(keyword))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_and_the_codes_that_differ() {
        let shown = |code, online| {
            reason(code, online)
                .map(|reason| format!("{}{}", reason.keyword, ["", "!"][usize::from(reason.stops)]))
        };
        let cases = [
            (10_001, None),
            (10_003, None),
            (10_023, None),
            (10_002, Some("offline!")),
            (10_006, Some("toner-low")),
            (10_205, Some("opc-near-eol")),
            (10_301, Some("toner-empty")),
            (11_201, Some("media-empty")),
            (12_202, Some("input-tray-missing")),
            (15_011, Some("output-area-full")),
            (30_016, Some("interpreter-resource-unavailable")),
            (30_119, Some("media-jam!")),
            (35_078, None),
            (35_029, Some("other")),
            (40_000, None),
            (40_010, Some("marker-supply-missing!")),
            (40_019, Some("output-area-full!")),
            (40_021, Some("cover-open!")),
            (40_022, Some("media-jam!")),
            (40_038, Some("toner-low")),
            (40_048, Some("other!")),
            (40_051, Some("subunit-unrecoverable-failure!")),
            (40_600, Some("marker-supply-missing!")),
            (41_213, Some("media-empty!")),
            (42_202, Some("media-jam!")),
            (43_001, Some("subunit-recoverable-failure!")),
            (44_110, Some("media-jam!")),
            (50_000, Some("subunit-unrecoverable-failure!")),
            (99_999, Some("other")),
        ];
        for (code, expected) in cases {
            assert_eq!(shown(code, true).as_deref(), expected, "{code}");
        }
        for (code, expected) in [
            (15_011, "output-area-full!"),
            (30_016, "interpreter-resource-unavailable!"),
            (40_038, "toner-low!"),
        ] {
            assert_eq!(shown(code, false).as_deref(), Some(expected), "{code}, off line");
        }
        assert!(!is_of_device(20_001) && !is_of_device(32_000) && is_of_device(30_016));
    }
}
