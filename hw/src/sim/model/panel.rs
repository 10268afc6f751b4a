//! What people do to the printer: faults, the cable, questions from outside.

use std::time::Instant;

use super::back::Frame;
use super::interpreter::Interpreter;
use super::pace::Pace;
use super::realtime::Realtime;
use super::{Model, Received, Snapshot};
use crate::sim::answer::Answer;
use crate::sim::command::Command;
use crate::sim::event::Event;

/// Characters that stop and start a host on a serial line.
const DC3: u8 = 0x13;
const DC1: u8 = 0x11;

impl Model {
    /// What it received since the last `reset`.
    pub fn received(&self) -> Received {
        Received {
            bytes: self.tally.bytes(),
            sum: self.tally.sum(),
            monitor_bytes: self.tally.monitor_bytes(),
            jobs: self.tally.jobs(),
            pages: self.pages,
            buffered: self.input.len(),
            discarded: self.discarded,
        }
    }

    /// What can be seen from outside (`hosts` is the wire's business: 0 here).
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            plugged: self.plugged,
            condition: self.condition,
            stalled: self.stalled,
            speed: self.pace.rate(),
            bytes: self.tally.bytes(),
            monitor_bytes: self.tally.monitor_bytes(),
            jobs: self.tally.jobs(),
            pages: self.pages,
            buffered: self.input.len(),
            discarded: self.discarded,
            back_waiting: self.back.waiting(),
            back_sent: self.back.sent(),
            back_lost: self.back.lost(),
            kept_all: self.tally.kept_all(),
            hosts: 0,
        }
    }

    /// Carries out a command.
    pub fn apply(&mut self, command: &Command, now: Instant) -> Answer {
        match command {
            Command::Sense(sensor, on) => {
                *sensor.of(&mut self.condition) = *on;
                self.changed(now);
            }
            Command::Toner(percent) => {
                self.condition.toner_used = 100_u8.saturating_sub(*percent);
                self.changed(now);
            }
            Command::Stall(on) => {
                self.stalled = *on;
                self.log.push(Event::Stalled(*on));
            }
            Command::Speed(rate) => self.pace = Pace::new(*rate, now),
            Command::Say(bytes) => return self.say(bytes),
            Command::Garbage(count) => {
                let noise = self.garbage(*count);
                return self.say(&noise);
            }
            Command::Xoff => return self.flow(DC3, "xoff"),
            Command::Xon => return self.flow(DC1, "xon"),
            Command::Unplug => self.unplug(now),
            Command::Plug => self.plug(),
            Command::Received => return Answer::Received(self.received()),
            Command::State => return Answer::State(Box::new(self.snapshot())),
            Command::Reset => self.reset(),
        }
        Answer::Done
    }

    fn changed(&mut self, now: Instant) {
        self.log.push(Event::Changed(self.condition));
        self.with_language(now, |it, _, bench| it.changed(bench));
        self.run(now);
        self.grant();
    }

    fn say(&mut self, bytes: &[u8]) -> Answer {
        if !self.plugged {
            return Answer::Refused("unplugged: nothing can be sent; `plug` first".to_owned());
        }
        match self.back.push(bytes, &mut self.log) {
            true => Answer::Done,
            false => Answer::Refused(format!(
                "the back channel holds {} bytes that the host has not read, and has no room for {} more",
                self.back.waiting(),
                bytes.len()
            )),
        }
    }

    fn flow(&mut self, character: u8, command: &str) -> Answer {
        match self.serial {
            true => self.say(&[character]),
            false => Answer::Refused(format!(
                "`{command}` is for printers on a serial line; this one's wire has no such characters"
            )),
        }
    }

    /// Bytes from a xorshift generator (Marsaglia, "Xorshift RNGs", 2003).
    fn garbage(&mut self, count: usize) -> Vec<u8> {
        let mut state = self.noise.max(1);
        let bytes = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let [byte, ..] = state.to_be_bytes();
            byte
        });
        let bytes = bytes.take(count).collect();
        self.noise = state;
        bytes
    }

    fn unplug(&mut self, now: Instant) {
        if std::mem::take(&mut self.plugged) {
            self.log.push(Event::Plugged(false));
            self.power_cycle(now);
        }
    }

    fn plug(&mut self) {
        if !std::mem::replace(&mut self.plugged, true) {
            self.log.push(Event::Plugged(true));
        }
    }

    /// The printer starts anew: what it had not printed or said is forgotten, and so are the host's settings. Counts
    /// and faults stay.
    pub fn power_cycle(&mut self, now: Instant) {
        self.close_job(false);
        self.forget_input();
        self.interpreter = Interpreter::new(self.language);
        self.link = super::link(self.language);
        self.realtime = Realtime::new(self.language);
        self.back.clear();
        self.back.frame(self.link.as_ref().map(|_| Frame::default()));
        self.with_language(now, |it, _, bench| it.changed(bench));
    }

    /// What was not printed is lost.
    pub(super) fn forget_input(&mut self) {
        let lost = self.input.clear() as u64;
        self.ends.clear();
        self.express = 0;
        self.interpreter.forget();
        if lost > 0 {
            self.discarded = self.discarded.saturating_add(lost);
            self.log.push(Event::Discarded { bytes: lost });
        }
    }

    fn reset(&mut self) {
        self.tally.reset();
        self.pages = 0;
        self.discarded = 0;
        self.log.push(Event::Reset);
    }
}
