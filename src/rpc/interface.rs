//! What somebody who implements an interface sees: its description, the calls to it, and their replies.
//!
//! Not here: PDUs, signatures, connections. A call comes to [`Handler::call`] on the task of its connection, which must
//! not block there. Its [`Reply`] may go to any actor or thread and be completed at any time; a call that waits for
//! something costs the memory of its reply and no thread.
//!
//! ```text
//!   connection ──► Handler::call(Call { stub, caller, handles, reply, … })
//!                                                             │
//!        respond / fault / reject ◄───────────────────────────┤ any thread, any time; dropped: a fault
//!        on_gone(hook) ◄── canceled, orphaned, disconnected ──┘
//! ```
//!
//! Invariant: every call is answered or gone exactly once; of an association group that ends, first the calls go, then
//! the context handles are run down.

#[cfg(test)]
pub(in crate::rpc) mod asking;
mod handles;
mod reply;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

pub use handles::{Context, HandleTable, Handles};
pub use reply::{Delivery, Gone, Outcome, Pending, Receipt, Reply, Sink};

use super::auth::Level;
use super::limits::REQUEST_BYTES;
use super::ndr::{Reader, Syntax, Writer};
use super::status::Status;
use super::uuid::{SyntaxId, Uuid};
use super::wire::ByteOrder;
use crate::identity::Identity;

/// An interface that an endpoint serves.
#[derive(Clone)]
pub struct Interface {
    /// Its UUID and version.
    pub id: SyntaxId,
    /// Its name, for the log.
    pub name: &'static str,
    /// What the endpoint mapper tells of it, at most 63 octets of it. An interface without an annotation is mapped too.
    pub annotation: &'static str,
    /// Operation numbers begin at 0 and end before this.
    pub operations: u16,
    /// Stub bytes of a request, in all its fragments. An unauthenticated caller never gets more than
    /// [`REQUEST_BYTES`].
    pub max_request_bytes: usize,
    /// Callers below this level get [`Status::ACCESS_DENIED`]; `None` lets everybody in.
    pub min_level: Option<Level>,
    /// Whether clients find it by the endpoint mapper.
    pub is_mapped: bool,
    /// Serves its calls.
    pub handler: Arc<dyn Handler>,
}

impl Interface {
    /// An interface for everybody, with the usual limit, that clients find by the endpoint mapper.
    pub fn new(
        id: SyntaxId,
        name: &'static str,
        operations: u16,
        handler: Arc<dyn Handler>,
    ) -> Self {
        Self {
            id,
            name,
            annotation: "",
            operations,
            max_request_bytes: REQUEST_BYTES,
            min_level: None,
            is_mapped: true,
            handler,
        }
    }
}

/// Serves the calls of an interface.
pub trait Handler: Send + Sync {
    /// Takes a call. Must not block: what takes time is done elsewhere, and completes the [`Reply`] later.
    fn call(&self, call: Call);

    /// The server stops: no call comes any more, and the parked ones should be answered now, since their connections end
    /// soon. Called once for each interface; must not block.
    fn stop(&self) {}
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who they have proved to be; `None` without authentication.
    pub identity: Option<Identity>,
    /// How their PDUs are protected; `None` without authentication.
    pub level: Option<Level>,
    /// The association group, which is a client process.
    pub group: u32,
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// Our end of it.
    pub local: SocketAddr,
}

/// A call.
pub struct Call {
    /// The operation, below the interface's count.
    pub opnum: u16,
    /// The object UUID, if the client gave one.
    pub object: Option<Uuid>,
    /// How the stub is encoded, and how the response has to be.
    pub syntax: Syntax,
    /// The byte order of the stub. Responses are little-endian.
    pub order: ByteOrder,
    /// The parameters, without the verification trailer.
    pub stub: Bytes,
    /// Who calls.
    pub caller: Caller,
    /// The context handles of the caller's association group.
    pub handles: Handles,
    /// Where the answer goes.
    pub reply: Reply,
}

impl Call {
    /// Reads the parameters.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(&self.stub, self.syntax, self.order)
    }

    /// Writes the results.
    pub fn writer(&self) -> Writer {
        Writer::new(self.syntax)
    }

    /// Answers at once with what `serve` makes of it: the stub of the response, or a fault.
    pub fn answer(self, serve: impl FnOnce(&Self) -> Result<Vec<u8>, Status>) {
        match serve(&self) {
            Ok(stub) => self.reply.respond(stub),
            Err(status) => self.reply.fault(status),
        }
    }
}
