//! The client's side of [MS-PAN]: registers with a print server, hears its notifications, answers them.
//!
//! Works against any server of the protocol, Windows' included. Not here: connections and security (that is [`Transport`]),
//! and what payloads mean (`asyncui`).
//!
//! ```text
//!   Registration::new ── Create, RegisterClient ──► Registration
//!        │ unidirectional: next() ── GetNotification ──► Heard
//!        │ bidirectional:  new_channels() ── GetNewChannel ──► Channel … in parallel with everything else
//!        │                                                        first(), respond() ── GetNotificationSendResponse
//!        │                                                        close() ── CloseChannel
//!        └ unregister() ── UnregisterClient, Delete
//! ```
//!
//! [`Subscription`] does all of it again, with the pauses of the protocol, when something breaks.
//!
//! Invariant: what the protocol forbids a client cannot be written: no call on a registration while another waits on it
//! (`&mut`), none on a channel after it is over (it is consumed or says [`Told::Over`]).

mod channel;
mod error;
mod registration;
pub mod retry;
mod subscription;
#[cfg(test)]
mod tests;
pub mod transport;

pub use channel::{Channel, Ended, Told};
pub use error::Error;
pub use registration::{Heard, Registration, Wanted};
pub use subscription::{Connect, Subscription, Update};
pub use transport::Transport;
