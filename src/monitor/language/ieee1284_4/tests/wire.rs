//! Our end and a printer's, on a wire that carries as much at a time, and as late, as it likes: whatever happens, the
//! document arrives, each of its bytes once.
//!
//! ```text
//!   document ──► core ──► wire ──► simulated printer
//!                  ▲ └◄── gone ◄──┘      │
//!                  └◄───── back channel ◄┘
//! ```

use std::collections::VecDeque;

use despool_hw::Origin;
use despool_hw::sim::{Keep, Language as Speaks, Model, ModelOptions, parse_command};

use super::*;
use crate::limits::{LANE_ORDERS, LANE_PIECES, STALL_AFTER};

/// What happens next.
#[derive(Clone, Debug)]
enum Event {
    /// The wire carries at most so many bytes to the printer …
    Carry(usize),
    /// … and from it.
    Back(usize),
    /// The port says that a piece has gone.
    Gone,
    /// The next piece of the document comes.
    Write,
    Wait(Duration),
    /// At the printer.
    Command(&'static str),
    /// The port tells of the device again.
    Present,
    /// The job is stopped, and goes on or begins anew.
    Stop(How),
}

struct Bench {
    rig: Rig,
    printer: Model,
    document: Vec<Vec<u8>>,
    /// Bytes of it that were given; more than there are: its end, too.
    next: usize,
    /// Pieces that were given, and for which no room was told yet.
    given: usize,
    ended: bool,
    wire: VecDeque<(Origin, Vec<u8>)>,
    /// So many of these were said before the playing.
    preceding: usize,
    /// Said during the playing, to go out after it.
    beside: VecDeque<(Origin, Vec<u8>)>,
    /// Pieces whose going was not told yet.
    gone: usize,
    at: Stopped,
    canceled: bool,
    /// When the printer took something last.
    moved: Instant,
    stalled: bool,
}

impl Bench {
    fn new(buffer_bytes: usize, document: Vec<Vec<u8>>) -> Self {
        let rig = Rig::new(Ieee1284_4::new(PLAIN));
        let keep = Keep::Memory { limit_bytes: 1 << 20 };
        let options = ModelOptions { buffer_bytes, keep, ..ModelOptions::default() };
        let printer = Model::new(Speaks::Ieee1284_4, options, rig.now);
        let mut bench = Self {
            moved: rig.now,
            stalled: false,
            rig,
            printer,
            document,
            next: 0,
            given: 0,
            ended: false,
            wire: VecDeque::new(),
            preceding: 0,
            beside: VecDeque::new(),
            gone: 0,
            at: Stopped::default(),
            canceled: false,
        };
        bench.present();
        bench.begin(0);
        // One that does not answer at all is taken for one that does not speak packets.
        bench.event(&Event::Carry(usize::MAX));
        bench.event(&Event::Back(64));
        bench
    }

    fn step(&mut self, step: impl FnOnce(&mut Rig) -> Vec<Did>) -> bool {
        let did = step(&mut self.rig);
        let moved = !did.is_empty();
        for did in did {
            match did {
                Did::Say(bytes) => self.beside.push_back((Origin::Monitor, bytes)),
                Did::Add(bytes) => self.wire.push_back((Origin::Monitor, bytes)),
                Did::Write(bytes) => self.wire.push_back((Origin::Job, bytes)),
                Did::Room => self.given -= 1,
                Did::End => self.ended = true,
                Did::Found(_) => {}
                Did::Ask(_) => panic!("nothing has to be asked in the middle of a document"),
            }
        }
        assert!(self.wire.len() <= LANE_ORDERS, "more than a lane takes");
        moved
    }

    fn present(&mut self) {
        self.step(|rig| rig.present(&device("MFG:HP;")));
    }

    fn begin(&mut self, from: usize) {
        self.at = Stopped::default();
        self.at.played.accepted = from as u64;
        (self.next, self.given, self.gone, self.ended) = (from, 0, 0, false);
        // What was said before the job goes out before it.
        self.wire = std::mem::take(&mut self.beside);
        self.preceding = self.wire.len();
        self.step(|rig| rig.begin(from as u64));
    }

    fn event(&mut self, event: &Event) -> bool {
        match event {
            Event::Carry(most) => self.carry(*most),
            Event::Back(most) => {
                let mut bytes = vec![0; *most];
                let len = self.printer.read_back(&mut bytes);
                self.step(|rig| rig.hear(&bytes[..len])) || len > 0
            }
            Event::Gone => {
                let gone = self.gone > 0;
                self.gone -= usize::from(gone);
                if gone {
                    self.step(room);
                }
                gone
            }
            Event::Write => self.write(),
            Event::Wait(time) => self.wait(self.rig.now + *time),
            Event::Command(line) => {
                self.printer.apply(&parse_command(line).unwrap(), self.rig.now);
                true
            }
            Event::Present => {
                self.present();
                true
            }
            Event::Stop(how) => {
                self.stop(*how);
                true
            }
        }
    }

    /// The front of what waits goes as far as the printer takes it.
    fn carry(&mut self, most: usize) -> bool {
        let Some((origin, bytes)) = self.wire.front_mut() else { return false };
        let offered = &bytes[..bytes.len().min(most)];
        let took = self.printer.take(offered, Some(*origin), self.rig.now);
        bytes.drain(..took);
        if took > 0 {
            self.moved = self.rig.now;
        }
        match origin {
            Origin::Job => self.at.played.accepted += took as u64,
            Origin::Monitor if self.preceding > 0 => {}
            Origin::Monitor => self.at.said += took as u64,
        }
        if bytes.is_empty() {
            self.gone += usize::from(*origin == Origin::Job);
            self.preceding = self.preceding.saturating_sub(1);
            self.wire.pop_front();
        }
        if took > 0 {
            self.stall(false);
        }
        took > 0
    }

