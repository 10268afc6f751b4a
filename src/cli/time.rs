//! Times as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Seconds since 1970 in local time, for tables.
pub(crate) fn local(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).map(|time| time.to_zoned(TimeZone::system()));
    time.map_or_else(|_| "-".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// Seconds since 1970 as RFC 3339, for programs.
pub(crate) fn rfc3339(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string())
}
