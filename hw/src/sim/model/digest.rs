//! What a printer got, as one number: SHA-256, CRC-32C, or nothing.
//!
//! SHA-256 is the promise of the control socket. It runs at 1 GB/s and more where the processor helps and at a fifth
//! of that where it does not; CRC-32C (RFC 3720 appendix B.4, eight bytes a step by table) is the cheap check for
//! long tests.

use sha2::{Digest as _, Sha256};

/// How the bytes of jobs are summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-256.
    #[default]
    Sha256,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// Not at all.
    Off,
}

/// A digest, finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// SHA-256.
    Sha256([u8; 32]),
    /// CRC-32C.
    Crc32c(u32),
    /// None was asked for.
    Off,
}

impl Sum {
    /// Lower-case hexadecimal; empty where there is none.
    pub fn hex(&self) -> String {
        match self {
            Self::Sha256(sum) => sum.iter().map(|byte| format!("{byte:02x}")).collect(),
            Self::Crc32c(sum) => format!("{sum:08x}"),
            Self::Off => String::new(),
        }
    }
}

/// A digest under way. Cloning it and finishing the clone gives the sum so far.
#[derive(Clone, Debug)]
pub(super) enum Digest {
    Sha256(Box<Sha256>),
    Crc32c(u32),
    Off,
}

impl Digest {
    pub(super) fn new(checksum: Checksum) -> Self {
        match checksum {
            Checksum::Sha256 => Self::Sha256(Box::default()),
            Checksum::Crc32c => Self::Crc32c(0),
            Checksum::Off => Self::Off,
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(sum) => sum.update(bytes),
            Self::Crc32c(sum) => *sum = crc32c(*sum, bytes),
            Self::Off => {}
        }
    }

    pub(super) fn finish(self) -> Sum {
        match self {
            Self::Sha256(sum) => Sum::Sha256(sum.finalize().into()),
            Self::Crc32c(sum) => Sum::Crc32c(sum),
            Self::Off => Sum::Off,
        }
    }
}

const POLYNOMIAL: u32 = 0x82F6_3B78;

static TABLES: [[u32; 256]; 8] = tables();

#[expect(clippy::indexing_slicing, reason = "computed by the compiler, which would say so")]
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0u32; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let (mut sum, mut bit) = (byte as u32, 0);
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        tables[0][byte] = sum;
        byte += 1;
    }
    let mut slot = 256;
    while slot < 8 * 256 {
        let before = tables[slot / 256 - 1][slot % 256];
        tables[slot / 256][slot % 256] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
        slot += 1;
    }
    tables
}

fn crc32c(sum: u32, bytes: &[u8]) -> u32 {
    let (blocks, rest) = bytes.as_chunks::<8>();
    let sum = blocks.iter().fold(!sum, |sum, block| {
        let mixed = u64::from_le_bytes(*block) ^ u64::from(sum);
        let tables = TABLES.iter().rev();
        mixed
            .to_le_bytes()
            .iter()
            .zip(tables)
            .fold(0, |sum, (byte, table)| sum ^ look(table, *byte))
    });
    let [table, ..] = &TABLES;
    let step = |sum: u32, byte: &u8| (sum >> 8) ^ look(table, sum.to_le_bytes()[0] ^ byte);
    !rest.iter().fold(sum, step)
}

/// A byte always lies inside the table; the compiler sees it and drops the check.
fn look(table: &[u32; 256], byte: u8) -> u32 {
    table.get(usize::from(byte)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn golden() {
        let sum = |checksum, text: &[u8]| {
            let mut digest = Digest::new(checksum);
            digest.update(text);
            digest.finish().hex()
        };
        assert_eq!(sum(Checksum::Crc32c, b"123456789"), "e3069283", "RFC 3720 B.4");
        assert_eq!(sum(Checksum::Crc32c, &[0; 32]), "8a9136aa", "RFC 3720 B.4");
        assert_eq!(
            sum(Checksum::Sha256, b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "FIPS 180-2 B.1"
        );
        assert_eq!(sum(Checksum::Off, b"abc"), "");
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
            for checksum in [Checksum::Sha256, Checksum::Crc32c] {
                let (mut whole, mut split) = (Digest::new(checksum), Digest::new(checksum));
                whole.update(&bytes);
                let (left, right) = bytes.split_at(cut.min(bytes.len()));
                split.update(left);
                split.update(right);
                prop_assert_eq!(whole.finish(), split.finish());
            }
        }
    }
}
