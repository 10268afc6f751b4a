//! On ptys, and with a driver and modem lines of our own where a pty has none.

mod flow;
mod opening;

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};

use super::testing::pty;
use super::*;
use crate::Lines;
use crate::testing::*;

/// A pty and a port on it, with these options.
fn line(options: &str) -> (OwnedFd, SerialPort) {
    let (far, path) = pty();
    let port = SerialPort::open(&uri(&path, options)).unwrap();
    (far, port)
}

fn uri(path: &Path, options: &str) -> SerialUri {
    match format!("serial:{}?{options}", path.display()).parse().unwrap() {
        crate::DeviceUri::Serial(uri) => uri,
        other => panic!("{other}"),
    }
}

/// A pty behind another driver, with these modem lines.
fn adapter(
    options: &str,
    driver: &str,
    modem: &Arc<FakeModem>,
) -> (OwnedFd, Result<SerialPort, Error>) {
    let (far, path) = pty();
    let uri = uri(&path, options);
    let (tty, _) = tty::open_alone(&path, Path::new("/sys"), "port").unwrap();
    let modem: Arc<dyn Modem> = Arc::clone(modem) as _;
    (far, SerialPort::set_up(tty, Driver::Other(driver.into()), modem, &uri))
}

/// Modem lines that a test sets. `wait` sleeps in a call that a signal ends, as `TIOCMIWAIT` does.
#[derive(Debug)]
struct FakeModem {
    lines: Mutex<Result<Lines, Errno>>,
    can_wait: bool,
    changed: OwnedFd,
}

impl FakeModem {
    fn new(lines: Result<Lines, Errno>, can_wait: bool) -> Arc<Self> {
        let changed = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        Arc::new(Self { lines: Mutex::new(lines), can_wait, changed })
    }

    fn with(lines: Lines) -> Arc<Self> {
        Self::new(Ok(lines), true)
    }

    fn set(&self, lines: Lines) {
        *self.lines.lock().unwrap() = Ok(lines);
        rustix::io::write(&self.changed, &1u64.to_ne_bytes()).unwrap();
    }
}

impl Modem for FakeModem {
    fn lines(&self) -> Result<Lines, Errno> {
        *self.lines.lock().unwrap()
    }

    fn wait(&self) -> Result<(), Errno> {
        if !self.can_wait {
            return Err(Errno::NOTTY);
        }
        rustix::io::read(&self.changed, &mut [0; 8]).map(|_| ())
    }
}

fn begin(port: &mut SerialPort) {
    port.begin_job(&Bell::new().unwrap(), soon()).unwrap();
}

/// Everything the far end has now.
fn drain(far: &OwnedFd) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buf = [0; 4096];
    while readable(far, shortly()) {
        let count = rustix::io::read(far, &mut buf).unwrap();
        all.extend_from_slice(&buf[..count]);
    }
    all
}

#[test]
fn every_byte_goes_both_ways_unchanged() {
    for options in ["", "flow=hard", "baud=1+stop=2"] {
        let (far, mut port) = line(options);
        let all: Vec<u8> = (0..=255).collect();
        begin(&mut port);
        write_all(&mut port, &all);
        assert_eq!(take(&far, 256), all);
        rustix::io::write(&far, &all).unwrap();
        assert_eq!(hear(&mut port, 256), all);
        port.end_job().unwrap();
        let bell = Bell::new().unwrap();
        assert!(port.wait(DRAINED, &bell, Some(soon())).unwrap().drained);
        assert_eq!(port.tail().unwrap(), Tail::Empty);
    }
}

#[test]
fn a_slow_far_end_is_waited_for() {
    let (far, mut port) = line("baud=115200");
    let job = pattern(200_000);
    begin(&mut port);
    let taken = stuff(&mut port, &job);
    assert!(taken > 0);
    hears_the_bell(&mut port, WRITE);
    let far_end = std::thread::spawn(move || take(&far, 200_000));
    write_all(&mut port, &job[taken..]);
    assert!(far_end.join().unwrap() == job);
    assert_eq!(port.line().unwrap().held_back, None);
}

#[test]
fn what_is_not_read_yet_waits_in_the_kernel() {
    let (far, mut port) = line("");
    let said = pattern(400_000);
    let device = {
        let said = said.clone();
        std::thread::spawn(move || {
            let mut left = &said[..];
            while !left.is_empty() {
                rustix::event::poll(&mut [PollFd::new(&far, PollFlags::OUT)], None).unwrap();
                left = &left[rustix::io::write(&far, left).unwrap_or(0)..];
            }
            far
        })
    };
    let mut heard = Vec::new();
    while heard.len() < said.len() {
        heard.extend(hear(&mut port, 1000.min(said.len() - heard.len())));
    }
    assert!(heard == said, "a slow reader loses nothing");
    drop(device.join().unwrap());
}

