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
