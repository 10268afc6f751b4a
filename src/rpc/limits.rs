//! Every bound of the RPC runtime, with its unit and its reason.

/// Full pointers in one stub that may point at something.
pub const FULL_POINTERS: usize = 16;
