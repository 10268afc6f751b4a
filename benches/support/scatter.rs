//! A bare loop that writes one message to each of many sockets, and a thread that reads them all: the limit of whatever
//! tells many clients the same.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rustix::event::epoll;

use super::turns::Lap;

/// Messages that have not come in this time never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// One read takes at most this much.
const READ_BYTES: usize = 64 * 1024;

/// The writer's ends, and when the reader had it all.
pub struct Scatter {
    streams: Vec<TcpStream>,
    message: Vec<u8>,
    told: Receiver<Instant>,
}

impl Scatter {
    /// So many connections over loopback, for messages of so many octets.
    pub fn start(connections: usize, bytes: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        let (mut streams, mut ends) = (Vec::new(), Vec::new());
        for _ in 0..connections {
            let stream = TcpStream::connect(to).unwrap();
            stream.set_nodelay(true).unwrap();
            streams.push(stream);
            let (end, _) = listener.accept().unwrap();
            end.set_nonblocking(true).unwrap();
            ends.push(end);
        }
        let (tell, told) = channel();
        std::thread::spawn(move || read_all(&mut ends, bytes, &tell));
        Self { streams, message: super::noise(bytes), told }
    }

    /// From the first write until all of them are read.
    pub fn lap(&mut self) -> Lap {
        let begun = Instant::now();
        for stream in &mut self.streams {
            stream.write_all(&self.message).unwrap();
        }
        let last = self.told.recv_timeout(PATIENCE).unwrap();
        Lap { took: last - begun, cpu: Duration::ZERO }
    }
}

/// Reads what comes, and tells whenever each of them has sent one message more.
fn read_all(ends: &mut [TcpStream], bytes: usize, tell: &Sender<Instant>) {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    for (index, end) in ends.iter().enumerate() {
        let data = epoll::EventData::new_u64(index.try_into().unwrap());
        epoll::add(&poll, end, data, epoll::EventFlags::IN).unwrap();
    }
    let mut events = Vec::with_capacity(ends.len());
    let mut buf = vec![0; READ_BYTES];
    let all = ends.len() * bytes;
    let mut left = all;
    loop {
        events.clear();
        epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), None).unwrap();
        for event in &events {
            let index = usize::try_from(event.data.u64()).unwrap();
            match ends[index].read(&mut buf) {
                Ok(0) => return,
                Ok(count) => left -= count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
        }
        if left == 0 {
            left = all;
            if tell.send(Instant::now()).is_err() {
                return;
            }
        }
    }
}
