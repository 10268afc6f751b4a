use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard};

use super::*;
use crate::testing::*;

/// A printer and its driver.
#[derive(Clone)]
struct Fake(Arc<Mutex<State>>);

struct State {
    /// Has room for a ring while the driver takes and holds nothing: what `poll` has of `usblp`. `None`: a driver that tells
    /// nothing.
    telling: Option<Bell>,
    /// It takes nothing.
    busy: bool,
    got: Vec<u8>,
    /// Taken, and not in the printer yet.
    held: Vec<u8>,
    says: VecDeque<Vec<u8>>,
    reads: u32,
    asks: u32,
    status: u8,
    resets: u32,
    discarded: usize,
    fails: Option<Errno>,
}

impl Fake {
    /// A port with such a driver, and its printer.
    fn port(tells: bool, two_way: bool) -> (PrinterPort, Self) {
        let telling = tells.then(|| Bell::new().unwrap());
        let fake = Self(Arc::new(Mutex::new(State {
            telling,
            busy: false,
            got: Vec::new(),
            held: Vec::new(),
            says: VecDeque::new(),
            reads: 0,
            asks: 0,
            status: 0xD8,
            resets: 0,
            discarded: 0,
            fails: None,
        })));
        (PrinterPort::new("parallel:/dev/x", Box::new(fake.clone()), None, two_way), fake)
    }

    fn look(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn set_busy(&self, busy: bool) {
        let mut state = self.look();
        if busy {
            const FULL: u64 = u64::MAX - 1;
            let full = |bell| rustix::io::write(bell, &FULL.to_ne_bytes()).unwrap();
            state.telling.iter().for_each(|bell| assert_eq!(full(bell), 8));
        } else {
            let held = std::mem::take(&mut state.held);
            state.got.extend(held);
            state.telling.iter().for_each(|bell| assert!(bell.hush() || !state.busy));
        }
        state.busy = busy;
    }
}

impl Driver for Fake {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        let mut state = self.look();
        if let Some(errno) = state.fails {
            return Err(errno);
        }
        match (state.telling.is_some(), state.busy) {
            (false, true) => return Err(Errno::AGAIN),
            // usblp takes one transfer, whatever the printer does.
            (true, true) => state.held.extend(bytes),
            (_, false) => state.got.extend(bytes),
        }
        Ok(bytes.len())
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Errno> {
        let mut state = self.look();
        state.reads += 1;
        let said = state.says.pop_front().ok_or(Errno::AGAIN)?;
        buf[..said.len()].copy_from_slice(&said);
        Ok(said.len())
    }

    fn status(&mut self) -> Result<Option<Status>, Errno> {
        let mut state = self.look();
        state.asks += 1;
        Ok(Some(Status::parallel(state.status)))
    }

    fn telling(&self) -> Option<BorrowedFd<'_>> {
        use std::os::fd::{AsFd, AsRawFd};
        let fd = self.look().telling.as_ref()?.as_fd().as_raw_fd();
        // SAFETY: the bell lives as long as the fake, which outlives the borrow.
        Some(unsafe { BorrowedFd::borrow_raw(fd) })
    }

    fn holds(&self) -> bool {
        self.look().telling.is_some()
    }

    fn is_empty(&self) -> Result<bool, Errno> {
        Ok(self.look().held.is_empty())
    }

    fn discard(&mut self) -> Result<(), Errno> {
        let mut state = self.look();
        state.discarded += std::mem::take(&mut state.held).len();
        Ok(())
    }

    fn reset(&mut self) -> Result<bool, Errno> {
        self.look().resets += 1;
        Ok(true)
    }
}

fn begin(port: &mut PrinterPort) {
    port.begin_job(&Bell::new().unwrap(), soon()).unwrap();
}

