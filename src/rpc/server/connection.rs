//! The socket of one connection: octets to and from its [`Association`].
//!
//! Invariant: when it ends, for whatever reason, the association is dropped, and with it go the connection's calls and
//! perhaps its group.

use std::cell::RefCell;
use std::future::pending;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rustix::net::sockopt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep_until, timeout};

use super::Stop;
use crate::rpc::association::{Association, Ends, Outbox};
use crate::rpc::endpoint::Endpoint;
use crate::rpc::limits::{
    KEEPALIVE_IDLE, KEEPALIVE_PAUSE, KEEPALIVE_PROBES, LINGER_BYTES, LINGER_WAIT, READ_BYTES,
    STOP_WAIT,
};

thread_local! {
    /// What connections are read by: they keep no buffer of their own.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// Serves a connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    endpoint: Arc<Endpoint>,
    stopped: watch::Receiver<Stop>,
) {
    let local = match prepare(&stream) {
        Ok(local) => local,
        Err(error) => return tracing::debug!(%peer, %error, "a connection broke at once"),
    };
    let ends = Ends { peer, local };
    match converse(&stream, ends, endpoint, stopped).await {
        Ok(End::Ours) => linger(&stream).await,
        Ok(End::Theirs) => {}
        Err(error) => tracing::debug!(%peer, %error, "a connection broke"),
    }
}

/// Who ended a connection.
enum End {
    Ours,
    Theirs,
}

async fn converse(
    stream: &TcpStream,
    ends: Ends,
    endpoint: Arc<Endpoint>,
    mut stopped: watch::Receiver<Stop>,
) -> io::Result<End> {
    let answered = Arc::new(Notify::new());
    let wake = answered.clone();
    let outbox = Arc::new(Outbox::new(move || wake.notify_one()));
    let mut association = Association::new(endpoint, ends, outbox, Instant::now());
    let mut finish_by = None;
    loop {
        send(stream, &mut association)?;
        if association.is_over() || (finish_by.is_some() && association.is_idle()) {
            return Ok(End::Ours);
        }
        let reads = association.wants_input() && finish_by.is_none();
        let writes = association.has_output();
        let deadline = [association.deadline(), finish_by].into_iter().flatten().min();
        tokio::select! {
            // The end comes first: once an interface was told to stop it gets no more calls.
            biased;
            stop = stopped.wait_for(|stop| *stop != Stop::Runs), if finish_by.is_none() => {
                if stop.map_or(Stop::Now, |stop| *stop) == Stop::Now {
                    return Ok(End::Ours);
                }
                finish_by = Some(Instant::now() + STOP_WAIT);
            }
            () = answered.notified() => association.collect(Instant::now()),
            ready = stream.readable(), if reads => {
                ready?;
                if !receive(stream, &mut association)? {
                    return Ok(End::Theirs);
                }
            }
            ready = stream.writable(), if writes => ready?,
            () = at(deadline) => {
                let now = Instant::now();
                if finish_by.is_some_and(|by| by <= now) {
                    association.close();
                }
                association.expire(now);
            }
        }
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => pending().await,
    }
}

/// Takes what has come; false at its end.
fn receive(stream: &TcpStream, association: &mut Association) -> io::Result<bool> {
    SCRATCH.with_borrow_mut(|scratch| match stream.try_read(scratch) {
        Ok(0) => Ok(false),
        Ok(count) => {
            let octets = scratch.get_mut(..count).unwrap_or_default();
            association.receive(octets, Instant::now());
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
        Err(error) => Err(error),
    })
}

/// Sends what there is, as far as the kernel takes it.
fn send(stream: &TcpStream, association: &mut Association) -> io::Result<()> {
    loop {
        let octets = association.output();
        if octets.is_empty() {
            return Ok(());
        }
        match stream.try_write(octets) {
            Ok(count) => association.took(count, Instant::now()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Ends a connection so that the other end can still read what was sent last: closing with octets unread would make the
/// kernel throw it away.
async fn linger(stream: &TcpStream) {
    if rustix::net::shutdown(stream, rustix::net::Shutdown::Write).is_err() {
        return;
    }
    let drain = async {
        let mut left = LINGER_BYTES;
        while left > 0 && stream.readable().await.is_ok() {
            let count = SCRATCH.with_borrow_mut(|scratch| stream.try_read(scratch));
            match count {
                Ok(0) => return,
                Ok(count) => left = left.saturating_sub(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    // Whether it ended in time makes no difference.
    let _ = timeout(LINGER_WAIT, drain).await;
}

fn prepare(stream: &TcpStream) -> io::Result<SocketAddr> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEPALIVE_IDLE)?;
    sockopt::set_tcp_keepintvl(stream, KEEPALIVE_PAUSE)?;
    sockopt::set_tcp_keepcnt(stream, KEEPALIVE_PROBES)?;
    stream.local_addr()
}
