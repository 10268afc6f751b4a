//! DCE/RPC, connection-oriented, over TCP: a server and a client runtime ([C706], [MS-RPCE]).
//!
//! Not here: printing. What an interface does is behind its handler.

pub mod association;
pub mod auth;
pub mod client;
pub mod endpoint;
pub mod epm;
pub mod interface;
pub mod limits;
pub mod mgmt;
pub mod ndr;
pub mod pdu;
pub mod protection;
pub mod server;
pub mod status;
pub mod uuid;
pub mod verification;
pub mod wire;
