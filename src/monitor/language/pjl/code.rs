//! PJL status codes and what they mean for a printer's state (PJL Technical Reference Manual, appendix D; the thousands
//! are the families there).

use crate::monitor::language::Reason;

/// The device is off line for a reason of its own.
pub(super) const OFFLINE: Reason = Reason::stops("offline");

/// The reason that a code stands for; `None` where all is well.
pub(super) fn reason(code: u32) -> Option<Reason> {
    Some(match code {
        10_002 | 40_079 => OFFLINE,
        10_006 | 10_010 | 40_038 => Reason::warns("toner-low"),
        10_000..=10_999 | 35_078 | 40_000 => return None,
        // Background conditions: the job goes on from another source.
        11_000..=12_999 => Reason::warns("media-low"),
        40_010 | 40_024 | 40_046 => Reason::stops("marker-supply-missing"),
        40_019 => Reason::stops("output-area-full"),
        40_021 => Reason::stops("cover-open"),
        40_022 | 42_000..=42_999 | 44_000..=44_999 => Reason::stops("media-jam"),
        40_026 | 40_128 => Reason::stops("input-tray-missing"),
        41_000..=41_999 => Reason::stops("media-empty"),
        43_000..=43_999 => Reason::stops("subunit-recoverable-failure"),
        50_000..=50_999 => Reason::stops("subunit-unrecoverable-failure"),
        _ => Reason::warns("other"),
    })
}
