//! `NTLMv2_RESPONSE`: the proof, and the blob that it covers ([MS-NLMP] 2.2.2.7, 2.2.2.8).

use super::av_pairs::AvPairs;
use super::message::Reader;
use crate::rpc::auth::Refusal;

/// Length of the proof.
const PROOF_BYTES: usize = 16;

/// Length of an NTLMv1 response, which has no blob.
const V1_BYTES: usize = 24;

/// What the client says beside its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// When, as a `FILETIME`.
    pub time: u64,
    /// The client's nonce.
    pub client_challenge: [u8; 8],
    /// The server's pairs, with the client's own among them.
    pub pairs: AvPairs,
}

impl Blob {
    const VERSIONS: [u8; 2] = [1, 1];

    /// Reads a blob.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        if reader.array()? != Self::VERSIONS {
            return Err(Refusal::Malformed("the NTLMv2 response has an unknown version"));
        }
        let _reserved: [u8; 6] = reader.array()?;
        let (time, client_challenge) = (reader.u64()?, reader.array()?);
        let _reserved: [u8; 4] = reader.array()?;
        Ok(Self { time, client_challenge, pairs: AvPairs::decode(reader.rest())? })
    }

    /// Writes it, with the four zeros that Windows puts behind the pairs.
    pub fn encode(&self) -> Vec<u8> {
        let head = [Self::VERSIONS.as_slice(), &[0; 6], &self.time.to_le_bytes()].concat();
        [&head, self.client_challenge.as_slice(), &[0; 4], &self.pairs.encode(), &[0; 4]].concat()
    }
}

/// Parts an NT response into proof and blob. Whatever is not NTLMv2 is refused.
pub fn split(response: &[u8]) -> Result<(&[u8; PROOF_BYTES], &[u8]), Refusal> {
    match response.len() {
        0 => Err(Refusal::Weak("an LM response only")),
        V1_BYTES => Err(Refusal::Weak("an NTLMv1 response")),
        _ => response.split_first_chunk().ok_or(Refusal::Malformed("the NT response is cut short")),
    }
}
