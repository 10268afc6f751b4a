//! UUIDs, and the syntax identifiers that are made of one and a version ([C706] appendix A, [MS-RPCE] 2.2.2.7).
//!
//! Invariant: a UUID is held as the number that its text form shows; only the wire knows byte orders.

use std::fmt;
use std::str::FromStr;

use super::wire::ByteOrder;

/// A 128-bit identifier. Nothing is asked of its bits: notification types are any GUID.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uuid(u128);

impl Uuid {
    /// All zeros.
    pub const NIL: Self = Self(0);

    /// The UUID whose text form, without hyphens, is this number in hexadecimal.
    pub const fn from_u128(number: u128) -> Self {
        Self(number)
    }

    /// Its text form, without hyphens, as a number.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// True where all bits are zero.
    pub const fn is_nil(self) -> bool {
        self.0 == 0
    }

    /// 16 bytes nobody can guess; `None` where the system has no randomness.
    pub fn random() -> Option<Self> {
        let mut octets = [0; 16];
        getrandom::fill(&mut octets).ok()?;
        Some(Self(u128::from_be_bytes(octets)))
    }

    /// Reads the wire form: three numbers in the sender's byte order, then eight octets.
    pub const fn from_wire(octets: [u8; 16], order: ByteOrder) -> Self {
        match order {
            ByteOrder::Little => Self(u128::from_be_bytes(swap(octets))),
            ByteOrder::Big => Self(u128::from_be_bytes(octets)),
        }
    }

    /// The wire form, little-endian.
    pub const fn to_wire(self) -> [u8; 16] {
        swap(self.0.to_be_bytes())
    }
}

/// Reverses the three numbers at the front.
const fn swap([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]: [u8; 16]) -> [u8; 16] {
    [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |shift: u32, mask: u128| (self.0 >> shift) & mask;
        let (first, second, third) = (part(96, 0xFFFF_FFFF), part(80, 0xFFFF), part(64, 0xFFFF));
        let (fourth, fifth) = (part(48, 0xFFFF), part(0, 0xFFFF_FFFF_FFFF));
        write!(f, "{first:08x}-{second:04x}-{third:04x}-{fourth:04x}-{fifth:012x}")
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID: it looks like 8a885d04-1ceb-11c9-9fe8-08002b104860")]
pub struct NotUuid;

impl FromStr for Uuid {
    type Err = NotUuid;

    /// Reads 8-4-4-4-12 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, NotUuid> {
        let lengths = text.split('-').map(str::len);
        let is_hex = text.bytes().all(|octet| octet == b'-' || octet.is_ascii_hexdigit());
        if !is_hex || !lengths.eq([8, 4, 4, 4, 12]) {
            return Err(NotUuid);
        }
        u128::from_str_radix(&text.replace('-', ""), 16).map(Self).map_err(|_| NotUuid)
    }
}

/// Names an interface (abstract syntax) or a way to encode its stubs (transfer syntax).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SyntaxId {
    /// Which.
    pub uuid: Uuid,
    /// Incompatible versions differ in this …
    pub major: u16,
    /// … compatible ones in this.
    pub minor: u16,
}

impl SyntaxId {
    /// No syntax: what a rejected presentation context carries.
    pub const NONE: Self = Self::new(Uuid::NIL, 0, 0);
    /// NDR, version 2.0 ([MS-RPCE] 2.2.4.12).
    pub const NDR: Self = Self::new(Uuid(0x8a88_5d04_1ceb_11c9_9fe8_0800_2b10_4860), 2, 0);
    /// NDR64, version 1.0 ([MS-RPCE] 2.2.5.1).
    pub const NDR64: Self = Self::new(Uuid(0x7171_0533_beba_4937_8319_b5db_ef9c_cc36), 1, 0);

    /// The front of the pseudo syntax that asks for features at bind time ([MS-RPCE] 3.3.1.5.3); the bits come after it.
    const FEATURES: u128 = 0x6cb7_1c2c_9812_4540 << 64;

    /// A syntax of this UUID and version.
    pub const fn new(uuid: Uuid, major: u16, minor: u16) -> Self {
        Self { uuid, major, minor }
    }

    /// With the version as it is on the wire: the major one in the low half.
    pub const fn from_wire(uuid: Uuid, version: u32) -> Self {
        let [a, b, c, d] = version.to_le_bytes();
        Self::new(uuid, u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
    }

    /// The version as it is on the wire.
    pub const fn version_to_wire(&self) -> u32 {
        let ([a, b], [c, d]) = (self.major.to_le_bytes(), self.minor.to_le_bytes());
        u32::from_le_bytes([a, b, c, d])
    }

    /// The pseudo syntax that asks for these features.
    pub const fn asking_for(features: u8) -> Self {
        Self::new(Uuid(Self::FEATURES | (features as u128) << 56), 1, 0)
    }

    /// The features asked for, if it is the pseudo syntax for that.
    pub fn features(&self) -> Option<u8> {
        let [.., bits, _, _, _, _, _, _, _] = self.uuid.as_u128().to_be_bytes();
        let is_asking = self.uuid.as_u128() >> 64 == Self::FEATURES >> 64;
        (is_asking && (self.major, self.minor) == (1, 0)).then_some(bits)
    }
}

impl fmt::Display for SyntaxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} v{}.{}", self.uuid, self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_on_the_wire() {
        let uuid: Uuid = "00112233-4455-6677-8899-aabbccddeeff".parse().unwrap();
        let little = [
            0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE,
            0xFF,
        ];
        assert_eq!(uuid.to_wire(), little);
        assert_eq!(Uuid::from_wire(little, ByteOrder::Little), uuid);
        assert_eq!(Uuid::from_wire(uuid.as_u128().to_be_bytes(), ByteOrder::Big), uuid);
        assert_eq!(uuid.to_string(), "00112233-4455-6677-8899-aabbccddeeff");
    }

    #[test]
    fn what_is_no_uuid() {
        for text in ["", "-", "0011223344556677-8899-aabb-ccdd-eeff", "00112233-4455-6677-8899"] {
            assert_eq!(text.parse::<Uuid>(), Err(NotUuid));
        }
        assert_eq!("+0112233-4455-6677-8899-aabbccddeeff".parse::<Uuid>(), Err(NotUuid));
    }

    #[test]
    fn features_at_bind_time() {
        let asking: Uuid = "6cb71c2c-9812-4540-0300-000000000000".parse().unwrap();
        assert_eq!(SyntaxId::asking_for(3), SyntaxId::new(asking, 1, 0));
        assert_eq!(SyntaxId::asking_for(3).features(), Some(3));
        assert_eq!(SyntaxId::new(asking, 2, 0).features(), None);
        assert_eq!(SyntaxId::NDR.features(), None);
    }

    #[test]
    fn a_version_on_the_wire_has_its_major_part_first() {
        let syntax = SyntaxId::new(Uuid::NIL, 3, 1);
        assert_eq!(syntax.version_to_wire(), 0x0001_0003);
        assert_eq!(SyntaxId::from_wire(Uuid::NIL, 0x0001_0003), syntax);
    }
}
