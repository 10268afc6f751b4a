//! Notification channels: sources open them and send, clients register and receive, and on bidirectional ones answer.
//!
//! Not here: any transport ([MS-PAN] over DCE/RPC, IPP, HTTP), and anything about printing: an object is a name, a
//! payload is bytes.
//!
//! ```text
//!   source ── open, send, close ──► Broker ◄── register, get, respond, close ── transport, or a Listener in this process
//!      ▲                              │ one lock around
//!      └── SourceEvent ◄── outbox ◄── Core ──► outbox ──► completion of a parked call
//! ```
//!
//! [`core::Core`] is the state machine of [MS-PAN] 3.1: operations in, actions out, no clock, no socket, no thread. The
//! [`Broker`] puts a lock around it and runs the completions, in order, outside of the lock. A parked call is a token and a
//! boxed closure, not a thread. [`local`] is the same as futures.
//!
//! The invariant: for each registration and each channel the completions run in the order of the operations that caused
//! them, each exactly once; a call that was canceled takes nothing with it.

pub mod broker;
pub mod core;
pub mod local;
mod outcome;
mod types;

pub use broker::{Broker, SourceChannel};
pub use core::{ChannelId, Core, HandleId, Limits, RegistrationId, WaiterId};
pub use local::{ClientChannel, Listener};
pub use outcome::{Ended, Notification, Refusal, Reply, Sent, SourceEvent};
pub use types::{Audience, MalformedGuid, NotificationType, Object, Style, Topic, UserFilter};
