//! Fuzz targets of the language monitors: a device that sends anything, at any time, in every language. `cargo test --test
//! fuzz_languages` runs them on random input, `cargo bolero test --test fuzz_languages NAME` fuzzes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use std::time::{Duration, Instant};

use bolero::check;
use despool::config::{LanguageName, StatusQueries};
use despool::monitor::language::{
    Action, DeviceNote, Finding, JobNote, Language, Over, Setup, core,
};
use despool::monitor::port::{How, Stopped};
use despool::piece::Piece;
use despool_hw::{DeviceId, Line};
use despool_spool::{JobId, Played, Ticket};

/// What a fuzzer would take long to find.
const SCRAPS: [&[u8]; 16] = [
    b"@PJL USTATUS DEVICE\r\nCODE=40021\r\nDISPLAY=\"DOOR\"\r\nONLINE=FALSE\r\n\x0c",
    b"@PJL INFO STATUS\r\nCODE=",
    b"@PJL USTATUS JOB\r\nEND\r\nNAME=\"despool-7\"\r\nPAGES=3\r\n\x0c",
    b"\x38\0\x0f\0",
    b"\x12\x16\x12\x12",
    b"_TM\0",
    b"\x02030,1,0,1218,000,0,0,0,000,0,0,0\x03\r\n",
    b"\x02000,0,1,0,0,2,6,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n",
    b"\x02\r\nPRINTER STATUS\r\nERRORS: 1 00000000 00000005\r\nWARNINGS: 1 0 8\r\n\x03",
    b"\x02ZD420,V84.20.18Z,8,8176KB\x03\"12\"\r\n",
    b"\0\0\0\x09\x01\0\x80\0\x20",
    b"\0\0\0\x0e\x01\0\x89\0\x01PRINT",
    b"\0\0\0\x12\x01\0\x81\0\x01\x01\0\x0a\0\x16\xff\xff\0\x09",
    b"\0\0\0\x0b\x01\0\x03\x01\x01\0\x05",
    b"\x01\x01\0\x0a\x01\0@PJL",
    b"\0\0\0\x0a\x01\0\x7f\x01\x01\x81",
];

/// Languages, and the id of a device that speaks each.
const LANGUAGES: [(LanguageName, &str); 6] = [
    (LanguageName::Pjl, "MFG:HP;CMD:PJL;"),
    (LanguageName::Escpos, "MFG:EPSON;CMD:ESC/POS;"),
    (LanguageName::Zpl, "MFG:Zebra;CMD:ZPL;"),
    (LanguageName::Ieee1284_4, "MFG:EPSON;CMD:D4;"),
    (LanguageName::UsbPrinterClass, "MFG:Some;"),
    (LanguageName::Auto, "CMD:1284.4;"),
];

/// No core says more than this at one stroke of a few hundred bytes.
const MOST_BYTES: usize = 64 * 1024;

/// A core, its clock, and the wire that its document goes out on.
struct Rig {
    core: Box<dyn Language>,
    id: Option<DeviceId>,
    now: Instant,
    job: Option<Playing>,
    /// Bytes of the job that the device has, where it was parked.
    parked: Option<usize>,
    /// The document as far as it was given.
    given: Vec<u8>,
}

/// A playing of it.
struct Playing {
    from: usize,
    given: usize,
    /// What was written, in order: bytes of the job (true) or of the language.
    written: Vec<(bool, Vec<u8>)>,
    ended: bool,
}

impl Playing {
    /// Where it stands when so many bytes have gone.
    fn cut(&self, mut bytes: usize) -> Stopped {
        let (mut said, mut accepted) = (0, self.from as u64);
        for (of_job, part) in &self.written {
            let gone = part.len().min(bytes);
            bytes -= gone;
            *(if *of_job { &mut accepted } else { &mut said }) += gone as u64;
        }
        Stopped { said, played: Played { accepted, offered: accepted } }
    }
}

