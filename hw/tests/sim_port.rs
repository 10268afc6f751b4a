//! The simulated printer inside the process, seen through the port trait.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::io::Write;
use std::os::fd::AsFd;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use despool_hw::sim::{self, Keep, Key, Language, ModelOptions, SimHandle};
use despool_hw::{Bell, Error, FileRange, Interest, Lent, Origin, Port, Ready, Tail};

const WRITE: Interest = Interest { write: true, read: false, line: false, drained: false };
const READ: Interest = Interest { write: false, read: true, line: false, drained: false };
const LINE: Interest = Interest { write: false, read: false, line: true, drained: false };
const DRAINED: Interest = Interest { write: false, read: false, line: false, drained: true };

fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(20))
}

/// A printer of its own for the test, which keeps what it gets.
fn printer(language: Language, name: &str, buffer_bytes: usize) -> (Key, SimHandle) {
    let key = Key::named(language, name);
    let keep = Keep::Memory { limit_bytes: 1 << 24 };
    let options = ModelOptions { keep, buffer_bytes, ..ModelOptions::default() };
    let handle = sim::device_with(&key, options).unwrap();
    (key, handle)
}

fn monitor(bytes: &[u8]) -> Lent<'_> {
    Lent { origin: Origin::Monitor, ..Lent::memory(bytes) }
}

/// Sends everything, waiting for room.
fn send(port: &mut dyn Port, bell: &Bell, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let sent = port.write(Lent::memory(bytes)).unwrap();
        bytes = &bytes[sent..];
        if sent == 0 {
            assert!(port.wait(WRITE, bell, soon()).unwrap().write);
        }
    }
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

#[test]
fn sim_port_carries_a_job() {
    let (key, handle) = printer(Language::Pjl, "job", 1000);
    let (mut port, bell) = (sim::open(&key).unwrap(), Bell::new().unwrap());
    assert!(port.facts().back_channel && !port.facts().job_is_connection);
    port.begin_job(&bell, soon().unwrap()).unwrap();
    assert_eq!(port.write(monitor(b"\x1b%-12345X@PJL ECHO 1\n\x1b%-12345X")).unwrap(), 30);
    let job = pattern(1_000_000);
    send(&mut *port, &bell, &job);
    port.end_job().unwrap();
    assert!(port.wait(DRAINED, &bell, soon()).unwrap().drained);
    assert_eq!((port.tail().unwrap(), port.in_flight()), (Tail::Empty, 0));
    let mut said = [0; 99];
    let len = port.read(&mut said).unwrap();
    assert_eq!(&said[..len], b"@PJL ECHO 1\r\n\x0c");
    assert!(handle.take_kept() == job);
    let received = handle.received();
    assert_eq!((received.bytes, received.monitor_bytes, received.jobs), (1_000_000, 30, 1));
    assert!(handle.jobs()[0].complete);
}

#[test]
fn sim_port_copies_from_the_file_and_not_from_memory() {
    let (key, handle) = printer(Language::Plain, "file", 4096);
    let (mut port, bell) = (sim::open(&key).unwrap(), Bell::new().unwrap());
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    // Stands for a mapping of the file: were it read, the printer would get zeros.
    let map = [0u8; 20];
    let lent = |offset: u64, len: usize| Lent {
        file: Some(FileRange { file: file.as_fd(), offset }),
        ..Lent::memory(&map[..len])
    };
    port.begin_job(&bell, soon().unwrap()).unwrap();
    assert_eq!(port.write(lent(2, 5)).unwrap(), 5);
    assert_eq!(port.write(lent(8, 20)).unwrap(), 2, "as much as there is");
    let error = port.write(lent(10, 1)).unwrap_err();
    assert!(matches!(error, Error::Document { .. }), "{error}");
    assert_eq!(handle.take_kept(), b"2345689");
}

