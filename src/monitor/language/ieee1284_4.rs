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
mod sending;
mod track;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use despool_spool::JobId;

use self::command::Heard;
use self::link::Link;
use self::packet::Packets;
use self::sending::{Playing, Waiting};
use self::track::{Kind, Rest};
use super::pjl::Pjl;
use super::questions::{Due, Questions};
use super::{Action, DeviceNote, Finding, JobNote, Language, Over, Setup, Status, earlier};
use crate::limits::STATUS_PACE_BUSY;
use crate::piece::Piece;

/// The language's state.
pub(super) struct Ieee1284_4 {
    setup: Setup,
    inner: Pjl,
    device: DeviceNote,
    packets: Packets,
    link: Link,
    questions: Questions,
    /// The device takes nothing: asking again would only lengthen the queue.
    stalled: bool,
    /// When credit is asked for again.
    again: Option<Instant>,
    /// What waits for the link or for credit.
    waiting: VecDeque<Waiting>,
    playing: Option<Playing>,
    /// The packet that a stopped job left half sent, and where in the job.
    half: Option<(JobId, u64, Rest)>,
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
            stalled: false,
            again: None,
            waiting: VecDeque::new(),
            playing: None,
            half: None,
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

    fn came_up(&mut self, now: Instant, out: &mut Vec<Action>) {
        let device = DeviceNote { job_is_connection: false, ..self.device.clone() };
        if self.playing.is_none() {
            self.within(out, |inner, out| inner.present(&device, now, out));
        }
    }

    fn command(&mut self, payload: &[u8], now: Instant, out: &mut Vec<Action>) {
        let Some(heard) = Heard::read(payload) else { return };
        if let Heard::Granted { .. } = heard {
            let soon = now.checked_add(STATUS_PACE_BUSY);
            self.again = self.again.and_then(|at| earlier(Some(at), soon));
        }
        let was_up = self.link.is_up();
        let reply = self.link.hear(heard);
        self.send(reply, out);
        self.wait(now);
        if self.link.is_up() && !was_up {
            self.came_up(now, out);
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
        self.playing = Some(Playing::new(job.job, job.from));
        match self.half.take() {
            Some((half, at, rest)) if (half, at) == (job.job, job.from) => {
                let Rest { ours, payload, unsaid, .. } = rest;
                if let Some(playing) = &mut self.playing {
                    if !ours.is_empty() {
                        playing.track.ours(ours.clone(), Kind::Rest);
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

    fn room(&mut self, now: Instant, out: &mut Vec<Action>) {
        if self.playing.as_mut().is_some_and(|playing| playing.track.went()) {
            out.push(Action::Room);
        }
        self.pump(now, out);
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

    fn stalled(&mut self, stalled: bool, now: Instant, out: &mut Vec<Action>) {
        self.stalled = stalled;
        match stalled {
            true => self.questions.stop(),
            false => self.wait(now),
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
