//! `job-hold-until` (RFC 8011 §5.2.2): when a job may be printed.
//!
//! The named times are those of CUPS, in local time: `day-time` 06:00-18:00, `evening` and `night` 18:00-06:00,
//! `second-shift` 16:00-24:00, `third-shift` 00:00-08:00, `weekend` Saturday and Sunday. `HH:MM[:SS]` (what `lp -H` sends)
//! is UTC.

use despool_spool::Hold;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};

/// The keywords that we support.
pub(super) const KEYWORDS: [&str; 8] = [
    "no-hold",
    "indefinite",
    "day-time",
    "evening",
    "night",
    "second-shift",
    "third-shift",
    "weekend",
];

/// What a value means at `now`; `None` for one that is not supported.
pub(super) fn until(value: &str, now: &Zoned) -> Option<Hold> {
    let hours = |from: i8, to: i8| Some(window(now, from, to));
    match value {
        "no-hold" => Some(Hold::No),
        "indefinite" => Some(Hold::Indefinite),
        "day-time" => hours(6, 18),
        "evening" | "night" => hours(18, 6),
        "second-shift" => hours(16, 24),
        "third-shift" => hours(0, 8),
        "weekend" => Some(weekend(now)),
        time => at(time, now),
    }
}

/// Now, if the hour is inside the part of the day that begins at `from`; else when it begins next.
fn window(now: &Zoned, from: i8, to: i8) -> Hold {
    let hour = now.hour();
    let inside = if from < to { (from..to).contains(&hour) } else { hour >= from || hour < to };
    if inside { Hold::No } else { next(now, Time::constant(from, 0, 0, 0)) }
}

fn weekend(now: &Zoned) -> Hold {
    let mut day = now.clone();
    for _ in 0..7 {
        if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            let today = day.date() == now.date();
            return if today {
                Hold::No
            } else {
                day.start_of_day().map_or(Hold::Indefinite, |start| stamp(&start))
            };
        }
        match day.tomorrow() {
            Ok(tomorrow) => day = tomorrow,
            Err(_) => return Hold::Indefinite,
        }
    }
    Hold::Indefinite
}

fn at(text: &str, now: &Zoned) -> Option<Hold> {
    let mut parts = text.split(':').map(|part| part.parse::<i8>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    if parts.next().is_some() {
        return None;
    }
    let time = Time::new(hour, minute, second, 0).ok()?;
    Some(next(&now.with_time_zone(TimeZone::UTC), time))
}

/// When the clock shows `time` next.
fn next(now: &Zoned, time: Time) -> Hold {
    let today = now.with().time(time).build();
    let moment =
        today.and_then(|today| if today > *now { Ok(today) } else { today.checked_add(1.day()) });
    moment.map_or(Hold::Indefinite, |moment| stamp(&moment))
}

fn stamp(moment: &Zoned) -> Hold {
    u64::try_from(moment.timestamp().as_millisecond()).map_or(Hold::No, Hold::Until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zoned(text: &str) -> Zoned {
        text.parse().unwrap()
    }

    #[test]
    fn named_times() {
        // A Friday.
        let noon = zoned("2026-11-20T12:00:00+01:00[Europe/Berlin]");
        let at = |text: &str| Some(stamp(&zoned(text)));
        for (value, expected) in [
            ("no-hold", Some(Hold::No)),
            ("indefinite", Some(Hold::Indefinite)),
            ("day-time", Some(Hold::No)),
            ("night", at("2026-11-20T18:00:00+01:00[Europe/Berlin]")),
            ("second-shift", at("2026-11-20T16:00:00+01:00[Europe/Berlin]")),
            ("third-shift", at("2026-11-21T00:00:00+01:00[Europe/Berlin]")),
            ("weekend", at("2026-11-21T00:00:00+01:00[Europe/Berlin]")),
            ("11:30", at("2026-11-20T11:30:00+00:00[UTC]")),
            ("10:30:15", at("2026-11-21T10:30:15+00:00[UTC]")),
            ("tomorrow", None),
            ("25:00", None),
            ("1:2:3:4", None),
            ("", None),
        ] {
            assert_eq!(until(value, &noon), expected, "{value}");
        }
        let sunday = zoned("2026-11-22T23:00:00+01:00[Europe/Berlin]");
        assert_eq!(until("weekend", &sunday), Some(Hold::No));
        assert_eq!(until("evening", &sunday), Some(Hold::No));
    }
}
