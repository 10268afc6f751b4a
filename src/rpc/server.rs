//! The server: listens, and runs an [`Association`] for each connection.
//!
//! This is the edge: sockets, the clock and a thread. What the protocol is, is in [`association`](super::association).
//!
//! ```text
//!   thread "rpc": one runtime ─┬─ accept ── a task for each connection ─┬─ octets in and out
//!                              └─ accept (endpoint mapper)              ├─ answers from other threads
//!                                                                       └─ deadlines, the server's end
//! ```
//!
//! How it is used:
//!
//! ```text
//!   let interface = Interface { min_level: Some(Level::Packet), max_request_bytes: …, ..Interface::new(ID, "name", OPS, handler) };
//!   let server = Server::start(Config {
//!       endpoints: vec![Listen { address, interfaces: vec![interface, …] }],  // one endpoint: handles are shared
//!       mapper: Some(([0, 0, 0, 0], 135).into()),                             // or None
//!       providers: rpc::auth::providers(&accounts, domain, server_name),
//!       principal: format!("host/{server_name}"),
//!   })?;
//!   server.addresses() …, server.mapper() … the ports that were bound
//!   server.stop()                             new calls end, Handler::stop answers what is parked, then the thread ends
//! ```
//!
//! Invariant: no handler runs on another thread, none may block, and a parked call is nothing but memory.

mod connection;
#[cfg(test)]
mod tests;

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::auth::Provider;
use super::auth::throttle::Throttle;
use super::endpoint::{Budget, Endpoint};
use super::epm;
use super::interface::Interface;
use super::limits::{ACCEPT_PAUSE, CONNECTIONS};
use crate::error::{Error, Result};

/// What to serve, and where.
pub struct Config {
    /// Endpoints. The interfaces of one share context handles and association groups.
    pub endpoints: Vec<Listen>,
    /// Where the endpoint mapper listens; `None`: there is none.
    pub mapper: Option<SocketAddr>,
    /// How clients may prove who they are; one for each `auth_type`.
    pub providers: Vec<Arc<dyn Provider>>,
    /// The name that clients authenticate the server by, `host/` and its host name.
    pub principal: String,
}

/// An endpoint to serve.
pub struct Listen {
    /// Where it listens; port 0 is any free one.
    pub address: SocketAddr,
    /// What it serves, beside the management interface.
    pub interfaces: Vec<Interface>,
}

/// A running server. Dropping it stops it at once; [`stop`](Self::stop) lets calls finish.
pub struct Server {
    addresses: Vec<SocketAddr>,
    mapper: Option<SocketAddr>,
    stop: watch::Sender<Stop>,
    thread: Option<JoinHandle<()>>,
}

/// How far the server's end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Runs,
    /// No new connections and no new calls.
    Finishing,
    Now,
}

/// The sockets of a server that does not run yet: clients can connect, and wait for it.
pub struct Sockets {
    endpoints: Vec<StdListener>,
    mapper: Option<StdListener>,
}

impl Sockets {
    /// Binds these addresses, those of [`Config::endpoints`] and of [`Config::mapper`].
    ///
    /// # Errors
    /// [`Error::State`] where one of them cannot be bound.
    pub fn bind(
        endpoints: impl IntoIterator<Item = SocketAddr>,
        mapper: Option<SocketAddr>,
    ) -> Result<Self> {
        let endpoints = endpoints.into_iter().map(bind).collect::<Result<_>>()?;
        Ok(Self { endpoints, mapper: mapper.map(bind).transpose()? })
    }
}

/// A socket that listens and what it serves.
struct Bound {
    socket: StdListener,
    endpoint: Arc<Endpoint>,
}

impl Server {
    /// Binds the addresses and serves them on a thread of its own.
    ///
    /// # Errors
    /// [`Error::State`] where an address cannot be bound or the thread cannot be made.
    pub fn start(config: Config) -> Result<Self> {
        let endpoints = config.endpoints.iter().map(|listen| listen.address);
        let sockets = Sockets::bind(endpoints, config.mapper)?;
        Self::start_on(sockets, config)
    }

