//! The simulated printer behind a pty, seen through a plain descriptor on its slave.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use despool_hw::sim::{Checksum, Keep, Language, Model, ModelOptions, PtyPrinter};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::termios::{InputModes, OptionalActions, tcgetattr, tcsetattr};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn model(language: Language) -> Model {
    let keep = Keep::Memory { limit_bytes: 1 << 24 };
    let options = ModelOptions { keep, checksum: Checksum::Crc32c, ..ModelOptions::default() };
    Model::new(language, options, Instant::now())
}

fn open(path: &Path, flags: OFlags) -> File {
    let flags = (flags | OFlags::NOCTTY).bits().cast_signed();
    OpenOptions::new().read(true).write(true).custom_flags(flags).open(path).unwrap()
}

/// Waits until the tty has one of `flags`; what it has.
fn wait(tty: &File, flags: PollFlags) -> PollFlags {
    let mut fds = [PollFd::new(tty, flags)];
    let limit = Timespec::try_from(Duration::from_secs(20)).unwrap();
    assert_eq!(poll(&mut fds, Some(&limit)).unwrap(), 1, "nothing came");
    fds[0].revents()
}

fn read_exact(mut tty: &File, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    tty.read_exact(&mut bytes).unwrap();
    bytes
}

/// Bytes with every value in them, different at every place.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

#[test]
fn sim_pty_gets_every_byte_in_order() {
    let printer = PtyPrinter::start(model(Language::Plain)).unwrap();
    let mut tty = open(&printer.path(), OFlags::empty());
    let job = pattern(3_000_001);
    tty.write_all(&job).unwrap();
    let handle = printer.handle();
    assert!(handle.wait_for(|state| state.bytes == 3_000_001, soon()));
    assert!(handle.take_kept() == job);
}

#[test]
fn sim_pty_answers() {
    let printer = PtyPrinter::start(model(Language::Pjl)).unwrap();
    let mut tty = open(&printer.path(), OFlags::empty());
    tty.write_all(b"\x1b%-12345X@PJL COMMENT despool\r\n@PJL ECHO hello\r\n\x1b%-12345X").unwrap();
    assert_eq!(read_exact(&tty, 18), b"@PJL ECHO hello\r\n\x0c");
    printer.handle().command("say 00ff11130d0a1b");
    assert_eq!(read_exact(&tty, 7), b"\x00\xff\x11\x13\r\n\x1b", "the line is raw");
    printer.handle().command("garbage 60000");
    assert_eq!(read_exact(&tty, 60_000).len(), 60_000);
    let received = printer.handle().received();
    assert_eq!((received.bytes, received.monitor_bytes), (0, 57));
}