#[test]
fn bytes_that_came_before_a_hang_up_are_read_before_it() {
    let (far, mut port) = line("");
    let bell = Bell::new().unwrap();
    let said = pattern(2000);
    rustix::io::write(&far, &said).unwrap();
    let mut heard = hear(&mut port, 3);
    while heard.len() < 1000 {
        heard.extend(hear(&mut port, 1));
    }
    // Nobody reads now, but waits: what comes is taken in all the same.
    port.wait(LINE, &bell, Some(shortly())).unwrap();
    drop(far);
    let mut buf = [0; 700];
    let end = loop {
        assert!(port.wait(READ, &bell, Some(soon())).unwrap().read);
        match port.read(&mut buf) {
            Ok(count) => heard.extend_from_slice(&buf[..count]),
            Err(error) => break error,
        }
    };
    assert!(heard == said);
    assert!(matches!(end, Error::Gone { .. }), "{end}");
    assert!(port.wait(WRITE, &bell, Some(soon())).unwrap().write);
    assert!(matches!(port.write(Lent::memory(b"x")), Err(Error::Gone { .. })));
    for interest in [DRAINED, LINE, Interest::default()] {
        assert!(matches!(port.wait(interest, &bell, Some(soon())), Err(Error::Gone { .. })));
    }
    assert!(matches!(port.begin_job(&bell, soon()), Err(Error::Gone { .. })));
    assert_eq!(port.cancel().unwrap(), Canceled::default());
}

#[test]
fn a_hang_up_wakes_a_wait() {
    let (far, mut port) = line("");
    let bell = Bell::new().unwrap();
    begin(&mut port);
    stuff(&mut port, &pattern(100_000));
    let hanging_up = std::thread::spawn(move || drop(far));
    assert!(port.wait(WRITE, &bell, Some(soon())).unwrap().write);
    hanging_up.join().unwrap();
    assert!(matches!(port.write(Lent::memory(b"x")), Err(Error::Gone { .. })));
    let lost = port.cancel().unwrap();
    assert!(lost.withdrawn_bytes == 0 && lost.unknown_bytes > 0);
}

#[test]
fn after_a_cancel_the_next_job_comes_whole() {
    let (far, mut port) = line("");
    begin(&mut port);
    let taken = stuff(&mut port, &pattern(100_000)) as u64;
    let lost = port.cancel().unwrap();
    assert_eq!(lost, Canceled { withdrawn_bytes: 0, unknown_bytes: taken });
    let came = drain(&far);
    assert!((came.len() as u64) < taken && pattern(100_000).starts_with(&came));
    assert_eq!(port.cancel().unwrap(), Canceled::default());
    begin(&mut port);
    write_all(&mut port, b"next");
    assert_eq!(take(&far, 4), b"next");
}

#[test]
fn a_port_opened_anew_is_the_same() {
    let (far, mut port) = line("");
    begin(&mut port);
    rustix::io::write(&far, b"unread").unwrap();
    let bell = Bell::new().unwrap();
    assert!(port.wait(READ, &bell, Some(soon())).unwrap().read);
    port.reopen();
    assert_eq!(hear(&mut port, 6), b"unread");
    begin(&mut port);
    write_all(&mut port, b"next");
    assert_eq!(take(&far, 4), b"next");
    assert!(matches!(SerialPort::open(&port.uri), Err(Error::Busy { .. })));

    drop(far);
    port.reopen();
    assert_eq!(port.cancel().unwrap(), Canceled { withdrawn_bytes: 0, unknown_bytes: 4 });
    for _ in 0..2 {
        assert!(matches!(port.read(&mut [0]), Err(Error::Gone { .. })));
        assert!(matches!(port.write(Lent::memory(b"x")), Err(Error::Gone { .. })));
        assert!(matches!(port.tail(), Err(Error::Gone { .. })));
        assert!(matches!(port.wait(DRAINED, &bell, Some(soon())), Err(Error::Gone { .. })));
        assert_eq!(port.cancel().unwrap(), Canceled::default());
    }
}

#[test]
fn a_torn_page_is_the_documents_fault() {
    let (_far, mut port) = line("");
    begin(&mut port);
    with_torn_page(|bytes| {
        assert!(matches!(port.write(Lent::memory(bytes)), Err(Error::Document { .. })));
    });
}
