//! Simulated printers: for tests, for the demo, for people who have no hardware.
//!
//! One model of a printer ([`Model`]: pure, no I/O) has three edges, so that the code under test sees the wire it is
//! made for:
//!
//! ```text
//!                                    ┌── PtyPrinter  a real tty           ◄── serial:/dev/pts/N
//!   control socket ──► SimHandle ──► │   TcpPrinter  a TCP listener       ◄── socket://127.0.0.1:PORT
//!   a test, the demo ──► (Model) ──► │
//!                                    └── open        a port in the server ◄── sim:LANGUAGE?control=/path/sock
//! ```
//!
//! Whatever the wire, the printer can be told to run out of paper, stall, slow down, say something or be unplugged,
//! by [`SimHandle::command`] or by its control socket ([`ControlSocket`]), in the same words ([`Command`]).
//!
//! What it is *not*: a renderer. Bytes are counted, summed up and looked at as far as status needs it; no page is
//! made.
//!
//! The one invariant: what the printer took, it counted once and in order; what it did not take is still the host's.

mod answer;
mod command;
mod condition;
mod control;
mod device;
mod edge;
mod event;
mod model;
mod port;
mod pty;
mod registry;
mod tcp;

pub use crate::SimLanguage as Language;
pub use answer::Answer;
pub use command::{Command, Sensor, parse as parse_command};
pub use condition::Condition;
pub use control::ControlSocket;
pub use device::{SimHandle, Watch};
pub use event::Event;
pub use model::{Checksum, JobSpan, Keep, Model, ModelOptions, Received, Snapshot, Sum};
pub use pty::PtyPrinter;
pub use registry::{
    Arrival, Key, arrival, device, device_with, open, retire, retire_all, wait_plugged,
};
pub use tcp::{ConnectionEnd, ConnectionRecord, TcpOptions, TcpPrinter};
