use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::fd::AsFd;

use super::*;
use crate::limits::USBLP_WRITE_TIME;
use crate::port::{Entry, Ledger};
use crate::testing::*;
use crate::{FileRange, Origin};

/// Remembers what was noted.
#[derive(Debug, Default)]
struct Notes {
    noted: Mutex<Vec<Range<u64>>>,
    /// How many notes are taken.
    limit: Option<usize>,
}

impl Ledger for Notes {
    fn note(&self, offered: Range<u64>) -> io::Result<()> {
        let mut noted = self.noted.lock().unwrap();
        if self.limit.is_some_and(|limit| noted.len() >= limit) {
            return Err(io::Error::other("full"));
        }
        noted.push(offered);
        Ok(())
    }
}

/// A pipe stands for the node: full, it has a write wait, and a signal ends that.
struct Rig {
    far: OwnedFd,
    writer: Writer,
    file: File,
    content: Vec<u8>,
    given: usize,
    notes: Arc<Notes>,
    ledger: Arc<dyn Ledger>,
}

impl Rig {
    fn new(bytes: usize) -> Self {
        Self::noting(bytes, Notes::default())
    }

    fn noting(bytes: usize, notes: Notes) -> Self {
        let (far, node) = rustix::pipe::pipe().unwrap();
        let writer = Writer::start(node.into()).unwrap();
        let content = pattern(bytes);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        let notes = Arc::new(notes);
        Self { far, writer, file, content, given: 0, ledger: notes.clone(), notes }
    }

    fn make_fast(&self) {
        self.writer.shared.state().pace = Pace::Fast;
    }

    /// Gives the content from where it got to until there is no room.
    fn stuff(&mut self) {
        while self.given < self.content.len() {
            let range = FileRange { file: self.file.as_fd(), offset: self.given as u64 };
            let entry = Some(Entry { ledger: &self.ledger, at: self.given as u64 });
            let rest = &self.content[self.given..];
            let lent = Lent { file: Some(range), entry, ..Lent::memory(rest) };
            match self.writer.give(lent).unwrap() {
                0 => return,
                count => self.given += count,
            }
        }
    }

    /// Waits until nothing is held or the thread has failed.
    fn wait(&self) -> Option<Failure> {
        while !self.writer.is_idle() {
            assert!(readable(self.writer.moved(), soon()) && self.writer.moved().hush());
            if let Some(failure) = self.writer.failure() {
                return Some(failure);
            }
        }
        None
    }

    fn take_to_the_end(&mut self) -> Vec<u8> {
        let mut taken = Vec::new();
        let mut far = File::from(self.far.try_clone().unwrap());
        io::Read::read_to_end(&mut far, &mut taken).unwrap();
        taken
    }
}

#[test]
fn a_slow_printer_has_two_transfers_each_noted_before() {
    let transfer = USBLP_TRANSFER_BYTES;
    let mut rig = Rig::new(2 * transfer + 7);
    // As many as a pipe holds, and that is enough.
    rig.stuff();
    assert!(rig.given >= USBLP_TRANSFERS * transfer);
    rig.wait();
    rig.stuff();
    assert!(rig.wait().is_none());
    assert!(take(&rig.far, rig.given) == rig.content);
    let at = [0, transfer, 2 * transfer, 2 * transfer + 7].map(|at| at as u64);
    assert_eq!(*rig.notes.noted.lock().unwrap(), [at[0]..at[1], at[1]..at[2], at[2]..at[3]]);
    let held = Held::default();
    assert_eq!(rig.writer.held(), held);
    assert_eq!(rig.writer.end(), Ended { held, broken: false });
}

#[test]
fn a_fast_printer_has_loads_of_files_and_of_memory_in_their_order() {
    let mut rig = Rig::new(USBLP_LOADS * USBLP_LOAD_BYTES);
    rig.make_fast();
    rig.stuff();
    assert_eq!(rig.given, rig.content.len());
    assert!(!rig.writer.has_room());
    assert!(take(&rig.far, rig.given) == rig.content);
    assert!(rig.wait().is_none() && rig.writer.has_room());
    let monitor = Lent { origin: Origin::Monitor, ..Lent::memory(b"how are you?") };
    assert_eq!(rig.writer.give(monitor).unwrap(), 12);
    assert_eq!(rig.writer.held(), Held::default(), "that is not of a job");
    assert_eq!(take(&rig.far, 12), b"how are you?");
    assert!(rig.wait().is_none());
    let noted = rig.notes.noted.lock().unwrap();
    assert_eq!(noted.len(), rig.given / USBLP_WRITE_BYTES);
    assert!(noted.windows(2).all(|pair| pair[0].end == pair[1].start));
}

