//! What a print processor plays: the document as its datatype says, as often as its copies say. No I/O, no clock.
//!
//! All offsets are in *bytes as played*: what goes to the device, datatype and copies included, from 0. The same job
//! always plays the same bytes, so that a job that was cut off can go on at any offset.
//!
//! | datatype | played |
//! | --- | --- |
//! | `RAW` | the document, not one byte changed |
//! | `RAW [FF appended]` | the document, then a form feed |
//! | `RAW [FF auto]` | the document, then a form feed unless it ends with one |
//! | `TEXT` | each line end made CR LF, then a form feed unless it ends with one |

use bytes::Bytes;

use super::text::Text;
use crate::config::Datatype;
use crate::piece::Piece;

const FORM_FEED: u8 = 0x0c;

/// Where the bytes come from.
pub trait Source {
    /// An error of reading.
    type Error;

    /// How far the document reaches, and whether that is its end.
    fn reach(&self) -> Reach;

    /// A range for lending; empty only where there is nothing.
    fn lend(&self, from: u64, limit_bytes: usize) -> Result<Option<Piece>, Self::Error>;

    /// Copies a range.
    fn copy(&self, from: u64, buf: &mut [u8]) -> Result<usize, Self::Error>;
}

/// How far a document reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Up to here, and more may come.
    Open(u64),
    /// Up to here.
    Whole(u64),
    /// It will never be whole.
    Broken,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// This piece.
    Piece(Piece),
    /// Nothing until the document reaches beyond this offset (of the document).
    Wait(u64),
    /// Nothing: everything was played.
    End,
    /// Nothing: the document was given up by its sender.
    Broken,
}

/// One job being played.
#[derive(Debug)]
pub struct Playback {
    datatype: Datatype,
    copies: u16,
    /// Copies that have been played.
    copy: u16,
    /// Offset in the document of what comes next.
    at: u64,
    /// The document of this copy is over; what is left is what the datatype adds.
    tail: bool,
    text: Text,
    /// Bytes as played that still have to be passed over, to get to where the job was cut off.
    skip: u64,
    piece_bytes: usize,
}

impl Playback {
    /// Plays from `from` (in bytes as played) on, in pieces of at most `piece_bytes`.
    pub fn new(datatype: Datatype, copies: u16, from: u64, piece_bytes: usize) -> Self {
        Self {
            datatype,
            copies: copies.max(1),
            copy: 0,
            at: 0,
            tail: false,
            text: Text::default(),
            skip: from,
            piece_bytes,
        }
    }

    /// The next piece.
    pub fn next<S: Source>(&mut self, source: &S) -> Result<Next, S::Error> {
        loop {
            if self.copy >= self.copies {
                return Ok(Next::End);
            }
            let next = if self.tail { self.tail(source)? } else { self.body(source)? };
            match next {
                Some(Next::Piece(piece)) => {
                    if let Some(piece) = self.pass_over(piece) {
                        return Ok(Next::Piece(piece));
                    }
                }
                Some(next) => return Ok(next),
                None => {}
            }
        }
    }

    /// The document itself; `None` where a copy of it is over.
    fn body<S: Source>(&mut self, source: &S) -> Result<Option<Next>, S::Error> {
        let (end, whole) = match source.reach() {
            Reach::Broken => return Ok(Some(Next::Broken)),
            Reach::Open(end) => (end, false),
            Reach::Whole(end) => (end, true),
        };
        if self.datatype != Datatype::Text {
            self.jump(end, whole);
        }
        if self.at >= end {
            if !whole {
                return Ok(Some(Next::Wait(self.at)));
            }
            self.tail = true;
            return Ok(None);
        }
        let piece = match self.datatype {
            Datatype::Text => self.converted(source)?,
            Datatype::Raw | Datatype::RawFfAppended | Datatype::RawFfAuto => {
                source.lend(self.at, self.piece_bytes)?
            }
        };
        let Some(piece) = piece else { return Ok(Some(Next::Broken)) };
        if self.datatype != Datatype::Text {
            self.at = self.at.saturating_add(length(&piece));
        }
        Ok(Some(Next::Piece(piece)))
    }

