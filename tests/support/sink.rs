//! A network printer that writes down what it gets, connection by connection.
//!
//! One connection at a time, as network printers have it. Its buffers are small, so that a printer that takes nothing is
//! soon felt by the sender.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Instant;

use rustix::net::sockopt::set_socket_recv_buffer_size;

/// What the kernel may hold for this printer, in bytes (it doubles it).
const BUFFER_BYTES: usize = 8 * 1024;

/// One connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Connection {
    pub(crate) bytes: Vec<u8>,
    pub(crate) end: Option<End>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The sender said that this was all.
    Whole,
    /// The sender broke it off.
    Broken,
}

/// See the module.
pub(crate) struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    connections: Vec<Connection>,
    current: Option<TcpStream>,
    stop: bool,
    /// The open connection is to be reset.
    reset: bool,
    /// Takes no more than so many bytes in all.
    limit: Option<usize>,
}

impl State {
    fn taken(&self) -> usize {
        self.connections.iter().map(|connection| connection.bytes.len()).sum()
    }
}

impl Sink {
    /// A printer that takes what comes.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        set_socket_recv_buffer_size(&listener, BUFFER_BYTES).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let printer = shared.clone();
        let thread = std::thread::spawn(move || printer.run(&listener));
        Self { address, shared, thread: Some(thread) }
    }

    /// A printer that takes so many bytes and then no more, until it is told to [`Self::go_on`].
    pub(crate) fn start_stalled_at(bytes: usize) -> Self {
        let sink = Self::start();
        sink.stall_at(bytes);
        sink
    }

    /// Its device URI.
    pub(crate) fn uri(&self) -> String {
        format!("socket://{}", self.address)
    }

    /// Takes no more than so many bytes in all.
    pub(crate) fn stall_at(&self, bytes: usize) {
        self.shared.state().limit = Some(bytes);
    }

    /// Takes no more than so many bytes from now on.
    pub(crate) fn stall_after(&self, bytes: usize) {
        let mut state = self.shared.state();
        state.limit = Some(state.taken() + bytes);
    }

    /// Takes all that comes.
    pub(crate) fn go_on(&self) {
        self.shared.state().limit = None;
        self.shared.changed.notify_all();
    }

    /// Says something on the back channel of the connection that is open.
    #[track_caller]
    pub(crate) fn say(&self, bytes: &[u8]) {
        let state = self.shared.state();
        state.current.as_ref().expect("a connection").write_all(bytes).unwrap();
    }

    /// Breaks the open connection off.
    #[track_caller]
    pub(crate) fn reset(&self) {
        let mut state = self.shared.state();
        state.reset = true;
        // Wakes the reader; the sender sees nothing of that.
        state.current.take().expect("a connection").shutdown(Shutdown::Read).unwrap();
        self.shared.changed.notify_all();
    }

    /// Waits until the connections are as wanted; all of them.
    #[track_caller]
    pub(crate) fn when(&self, wanted: impl Fn(&[Connection]) -> bool) -> Vec<Connection> {
        let deadline = super::soon();
        let mut state = self.shared.state();
        while !wanted(&state.connections) {
            let left = deadline.saturating_duration_since(Instant::now());
            let seen: Vec<_> =
                state.connections.iter().map(|one| (one.bytes.len(), one.end)).collect();
            assert!(!left.is_zero(), "the printer got (bytes, end): {seen:?}");
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
        state.connections.clone()
    }

    /// Waits for this many connections that ended; all of them.
    #[track_caller]
    pub(crate) fn ended(&self, count: usize) -> Vec<Connection> {
        self.when(|all| all.iter().filter(|one| one.end.is_some()).count() >= count)
    }

    /// Waits until so many bytes were taken in all.
    #[track_caller]
    pub(crate) fn took(&self, bytes: usize) {
        self.when(|all| all.iter().map(|one| one.bytes.len()).sum::<usize>() >= bytes);
    }

    /// The connections so far.
    pub(crate) fn connections(&self) -> Vec<Connection> {
        self.shared.state().connections.clone()
    }
}

/// The documents of connections that all ended in order.
#[track_caller]
pub(crate) fn documents(connections: Vec<Connection>) -> Vec<Vec<u8>> {
    let whole = connections.iter().all(|one| one.end == Some(End::Whole));
    let ends: Vec<_> = connections.iter().map(|one| (one.bytes.len(), one.end)).collect();
    assert!(whole, "{ends:?}");
    connections.into_iter().map(|one| one.bytes).collect()
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn run(&self, listener: &TcpListener) {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            {
                let mut state = self.state();
                if state.stop {
                    return;
                }
                state.connections.push(Connection::default());
                state.current = Some(stream.try_clone().unwrap());
                self.changed.notify_all();
            }
            let mut end = self.receive(&stream);
            let mut state = self.state();
            state.current = None;
            if std::mem::take(&mut state.reset) {
                end = End::Broken;
                super::raw::reset(stream);
            }
            state.connections.last_mut().unwrap().end = Some(end);
            self.changed.notify_all();
        }
    }

    fn receive(&self, mut stream: &TcpStream) -> End {
        let mut buf = [0; 64 * 1024];
        loop {
            let mut state = self.state();
            let room = loop {
                let left =
                    state.limit.map_or(buf.len(), |limit| limit.saturating_sub(state.taken()));
                if left > 0 || state.stop || state.reset {
                    break left.min(buf.len());
                }
                state = self.changed.wait(state).unwrap();
            };
            if state.stop || state.reset {
                return End::Broken;
            }
            drop(state);
            match stream.read(&mut buf[..room]) {
                Ok(0) => return End::Whole,
                Ok(len) => {
                    let mut state = self.state();
                    state.connections.last_mut().unwrap().bytes.extend_from_slice(&buf[..len]);
                    self.changed.notify_all();
                }
                Err(_) => return End::Broken,
            }
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        {
            let mut state =
                self.shared.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            state.stop = true;
            if let Some(stream) = state.current.take() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        self.shared.changed.notify_all();
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().unwrap().join();
    }
}
