//! What can go wrong in the talk with QEMU.

/// QEMU said something that it must not say. The bench's fault or QEMU's, never the guest's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A packet that is longer than any can be.
    TooLong {
        /// Its type.
        kind: u32,
        /// The length in its header, in bytes.
        length: usize,
    },
    /// A packet that is too short for what it is.
    TooShort {
        /// Its type.
        kind: u32,
    },
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong { kind, length } => {
                write!(out, "QEMU sent a usbredir packet of type {kind} with {length} bytes")
            }
            Self::TooShort { kind } => {
                write!(out, "QEMU sent a usbredir packet of type {kind} that is too short")
            }
        }
    }
}

impl std::error::Error for Fault {}
