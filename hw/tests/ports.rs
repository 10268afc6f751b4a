//! Every kind of port through the door that the server uses: a URI, `open`, the trait, `Arrival`.

// Clippy's permission for tests does not reach their helpers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use despool_hw::{
    Arrival, Arrived, Bell, DeviceUri, Error, FileRange, Interest, Lent, Port, Ready, Tail, open,
    sim,
};
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn uri(text: &str) -> DeviceUri {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn document(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at.wrapping_mul(131) ^ (at >> 7)) as u8).collect()
}

/// A pty: its far end and the path of the near one.
fn pty() -> (OwnedFd, PathBuf) {
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&far).unwrap();
    unlockpt(&far).unwrap();
    let name = ptsname(&far, Vec::new()).unwrap();
    (far, PathBuf::from(name.to_str().unwrap()))
}

fn take(far: impl AsFd, len: usize) -> Vec<u8> {
    let mut all = vec![0; len];
    let mut count = 0;
    while count < len {
        let more = rustix::io::read(&far, &mut all[count..]).unwrap();
        assert!(more > 0, "the end after {count} of {len} bytes");
        count += more;
    }
    all
}

/// Prints a document as a port thread does, lending it from a file; how many bytes were taken when it ended.
fn print(port: &mut dyn Port, document: &[u8]) -> Result<(), (usize, Error)> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(document).unwrap();
    let bell = Bell::new().unwrap();
    let mut taken = 0;
    let fail = |taken| move |error| (taken, error);
    port.begin_job(&bell, soon()).map_err(fail(taken))?;
    while taken < document.len() {
        let range = FileRange { file: file.as_fd(), offset: taken as u64 };
        let lent = Lent { file: Some(range), ..Lent::memory(&document[taken..]) };
        match port.write(lent).map_err(fail(taken))? {
            0 => {
                let interest = Interest { write: true, ..Interest::default() };
                let ready = port.wait(interest, &bell, Some(soon())).map_err(fail(taken))?;
                assert!(ready.write, "no room after {taken} bytes");
            }
            count => taken += count,
        }
    }
    port.end_job().map_err(fail(taken))?;
    let drained = Interest { drained: true, ..Interest::default() };
    let ready = port.wait(drained, &bell, Some(soon())).map_err(fail(taken))?;
    assert_eq!(ready, Ready { drained: true, ..Ready::default() });
    Ok(())
}

#[test]
fn a_document_through_every_kind_of_port() {
    let job = document(300_000);
    let dir = tempfile::tempdir().unwrap();

    let (far, line) = pty();
    let mut port = open(&uri(&format!("serial:{}?baud=115200", line.display()))).unwrap();
    let got = thread::scope(|scope| {
        let printer = scope.spawn(|| take(&far, 300_000));
        print(&mut *port, &job).unwrap();
        printer.join().unwrap()
    });
    assert!(got == job);

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut port = open(&uri(&format!("socket://{}", listener.local_addr().unwrap()))).unwrap();
    let printer = thread::spawn(move || {
        let mut got = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut got).unwrap();
        got
    });
    print(&mut *port, &job).unwrap();
    assert!(printer.join().unwrap() == job);

    let path = dir.path().join("out.prn");
    let mut port = open(&uri(&format!("file:{}", path.display()))).unwrap();
    print(&mut *port, &job).unwrap();
    assert!(fs::read(&path).unwrap() == job);

    let path = dir.path().join("fifo");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    let reading = path.clone();
    let printer = thread::spawn(move || take(File::open(reading).unwrap(), 300_000));
    // A reader that waits for a writer tells nobody: its FIFO is tried now and then.
    let uri = uri(&format!("file:{}", path.display()));
    let mut port = arrived(&uri);
    print(&mut *port, &job).unwrap();
    assert_eq!(port.tail().unwrap(), Tail::Empty);
    assert!(printer.join().unwrap() == job);
}

/// Opens a port as soon as that is possible.
fn arrived(uri: &DeviceUri) -> Box<dyn Port> {
    let mut arrival = Arrival::new(uri);
    let bell = Bell::new().unwrap();
    loop {
        match open(uri) {
            Ok(port) => return port,
            Err(error) => assert!(error.is_waiting(), "{error}"),
        }
        assert_eq!(arrival.wait(&bell, Some(soon())).unwrap(), Arrived::MayBeThere);
    }
}

/// The cable is pulled in the middle of a job and comes back under another node; the name stays.
#[test]
fn an_adapter_that_is_plugged_in_again() {
    let dir = tempfile::tempdir().unwrap();
    let by_id = dir.path().join("by-id");
    let link = by_id.join("printer");
    let plug = |line: &Path| {
        fs::create_dir(&by_id).unwrap();
        symlink(line, &link).unwrap();
    };
    let uri = uri(&format!("serial:{}", link.display()));
    let job = document(200_000);

    let (far, line) = pty();
    plug(&line);
    let mut port = arrived(&uri);
    let first = thread::spawn(move || take(&far, 50_000));
    let (taken, error) = print(&mut *port, &job).unwrap_err();
    assert!(matches!(error, Error::Gone { .. }) && taken >= 50_000, "{error}");
    assert!(first.join().unwrap() == job[..50_000]);
    assert!(matches!(port.cancel(), Ok(lost) if lost.withdrawn_bytes == 0));
    drop(port);

    fs::remove_dir_all(&by_id).unwrap();
    assert!(matches!(open(&uri), Err(Error::Absent { .. })));
    let (far, line) = pty();
    let second = thread::scope(|scope| {
        scope.spawn(|| plug(&line));
        let mut port = arrived(&uri);
        let printer = scope.spawn(|| take(&far, 200_000));
        print(&mut *port, &job).unwrap();
        printer.join().unwrap()
    });
    assert!(second == job);
}

#[test]
fn a_simulated_printer_that_is_plugged_in_again() {
    let dir = tempfile::tempdir().unwrap();
    let uri = uri(&format!("sim:plain?control={}", dir.path().join("sim.sock").display()));
    let DeviceUri::Sim(named) = &uri else { panic!("{uri}") };
    let keep = sim::Keep::Memory { limit_bytes: 1 << 20 };
    let options = sim::ModelOptions { keep, ..sim::ModelOptions::default() };
    let printer = sim::device_with(&named.into(), options).unwrap();
    let job = document(100_000);
    printer.command("unplug");
    assert!(matches!(open(&uri).map(|_| ()), Err(Error::Absent { .. })));
    thread::scope(|scope| {
        scope.spawn(|| printer.command("plug"));
        print(&mut *arrived(&uri), &job).unwrap();
    });
    assert!(printer.take_kept() == job);
    sim::retire(&named.into());
}

#[test]
fn devices_that_are_not_there_are_waited_for() {
    for text in ["usb://No/Such-Printer?serial=none", "parallel:/dev/no-such-parport"] {
        match open(&uri(text)).map(|_| ()) {
            Err(error @ Error::Absent { .. }) => assert!(error.is_waiting(), "{error}"),
            other => panic!("{other:?}"),
        }
    }
}
