//! The control socket of a simulated printer in the server.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value;

use super::PATIENCE;
use super::server::Server;

/// A connection to a control socket.
pub(crate) struct Control(BufReader<UnixStream>);

impl Control {
    /// Connects; the socket is made when the server opens the port.
    #[track_caller]
    pub(crate) fn open(server: &Server, path: &Path) -> Self {
        let stream = server.until("the control socket", || UnixStream::connect(path).ok());
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    /// Gives a command; the answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, command: &str) -> Value {
        self.0.get_mut().write_all(format!("{command}\n").as_bytes()).unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Gives a command that must succeed.
    #[track_caller]
    pub(crate) fn tell(&mut self, command: &str) {
        assert_eq!(self.ask(command)["ok"], Value::Bool(true), "{command}");
    }
}
