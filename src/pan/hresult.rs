//! What the methods return: `HRESULT`s of [MS-PAN] and of `prnasnot.h`.
//!
//! Codes of `FACILITY_ITF` mean something only together with the method that returned them: a client passes on those it
//! does not know. Invariant: negative is failure, as for every HRESULT.

use std::fmt;

/// A method's return value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HResult(pub u32);

impl HResult {
    /// `S_OK`.
    pub const OK: Self = Self(0);
    /// The channel belongs to another client; a success ([MS-PAN] 3.1.1.4.6).
    pub const CHANNEL_ACQUIRED: Self = Self(0x0004_0010);
    /// `CHANNEL_ALREADY_CLOSED`.
    pub const CHANNEL_ALREADY_CLOSED: Self = Self(0x8004_0008);
    /// `ASYNC_CALL_ALREADY_PARKED`: the previous call on this object has not returned.
    pub const ALREADY_PARKED: Self = Self(0x8004_000C);
    /// `NOT_REGISTERED`.
    pub const NOT_REGISTERED: Self = Self(0x8004_000D);
    /// `ALREADY_UNREGISTERED`.
    pub const ALREADY_UNREGISTERED: Self = Self(0x8004_000E);
    /// `ALREADY_REGISTERED`: our answer to a second registration of one remote object, [MS-PAN] leaves it open.
    pub const ALREADY_REGISTERED: Self = Self(0x8004_000F);
    /// `MAX_NOTIFICATION_SIZE_EXCEEDED`.
    pub const TOO_LARGE: Self = Self(0x8004_0012);
    /// `INVALID_NOTIFICATION_TYPE`.
    pub const WRONG_TYPE: Self = Self(0x8004_0014);
    /// Access denied: the caller may not receive what it asks for.
    pub const ACCESS_DENIED: Self = Self(0x8007_0005);
    /// No memory, or too much of it held by this caller.
    pub const OUT_OF_MEMORY: Self = Self(0x8007_000E);
    /// The limit of registrations, as [MS-PAN] 3.1.1.4.1 prints it (`prnasnot.h` would say `0x80040015`).
    pub const TOO_MANY_REGISTRATIONS: Self = Self(0x8007_0015);
    /// An argument that cannot be.
    pub const INVALID_ARGUMENT: Self = Self(0x8007_0057);
    /// `pName` is malformed.
    pub const INVALID_NAME: Self = Self(0x8007_007B);
    /// There is no such printer (`ERROR_INVALID_PRINTER_NAME`); [MS-PAN] leaves it open.
    pub const NO_SUCH_PRINTER: Self = Self(0x8007_0709);
    /// The wait was ended: unregistered, or the server stops.
    pub const TERMINATED: Self = Self(0x8007_071A);

    /// Whether it is a success: `S_OK` is not the only one.
    pub const fn is_success(self) -> bool {
        self.0 & 0x8000_0000 == 0
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::OK => "done",
            Self::CHANNEL_ACQUIRED => "another client has the channel",
            Self::CHANNEL_ALREADY_CLOSED => "the channel was closed before",
            Self::ALREADY_PARKED => "the previous call has not returned",
            Self::NOT_REGISTERED => "not registered",
            Self::ALREADY_UNREGISTERED => "unregistered already",
            Self::ALREADY_REGISTERED => "registered already",
            Self::TOO_LARGE => "the payload is too large",
            Self::WRONG_TYPE => "not the channel's notification type",
            Self::ACCESS_DENIED => {
                "access denied; only an administrator receives everybody's notifications"
            }
            Self::OUT_OF_MEMORY => "the server is out of memory, or this account holds too much",
            Self::TOO_MANY_REGISTRATIONS => "too many registrations",
            Self::INVALID_ARGUMENT => "an argument is invalid",
            Self::INVALID_NAME => "the name is malformed; write \\\\SERVER\\PRINTER",
            Self::NO_SUCH_PRINTER => "the server has no such printer",
            Self::TERMINATED => "the server ended the wait",
            _ => "unknown code",
        }
    }
}

impl fmt::Display for HResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:08X})", self.meaning(), self.0)
    }
}

impl fmt::Debug for HResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HResult(0x{:08X})", self.0)
    }
}
