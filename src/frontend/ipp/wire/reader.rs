//! Reads octets in order, and cannot read past what it was given.
//!
//! A length within the input becomes a smaller reader ([`Reader::sub`]), so nothing inside it can reach outside.
//! `None` always means: there are not that many octets left.

/// What is left to read, and where in the message that is.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Reads `octets`, the first of which is the message's octet number `offset`.
    pub(super) fn new(octets: &'a [u8], offset: usize) -> Self {
        Self { rest: octets, offset }
    }

    /// The number in the message of the octet read next.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// True when all is read.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `length` octets.
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        self.offset = self.offset.saturating_add(length);
        Some(taken)
    }

    /// A reader of the next `length` octets alone.
    pub(super) fn sub(&mut self, length: usize) -> Option<Self> {
        let offset = self.offset;
        self.take(length).map(|octets| Self::new(octets, offset))
    }

    /// All that is left.
    pub(super) fn remainder(self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    /// The next `N` octets.
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}
