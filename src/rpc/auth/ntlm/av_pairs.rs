//! `AV_PAIR`s: what a server tells about itself in its challenge, and a client signs ([MS-NLMP] 2.2.2.1).

use super::message::{Reader, utf16};
use crate::limits::NTLM_AV_PAIRS;
use crate::rpc::auth::Refusal;

/// What a pair is about. Others are carried along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvId(pub u16);

impl AvId {
    const END: Self = Self(0);
    /// The server's NetBIOS name.
    pub const NB_COMPUTER: Self = Self(1);
    /// Its domain's NetBIOS name.
    pub const NB_DOMAIN: Self = Self(2);
    /// The server's DNS name.
    pub const DNS_COMPUTER: Self = Self(3);
    /// Its domain's DNS name.
    pub const DNS_DOMAIN: Self = Self(4);
    /// 32 bits, of which 2 means: there is a MIC.
    pub const FLAGS: Self = Self(6);
    /// The server's time, as a `FILETIME`.
    pub const TIMESTAMP: Self = Self(7);
    /// The principal that the client means to speak to.
    pub const TARGET_NAME: Self = Self(9);
    /// MD5 of the channel around, or zeros.
    pub const CHANNEL_BINDINGS: Self = Self(10);
}

/// A list of pairs, without the one that ends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AvPairs(Vec<(AvId, Vec<u8>)>);

/// The bit of [`AvId::FLAGS`] that promises a MIC.
const MIC: u32 = 2;

impl AvPairs {
    /// Reads pairs up to the end of the list. What is behind it is not looked at.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let mut pairs = Vec::new();
        loop {
            let id = AvId(reader.u16()?);
            let length = reader.u16()?;
            let value = reader.bytes(length.into())?;
            if id == AvId::END {
                return Ok(Self(pairs));
            }
            if pairs.len() >= NTLM_AV_PAIRS {
                return Err(Refusal::Malformed("too many AV pairs"));
            }
            pairs.push((id, value.to_vec()));
        }
    }

    /// Writes the pairs and their end.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let end = (AvId::END, Vec::new());
        for (AvId(id), value) in self.0.iter().chain([&end]) {
            bytes.extend(id.to_le_bytes());
            bytes.extend(u16::try_from(value.len()).unwrap_or_default().to_le_bytes());
            bytes.extend(value);
        }
        bytes
    }

    /// The first value of this id.
    pub fn value(&self, id: AvId) -> Option<&[u8]> {
        self.0.iter().find(|(other, _)| *other == id).map(|(_, value)| value.as_slice())
    }

    /// Puts a value in the place of the first of this id, or at the end. One that does not fit into a pair is left out.
    pub fn put(&mut self, id: AvId, value: Vec<u8>) {
        if u16::try_from(value.len()).is_err() {
            return;
        }
        match self.0.iter_mut().find(|(other, _)| *other == id) {
            Some((_, old)) => *old = value,
            None => self.0.push((id, value)),
        }
    }

    /// Puts a text; an empty one is left out, since clients stumble over it.
    pub fn put_text(&mut self, id: AvId, text: &str) {
        if !text.is_empty() {
            self.put(id, utf16(text));
        }
    }

    /// True where the flags promise a MIC.
    pub fn promise_mic(&self) -> bool {
        self.flags() & MIC != 0
    }

    /// Makes the flags promise a MIC.
    pub fn set_mic(&mut self) {
        self.put(AvId::FLAGS, (self.flags() | MIC).to_le_bytes().to_vec());
    }

    fn flags(&self) -> u32 {
        let value = self.value(AvId::FLAGS).and_then(|value| value.try_into().ok());
        value.map_or(0, u32::from_le_bytes)
    }

    /// The timestamp.
    pub fn timestamp(&self) -> Option<u64> {
        Some(u64::from_le_bytes(self.value(AvId::TIMESTAMP)?.try_into().ok()?))
    }
}
