//! What was given to the port in this playing and has perhaps not gone: where within a packet the device stands when the
//! playing is stopped.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::monitor::port::Stopped;

/// What was given to the port, in order.
#[derive(Debug, Default)]
pub(super) struct Track {
    parts: VecDeque<Part>,
    /// Bytes of ours and of the job that have gone before these.
    gone: Stopped,
}

#[derive(Clone, Debug)]
enum Part {
    Ours {
        bytes: Bytes,
        kind: Kind,
    },
    /// Bytes of the job; they end a piece as it was given to us.
    Job {
        len: usize,
        ends_piece: bool,
    },
}

/// What bytes of ours are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whole packets.
    Whole,
    /// A header: the bytes of the job that follow belong to its packet.
    Head,
    /// The rest of either, whose beginning has gone in an earlier playing.
    Rest,
}

/// Where in a packet the device stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
    /// The rest of our bytes.
    pub(super) ours: Bytes,
    /// Then so many bytes of the job.
    pub(super) payload: usize,
    /// Packets with bytes of the job that the device has seen nothing of.
    pub(super) unseen: usize,
    /// Packets of ours alone that it has seen nothing of.
    pub(super) unsaid: Vec<Bytes>,
}

impl Track {
    /// A playing begins; `from` bytes of the job have gone before.
    pub(super) fn begin(from: u64) -> Self {
        let mut track = Self::default();
        track.gone.played.accepted = from;
        track
    }

    pub(super) fn ours(&mut self, bytes: Bytes, kind: Kind) {
        self.parts.push_back(Part::Ours { bytes, kind });
    }

    pub(super) fn job(&mut self, len: usize, ends_piece: bool) {
        self.parts.push_back(Part::Job { len, ends_piece });
    }

    /// How often bytes of the job were given that have not gone.
    pub(super) fn under_way(&self) -> usize {
        self.parts.iter().filter(|part| matches!(part, Part::Job { .. })).count()
    }

    /// Bytes of the job, as they were given to the port at one stroke, have gone, with all before them; true where a piece
    /// as it was given to us ends there.
    pub(super) fn went(&mut self) -> bool {
        while let Some(part) = self.parts.pop_front() {
            match part {
                Part::Ours { bytes, .. } => {
                    self.gone.said = self.gone.said.saturating_add(count(bytes.len()));
                }
                Part::Job { len, ends_piece } => {
                    let played = &mut self.gone.played.accepted;
                    *played = played.saturating_add(count(len));
                    return ends_piece;
                }
            }
        }
        false
    }

    /// Where the device stands when so much has gone. (Where it is not certain how much, the least is taken.)
    pub(super) fn stop(self, stopped: Stopped) -> Rest {
        let left = |now: u64, before: u64| {
            usize::try_from(now.saturating_sub(before)).unwrap_or(usize::MAX)
        };
        let mut ours = left(stopped.said, self.gone.said);
        let mut job = left(stopped.played.accepted, self.gone.played.accepted);
        let mut rest: Option<Rest> = None;
        // Bytes of the job belong to the packet that the device is in.
        let mut within = true;
        for part in self.parts {
            match (&mut rest, part) {
                (None, Part::Ours { bytes, .. }) if bytes.len() <= ours => {
                    ours = ours.saturating_sub(bytes.len());
                }
                (None, Part::Ours { bytes, kind }) if ours > 0 || kind == Kind::Rest => {
                    rest = Some(Rest { ours: bytes.slice(ours..), ..Rest::default() });
                }
                (None, Part::Job { len, .. }) if len <= job => job = job.saturating_sub(len),
                (None, Part::Job { len, .. }) => {
                    let payload = len.saturating_sub(job);
                    rest = Some(Rest { payload, ..Rest::default() });
                }
                (rest, Part::Ours { bytes, kind }) => {
                    within = false;
                    let rest = rest.get_or_insert_default();
                    match kind {
                        Kind::Head => rest.unseen = rest.unseen.saturating_add(1),
                        Kind::Whole | Kind::Rest => rest.unsaid.push(bytes),
                    }
                }
                (Some(rest), Part::Job { len, .. }) if within => {
                    rest.payload = rest.payload.saturating_add(len);
                }
                (Some(_), Part::Job { .. }) => {}
            }
        }
        rest.unwrap_or_default()
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use despool_spool::Played;

    use super::*;

    fn stopped(said: u64, accepted: u64) -> Stopped {
        Stopped { said, played: Played { accepted, offered: accepted } }
    }

    /// A command, then two packets of ten bytes, the second of which ends a piece.
    fn track() -> Track {
        let mut track = Track::begin(100);
        track.ours(b"COMMAND".as_slice().into(), Kind::Whole);
        track.ours(b"HEADER".as_slice().into(), Kind::Head);
        track.job(10, false);
        track.ours(b"header".as_slice().into(), Kind::Head);
        track.job(10, true);
        track
    }

    #[test]
    fn wherever_it_is_stopped_it_is_known_where_in_a_packet() {
        let rest = |ours: &'static [u8], payload, unseen| Rest {
            ours: ours.into(),
            payload,
            unseen,
            unsaid: Vec::new(),
        };
        for (said, accepted, expected) in [
            (3, 100, rest(b"MAND", 0, 2)),
            (7, 100, rest(b"", 0, 2)),
            (8, 100, rest(b"EADER", 10, 1)),
            (13, 100, rest(b"", 10, 1)),
            (13, 104, rest(b"", 6, 1)),
            (13, 110, rest(b"", 0, 1)),
            (18, 110, rest(b"r", 10, 0)),
            (19, 119, rest(b"", 1, 0)),
            (19, 120, rest(b"", 0, 0)),
        ] {
            assert_eq!(track().stop(stopped(said, accepted)), expected, "{said} {accepted}");
        }
        let nothing = track().stop(stopped(0, 100));
        assert_eq!((nothing.unseen, nothing.unsaid), (2, vec![Bytes::from("COMMAND")]));
    }

    #[test]
    fn a_packet_that_was_begun_before_is_still_begun() {
        for (said, left) in [(0, &b"ADER"[..]), (3, b"R")] {
            let mut track = Track::begin(100);
            track.ours(b"ADER".as_slice().into(), Kind::Rest);
            track.job(10, false);
            let rest = Rest { ours: Bytes::from_static(left), payload: 10, ..Rest::default() };
            assert_eq!(track.stop(stopped(said, 100)), rest, "{said}");
        }
    }

    #[test]
    fn what_has_gone_is_forgotten() {
        let mut track = track();
        assert!(!track.went());
        let rest = Rest { ours: b"der".as_slice().into(), payload: 10, ..Rest::default() };
        let mut other = Track::begin(100);
        std::mem::swap(&mut track, &mut other);
        assert_eq!(other.stop(stopped(16, 110)), rest);
        let mut track = self::track();
        track.went();
        assert!(track.went());
        assert!(!track.went());
        assert_eq!(track.stop(stopped(19, 120)), Rest::default());
    }
}
