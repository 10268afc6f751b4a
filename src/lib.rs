//! despool: the print server for raw jobs.
#![forbid(unsafe_code)]

pub mod accounts;
pub mod asyncui;
pub mod bidi;
pub mod cli;
pub mod config;
mod direct;
pub mod error;
pub mod event;
pub mod follow;
pub mod frontend;
pub mod identity;
pub mod limits;
pub mod monitor;
pub mod notify;
pub mod pan;
pub mod piece;
pub mod processor;
pub mod provider;
pub mod router;
pub mod rpc;
pub mod server;
pub mod submission;
pub mod supervise;
mod systemd;
pub mod xml;

pub use error::{Error, Result};
