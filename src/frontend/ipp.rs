//! The Internet Printing Protocol (RFC 8010, RFC 8011, PWG 5100.x) over HTTP/1.1.
//!
//! ```text
//!   connection ──► http (hyper) ──► wire::Decoder ──► service ──┬─ query    what there is
//!                                        │                      ├─ submit   documents: straight into the spool
//!                                        └─ the document ───────┘  control  what people do to jobs and printers
//! ```
//!
//! The codec ([`wire`]) is sans-I/O; a request's document is never held in memory, it goes into the spool as it arrives.
//! Every operation ends in an IPP response, whatever went wrong; only what is not HTTP or not IPP at all ends the
//! connection.

mod attributes;
mod control;
mod hold;
mod http;
mod job;
mod printer;
mod query;
mod reply;
mod service;
mod submit;
mod target;
mod ticket;
pub mod wire;

use std::sync::Arc;
use std::time::Duration;

use super::listen::Serve;
use crate::router::Router;
use crate::supervise::Live;
use service::Service;

/// Serves connections. A client may be silent for `idle` in the middle of a request.
pub fn serve(router: Live<Router>, idle: Duration) -> Serve {
    let service = Arc::new(Service::new(router, idle));
    Arc::new(move |stream, peer| Box::pin(http::serve(stream, peer, service.clone())))
}

/// The name of the printer that a URI of ours names.
pub(crate) fn printer_name(uri: &str) -> Option<String> {
    let mut attributes = wire::Attributes::new();
    attributes.put_uri("printer-uri", uri);
    match target::Target::of(&attributes) {
        Ok(target::Target::Printer(name)) => Some(name),
        _ => None,
    }
}