#[test]
fn jobs_arrive_also_where_nobody_tells_of_room() {
    for tells in [false, true] {
        let (mut port, printer) = Fake::port(tells, false);
        let job = pattern(100_000);
        begin(&mut port);
        write_all(&mut port, &job[..50_000]);
        let bell = Bell::new().unwrap();
        assert!(port.wait(WRITE, &bell, Some(soon())).unwrap().write);
        printer.set_busy(true);
        let taken = fill(&mut port, &job[50_000..]);
        assert_eq!(port.in_flight(), taken as u64);
        assert_eq!(port.write(Lent::memory(b"x")).unwrap(), 0);
        if tells {
            assert!(!port.wait(WRITE, &bell, Some(shortly())).unwrap().write);
        }
        std::thread::scope(|scope| {
            scope.spawn(|| printer.set_busy(false));
            write_all(&mut port, &job[50_000 + taken..]);
        });
        port.end_job().unwrap();
        assert!(port.wait(DRAINED, &bell, Some(soon())).unwrap().drained);
        assert_eq!(port.tail().unwrap(), Tail::Empty);
        assert!(printer.look().got == job);
    }
}

/// A request for the status goes over the same wire as the data.
#[test]
fn a_printer_that_takes_data_is_seldom_asked() {
    let (mut port, printer) = Fake::port(true, false);
    begin(&mut port);
    let (bell, begun) = (Bell::new().unwrap(), Instant::now());
    for transfer in pattern(2000).chunks(1) {
        assert_eq!(port.write(Lent::memory(transfer)).unwrap(), 1);
        assert_eq!(port.write(Lent::memory(transfer)).unwrap(), 0, "one at a time");
        assert!(port.wait(WRITE, &bell, Some(soon())).unwrap().write);
    }
    let due = begun.elapsed().as_millis() / crate::limits::USB_STATUS_BUSY.as_millis();
    let asks = printer.look().asks;
    assert!(u128::from(asks) <= due + 1, "asked {asks} times");
}

#[test]
fn what_the_driver_holds_is_thrown_away_at_a_cancel() {
    let (mut port, printer) = Fake::port(true, false);
    begin(&mut port);
    write_all(&mut port, b"half a ");
    assert!(port.wait(WRITE, &Bell::new().unwrap(), Some(soon())).unwrap().write);
    printer.set_busy(true);
    assert_eq!(port.write(Lent::memory(b"job")).unwrap(), 3);
    let canceled = port.cancel().unwrap();
    assert_eq!(canceled, Canceled { withdrawn_bytes: 0, unknown_bytes: 3 });
    assert_eq!(printer.look().discarded, 3);
    assert_eq!(printer.look().resets, 0, "not before it is needed");
    printer.set_busy(false);
    begin(&mut port);
    assert_eq!(printer.look().resets, 1);
    write_all(&mut port, b"next");
    assert_eq!(printer.look().got, b"half a next");
    begin(&mut port);
    assert_eq!(printer.look().resets, 1, "once");
}

#[test]
fn conditions_show_and_are_no_errors() {
    let (mut port, printer) = Fake::port(false, false);
    begin(&mut port);
    let bell = Bell::new().unwrap();
    assert!(port.wait(LINE, &bell, Some(soon())).unwrap().line);
    let line = port.line().unwrap();
    assert_eq!((line.paper_out, line.held_back), (Some(false), Some(false)));
    printer.set_busy(true);
    printer.look().status = 0x7F;
    assert!(port.wait(LINE, &bell, Some(soon())).unwrap().line);
    let line = port.line().unwrap();
    assert_eq!((line.paper_out, line.online), (Some(true), Some(true)));
    assert_eq!((line.fault, line.held_back), (Some(false), Some(true)));
    printer.look().fails = Some(Errno::NODEV);
    assert!(matches!(port.write(Lent::memory(b"x")), Err(Error::Gone { .. })));
}

#[test]
fn the_back_channel_is_not_asked_all_the_time() {
    let (mut port, printer) = Fake::port(false, true);
    printer.look().says.extend([b"yes".to_vec(), b"no".to_vec()]);
    assert_eq!(hear(&mut port, 5), b"yesno");
    let before = printer.look().reads;
    let bell = Bell::new().unwrap();
    let until = Instant::now() + crate::limits::PARALLEL_LISTEN * 2;
    assert!(!port.wait(READ, &bell, Some(until)).unwrap().read);
    assert!(printer.look().reads <= before + 4, "{} reads", printer.look().reads - before);
    hears_the_bell(&mut port, READ);
}
