//! What a fault PDU says: `nca_*` codes of DCE, Win32 error codes, or an `HRESULT` that an interface throws.
//!
//! Invariant: a status that a server must not send ([MS-RPCE] 3.3.3.5.1) never gets into a PDU, see [`Status::to_wire`].

use std::fmt;

use super::ndr::BadStub;

/// The status of a fault.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u32);

macro_rules! statuses {
    ($($(#[$doc:meta])+ $name:ident = $code:literal, $text:literal;)+) => {
        impl Status {
            $($(#[$doc])+ pub const $name: Self = Self($code);)+

            /// What it means, for a person.
            fn text(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)+
                    _ => None,
                }
            }
        }
    };
}

statuses! {
    /// The caller may not do this, or not at this authentication level.
    ACCESS_DENIED = 0x0000_0005, "access denied";
    /// A request that begins with its cancel pending.
    CALL_CANCELED_EARLY = 0x0000_06BD, "the call was canceled before it began";
    /// The authentication service is unknown.
    UNKNOWN_AUTHN_SERVICE = 0x0000_06D3, "unknown authentication service";
    /// The endpoint mapper could not carry out the operation.
    CANNOT_PERFORM = 0x0000_06D8, "the endpoint mapper cannot do this";
    /// The server has no memory for it.
    OUT_OF_RESOURCES = 0x0000_06D9, "the server is out of resources";
    /// The stub is not what the interface says.
    BAD_STUB_DATA = 0x0000_06F7, "the stub received bad data";
    /// A signature is wrong, or the PDU could not be decrypted.
    SEC_PKG_ERROR = 0x0000_0721, "a security package error";
    /// The interface has no such operation.
    OP_RANGE_ERROR = 0x1C01_0002, "the interface has no such operation";
    /// The presentation context is unknown.
    UNKNOWN_INTERFACE = 0x1C01_0003, "unknown interface";
    /// The peer broke the protocol.
    PROTOCOL_ERROR = 0x1C01_000B, "a protocol error";
    /// The server has too much to do.
    SERVER_TOO_BUSY = 0x1C01_0014, "the server is too busy";
    /// The call was canceled.
    CANCELED = 0x1C00_000D, "the call was canceled";
    /// Something went wrong that has no name.
    UNSPECIFIED = 0x1C00_0012, "an unspecified fault";
    /// The context handle is unknown, of another kind, or another client's.
    CONTEXT_MISMATCH = 0x1C00_001A, "the context handle does not match";
    /// The server has no memory for it; also what Windows says to a bad `rpc_auth_3`.
    REMOTE_NO_MEMORY = 0x1C00_001B, "the server is out of memory";
    /// The authentication level cannot be served.
    UNSUPPORTED_AUTHN_LEVEL = 0x1C00_001D, "the authentication level is not supported";
}

/// Exceptions of a machine or of a runtime, which clients would take for their own ([MS-RPCE] 3.3.3.5.1).
const NEVER_SENT: [u32; 14] = [
    0,
    0x8000_0001,
    0x8000_0002,
    0x8000_0003,
    0xC000_0005,
    0xC000_0006,
    0xC000_001D,
    0xC000_0096,
    0xC000_00AA,
    0xC000_00FD,
    0xC000_0194,
    0xC000_0235,
    0xC000_0409,
    0xC000_0420,
];

impl Status {
    /// The number to send: this one, or [`Status::UNSPECIFIED`] in place of one that must not be sent.
    pub fn to_wire(self) -> u32 {
        if NEVER_SENT.contains(&self.0) { Self::UNSPECIFIED.0 } else { self.0 }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => write!(f, "{text} (0x{:08X})", self.0),
            None => write!(f, "0x{:08X}", self.0),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Status {}

impl From<BadStub> for Status {
    fn from(bad: BadStub) -> Self {
        tracing::debug!(%bad, "a stub was refused");
        Self::BAD_STUB_DATA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_sent_is_not() {
        assert_eq!(Status(0).to_wire(), Status::UNSPECIFIED.0);
        assert_eq!(Status(0xC000_0005).to_wire(), Status::UNSPECIFIED.0);
        assert_eq!(Status(0x8007_071A).to_wire(), 0x8007_071A);
        assert_eq!(Status::CANCELED.to_string(), "the call was canceled (0x1C00000D)");
    }
}