impl Rig {
    fn new(language: u8, queries: u8) -> Self {
        let (name, id) = LANGUAGES[usize::from(language) % LANGUAGES.len()];
        let queries =
            [StatusQueries::BetweenJobs, StatusQueries::WhenStalled, StatusQueries::WhilePrinting]
                [usize::from(queries) % 3];
        let setup = Setup { envelope: queries == StatusQueries::WhenStalled, queries };
        Self {
            core: core(name).unwrap()(setup),
            id: DeviceId::parse(id.as_bytes()),
            now: Instant::now(),
            job: None,
            parked: None,
            given: Vec::new(),
        }
    }

    fn step(&mut self, step: impl FnOnce(&mut dyn Language, Instant, &mut Vec<Action>)) {
        let mut out = Vec::new();
        step(&mut *self.core, self.now, &mut out);
        let mut bytes = 0;
        for action in out {
            match action {
                Action::Write(piece) => {
                    let job = self.job.as_mut().expect("nothing is written outside of jobs");
                    assert!(!job.ended, "nothing is written behind the end");
                    let part = piece.lend(0).bytes.to_vec();
                    bytes += if piece.is_of_job() { 0 } else { part.len() };
                    job.written.push((piece.is_of_job(), part));
                }
                Action::End => self.job.as_mut().expect("a job ends").ended = true,
                Action::Say(said) | Action::Ask(said) => bytes += said.len(),
                Action::Found(Finding::Status(status)) => {
                    assert!(status.message.len() <= 8192 && status.reasons.len() < 64);
                }
                Action::Found(_) | Action::Room => {}
            }
        }
        assert!(bytes <= MOST_BYTES, "{bytes}");
        self.is_as_given();
    }

    /// The document goes out as it was given.
    fn is_as_given(&self) {
        let Some(job) = &self.job else { return };
        let mut rest = &self.given[job.from..];
        for (_, part) in job.written.iter().filter(|(of_job, _)| *of_job) {
            rest = rest.strip_prefix(&part[..]).expect("the document is as it was");
        }
        assert!(!job.ended || rest.is_empty(), "all of it went");
    }

    /// Begins a job, or goes on with the one that was parked.
    fn begin(&mut self) {
        if self.job.is_some() {
            return;
        }
        let from = self.parked.take().unwrap_or_default();
        self.given.truncate(from);
        self.job = Some(Playing { from, given: from, written: Vec::new(), ended: false });
        let (job, from) = (JobId::new(7).unwrap(), from as u64);
        let note = JobNote { job, ticket: Ticket::new("printer").into(), from };
        self.step(|core, now, out| core.begin(&note, now, out));
    }

    fn write(&mut self, bytes: &[u8]) {
        let Some(job) = self.job.as_mut().filter(|job| job.given < usize::MAX) else { return };
        job.given += bytes.len();
        self.given.extend_from_slice(bytes);
        let piece = Piece::inline(bytes.to_vec());
        self.step(|core, now, out| core.write(piece, now, out));
    }

    fn end(&mut self) {
        if let Some(job) = self.job.as_mut().filter(|job| job.given < usize::MAX) {
            job.given = usize::MAX;
            self.step(|core, now, out| core.end(now, out));
        }
    }

    fn over(&mut self, how: Over) {
        // What is wanted from now on is said, not written.
        if self.job.take_if(|job| how != Over::Ended || job.ended).is_some() {
            self.step(|core, now, out| core.over(how, now, out));
        }
    }

    fn stop(&mut self, how: How, gone: usize) {
        let Some(job) = &self.job else { return };
        let stopped = job.cut(gone);
        self.parked = (how == How::Park).then_some(stopped.played.accepted as usize);
        self.over(Over::Stopped(how, Some(stopped)));
    }

    fn present(&mut self, job_is_connection: bool) {
        let device = DeviceNote { id: self.id.clone(), back_channel: true, job_is_connection };
        self.step(|core, now, out| core.present(&device, now, out));
    }

