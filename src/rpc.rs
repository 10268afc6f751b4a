//! DCE/RPC, connection-oriented, over TCP: a server and a client runtime ([C706], [MS-RPCE]).
//!
//! Not here: printing. What an interface does is behind its handler.

pub mod auth;
pub mod interface;
pub mod limits;
pub mod ndr;
pub mod pdu;
pub mod status;
pub mod uuid;
pub mod wire;
