//! The raw spool: documents as plain files, job lives in one journal.
//!
//! `NNNNN.spl` holds exactly the submitted bytes: `cat` it to the device and you have printed it. The `journal` holds
//! each job's *shadow*: its ticket, its states, how long its document is, how much of it the driver has accepted, how it
//! ended. [`Spool`] is the handle.
//!
//! ```text
//!   begin ─► Writer: append … commit ─► update (hold, release, start, cancel …) ─► expire, remove
//!              │ follow                       │ Progress::note before and after each write to the device
//!              ▼                              ▼
//!           Document: read by range        journal
//! ```
//!
//! What is *not* here: actors, printers, ports, the network. Nothing here waits for anything but the disk.
//!
//! What is promised:
//! - A commit's callback says `Ok` only when the document and its record are durable.
//! - What was appended survives a kill of the process; what was synced survives a loss of power.
//! - A job id is never given out twice.
//! - After a failed sync no new work is taken; what is on disk can still be read and played.

mod compact;
mod disk;
mod disk_store;
mod document;
mod error;
mod id;
pub mod journal;
pub mod limits;
mod map;
mod progress;
mod recover;
mod served;
mod shadow;
mod short;
mod small;
mod space;
mod spool;
pub mod store;
mod sync;
mod table;
mod writer;

pub use document::{Bytes, Document, End, Extent};
pub use error::{Error, Result};
pub use id::JobId;
pub use progress::Progress;
pub use recover::{Interrupted, Report};
pub use shadow::{
    Cause, Change, Confirmed, Deed, DocumentState, Hold, Played, Recovery, Shadow, State, Ticket,
};
pub use spool::{Listener, Options, Retention, Spool, Then};
pub use writer::Writer;
