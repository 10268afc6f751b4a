//! The part of DER that SPNEGO needs: tag, length, content. Reads by tag, never beyond what it was given.

use crate::rpc::auth::Refusal;

/// `[APPLICATION 0]`, which GSS-API begins its first token with.
pub const APPLICATION_0: u8 = 0x60;
/// `SEQUENCE`
pub const SEQUENCE: u8 = 0x30;
/// `OBJECT IDENTIFIER`
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// `OCTET STRING`
pub const OCTET_STRING: u8 = 0x04;
/// `ENUMERATED`
pub const ENUMERATED: u8 = 0x0A;
/// `GeneralString`
pub const GENERAL_STRING: u8 = 0x1B;

/// `[n]`, explicit.
pub const fn context(n: u8) -> u8 {
    0xA0 | n
}

/// Reads elements, one after the other.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Its tag.
    pub tag: u8,
    /// What is in it.
    pub content: &'a [u8],
    /// All of it, tag and length too.
    pub whole: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from these octets.
    pub fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// The next element; none at the end.
    pub fn element(&mut self) -> Result<Option<Element<'a>>, Refusal> {
        let all = self.rest;
        let Some((tag, behind)) = all.split_first() else { return Ok(None) };
        if tag & 0x1F == 0x1F {
            return Err(Refusal::Malformed("a DER tag of several octets"));
        }
        let cut = Refusal::Malformed("DER cut short");
        let (length, behind) = length(behind)?;
        let (content, rest) = behind.split_at_checked(length).ok_or(cut.clone())?;
        let whole = all.len().checked_sub(rest.len()).and_then(|length| all.get(..length));
        self.rest = rest;
        Ok(Some(Element { tag: *tag, content, whole: whole.ok_or(cut)? }))
    }

    /// The next element, which must have this tag.
    pub fn expect(&mut self, tag: u8) -> Result<Element<'a>, Refusal> {
        let element = self.element()?.filter(|element| element.tag == tag);
        element.ok_or(Refusal::Malformed("another DER element was due"))
    }

    /// An error where anything is left.
    pub fn finish(self) -> Result<(), Refusal> {
        if self.rest.is_empty() { Ok(()) } else { Err(Refusal::Malformed("octets behind DER")) }
    }
}

/// The one element that these octets are.
pub fn only(octets: &[u8], tag: u8) -> Result<&[u8], Refusal> {
    let mut reader = Reader::new(octets);
    let element = reader.expect(tag)?;
    reader.finish()?;
    Ok(element.content)
}

/// A length of up to four octets. An indefinite one is no DER.
fn length(octets: &[u8]) -> Result<(usize, &[u8]), Refusal> {
    let bad = Refusal::Malformed("a DER length");
    let (first, rest) = octets.split_first().ok_or(bad.clone())?;
    if *first < 0x80 {
        return Ok((usize::from(*first), rest));
    }
    let count = usize::from(first & 0x7F);
    let (octets, rest) = rest.split_at_checked(count).ok_or(bad.clone())?;
    if octets.is_empty() || octets.len() > 4 {
        return Err(bad);
    }
    let length = octets.iter().fold(0_u32, |sum, octet| (sum << 8) | u32::from(*octet));
    Ok((usize::try_from(length).map_err(|_| bad)?, rest))
}

/// Writes an element of these parts.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let octets = content.len().to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let length = octets.get(zeros..).unwrap_or_default();
    match (length, u8::try_from(content.len())) {
        (_, Ok(short)) if short < 0x80 => [&[tag, short], content.as_slice()].concat(),
        (length, _) => {
            let count = u8::try_from(length.len()).unwrap_or_default();
            [&[tag, 0x80 | count], length, &content].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_of_every_form() {
        for (octets, length) in [
            (&[0x04, 0x00][..], 0),
            (&[0x04, 0x7F], 0x7F),
            (&[0x04, 0x81, 0x80], 0x80),
            (&[0x04, 0x82, 0x01, 0x00], 0x100),
            (&[0x04, 0x83, 0x01, 0x00, 0x00], 0x1_0000),
        ] {
            let content = vec![7; length];
            let written = element(OCTET_STRING, &[&content]);
            assert_eq!(written, [octets, &content].concat());
            assert_eq!(only(&written, OCTET_STRING), Ok(content.as_slice()));
        }
        // Longer than needed: BER, which some write.
        assert_eq!(only(&[4, 0x84, 0, 0, 0, 1, 9], OCTET_STRING), Ok([9].as_slice()));
    }

    #[test]
    fn what_is_no_der() {
        for octets in [
            &[0x04][..],
            &[0x04, 1],
            &[0x04, 0x80, 0, 0],
            &[0x04, 0x85, 0, 0, 0, 0, 1, 9],
            &[0x04, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
            &[0x1F, 0x81, 1, 0],
            &[0x04, 1, 9, 9],
            &[0x05, 0],
        ] {
            assert!(only(octets, OCTET_STRING).is_err(), "{octets:02x?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_reads_back(tag in 0..0x1F_u8, content: Vec<u8>) {
            let written = element(tag, &[&content]);
            prop_assert_eq!(only(&written, tag), Ok(content.as_slice()));
        }
    }
}
