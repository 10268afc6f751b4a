//! What goes over the loopback interface while a test runs, as tshark reads it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tempfile::TempDir;

use super::{PATIENCE, process, tiers};

/// Datagrams to the discard port, by which the capture itself tells how far it is.
const BEGIN: &[u8] = b"<the capture begins>";
const END: &[u8] = b"<the capture ends>";

/// A capture that is being made.
pub(crate) struct Capture {
    child: Child,
    place: TempDir,
    seen: Receiver<()>,
}

impl Capture {
    /// Captures TCP on the loopback interface: needs a network of one's own.
    pub(crate) fn start() -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut command = Command::new(tiers::program("dumpcap"));
        // A buffer (in MiB) that holds a whole test, if need be.
        command.args(["-q", "-i", "lo", "-f", "tcp or udp port 9", "-B", "64", "-w", "-"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (tell, seen) = sync_channel(16);
        let (from, to) = (child.stdout.take().unwrap(), File::create(file(&place)).unwrap());
        std::thread::spawn(move || keep(from, to, &tell));
        let capture = Self { child, place, seen };
        let mut tries = (PATIENCE.as_millis() / PAUSE.as_millis()) as u32;
        loop {
            mark(BEGIN);
            if capture.seen.recv_timeout(PAUSE).is_ok() {
                return capture;
            }
            tries = tries.checked_sub(1).expect("dumpcap does not capture");
        }
    }

    /// Ends the capture. In it, tshark must find `least` DCE/RPC frames from these ports at least, and not one of them
    /// malformed.
    #[track_caller]
    pub(crate) fn judge(self, ports: &[u16], least: usize) {
        // What is left of the beginning is no end.
        while self.seen.recv_timeout(PAUSE).is_ok() {}
        mark(END);
        self.seen.recv_timeout(PATIENCE).expect("dumpcap does not capture");
        let from = ports.iter().map(|port| format!("tcp.srcport=={port}")).collect::<Vec<_>>();
        let from = from.join(" or ");
        let all = frames(&file(&self.place), ports, &format!("dcerpc and ({from})"));
        let count = all.lines().count();
        assert!(count >= least, "only {count} frames, not {least}");
        // In NDR64, wireshark 4.0 takes an annotation's offset and count for 32 bits, as in NDR.
        let misread = "epm.opnum == 2 and dcerpc.referent_id64";
        let malformed = format!("_ws.malformed and ({from}) and not ({misread})");
        let bad = frames(&file(&self.place), ports, &malformed);
        assert_eq!(bad, "", "malformed");
    }
}

/// Between two marks.
const PAUSE: Duration = Duration::from_millis(200);

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mark(what: &[u8]) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(what, "127.0.0.1:9").unwrap();
}

/// Keeps what was captured, and tells when a mark is in it.
fn keep(mut from: ChildStdout, mut to: File, tell: &SyncSender<()>) {
    let (mut octets, mut tail) = (vec![0; 1 << 20], Vec::new());
    loop {
        let count = from.read(&mut octets).unwrap_or(0);
        if count == 0 {
            return;
        }
        to.write_all(&octets[..count]).unwrap();
        tail.extend_from_slice(&octets[..count]);
        let has = |mark: &[u8]| tail.windows(mark.len()).any(|part| part == mark);
        if has(BEGIN) || has(END) {
            // Nobody listens to more marks than fit: one is enough.
            let _ = tell.try_send(());
            tail.clear();
        }
        let old = tail.len().saturating_sub(BEGIN.len());
        tail.drain(..old);
    }
}

fn file(place: &TempDir) -> PathBuf {
    place.path().join("all.pcapng")
}

fn frames(file: &Path, ports: &[u16], filter: &str) -> String {
    let mut command = Command::new(tiers::program("tshark"));
    command.arg("-r").arg(file).args(["-Y", filter]);
    for port in ports {
        command.args(["-d", &format!("tcp.port=={port},dcerpc")]);
    }
    process::run(&mut command).ok()
}
