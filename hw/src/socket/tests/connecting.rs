use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A port that finds its host by `resolve`.
fn named(
    resolve: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
) -> SocketPort {
    let mut port = SocketPort::new(&SocketUri::new(Host::Name("printer".into()), 9100));
    port.lookup = Lookup::by(resolve);
    port
}

fn refused_address() -> SocketAddr {
    // Bound and let go: nobody listens there.
    printer().local_addr().unwrap()
}

/// A listener that answers nobody: its queue is full. The streams keep it so.
fn deaf() -> (TcpListener, Vec<rustix::fd::OwnedFd>) {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, listen, socket_with};
    let printer = printer();
    listen(&printer, 0).unwrap();
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let fd = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
        let _ = connect(&fd, &printer.local_addr().unwrap());
        waiting.push(fd);
    }
    (printer, waiting)
}

fn why(result: Result<(), Error>) -> String {
    match result {
        Err(Error::Absent { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn refused_is_absent() {
    let address = refused_address();
    let mut port = named(move |_, _| Ok(vec![address]));
    let why = why(port.begin_job(&Bell::new().unwrap(), soon()));
    assert!(why.contains("refused") && why.contains(&address.to_string()), "{why}");
}

#[test]
fn every_address_is_tried() {
    let printer = printer();
    let addresses =
        vec![refused_address(), "[::1]:1".parse().unwrap(), printer.local_addr().unwrap()];
    let mut port = named(move |host, number| {
        assert_eq!((host, number), ("printer", 9100));
        Ok(addresses.clone())
    });
    begin(&mut port);
    printer.accept().unwrap();
}

#[test]
fn a_deaf_printer_is_given_up_at_the_deadline() {
    let (printer, _waiting) = deaf();
    let mut port = port_to(&printer, "");
    let bell = Bell::new().unwrap();
    assert!(why(port.begin_job(&bell, shortly())).contains("timed out"));
    let mut port = port_to(&printer, "contimeout=1");
    let start = Instant::now();
    assert!(why(port.begin_job(&bell, soon())).contains("timed out"));
    assert!(start.elapsed() < PATIENCE / 2);
}

#[test]
fn the_bell_ends_connecting() {
    let (printer, _waiting) = deaf();
    let mut port = port_to(&printer, "");
    let bell = Bell::new().unwrap();
    let ringer = bell.clone();
    let ringing = std::thread::spawn(move || ringer.ring());
    assert!(matches!(port.begin_job(&bell, soon()), Err(Error::Rang { .. })));
    ringing.join().unwrap();
    assert!(!bell.hush(), "the ring is spent");
}

#[test]
fn dead_name_servers_block_nobody() {
    let (answer, wait_for_answer) = crossbeam_channel::bounded::<SocketAddr>(0);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let mut port = named(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(wait_for_answer.recv().into_iter().collect())
    });
    let bell = Bell::new().unwrap();
    assert!(
        why(port.begin_job(&bell, shortly()))
            .contains("no name server told the address of printer")
    );
    bell.ring();
    assert!(matches!(port.begin_job(&bell, soon()), Err(Error::Rang { .. })));
    // The answer to the first question serves the job that waits for it.
    let printer = printer();
    answer.send_timeout(printer.local_addr().unwrap(), PATIENCE).unwrap();
    begin(&mut port);
    printer.accept().unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_host_that_is_not_known_is_absent() {
    let mut port = named(|_, _| Err(io::Error::other("no such host")));
    let bell = Bell::new().unwrap();
    assert!(why(port.begin_job(&bell, soon())).contains("no such host"));
    let mut port = named(|_, _| Ok(Vec::new()));
    assert!(why(port.begin_job(&bell, soon())).contains("has no address"));
    let mut port = named(|_, _| panic!("a look-up that dies (this panic is part of the test)"));
    assert!(why(port.begin_job(&bell, soon())).contains("broke off"));
}

#[test]
fn real_names_and_ipv6() {
    let printer = printer();
    let number = printer.local_addr().unwrap().port();
    let mut port = SocketPort::new(&SocketUri::new(Host::Name("localhost".into()), number));
    begin(&mut port);
    printer.accept().unwrap();
    // Machines without IPv6 exist.
    let Ok(printer) = TcpListener::bind("[::1]:0") else { return };
    let (mut port, mut stream) = connected(&printer, "");
    write_all(&mut port, b"six");
    port.end_job().unwrap();
    assert_eq!(to_the_end(&mut stream), b"six");
}
