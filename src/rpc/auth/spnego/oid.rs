//! Object identifiers of mechanisms, as the octets of their DER.

use std::borrow::Cow;

/// An object identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Oid(pub Cow<'static, [u8]>);

/// 1.3.6.1.5.5.2
pub const SPNEGO: Oid = known(&[0x2B, 6, 1, 5, 5, 2]);
/// 1.3.6.1.4.1.311.2.2.10
pub const NTLM: Oid = known(&[0x2B, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10]);
/// 1.2.840.113554.1.2.2
pub const KERBEROS: Oid = known(&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 1, 2, 2]);
/// 1.2.840.48018.1.2.2: the same, as Windows 2000 wrote it, and all since.
pub const MS_KERBEROS: Oid = known(&[0x2A, 0x86, 0x48, 0x82, 0xF7, 0x12, 1, 2, 2]);
/// 1.3.6.1.4.1.311.2.2.30
pub const NEGOEX: Oid = known(&[0x2B, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 30]);

const fn known(octets: &'static [u8]) -> Oid {
    Oid(Cow::Borrowed(octets))
}
