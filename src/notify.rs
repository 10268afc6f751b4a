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
//! # For components of the server
//!
//! A source opens a channel, sends, hears what is answered, and closes it (or drops it, which closes it too). Who listens
//! registers and waits. `cargo run --example notifications` is a longer conversation.
//!
//! ```
//! use bytes::Bytes;
//! use despool::notify::*;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! // `Server::broker()` in a server.
//! let broker = Broker::default();
//! broker.add_printer("label");
//! let topic = |style| Topic {
//!     object: Object::printer("Label"),
//!     notification_type: "3c1d77b0-52f4-4b6e-9a0e-0d4c5a1b9e11".parse().unwrap(),
//!     style,
//! };
//! let who = Listener::server_identity();
//!
//! // One way: whoever is registered hears it.
//! let events = topic(Style::Unidirectional);
//! let mut listener = Listener::register(&broker, events.clone(), UserFilter::PerUser, who.clone())?;
//! let channel = broker.open(events, Audience::AllUsers, |_| {})?;
//! assert_eq!(channel.send(Bytes::from("38 m are left"))?, Sent::ToListeners);
//! assert_eq!(listener.next().await?, Notification::Data("38 m are left".into()));
//!
//! // Both ways: the first answer is the only one. The sink is called on the thread of who answers, and must not block.
//! let questions = topic(Style::Bidirectional);
//! let (told, mut hears) = tokio::sync::mpsc::channel(8);
//! let sink = move |event| drop(told.try_send(event));
//! let channel = broker.open(questions.clone(), Audience::AllUsers, sink)?;
//! assert_eq!(channel.send(Bytes::from("Go on?"))?, Sent::NoListeners, "it waits for who comes");
//! let mut listener = Listener::register(&broker, questions, UserFilter::PerUser, who.clone())?;
//! let mut asked = listener.new_channels().await?.remove(0);
//! assert_eq!(asked.next().await?, Reply::Notification("Go on?".into()));
//! assert_eq!(asked.close(Some("yes".into()))?, Ended::Closed);
//! let answer = SourceEvent::Response { from: who, data: "yes".into() };
//! assert_eq!(hears.recv().await, Some(answer));
//! assert_eq!(hears.recv().await, Some(SourceEvent::ClosedByClient));
//! assert_eq!(channel.send(Bytes::from("Sure?")), Err(Refusal::ChannelClosed));
//! # Ok::<(), Refusal>(()) }).unwrap();
//! ```
//!
//! A transport that must not hold a future for each client uses the [`Broker`]'s calls, which take a completion.
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
