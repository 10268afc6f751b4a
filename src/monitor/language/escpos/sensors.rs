//! What the status bytes of an ESC/POS printer mean (Epson ESC/POS command reference, tables of `DLE EOT`, `GS a`, `GS r`).
//!
//! ```text
//!            bit    6         5            4  3          2          1 0
//!   DLE EOT 1       feeding   waiting      1  off line   drawer     1 0
//!   DLE EOT 2       error     paper stop   1  feeding    cover      1 0
//!   DLE EOT 3       passing   fatal        1  cutter     mechanical 1 0
//!   DLE EOT 4       end       end          1  near end   near end   1 0
//!   ASB 1           feeding   cover        1  off line   drawer     0 0
//!       2           passing   fatal        0  cutter     mechanical – –
//!       3           –         –            0  end        end        near near
//!   GS r 1          –         –            0  end        end        near near
//!   GS r 2          –         –            0  –          –          – drawer
//! ```
//!
//! The drawer's bit is the level of a line; where no drawer is attached it is high for ever. So it is told of only where it
//! has been seen low.

use crate::monitor::language::{Reason, Status};

/// What is known of the printer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sensors {
    offline: bool,
    cover: bool,
    paper_end: bool,
    /// Printing stopped for want of paper.
    paper_stop: bool,
    near_end: bool,
    cutter: bool,
    mechanical: bool,
    fatal: bool,
    /// An error that goes away by itself (heat, voltage).
    passing: bool,
    /// An error of which no more is known.
    error: bool,
    drawer_high: bool,
    drawer_was_low: bool,
}

impl Sensors {
    /// Automatic status back.
    pub(super) fn automatic(&mut self, [one, two, three, _]: [u8; 4]) {
        self.drawer(one & 0x04 != 0);
        (self.offline, self.cover) = (one & 0x08 != 0, one & 0x20 != 0);
        self.errors(two);
        (self.error, self.paper_stop) = (false, false);
        self.paper(three);
    }

    /// The answer to `DLE EOT n`.
    pub(super) fn realtime(&mut self, n: u8, byte: u8) {
        match n {
            1 => {
                self.drawer(byte & 0x04 != 0);
                self.offline = byte & 0x08 != 0;
            }
            2 => {
                self.cover = byte & 0x04 != 0;
                (self.paper_stop, self.error) = (byte & 0x20 != 0, byte & 0x40 != 0);
            }
            3 => self.errors(byte),
            _ => (self.near_end, self.paper_end) = (byte & 0x0c != 0, byte & 0x60 != 0),
        }
    }

    /// The answer to `GS r n`.
    pub(super) fn slow(&mut self, n: u8, byte: u8) {
        match n {
            1 => self.paper(byte),
            _ => self.drawer(byte & 0x01 != 0),
        }
    }

    fn errors(&mut self, byte: u8) {
        (self.mechanical, self.cutter) = (byte & 0x04 != 0, byte & 0x08 != 0);
        (self.fatal, self.passing) = (byte & 0x20 != 0, byte & 0x40 != 0);
    }

    fn paper(&mut self, byte: u8) {
        (self.near_end, self.paper_end) = (byte & 0x03 != 0, byte & 0x0c != 0);
    }

    fn drawer(&mut self, high: bool) {
        self.drawer_high = high;
        self.drawer_was_low |= !high;
    }

    /// The same in IPP's words.
    pub(super) fn status(self) -> Status {
        let Self { cutter, mechanical, fatal, passing, .. } = self;
        let empty = self.paper_end || self.paper_stop;
        let known = empty || self.cover || cutter || mechanical || fatal || passing;
        let reasons = [
            (empty, Reason::stops("media-empty")),
            (self.cover, Reason::stops("cover-open")),
            (cutter, Reason::stops("trimmer-jam")),
            (mechanical || passing, Reason::stops("subunit-recoverable-failure")),
            (fatal, Reason::stops("subunit-unrecoverable-failure")),
            (self.error && !known, Reason::stops("other")),
            (self.offline && !known && !self.error, Reason::stops("offline")),
            (self.near_end && !empty, Reason::warns("media-low")),
        ];
        let drawer_open = self.drawer_high && self.drawer_was_low;
        let message = if drawer_open { "the cash drawer is open" } else { "" };
        let holds = reasons.into_iter().filter(|(holds, _)| *holds);
        Status::new(holds.map(|(_, reason)| reason), message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords(status: &Status) -> Vec<&str> {
        status.reasons.iter().map(|reason| reason.keyword).collect()
    }

    #[test]
    fn automatic_status_golden() {
        let cases: [([u8; 4], &[&str]); 11] = [
            ([0x10, 0, 0, 0], &[]),
            ([0x18, 0, 0, 0], &["offline"]),
            ([0x38, 0, 0, 0], &["cover-open"]),
            ([0x18, 0, 0x0f, 0], &["media-empty"]),
            ([0x10, 0, 0x03, 0], &["media-low"]),
            ([0x18, 0x08, 0, 0], &["trimmer-jam"]),
            ([0x18, 0x04, 0, 0], &["subunit-recoverable-failure"]),
            ([0x18, 0x40, 0, 0], &["subunit-recoverable-failure"]),
            ([0x18, 0x20, 0, 0], &["subunit-unrecoverable-failure"]),
            ([0x38, 0, 0x0f, 0], &["cover-open", "media-empty"]),
            ([0x50, 0, 0, 0], &[]),
        ];
        for (bytes, expected) in cases {
            let mut sensors = Sensors::default();
            sensors.automatic(bytes);
            assert_eq!(keywords(&sensors.status()), expected, "{bytes:x?}");
        }
    }

    #[test]
    fn real_time_and_slow_answers_golden() {
        let cases: [(&[_], &[&str]); 9] = [
            (&[(1, 0x12), (2, 0x12), (4, 0x12), (3, 0x12)], &[]),
            (&[(1, 0x1a)], &["offline"]),
            (&[(1, 0x1a), (2, 0x16)], &["cover-open"]),
            (&[(1, 0x1a), (2, 0x32)], &["media-empty"]),
            (&[(1, 0x1a), (2, 0x52)], &["other"]),
            (&[(1, 0x1a), (2, 0x52), (3, 0x1a)], &["trimmer-jam"]),
            (&[(3, 0x32)], &["subunit-unrecoverable-failure"]),
            (&[(4, 0x1e)], &["media-low"]),
            (&[(4, 0x7e)], &["media-empty"]),
        ];
        for (answers, expected) in cases {
            let mut sensors = Sensors::default();
            answers.iter().for_each(|(n, byte)| sensors.realtime(*n, *byte));
            assert_eq!(keywords(&sensors.status()), expected, "{answers:x?}");
        }
        let mut sensors = Sensors::default();
        sensors.slow(1, 0x0f);
        assert_eq!(keywords(&sensors.status()), ["media-empty"]);
        sensors.slow(1, 0x03);
        assert_eq!(keywords(&sensors.status()), ["media-low"]);
    }

    #[test]
    fn a_drawer_is_open_where_there_is_one() {
        let mut sensors = Sensors::default();
        sensors.automatic([0x14, 0, 0, 0]);
        assert_eq!(sensors.status().message, "", "it was never closed: there is none");
        sensors.realtime(1, 0x12);
        sensors.slow(2, 1);
        assert_eq!(sensors.status().message, "the cash drawer is open");
    }
}
