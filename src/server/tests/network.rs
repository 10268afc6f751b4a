//! Network printers that behave as badly as real ones.

use std::io::Read;
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, channel};

use super::*;

/// Takes each connection, reads it to its end, and resets it: what cheap print servers do instead of closing.
fn resetting_printer() -> (String, Receiver<Vec<u8>>) {
    let sink = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("socket://{}", sink.local_addr().unwrap());
    let (told, printed) = channel();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = sink.accept() {
            let mut job = Vec::new();
            stream.read_to_end(&mut job).unwrap();
            rustix::net::sockopt::set_socket_linger(stream.as_fd(), Some(Duration::ZERO)).unwrap();
            drop(stream);
            if told.send(job).is_err() {
                break;
            }
        }
    });
    (port, printed)
}

#[actix::test]
async fn a_printer_that_resets_what_it_has_read_to_the_end_prints_once() {
    let (port, printed) = resetting_printer();
    let rig = rig(&[("net", port, "")]);
    let sent = document(300_000);
    let (job, mut state) = rig.submit("net", &sent).await;
    rig.wait_for(job, &mut state, JobState::Completed).await;
    assert!(printed.recv_timeout(DEADLINE).unwrap() == sent);
    let (next, mut state_next) = rig.submit("net", b"next").await;
    rig.wait_for(next, &mut state_next, JobState::Completed).await;
    assert_eq!(printed.recv_timeout(DEADLINE).unwrap(), b"next", "the first was printed again");
    assert_eq!(rig.shadow(job).attempts, 1);
    rig.server.stop().await;
}

/// Resets so many connections in the middle; when each came. The next one it reads to its end.
fn failing_printer(failures: usize) -> (String, Receiver<(Instant, Vec<u8>)>) {
    let sink = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("socket://{}", sink.local_addr().unwrap());
    let (told, printed) = channel();
    std::thread::spawn(move || {
        for at in 0..=failures {
            let (mut stream, _) = sink.accept().unwrap();
            let (came, mut job) = (Instant::now(), vec![0; 1000]);
            stream.read_exact(&mut job).unwrap();
            if at < failures {
                let socket = stream.as_fd();
                rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO)).unwrap();
            } else {
                stream.read_to_end(&mut job).unwrap();
            }
            told.send((came, job)).unwrap();
        }
    });
    (port, printed)
}

#[actix::test]
async fn a_printer_that_fails_every_time_is_tried_ever_more_seldom() {
    const FAILURES: u16 = 6;
    let (port, printed) = failing_printer(FAILURES.into());
    let rig = rig(&[("net", port, "recover = \"restart\"")]);
    // More than the sockets hold.
    let sent = document(16 << 20);
    let (job, mut state) = rig.submit("net", &sent).await;
    rig.wait_for(job, &mut state, JobState::Completed).await;
    let attempts: Vec<_> = printed.try_iter().collect();
    assert!(attempts.last().unwrap().1 == sent);
    let came: Vec<Instant> = attempts.iter().map(|(came, _)| *came).collect();
    let mut least = crate::limits::REOPEN_FIRST;
    for (one, next) in came.iter().zip(&came[1..]) {
        assert!(next.duration_since(*one) >= least, "{least:?}");
        least *= 2;
    }
    assert_eq!(rig.shadow(job).attempts, FAILURES + 1);
    rig.server.stop().await;
}
