use super::*;
use crate::limits::EOF_WAIT;

/// Writes until the port says that the connection is gone.
fn write_until_gone(port: &mut SocketPort) {
    let until = soon();
    loop {
        assert!(Instant::now() < until);
        match port.write(Lent::memory(&pattern(1000))) {
            Ok(_) => assert!(wait(port, WRITE).unwrap().write),
            Err(error) => {
                assert!(matches!(error, Error::Gone { .. }), "{error}");
                return;
            }
        }
    }
}

#[test]
fn a_printer_that_closes_in_the_middle_is_gone() {
    let printer = printer();
    let (mut port, stream) = connected(&printer, "");
    write_all(&mut port, b"first");
    assert_eq!(take(&stream, 5), b"first");
    drop(stream);
    write_until_gone(&mut port);
    assert!(matches!(port.read(&mut [0; 8]), Err(Error::Gone { .. })));
    assert!(matches!(wait(&mut port, Interest::default()), Err(Error::Gone { .. })));
    assert!(matches!(port.end_job(), Err(Error::Gone { .. })));
    port.cancel().unwrap();
    let (mut port, _stream) = connected(&printer, "");
    assert_eq!(port.write(Lent::memory(b"x")).unwrap(), 1);
}

#[test]
fn a_reset_is_gone_after_what_came_before_it() {
    let printer = printer();
    for interest in [READ, WRITE, LINE, Interest::default()] {
        let (mut port, mut stream) = connected(&printer, "");
        stream.write_all(b"last words").unwrap();
        assert!(wait(&mut port, READ).unwrap().read);
        port.line().unwrap();
        reset(stream);
        if interest == READ {
            assert_eq!(hear(&mut port, 10), b"last words");
            assert!(wait(&mut port, READ).unwrap().read);
            assert!(matches!(port.read(&mut [0; 8]), Err(Error::Gone { .. })));
        } else if interest == WRITE {
            write_until_gone(&mut port);
            assert_eq!(hear(&mut port, 10), b"last words");
            assert!(matches!(port.read(&mut [0; 8]), Err(Error::Gone { .. })));
        } else {
            assert!(matches!(wait(&mut port, interest), Err(Error::Gone { .. })));
            assert_eq!(hear(&mut port, 10), b"last words");
        }
    }
}

#[test]
fn the_tail_tells_whether_a_reset_printer_had_everything() {
    let printer = printer();
    let (mut port, stream) = connected(&printer, "");
    write_all(&mut port, b"job");
    port.end_job().unwrap();
    assert_eq!(take(&stream, 3), b"job");
    reset(stream);
    assert!(matches!(wait(&mut port, DRAINED), Err(Error::Gone { .. })));
    assert_eq!(port.tail().unwrap(), Tail::Empty);

    let printer = slow_printer();
    let (mut port, stream) = connected(&printer, "");
    stuff(&mut port, &pattern(1_000_000));
    port.end_job().unwrap();
    reset(stream);
    assert!(matches!(wait(&mut port, DRAINED), Err(Error::Gone { .. })));
    assert!(matches!(port.tail().unwrap(), Tail::Bytes(1..)));
}

#[test]
fn a_printer_need_not_have_acknowledged_what_it_reset_at_once() {
    let printer = printer();
    for _ in 0..200 {
        let (mut port, mut stream) = connected(&printer, "");
        let reading = std::thread::spawn(move || {
            let job = to_the_end(&mut stream);
            reset(stream);
            job
        });
        write_all(&mut port, &pattern(300_000));
        port.end_job().unwrap();
        assert!(reading.join().unwrap() == pattern(300_000));
        assert!(matches!(wait(&mut port, DRAINED), Err(Error::Gone { .. })));
        assert_eq!(port.tail().unwrap(), Tail::Empty);
    }
}

