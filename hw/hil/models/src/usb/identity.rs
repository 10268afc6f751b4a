//! The answer to GET_DEVICE_ID, true or not.

/// What a printer answers when it is asked for its IEEE 1284 device id. Printers get nearly all of it wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdAnswer {
    /// These bytes, the two of the length included.
    Bytes(Vec<u8>),
    /// It has none, and says so by STALL.
    Stall,
    /// It never answers.
    Silence,
}

impl IdAnswer {
    /// The id as it should be: its length, big-endian, counting itself, then the text.
    pub fn honest(text: &str) -> Self {
        Self::claiming(text, text.len().saturating_add(2))
    }

    /// The text, under a length that may be wrong.
    pub fn claiming(text: &str, length: usize) -> Self {
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        Self::Bytes([&length.to_be_bytes(), text.as_bytes()].concat())
    }

    /// The right length, the wrong way round.
    pub fn little_endian(text: &str) -> Self {
        let length = u16::try_from(text.len().saturating_add(2)).unwrap_or(u16::MAX);
        Self::Bytes([&length.to_le_bytes(), text.as_bytes()].concat())
    }

    /// The right length, but the text breaks off after so many bytes.
    pub fn truncated(text: &str, at: usize) -> Self {
        let Self::Bytes(mut bytes) = Self::honest(text) else { return Self::Stall };
        bytes.truncate(at.saturating_add(2));
        Self::Bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        assert_eq!(IdAnswer::honest("MFG:A;"), IdAnswer::Bytes(b"\0\x08MFG:A;".to_vec()));
        assert_eq!(IdAnswer::little_endian("MFG:A;"), IdAnswer::Bytes(b"\x08\0MFG:A;".to_vec()));
        assert_eq!(IdAnswer::truncated("MFG:A;", 3), IdAnswer::Bytes(b"\0\x08MFG".to_vec()));
        let IdAnswer::Bytes(bytes) = IdAnswer::claiming("A", 70_000) else { panic!() };
        assert_eq!(bytes, [0xFF, 0xFF, b'A']);
    }
}