    /// Lets time pass. The port tells when the printer has taken nothing for too long.
    fn wait(&mut self, until: Instant) -> bool {
        let stalls = (self.moved + STALL_AFTER).max(self.rig.now);
        let mut moved = false;
        if !self.wire.is_empty() && !self.stalled && stalls < until {
            let time = stalls - self.rig.now;
            moved = self.step(|rig| rig.pass(time)) | self.stall(true);
        }
        let time = until - self.rig.now;
        moved |= self.step(|rig| rig.pass(time));
        self.printer.tick(until);
        moved
    }

    fn stall(&mut self, stalled: bool) -> bool {
        let news = std::mem::replace(&mut self.stalled, stalled) != stalled;
        news && self.step(|rig| rig.step(|core, now, out| core.stalled(stalled, now, out)))
    }

    fn write(&mut self) -> bool {
        if self.given >= LANE_PIECES || self.next > self.len() {
            return false;
        }
        if self.next == self.len() {
            self.next += 1;
            self.step(|rig| rig.step(|core, now, out| core.end(now, out)));
            return true;
        }
        let mut at = 0;
        let piece = self.document.iter().find_map(|piece| {
            at += piece.len();
            (at > self.next).then(|| piece[piece.len() - (at - self.next)..].to_vec())
        });
        self.next = at;
        self.given += 1;
        self.step(|rig| rig.write(&piece.unwrap()));
        true
    }

    fn len(&self) -> usize {
        self.document.iter().map(Vec::len).sum()
    }

    fn stop(&mut self, how: How) {
        let mut at = self.at;
        at.played.offered = at.played.accepted;
        // What was not carried is taken back; what was said before goes out before the next.
        self.wire.truncate(self.preceding);
        self.beside = self.wire.drain(..).chain(self.beside.drain(..)).collect();
        self.step(|rig| over(rig, Over::Stopped(how, Some(at))));
        self.stall(false);
        self.canceled |= how == How::Cancel;
        let from = if how == How::Park { usize::try_from(at.played.accepted).unwrap() } else { 0 };
        self.begin(from);
    }

    /// Lets everything happen that can.
    fn settle(&mut self) {
        let deadline = self.rig.now + Duration::from_secs(300);
        let all = [Event::Carry(usize::MAX), Event::Back(4096), Event::Gone, Event::Write];
        while !(self.ended && self.wire.is_empty() && self.gone == 0) {
            let moved = all.iter().fold(false, |moved, event| self.event(event) | moved);
            if !moved {
                let due = self.rig.core.due().unwrap_or(deadline);
                assert!(due < deadline, "it stands still: {:?}", self.printer.received());
                self.event(&Event::Wait(due - self.rig.now));
            }
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    const COMMANDS: [&str; 8] = [
        "paper-out on",
        "paper-out off",
        "cover-open on",
        "cover-open off",
        "stall on",
        "stall off",
        "speed 5000",
        "toner 5",
    ];
    prop_oneof![
        8 => (1usize..3000).prop_map(Event::Carry),
        6 => (1usize..300).prop_map(Event::Back),
        4 => Just(Event::Gone),
        4 => Just(Event::Write),
        2 => (1u64..3000).prop_map(|ms| Event::Wait(Duration::from_millis(ms))),
        2 => (0..COMMANDS.len()).prop_map(|nth| Event::Command(COMMANDS[nth])),
        1 => Just(Event::Present),
        1 => Just(Event::Stop(How::Park)),
        1 => Just(Event::Stop(How::Cancel)),
    ]
}

#[test]
fn a_device_that_takes_nothing_is_not_asked_without_end() {
    let mut bench = Bench::new(64, vec![vec![b'x'; 1000]]);
    let all = [Event::Carry(usize::MAX), Event::Back(4096), Event::Gone, Event::Write];
    while bench.at.played.accepted == 0 {
        for event in &all {
            bench.event(event);
        }
    }
    bench.event(&Event::Command("stall on"));
    bench.event(&Event::Wait(2 * STALL_AFTER));
    let waiting = bench.wire.len();
    bench.event(&Event::Wait(Duration::from_secs(3600)));
    assert_eq!(bench.wire.len(), waiting);
    bench.event(&Event::Command("stall off"));
    bench.settle();
}

proptest! {
    #[test]
    fn the_document_arrives(
        buffer in 8usize..5000,
        pieces in prop::collection::vec(1usize..5000, 1..8),
        events in prop::collection::vec(event(), 0..150),
    ) {
        let mut letters = (b'a'..=b'z').cycle();
        let document: Vec<Vec<u8>> =
            pieces.iter().map(|len| letters.by_ref().take(*len).collect()).collect();
        let mut bench = Bench::new(buffer, document.clone());
        for event in &events {
            bench.event(event);
        }
        for command in ["stall off", "speed max", "paper-out off", "cover-open off"] {
            bench.event(&Event::Command(command));
        }
        bench.settle();
        let (kept, document) = (bench.printer.take_kept(), document.concat());
        prop_assert!(kept.ends_with(&document), "the bytes differ");
        prop_assert!(bench.canceled || kept.len() == document.len(), "there are too many");
    }
}
