//! What a ZPL printer's flags mean.
//!
//! | `~HQES` errors | | `~HQES` warnings | |
//! | --- | --- | --- | --- |
//! | 1 | media out | 1 | media must be calibrated |
//! | 2 | ribbon out | 2 | the head must be cleaned |
//! | 4 | head open | 4 | the head must be replaced |
//! | 8 | cutter | 8 | paper near its end |
//! | 10, 20 | head, motor too hot | | |
//! | 40, 80 | head element bad, head not recognized | | |
//! | 100, 200 | firmware configuration, head's thermistor | | |
//! | 1000–8000 | paper path of a kiosk printer | | |
//! | 10000 | paused | | |
//! | 20000–80000 | retraction, black mark | | |
//!
//! (ZPL II Programming Guide, `~HQ`, tables of error and warning flags.)

use super::answer::{Flags, Line, Print};
use crate::monitor::language::{Reason, Status};

const ERRORS: [(u32, Reason, &str); 12] = [
    (0x1, Reason::stops("media-empty"), ""),
    (0x2, Reason::stops("marker-supply-empty"), ""),
    (0x4, Reason::stops("cover-open"), ""),
    (0x8, Reason::stops("trimmer-jam"), ""),
    (0x30, Reason::stops("subunit-over-temperature"), ""),
    // It goes on printing, with a white line.
    (0x40, Reason::warns("subunit-life-over"), "an element of the head is bad"),
    (0x80, Reason::stops("subunit-unrecoverable-failure"), "the head is not recognized"),
    (
        0x100,
        Reason::stops("subunit-unrecoverable-failure"),
        "the firmware configuration is invalid",
    ),
    (0x200, Reason::stops("subunit-thermistor-failure"), ""),
    (0xf000, Reason::stops("media-jam"), ""),
    (0x1_0000, Reason::stops("offline"), PAUSED),
    (0xe_0000, Reason::stops("other"), "the black mark was not found"),
];

const WARNINGS: [(u32, Reason, &str); 4] = [
    (0x1, Reason::warns("other"), "the media must be calibrated"),
    (0x2, Reason::warns("other"), "the head must be cleaned"),
    (0x4, Reason::warns("subunit-life-almost-over"), "the head must be replaced"),
    (0x8, Reason::warns("media-low"), ""),
];

const PAUSED: &str = "paused at the printer";

/// What has been answered to one question; what was not is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sensors {
    pub(super) line: Option<Line>,
    pub(super) print: Option<Print>,
    pub(super) flags: Option<Flags>,
}

impl Sensors {
    /// What it all means.
    pub(super) fn status(&self) -> Status {
        let (line, print) = (self.line.unwrap_or_default(), self.print.unwrap_or_default());
        let seen = [
            (line.media_out, Reason::stops("media-empty"), ""),
            (line.paused, Reason::stops("offline"), PAUSED),
            (line.too_cold, Reason::warns("subunit-under-temperature"), ""),
            (line.too_hot, Reason::stops("subunit-over-temperature"), ""),
            (print.head_open, Reason::stops("cover-open"), ""),
            (print.ribbon_out, Reason::stops("marker-supply-empty"), ""),
        ];
        let seen = seen.into_iter().filter(|it| it.0).map(|(_, reason, text)| (reason, text));
        let flags = self.flags.unwrap_or_default();
        let words = [(flags.errors, &ERRORS[..]), (flags.warnings, &WARNINGS[..])];
        let flagged = words.into_iter().flat_map(|(bits, table)| {
            let bits = bits.unwrap_or_default();
            let set = table.iter().filter(move |it| bits & it.0 != 0);
            set.map(|(_, reason, text)| (*reason, *text))
        });
        let unknown = flags.errors.is_some_and(|bits| ERRORS.iter().all(|it| bits & it.0 == 0));
        let unknown = unknown.then_some((Reason::stops("other"), ""));
        let waiting = print.label_waiting.then_some("a label waits to be taken off");
        let all: Vec<(Reason, &str)> = seen.chain(flagged).chain(unknown).collect();
        let mut texts: Vec<&str> = all.iter().map(|it| it.1).chain(waiting).collect();
        texts.retain(|text| !text.is_empty());
        texts.dedup();
        // A printer that stops for want of paper pauses too.
        let fault = all.iter().any(|it| it.0.stops && it.0.keyword != "offline");
        let reasons = all.into_iter().map(|it| it.0);
        let reasons = reasons.filter(|reason| !fault || reason.keyword != "offline");
        texts.retain(|text| !fault || *text != PAUSED);
        Status::new(reasons, texts.join(", "))
    }

    /// Nothing of what it was given is still to be printed.
    pub(super) fn is_done(&self) -> bool {
        let idle = |line: Line| line.formats == 0 && !line.partial;
        self.line.is_some_and(idle)
            && self.print.is_some_and(|print| print.labels_left == 0)
            && !self.status().stops()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flagged(errors: Option<u32>, warnings: Option<u32>) -> Status {
        Sensors { flags: Some(Flags { errors, warnings }), ..Sensors::default() }.status()
    }

    #[test]
    fn every_flag_has_a_reason_and_the_unknown_ones_too() {
        for (bits, reason, _) in ERRORS {
            assert_eq!(flagged(Some(bits), None).reasons, [reason], "{bits:x}");
        }
        for (bits, reason, _) in WARNINGS {
            let status = flagged(None, Some(bits));
            assert!(status.reasons == [reason] && !status.stops(), "{bits:x}");
        }
        for bits in [0, 0x400, 0x10_0000] {
            assert_eq!(flagged(Some(bits), None).reasons, [Reason::stops("other")], "{bits:x}");
        }
        assert_eq!(flagged(None, None), Status::default());
    }

    #[test]
    fn a_pause_is_no_reason_beside_the_fault_that_made_it() {
        let paused = Line { paused: true, ..Line::default() };
        let sensors = Sensors { line: Some(paused), ..Sensors::default() };
        assert_eq!(sensors.status(), Status::new([Reason::stops("offline")], PAUSED));
        let flags = Some(Flags { errors: Some(0x1_0004), warnings: None });
        let sensors = Sensors { line: Some(paused), flags, ..Sensors::default() };
        assert_eq!(sensors.status(), Status::new([Reason::stops("cover-open")], ""));
    }

    #[test]
    fn it_is_done_when_nothing_waits_and_nothing_is_wrong() {
        let (line, print) = (Some(Line::default()), Some(Print::default()));
        let done = Sensors { line, print, flags: None };
        assert!(done.is_done());
        assert!(!Sensors { line: None, ..done }.is_done());
        let waits = Some(Line { formats: 1, ..Line::default() });
        assert!(!Sensors { line: waits, ..done }.is_done());
        let left = Some(Print { labels_left: 1, ..Print::default() });
        assert!(!Sensors { print: left, ..done }.is_done());
        let empty = Some(Line { media_out: true, ..Line::default() });
        assert!(!Sensors { line: empty, ..done }.is_done());
    }
}
