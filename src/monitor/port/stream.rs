//! One document on its way through a port: what is written next, and what is noted before and after.
//!
//! ```text
//!   Beginning ──► Writing ──► Draining
//!                    └────────────┴──► Over
//! ```
//!
//! A note says how far the device stands for certain, and how far it may stand at most: the next [`NOTE_BYTES`], which
//! may be many writes to a port that takes little at a time. A port that [notes itself](Port::notes) does so through the
//! [`Book`], and nobody else. While the device takes bytes without a pause the next note is
//! made when that is used up. Whenever the thread is about to wait, the last note is exact, unless the port notes itself; of a port that holds bytes and
//! cannot say what becomes of them, it is at most [`NOTE_PACE`] old, or the stall.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use despool_hw::{Entry, Ledger, Lent, Port};
use despool_spool::{JobId, Played, Progress};

use super::lane::{Begin, PortEvent, Stopped};
use crate::limits::{NOTE_BYTES, NOTE_PACE};
use crate::monitor::PlayId;
use crate::piece::Piece;

/// A document on its way.
pub(super) struct Stream {
    pub(super) play: PlayId,
    pub(super) job: JobId,
    progress: Progress,
    book: Arc<dyn Ledger>,
    mark: Arc<Mark>,
    /// Bytes of the job that the port has taken, those of earlier playings included.
    taken: u64,
    pieces: VecDeque<Piece>,
    /// So many of them were said before the playing.
    preceding: usize,
    /// The last that has gone. To let go of a mapping takes longer than to tell of it, and who is told can begin meanwhile.
    last_gone: Option<Piece>,
    aside: Option<Aside>,
    /// Bytes of monitors that the port has taken in this playing.
    said: u64,
    /// How much of the first piece has gone.
    cursor: usize,
    /// The first piece's pages were brought in.
    faulted: bool,
    ended: bool,
    pub(super) phase: Phase,
    /// When the device took something last.
    pub(super) moved: Instant,
    /// What the port had in flight when that was looked at last.
    in_flight: u64,
    /// When the note was made as exact as can be last.
    settled: Instant,
}

/// A question that goes out between two bytes of the document.
struct Aside {
    /// When this many bytes of the job have been taken, neither sooner nor later.
    at: u64,
    piece: Piece,
    cursor: usize,
}

/// Where a document is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The port is not ready for it yet (a connection is being made).
    Beginning,
    /// Bytes go out.
    Writing,
    /// The last byte was taken; the wire is not empty yet.
    Draining,
    /// The job has ended elsewhere (canceled, moved): no note is taken any more, so nothing more goes out. The abort is on
    /// its way.
    Over,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Bytes went out, and more may.
    Moved,
    /// The device takes nothing now.
    Blocked,
    /// There is nothing to write now.
    Starved,
    /// The last byte was taken: end the job.
    Done,
}

/// Why a document cannot go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// The port failed.
    Port(despool_hw::Error),
    /// The note could not be taken: going on could make the offset silently wrong.
    Note(despool_spool::Error),
}

impl From<despool_hw::Error> for Stop {
    fn from(error: despool_hw::Error) -> Self {
        match error {
            despool_hw::Error::Note { port, source } => match source.downcast() {
                Ok(error) => Self::Note(error),
                Err(source) => Self::Port(despool_hw::Error::Note { port, source }),
            },
            error => Self::Port(error),
        }
    }
}

/// For a port that notes itself.
#[derive(Debug)]
struct Book(Progress);

impl Ledger for Book {
    fn note(&self, offered: Range<u64>) -> io::Result<()> {
        let played = Played { accepted: offered.start, offered: offered.end };
        self.0.note(played).map_err(io::Error::other)
    }
}

impl Stream {
    pub(super) fn new(begin: Begin, now: Instant) -> Self {
        Self {
            play: begin.play,
            job: begin.job,
            book: Arc::new(Book(begin.progress.clone())),
            progress: begin.progress,
            mark: Arc::new(Mark::at(begin.from)),
            taken: begin.from,
            pieces: VecDeque::new(),
            preceding: 0,
            last_gone: None,
            aside: None,
            said: 0,
            cursor: 0,
            faulted: false,
            ended: false,
            phase: Phase::Beginning,
            moved: now,
            in_flight: 0,
            settled: now,
        }
    }

    /// What is known of this playing should the thread panic.
    pub(super) fn mark(&self) -> (Progress, Arc<Mark>) {
        (self.progress.clone(), self.mark.clone())
    }

