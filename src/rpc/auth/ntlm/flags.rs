//! What the two sides of NTLM agree on ([MS-NLMP] 2.2.2.5).

use std::ops::{BitAnd, BitOr};

use crate::rpc::auth::{Level, Refusal};

/// `NegotiateFlags`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u32);

impl Flags {
    /// Names are UTF-16.
    pub const UNICODE: Self = Self(0x1);
    /// The client asks for the server's name.
    pub const REQUEST_TARGET: Self = Self(0x4);
    /// Messages are signed.
    pub const SIGN: Self = Self(0x10);
    /// Messages are encrypted.
    pub const SEAL: Self = Self(0x20);
    /// The mechanism is NTLM at all.
    pub const NTLM: Self = Self(0x200);
    /// The client has no account.
    pub const ANONYMOUS: Self = Self(0x800);
    /// There is a signature even where nothing was agreed on.
    pub const ALWAYS_SIGN: Self = Self(0x8000);
    /// The target's name is a domain's.
    pub const TARGET_TYPE_DOMAIN: Self = Self(0x1_0000);
    /// Keys for each direction, signatures by HMAC-MD5.
    pub const EXTENDED_SESSION_SECURITY: Self = Self(0x8_0000);
    /// The challenge tells about the server.
    pub const TARGET_INFO: Self = Self(0x80_0000);
    /// The messages tell versions.
    pub const VERSION: Self = Self(0x200_0000);
    /// Keys of 128 bits.
    pub const BITS_128: Self = Self(0x2000_0000);
    /// The client chooses the session's key.
    pub const KEY_EXCHANGE: Self = Self(0x4000_0000);
    /// Keys of 56 bits; of no effect beside those of 128.
    pub const BITS_56: Self = Self(0x8000_0000);

    /// True where all of these are set.
    pub fn contains(self, these: Self) -> bool {
        self & these == these
    }

    /// What a security context of this level needs. Less is refused: no weak keys, no NTLMv1 signatures.
    pub fn needed_for(level: Level) -> Self {
        let always = Self::UNICODE | Self::NTLM | Self::EXTENDED_SESSION_SECURITY | Self::BITS_128;
        match level {
            Level::Connect => always,
            Level::Packet | Level::Integrity => always | Self::SIGN,
            Level::Privacy => always | Self::SIGN | Self::SEAL,
        }
    }

    /// Says which part of what the level needs is missing.
    pub fn check(self, level: Level) -> Result<(), Refusal> {
        const NAMES: [(Flags, &str); 6] = [
            (Flags::UNICODE, "no Unicode"),
            (Flags::NTLM, "no NTLM"),
            (Flags::EXTENDED_SESSION_SECURITY, "no extended session security"),
            (Flags::BITS_128, "no keys of 128 bits"),
            (Flags::SIGN, "no signatures"),
            (Flags::SEAL, "no encryption"),
        ];
        let needed = Self::needed_for(level);
        let missing =
            NAMES.iter().find(|(flag, _)| needed.contains(*flag) && !self.contains(*flag));
        missing.map_or(Ok(()), |(_, name)| Err(Refusal::Weak(name)))
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Flags {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_needs_its_own() {
        for (level, needed) in [
            (Level::Connect, 0x2008_0201),
            (Level::Packet, 0x2008_0211),
            (Level::Integrity, 0x2008_0211),
            (Level::Privacy, 0x2008_0231),
        ] {
            assert_eq!(Flags::needed_for(level), Flags(needed));
            assert_eq!(Flags(needed).check(level), Ok(()));
            for bit in (0..32).map(|n| 1 << n).filter(|bit| needed & bit != 0) {
                let outcome = Flags(!bit).check(level);
                assert!(matches!(outcome, Err(Refusal::Weak(_))), "{level:?} without {bit:x}");
            }
        }
    }
}
