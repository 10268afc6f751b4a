//! What goes out: packets of ours, and the document in slices, a header before each.
//!
//! ```text
//!   waiting ──► credit? ──► header, slice ──► port ──► track
//!                 └─ none: asked for; soon again when there was none to give, seldom when that was not answered
//! ```
//!
//! The invariant: between the header of a packet and its last byte goes nothing else.

use std::time::Instant;

use bytes::Bytes;
use despool_spool::JobId;

use super::packet::header;
use super::track::{Kind, Rest, Track};
use super::{Action, Ieee1284_4, Over};
use crate::limits::{D4_PACKETS, D4_WAITING, STATUS_PACE_SILENT};
use crate::monitor::port::How;
use crate::piece::Piece;

/// What is to go out on the channel.
#[derive(Debug)]
pub(super) enum Waiting {
    /// Bytes of the language within.
    Ours(Bytes),
    /// A piece of the document, from its first byte that has not been sent.
    Job(Piece, usize),
    /// The document is over.
    End,
}

/// The document on its way.
#[derive(Debug)]
pub(super) struct Playing {
    pub(super) job: JobId,
    pub(super) track: Track,
    /// So many bytes of it belong to a packet whose header has gone.
    pub(super) owed: usize,
    /// Packets that must wait for them.
    pub(super) behind: Vec<Bytes>,
    /// Everything was given to the port.
    pub(super) ended: bool,
    /// What must wait until the document is over.
    pub(super) later: Vec<Bytes>,
}

impl Playing {
    pub(super) fn new(job: JobId, from: u64) -> Self {
        let (track, owed) = (Track::begin(from), 0);
        Self { job, track, owed, behind: Vec::new(), ended: false, later: Vec::new() }
    }
}

