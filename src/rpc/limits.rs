//! Every bound of the RPC runtime, with its unit and its reason.

/// Full pointers in one stub that may point at something.
pub const FULL_POINTERS: usize = 16;

/// Stub bytes of a request, in all its fragments, where an interface says nothing else; for unauthenticated callers
/// always ([MS-RPCE] 3.3.3.5.4).
pub const REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// Context handles of one association group (a client process). A client of [MS-PAN] has one for each registration and
/// each open channel.
pub const HANDLES_PER_GROUP: usize = 4096;
