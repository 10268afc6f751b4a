//! The session that NTLM agreed on: signatures and encryption ([MS-NLMP] 3.4).
//!
//! ```text
//!   send ──────── sign key, RC4 stream, sequence 0, 1, 2 … ───────► the peer's receive
//!   receive ◄──── sign key, RC4 stream, sequence 0, 1, 2 … ──────── the peer's send
//! ```
//!
//! A signature covers the whole PDU as it was before encryption, whether header signing was agreed on or not. Sealing takes
//! the stream first, then the checksum does (where keys were exchanged). Invariant: after one failure nothing is protected
//! and nothing checked any more, since the streams no longer fit.

use std::ops::Range;

use subtle::ConstantTimeEq;

use super::crypto::{Key, Keyed, Side, sealing_key, signing_key};
use super::flags::Flags;
use super::rc4::Rc4;
use crate::rpc::auth::spnego::mechanism::Context;
use crate::rpc::auth::{Level, Refusal, Session};

const SIGNATURE_BYTES: usize = 16;
const VERSION: u32 = 1;

/// Protects PDUs with the keys of one exchange.
pub struct NtlmSession {
    flags: Flags,
    /// The authentication had a MIC of its own, so the list of mechanisms needs one ([MS-SPNG] 3.3.5.1).
    mic: bool,
    send: Half,
    receive: Half,
    spent: bool,
}

/// One direction.
struct Half {
    checksums: Keyed,
    stream: Rc4,
    sequence: u32,
    /// Keys were exchanged: the checksum is encrypted.
    encrypts_checksum: bool,
}

impl NtlmSession {
    /// A session on our `side` with the exported session key that the exchange gave. `mic`: the exchange was protected by
    /// a MIC. This is also how a key that somebody else found out (Samba's `ntlm_auth`, `GK`) becomes a session.
    pub fn new(session_key: &Key, flags: Flags, side: Side, mic: bool) -> Self {
        let half = |sender| Half {
            checksums: Keyed::new(&signing_key(session_key, sender)),
            stream: Rc4::new(&sealing_key(session_key, sender)),
            sequence: 0,
            encrypts_checksum: flags.contains(Flags::KEY_EXCHANGE),
        };
        Self { flags, mic, send: half(side), receive: half(side.other()), spent: false }
    }

    /// Refuses what was not agreed on.
    fn ready(&self, level: Level) -> Result<(), Refusal> {
        if self.spent {
            return Err(Refusal::Tampered("the session ended with a failure"));
        }
        self.flags.check(level)
    }
}

impl Half {
    /// The checksum of the next message, before it is encrypted.
    fn checksum(&self, message: &[u8]) -> [u8; 8] {
        let full = self.checksums.over(&[&self.sequence.to_le_bytes(), message]);
        let [a, b, c, d, e, f, g, h, ..] = full;
        [a, b, c, d, e, f, g, h]
    }

    /// The signature with this checksum ([MS-NLMP] 2.2.2.9.2). The next message has the next number.
    fn signature(&mut self, mut checksum: [u8; 8]) -> [u8; SIGNATURE_BYTES] {
        if self.encrypts_checksum {
            self.stream.apply(&mut checksum);
        }
        let mut signature = [0; SIGNATURE_BYTES];
        let (version, sequence) = (VERSION.to_le_bytes(), self.sequence.to_le_bytes());
        let octets = version.into_iter().chain(checksum).chain(sequence);
        signature.iter_mut().zip(octets).for_each(|(to, from)| *to = from);
        self.sequence = self.sequence.wrapping_add(1);
        signature
    }

    /// Signs a message outside of the stream: the stream stays, the number goes on ([MS-SPNG] 3.3.5.1).
    fn sign_beside(&mut self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let stream = self.stream.clone();
        let signature = self.signature(self.checksum(message));
        self.stream = stream;
        signature
    }
}

/// The part of a PDU that is sealed at this level: none below privacy.
fn sealed(pdu: &mut [u8], stub: Range<usize>, level: Level) -> Result<&mut [u8], Refusal> {
    let outside = Refusal::Unable("the stub does not lie in its PDU".to_owned());
    let part = pdu.get_mut(stub).ok_or(outside)?;
    Ok(if level == Level::Privacy { part } else { &mut [] })
}

impl Session for NtlmSession {
    fn signature_bytes(&self) -> usize {
        SIGNATURE_BYTES
    }

    fn protect(
        &mut self,
        pdu: &mut [u8],
        stub: Range<usize>,
        level: Level,
    ) -> Result<Vec<u8>, Refusal> {
        self.ready(level)?;
        if level == Level::Connect {
            return Ok(Vec::new());
        }
        let checksum = self.send.checksum(pdu);
        self.send.stream.apply(sealed(pdu, stub, level)?);
        Ok(self.send.signature(checksum).to_vec())
    }

    fn check(
        &mut self,
        pdu: &mut [u8],
        stub: Range<usize>,
        signature: &[u8],
        level: Level,
    ) -> Result<(), Refusal> {
        self.ready(level)?;
        if level == Level::Connect {
            return Ok(());
        }
        self.receive.stream.apply(sealed(pdu, stub, level)?);
        let checksum = self.receive.checksum(pdu);
        let expected = self.receive.signature(checksum);
        self.judge(&expected, signature, "a signature does not fit")
    }
}

impl NtlmSession {
    fn judge(&mut self, expected: &[u8], got: &[u8], why: &'static str) -> Result<(), Refusal> {
        if bool::from(expected.ct_eq(got)) {
            return Ok(());
        }
        self.spent = true;
        Err(Refusal::Tampered(why))
    }
}

impl Context for NtlmSession {
    fn can_sign(&self) -> bool {
        self.flags.contains(Flags::SIGN)
    }

    fn insists_on_mic(&self) -> bool {
        self.mic
    }

    fn mic(&mut self, message: &[u8]) -> Vec<u8> {
        self.send.sign_beside(message).to_vec()
    }

    fn check_mic(&mut self, message: &[u8], mic: &[u8]) -> Result<(), Refusal> {
        let expected = self.receive.sign_beside(message);
        self.judge(&expected, mic, "the MIC of the list of mechanisms does not fit")
    }
}

#[cfg(test)]
mod tests;
