//! One client of a control socket: bytes in, lines out, answers back.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags};

use crate::limits::{SIM_CONTROL_ANSWER_BYTES, SIM_CONTROL_CLIENTS, SIM_CONTROL_LINE_BYTES};
use crate::sim::answer::Answer;
use crate::sim::edge::{is_later, send};

#[derive(Debug)]
pub(super) struct Client {
    stream: UnixStream,
    lines: Lines,
    /// Answers that the client has not read.
    out: Vec<u8>,
    /// It has said all it has to say.
    ended: bool,
}

/// Cuts a stream of bytes into lines of a bounded length.
#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    /// The line was too long: its rest is thrown away.
    skipping: bool,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next line, without its end, or what is wrong with it. `ended`: the rest is a line, too.
    fn next(&mut self, ended: bool) -> Option<Result<String, String>> {
        loop {
            let (line, whole) = self.cut(ended)?;
            let was_skipping = std::mem::replace(&mut self.skipping, !whole);
            if was_skipping {
                continue;
            }
            if line.len() > SIM_CONTROL_LINE_BYTES {
                return Some(Err(format!("a line has at most {SIM_CONTROL_LINE_BYTES} bytes")));
            }
            let line = String::from_utf8(line).map_err(|_| "a line is text in UTF-8".to_owned());
            if !line.as_ref().is_ok_and(|line| line.trim_ascii().is_empty()) {
                return Some(line);
            }
        }
    }

    /// The next line, and whether that was all of it: one that is too long comes in several pieces.
    fn cut(&mut self, ended: bool) -> Option<(Vec<u8>, bool)> {
        if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
            let rest = self.bytes.split_off(end.saturating_add(1));
            let mut line = std::mem::replace(&mut self.bytes, rest);
            line.pop();
            return Some((line, true));
        }
        let rest = !self.bytes.is_empty() && (ended || self.bytes.len() > SIM_CONTROL_LINE_BYTES);
        rest.then(|| (std::mem::take(&mut self.bytes), ended))
    }
}

impl Client {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream, lines: Lines::default(), out: Vec::new(), ended: false }
    }

    pub(super) fn interest(&self) -> PollFd<'_> {
        let interest = if self.out.is_empty() { PollFlags::IN } else { PollFlags::OUT };
        PollFd::new(&self.stream, interest)
    }

    /// Reads, answers, writes; false: the client is gone.
    pub(super) fn serve(&mut self, answer: impl Fn(&str) -> String) -> bool {
        let done = self.read().and_then(|()| {
            loop {
                self.answer(&answer);
                let full = self.out.len() >= SIM_CONTROL_ANSWER_BYTES;
                send(&mut self.out, |bytes| self.stream.write(bytes))?;
                if !full || !self.out.is_empty() {
                    return Ok(());
                }
            }
        });
        done.is_ok() && !(self.ended && self.out.is_empty())
    }

    fn read(&mut self) -> io::Result<()> {
        if !self.out.is_empty() || self.ended {
            return Ok(());
        }
        let mut buf = [0; 4096];
        match self.stream.read(&mut buf) {
            Ok(0) => self.ended = true,
            Ok(len) => self.lines.push(buf.get(..len).unwrap_or_default()),
            Err(error) if is_later(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Answers lines, as long as there is room for answers.
    fn answer(&mut self, answer: &impl Fn(&str) -> String) {
        while self.out.len() < SIM_CONTROL_ANSWER_BYTES {
            let Some(line) = self.lines.next(self.ended) else { return };
            let line = line.map_or_else(|why| Answer::Refused(why).to_json(), |line| answer(&line));
            self.out.extend_from_slice(line.as_bytes());
            self.out.push(b'\n');
        }
    }
}

/// Tells somebody that there is no place left.
pub(super) fn turn_away(mut stream: &UnixStream) {
    let why = format!("{SIM_CONTROL_CLIENTS} clients are connected already; close one of them");
    let answer = Answer::Refused(why).to_json();
    // Whoever does not read it hears the hang-up.
    let _ = stream.write_all(format!("{answer}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(pieces: &[&[u8]]) -> Vec<Result<String, String>> {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.push(piece);
            out.extend(std::iter::from_fn(|| lines.next(false)));
            assert!(lines.bytes.len() <= SIM_CONTROL_LINE_BYTES);
        }
        out.extend(std::iter::from_fn(|| lines.next(true)));
        out
    }

    #[test]
    fn cuts_lines_and_refuses_what_is_none() {
        let cut = lines(&[b"plug\nrece", b"ived\r\n\n \nreset"]);
        assert_eq!(cut, [Ok("plug".into()), Ok("received\r".into()), Ok("reset".into())]);
        let cut = lines(&[b"\xff\xfe\nplug\n"]);
        assert!(cut[0].as_ref().unwrap_err().contains("UTF-8"));
        assert_eq!(cut[1], Ok("plug".into()));
    }

    #[test]
    fn a_line_that_is_too_long_is_one_error_however_long_it_is() {
        let long = vec![b'x'; SIM_CONTROL_LINE_BYTES + 1];
        let cut = lines(&[&long, &long, b"tail\nplug\n"]);
        assert_eq!(cut.len(), 2);
        assert!(cut[0].as_ref().unwrap_err().contains("at most"));
        assert_eq!(cut[1], Ok("plug".into()));
        let whole = [long.as_slice(), b"\nplug\n"].concat();
        assert_eq!(lines(&[&whole]).len(), 2);
    }

    proptest! {
        #[test]
        fn the_split_does_not_matter(
            bytes in prop::collection::vec(
                prop::sample::select(b"ab \n\r\xff".to_vec()), 0..60),
            cut in 0usize..60,
        ) {
            let (left, right) = bytes.split_at(cut.min(bytes.len()));
            prop_assert_eq!(lines(&[left, right]), lines(&[&bytes]));
        }
    }
}
