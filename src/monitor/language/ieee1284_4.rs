//! IEEE 1284.4: packets on one pipe, so that status travels beside the document and each way waits for nobody (IEEE
//! 1284.4-2000; the commands as HPLIP and the Epson tools have them).
//!
//! ```text
//!   document ──► slices, a header before each ──► port         credit: one packet each, given by who receives
//!                     ▲ PJL, between jobs
//!   findings ◄── PJL ◄── payload ◄── packets ◄── back channel
//! ```
//!
//! Within the channel that takes documents speaks [`Pjl`], as on a bare wire; that the pipe is shared it does not see. A
//! packet that was begun must be completed, whatever becomes of the job: a job that goes on completes it with its own bytes,
//! any other end fills it up with zeros, which no printer prints.
//!
//! A device that never answered is taken for one that does not speak packets: its documents go as they are.
//!
//! What it is not: the negotiation of the wire's mode (a USB printer speaks packets on its interface 7/1/3, an Epson is
//! switched over by a magic string), nor any other service that the device may have (scanner, fax).

mod command;
mod link;
mod packet;
mod track;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use despool_spool::JobId;

use self::command::Heard;
use self::link::Link;
use self::packet::{Packets, header};
use self::track::{Rest, Track};
use super::pjl::Pjl;
use super::questions::{Due, Questions};
use super::{Action, DeviceNote, Finding, JobNote, Language, Over, Setup, Status, earlier};
use crate::limits::{D4_WAITING, STATUS_PACE_BUSY};
use crate::monitor::port::How;
use crate::piece::Piece;

/// The language's state.
pub(super) struct Ieee1284_4 {
    setup: Setup,
    inner: Pjl,
    device: DeviceNote,
    packets: Packets,
    link: Link,
    questions: Questions,
    /// When credit is asked for again.
    again: Option<Instant>,
    /// What waits for the link or for credit.
    waiting: VecDeque<Waiting>,
    playing: Option<Playing>,
    /// The packet that a stopped job left half sent, and where in the job.
    half: Option<(JobId, u64, Rest)>,
}

/// What is to go out on the channel.
#[derive(Debug)]
enum Waiting {
    /// Bytes of the language within.
    Ours(Bytes),
    /// A piece of the document, from its first byte that has not been sent.
    Job(Piece, usize),
    /// The document is over.
    End,
}

/// The document on its way.
#[derive(Debug)]
struct Playing {
    job: JobId,
    track: Track,
    /// So many bytes of it belong to a packet whose header has gone.
    owed: usize,
    /// Packets that must wait for them.
    behind: Vec<Bytes>,
    /// Everything was given to the port.
    ended: bool,
    /// What must wait until the document is over.
    later: Vec<Bytes>,
}