    fn wake(&mut self) {
        let Some(due) = self.core.due() else { return };
        self.now = self.now.max(due);
        self.step(|core, now, out| core.tick(now, out));
        assert!(self.core.due().is_none_or(|due| due > self.now), "what was due has been done");
    }

    fn act(&mut self, kind: u8, bytes: &[u8]) {
        let (low, high) = (kind % 16, kind / 16);
        match low {
            0..=2 => self.step(|core, now, out| core.heard(bytes, now, out)),
            3..=5 => {
                let scrap = SCRAPS[usize::from(high)];
                self.step(|core, now, out| core.heard(scrap, now, out));
            }
            6 => self.begin(),
            7 => self.write(bytes),
            8 if high < 4 => self.end(),
            8 => self.step(|core, now, out| core.room(now, out)),
            9 => self.over(Over::Ended),
            10 if high < 4 => self.stop(How::Cancel, bytes.len()),
            10 => self.stop(How::Park, bytes.len()),
            11 => self.step(|core, now, out| core.stalled(high < 8, now, out)),
            12 => {
                let line = Line { paper_out: Some(high < 8), ..Line::default() };
                self.step(|core, now, out| core.line(line, now, out));
            }
            13 if high < 2 => self.core.torn(),
            13 if high < 4 => {
                self.over(Over::Lost);
                self.core.absent();
                self.present(false);
            }
            13 | 14 => self.wake(),
            _ => self.now += Duration::from_millis(u64::from(high) << 8),
        }
    }
}

#[test]
fn fuzz_languages_back_channel() {
    check!().with_type::<(u8, u8, u8, Vec<(u8, Vec<u8>)>)>().for_each(
        |(language, queries, wire, script)| {
            let mut rig = Rig::new(*language, *queries);
            rig.present(*wire < 32);
            script.iter().for_each(|(kind, bytes)| rig.act(*kind, bytes));
        },
    );
}

/// What a fuzzer would take long to find in a document.
const COMMANDS: [&[u8]; 16] = [
    b"\x1b@",
    b"\x1b*\x21\x02\x00\x10\x04\x01\x10\x04\x01",
    b"\x1dv0\x00\x01\x00\x02\x00\x10\x04",
    b"\x1d(L\x02\x00\x30\x32",
    b"\x1dVA\x00",
    b"\x1b3\x10",
    b"\x1dh",
    b"text\n",
    b"^XA",
    b"^XZ\r\n",
    b"^FO1,2^FDtext^FS",
    b"^GFB,4,4,1,~HS^",
    b"~DGR:A.GRF,2,1,FFFF",
    b"~DYR:A,B,G,3,,\x01~\x02",
    b"^CC+",
    b"^",
];

/// A place between two commands is found in the same way whatever the split.
#[test]
fn fuzz_languages_boundaries() {
    check!().with_type::<(u8, u8, Vec<u8>, bool)>().for_each(|(cut, from, input, plain)| {
        let pieces = input.iter().map(|it| COMMANDS[usize::from(*it) % COMMANDS.len()]);
        let document = if *plain { input.clone() } else { pieces.collect::<Vec<_>>().concat() };
        for (name, _) in [LANGUAGES[1], LANGUAGES[2]] {
            let setup = Setup { envelope: false, queries: StatusQueries::WhilePrinting };
            let core = core(name).unwrap()(setup);
            let from = usize::from(*from);
            let whole = core.boundaries().unwrap().find(&document, from);
            let (left, right) = document.split_at(document.len().min(usize::from(*cut)));
            let mut split = core.boundaries().unwrap();
            let found = split.find(left, from).or_else(|| {
                let from = from.saturating_sub(left.len());
                split.find(right, from).map(|at| at + left.len())
            });
            assert_eq!(found, whole, "{name:?}");
            assert!(whole.is_none_or(|at| at >= from && at <= document.len()));
        }
    });
}
