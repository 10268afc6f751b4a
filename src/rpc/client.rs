//! The client: calls operations of a server's interfaces.
//!
//! Not here: what the operations mean, and trying again (that is the caller's, who knows whether it may).
//!
//! ```text
//!   Client ── call ──► Line (socket, clock, task) ── octets ──► Connection (no I/O)
//!     │                 │                                         bind, alter_context, auth_3
//!     │                 └ further ones of the same association    requests ─► responses, faults, any order
//!     └ mapper::find: on which port is an interface?
//! ```
//!
//! ```no_run
//! # use despool::rpc::client::{Client, Failure, Options, Security, mapper};
//! # use despool::rpc::auth::{Credentials, GSS_NEGOTIATE, Level};
//! # async fn example() -> Result<(), Failure> {
//! let interface = despool::pan::REMOTE_OBJECT;
//! let address = mapper::find("10.0.0.5", 135, &interface).await?;
//! let security = Security {
//!     credentials: Credentials::new("WORKGROUP", "alice", "secret"),
//!     auth_type: GSS_NEGOTIATE,
//!     level: Level::Privacy,
//!     target: Some("host/printsrv".to_owned()),
//! };
//! let client = Client::connect(address, Options::with(security), &interface).await?;
//! let answer = client.call(&interface, 0, |_syntax| Vec::new()).await?;
//! # drop(answer); Ok(()) }
//! ```
//!
//! Invariant: every call ends once: with an answer, a failure, or because its future was dropped, which cancels it. With
//! security nothing is believed that is not signed, but faults, which servers send bare.

mod association;
mod calls;
mod connection;
mod contexts;
mod incoming;
mod line;
pub mod mapper;
mod opening;
mod output;
#[cfg(test)]
mod tests;

pub use association::Client;
pub use calls::Answer;
pub use connection::{Connection, Event};
pub use contexts::Context;

use super::auth::{Credentials, Level};
use super::limits::{FRAGMENT_BYTES, RESPONSE_BYTES};
use super::status::Status;
use super::uuid::SyntaxId;

/// How connections are made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who we are, and how PDUs are protected. `None`: anonymous and unprotected.
    pub security: Option<Security>,
    /// NDR64 is offered beside NDR.
    pub ndr64: bool,
    /// Several calls at a time on one connection are offered. Without it each call that waits takes a connection.
    pub multiplexing: bool,
    /// Octets of a fragment that we send and take: 1432 to 5840.
    pub fragment_bytes: u16,
    /// Stub bytes of a response.
    pub response_bytes: usize,
}

impl Options {
    /// Anonymous and unprotected, everything else as usual.
    pub fn anonymous() -> Self {
        Self {
            security: None,
            ndr64: true,
            multiplexing: true,
            fragment_bytes: FRAGMENT_BYTES,
            response_bytes: RESPONSE_BYTES,
        }
    }

    /// With this security, everything else as usual.
    pub fn with(security: Security) -> Self {
        Self { security: Some(security), ..Self::anonymous() }
    }
}

/// Who a client is, and how its PDUs are protected.
#[derive(Clone, Debug)]
pub struct Security {
    /// What it proves itself with.
    pub credentials: Credentials,
    /// [`GSS_NEGOTIATE`](super::auth::GSS_NEGOTIATE) or [`WINNT`](super::auth::WINNT).
    pub auth_type: u8,
    /// The protection.
    pub level: Level,
    /// The principal that is meant, `host/SERVER`.
    pub target: Option<String>,
}

/// Why a call, or a connection, failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Peer: the call was answered by a fault.
    #[error("{status}")]
    Fault {
        /// Why.
        status: Status,
        /// The operation was not begun: trying again does no harm.
        did_not_execute: bool,
    },
    /// Peer: it has no such interface, or no transfer syntax in common with us.
    #[error("the server does not have the interface {0}")]
    NoInterface(SyntaxId),
    /// Peer: it does not take the credentials, or has not proved who it is.
    #[error("{0}")]
    Refused(String),
    /// Peer, or the network: there is no connection, or none any more. Whether the call was carried out is not known.
    #[error("{0}")]
    Lost(String),
    /// Peer: the response is longer than was allowed.
    #[error("the server's response is longer than {0} bytes")]
    TooLarge(usize),
    /// Ours: too many calls wait already.
    #[error("too many calls wait on this connection")]
    TooBusy,
}