#[test]
fn how_much_has_left_is_known_when_it_is_broken_off() {
    let mut rig = Rig::new(4 * USBLP_LOAD_BYTES);
    rig.make_fast();
    rig.stuff();
    let first = take(&rig.far, 1);
    let node = std::mem::replace(&mut rig.writer, Writer::start(null()).unwrap());
    let Ended { held, broken } = node.end();
    assert!(broken);
    // The thread has let go of the node: the end comes behind what has left.
    let got = [first, rig.take_to_the_end()].concat();
    assert!(got == rig.content[..got.len()]);
    assert_eq!(held.bytes, (rig.given - got.len()) as u64);
    assert_eq!(held.bytes - held.withheld, USBLP_TRANSFER_BYTES as u64);
}

fn null() -> Arc<OwnedFd> {
    Arc::new(File::options().write(true).open("/dev/null").unwrap().into())
}

#[test]
fn a_printer_that_stops_is_slow() {
    let mut rig = Rig::new(2 * USBLP_LOAD_BYTES);
    rig.make_fast();
    rig.stuff();
    assert!(!readable(rig.writer.moved(), Instant::now() + 2 * USBLP_WRITE_TIME));
    assert!(take(&rig.far, rig.given) == rig.content);
    assert!(rig.wait().is_none());
    let noted = rig.notes.noted.lock().unwrap();
    let [slow, fast] = [USBLP_TRANSFER_BYTES, USBLP_WRITE_BYTES].map(|bytes| bytes as u64);
    assert_eq!(noted[0].clone().count() as u64, fast);
    assert_eq!(noted[1].clone().count() as u64, slow);
}

#[test]
fn no_write_begins_while_it_is_paused() {
    let mut rig = Rig::new(USBLP_TRANSFER_BYTES);
    let paused = rig.writer.pause();
    rig.stuff();
    assert!(!readable(&rig.far, shortly()));
    let all = rig.given as u64;
    assert_eq!(rig.writer.held(), Held { bytes: all, withheld: all });
    drop(paused);
    assert!(rig.wait().is_none());
}

#[test]
fn failures_are_told_with_what_has_left_before() {
    let mut rig = Rig::new(2 * USBLP_LOAD_BYTES);
    rig.make_fast();
    rig.stuff();
    assert!(take(&rig.far, USBLP_LOAD_BYTES) == rig.content[..USBLP_LOAD_BYTES]);
    rig.far = File::open("/dev/null").unwrap().into();
    let failure = rig.wait();
    assert!(matches!(failure, Some(Failure::Device(Errno::PIPE | Errno::IO))), "{failure:?}");
    let Held { bytes, withheld } = rig.writer.held();
    assert!((1..=USBLP_LOAD_BYTES as u64).contains(&bytes), "{bytes}");
    assert_eq!(bytes - withheld, USBLP_TRANSFER_BYTES as u64, "one transfer may have left in part");
}

#[test]
fn what_cannot_be_noted_or_read_is_not_offered() {
    let mut rig = Rig::noting(2 * USBLP_LOAD_BYTES, Notes { limit: Some(1), ..Notes::default() });
    rig.make_fast();
    rig.stuff();
    assert!(take(&rig.far, USBLP_WRITE_BYTES) == rig.content[..USBLP_WRITE_BYTES]);
    assert!(matches!(rig.wait(), Some(Failure::Note(_))));
    let rest = (rig.given - USBLP_WRITE_BYTES) as u64;
    assert_eq!(rig.writer.held(), Held { bytes: rest, withheld: rest });

    let mut rig = Rig::new(2 * USBLP_LOAD_BYTES);
    rig.file.set_len(USBLP_WRITE_BYTES as u64 + 1).unwrap();
    rig.make_fast();
    rig.stuff();
    assert!(take(&rig.far, USBLP_WRITE_BYTES) == rig.content[..USBLP_WRITE_BYTES]);
    assert!(matches!(rig.wait(), Some(Failure::Document(_))));
    assert_eq!(rig.writer.held(), Held { bytes: rest, withheld: rest });
}

/// Has a fault of ours.
#[derive(Debug)]
struct Faulty;

impl Ledger for Faulty {
    fn note(&self, _: Range<u64>) -> io::Result<()> {
        panic!("injected: a note panics")
    }
}

#[test]
fn a_panic_is_a_failure() {
    let mut rig = Rig::new(USBLP_TRANSFER_BYTES);
    rig.ledger = Arc::new(Faulty);
    rig.stuff();
    assert!(matches!(rig.wait(), Some(Failure::Panic)));
    let all = rig.given as u64;
    assert_eq!(rig.writer.held(), Held { bytes: all, withheld: all });
}
