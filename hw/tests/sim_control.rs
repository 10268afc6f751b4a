//! The control socket of a simulated printer, through real Unix sockets.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use despool_hw::limits::{SIM_CONTROL_CLIENTS, SIM_CONTROL_LINE_BYTES};
use despool_hw::sim::{self, ControlSocket, Key, Language, SimHandle};
use despool_hw::{Bell, Error, Lent};

struct Client(BufReader<UnixStream>);

impl Client {
    fn connect(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\n").as_bytes());
        self.answer()
    }
}

struct Rig {
    _dir: tempfile::TempDir,
    key: Key,
    path: std::path::PathBuf,
    handle: SimHandle,
}

fn rig(language: Language) -> Rig {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sock");
    let key = Key::control(language, &path);
    let handle = sim::device(&key).unwrap();
    Rig { _dir: dir, key, path, handle }
}

#[test]
fn sim_control_speaks_as_the_contract_says() {
    let rig = rig(Language::Plain);
    let mut client = Client::connect(&rig.path);
    for word in ["paper-out", "cover-open", "offline", "stall"] {
        assert_eq!(client.ask(&format!("{word} on")), r#"{"ok":true}"#);
        assert_eq!(client.ask(&format!("{word} off")), r#"{"ok":true}"#);
    }
    for line in ["speed 9600", "speed max", "say 1B40", "unplug", "plug", "reset"] {
        assert_eq!(client.ask(line), r#"{"ok":true}"#, "{line}");
    }
    let mut port = sim::open(&rig.key).unwrap();
    assert_eq!(port.write(Lent::memory(b"abc")).unwrap(), 3);
    let received = client.ask("received");
    let sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert!(received.starts_with(&format!(r#"{{"bytes":3,"sha256":"{sha}""#)), "{received}");
    client.ask("say 1b40");
    let mut said = [0; 9];
    assert_eq!((port.read(&mut said).unwrap(), &said[..2]), (2, b"\x1b@".as_slice()));
    client.ask("reset");
    assert!(client.ask("received").starts_with(r#"{"bytes":0,"sha256":"e3b0c442"#));
    assert!(client.ask("state").contains(r#""plugged":true,"hosts":1,"#));
    client.send(b"received");
    client.0.get_ref().shutdown(Shutdown::Write).unwrap();
    assert!(client.answer().starts_with(r#"{"bytes":0"#), "the last line needs no line end");
    assert_eq!(client.answer(), "");
}

#[test]
fn sim_control_answers_what_is_wrong_and_what_would_be_right() {
    let rig = rig(Language::Pjl);
    let mut client = Client::connect(&rig.path);
    assert_eq!(
        client.ask("paper-out"),
        r#"{"error":"`paper-out` is on or off, not ``; write `paper-out on`"}"#
    );
    assert!(client.ask("xoff").contains("serial line"));
    client.send(b"\xff\x00\x80\n");
    assert_eq!(client.answer(), r#"{"error":"a line is text in UTF-8"}"#);
    client.send(&vec![b'x'; 3 * SIM_CONTROL_LINE_BYTES]);
    client.send(b"\n");
    assert!(client.answer().contains("at most"));
    assert_eq!(client.ask("plug"), r#"{"ok":true}"#, "and goes on");
}

#[test]
fn sim_control_serves_several_clients_and_turns_the_rest_away() {
    let rig = rig(Language::Plain);
    let mut clients: Vec<Client> =
        (0..SIM_CONTROL_CLIENTS).map(|_| Client::connect(&rig.path)).collect();
    for client in &mut clients {
        assert_eq!(client.ask("stall on"), r#"{"ok":true}"#);
    }
    let mut late = Client::connect(&rig.path);
    assert!(late.answer().contains("are connected already"));
    assert_eq!(late.answer(), "");
    // Whoever does not read what it asked for is not read from, and in nobody's way.
    let mut deaf = clients.remove(0);
    deaf.0.get_ref().set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    while deaf.0.get_mut().write_all(&b"state\n".repeat(1000)).is_ok() {}
    assert_eq!(clients[0].ask("stall off"), r#"{"ok":true}"#);
    drop(deaf);
    let mut next = loop {
        let mut next = Client::connect(&rig.path);
        if next.ask("stall off").contains("ok") {
            break next;
        }
    };
    assert_eq!(next.ask("plug"), r#"{"ok":true}"#);
}

#[test]
fn sim_control_socket_is_the_owners_and_goes_with_the_printer() {
    let rig = rig(Language::Plain);
    assert_eq!(rig.path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mut client = Client::connect(&rig.path);
    assert_eq!(client.ask("plug"), r#"{"ok":true}"#);
    assert!(sim::retire(&rig.key));
    assert!(!rig.path.exists());
    assert_eq!(client.answer(), "", "hung up");
}

#[test]
fn sim_control_replaces_what_a_dead_process_left_and_nothing_else() {
    let rig = rig(Language::Plain);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stale");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "std leaves it there, as a killed process does");
    let socket = ControlSocket::open(&path, rig.handle.clone()).unwrap();
    assert_eq!(Client::connect(&path).ask("plug"), r#"{"ok":true}"#);
    let error = ControlSocket::open(&path, rig.handle.clone()).unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    assert_eq!(
        Client::connect(&path).ask("plug"),
        r#"{"ok":true}"#,
        "and still is the first one's"
    );
    drop(socket);
    std::fs::write(&path, "precious").unwrap();
    let error = ControlSocket::open(&path, rig.handle.clone()).unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    let long = dir.path().join("x".repeat(120));
    let error = ControlSocket::open(&long, rig.handle.clone()).unwrap_err();
    assert!(error.to_string().contains("107 bytes"), "{error}");
}

#[test]
fn sim_control_does_not_remove_anothers_socket() {
    let rig = rig(Language::Plain);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("moved");
    let socket = ControlSocket::open(&path, rig.handle.clone()).unwrap();
    std::fs::remove_file(&path).unwrap();
    let other = UnixListener::bind(&path).unwrap();
    drop(socket);
    assert!(path.exists());
    drop(other);
}

#[test]
fn sim_control_moves_the_cable_of_an_open_port() {
    let rig = rig(Language::Plain);
    let bell = Bell::new().unwrap();
    let mut port = sim::open(&rig.key).unwrap();
    let mut client = Client::connect(&rig.path);
    client.ask("unplug");
    assert!(matches!(port.read(&mut [0]), Err(Error::Gone { .. })));
    drop(port);
    client.ask("plug");
    assert!(sim::wait_plugged(&rig.key, &bell, None).unwrap());
    assert!(sim::open(&rig.key).is_ok());
    let mut rest = Vec::new();
    client.0.get_ref().shutdown(Shutdown::Write).unwrap();
    client.0.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
}
