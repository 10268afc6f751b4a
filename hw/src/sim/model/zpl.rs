//! A ZPL II printer: counts labels and answers `~HS`, `~HQES`, `~HI` and, between formats and in its turn, SGD's
//! `! U1 getvar "odometer.total_label_count"`.
//!
//! `~HS` answers with three strings, each STX … ETX CR LF (Zebra ZPL II Programming Guide, "~HS Host Status Return"):
//!
//! ```text
//!   aaa,b,c,dddd,eee,f,g,h,iii,j,k,l    line settings, paper out, pause, label length, formats in the buffer,
//!                                       buffer full, diagnostics, partial format, 000, corrupt RAM, too cold, too hot
//!   mmm,n,o,p,q,r,s,t,uuuuuuuu,v,www    settings, 0, head up, ribbon out, thermal transfer, print mode, width mode,
//!                                       label waiting, labels left, 1, graphics stored
//!   xxxx,y                              password, static RAM
//! ```
//!
//! `~HQES`: error bits 1 media out, 2 ribbon out, 4 head open, 8 cutter, 10 head too hot, 80 head not recognized, 10000
//! paused; warning bit 8 media near its end (the guide's `~HQ`
//! tables, as LPrint's `lprint-zpl.c` reads them; the frame is the one that the OKI LE850 manual p. 96 prints).
//!
//! Newer editions of the guide say that `~HS` is not answered while media is out or the head is open, which would
//! make its own flags useless; printers answer, and so does this one. Operator pause is what `offline` sets.

use super::bench::Bench;
use super::realtime::Ask;
use super::scan::find;
use crate::sim::Condition;

#[derive(Debug, Default)]
pub(super) struct Zpl {
    /// Formats as they come in …
    arrived: Labels,
    /// … and as they are printed.
    printed: Labels,
    /// A line between formats, as it comes.
    line: Vec<u8>,
}

/// No line that asks for something is longer.
const LINE_BYTES: usize = 128;

/// Counts `^XA` … `^XZ`.
#[derive(Debug, Default)]
struct Labels {
    whole: u64,
    open: bool,
    /// So much of `^XA` or `^XZ` was seen.
    seen: usize,
}

impl Labels {
    /// What is half there is no label.
    fn close(&mut self) {
        (self.open, self.seen) = (false, 0);
    }

    /// Looks at bytes; how many labels they finish.
    fn look(&mut self, mut bytes: &[u8]) -> u64 {
        let before = self.whole;
        while let Some((byte, rest)) = bytes.split_first() {
            bytes = rest;
            self.seen = match (self.seen, *byte) {
                (_, b'^') => 1,
                (1, b'X') => 2,
                (2, b'A') => {
                    self.open = true;
                    0
                }
                (2, b'Z') => {
                    self.whole = self.whole.saturating_add(u64::from(self.open));
                    self.open = false;
                    0
                }
                _ => {
                    bytes = rest.get(find(rest, b'^').unwrap_or(rest.len())..).unwrap_or_default();
                    0
                }
            };
        }
        self.whole.saturating_sub(before)
    }
}

impl Zpl {
    /// Bytes came in, and may have to wait.
    pub(super) fn arrive(&mut self, bytes: &[u8]) {
        self.arrived.look(bytes);
    }

