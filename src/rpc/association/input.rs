//! Cuts what comes from a connection into fragments.
//!
//! Invariant: no more is kept than one fragment that is not whole yet, and its header was plausible when it was read.

use crate::rpc::pdu::{HEADER_BYTES, Header};

/// A fragment that is not whole yet.
#[derive(Debug, Default)]
pub(in crate::rpc) struct Input {
    tail: Vec<u8>,
}

/// The first 16 octets are no header: what comes after them has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rpc) struct NoHeader;

/// What was cut off.
pub(in crate::rpc) enum Cut<'a> {
    /// A fragment that lies whole in what came.
    InPlace(&'a mut [u8]),
    /// A fragment of which a part was kept from before.
    Completed(Vec<u8>),
    /// Nothing whole: the rest was kept, more must come.
    Nothing,
}

impl Input {
    /// Whether a fragment has begun and is not whole.
    pub(in crate::rpc) fn is_within_fragment(&self) -> bool {
        !self.tail.is_empty()
    }

    /// Cuts the next fragment off the front of `octets`.
    pub(in crate::rpc) fn next<'a>(
        &mut self,
        octets: &mut &'a mut [u8],
    ) -> Result<Cut<'a>, NoHeader> {
        if self.tail.is_empty() {
            return self.next_in_place(octets);
        }
        self.fill(octets, HEADER_BYTES);
        let Some(length) = length(&self.tail)? else { return Ok(Cut::Nothing) };
        self.fill(octets, length);
        if self.tail.len() < length {
            return Ok(Cut::Nothing);
        }
        Ok(Cut::Completed(std::mem::take(&mut self.tail)))
    }

    fn next_in_place<'a>(&mut self, octets: &mut &'a mut [u8]) -> Result<Cut<'a>, NoHeader> {
        match length(octets)? {
            Some(length) if length <= octets.len() => {
                let (fragment, rest) = std::mem::take(octets).split_at_mut(length);
                *octets = rest;
                Ok(Cut::InPlace(fragment))
            }
            _ => {
                self.tail.extend_from_slice(octets);
                *octets = &mut [];
                Ok(Cut::Nothing)
            }
        }
    }

    /// Moves octets until the fragment has `length` of them.
    fn fill(&mut self, octets: &mut &mut [u8], length: usize) {
        let count = length.saturating_sub(self.tail.len()).min(octets.len());
        let (taken, rest) = std::mem::take(octets).split_at_mut(count);
        self.tail.extend_from_slice(taken);
        *octets = rest;
    }
}

fn length(start: &[u8]) -> Result<Option<usize>, NoHeader> {
    let is_ours = |start: &[u8]| start.first().is_none_or(|version| *version == 5);
    match Header::fragment_length(start) {
        _ if !is_ours(start) => Err(NoHeader),
        Some(length) if length < HEADER_BYTES => Err(NoHeader),
        length => Ok(length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fragments(stream: &[u8], pieces: &[usize]) -> (Vec<Vec<u8>>, bool) {
        let (mut input, mut found) = (Input::default(), Vec::new());
        let mut rest = stream;
        for size in pieces.iter().chain([&stream.len()]) {
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            rest = after;
            let mut piece = piece.to_vec();
            let mut octets = &mut piece[..];
            loop {
                match input.next(&mut octets) {
                    Ok(Cut::InPlace(fragment)) => found.push(fragment.to_vec()),
                    Ok(Cut::Completed(fragment)) => found.push(fragment),
                    Ok(Cut::Nothing) => break,
                    Err(NoHeader) => return (found, true),
                }
            }
        }
        (found, false)
    }

    fn fragment(length: u16) -> Vec<u8> {
        let mut fragment = vec![7; usize::from(length)];
        fragment[0] = 5;
        fragment[4] = 0x10;
        fragment[8..10].copy_from_slice(&length.to_le_bytes());
        fragment
    }

    proptest! {
        #[test]
        fn fragments_come_out_as_they_went_in(
            lengths in proptest::collection::vec(16u16..200, 0..8),
            pieces in proptest::collection::vec(0usize..60, 0..40),
        ) {
            let sent: Vec<Vec<u8>> = lengths.into_iter().map(fragment).collect();
            let (found, is_bad) = fragments(&sent.concat(), &pieces);
            prop_assert!(!is_bad);
            prop_assert_eq!(found, sent);
        }
    }

    #[test]
    fn what_is_no_header() {
        let (found, is_bad) =
            fragments(&[&fragment(20)[..], &fragment(16)[..8], &[15, 0]].concat(), &[]);
        assert_eq!((found.len(), is_bad), (1, false));
        let mut short = fragment(16);
        short[8] = 15;
        assert_eq!(fragments(&short, &[]), (vec![], true));
        assert_eq!(fragments(b"GET / HTTP/1.1\r\n", &[1, 1]), (vec![], true));
    }
}