    /// Serves sockets that were bound before, for the same addresses, on a thread of its own.
    ///
    /// # Errors
    /// [`Error::State`] where the thread cannot be made.
    pub fn start_on(sockets: Sockets, config: Config) -> Result<Self> {
        let Config { endpoints, providers, principal, .. } = config;
        let budget = Arc::new(Budget::default());
        let throttle = Arc::new(Throttle::default());
        let make = |interfaces| {
            let providers = providers.clone();
            let endpoint = Endpoint::new(interfaces, providers, &principal, budget.clone());
            Arc::new(Endpoint { throttle: throttle.clone(), ..endpoint })
        };
        let (mut bound, mut addresses, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for (Listen { interfaces, .. }, socket) in endpoints.into_iter().zip(sockets.endpoints) {
            let address = address_of(&socket)?;
            let mapped = interfaces.iter().filter(|interface| interface.is_mapped);
            entries.extend(mapped.map(|interface| epm::Entry {
                interface: interface.id,
                annotation: interface.annotation,
                port: address.port(),
            }));
            addresses.push(address);
            bound.push(Bound { socket, endpoint: make(interfaces) });
        }
        let mapper = sockets.mapper.as_ref().map(address_of).transpose()?;
        if let Some(socket) = sockets.mapper {
            bound.push(Bound { socket, endpoint: make(vec![epm::interface(entries)]) });
        }
        let (stop, stopped) = watch::channel(Stop::Runs);
        let thread = run(bound, stopped)?;
        Ok(Self { addresses, mapper, stop, thread: Some(thread) })
    }

    /// The addresses of the endpoints, in the order of the configuration.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The address of the endpoint mapper.
    pub fn mapper(&self) -> Option<SocketAddr> {
        self.mapper
    }

    /// Stops: no new connections, no new calls; then [`Handler::stop`](super::interface::Handler::stop) of each interface,
    /// and calls that are still outstanding may be answered for [`STOP_WAIT`](super::limits::STOP_WAIT). Blocks until it is
    /// done.
    pub fn stop(mut self) {
        self.end(Stop::Finishing);
    }

    fn end(&mut self, how: Stop) {
        self.stop.send_replace(how);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the RPC server panicked");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end(Stop::Now);
    }
}

fn bind(address: SocketAddr) -> Result<StdListener> {
    let bind = || {
        let socket = StdListener::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    bind().map_err(|error: std::io::Error| Error::State {
        doing: "cannot listen for RPC on",
        path: address.to_string(),
        why: error.to_string(),
    })
}

fn address_of(socket: &StdListener) -> Result<SocketAddr> {
    socket.local_addr().map_err(|error| Error::State {
        doing: "cannot listen for RPC on",
        path: "an address that was bound".into(),
        why: error.to_string(),
    })
}

fn run(bound: Vec<Bound>, stopped: watch::Receiver<Stop>) -> Result<JoinHandle<()>> {
    let failed = |error: std::io::Error| Error::State {
        doing: "cannot run",
        path: "the thread of the RPC server".into(),
        why: error.to_string(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed)?;
    let serve = move || {
        runtime.block_on(async {
            let accepting =
                bound.into_iter().map(|bound| tokio::spawn(accept(bound, stopped.clone())));
            let accepting: Vec<_> = accepting.collect();
            for task in accepting {
                if let Err(error) = task.await {
                    tracing::error!(%error, "an RPC listener ended");
                }
            }
        });
    };
    std::thread::Builder::new().name("rpc".to_owned()).spawn(serve).map_err(failed)
}

/// Accepts connections until the server stops, then waits for them to end.
async fn accept(bound: Bound, mut stopped: watch::Receiver<Stop>) {
    let socket = match TcpListener::from_std(bound.socket) {
        Ok(socket) => socket,
        Err(error) => return tracing::error!(%error, "cannot listen for RPC"),
    };
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let accepting = async {
        while let Ok(place) = room.clone().acquire_owned().await {
            match socket.accept().await {
                Ok((stream, peer)) => {
                    let served =
                        connection::serve(stream, peer, bound.endpoint.clone(), stopped.clone());
                    tokio::spawn(async move {
                        served.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "an RPC connection could not be accepted");
                    // Out of descriptors: they come back when connections end.
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    let mut ending = stopped.clone();
    tokio::select! {
        () = accepting => {}
        _ = ending.wait_for(|stop| *stop != Stop::Runs) => {}
    }
    drop(socket);
    // Connections look for the end before they read: no call comes after this.
    bound.endpoint.interfaces.iter().for_each(|interface| interface.handler.stop());
    let everybody = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    tokio::select! {
        _ = room.acquire_many(everybody) => {}
        _ = stopped.wait_for(|stop| *stop == Stop::Now) => {}
    }
}