    /// Works on bytes; none while nothing can be printed.
    pub(super) fn eat(&mut self, bytes: &[u8], bench: &mut Bench<'_>) -> usize {
        if bench.blocked() {
            return 0;
        }
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            for _ in 0..self.printed.look(line) {
                bench.page();
            }
            self.variables(line, bench);
        }
        bytes.len()
    }

    /// Formats in the buffer were forgotten. What it has printed in its life it goes on counting.
    pub(super) fn forget(&mut self) {
        let whole = self.printed.whole;
        let counted = || Labels { whole, ..Labels::default() };
        *self = Self { arrived: counted(), printed: counted(), line: Vec::new() };
    }

    /// The format that is half there is forgotten.
    fn forget_partial(&mut self) {
        self.arrived.close();
        self.printed.close();
    }

    pub(super) fn answer(&mut self, ask: Ask, bench: &mut Bench<'_>) {
        match ask {
            Ask::HostStatus => {
                let status = self.host_status(bench.condition, bench.buffer_full);
                bench.say(status.as_bytes());
            }
            Ask::HostErrors => bench.say(errors(bench.condition).as_bytes()),
            Ask::HostId => bench.say(b"\x02despool sim,V1.20.0,8,8192KB,\x03\r\n"),
            Ask::CancelPartial => self.forget_partial(),
            Ask::Status(_) | Ask::Recover | Ask::CancelAll => {}
        }
    }

    fn host_status(&self, condition: Condition, full: bool) -> String {
        let waiting = self.arrived.whole.saturating_sub(self.printed.whole);
        let formats = waiting.min(999);
        let [paper, pause, full, partial, hot, head, ribbon] = [
            condition.paper_out,
            condition.offline,
            full,
            self.arrived.open,
            condition.overheated,
            condition.cover_open,
            condition.ribbon_out,
        ]
        .map(u8::from);
        format!(
            "\x02030,{paper},{pause},1218,{formats:03},{full},0,{partial},000,0,0,{hot}\x03\r\n\
             \x02000,0,{head},{ribbon},0,2,6,0,{:08},1,000\x03\r\n\
             \x021234,0\x03\r\n",
            waiting.min(99_999_999)
        )
    }

    /// Looks for lines between formats that ask for a variable.
    fn variables(&mut self, mut bytes: &[u8], bench: &mut Bench<'_>) {
        loop {
            if self.line.is_empty() {
                bytes = bytes.get(find(bytes, b'!').unwrap_or(bytes.len())..).unwrap_or_default();
            }
            let Some((byte, rest)) = bytes.split_first() else { return };
            bytes = rest;
            if *byte == b'\n' || self.line.len() >= LINE_BYTES {
                let line = std::mem::take(&mut self.line);
                if line.starts_with(b"! U1 getvar ") {
                    bench.say(self.variable(&line).as_bytes());
                }
            } else {
                self.line.push(*byte);
            }
        }
    }

    fn variable(&self, line: &[u8]) -> String {
        match line.split(|byte| *byte == b'"').nth(1) {
            Some(b"odometer.total_label_count") => format!("\"{}\"\r\n", self.printed.whole),
            _ => "\"?\"\r\n".to_owned(),
        }
    }
}

