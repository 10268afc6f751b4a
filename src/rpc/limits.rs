//! Every bound of the RPC runtime, with its unit and its reason.

use std::time::Duration;

/// Full pointers in one stub that may point at something.
pub const FULL_POINTERS: usize = 16;

/// Stub bytes of a request, in all its fragments, where an interface says nothing else; for unauthenticated callers
/// always ([MS-RPCE] 3.3.3.5.4).
pub const REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// Client: stub bytes of a response, in all its fragments, where nothing else is said. Room for the largest
/// notification of [MS-PAN].
pub const RESPONSE_BYTES: usize = 12 * 1024 * 1024;

/// Client: octets of responses that are being put together on one connection; a server that sends more is left.
pub const RESPONSES_BYTES: usize = 64 * 1024 * 1024;

/// Client: octets of requests that wait for the server to take them; further calls are refused.
pub const REQUESTS_QUEUED_BYTES: usize = 64 * 1024 * 1024;

/// Client: interfaces that one connection is used for. (Their contexts must have numbers below 256.)
pub const INTERFACES: usize = 64;

/// Client: connections of one association, where the server takes one call at a time on each.
pub const LINES: usize = 64;

/// Client: a fragment that a server must take at least ([C706] 12.6.3.1).
pub const FRAGMENT_BYTES_MUST: u16 = 1432;

/// Client: a connection must be made within this, for each address of the server.
pub const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// Client: the endpoint mapper must answer within this.
pub const MAPPER_WAIT: Duration = Duration::from_secs(10);

/// Context handles of one association group (a client process). A client of [MS-PAN] has one for each registration and
/// each open channel.
pub const HANDLES_PER_GROUP: usize = 4096;

/// A fragment of a request, and of a response, is at most this long on TCP …
pub const FRAGMENT_BYTES: u16 = 5840;

/// … and what is negotiated is at least this ([MS-RPCE] 3.3.1.5.6: what Windows does).
pub const FRAGMENT_BYTES_LEAST: u16 = 2048;

/// So many wrong passwords for an account from one address are let go by; then each further one costs a pause …
pub const WRONG_PASSWORDS: u32 = 8;

/// … of this, doubling with each …
pub const WRONG_PAUSE_FIRST: Duration = Duration::from_secs(1);

/// … up to this.
pub const WRONG_PAUSE_LAST: Duration = Duration::from_secs(60);

/// After this without a further one they are forgotten.
pub const WRONG_FORGOTTEN: Duration = Duration::from_secs(900);

/// Accounts and addresses that this is counted for at a time.
pub const WRONG_TRACKED: usize = 4096;

/// Security contexts of one connection.
pub const SECURITY_CONTEXTS: usize = 8;

/// Presentation contexts of one connection. A client needs one for each interface and transfer syntax.
pub const PRESENTATION_CONTEXTS: usize = 256;

/// Calls of one connection that are outstanding at a time, parked ones included.
pub const CALLS_PER_CONNECTION: usize = 1024;

/// Octets of responses that wait for one client to take them; then no more of its requests are read …
pub const QUEUED_BYTES: usize = 1024 * 1024;

/// … and beyond this, which parked calls can lead to, its connection is closed.
pub const QUEUED_BYTES_MOST: usize = 64 * 1024 * 1024;

/// Fragments are protected and handed to the kernel in portions of about this many octets.
pub const OUTPUT_BYTES: usize = 64 * 1024;

/// Octets of requests that are being put together from fragments, on all connections of a server together. What would
/// exceed it is answered with "too busy".
pub const REASSEMBLY_BYTES: usize = 256 * 1024 * 1024;

/// A connection must be bound, and an authentication finished, within this.
pub const BIND_WAIT: Duration = Duration::from_secs(30);

/// The next octet of a fragment, and the next fragment of a request, must come within this …
pub const FRAGMENT_WAIT: Duration = Duration::from_secs(30);

/// … and a whole request within this.
pub const REQUEST_WAIT: Duration = Duration::from_secs(600);

/// A client that takes nothing for this long while responses wait for it is let go.
pub const WRITE_WAIT: Duration = Duration::from_secs(60);

/// A connection without an outstanding call, whose group has no context handle, is closed after this.
pub const IDLE_WAIT: Duration = Duration::from_secs(900);

/// A principal name that the management interface tells is at most this long, with its terminator
/// ([MS-RPCE] 2.2.1.3.4).
pub const PRINCIPAL_BYTES: usize = 4096;

/// Floors of a protocol tower; one for TCP has five.
pub const TOWER_FLOORS: usize = 6;

/// Octets of a tower in a request ([MS-RPCE] 2.2.1.2.1).
pub const TOWER_BYTES: usize = 2000;

/// Entries or towers that one answer of the endpoint mapper may be asked for ([MS-RPCE] 2.2.1.2.4, 2.2.1.2.5).
pub const MAPPER_ENTRIES: u32 = 500;

/// Octets of an annotation, with its terminator.
pub const ANNOTATION_BYTES: usize = 64;

/// Connections that one endpoint serves at a time; more wait in the kernel's backlog.
pub const CONNECTIONS: usize = 4096;

/// After a connection could not be accepted (no descriptors left) the next attempt waits this long.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A connection is read in portions of up to this many octets, by a buffer that all connections share.
pub const READ_BYTES: usize = 64 * 1024;

/// A silent connection is probed after this (it may hold parked calls and context handles) …
pub const KEEPALIVE_IDLE: Duration = Duration::from_secs(120);

/// … then after each of these …
pub const KEEPALIVE_PAUSE: Duration = Duration::from_secs(10);

/// … and is dead after so many probes without an answer.
pub const KEEPALIVE_PROBES: u32 = 6;

/// Of a client that goes on sending after its connection was ended, so many octets are thrown away …
pub const LINGER_BYTES: usize = 1024 * 1024;

/// … for at most this long, so that it can read why.
pub const LINGER_WAIT: Duration = Duration::from_secs(1);

/// When the server stops, calls may go on this long.
pub const STOP_WAIT: Duration = Duration::from_secs(2);