#[test]
fn sim_pty_holds_the_host_back_while_stalled_and_loses_nothing() {
    let printer = PtyPrinter::start(model(Language::Plain)).unwrap();
    let handle = printer.handle();
    handle.command("stall on");
    let mut tty = open(&printer.path(), OFlags::NONBLOCK);
    let job = pattern(500_000);
    let mut sent = 0;
    loop {
        match tty.write(&job[sent..]) {
            Ok(len) => sent += len,
            Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
    assert!(sent < job.len() && handle.received().bytes == 0);
    handle.command("stall off");
    while sent < job.len() {
        wait(&tty, PollFlags::OUT);
        match tty.write(&job[sent..]) {
            Ok(len) => sent += len,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        // On and off while bytes are on the way.
        handle.command("stall on");
        handle.command("stall off");
    }
    assert!(handle.wait_for(|state| state.bytes == 500_000, soon()));
    assert!(handle.take_kept() == job);
}

#[test]
fn sim_pty_fills_its_buffer_when_paper_is_out() {
    let printer = PtyPrinter::start(model(Language::Plain)).unwrap();
    let handle = printer.handle();
    handle.command("paper-out on");
    let mut tty = open(&printer.path(), OFlags::empty());
    let job = pattern(70_000);
    tty.write_all(&job).unwrap();
    assert!(handle.wait_for(|state| state.buffered == 65_536, soon()));
    assert_eq!(handle.received().bytes, 65_536);
    handle.command("paper-out off");
    assert!(handle.wait_for(|state| state.bytes == 70_000 && state.buffered == 0, soon()));
    assert!(handle.take_kept() == job);
}

#[test]
fn sim_pty_can_be_slow() {
    let printer = PtyPrinter::start(model(Language::Plain)).unwrap();
    printer.handle().command("speed 2000");
    let start = Instant::now();
    open(&printer.path(), OFlags::empty()).write_all(&pattern(600)).unwrap();
    assert!(printer.handle().wait_for(|state| state.bytes == 600, soon()));
    assert!(
        start.elapsed() >= Duration::from_millis(190),
        "600 bytes, 200 of them saved up at most"
    );
}

#[test]
fn sim_pty_is_unplugged_and_plugged_in_again_behind_its_link() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("ttySIM0");
    let printer = PtyPrinter::start_at(model(Language::Plain), &link).unwrap();
    let handle = printer.handle();
    assert_eq!(printer.path(), link);
    let mut tty = open(&link, OFlags::empty());
    tty.write_all(b"before ").unwrap();
    assert!(handle.wait_for(|state| state.bytes == 7, soon()));
    assert_eq!(handle.command("unplug"), r#"{"ok":true}"#);
    assert!(!link.exists() && link.symlink_metadata().is_err());
    assert!(wait(&tty, PollFlags::IN).contains(PollFlags::HUP));
    assert_eq!(
        tty.write(b"x").unwrap_err().raw_os_error(),
        Some(rustix::io::Errno::IO.raw_os_error())
    );
    assert_eq!(handle.command("unplug"), r#"{"ok":true}"#, "twice is once");
    assert_eq!(handle.command("plug"), r#"{"ok":true}"#);
    let mut tty = open(&link, OFlags::empty());
    tty.write_all(b"after").unwrap();
    assert!(handle.wait_for(|state| state.bytes == 12, soon()));
    assert_eq!(handle.take_kept(), b"before after");
    drop(printer);
    assert!(link.symlink_metadata().is_err(), "the link goes with the printer");
    assert!(wait(&tty, PollFlags::IN).contains(PollFlags::HUP));
}

#[test]
fn sim_pty_link_does_not_replace_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("precious");
    std::fs::write(&path, "data").unwrap();
    assert!(PtyPrinter::start_at(model(Language::Plain), &path).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"data");
}

#[test]
fn sim_pty_sends_xoff_and_xon_as_characters() {
    let printer = PtyPrinter::start(model(Language::Plain)).unwrap();
    let handle = printer.handle();
    let mut tty = open(&printer.path(), OFlags::NONBLOCK);
    let mut settings = tcgetattr(tty.as_fd()).unwrap();
    settings.input_modes |= InputModes::IXON;
    tcsetattr(tty.as_fd(), OptionalActions::Now, &settings).unwrap();
    handle.command("xoff");
    handle.command("say 41");
    wait(&tty, PollFlags::IN);
    assert_eq!(read_exact(&tty, 1), b"A", "XOFF is eaten by the line");
    assert_eq!(tty.write(b"x").unwrap_err().kind(), ErrorKind::WouldBlock);
    handle.command("xon");
    wait(&tty, PollFlags::OUT);
    assert_eq!(tty.write(b"x").unwrap(), 1);
    assert!(handle.wait_for(|state| state.bytes == 1, soon()));
}

#[test]
fn sim_pty_of_a_busy_escpos_printer_says_why() {
    let printer = PtyPrinter::start(model(Language::Escpos)).unwrap();
    let handle = printer.handle();
    handle.command("stall on");
    handle.command("cover-open on");
    let mut tty = open(&printer.path(), OFlags::empty());
    tty.write_all(b"\x10\x04\x01\x10\x04\x02").unwrap();
    assert_eq!(read_exact(&tty, 2), [0x1A, 0x16]);
}
