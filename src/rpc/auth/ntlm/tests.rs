//! The facts of [MS-NLMP] 4.2.1 and 4.2.4: user "User", domain "Domain", password "Password".

use super::*;

/// Octets of hexadecimal digits; spaces are for people.
pub(in crate::rpc::auth) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

pub(super) const SERVER_CHALLENGE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF];

/// 4.2.4.3
pub(super) const CHALLENGE: &str =
    "4e544c4d53535000 02000000 0c000c0038000000 33828ae2 0123456789abcdef
    0000000000000000 2400240044000000 060070170000000f 530065007200760065007200
    02000c00 44006f006d00610069006e00 01000c00 530065007200760065007200 00000000";

/// 4.2.4.3
pub(super) const AUTHENTICATE: &str = "4e544c4d53535000 03000000 180018006c000000 5400540084000000
    0c000c0048000000 0800080054000000 100010005c000000 10001000d8000000 358288e2 0501280a0000000f
    44006f006d00610069006e00 5500730065007200 43004f004d0050005500540045005200
    86c35097ac9cec102554764a57cccc19 aaaaaaaaaaaaaaaa
    68cd0ab851e51c96aabc927bebef6a1c 0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000
    02000c00 44006f006d00610069006e00 01000c00 530065007200760065007200 00000000 00000000
    c5dad2544fc9799094ce1ce90bc9d03e";

#[test]
fn time_as_windows_counts_it() {
    use std::time::Duration;
    assert_eq!(filetime(UNIX_EPOCH), 116_444_736_000_000_000);
    assert_eq!(filetime(UNIX_EPOCH + Duration::new(1, 100)), 116_444_736_010_000_001);
}