impl Ieee1284_4 {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            setup,
            inner: Pjl::new(setup),
            device: DeviceNote::default(),
            packets: Packets::default(),
            link: Link::new(false),
            questions: Questions::default(),
            again: None,
            waiting: VecDeque::new(),
            playing: None,
            half: None,
        }
    }

    /// Sends bytes of ours that are whole packets (or a magic string).
    fn send(&mut self, bytes: impl Into<Bytes>, out: &mut Vec<Action>) {
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
                playing.track.ours(bytes.clone(), false);
                out.push(Action::write(bytes));
            }
        }
    }

    fn start(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.packets = Packets::default();
        let begin = self.link.start();
        self.send(begin, out);
        self.wait(now);
    }

    fn wait(&mut self, now: Instant) {
        match self.link.waits() {
            true => self.questions.asked(now),
            false => self.questions.answered(),
        }
    }

    /// Has the language within do something, and brings what it wants onto the channel.
    fn within(&mut self, out: &mut Vec<Action>, step: impl FnOnce(&mut Pjl, &mut Vec<Action>)) {
        let mut wanted = Vec::new();
        step(&mut self.inner, &mut wanted);
        for action in wanted {
            match action {
                Action::Say(bytes) | Action::Ask(bytes) => self.put_in(Waiting::Ours(bytes)),
                Action::Write(piece) if !piece.is_of_job() => {
                    self.put_in(Waiting::Ours(Bytes::copy_from_slice(piece.lend(0).bytes)));
                }
                Action::Write(piece) => self.put_in(Waiting::Job(piece, 0)),
                Action::End => self.put_in(Waiting::End),
                // A piece is gone when all its slices are.
                Action::Room => {}
                Action::Found(_) => out.push(action),
            }
        }
    }

    /// What is said while nobody listens is bounded; the document is by who gives it.
    fn put_in(&mut self, waiting: Waiting) {
        let ours = |it: &Waiting| matches!(it, Waiting::Ours(_));
        if ours(&waiting) && self.waiting.iter().filter(|it| ours(it)).count() >= D4_WAITING {
            return;
        }
        self.waiting.push_back(waiting);
    }

    /// Sends what can be sent.
    fn pump(&mut self, now: Instant, out: &mut Vec<Action>) {
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
            && let Some(request) = self.link.request()
        {
            self.send(request, out);
            self.again = now.checked_add(STATUS_PACE_BUSY);
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
        let playing = self.playing.as_mut()?;
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
        playing.track.ours(head.clone(), true);
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

    fn came_up(&mut self, now: Instant, out: &mut Vec<Action>) {
        let device = DeviceNote { job_is_connection: false, ..self.device.clone() };
        if self.playing.is_none() {
            self.within(out, |inner, out| inner.present(&device, now, out));
        }
    }

    fn command(&mut self, payload: &[u8], now: Instant, out: &mut Vec<Action>) {
        let Some(heard) = Heard::read(payload) else { return };
        let was_up = self.link.is_up();
        let reply = self.link.hear(heard);
        self.send(reply, out);
        self.wait(now);
        if self.link.is_up() && !was_up {
            self.came_up(now, out);
        }
    }

    /// Completes the packet that was begun, with zeros.
    fn fill_up(&mut self, rest: Rest, out: &mut Vec<Action>) {
        let zeros = vec![0; rest.payload];
        self.send([&rest.ours[..], &zeros].concat(), out);
        self.unsaid(rest.unsaid, out);
    }

    fn unsaid(&mut self, packets: Vec<Bytes>, out: &mut Vec<Action>) {
        for packet in packets {
            self.send(packet, out);
        }
    }

    /// The document was stopped: where does that leave the device?
    fn stopped(&mut self, playing: Playing, how: Over, out: &mut Vec<Action>) {
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

impl Language for Ieee1284_4 {
    fn present(&mut self, device: &DeviceNote, now: Instant, out: &mut Vec<Action>) {
        self.device = device.clone();
        if device.job_is_connection && self.playing.is_none() {
            return;
        }
        if self.link.is_off() {
            let make = device.id.as_ref().and_then(|id| id.make.as_deref()).unwrap_or_default();
            self.link = Link::new(make.eq_ignore_ascii_case("EPSON"));
            self.start(now, out);
        } else if self.link.is_up() {
            self.came_up(now, out);
            self.pump(now, out);
        }
    }

    fn absent(&mut self) {
        let playing = self.playing.take();
        *self = Self { playing, ..Self::new(self.setup) };
    }

    fn begin(&mut self, job: &JobNote, now: Instant, out: &mut Vec<Action>) {
        let (track, job_id) = (Track::begin(job.from), job.job);
        self.playing = Some(Playing {
            job: job_id,
            track,
            owed: 0,
            behind: Vec::new(),
            ended: false,
            later: Vec::new(),
        });
        match self.half.take() {
            Some((half, at, rest)) if (half, at) == (job.job, job.from) => {
                let Rest { ours, payload, unsaid, .. } = rest;
                if let Some(playing) = &mut self.playing {
                    if !ours.is_empty() {
                        playing.track.ours(ours.clone(), payload > 0);
                        out.push(Action::write(ours));
                    }
                    playing.owed = payload;
                }
                self.unsaid(unsaid, out);
            }
            Some((_, _, rest)) => self.fill_up(rest, out),
            None => {}
        }
        if self.device.job_is_connection {
            self.link = Link::new(false);
            self.start(now, out);
        }
        self.within(out, |inner, out| inner.begin(job, now, out));
        self.pump(now, out);
    }

    fn write(&mut self, piece: Piece, now: Instant, out: &mut Vec<Action>) {
        self.put_in(Waiting::Job(piece, 0));
        self.pump(now, out);
    }

    fn room(&mut self, _: Instant, out: &mut Vec<Action>) {
        if self.playing.as_mut().is_some_and(|playing| playing.track.went()) {
            out.push(Action::Room);
        }
    }

    fn end(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.within(out, |inner, out| inner.end(now, out));
        self.pump(now, out);
    }

    fn over(&mut self, how: Over, now: Instant, out: &mut Vec<Action>) {
        let Some(mut playing) = self.playing.take() else { return };
        let later = std::mem::take(&mut playing.later);
        self.stopped(playing, how, out);
        self.unsaid(later, out);
        if self.device.job_is_connection {
            (self.link, self.waiting) = (Link::new(false), VecDeque::new());
            return self.questions.stop();
        }
        self.within(out, |inner, out| inner.over(how, now, out));
        self.pump(now, out);
    }

    fn torn(&mut self) {
        self.packets.tear();
        self.inner.torn();
    }

    fn heard(&mut self, bytes: &[u8], now: Instant, out: &mut Vec<Action>) {
        for byte in bytes {
            let Some(packet) = self.packets.take(*byte) else { continue };
            if packet.socket == 0 {
                self.command(&packet.payload, now, out);
                continue;
            }
            let mut reply = Vec::new();
            if self.link.data(packet.socket, packet.credit, &mut reply) {
                self.send(reply, out);
                self.within(out, |inner, out| inner.heard(&packet.payload, now, out));
            }
        }
        if self.packets.is_garbled() && !self.link.is_deaf() && !self.link.is_off() {
            self.start(now, out);
        }
        self.pump(now, out);
    }

    fn due(&self) -> Option<Instant> {
        earlier(earlier(self.questions.due(), self.again), self.inner.due())
    }

    fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        match self.questions.tick(now) {
            Due::Nothing => {}
            due => {
                let missed = self.link.missed(due == Due::Silent);
                self.send(missed, out);
                if self.link.waits() {
                    self.questions.asked(now);
                }
                if due == Due::Silent {
                    out.push(Action::Found(Finding::Status(Status::default())));
                }
            }
        }
        if self.again.is_some_and(|at| at <= now) {
            self.again = None;
            self.link.ask_again();
        }
        self.within(out, |inner, out| inner.tick(now, out));
        self.pump(now, out);
    }
}

#[cfg(test)]
mod tests;