fn errors(condition: Condition) -> String {
    let bit = |bit: u32, on: bool| if on { bit } else { 0 };
    let errors = bit(0x1, condition.paper_out)
        | bit(0x2, condition.ribbon_out)
        | bit(0x4, condition.cover_open)
        | bit(0x8, condition.cutter_jam)
        | bit(0x10, condition.overheated)
        | bit(0x80, condition.broken)
        | bit(0x1_0000, condition.offline);
    let warnings = bit(0x8, condition.near_end());
    let line = |bits: u32| format!("{} 00000000 {bits:08X}", u8::from(bits != 0));
    format!(
        "\x02\r\nPRINTER STATUS\r\nERRORS: {}\r\nWARNINGS: {}\r\n\x03",
        line(errors),
        line(warnings)
    )
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::sim::event::Log;
    use crate::sim::model::back::Back;

    #[derive(Default)]
    struct Rig {
        zpl: Zpl,
        condition: Condition,
        back: Back,
        log: Log,
        pages: u64,
        full: bool,
    }

    impl Rig {
        fn with<R>(&mut self, act: impl FnOnce(&mut Zpl, &mut Bench<'_>) -> R) -> (R, String) {
            let Self { zpl, condition, back, log, pages, full } = self;
            let (condition, now) = (*condition, Instant::now());
            let result =
                act(zpl, &mut Bench { condition, now, buffer_full: *full, back, log, pages });
            let mut said = Vec::new();
            back.drain(&mut said);
            (result, String::from_utf8(said).unwrap())
        }

        fn ask(&mut self, ask: Ask) -> String {
            self.with(|zpl, bench| zpl.answer(ask, bench)).1
        }

        fn eat(&mut self, bytes: &[u8]) -> usize {
            self.zpl.arrive(bytes);
            self.with(|zpl, bench| zpl.eat(bytes, bench)).0
        }
    }

    #[test]
    fn host_status_golden() {
        let mut rig = Rig::default();
        assert_eq!(
            rig.ask(Ask::HostStatus),
            "\x02030,0,0,1218,000,0,0,0,000,0,0,0\x03\r\n\
             \x02000,0,0,0,0,2,6,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n"
        );
        rig.condition =
            Condition { paper_out: true, cover_open: true, offline: true, ..Condition::default() };
        rig.full = true;
        assert_eq!(rig.eat(b"^XA^FDone^FS^XZ^XA^FDtw"), 0);
        assert_eq!(
            rig.ask(Ask::HostStatus),
            "\x02030,1,1,1218,001,1,0,1,000,0,0,0\x03\r\n\
             \x02000,0,1,0,0,2,6,0,00000001,1,000\x03\r\n\x021234,0\x03\r\n"
        );
    }

    #[test]
    fn host_errors_and_identification_golden() {
        let mut rig = Rig::default();
        assert_eq!(
            rig.ask(Ask::HostErrors),
            "\x02\r\nPRINTER STATUS\r\nERRORS: 0 00000000 00000000\r\nWARNINGS: 0 00000000 00000000\r\n\x03"
        );
        rig.condition =
            Condition { paper_out: true, cover_open: true, offline: true, ..Condition::default() };
        assert_eq!(
            rig.ask(Ask::HostErrors),
            "\x02\r\nPRINTER STATUS\r\nERRORS: 1 00000000 00010005\r\nWARNINGS: 1 00000000 00000008\r\n\x03"
        );
        rig.condition = Condition {
            ribbon_out: true,
            cutter_jam: true,
            overheated: true,
            broken: true,
            ..Condition::default()
        };
        assert!(rig.ask(Ask::HostErrors).contains("ERRORS: 1 00000000 0000009A\r"));
        assert_eq!(rig.ask(Ask::HostId), "\x02despool sim,V1.20.0,8,8192KB,\x03\r\n");
    }

    #[test]
    fn variables_are_answered_between_formats_whatever_the_split() {
        let asked =
            b"^XA^XZ! U1 getvar \"odometer.total_label_count\"\r\n^XA^XZ! U1 getvar \"x\"\n";
        let mut rig = Rig::default();
        let whole = rig.with(|zpl, bench| zpl.eat(asked, bench)).1;
        assert_eq!(whole, "\"1\"\r\n\"?\"\r\n");
        let mut rig = Rig::default();
        let single: String =
            asked.iter().map(|byte| rig.with(|zpl, bench| zpl.eat(&[*byte], bench)).1).collect();
        assert_eq!(single, "\"1\"\r\n\"?\"\r\n");
    }

    #[test]
    fn half_a_format_is_forgotten_when_told() {
        let mut rig = Rig::default();
        rig.eat(b"^XA^FDhalf");
        assert!(rig.ask(Ask::HostStatus).contains(",0,1,000,"));
        rig.ask(Ask::CancelPartial);
        assert!(rig.ask(Ask::HostStatus).contains(",0,0,000,"));
        assert_eq!((rig.eat(b"^XZ"), rig.pages), (3, 0));
    }

    #[test]
    fn labels_are_counted_whatever_the_split() {
        let bytes = b"^XA^FDa^FS^XZ junk ^XZ ^^XA^XX^XZ^XA";
        let mut whole = Rig::default();
        assert_eq!(whole.eat(bytes), bytes.len());
        let mut single = Rig::default();
        for byte in bytes {
            assert_eq!(single.eat(&[*byte]), 1);
        }
        assert_eq!((whole.pages, single.pages), (2, 2));
        assert!(whole.zpl.printed.open && single.zpl.printed.open);
    }
}
