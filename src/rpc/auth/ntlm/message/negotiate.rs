//! `NEGOTIATE_MESSAGE`: the client says what it can do ([MS-NLMP] 2.2.1.1).

use super::{Reader, VERSION, Writer};
use crate::rpc::auth::Refusal;
use crate::rpc::auth::ntlm::flags::Flags;

/// The first message. A domain and a workstation that a client may name in it say nothing that is proved, and are skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiate {
    /// What the client can do.
    pub flags: Flags,
}

const KIND: u32 = 1;

/// Signature, type, flags, domain, workstation, version.
const FIXED_BYTES: usize = 40;

impl Negotiate {
    /// Reads a message. Old clients end it behind the flags.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::message(bytes, KIND)?;
        Ok(Self { flags: Flags(reader.u32()?) })
    }

    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(KIND, FIXED_BYTES);
        writer.put(&self.flags.0.to_le_bytes());
        writer.part(&[]);
        writer.part(&[]);
        writer.put(&VERSION);
        writer.finish()
    }
}