    /// Passes over what need not even be read.
    fn jump(&mut self, end: u64, whole: bool) {
        let there = end.saturating_sub(self.at);
        let over = self.skip.min(there);
        self.at = self.at.saturating_add(over);
        self.skip = self.skip.saturating_sub(over);
        if whole && self.skip > 0 && self.datatype == Datatype::Raw && end > 0 {
            // Whole copies.
            let copies = self.skip.checked_div(end).unwrap_or(0);
            let over = u16::try_from(copies)
                .unwrap_or(u16::MAX)
                .min(self.copies.saturating_sub(self.copy).saturating_sub(1));
            self.copy = self.copy.saturating_add(over);
            self.skip = self.skip.saturating_sub(u64::from(over).saturating_mul(end));
        }
    }

    fn converted<S: Source>(&mut self, source: &S) -> Result<Option<Piece>, S::Error> {
        let mut buf = vec![0; self.piece_bytes.min(TEXT_BYTES)];
        let got = source.copy(self.at, &mut buf)?;
        buf.truncate(got);
        if buf.is_empty() {
            return Ok(None);
        }
        self.at = self.at.saturating_add(u64::try_from(got).unwrap_or(u64::MAX));
        Ok(Some(Piece::inline(self.text.convert(&buf))))
    }

    /// What the datatype adds behind a copy.
    fn tail<S: Source>(&mut self, source: &S) -> Result<Option<Next>, S::Error> {
        self.tail = false;
        self.text = Text::default();
        let feed = match self.datatype {
            Datatype::Raw => false,
            Datatype::RawFfAppended => true,
            Datatype::RawFfAuto | Datatype::Text => !self.ends_with_feed(source)?,
        };
        self.copy = self.copy.saturating_add(1);
        self.at = 0;
        Ok(feed.then(|| Next::Piece(Piece::inline(&[FORM_FEED][..]))))
    }

    fn ends_with_feed<S: Source>(&self, source: &S) -> Result<bool, S::Error> {
        let mut last = [0];
        let Some(at) = self.at.checked_sub(1) else { return Ok(false) };
        Ok(source.copy(at, &mut last)? == 1 && last == [FORM_FEED])
    }

    /// Cuts what was played before off the front of a piece.
    fn pass_over(&mut self, piece: Piece) -> Option<Piece> {
        let length = length(&piece);
        if self.skip >= length {
            self.skip = self.skip.saturating_sub(length);
            return None;
        }
        let skip = usize::try_from(std::mem::take(&mut self.skip)).unwrap_or(usize::MAX);
        if skip == 0 {
            return Some(piece);
        }
        // Only pieces in memory are cut: a range of the document begins where it has to.
        let rest = piece.lend(skip);
        Some(Piece::inline(Bytes::copy_from_slice(rest.bytes)))
    }
}

/// How long a job is as played; `None` where the document is not whole or cannot be read.
pub fn total_as_played<S: Source>(source: &S, datatype: Datatype, copies: u16) -> Option<u64> {
    let Reach::Whole(bytes) = source.reach() else { return None };
    let copies = u64::from(copies.max(1));
    if datatype == Datatype::Raw {
        return bytes.checked_mul(copies);
    }
    // One copy, played without being written anywhere: text has to be read through, the others only at their ends.
    let from = if datatype == Datatype::Text { 0 } else { bytes.saturating_sub(1) };
    let mut playback = Playback::new(datatype, 1, from, TEXT_BYTES);
    let mut total = from;
    loop {
        match playback.next(source).ok()? {
            Next::Piece(piece) => total = total.checked_add(length(&piece))?,
            Next::End => return total.checked_mul(copies),
            Next::Wait(_) | Next::Broken => return None,
        }
    }
}

/// Text is converted in portions of this size.
const TEXT_BYTES: usize = 64 * 1024;

fn length(piece: &Piece) -> u64 {
    u64::try_from(piece.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
