//! Sizes, durations, times of day and names, as people write them.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::limits::{DOMAIN_BYTES, PRINTER_NAME_BYTES};

/// A number of bytes: `4096`, `512MiB`, `4 GiB`, `1GB`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 9] = [
        ("", 1),
        ("b", 1),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
        ("tib", 1 << 40),
        ("kb", 1000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
    ];
    scaled(text, &UNITS)
        .ok_or_else(|| format!("\"{text}\" is not a size; write it like \"512MiB\" or \"4GiB\""))
}

/// A duration: `60s`, `250ms`, `5 min`, `24h`, `7d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 6] = [
        ("ms", 1),
        ("s", 1000),
        ("min", 60_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
    ];
    scaled(text, &UNITS).map(Duration::from_millis).ok_or_else(|| {
        format!("\"{text}\" is not a duration; write it like \"60s\", \"5min\" or \"24h\"")
    })
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = unit.trim().to_ascii_lowercase();
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*scale)
}

/// A share in percent: `10`, `10%`.
pub(crate) fn percent(text: &str) -> Result<u8, String> {
    let number = text.trim().trim_end_matches('%').trim_end();
    number
        .parse()
        .ok()
        .filter(|percent| *percent <= 100)
        .ok_or_else(|| format!("\"{text}\" is not a share from 0% to 100%"))
}

/// A duration that somebody waits for: not 0.
pub(crate) fn patience(text: &str) -> Result<Duration, String> {
    let refused = || format!("\"{text}\" leaves no time at all; write at least \"1s\"");
    duration(text).and_then(|wait| if wait.is_zero() { Err(refused()) } else { Ok(wait) })
}

/// A part of each day, in minutes since midnight, local time. It may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// First minute.
    pub from: u16,
    /// The minute after the last.
    pub to: u16,
}

impl Hours {
    /// True for a minute of the day inside.
    pub fn contains(self, minute: u16) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        write!(f, "{}-{}", clock(self.from), clock(self.to))
    }
}

/// A part of each day: `08:00-18:30`, `22:00-06:00`.
pub(crate) fn hours(text: &str) -> Result<Hours, String> {
    let read = || {
        let (from, to) = text.split_once('-')?;
        Some(Hours { from: clock(from.trim())?, to: clock(to.trim())? })
    };
    read().filter(|hours| hours.from != hours.to).ok_or_else(|| {
        format!("\"{text}\" is not a part of the day; write it like \"08:00-18:30\"")
    })
}

/// A time of day, in minutes since midnight: `18:30`.
pub(crate) fn clock(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let hour: u16 = hour.parse().ok().filter(|hour| *hour <= 24)?;
    let minute: u16 = minute.parse().ok().filter(|minute| *minute <= 59)?;
    let minutes = hour.checked_mul(60)?.checked_add(minute)?;
    (minutes <= 24 * 60).then_some(minutes)
}

/// A printer's name: what fits into an IPP URI, a [MS-PAN] name `\\server\printer` and a command line.
pub(crate) fn printer_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > PRINTER_NAME_BYTES {
        return Err(format!("a name has 1 to {PRINTER_NAME_BYTES} bytes"));
    }
    let bad = |c: char| c.is_whitespace() || c.is_control() || "/\\,#?\"'<>".contains(c);
    match text.chars().find(|c| bad(*c)) {
        Some(c) => Err(format!(
            "\"{text}\" holds {c:?}; a name has no spaces and none of / \\ , # ? \" ' < >"
        )),
        None if text.starts_with('-') => {
            Err(format!("\"{text}\" begins with `-`; begin with a letter or a digit"))
        }
        None => Ok(text.to_owned()),
    }
}

/// A domain's name as NTLM shows it (NetBIOS: 15 bytes).
pub(crate) fn domain(text: &str) -> Result<String, String> {
    let bad = |c: char| c.is_control() || c.is_whitespace() || "\\/:*?\"<>|".contains(c);
    if text.is_empty() || text.len() > DOMAIN_BYTES || text.contains(bad) {
        return Err(format!(
            "\"{text}\" is not a domain; write 1 to {DOMAIN_BYTES} letters and digits, like \"WORKGROUP\""
        ));
    }
    Ok(text.to_owned())
}

/// An address and a port.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("\"{text}\" is not an address and a port; write it like \"127.0.0.1:631\" or \"[::1]:631\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations() {
        for (text, expected) in [
            ("0", 0),
            ("4096", 4096),
            ("512MiB", 512 << 20),
            ("4 gib", 4 << 30),
            ("1GB", 1_000_000_000),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "MiB", "-1", "1.5GiB", "99999999999GiB", "4 GiB more"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        for (text, ms) in [
            ("250ms", 250),
            ("60s", 60_000),
            ("5 min", 300_000),
            ("24h", 86_400_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        assert!(duration("60").is_err(), "a duration without a unit is a guess");
    }

    #[test]
    fn parts_of_the_day() {
        let day = hours("08:00-18:30").unwrap();
        assert!(
            day.contains(480) && day.contains(1109) && !day.contains(479) && !day.contains(1110)
        );
        let night = hours("22:00-06:00").unwrap();
        assert!(night.contains(1320) && night.contains(0) && !night.contains(360));
        for text in ["8-18", "08:00", "08:60-09:00", "25:00-26:00", "08:00-08:00"] {
            assert!(hours(text).is_err(), "{text}");
        }
        assert_eq!(night.to_string(), "22:00-06:00");
    }

    #[test]
    fn names() {
        for good in ["label", "Lager-2.ZD420", "büro"] {
            assert!(printer_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "a\\b", "a,b", "-a", "a\n"] {
            assert!(printer_name(bad).is_err(), "{bad:?}");
        }
    }
}
