//! `CHALLENGE_MESSAGE`: the server says who it is and what is to be answered ([MS-NLMP] 2.2.1.2).

use super::{Reader, Version, Writer};
use crate::rpc::auth::Refusal;
use crate::rpc::auth::ntlm::av_pairs::AvPairs;
use crate::rpc::auth::ntlm::flags::Flags;

/// The second message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// What is agreed on, so far as the server goes.
    pub flags: Flags,
    /// The nonce that the client's proof covers.
    pub server_challenge: [u8; 8],
    /// The server's domain, or its own name.
    pub target_name: String,
    /// More about the server.
    pub target_info: AvPairs,
    /// Its version.
    pub version: Version,
}

const KIND: u32 = 2;

/// Signature, type, target name, flags, challenge, reserved, target info, version.
const FIXED_BYTES: usize = 56;

impl Challenge {
    /// Reads a message. Old servers end it behind the target info, or have none.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::message(bytes, KIND)?;
        let target_name = reader.part()?;
        let flags = Flags(reader.u32()?);
        let server_challenge = reader.array()?;
        let _reserved: [u8; 8] = reader.array()?;
        let info = reader.part()?;
        let has_info = flags.contains(Flags::TARGET_INFO) && !info.bytes.is_empty();
        Ok(Self {
            flags,
            server_challenge,
            target_name: target_name.text()?,
            target_info: if has_info { AvPairs::decode(info.bytes)? } else { AvPairs::default() },
            version: reader.array().unwrap_or_default(),
        })
    }

    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(KIND, FIXED_BYTES);
        writer.part(&super::utf16(&self.target_name));
        writer.put(&self.flags.0.to_le_bytes());
        writer.put(&self.server_challenge);
        writer.put(&[0; 8]);
        writer.part(&self.target_info.encode());
        writer.put(&self.version);
        writer.finish()
    }
}
