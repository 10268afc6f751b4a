//! Help for the spool's tests: a store that fails and forgets, and a model to check against.
#![allow(dead_code, unused_imports, missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod jobs;
pub mod mem_store;
pub mod model;