#[test]
fn sim_port_wait_wakes_for_everything() {
    let (key, handle) = printer(Language::Plain, "wait", 10);
    let (mut port, bell) = (sim::open(&key).unwrap(), Bell::new().unwrap());
    assert_eq!(port.wait(READ, &bell, Some(Instant::now())).unwrap(), Ready::default());
    assert!(port.wait(LINE, &bell, soon()).unwrap().line, "nobody has looked yet");
    assert_eq!(port.line().unwrap().paper_out, Some(false));
    let (tx, rx) = mpsc::channel::<&str>();
    let (other, ring) = (handle.clone(), bell.clone());
    // Does what it is told while (or before) the port waits.
    let hand = thread::spawn(move || {
        for command in rx {
            if command == "ring" { ring.ring() } else { drop(other.command(command)) }
        }
    });
    let mut wait = |command: &'static str, interest| {
        tx.send(command).unwrap();
        port.wait(interest, &bell, soon()).unwrap()
    };
    assert!(wait("say 41", READ).read);
    assert!(wait("ring", Interest { read: false, ..READ }).bell);
    assert!(wait("paper-out on", LINE).line);
    let line = port.line().unwrap();
    assert_eq!((line.paper_out, line.online, line.fault), (Some(true), Some(false), Some(true)));
    assert_eq!(port.wait(LINE, &bell, Some(Instant::now())).unwrap(), Ready::default());
    send(&mut *port, &bell, b"0123456789");
    assert_eq!(port.write(Lent::memory(b"x")).unwrap(), 0);
    assert_eq!(
        (port.tail().unwrap(), port.line().unwrap().held_back),
        (Tail::Bytes(10), Some(true))
    );
    assert_eq!(port.wait(DRAINED, &bell, Some(Instant::now())).unwrap(), Ready::default());
    tx.send("paper-out off").unwrap();
    assert!(port.wait(DRAINED, &bell, soon()).unwrap().drained);
    handle.command("stall on");
    assert_eq!(port.wait(WRITE, &bell, Some(Instant::now())).unwrap(), Ready::default());
    tx.send("stall off").unwrap();
    assert!(port.wait(WRITE, &bell, soon()).unwrap().write);
    tx.send("unplug").unwrap();
    assert!(port.wait(READ, &bell, soon()).is_ok());
    drop(tx);
    hand.join().unwrap();
    assert!(matches!(port.line(), Err(Error::Gone { .. })));
}

#[test]
fn sim_port_keeps_pace() {
    let (key, handle) = printer(Language::Plain, "pace", 1000);
    let (mut port, bell) = (sim::open(&key).unwrap(), Bell::new().unwrap());
    handle.command("speed 2000");
    let start = Instant::now();
    send(&mut *port, &bell, &pattern(600));
    assert!(
        start.elapsed() >= Duration::from_millis(190),
        "600 bytes, 200 of them saved up at most"
    );
}

#[test]
fn sim_port_breaks_when_unplugged_and_the_next_one_works() {
    let (key, handle) = printer(Language::Escpos, "cable", 1000);
    let (mut port, bell) = (sim::open(&key).unwrap(), Bell::new().unwrap());
    port.begin_job(&bell, soon().unwrap()).unwrap();
    send(&mut *port, &bell, b"part");
    assert!(matches!(sim::open(&key), Err(Error::Busy { .. })), "one at a time");
    handle.command("unplug");
    assert!(matches!(sim::open(&key), Err(Error::Absent { .. })));
    assert!(matches!(port.write(Lent::memory(b"x")), Err(Error::Gone { .. })));
    handle.command("plug");
    assert!(matches!(port.read(&mut [0]), Err(Error::Gone { .. })), "the old one stays broken");
    assert!(port.wait(WRITE, &bell, soon()).unwrap().write, "and says so when asked");
    assert!(matches!(port.tail(), Err(Error::Gone { .. })));
    assert_eq!(port.cancel().unwrap(), Default::default());
    let broken = std::mem::replace(&mut port, sim::open(&key).unwrap());
    drop(broken);
    assert!(matches!(sim::open(&key), Err(Error::Busy { .. })), "the broken one took nothing away");
    port.begin_job(&bell, soon().unwrap()).unwrap();
    send(&mut *port, &bell, b"whole");
    port.end_job().unwrap();
    assert_eq!(handle.take_kept(), b"partwhole");
    let complete: Vec<bool> = handle.jobs().iter().map(|job| job.complete).collect();
    assert_eq!(complete, [false, true]);
}

