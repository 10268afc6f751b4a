//! A bare round trip over loopback: the limit of whatever answers over a socket.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::turns::Lap;

/// A client and a server that sends back each byte.
pub struct Echo {
    stream: TcpStream,
}

impl Echo {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            let mut byte = [0];
            while stream.read_exact(&mut byte).is_ok() {
                stream.write_all(&byte).unwrap();
            }
        });
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    /// There and back.
    pub fn lap(&mut self) -> Lap {
        let begun = Instant::now();
        self.stream.write_all(b"x").unwrap();
        self.stream.read_exact(&mut [0]).unwrap();
        Lap { took: begun.elapsed(), cpu: Duration::ZERO }
    }
}
