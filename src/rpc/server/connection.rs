//! The socket of one connection: octets to and from its [`Association`].
//!
//! Invariant: when it ends, for whatever reason, the association is dropped, and with it go the connection's calls and
//! perhaps its group.

mod alarm;

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use rustix::net::sockopt;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use self::alarm::Alarm;
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
    mut stream: TcpStream,
    peer: SocketAddr,
    endpoint: Arc<Endpoint>,
    stopped: watch::Receiver<Stop>,
) {
    let local = match prepare(&stream) {
        Ok(local) => local,
        Err(error) => return tracing::debug!(%peer, %error, "a connection broke at once"),
    };
    let ends = Ends { peer, local };
    match converse(&mut stream, ends, endpoint, stopped).await {
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
    stream: &mut TcpStream,
    ends: Ends,
    endpoint: Arc<Endpoint>,
    mut stopped: watch::Receiver<Stop>,
) -> io::Result<End> {
    let (mut reading, writing) = stream.split();
    let answered = Arc::new(Notify::new());
    let wake = answered.clone();
    let outbox = Arc::new(Outbox::new(move || wake.notify_one()));
    let mut association = Association::new(endpoint, ends, outbox, Instant::now());
    // What is waited for again and again is made once, since it costs more to make than to look at.
    let stopping = stopped.wait_for(|stop| *stop != Stop::Runs);
    let mut stopping = pin!(async { stopping.await.map_or(Stop::Now, |stop| *stop) });
    let mut answer = pin!(answered.notified());
    let mut alarm = Alarm::default();
    let mut finish_by = None;
    loop {
        send(&writing, &mut association)?;
        if association.is_over() || (finish_by.is_some() && association.is_idle()) {
            return Ok(End::Ours);
        }
        let reads = association.wants_input() && finish_by.is_none();
        let writes = association.has_output();
        alarm.ring_by([association.deadline(), finish_by].into_iter().flatten().min());
        tokio::select! {
            // The end comes first: once an interface was told to stop it gets no more calls.
            biased;
            stop = &mut stopping, if finish_by.is_none() => {
                if stop == Stop::Now {
                    return Ok(End::Ours);
                }
                finish_by = Some(Instant::now() + STOP_WAIT);
            }
            () = &mut answer => {
                answer.set(answered.notified());
                association.collect(Instant::now());
            }
            goes_on = receive(&mut reading, &mut association), if reads => {
                if !goes_on? {
                    return Ok(End::Theirs);
                }
            }
            ready = writing.writable(), if writes => ready?,
            () = alarm.rings() => {
                let now = Instant::now();
                if finish_by.is_some_and(|by| by <= now) {
                    association.close();
                }
                association.expire(now);
            }
        }
    }
}

/// Takes what has come; false at its end. Stops where the kernel has no more, without asking it again.
async fn receive(stream: &mut ReadHalf<'_>, association: &mut Association) -> io::Result<bool> {
    let take = |cx: &mut Context<'_>| {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut octets = ReadBuf::new(scratch);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut octets))?;
            let octets = octets.filled_mut();
            if octets.is_empty() {
                return Poll::Ready(Ok(false));
            }
            association.receive(octets, Instant::now());
            Poll::Ready(Ok(true))
        })
    };
    poll_fn(take).await
}

/// Sends what there is, as far as the kernel takes it.
fn send(stream: &WriteHalf<'_>, association: &mut Association) -> io::Result<()> {
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
