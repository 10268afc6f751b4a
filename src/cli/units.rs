//! Numbers as people read them.

use std::time::Duration;

/// Bytes: `9216 B`, `12.3 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", ratio(bytes, *unit)),
        None => format!("{bytes} B"),
    }
}

/// Bytes a second.
pub(crate) fn rate(count: u64, time: Duration) -> String {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    let each = u128::from(count).saturating_mul(1_000_000) / u128::from(micros);
    format!("{}/s", bytes(u64::try_from(each).unwrap_or(u64::MAX)))
}

/// A share, for display only.
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    // Display needs no more than the 53 bits that a double has.
    #[allow(clippy::cast_precision_loss)]
    let (part, whole) = (part as f64, whole as f64);
    part / whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_them() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1 << 20), "1.0 MiB");
        assert_eq!(bytes(5_368_709_120), "5.0 GiB");
        assert_eq!(rate(1 << 20, Duration::from_millis(500)), "2.0 MiB/s");
        assert_eq!(rate(10, Duration::ZERO), "9.5 MiB/s");
    }
}
