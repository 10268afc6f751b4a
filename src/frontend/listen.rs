//! Listening: accepts connections and hands each to a task of its own.
//!
//! The socket outlives the actor, so that a listener that is made anew goes on where the old one died. Connections beyond
//! [`CONNECTIONS`] wait in the kernel's backlog.

use std::future::Future;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::pin::Pin;
use std::sync::Arc;

use actix::prelude::*;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::limits::CONNECTIONS;
use crate::supervise::{Live, Obituary, Wards};

/// What a protocol does with a connection. The task ends with the future.
pub type Serve =
    Arc<dyn Fn(TcpStream, SocketAddr) -> Pin<Box<dyn Future<Output = ()>>> + Send + Sync>;

/// A bound address.
#[derive(Clone)]
pub struct Bound {
    socket: Arc<StdListener>,
    address: SocketAddr,
}

impl Bound {
    /// Binds an address; port 0 means any free one. `key` is the configuration's key, for the message.
    pub fn new(key: &str, address: SocketAddr) -> Result<Self> {
        let bind = || {
            let socket = StdListener::bind(address)?;
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            Ok(Self { socket: Arc::new(socket), address })
        };
        bind().map_err(|error: std::io::Error| {
            let hint = match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    "; another program listens there: stop it, or give another port"
                }
                std::io::ErrorKind::PermissionDenied => {
                    "; ports below 1024 need a privilege: give a port above"
                }
                std::io::ErrorKind::AddrNotAvailable => "; this machine has no such address",
                _ => "",
            };
            Error::State {
                doing: "cannot listen on",
                path: format!("{address} ({key})"),
                why: format!("{error}{hint}"),
            }
        })
    }

    /// Stops listening at once, whoever else has the socket.
    pub fn close(&self) {
        // One that cannot be shut down is closed with its last owner.
        let _ = rustix::net::shutdown(&*self.socket, rustix::net::Shutdown::Both);
    }

    /// The address, with the port that was given.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// See the module.
pub struct Listener {
    name: Arc<str>,
    bound: Bound,
    serve: Serve,
    connections: Arc<Semaphore>,
    _obituary: Obituary,
}

impl Listener {
    /// Starts accepting, and keeps at it.
    pub fn start(
        wards: &Wards,
        arbiter: &ArbiterHandle,
        name: &str,
        bound: Bound,
        serve: Serve,
    ) -> Live<Self> {
        let connections = Arc::new(Semaphore::new(CONNECTIONS));
        let ward = name.to_owned();
        let name: Arc<str> = name.into();
        wards.keep(ward, arbiter, move |obituary| Self {
            name: name.clone(),
            bound: bound.clone(),
            serve: serve.clone(),
            connections: connections.clone(),
            _obituary: obituary,
        })
    }
}

impl Actor for Listener {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (name, serve, connections) =
            (self.name.clone(), self.serve.clone(), self.connections.clone());
        let socket = self.bound.socket.try_clone().and_then(TcpListener::from_std);
        let accept = async move {
            match socket {
                Ok(socket) => accept(&name, &socket, &serve, &connections).await,
                Err(error) => tracing::error!(listener = %name, %error, "cannot listen"),
            }
        };
        ctx.spawn(accept.into_actor(self));
    }
}

/// Stops a listener; connections that were accepted go on.
#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
pub struct StopListening;

impl Handler<StopListening> for Listener {
    type Result = ();

    fn handle(&mut self, _: StopListening, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

async fn accept(name: &str, socket: &TcpListener, serve: &Serve, connections: &Arc<Semaphore>) {
    while let Ok(place) = connections.clone().acquire_owned().await {
        match socket.accept().await {
            Ok((stream, peer)) => {
                let served = serve(stream, peer);
                actix::spawn(async move {
                    served.await;
                    drop(place);
                });
            }
            // It was closed.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => return,
            Err(error) => {
                tracing::warn!(listener = name, %error, "a connection could not be accepted");
                // Out of descriptors: they come back when connections end.
                tokio::time::sleep(crate::limits::ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
use crate::supervise::Crash;
#[cfg(test)]
crate::supervise::crashes!(Listener);