    /// Puts these before everything else; of the first so much has gone.
    pub(super) fn precede(&mut self, pieces: VecDeque<Piece>, cursor: usize) {
        self.preceding = pieces.len();
        (self.pieces, self.cursor) = (pieces, cursor);
    }

    /// What was said before the playing and has not gone, and how much of its first piece has.
    pub(super) fn take_preceding(&mut self) -> (VecDeque<Piece>, usize) {
        let preceding = std::mem::take(&mut self.preceding).min(self.pieces.len());
        let cursor = if preceding > 0 { std::mem::take(&mut self.cursor) } else { 0 };
        (self.pieces.drain(..preceding).collect(), cursor)
    }

    pub(super) fn push(&mut self, piece: Piece) {
        self.pieces.push_back(piece);
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Takes a question for where `at` bytes of the job have been taken. It is dropped where the document is beyond that
    /// already: who asks has looked at a place that may have passed, and asks again.
    pub(super) fn put_aside(&mut self, at: u64, piece: Piece) {
        let under_way = self.aside.as_ref().is_some_and(|aside| aside.cursor > 0);
        if at >= self.taken && !under_way {
            self.aside = Some(Aside { at, piece, cursor: 0 });
        }
    }

    /// True where bytes wait for the device.
    pub(super) fn wants_to_write(&self) -> bool {
        self.phase == Phase::Writing && (!self.pieces.is_empty() || self.is_aside_due())
    }

    fn is_aside_due(&self) -> bool {
        self.aside.as_ref().is_some_and(|aside| aside.at == self.taken)
    }

    /// Where the playing stands.
    pub(super) fn stopped(&self, played: Played) -> Stopped {
        Stopped { played, said: self.said }
    }

    /// True where bytes that the port had in flight have left since the last look: the device takes data.
    pub(super) fn has_moved(&mut self, port: &dyn Port, now: Instant) -> bool {
        let before = std::mem::replace(&mut self.in_flight, port.in_flight());
        let moved = self.in_flight < before;
        if moved {
            self.moved = now;
        }
        moved
    }

    /// True when the port has taken the last byte.
    pub(super) fn is_all_taken(&self) -> bool {
        self.ended && self.pieces.is_empty()
    }

    /// What the driver has, as far as the port can say.
    pub(super) fn played(&self, port: Option<&dyn Port>) -> Played {
        // In this order: meanwhile some may leave, which has been offered then.
        let in_flight = port.map_or(0, Port::in_flight);
        let withheld = port.map_or(0, Port::withheld);
        Played {
            accepted: self.taken.saturating_sub(in_flight),
            offered: self.taken.saturating_sub(withheld),
        }
    }

    /// Offers bytes once. `gone` is told of each piece that has gone, as long as more may come.
    pub(super) fn step(
        &mut self,
        port: &mut dyn Port,
        now: Instant,
        gone: impl Fn(PortEvent),
    ) -> Result<Step, Stop> {
        if !self.say_aside(port)? {
            return self.blocked(port, now);
        }
        let Some(piece) = self.pieces.front() else {
            self.settle(port)?;
            return Ok(if self.ended { Step::Done } else { Step::Starved });
        };
        if port.reads_pages() && !std::mem::replace(&mut self.faulted, true) {
            piece.prefault();
        }
        let counted = piece.is_of_job();
        let limit = if counted { self.up_to_aside() } else { usize::MAX };
        let write_limit = port.write_limit();
        let entry = counted.then_some(Entry { ledger: &self.book, at: self.taken });
        let lent = Lent { entry, ..piece.lend(self.cursor).first(write_limit.min(limit)) };
        let reach = self.taken.saturating_add(length(lent.bytes.len()));
        if counted && !port.notes() && self.progress.played().offered < reach {
            let ahead = piece.len().saturating_sub(self.cursor).min(write_limit.max(NOTE_BYTES));
            let before = self.played(Some(port));
            let reach = Played { offered: self.taken.saturating_add(length(ahead)), ..before };
            note(&self.progress, reach)?;
        }
        if counted {
            self.mark.writing();
        }
        let took = if lent.bytes.is_empty() { 0 } else { port.write(lent)? };
        self.cursor = self.cursor.saturating_add(took);
        if counted {
            self.taken = self.taken.saturating_add(length(took));
            self.mark.wrote(self.taken, port.in_flight() > 0);
        } else if self.preceding == 0 {
            self.said = self.said.saturating_add(length(took));
        }
        if self.cursor >= piece.len() {
            self.last_gone = self.pieces.pop_front();
            self.preceding = self.preceding.saturating_sub(1);
            (self.cursor, self.faulted) = (0, false);
            if counted && !self.ended {
                gone(PortEvent::Room(self.play));
            }
        } else if took == 0 {
            return self.blocked(port, now);
        }
        self.moved = now;
        Ok(Step::Moved)
    }

    /// What the driver holds makes the offset uncertain in any case: the last note is good enough for a while.
    fn blocked(&mut self, port: &dyn Port, now: Instant) -> Result<Step, Stop> {
        let fresh = now.saturating_duration_since(self.settled) < NOTE_PACE;
        if port.in_flight() == 0 || !fresh {
            self.settled = now;
            self.settle(port)?;
        }
        Ok(Step::Blocked)
    }

    /// Puts in the question that is due here; false where the device has no room for it. That it takes a question is no
    /// sign that it takes data.
    fn say_aside(&mut self, port: &mut dyn Port) -> Result<bool, Stop> {
        // Not in the middle of what a monitor says.
        let speaks = self.cursor > 0 && self.pieces.front().is_some_and(|piece| !piece.is_of_job());
        let due = |aside: &&mut Aside| !speaks && aside.at == self.taken;
        let Some(aside) = self.aside.as_mut().filter(due) else { return Ok(true) };
        let lent = aside.piece.lend(aside.cursor);
        let took = if lent.bytes.is_empty() { 0 } else { port.write(lent)? };
        aside.cursor = aside.cursor.saturating_add(took);
        self.said = self.said.saturating_add(length(took));
        // Half a question is finished before anything else; one that found no room must not hold the data back.
        let done = aside.cursor == 0 || aside.cursor >= aside.piece.len();
        if done {
            self.aside = None;
        }
        Ok(done)
    }

    /// The question that is half out, and how much of it: it has to be finished even when the playing is stopped.
    pub(super) fn take_half_aside(&mut self) -> Option<(Piece, usize)> {
        self.aside.take().filter(|aside| aside.cursor > 0).map(|aside| (aside.piece, aside.cursor))
    }

    /// How many bytes of the job may go before the next question.
    fn up_to_aside(&self) -> usize {
        let gap = self.aside.as_ref().map(|aside| aside.at.saturating_sub(self.taken));
        gap.map_or(usize::MAX, |gap| usize::try_from(gap).unwrap_or(usize::MAX))
    }

    /// Makes the last note exact (as far as the port can say), unless the port has bytes that it notes itself.
    pub(super) fn settle(&mut self, port: &dyn Port) -> Result<(), Stop> {
        if notes_now(port) {
            return Ok(());
        }
        note(&self.progress, self.played(Some(port)))
    }

    /// Takes back what a cancel withdrew, and notes where the device stands.
    pub(super) fn withdraw(&mut self, canceled: despool_hw::Canceled) -> Played {
        let offered = self.taken.saturating_sub(canceled.withdrawn_bytes);
        let played = Played { accepted: offered.saturating_sub(canceled.unknown_bytes), offered };
        let _ = note(&self.progress, played);
        self.taken = offered;
        played
    }

    /// The last word about a device that went away.
    pub(super) fn lost(&mut self, port: Option<&dyn Port>) -> Played {
        let played = self.played(port);
        if !port.is_some_and(notes_now) {
            let _ = note(&self.progress, played);
        }
        played
    }
}

/// Where a playing stands, kept where a panic of the thread does not reach it.
pub(super) struct Mark {
    taken: AtomicU64,
    /// Inside a write, or with bytes that the port still has: nobody knows how much went.
    writing: AtomicBool,
}

impl Mark {
    fn at(taken: u64) -> Self {
        Self { taken: taken.into(), writing: false.into() }
    }

    fn writing(&self) {
        self.writing.store(true, Ordering::Release);
    }

    fn wrote(&self, taken: u64, in_flight: bool) {
        self.taken.store(taken, Ordering::Release);
        self.writing.store(in_flight, Ordering::Release);
    }

    /// After a panic: notes where the device stands, if that is known; what is known.
    pub(super) fn settle(&self, progress: &Progress) -> Played {
        let noted = progress.played();
        if self.writing.load(Ordering::Acquire) {
            return noted;
        }
        let taken = self.taken.load(Ordering::Acquire);
        let exact = Played { accepted: taken, offered: taken };
        if progress.note(exact).is_ok() { exact } else { noted }
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// True while the port has bytes that it notes itself.
fn notes_now(port: &dyn Port) -> bool {
    port.notes() && port.in_flight() > 0
}

fn note(progress: &Progress, played: Played) -> Result<(), Stop> {
    if progress.played() == played {
        return Ok(());
    }
    progress.note(played).map_err(Stop::Note)
}
