//! The simulated printer behind a TCP listener, seen through `std::net`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use despool_hw::sim::{
    Checksum, ConnectionEnd, JobSpan, Keep, Language, Model, ModelOptions, TcpOptions, TcpPrinter,
};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn start(language: Language, options: TcpOptions) -> TcpPrinter {
    let keep = Keep::Memory { limit_bytes: 1 << 24 };
    let model = ModelOptions { keep, checksum: Checksum::Crc32c, ..ModelOptions::default() };
    TcpPrinter::start(Model::new(language, model, Instant::now()), options).unwrap()
}

fn connect(printer: &TcpPrinter) -> TcpStream {
    let stream = TcpStream::connect(printer.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Closes our side and reads what comes until the printer closes its.
fn finish(mut stream: TcpStream) -> Vec<u8> {
    stream.shutdown(Shutdown::Write).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    said
}

fn read_exact(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

fn keeping() -> TcpOptions {
    TcpOptions { keep_bytes: 1 << 24, ..TcpOptions::loopback() }
}

#[test]
fn sim_tcp_connection_is_a_job() {
    let printer = start(Language::Plain, keeping());
    let (one, two) = (pattern(5_000_003), b"two".to_vec());
    for job in [&one, &two] {
        let mut stream = connect(&printer);
        stream.write_all(job).unwrap();
        assert_eq!(finish(stream), b"");
    }
    let handle = printer.handle();
    assert!(handle.wait_for(|state| state.jobs == 2 && state.hosts == 0, soon()));
    assert!(handle.take_kept() == [one.as_slice(), &two].concat());
    let spans = [(0, 5_000_003), (5_000_003, 3)];
    assert_eq!(handle.jobs(), spans.map(|(start, bytes)| JobSpan { start, bytes, complete: true }));
    let connections = printer.connections();
    assert_eq!(connections[1].kept, two);
    assert!(connections[0].kept == one && connections[0].end == Some(ConnectionEnd::Finished));
}

#[test]
fn sim_tcp_lets_the_others_wait() {
    let printer = start(Language::Plain, TcpOptions::loopback());
    let handle = printer.handle();
    let mut first = connect(&printer);
    first.write_all(b"first ").unwrap();
    assert!(handle.wait_for(|state| state.bytes == 6, soon()));
    let mut second = connect(&printer);
    second.write_all(b"second").unwrap();
    first.write_all(b"still ").unwrap();
    assert!(handle.wait_for(|state| state.bytes == 12, soon()));
    assert_eq!(handle.snapshot().hosts, 1);
    finish(first);
    finish(second);
    assert_eq!(handle.take_kept(), b"first still second");
}

#[test]
fn sim_tcp_takes_many_at_a_time_and_keeps_them_apart() {
    let printer = start(Language::Plain, TcpOptions { many: true, ..keeping() });
    let mut streams: Vec<TcpStream> = (0..5).map(|_| connect(&printer)).collect();
    for round in 0..3 {
        for (at, stream) in streams.iter_mut().enumerate() {
            stream.write_all(format!("{at}:{round} ").as_bytes()).unwrap();
        }
    }
    assert!(printer.handle().wait_for(|state| state.hosts == 5 && state.bytes == 60, soon()));
    streams.into_iter().for_each(|stream| drop(finish(stream)));
    let mut kept: Vec<_> = printer.connections().into_iter().map(|it| it.kept).collect();
    kept.sort();
    let expected: Vec<_> = (0..5).map(|at| format!("{at}:0 {at}:1 {at}:2 ").into_bytes()).collect();
    assert_eq!(kept, expected);
}

#[test]
fn sim_tcp_answers_who_asked_and_tells_everybody_the_rest() {
    let printer = start(Language::Escpos, TcpOptions { many: true, ..TcpOptions::loopback() });
    let handle = printer.handle();
    let (mut one, mut two) = (connect(&printer), connect(&printer));
    one.write_all(b"\x10\x04\x01").unwrap();
    assert_eq!(read_exact(&mut one, 1), [0x12]);
    two.write_all(b"\x1da\x0f").unwrap();
    assert_eq!(read_exact(&mut two, 4), [0x10, 0, 0, 0]);
    handle.command("paper-out on");
    for stream in [&mut one, &mut two] {
        assert_eq!(read_exact(stream, 4), [0x18, 0, 0x0F, 0]);
    }
    handle.command("paper-out off");
    assert_eq!(finish(one), [0x10, 0, 0, 0]);
    assert_eq!(finish(two), [0x10, 0, 0, 0]);
    assert_eq!(handle.command("say 41"), r#"{"ok":true}"#, "nobody hears it");
    assert!(handle.wait_for(|state| state.back_waiting == 0, soon()));
    let mut three = connect(&printer);
    three.write_all(b"\x10\x04\x01").unwrap();
    assert_eq!(finish(three), [0x12], "what nobody heard is not kept for the next");
    for _ in 0..20 {
        let before = printer.connections().len();
        let mut stream = connect(&printer);
        // `connect` may return before the other side knows of it.
        assert!(handle.wait_for(|_| printer.connections().len() > before, soon()));
        handle.command("say 42");
        assert_eq!(read_exact(&mut stream, 1), b"B", "who is connected hears it");
    }
}

#[test]
fn sim_tcp_closes_when_everything_is_printed() {
    let printer = start(Language::Plain, TcpOptions::loopback());
    let handle = printer.handle();
    handle.command("cover-open on");
    let mut stream = connect(&printer);
    stream.write_all(b"patience").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(handle.wait_for(|state| state.jobs == 1 && state.buffered == 8, soon()));
    stream.set_nonblocking(true).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    stream.set_nonblocking(false).unwrap();
    handle.command("cover-open off");
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn sim_tcp_resets_a_connection_after_so_many_bytes() {
    let printer = start(Language::Plain, keeping());
    printer.reset_after(100_000);
    let mut stream = connect(&printer);
    let job = pattern(1 << 20);
    // However much the sockets' buffers swallow, the host learns of the reset in the end.
    let error = loop {
        if let Err(error) = stream.write_all(&job) {
            break error;
        }
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    let handle = printer.handle();
    assert!(handle.wait_for(|state| state.jobs == 1 && state.hosts == 0, soon()));
    assert!(handle.take_kept() == job[..100_000]);
    assert_eq!(handle.jobs(), [JobSpan { start: 0, bytes: 100_000, complete: false }]);
    assert_eq!(printer.connections()[0].end, Some(ConnectionEnd::Reset));
    let mut stream = connect(&printer);
    stream.write_all(&job).unwrap();
    finish(stream);
    assert!(printer.connections()[1].kept == job, "only one is reset");
}

#[test]
fn sim_tcp_notices_a_host_that_breaks_off_also_while_stalled() {
    let printer = start(Language::Plain, TcpOptions::loopback());
    let handle = printer.handle();
    let mut stream = connect(&printer);
    stream.write_all(b"half a jo").unwrap();
    assert!(handle.wait_for(|state| state.bytes == 9, soon()));
    handle.command("stall on");
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    drop(stream);
    assert!(handle.wait_for(|state| state.jobs == 1 && state.hosts == 0, soon()));
    assert_eq!(printer.connections()[0].end, Some(ConnectionEnd::Broken));
    assert!(!handle.jobs()[0].complete);
}

#[test]
fn sim_tcp_is_unplugged_and_plugged_in_again_on_its_port() {
    let printer = start(Language::Plain, TcpOptions::loopback());
    let handle = printer.handle();
    let mut stream = connect(&printer);
    stream.write_all(b"one ").unwrap();
    assert!(handle.wait_for(|state| state.bytes == 4, soon()));
    assert_eq!(handle.command("unplug"), r#"{"ok":true}"#);
    assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let refused = TcpStream::connect(printer.address()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(handle.command("plug"), r#"{"ok":true}"#);
    let mut stream = connect(&printer);
    stream.write_all(b"two").unwrap();
    finish(stream);
    assert_eq!(handle.take_kept(), b"one two");
}

#[test]
fn sim_tcp_says_when_it_cannot_listen() {
    let first = start(Language::Plain, TcpOptions::loopback());
    let options = TcpOptions { address: first.address(), ..TcpOptions::loopback() };
    let model = Model::new(Language::Plain, ModelOptions::default(), Instant::now());
    let error = TcpPrinter::start(model, options).unwrap_err().to_string();
    assert!(error.contains("listening failed") && error.contains("127.0.0.1"), "{error}");
}
