//! The arithmetic of NTLMv2: from a password's hash to the keys of a session ([MS-NLMP] 3.3.2, 3.4.4, 3.4.5).
//!
//! ```text
//!   NT hash ─► NTOWFv2 (user, domain) ─► proof (server challenge, blob) ─► session base key
//!                                                        client's choice ──┴─► exported session key
//!                              client's signing and sealing key ◄──────────────┴──► server's
//! ```

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::rc4::Rc4;
use crate::accounts::{NtHash, name};

/// A key, zeroed when it is dropped.
pub type Key = Zeroizing<[u8; 16]>;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The initiator.
    Client,
    /// The acceptor.
    Server,
}

impl Side {
    /// The one on the other end.
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// HMAC-MD5 by one key, which is worked in once for all messages. Zeroed when it is dropped.
pub struct Keyed(Hmac<Md5>);

impl Keyed {
    /// By this key.
    pub fn new(key: &[u8; 16]) -> Self {
        // HMAC fills a short key up with zeros to the block of its hash.
        let mut block = Zeroizing::new([0; 64]);
        block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        Self(Hmac::new((&*block).into()))
    }

    /// Over these parts, one behind the other.
    pub fn over(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut hmac = self.0.clone();
        parts.iter().for_each(|part| hmac.update(part));
        hmac.finalize().into_bytes().into()
    }
}

/// HMAC-MD5 over these parts, one behind the other, by a key that is used once.
pub fn hmac_md5(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    Keyed::new(key).over(parts)
}

/// NTOWFv2: the account's key, bound to its name and domain as they stand on the wire.
pub fn response_key(hash: &NtHash, user: &str, domain: &str) -> Key {
    let user = super::message::utf16(&name::upper(user));
    let domain = super::message::utf16(domain);
    Key::new(hmac_md5(hash.as_bytes(), &[&user, &domain]))
}

/// NTProofStr: shows that whoever made the blob has the account's key.
pub fn proof(response_key: &Key, server_challenge: &[u8; 8], blob: &[u8]) -> [u8; 16] {
    hmac_md5(response_key, &[server_challenge, blob])
}

/// SessionBaseKey; for NTLMv2 the key exchange key too.
pub fn session_base_key(response_key: &Key, proof: &[u8; 16]) -> Key {
    Key::new(hmac_md5(response_key, &[proof]))
}

/// Encrypts or decrypts the session key that the client chose.
pub fn exchange_key(base: &Key, session_key: &[u8; 16]) -> Key {
    let mut key = Key::new(*session_key);
    Rc4::new(base).apply(key.as_mut_slice());
    key
}

/// The MIC over the three messages.
pub fn mic(session_key: &Key, messages: [&[u8]; 3]) -> [u8; 16] {
    hmac_md5(session_key, &messages)
}

/// SIGNKEY of a direction.
pub fn signing_key(session_key: &Key, sender: Side) -> Key {
    derive(
        session_key,
        match sender {
            Side::Client => b"session key to client-to-server signing key magic constant\0",
            Side::Server => b"session key to server-to-client signing key magic constant\0",
        },
    )
}

/// SEALKEY of a direction, of 128 bits.
pub fn sealing_key(session_key: &Key, sender: Side) -> Key {
    derive(
        session_key,
        match sender {
            Side::Client => b"session key to client-to-server sealing key magic constant\0",
            Side::Server => b"session key to server-to-client sealing key magic constant\0",
        },
    )
}

fn derive(session_key: &Key, magic: &[u8]) -> Key {
    let md5 = Md5::new_with_prefix(session_key.as_slice()).chain_update(magic);
    Key::new(md5.finalize().into())
}

#[cfg(test)]
mod tests;
