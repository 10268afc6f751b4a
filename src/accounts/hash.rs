//! The NT hash: what NTLM keeps in the place of a password.
//!
//! It is as good as the password to whoever speaks NTLM, so it is zeroed when it is dropped, compared in constant time and
//! never shown.

use std::fmt;

use md4::{Digest, Md4};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// MD4 of the password in UTF-16LE ([MS-NLMP] 3.3.1, NTOWFv1).
#[derive(Clone)]
pub struct NtHash([u8; Self::BYTES]);

impl NtHash {
    /// Its length.
    pub const BYTES: usize = 16;

    /// The hash that these bytes are.
    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The hash of a password.
    pub fn of(password: &str) -> Self {
        let mut md4 = Md4::new();
        for unit in password.encode_utf16() {
            md4.update(Zeroizing::new(unit.to_le_bytes()).as_slice());
        }
        Self(md4.finalize().into())
    }

    /// The bytes: as secret as the password.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Reads 32 hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut hash = Self([0; Self::BYTES]);
        let digits = text.as_bytes();
        if digits.len() != hash.0.len().saturating_mul(2) {
            return None;
        }
        for (byte, digits) in hash.0.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = *digits else { return None };
            let nibble = |digit: u8| char::from(digit).to_digit(16);
            *byte = u8::try_from((nibble(high)? << 4) | nibble(low)?).ok()?;
        }
        Some(hash)
    }

    /// Writes them.
    pub(super) fn hex(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.0.len().saturating_mul(2)));
        for byte in self.0 {
            for nibble in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(nibble.into(), 16));
            }
        }
        text
    }
}

impl Drop for NtHash {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl PartialEq for NtHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for NtHash {}

impl fmt::Debug for NtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [MS-NLMP] 4.2.2.1.2, and the hash of nothing, which every list of broken passwords begins with.
    #[test]
    fn known_hashes() {
        for (password, expected) in [
            ("Password", "a4f49c406510bdcab6824ee7c30fd852"),
            ("", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        ] {
            let hash = NtHash::of(password);
            assert_eq!(*hash.hex(), expected);
            assert_eq!(NtHash::parse(expected), Some(hash));
        }
    }

    #[test]
    fn what_is_no_hash() {
        for text in
            ["", "a4f4", "zzf49c406510bdcab6824ee7c30fd852", "ää9c406510bdcab6824ee7c30fd852"]
        {
            assert_eq!(NtHash::parse(text), None, "{text}");
        }
    }

    #[test]
    fn it_is_not_shown() {
        assert_eq!(format!("{:?}", NtHash::of("secret")), "NtHash(…)");
    }
}
