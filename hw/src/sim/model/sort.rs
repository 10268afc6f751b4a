//! Tells a language monitor's traffic from the job on a wire that does not say who speaks.
//!
//! A segment is what lies between two UELs (`ESC %-12345X`). One that holds nothing but whole PJL lines, with a line
//! `@PJL COMMENT despool` among them, is the monitor's, with both its UELs; everything else is the job's.
//!
//! ```text
//!              ESC                 UEL whole              ESC at the start of a line
//!   Outside ─────────► Opening ─────────────────► Lines ─────────────────────────────► Closing
//!      ▲                  │                         │ ▲                                  │  │
//!      │◄── no UEL: job ──┘     not PJL, too long:  │ └── UEL whole, no mark: the ───────┘  │
//!      │◄───────────────────────── all of it job ───┘     segment is job, UEL opens the next │
//!      └◄──────────────────────────── UEL whole, marked: all of it monitor ─────────────────┘
//! ```
//!
//! The one invariant: every byte comes out exactly once, in order; what is undecided is held, at most
//! [`SIM_SEGMENT_BYTES`], and [`Sorter::held`] shows it.

use super::scan::find;
use crate::limits::SIM_SEGMENT_BYTES;

/// Universal Exit Language: leaves whatever language is on and enters PJL (HP PJL Technical Reference Manual ch. 4).
pub(super) const UEL: &[u8; 9] = b"\x1b%-12345X";
pub(super) const ESC: u8 = 0x1b;

/// Bytes of which it is known whose they are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sorted<'a> {
    Job(&'a [u8]),
    /// So many bytes of the language monitor's.
    Monitor(usize),
}

#[derive(Debug, Default)]
pub(super) struct Sorter {
    held: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Outside,
    /// This many bytes of the UEL were seen.
    Opening(usize),
    /// In a segment whose line starts there; was the mark seen?
    Lines { start: usize, marked: bool },
    /// At the start of a line: this many bytes of a UEL were seen.
    Closing { seen: usize, marked: bool },
}

impl Sorter {
    /// Bytes not yet decided on; a job's, if nothing more comes.
    pub(super) fn held(&self) -> &[u8] {
        &self.held
    }

