//! The doors clients come in by, one folder a protocol.
//!
//! A front end speaks its protocol and nothing else: it asks the router for a printer by name, and hands the bytes of
//! a document to the submission it is given. It is *not* where jobs are kept, scheduled or printed.

pub mod appsocket;
pub mod ipp;
pub mod listen;
