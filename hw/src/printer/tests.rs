use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard};

use super::*;
use crate::limits::USBLP_TRANSFER_BYTES;
use crate::testing::*;

/// A printer and its driver.
#[derive(Clone)]
struct Fake {
    state: Arc<Mutex<State>>,
    /// Of a driver whose writes wait: a pipe stands for it.
    node: Option<Arc<OwnedFd>>,
}

struct State {
    /// It takes nothing.
    busy: bool,
    got: Vec<u8>,
    says: VecDeque<Vec<u8>>,
    reads: u32,
    asks: u32,
    status: u8,
    resets: u32,
    discards: u32,
    fails: Option<Errno>,
}

impl Fake {
    /// A port with such a driver, and its printer.
    fn port(two_way: bool) -> (PrinterPort, Self) {
        Self::behind(None, two_way)
    }

    /// A port whose driver's writes wait, its printer, and where they go.
    fn waiting() -> (PrinterPort, Self, OwnedFd) {
        let (far, node) = rustix::pipe::pipe().unwrap();
        let (port, printer) = Self::behind(Some(node.into()), false);
        (port, printer, far)
    }

    fn behind(node: Option<Arc<OwnedFd>>, two_way: bool) -> (PrinterPort, Self) {
        let state = Arc::new(Mutex::new(State {
            busy: false,
            got: Vec::new(),
            says: VecDeque::new(),
            reads: 0,
            asks: 0,
            status: 0xD8,
            resets: 0,
            discards: 0,
            fails: None,
        }));
        let fake = Self { state, node };
        (PrinterPort::new("parallel:/dev/x", Box::new(fake.clone()), None, two_way), fake)
    }