    pub(super) fn sort(&mut self, mut bytes: &[u8], out: &mut impl FnMut(Sorted<'_>)) {
        while let Some((byte, rest)) = bytes.split_first() {
            if let State::Outside = self.state {
                let at = find(bytes, ESC).unwrap_or(bytes.len());
                let (job, rest) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
                if !job.is_empty() {
                    out(Sorted::Job(job));
                }
                if !rest.is_empty() {
                    self.state = State::Opening(0);
                }
                bytes = rest;
            } else if self.step(*byte, out) {
                bytes = rest;
            }
        }
    }

    /// Decides for the job.
    pub(super) fn flush(&mut self, out: &mut impl FnMut(Sorted<'_>)) {
        self.state = State::Outside;
        if !self.held.is_empty() {
            out(Sorted::Job(&self.held));
            self.held.clear();
        }
    }

    /// Forgets what is held.
    pub(super) fn clear(&mut self) {
        self.state = State::Outside;
        self.held.clear();
    }

    /// Takes one byte, or gives up on the segment and leaves the byte to be looked at again (false).
    fn step(&mut self, byte: u8, out: &mut impl FnMut(Sorted<'_>)) -> bool {
        let next = match self.state {
            State::Outside => None,
            State::Opening(seen) => uel(seen, byte).map(|seen| match seen {
                9 => State::Lines { start: seen, marked: false },
                _ => State::Opening(seen),
            }),
            State::Lines { start, marked } => self.line(start, marked, byte),
            State::Closing { seen, marked } => {
                uel(seen, byte).map(|seen| State::Closing { seen, marked })
            }
        };
        let Some(next) = next.filter(|_| self.held.len() < SIM_SEGMENT_BYTES) else {
            self.flush(out);
            return false;
        };
        self.held.push(byte);
        self.state = next;
        if let State::Closing { seen: 9, marked } = next {
            self.close(marked, out);
        }
        true
    }

    fn line(&self, start: usize, marked: bool, byte: u8) -> Option<State> {
        let line = self.held.get(start..).unwrap_or_default();
        if byte == ESC {
            return line.is_empty().then_some(State::Closing { seen: 1, marked });
        }
        let fits = match line.len() {
            at @ 0..4 => b"@PJL".get(at).is_some_and(|wanted| wanted.eq_ignore_ascii_case(&byte)),
            4 => byte.is_ascii_whitespace(),
            _ => true,
        };
        let next = match byte {
            b'\n' => State::Lines {
                start: self.held.len().saturating_add(1),
                marked: marked || is_mark(line),
            },
            _ => State::Lines { start, marked },
        };
        fits.then_some(next)
    }

    /// A segment is complete, with the UEL behind it.
    fn close(&mut self, marked: bool, out: &mut impl FnMut(Sorted<'_>)) {
        if marked {
            out(Sorted::Monitor(self.held.len()));
            return self.clear();
        }
        let segment = self.held.len().saturating_sub(UEL.len());
        out(Sorted::Job(self.held.get(..segment).unwrap_or_default()));
        self.held.drain(..segment);
        self.state = State::Lines { start: UEL.len(), marked: false };
    }
}

/// How many bytes of a UEL were seen after this byte, if it fits.
fn uel(seen: usize, byte: u8) -> Option<usize> {
    (UEL.get(seen) == Some(&byte)).then_some(seen.saturating_add(1))
}

/// Is this line (without its LF) `@PJL COMMENT despool`?
fn is_mark(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"@PJL"))
        && words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"COMMENT"))
        && words.next() == Some(b"despool".as_slice())
        && words.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The job's bytes and the number of the monitor's.
    fn sorted(pieces: &[&[u8]]) -> (Vec<u8>, usize) {
        let (mut sorter, mut job, mut monitor) = (Sorter::default(), Vec::new(), 0);
        let mut out = |sorted: Sorted<'_>| match sorted {
            Sorted::Job(bytes) => job.extend_from_slice(bytes),
            Sorted::Monitor(len) => monitor += len,
        };
        for piece in pieces {
            sorter.sort(piece, &mut out);
        }
        sorter.flush(&mut out);
        (job, monitor)
    }

    const OURS: &[u8] =
        b"\x1b%-12345X@PJL COMMENT despool\r\n@PJL USTATUS DEVICE = ON\r\n\x1b%-12345X";

    #[test]
    fn a_marked_segment_is_the_monitors_with_both_its_uels() {
        let job = b"\x1b%-12345X@PJL ENTER LANGUAGE=PCL\r\n\x1bEpage\x0c\x1bE\x1b%-12345X";
        let all = [OURS, job, OURS].concat();
        assert_eq!(sorted(&[&all]), (job.to_vec(), 2 * OURS.len()));
        assert_eq!(sorted(&[b"text", OURS, b"more"]), (b"textmore".to_vec(), OURS.len()));
    }

    #[test]
    fn whatever_is_not_wholly_pjl_or_not_marked_is_the_jobs() {
        for job in [
            b"\x1b%-12345X@PJL INFO STATUS\r\n\x1b%-12345X".as_slice(),
            b"\x1b%-12345X@PJL COMMENT despool\r\ndata\x1b%-12345X",
            b"\x1b%-12345X@PJL COMMENT despool\r\n@PJLX\n\x1b%-12345X",
            b"\x1b%-12345X@PJL COMMENT despool\x1b%-12345X",
            b"\x1b%-12345X@PJL COMMENT despools\n\x1b%-12345X",
            b"\x1b%-12345X@PJL COMMENT despool 2\n\x1b%-12345X",
            b"\x1b%-12345X@PJL COMMENT despool\n",
            b"\x1b%-12345",
            b"\x1b\x1b%-12345X\x1b%",
        ] {
            assert_eq!(sorted(&[job]), (job.to_vec(), 0), "{}", job.escape_ascii());
        }
    }

    #[test]
    fn the_closing_uel_of_a_jobs_segment_can_open_the_monitors() {
        let job = b"\x1b%-12345X@PJL EOJ\r\n";
        let ours = b"\x1b%-12345X@pjl comment despool\n@PJL\n\x1b%-12345X";
        assert_eq!(sorted(&[job, ours, b"x"]), ([job.as_slice(), b"x"].concat(), ours.len()));
    }

    #[test]
    fn a_segment_that_is_too_long_is_the_jobs() {
        let line = [b"@PJL COMMENT ".as_slice(), &[b'x'; SIM_SEGMENT_BYTES], b"\n"].concat();
        let all = [UEL, b"@PJL COMMENT despool\n".as_slice(), &line, UEL].concat();
        assert_eq!(sorted(&[&all]), (all.clone(), 0));
    }

    proptest! {
        #[test]
        fn loses_nothing_and_does_not_care_for_the_split(
            parts in prop::collection::vec(0usize..6, 0..8),
            cut in 0usize..300,
        ) {
            let mark = b"@PJL COMMENT despool\r\n".as_slice();
            let words = [OURS, b"\x1b", UEL, mark, b"data\n", b"\x1b%-12"];
            let all: Vec<u8> = parts.iter().flat_map(|part| words[*part].to_vec()).collect();
            let whole = sorted(&[&all]);
            let (left, right) = all.split_at(cut.min(all.len()));
            prop_assert_eq!(&sorted(&[left, right]), &whole);
            let single: Vec<&[u8]> = all.chunks(1).collect();
            prop_assert_eq!(&sorted(&single), &whole);
            prop_assert_eq!(whole.0.len() + whole.1, all.len());
        }
    }
}
