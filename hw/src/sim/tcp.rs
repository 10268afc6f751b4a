//! A simulated printer behind a TCP listener, as network printers have on port 9100.
//!
//! A connection is a job:
//!
//! ```text
//!   waiting in the backlog ──accept──► reading ──host closed its side──► finishing ──all printed──► closed
//!                                         └──── reset (ours), broken (theirs), unplugged ──────────► reset
//! ```
//!
//! One connection at a time, as most printers, or many by option: then their bytes mix in the printer's counts, its
//! pages and its [`super::JobSpan`]s as they come, and [`TcpPrinter::connections`] keeps them apart. Answers go back
//! on the connection that asked; what the printer says by itself goes to every open one, and nowhere if there is
//! none.
//!
//! The one invariant: a byte read from a connection is taken by the printer or waits for it, and is on that
//! connection's record exactly once.

mod connection;
mod record;
mod wire;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use self::record::Records;
pub use self::record::{ConnectionEnd, ConnectionRecord};
use self::wire::Edge;
use super::device::SimHandle;
use super::edge::Worker;
use super::model::Model;
use crate::Error;

/// How a printer listens.
#[derive(Clone, Copy, Debug)]
pub struct TcpOptions {
    /// Where; port 0 is any free one.
    pub address: SocketAddr,
    /// Many connections at a time (up to [`crate::limits::SIM_TCP_CONNECTIONS`]); false: the others wait in the
    /// backlog.
    pub many: bool,
    /// So many bytes of each connection are kept for [`TcpPrinter::connections`].
    pub keep_bytes: usize,
}

impl TcpOptions {
    /// On any free port of the loopback interface, one connection at a time, nothing kept.
    pub fn loopback() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), many: false, keep_bytes: 0 }
    }
}

/// A running printer behind a TCP listener. Dropping it is like unplugging it.
#[derive(Debug)]
pub struct TcpPrinter {
    printer: SimHandle,
    address: SocketAddr,
    records: Arc<Records>,
    worker: Worker,
}

impl TcpPrinter {
    /// Starts a printer that listens.
    pub fn start(model: Model, options: TcpOptions) -> Result<Self, Error> {
        let failed = |source| Error::Device {
            port: format!("socket://{}", options.address),
            doing: "listening",
            source,
        };
        let listener = listen(options.address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (printer, records) =
            (SimHandle::new(model), Arc::new(Records::new(options.keep_bytes)));
        let options = TcpOptions { address, ..options };
        let (wire, notes) = (printer.clone(), Arc::clone(&records));
        printer.expect_wire();
        let worker = Worker::spawn("sim-tcp", move |stop| {
            Edge::new(stop, wire, notes, options, listener).run();
        })?;
        Ok(Self { printer, address, records, worker })
    }

    /// Where it listens. Unplugging and plugging in keep the address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The printer.
    pub fn handle(&self) -> &SimHandle {
        &self.printer
    }

    /// The last connections, oldest first.
    pub fn connections(&self) -> Vec<ConnectionRecord> {
        self.records.list()
    }

    /// Resets the running (or the next) connection once, when the printer took so many of its bytes.
    pub fn reset_after(&self, bytes: u64) {
        self.records.reset_after(bytes);
        self.worker.wake();
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
