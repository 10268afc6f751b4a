//! Raw TCP senders.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use super::PATIENCE;

/// How the server ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// In order: the job was accepted.
    Accepted,
    /// By a reset: it was refused.
    Refused,
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends a document as a job of its own; how that ended, and what came back.
pub(crate) fn print(address: SocketAddr, document: &[u8]) -> (End, Vec<u8>) {
    let mut stream = connect(address);
    if stream.write_all(document).is_err() {
        return (End::Refused, Vec::new());
    }
    finish(stream)
}

/// Says that this is all, and waits for how the server ends it.
pub(crate) fn finish(stream: TcpStream) -> (End, Vec<u8>) {
    if stream.shutdown(Shutdown::Write).is_err() {
        return (End::Refused, Vec::new());
    }
    end_of(stream)
}

/// Waits until the server ends the connection; how, and what came back before.
#[track_caller]
pub(crate) fn end_of(mut stream: TcpStream) -> (End, Vec<u8>) {
    let mut back = Vec::new();
    match stream.read_to_end(&mut back) {
        Ok(_) => (End::Accepted, back),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => (End::Refused, back),
        Err(error) => panic!("the server does not end the connection: {error}"),
    }
}

/// Breaks a connection off by a reset.
pub(crate) fn reset(stream: TcpStream) {
    set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
}

/// Reads exactly so many bytes.
#[track_caller]
pub(crate) fn read(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
    let mut buf = vec![0; bytes];
    stream.read_exact(&mut buf).unwrap();
    buf
}
