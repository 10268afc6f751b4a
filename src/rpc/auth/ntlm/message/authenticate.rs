//! `AUTHENTICATE_MESSAGE`: the client says who it is, and proves it ([MS-NLMP] 2.2.1.3).

use std::fmt;

use super::{Reader, Version, Writer};
use crate::rpc::auth::Refusal;
use crate::rpc::auth::ntlm::flags::Flags;

/// The third message.
#[derive(Clone, PartialEq, Eq)]
pub struct Authenticate {
    /// The LM response: of no use to NTLMv2.
    pub lm_response: Vec<u8>,
    /// The NT response: the proof, and what it covers.
    pub nt_response: Vec<u8>,
    /// The account's domain.
    pub domain: String,
    /// The account.
    pub user: String,
    /// The client's own name.
    pub workstation: String,
    /// The session key that the client chose, encrypted; empty where it chose none.
    pub session_key: Vec<u8>,
    /// What is agreed on.
    pub flags: Flags,
    /// The client's version.
    pub version: Version,
    /// HMAC-MD5 over all three messages, this field being zero. None where the client left no room for it.
    pub mic: Option<[u8; 16]>,
}

const KIND: u32 = 3;

/// Signature, type, six fields, flags.
const LEAST_BYTES: usize = 64;

/// Where the MIC lies, behind the version ([MS-NLMP] 2.2.1.3).
pub const MIC_AT: std::ops::Range<usize> = 72..88;

impl Authenticate {
    /// Reads a message.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::message(bytes, KIND)?;
        let parts = [
            reader.part()?,
            reader.part()?,
            reader.part()?,
            reader.part()?,
            reader.part()?,
            reader.part()?,
        ];
        let first = parts.iter().map(|part| part.offset).min().unwrap_or_default();
        let flags = Flags(reader.u32()?);
        if first < LEAST_BYTES {
            return Err(Refusal::Malformed("a field lies in the head of its NTLM message"));
        }
        if !flags.contains(Flags::UNICODE) {
            return Err(Refusal::Weak("no Unicode"));
        }
        let [lm, nt, domain, user, workstation, session_key] = parts;
        let version = if first >= MIC_AT.start { reader.array()? } else { Version::default() };
        let mic = if first >= MIC_AT.end { Some(reader.array()?) } else { None };
        Ok(Self {
            lm_response: lm.bytes.to_vec(),
            nt_response: nt.bytes.to_vec(),
            domain: domain.text()?,
            user: user.text()?,
            workstation: workstation.text()?,
            session_key: session_key.bytes.to_vec(),
            flags,
            version,
            mic,
        })
    }

    /// Writes it. The texts come first, as Windows has it.
    pub fn encode(&self) -> Vec<u8> {
        let fixed_bytes = if self.mic.is_some() { MIC_AT.end } else { MIC_AT.start };
        let texts = [&self.domain, &self.user, &self.workstation].map(|text| super::utf16(text));
        let [domain, user, workstation] = &texts;
        let order =
            [domain, user, workstation, &self.lm_response, &self.nt_response, &self.session_key];
        // Fields come in another order than what they point to: laid out first, then named.
        let mut layout = Writer::new(KIND, fixed_bytes);
        let mut fields = Vec::new();
        for bytes in order {
            let from = layout.fixed.len();
            layout.part(bytes);
            fields.push(layout.fixed.split_off(from));
        }
        if let [domain, user, workstation, lm, nt, key] = fields.as_slice() {
            [lm, nt, domain, user, workstation, key].iter().for_each(|field| layout.put(field));
        }
        layout.put(&self.flags.0.to_le_bytes());
        layout.put(&self.version);
        layout.put(self.mic.as_ref().map_or(&[], |mic| mic.as_slice()));
        layout.finish()
    }
}

/// Without what helps to guess the password.
impl fmt::Debug for Authenticate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticate")
            .field("domain", &self.domain)
            .field("user", &self.user)
            .field("workstation", &self.workstation)
            .field("flags", &self.flags)
            .field("mic", &self.mic.is_some())
            .finish_non_exhaustive()
    }
}