    fn look(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Driver for Fake {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        let mut state = self.look();
        if let Some(errno) = state.fails {
            return Err(errno);
        }
        if state.busy {
            return Err(Errno::AGAIN);
        }
        state.got.extend(bytes);
        Ok(bytes.len())
    }

    fn waiting(&self) -> Option<&Arc<OwnedFd>> {
        self.node.as_ref()
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

    fn discard(&mut self) -> Result<(), Errno> {
        let mut state = self.look();
        state.discards += 1;
        state.fails.map_or(Ok(()), Err)
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
    let (mut port, printer) = Fake::port(false);
    let job = pattern(100_000);
    begin(&mut port);
    write_all(&mut port, &job[..50_000]);
    let bell = Bell::new().unwrap();
    assert!(port.wait(WRITE, &bell, Some(soon())).unwrap().write);
    printer.look().busy = true;
    assert_eq!(fill(&mut port, &job[50_000..]), 0);
    std::thread::scope(|scope| {
        scope.spawn(|| printer.look().busy = false);
        write_all(&mut port, &job[50_000..]);
    });
    port.end_job().unwrap();
    assert!(port.wait(DRAINED, &bell, Some(soon())).unwrap().drained);
    assert_eq!(port.tail().unwrap(), Tail::Empty);
    assert!(printer.look().got == job);
}

#[test]
fn jobs_arrive_by_a_driver_whose_writes_wait() {
    let (mut port, printer, far) = Fake::waiting();
    let job = pattern(10 << 20);
    begin(&mut port);
    let got = std::thread::scope(|scope| {
        let got = scope.spawn(|| take(&far, job.len()));
        write_all(&mut port, &job);
        got.join().unwrap()
    });
    assert!(got == job);
    port.end_job().unwrap();
    assert!(port.wait(DRAINED, &Bell::new().unwrap(), Some(soon())).unwrap().drained);
    assert_eq!((port.in_flight(), port.tail().unwrap()), (0, Tail::Empty));
    assert_eq!(printer.look().got, b"", "all of it went by the thread");
}

/// A request for the status goes over the same wire as the data.
#[test]
fn a_printer_that_takes_data_is_seldom_asked() {
    let (mut port, printer, far) = Fake::waiting();
    begin(&mut port);
    let (bell, begun) = (Bell::new().unwrap(), Instant::now());
    for transfer in pattern(2000).chunks(1) {
        assert_eq!(port.write(Lent::memory(transfer)).unwrap(), 1);
        assert!(port.wait(WRITE, &bell, Some(soon())).unwrap().write);
        assert_eq!(take(&far, 1), transfer);
    }
    let due = begun.elapsed().as_millis() / crate::limits::USB_STATUS_BUSY.as_millis();
    let asks = printer.look().asks;
    assert!(u128::from(asks) <= due + 1, "asked {asks} times");
}

/// Fills a printer that takes nothing until a write waits; how many bytes the port has taken.
fn fill_up(port: &mut PrinterPort, far: &OwnedFd) -> u64 {
    let (bell, mut taken) = (Bell::new().unwrap(), 0);
    let capacity = rustix::pipe::fcntl_getpipe_size(far).unwrap() as u64;
    let is_stuck = |port: &PrinterPort| {
        rustix::io::ioctl_fionread(far).unwrap() == capacity
            && port.in_flight() > port.withheld() + USBLP_TRANSFER_BYTES as u64 / 2
    };
    while !is_stuck(port) || port.wait(WRITE, &bell, Some(shortly())).unwrap().write {
        taken += fill(port, &pattern(USBLP_TRANSFER_BYTES)) as u64;
    }
    taken
}

#[test]
fn what_a_dead_printer_was_given_is_taken_back_at_a_cancel() {
    let (mut port, printer, far) = Fake::waiting();
    begin(&mut port);
    let taken = fill_up(&mut port, &far);
    let Canceled { withdrawn_bytes, unknown_bytes } = port.cancel().unwrap();
    assert_eq!(unknown_bytes, USBLP_TRANSFER_BYTES as u64);
    assert!(withdrawn_bytes > 0);
    assert_eq!((port.in_flight(), printer.look().discards), (0, 1));
    assert_eq!(printer.look().resets, 0, "not before it is needed");
    begin(&mut port);
    assert_eq!(printer.look().resets, 1);
    let left = taken - withdrawn_bytes - unknown_bytes;
    take(&far, usize::try_from(left).unwrap());
    write_all(&mut port, b"next");
    assert_eq!(take(&far, 4), b"next");
    begin(&mut port);
    assert_eq!(printer.look().resets, 1, "once");
}

#[test]
fn a_cancel_that_fails_still_knows_what_never_left() {
    let (mut port, printer, far) = Fake::waiting();
    begin(&mut port);
    let taken = fill_up(&mut port, &far);
    printer.look().fails = Some(Errno::NODEV);
    assert!(matches!(port.cancel(), Err(Error::Gone { .. })));
    let (in_flight, withheld) = (port.in_flight(), port.withheld());
    assert_eq!(in_flight - withheld, USBLP_TRANSFER_BYTES as u64);
    assert!(withheld > 0 && in_flight < taken);
}

#[test]
fn a_printer_that_goes_in_the_middle_is_gone() {
    let (mut port, _, far) = Fake::waiting();
    begin(&mut port);
    fill_up(&mut port, &far);
    drop(far);
    let bell = Bell::new().unwrap();
    let gone = loop {
        match port.wait(READ, &bell, Some(soon())) {
            Ok(ready) => assert_eq!(ready, Ready::default(), "something has left"),
            Err(error) => break error,
        }
    };
    assert!(matches!(gone, Error::Gone { .. }), "{gone:?}");
    assert!(!port.notes());
    assert_eq!(port.in_flight() - port.withheld(), USBLP_TRANSFER_BYTES as u64);
}

#[test]
fn conditions_show_and_are_no_errors() {
    let (mut port, printer) = Fake::port(false);
    begin(&mut port);
    let bell = Bell::new().unwrap();
    assert!(port.wait(LINE, &bell, Some(soon())).unwrap().line);
    let line = port.line().unwrap();
    assert_eq!((line.paper_out, line.held_back), (Some(false), Some(false)));
    printer.look().busy = true;
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
    let (mut port, printer) = Fake::port(true);
    printer.look().says.extend([b"yes".to_vec(), b"no".to_vec()]);
    assert_eq!(hear(&mut port, 5), b"yesno");
    let before = printer.look().reads;
    let bell = Bell::new().unwrap();
    let until = Instant::now() + crate::limits::PARALLEL_LISTEN * 2;
    assert!(!port.wait(READ, &bell, Some(until)).unwrap().read);
    assert!(printer.look().reads <= before + 4, "{} reads", printer.look().reads - before);
    hears_the_bell(&mut port, READ);
}
