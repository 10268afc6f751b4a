//! The socket of one [`Connection`], served by a task of its own.
//!
//! ```text
//!   Line::bind, Line::call ──► Mutex<State { connection, waiting }> ◄── task: readable, writable, deadline
//!        ▲                          │ wakes the task
//!        └── oneshot ◄──────────────┘ events
//! ```
//!
//! Invariant: the lock is held for as long as one step of the connection takes, never over an await.

use std::collections::HashMap;
use std::future::pending;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustix::net::sockopt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep_until, timeout};

use super::connection::{Connection, Event};
use super::{Answer, Context, Failure, Options};
use crate::rpc::limits::{
    CONNECT_WAIT, KEEPALIVE_IDLE, KEEPALIVE_PAUSE, KEEPALIVE_PROBES, READ_BYTES,
};
use crate::rpc::uuid::SyntaxId;

/// A connection in use. Dropping it closes it.
pub(super) struct Line(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    wake: Notify,
}

struct State {
    connection: Connection,
    waiting: HashMap<u64, Waiting>,
    last_key: u64,
    /// Nobody uses it any more.
    closed: bool,
}

enum Waiting {
    Bound(oneshot::Sender<Result<Context, Failure>>),
    Answered(oneshot::Sender<Result<Answer, Failure>>),
}

impl Line {
    /// Connects, and agrees on everything, with a first interface.
    pub(super) async fn connect(
        address: SocketAddr,
        options: Options,
        group: u32,
        interface: &SyntaxId,
    ) -> Result<Self, Failure> {
        let lost = |why: String| Failure::Lost(format!("{address}: {why}"));
        let connected = timeout(CONNECT_WAIT, TcpStream::connect(address)).await;
        let stream = connected
            .map_err(|_| lost("no answer".to_owned()))?
            .and_then(|stream| prepare(&stream).map(|()| stream))
            .map_err(|error| lost(error.to_string()))?;
        const FIRST: u64 = 1;
        let connection = Connection::new(options, group, interface, FIRST, Instant::now());
        let (told, hears) = oneshot::channel();
        let waiting = HashMap::from([(FIRST, Waiting::Bound(told))]);
        let state = State { connection, waiting, last_key: FIRST, closed: false };
        let line = Self(Arc::new(Shared { state: Mutex::new(state), wake: Notify::new() }));
        tokio::spawn(serve(stream, line.0.clone()));
        let guard = InFlight { line: &line, key: FIRST };
        let bound = hears.await;
        guard.done();
        bound.unwrap_or_else(|_| Err(line.failure())).map(|_| line)
    }

    /// The context of an interface; asks for it where there is none yet.
    pub(super) async fn bind(&self, interface: &SyntaxId) -> Result<Context, Failure> {
        let (told, hears) = oneshot::channel();
        let key = self.begin(Waiting::Bound(told), |connection, key| {
            connection.want(interface, key, Instant::now());
        });
        let guard = InFlight { line: self, key };
        let bound = hears.await;
        guard.done();
        bound.unwrap_or_else(|_| Err(self.failure()))
    }

    /// Calls an operation. Canceled where the future is dropped.
    pub(super) async fn call(
        &self,
        context: Context,
        opnum: u16,
        stub: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let (told, hears) = oneshot::channel();
        let key = self.begin(Waiting::Answered(told), |connection, key| {
            connection.call(context, opnum, stub, key, Instant::now());
        });
        let guard = InFlight { line: self, key };
        let answered = hears.await;
        guard.done();
        answered.unwrap_or_else(|_| Err(self.failure()))
    }

    pub(super) fn is_multiplexing(&self) -> bool {
        self.0.lock().connection.is_multiplexing()
    }

    pub(super) fn group(&self) -> Option<u32> {
        self.0.lock().connection.group()
    }

    /// True where nothing can be called any more.
    pub(super) fn is_over(&self) -> bool {
        self.0.lock().connection.failure().is_some()
    }

    fn failure(&self) -> Failure {
        let failure = self.0.lock().connection.failure().cloned();
        failure.unwrap_or_else(|| Failure::Lost("the connection was closed".to_owned()))
    }

    fn begin(&self, waiting: Waiting, step: impl FnOnce(&mut Connection, u64)) -> u64 {
        let mut state = self.0.lock();
        state.last_key = state.last_key.wrapping_add(1);
        let key = state.last_key;
        state.waiting.insert(key, waiting);
        step(&mut state.connection, key);
        state.deliver();
        drop(state);
        self.0.wake.notify_one();
        key
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.wake.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held: a poisoned state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Tells those who wait what has happened.
    fn deliver(&mut self) {
        while let Some(event) = self.connection.event() {
            // A receiver that is gone wants nothing.
            match event {
                Event::Bound(key, result) => {
                    if let Some(Waiting::Bound(told)) = self.waiting.remove(&key) {
                        let _ = told.send(result);
                    }
                }
                Event::Answered(key, result) => {
                    if let Some(Waiting::Answered(told)) = self.waiting.remove(&key) {
                        let _ = told.send(result);
                    }
                }
            }
        }
    }

    /// Sends what there is, as far as the kernel takes it.
    fn send(&mut self, stream: &TcpStream) -> io::Result<()> {
        while !self.connection.output().is_empty() {
            match stream.try_write(self.connection.output()) {
                Ok(count) => self.connection.took(count, Instant::now()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive(&mut self, stream: &TcpStream, scratch: &mut [u8]) -> io::Result<()> {
        match stream.try_read(scratch) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                let octets = scratch.get_mut(..count).unwrap_or_default();
                self.connection.receive(octets, Instant::now());
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// A call whose future may be dropped.
struct InFlight<'a> {
    line: &'a Line,
    key: u64,
}

impl InFlight<'_> {
    fn done(self) {
        std::mem::forget(self);
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut state = self.line.0.lock();
        if state.waiting.remove(&self.key).is_some() {
            state.connection.cancel(self.key);
            drop(state);
            self.line.0.wake.notify_one();
        }
    }
}

/// Serves a connection to its end.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let Err(error) = converse(&stream, &shared).await else { return };
    let why = match error.kind() {
        ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        _ => format!("the connection broke: {error}"),
    };
    let mut state = shared.lock();
    state.connection.disconnected(&why);
    state.deliver();
}

async fn converse(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut scratch = vec![0; READ_BYTES];
    loop {
        let (writes, deadline) = {
            let mut state = shared.lock();
            state.send(stream)?;
            state.deliver();
            if state.closed || state.connection.failure().is_some() {
                return Ok(());
            }
            (!state.connection.output().is_empty(), state.connection.deadline())
        };
        tokio::select! {
            () = shared.wake.notified() => {}
            ready = stream.readable() => {
                ready?;
                shared.lock().receive(stream, &mut scratch)?;
            }
            ready = stream.writable(), if writes => ready?,
            () = at(deadline) => shared.lock().connection.expire(Instant::now()),
        }
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => pending().await,
    }
}

/// A server that is gone is noticed, though nobody sends.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEPALIVE_IDLE)?;
    sockopt::set_tcp_keepintvl(stream, KEEPALIVE_PAUSE)?;
    Ok(sockopt::set_tcp_keepcnt(stream, KEEPALIVE_PROBES)?)
}