#[test]
fn sim_port_arrival_is_noticed() {
    let (key, handle) = printer(Language::Plain, "arrival", 1000);
    let bell = Bell::new().unwrap();
    assert!(sim::wait_plugged(&key, &bell, None).unwrap());
    handle.command("unplug");
    assert!(!sim::wait_plugged(&key, &bell, Some(Instant::now())).unwrap());
    let arrival = sim::arrival(&key).unwrap();
    bell.ring();
    assert!(matches!(arrival.wait(&bell, soon()), Err(Error::Rang { .. })));
    let waiter = thread::spawn(move || arrival.wait(&bell, soon()).unwrap());
    handle.command("paper-out on");
    handle.command("plug");
    assert!(waiter.join().unwrap());
    let port = sim::open(&key).unwrap();
    let (arrival, bell) = (sim::arrival(&key).unwrap(), Bell::new().unwrap());
    assert!(!arrival.wait(&bell, Some(Instant::now())).unwrap(), "somebody has it");
    let waiter = thread::spawn(move || arrival.wait(&bell, soon()).unwrap());
    drop(port);
    assert!(waiter.join().unwrap());
}

#[test]
fn sim_port_cancel_withdraws_nothing_and_soft_reset_clears_the_buffer() {
    let (key, handle) = printer(Language::Pjl, "cancel", 1000);
    let (mut port, bell) = (sim::open(&key).unwrap(), Bell::new().unwrap());
    handle.command("offline on");
    port.begin_job(&bell, soon().unwrap()).unwrap();
    send(&mut *port, &bell, b"data");
    assert_eq!(port.cancel().unwrap().withdrawn_bytes, 0);
    assert_eq!(port.tail().unwrap(), Tail::Bytes(4));
    assert!(port.soft_reset().unwrap());
    assert_eq!(port.tail().unwrap(), Tail::Empty);
    assert_eq!((handle.received().bytes, handle.received().discarded), (4, 4));
    assert!(!handle.jobs()[0].complete);
    let id = port.device_id().unwrap().unwrap();
    assert!(id.contains("MDL:simulated PJL printer;CMD:PJL,PCL;"), "{id}");
}

#[test]
fn sim_port_device_outlives_its_ports_until_it_is_retired() {
    let key = Key::named(Language::Plain, "outlives");
    let bell = Bell::new().unwrap();
    for word in [b"one ".as_slice(), b"two"] {
        let mut port = sim::open(&key).unwrap();
        send(&mut *port, &bell, word);
    }
    assert_eq!(sim::device(&key).unwrap().received().bytes, 7);
    assert!(matches!(sim::device_with(&key, ModelOptions::default()), Err(Error::Busy { .. })));
    assert!(sim::retire(&key) && !sim::retire(&key));
    assert_eq!(sim::device(&key).unwrap().received().bytes, 0);
}

#[test]
fn sim_port_status_while_the_job_waits() {
    let (key, handle) = printer(Language::Escpos, "status", 8);
    let (mut port, bell) = (sim::open(&key).unwrap(), Bell::new().unwrap());
    port.write(monitor(b"\x1da\x0f")).unwrap();
    handle.command("paper-out on");
    send(&mut *port, &bell, b"12345678");
    assert_eq!(port.write(Lent::memory(b"9")).unwrap(), 0);
    assert_eq!(port.write(monitor(b"\x10\x04\x04")).unwrap(), 3, "a question passes");
    let mut said = [0; 20];
    let len = port.read(&mut said).unwrap();
    assert_eq!(&said[..len], [0x10, 0, 0, 0, 0x18, 0, 0x0F, 0, 0x7E]);
}