#[test]
fn a_cancel_resets_and_counts() {
    let printer = slow_printer();
    let (mut port, stream) = connected(&printer, "");
    let taken = stuff(&mut port, &pattern(1_000_000)) as u64;
    let lost = port.cancel().unwrap();
    assert!(lost.withdrawn_bytes > 0 && lost.withdrawn_bytes + lost.unknown_bytes < taken);
    let left = taken - lost.withdrawn_bytes;
    let mut got = Vec::new();
    let mut buf = vec![0; 65536];
    let end = loop {
        assert!(readable(&stream, soon()));
        match rustix::io::read(&stream, &mut buf) {
            Ok(count) => got.extend_from_slice(&buf[..count]),
            Err(errno) => break errno,
        }
    };
    assert_eq!(end, Errno::CONNRESET);
    assert!(got.len() as u64 <= left && pattern(got.len()) == got);
    assert_eq!(port.cancel().unwrap(), Canceled::default());
    assert_eq!(port.tail().unwrap(), Tail::Empty);
}

#[test]
fn a_printer_that_never_closes_is_not_waited_for_without_waiteof() {
    let printer = printer();
    let (mut port, mut stream) = connected(&printer, "waiteof=false");
    write_all(&mut port, b"job");
    port.end_job().unwrap();
    drained(&mut port);
    assert_eq!(to_the_end(&mut stream), b"job");
}

#[test]
fn a_printer_that_never_closes_is_not_waited_for_for_ever() {
    let printer = printer();
    let (mut port, _stream) = connected(&printer, "");
    write_all(&mut port, b"job");
    port.end_job().unwrap();
    while port.tail().unwrap() != Tail::Empty {
        nothing(&mut port, DRAINED);
    }
    nothing(&mut port, DRAINED);
    // A machine that has just started cannot look back so far.
    let Some(long_ago) = Instant::now().checked_sub(EOF_WAIT) else { return };
    port.stage = Stage::Draining(long_ago);
    drained(&mut port);
    assert!(port.link.is_none());
}

#[test]
fn a_held_connection_takes_job_after_job() {
    let printer = printer();
    let (mut port, mut stream) = connected(&printer, "hold=60");
    assert!(!port.facts().job_is_connection);
    for (job, said) in [(pattern(100_000), b"one"), (pattern(7), b"two")] {
        write_all(&mut port, &job);
        port.end_job().unwrap();
        assert!(take(&stream, job.len()) == job);
        drained(&mut port);
        // Between jobs the printer may still speak.
        nothing(&mut port, READ);
        stream.write_all(said).unwrap();
        assert_eq!(hear(&mut port, 3), said);
        begin(&mut port);
    }
    assert!(port.write(Lent::memory(b"x")).is_ok());
    port.cancel().unwrap();
    assert!(port.link.is_none(), "a cancel closes a held connection too");
}

#[test]
fn a_held_connection_that_ends_between_jobs_is_made_anew() {
    let printer = printer();
    for by_reset in [false, true] {
        let (mut port, stream) = connected(&printer, "hold=60");
        write_all(&mut port, b"one");
        port.end_job().unwrap();
        assert_eq!(take(&stream, 3), b"one");
        drained(&mut port);
        if by_reset {
            reset(stream);
        } else {
            drop(stream);
        }
        // Not an error, and nothing to wake for.
        let all = Interest { read: true, write: false, line: false, drained: false };
        nothing(&mut port, all);
        assert_eq!(port.read(&mut [0; 8]).unwrap(), 0);
        assert!(port.link.is_none());
        begin(&mut port);
        let stream = printer.accept().unwrap().0;
        write_all(&mut port, b"two");
        assert_eq!(take(&stream, 3), b"two");
    }
}

#[test]
fn an_idle_connection_is_let_go() {
    let printer = printer();
    let (mut port, mut stream) = connected(&printer, "hold=1");
    write_all(&mut port, b"job");
    port.end_job().unwrap();
    drained(&mut port);
    let start = Instant::now();
    let waiting = std::thread::spawn(move || to_the_end(&mut stream));
    let bell = Bell::new().unwrap();
    assert_eq!(
        port.wait(READ, &bell, Some(start + Duration::from_millis(1500))).unwrap(),
        Ready::default()
    );
    assert_eq!(waiting.join().unwrap(), b"job");
    assert!(port.link.is_none());
}
