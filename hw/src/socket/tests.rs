//! Against printers that are plain listeners on loopback.

mod connecting;
mod ending;

use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use rustix::net::sockopt::{
    set_socket_linger, set_socket_recv_buffer_size, socket_keepalive, tcp_nodelay, tcp_user_timeout,
};

use super::*;
use crate::limits::{KEEPALIVE_IDLE, PEER_SILENCE};
use crate::testing::*;
use crate::{DeviceUri, Host};

fn printer() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A printer that holds few bytes.
fn slow_printer() -> TcpListener {
    let printer = printer();
    set_socket_recv_buffer_size(&printer, 4096).unwrap();
    printer
}

fn port_to(printer: &TcpListener, options: &str) -> SocketPort {
    let address = printer.local_addr().unwrap();
    match format!("socket://{address}?{options}").parse().unwrap() {
        DeviceUri::Socket(uri) => SocketPort::new(&uri),
        other => panic!("{other}"),
    }
}

fn begin(port: &mut SocketPort) {
    port.begin_job(&Bell::new().unwrap(), soon()).unwrap();
}

/// A port in a job, and the printer's end of its connection.
fn connected(printer: &TcpListener, options: &str) -> (SocketPort, TcpStream) {
    let mut port = port_to(printer, options);
    begin(&mut port);
    (port, printer.accept().unwrap().0)
}

fn wait(port: &mut SocketPort, interest: Interest) -> Result<Ready, Error> {
    port.wait(interest, &Bell::new().unwrap(), Some(soon()))
}

fn nothing(port: &mut SocketPort, interest: Interest) {
    assert_eq!(
        port.wait(interest, &Bell::new().unwrap(), Some(shortly())).unwrap(),
        Ready::default()
    );
}

/// Waits for a drained port while a job is on the way.
fn drained(port: &mut SocketPort) {
    assert!(wait(port, DRAINED).unwrap().drained);
    assert_eq!(port.tail().unwrap(), Tail::Empty);
}

/// Closes with a reset.
fn reset(stream: TcpStream) {
    set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    drop(stream);
}

/// Everything the printer gets until we close our side.
fn to_the_end(stream: &mut TcpStream) -> Vec<u8> {
    use std::io::Read;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    all
}

#[test]
fn a_job_is_a_connection() {
    let printer = printer();
    let mut port = port_to(&printer, "");
    let facts = PortFacts { back_channel: true, job_is_connection: true, keeps_place: false };
    assert_eq!(port.facts(), facts);
    for job in [pattern(600_000), pattern(0), pattern(5)] {
        let expected = job.clone();
        begin(&mut port);
        let mut stream = printer.accept().unwrap().0;
        let printing = std::thread::spawn(move || {
            let got = to_the_end(&mut stream);
            stream.write_all(b"printed").unwrap();
            got
        });
        write_all(&mut port, &job);
        port.end_job().unwrap();
        assert!(printing.join().unwrap() == expected);
        // What it said just before it closed is not lost, and comes before the end.
        assert_eq!(hear(&mut port, 7), b"printed");
        let both = Interest { read: true, ..DRAINED };
        assert_eq!(wait(&mut port, both).unwrap(), Ready { drained: true, ..Ready::default() });
        assert_eq!(port.tail().unwrap(), Tail::Empty);
        assert_eq!(port.read(&mut [0; 8]).unwrap(), 0);
        assert!(port.link.is_none());
    }
    assert!(matches!(port.write(Lent::memory(b"x")), Err(Error::Gone { .. })));
}

#[test]
fn the_connection_has_its_options() {
    let printer = printer();
    let (port, _stream) = connected(&printer, "");
    let fd = port.link.as_ref().unwrap().fd();
    assert!(tcp_nodelay(fd).unwrap() && socket_keepalive(fd).unwrap());
    assert_eq!(u128::from(tcp_user_timeout(fd).unwrap()), PEER_SILENCE.as_millis());
    assert_eq!(rustix::net::sockopt::tcp_keepidle(fd).unwrap(), KEEPALIVE_IDLE);
}

#[test]
fn a_slow_printer_is_waited_for_and_seen_to_hold_back() {
    let printer = slow_printer();
    let (mut port, stream) = connected(&printer, "");
    let job = pattern(1_000_000);
    let taken = stuff(&mut port, &job);
    assert!(taken < 400_000, "the kernel holds {taken} bytes");
    let Tail::Bytes(waiting) = port.tail().unwrap() else { panic!() };
    assert!(waiting > 0 && waiting <= taken as u64);
    assert_eq!(port.line().unwrap().held_back, Some(false));
    assert!(wait(&mut port, LINE).unwrap().line);
    assert_eq!(port.line().unwrap().held_back, Some(true));
    let timeout = |port: &SocketPort| tcp_user_timeout(port.link.as_ref().unwrap().fd()).unwrap();
    assert_eq!(timeout(&port), 0, "a closed window must not end the connection");
    hears_the_bell(&mut port, WRITE);

    let printing = std::thread::spawn(move || (take(&stream, 1_000_000), stream));
    write_all(&mut port, &job[taken..]);
    let (got, stream) = printing.join().unwrap();
    assert!(got == job);
    assert!(wait(&mut port, LINE).unwrap().line);
    assert_eq!(port.line().unwrap().held_back, Some(false));
    assert_eq!(u128::from(timeout(&port)), PEER_SILENCE.as_millis());
    port.end_job().unwrap();
    nothing(&mut port, DRAINED);
    drop(stream);
    drained(&mut port);
}

#[test]
fn the_back_channel_speaks_while_data_goes_out() {
    let printer = slow_printer();
    let (mut port, mut stream) = connected(&printer, "");
    stuff(&mut port, &pattern(1_000_000));
    stream.write_all(b"paper low").unwrap();
    assert_eq!(hear(&mut port, 9), b"paper low");
}

#[test]
fn the_end_of_the_back_channel_is_no_fault() {
    let printer = printer();
    let (mut port, mut stream) = connected(&printer, "");
    stream.write_all(b"hi").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(hear(&mut port, 2), b"hi");
    for _ in 0..2 {
        nothing(&mut port, READ);
        assert_eq!(port.read(&mut [0; 8]).unwrap(), 0);
    }
    write_all(&mut port, b"job");
    port.end_job().unwrap();
    drained(&mut port);
    assert_eq!(to_the_end(&mut stream), b"job");
}

#[test]
fn a_torn_page_is_the_documents_fault() {
    let printer = printer();
    let (mut port, _stream) = connected(&printer, "");
    with_torn_page(|bytes| {
        assert!(matches!(port.write(Lent::memory(bytes)), Err(Error::Document { .. })));
    });
    assert_eq!(port.write(Lent::memory(b"x")).unwrap(), 1);
}