impl Ieee1284_4 {
    /// Sends bytes of ours that are whole packets (or a magic string).
    pub(super) fn send(&mut self, bytes: impl Into<Bytes>, out: &mut Vec<Action>) {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return;
        }
        match (&mut self.playing, &mut self.half) {
            // What is said in the middle of a packet would be part of it.
            (None, Some((_, _, rest))) if rest.unsaid.len() < D4_WAITING => rest.unsaid.push(bytes),
            (None, Some(_)) => {}
            (None, None) => out.push(Action::Say(bytes)),
            (Some(playing), _) if playing.ended => playing.later.push(bytes),
            (Some(playing), _) if playing.owed > 0 => playing.behind.push(bytes),
            (Some(playing), _) => {
                playing.track.ours(bytes.clone(), Kind::Whole);
                out.push(Action::write(bytes));
            }
        }
    }

    /// What is said while nobody listens is bounded; the document is by who gives it.
    pub(super) fn put_in(&mut self, waiting: Waiting) {
        let ours = |it: &Waiting| matches!(it, Waiting::Ours(_));
        if ours(&waiting) && self.waiting.iter().filter(|it| ours(it)).count() >= D4_WAITING {
            return;
        }
        self.waiting.push_back(waiting);
    }

    /// Sends what can be sent.
    pub(super) fn pump(&mut self, now: Instant, out: &mut Vec<Action>) {
        if self.playing.is_none() && self.half.is_some() {
            return;
        }
        while let Some(next) = self.next() {
            let next = match next {
                Waiting::Job(piece, from) => self.send_piece(piece, from, out),
                Waiting::Ours(bytes) => self.send_ours(bytes, out),
                Waiting::End => {
                    if let Some(playing) = &mut self.playing {
                        playing.ended = true;
                        out.push(Action::End);
                    }
                    Ok(())
                }
            };
            if let Err(next) = next {
                self.waiting.push_front(next);
                break;
            }
        }
        if !self.waiting.is_empty()
            && !self.stalled
            && let Some(request) = self.link.request()
        {
            self.send(request, out);
            self.again = now.checked_add(STATUS_PACE_SILENT);
        }
    }

    /// What goes out next: while a packet is owed bytes of the document, these.
    fn next(&mut self) -> Option<Waiting> {
        let owed = self.playing.as_ref().is_some_and(|playing| playing.owed > 0);
        let job = |it: &Waiting| matches!(it, Waiting::Job(..));
        let at = if owed { self.waiting.iter().position(job)? } else { 0 };
        self.waiting.remove(at)
    }

    /// Sends a piece in slices; what is left of it when the credit ends.
    fn send_piece(
        &mut self,
        piece: Piece,
        mut from: usize,
        out: &mut Vec<Action>,
    ) -> Result<(), Waiting> {
        loop {
            let left = piece.len().saturating_sub(from);
            let Some(len) = self.packet_of(left, out) else {
                return Err(Waiting::Job(piece, from));
            };
            let Some(playing) = &mut self.playing else { return Ok(()) };
            let to = from.saturating_add(len);
            let ends = to >= piece.len();
            playing.track.job(len, ends);
            out.push(Action::Write(piece.slice(from..to)));
            if playing.owed == 0 {
                let behind = std::mem::take(&mut playing.behind);
                self.unsaid(behind, out);
            }
            if ends {
                return Ok(());
            }
            from = to;
        }
    }

    /// Begins a packet with bytes of the document, of which so many are left, or goes on with one: how many belong to it.
    fn packet_of(&mut self, left: usize, out: &mut Vec<Action>) -> Option<usize> {
        let playing = self.playing.as_mut().filter(|it| it.track.under_way() < D4_PACKETS)?;
        if playing.owed > 0 {
            let len = playing.owed.min(left);
            playing.owed = playing.owed.saturating_sub(len);
            return Some(len);
        }
        if self.link.is_deaf() || left == 0 {
            return Some(left);
        }
        let (socket, payload) = self.link.spend()?;
        let len = left.min(payload);
        let head = Bytes::copy_from_slice(&header(socket, len, 0));
        playing.track.ours(head.clone(), Kind::Head);
        out.push(Action::write(head));
        Some(len)
    }

    /// Sends bytes of the language within; what is left of them when the credit ends.
    fn send_ours(&mut self, mut bytes: Bytes, out: &mut Vec<Action>) -> Result<(), Waiting> {
        if self.link.is_deaf() {
            self.send(bytes, out);
            return Ok(());
        }
        while !bytes.is_empty() {
            let Some((socket, payload)) = self.link.spend() else {
                return Err(Waiting::Ours(bytes));
            };
            let packet = bytes.split_to(payload.min(bytes.len()));
            self.send([&header(socket, packet.len(), 0)[..], &packet].concat(), out);
        }
        Ok(())
    }

    /// Completes the packet that was begun, with zeros.
    pub(super) fn fill_up(&mut self, rest: Rest, out: &mut Vec<Action>) {
        let zeros = vec![0; rest.payload];
        self.send([&rest.ours[..], &zeros].concat(), out);
        self.unsaid(rest.unsaid, out);
    }

    pub(super) fn unsaid(&mut self, packets: Vec<Bytes>, out: &mut Vec<Action>) {
        for packet in packets {
            self.send(packet, out);
        }
    }

    /// The document was stopped: where does that leave the device?
    pub(super) fn stopped(&mut self, playing: Playing, how: Over, out: &mut Vec<Action>) {
        self.waiting.retain(|it| matches!(it, Waiting::Ours(_)));
        let Over::Stopped(how, stopped) = how else { return };
        let accepted = stopped.map(|stopped| stopped.played.accepted);
        let mut rest = playing.track.stop(stopped.unwrap_or_default());
        rest.payload = rest.payload.saturating_add(playing.owed);
        rest.unsaid.extend(playing.behind);
        self.link.give_back(rest.unseen);
        match (how, accepted) {
            (How::Cancel, _) => self.fill_up(rest, out),
            (How::Park | How::Close, Some(at)) => self.half = Some((playing.job, at, rest)),
            (How::Park | How::Close, None) => {}
        }
    }
}
