//! What a PJL printer sends: status codes and the form of its answers.
//!
//! Form: `@PJL KIND CR LF`, lines that end in CR LF, FF (HP PJL Technical Reference Manual ch. 7, "Status Readback").
//! Codes, of which one is shown at a time, the most urgent first:
//!
//! | code | when | source |
//! | --- | --- | --- |
//! | 40021 | cover open | the manual p. 7-35: `CODE=40021`, `DISPLAY="12 PRINTER OPEN"`, `ONLINE=FALSE` |
//! | 41002 | paper out | p. D-1, 7-35: 41xyy, foreground paper mount, x the source, yy the medium |
//! | 10002 | off line | HPLIP `base/status.py` `PJL_STATUS_MAP`; Lexmark Technical Reference table 3-12 |
//! | 50000 | any other fault | p. D-1, 50xxx: hardware errors |
//! | 10006 | toner low | p. D-1 |
//! | 10023 | printing | HPLIP, the same |
//! | 10001 | ready | the manual p. 7-24 |
//!
//! The display strings are free ("localized, developers should use the CODE", p. D-1).

use super::line::Device;
use crate::sim::Condition;

/// Ready.
pub(super) const READY: u32 = 10001;

/// Toner is low when less than this is left.
const LOW_PERCENT: u8 = 10;

/// What the printer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: u32,
    display: &'static str,
    online: bool,
}

impl Status {
    pub(super) fn of(condition: Condition, printing: bool) -> Self {
        let (code, display) = match () {
            () if condition.cover_open => (40021, "Cover open"),
            () if condition.paper_out => (41002, "Load paper"),
            () if condition.faulty() => (50000, "Service"),
            () if condition.offline => (10002, "Offline"),
            () if condition.toner() < LOW_PERCENT => (10006, "Toner low"),
            () if printing => (10023, "Printing"),
            () => (READY, "Ready"),
        };
        Self { code, display, online: condition.online() }
    }

    /// `@PJL KIND`, the status, FF.
    pub(super) fn report(self, kind: &str) -> Vec<u8> {
        let Self { code, display, online } = self;
        let online = if online { "TRUE" } else { "FALSE" };
        answer(kind, format!("CODE={code}\r\nDISPLAY=\"{display}\"\r\nONLINE={online}").as_bytes())
    }
}

/// An answer of one or more lines, the last one without its CR LF.
pub(super) fn answer(kind: &str, lines: &[u8]) -> Vec<u8> {
    [b"@PJL ", kind.as_bytes(), b"\r\n", lines, b"\r\n\x0c"].concat()
}

/// `ECHO`, whose words stand on the first line.
pub(super) fn echo(words: &[u8]) -> Vec<u8> {
    [b"@PJL ECHO ".as_slice(), words, b"\r\n\x0c"].concat()
}

/// `USTATUS JOB`: a job starts, or ends with so many pages (p. 7-37).
pub(super) fn job(name: Option<&[u8]>, end: Option<u64>) -> Vec<u8> {
    let mut lines = if end.is_some() { b"END".to_vec() } else { b"START".to_vec() };
    if let Some(name) = name {
        lines.extend([b"\r\nNAME=\"", name, b"\""].concat());
    }
    if let Some(pages) = end {
        lines.extend(format!("\r\nPAGES={pages}").into_bytes());
    }
    answer("USTATUS JOB", &lines)
}

/// `INFO USTATUS`: the variables, their values, what they can be (p. 7-30).
pub(super) fn variables(device: Device, job: bool, page: bool, timed: u16) -> Vec<u8> {
    let word = |on: bool| if on { "ON" } else { "OFF" };
    let device = match device {
        Device::Off => "OFF",
        Device::On => "ON",
        Device::Verbose => "VERBOSE",
    };
    let lines = format!(
        "DEVICE={device} [3 ENUMERATED]\r\n\tOFF\r\n\tON\r\n\tVERBOSE\r\n\
         JOB={} [2 ENUMERATED]\r\n\tOFF\r\n\tON\r\n\
         PAGE={} [2 ENUMERATED]\r\n\tOFF\r\n\tON\r\n\
         TIMED={timed} [2 RANGE]\r\n\t5\r\n\t300",
        word(job),
        word(page)
    );
    answer("INFO USTATUS", lines.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        assert_eq!(
            Status::of(Condition::default(), false).report("INFO STATUS"),
            b"@PJL INFO STATUS\r\nCODE=10001\r\nDISPLAY=\"Ready\"\r\nONLINE=TRUE\r\n\x0c"
        );
        assert_eq!(
            job(Some(b"JOB 14993"), Some(3)),
            b"@PJL USTATUS JOB\r\nEND\r\nNAME=\"JOB 14993\"\r\nPAGES=3\r\n\x0c",
            "HP PJL Technical Reference Manual p. 7-37"
        );
        assert_eq!(job(None, None), b"@PJL USTATUS JOB\r\nSTART\r\n\x0c");
        assert_eq!(echo(b"07:00 x"), b"@PJL ECHO 07:00 x\r\n\x0c");
    }

    #[test]
    fn the_most_urgent_condition_shows() {
        let all =
            Condition { paper_out: true, cover_open: true, offline: true, ..Condition::default() };
        let code = |condition| Status::of(condition, true).code;
        assert_eq!(code(all), 40021);
        assert_eq!(code(Condition { cover_open: false, ..all }), 41002);
        assert_eq!(code(Condition { cover_open: false, paper_out: false, ..all }), 10002);
        assert_eq!(code(Condition { paper_low: true, ..Condition::default() }), 10023);
        assert!(!Status::of(all, false).online);
        let low = Condition { toner_used: 91, ..Condition::default() };
        assert_eq!((code(low), code(Condition { broken: true, ..low })), (10006, 50000));
    }
}
