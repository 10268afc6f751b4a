//! `dateTime`: the DateAndTime of RFC 2579, eleven octets (RFC 8010 §3.9, RFC 8011 §5.1.15).
//!
//! It is kept as it came, sense or nonsense; [`DateTime::unix_seconds`] says whether it names a moment.

use std::fmt;

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::Offset;

/// 0000-01-01T00:00:00Z, before which a `dateTime` cannot go.
const YEAR_0: i64 = -62_167_219_200;

/// A date and a time of day, at a distance from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// 0 to 65535
    pub year: u16,
    /// 1 to 12
    pub month: u8,
    /// 1 to 31
    pub day: u8,
    /// 0 to 23
    pub hour: u8,
    /// 0 to 59
    pub minute: u8,
    /// 0 to 60; 60 for a leap second
    pub second: u8,
    /// 0 to 9
    pub decisecond: u8,
    /// `b'+'` east of Greenwich, `b'-'` west of it
    pub direction: u8,
    /// Hours from UTC, 0 to 14
    pub utc_hours: u8,
    /// Minutes from UTC, 0 to 59
    pub utc_minutes: u8,
}

impl DateTime {
    /// The moment so many seconds after 1970-01-01T00:00:00Z, in UTC. What is before the year 0 or after 9999 becomes
    /// the first or the last moment between.
    pub fn utc(unix_seconds: i64) -> Self {
        let seconds = unix_seconds.clamp(YEAR_0, Timestamp::MAX.as_second());
        let moment = Timestamp::from_second(seconds).unwrap_or_default();
        let civil = Offset::UTC.to_datetime(moment);
        Self {
            year: civil.year().unsigned_abs(),
            month: civil.month().unsigned_abs(),
            day: civil.day().unsigned_abs(),
            hour: civil.hour().unsigned_abs(),
            minute: civil.minute().unsigned_abs(),
            second: civil.second().unsigned_abs(),
            decisecond: 0,
            direction: b'+',
            utc_hours: 0,
            utc_minutes: 0,
        }
    }

    /// Seconds after 1970-01-01T00:00:00Z, leaving out the deciseconds; `None` where the fields name no moment, or one
    /// after the year 9999. A leap second is the same as the second after it.
    pub fn unix_seconds(&self) -> Option<i64> {
        let small = |field: u8| i8::try_from(field).ok();
        let year = i16::try_from(self.year).ok()?;
        let date = civil::Date::new(year, small(self.month)?, small(self.day)?).ok()?;
        let time = civil::Time::new(small(self.hour)?, small(self.minute)?, 0, 0).ok()?;
        let in_range = self.second <= 60 && self.decisecond < 10 && self.utc_minutes < 60;
        let zone = i32::from(self.utc_hours) * 3600 + i32::from(self.utc_minutes) * 60;
        let zone = match self.direction {
            b'+' if self.utc_hours <= 14 => zone,
            b'-' if self.utc_hours <= 14 => -zone,
            _ => return None,
        };
        let minute = Offset::from_seconds(zone).ok()?.to_timestamp(date.to_datetime(time)).ok()?;
        in_range.then(|| minute.as_second().saturating_add(self.second.into()))
    }

    /// The eleven octets (RFC 2579 DateAndTime).
    pub(super) fn octets(&self) -> [u8; 11] {
        let [year_high, year_low] = self.year.to_be_bytes();
        [
            year_high,
            year_low,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second,
            self.decisecond,
            self.direction,
            self.utc_hours,
            self.utc_minutes,
        ]
    }

    /// From the eleven octets, whatever they are.
    pub(super) fn from_octets(octets: [u8; 11]) -> Self {
        let [y0, y1, month, day, hour, minute, second, decisecond, direction, hours, minutes] =
            octets;
        Self {
            year: u16::from_be_bytes([y0, y1]),
            month,
            day,
            hour,
            minute,
            second,
            decisecond,
            direction,
            utc_hours: hours,
            utc_minutes: minutes,
        }
    }
}

/// ISO 8601, as `ipptool` prints it: `2026-11-21T09:30:15+0130`, or with a `Z` for UTC.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, .. } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if (self.utc_hours, self.utc_minutes) == (0, 0) {
            return f.write_str("Z");
        }
        let direction = char::from(self.direction).escape_default();
        write!(f, "{direction}{:02}{:02}", self.utc_hours, self.utc_minutes)
    }
}
