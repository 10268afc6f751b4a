//! The IPP/1.1–2.x message, and its encoding as `application/ipp` (RFC 8010, RFC 8011, PWG 5100.x).
//!
//! This is *not* a client or a server: it does no I/O, knows no clock and no printer, and has no opinion on which
//! operations, versions, charsets or attributes are supported. It turns octets into a [`Message`] and back.
//!
//! ```text
//!   HTTP body, in pieces ─► Decoder::feed ─► NeedMore │ Done(Decoded) │ DecodeError
//!                           framer ─► assembly            │ message        │ header, status()
//!                                                         ▼                ▼
//!   HTTP body ◄─ encode ◄─ Message::response(request, Status) ◄────────────┘
//! ```
//!
//! | octets (RFC 8010 §3.1)               | here                                                         |
//! | ------------------------------------ | ------------------------------------------------------------ |
//! | version, operation or status, id     | [`Header`]                                                   |
//! | begin-attribute-group-tag            | [`Group`], [`GroupTag`]                                      |
//! | attribute, additional value          | [`Attribute`], one name and at least one [`Value`]           |
//! | collection, member attributes        | [`Value::Collection`] of [`Attributes`], nested at will      |
//! | end-of-attributes-tag                | [`Progress::Done`]; the document behind it is the caller's   |
//!
//! The invariants: no input whatsoever makes the decoder panic or hold more than its [`Limits`] say; how the input was
//! cut into pieces changes nothing; names are unique within [`Attributes`], and an [`Attribute`] has a value, by
//! construction; what [`encode`] writes, a [`Decoder`] whose limits allow it reads back as the same message.
//!
//! ```
//! use despool::frontend::ipp::wire::*;
//!
//! let mut request = Message::request(Operation::PrintJob, 1);
//! request.attributes_mut(GroupTag::Operation).put_uri("printer-uri", "ipp://localhost/printers/label");
//! let body = [encode(&request)?, b"^XA^XZ".to_vec()].concat();
//!
//! let Progress::Done(decoded) = Decoder::new(Limits::REQUEST).feed(&body)? else { panic!() };
//! let (request, document) = (decoded.message, &body[decoded.consumed..]);
//! assert_eq!((request.operation(), document), (Operation::PrintJob, b"^XA^XZ".as_slice()));
//! let printer = request.operation_attributes().uri("printer-uri")?;
//!
//! let mut response = Message::response(&request, Status::Ok);
//! response.add_group(GroupTag::Job).put("job-id", 7).put("job-state", JobState::Pending);
//! assert_eq!(printer, Some("ipp://localhost/printers/label"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[macro_use]
mod registry;

mod assembly;
mod attributes;
mod build;
mod datetime;
mod decode;
mod dump;
mod encode;
mod fault;
mod framer;
pub mod limits;
mod lookup;
mod message;
mod operation;
mod parse;
mod pick;
mod reader;
mod requested;
mod state;
mod status;
pub mod tag;
mod value;

pub use attributes::{Attribute, Attributes};
pub use datetime::DateTime;
pub use decode::{Decoded, Decoder, Progress, decode};
pub use dump::Dump;
pub use encode::{EncodeError, encode, encode_into};
pub use fault::{DecodeError, Duplicate, Fault};
pub use limits::Limits;
pub use lookup::AttributeError;
pub use message::{Group, Header, Message};
pub use operation::Operation;
pub use requested::{NameGroups, Requested};
pub use state::{JobState, PrinterState};
pub use status::Status;
pub use tag::GroupTag;
pub use value::{Localized, Opaque, OutOfBand, Range, Resolution, ResolutionUnit, Value};
