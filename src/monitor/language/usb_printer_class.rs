//! Printers that say nothing but what their wire's status lines say: the USB printer class (`GET_PORT_STATUS`, Universal
//! Serial Bus Device Class Definition for Printing Devices 1.1, 4.2.2) and the same byte on a parallel port.
//!
//! ```text
//!   bit   7 6   5             4          3           2 1 0
//!         – –   paper empty   selected   not error   – – –
//! ```
//!
//! The byte is read by the port ([`despool_hw::Line`]); here is what it means. What it is *not*: a language in which the
//! device could be asked anything, or could tell how far a job is.

use std::time::Instant;

use despool_hw::Line;

use super::{Action, DeviceNote, Finding, JobNote, Language, Reason, Status};

/// What status lines mean. An error that goes with paper out, or a device that is off line with either, has no other
/// reason than that.
pub(crate) fn status(line: Line) -> Status {
    let paper_out = line.paper_out == Some(true);
    let fault = line.fault == Some(true);
    let offline = line.online == Some(false);
    let reason = match () {
        () if paper_out => Some(Reason::stops("media-empty")),
        () if fault => Some(Reason::stops("other")),
        () if offline => Some(Reason::stops("offline")),
        () => None,
    };
    Status::new(reason, "")
}

/// The language of a dumb printer.
#[derive(Debug, Default)]
pub(super) struct UsbPrinterClass;

impl Language for UsbPrinterClass {
    fn present(&mut self, _: &DeviceNote, _: Instant, _: &mut Vec<Action>) {}

    fn absent(&mut self) {}

    fn begin(&mut self, _: &JobNote, _: Instant, _: &mut Vec<Action>) {}

    /// Whatever it sends is for whoever submitted the job.
    fn heard(&mut self, _: &[u8], _: Instant, _: &mut Vec<Action>) {}

    fn line(&mut self, line: Line, _: Instant, out: &mut Vec<Action>) {
        out.push(Action::Found(Finding::Status(status(line))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_of_the_lines() {
        let bits = [None, Some(false), Some(true)];
        for paper_out in bits {
            for online in bits {
                for fault in bits {
                    let line = Line { paper_out, online, fault, ..Line::default() };
                    let keyword = status(line).reasons.first().map(|reason| reason.keyword);
                    let expected = match (paper_out, fault, online) {
                        (Some(true), _, _) => Some("media-empty"),
                        (_, Some(true), _) => Some("other"),
                        (_, _, Some(false)) => Some("offline"),
                        _ => None,
                    };
                    assert_eq!(keyword, expected, "{line:?}");
                }
            }
        }
    }

    #[test]
    fn lines_are_told_and_bytes_are_not_looked_at() {
        let (mut core, mut out) = (UsbPrinterClass, Vec::new());
        core.heard(b"\x10\x04\x01~HS@PJL", Instant::now(), &mut out);
        assert!(out.is_empty());
        core.line(
            Line { paper_out: Some(true), fault: Some(true), ..Line::default() },
            Instant::now(),
            &mut out,
        );
        let empty = Status::new([Reason::stops("media-empty")], "");
        assert!(
            matches!(&out[..], [Action::Found(Finding::Status(status))] if *status == empty),
            "{out:?}"
        );
    }
}
