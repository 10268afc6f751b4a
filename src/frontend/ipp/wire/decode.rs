//! Decoding, piece by piece as an HTTP body arrives.
//!
//! ```text
//!             feed ─► NeedMore ─┐
//!   ready ───► │ ◄──────────────┘         Done: ready for the next message
//!              ├─► Done { message, consumed, duplicates }
//!              └─► DecodeError            failed: every further feed says the same
//! ```
//!
//! The document follows the message at once (RFC 8010 §3.1.1): `consumed` says where it begins in the last piece, and
//! the decoder never touches it.

use super::assembly::{Assembly, Field};
use super::fault::{DecodeError, Duplicate, Fault};
use super::framer::Framer;
use super::limits::Limits;
use super::message::{Header, Message};
use super::reader::Reader;
use super::tag;

/// How far a message is decoded.
#[derive(Debug)]
pub enum Progress {
    /// All octets were taken, and the message goes on.
    NeedMore,
    /// The message is whole.
    Done(Decoded),
}

/// A message, and what its octets said beyond it.
#[derive(Debug)]
pub struct Decoded {
    /// The message.
    pub message: Message,
    /// How many octets of the last piece belong to it. What follows is the document.
    pub consumed: usize,
    /// The attributes that were there twice and of which the first was kept. The server may answer `bad-request`.
    pub duplicates: Vec<Duplicate>,
}

/// Decodes a message from pieces of any length.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    framer: Framer,
    header: Option<Header>,
    assembly: Assembly,
    failed: Option<DecodeError>,
}

impl Decoder {
    /// Ready for a message within `limits`.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            framer: Framer::new(),
            header: None,
            assembly: Assembly::default(),
            failed: None,
        }
    }

    /// Decodes the next piece. After [`Progress::Done`], what is fed begins a new message.
    ///
    /// # Errors
    /// [`DecodeError`], now and ever after, where the message is malformed or exceeds the limits.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Progress, DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let mut rest = piece;
        match self.run(&mut rest) {
            Ok(None) => Ok(Progress::NeedMore),
            Ok(Some(header)) => {
                let consumed = piece.len().saturating_sub(rest.len());
                Ok(Progress::Done(self.finish(header, consumed)))
            }
            Err((fault, offset)) => {
                let error = self.error(fault, offset);
                self.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    /// What is wrong when no more octets come: the message is cut short, or failed before.
    pub fn truncated(&self) -> DecodeError {
        let failed = self.failed.clone();
        failed.unwrap_or_else(|| self.error(Fault::Truncated, self.framer.end()))
    }

    /// Version, operation and request-id, as soon as they are here.
    pub fn header(&self) -> Option<Header> {
        self.header
    }

    /// Takes elements until `rest` is used up, or the message is whole: then its header is returned.
    fn run(&mut self, rest: &mut &[u8]) -> Result<Option<Header>, (Fault, usize)> {
        while self.framer.fill(rest, &self.limits)? {
            let at = self.framer.offset();
            let whole = self.element().map_err(|fault| fault.at(at))?;
            self.framer.advance();
            if whole {
                return Ok(self.header);
            }
        }
        Ok(None)
    }

    /// Takes one element. True for the last.
    fn element(&mut self) -> Result<bool, Fault> {
        let reader = self.framer.reader();
        if self.header.is_none() {
            self.header = Some(header(reader).ok_or(Fault::Truncated)?);
            return Ok(false);
        }
        let field = field(reader).ok_or(Fault::Truncated)?;
        if field.tag < tag::FIRST_VALUE {
            return self.assembly.delimiter(field.tag, &self.limits);
        }
        self.assembly.field(field, &self.limits)?;
        Ok(false)
    }

    fn finish(&mut self, header: Header, consumed: usize) -> Decoded {
        let done = std::mem::replace(self, Self::new(self.limits)).assembly;
        let Header { version, code, request_id } = header;
        let message = Message { version, code, request_id, groups: done.groups };
        Decoded { message, consumed, duplicates: done.duplicates }
    }

    fn error(&self, fault: Fault, offset: usize) -> DecodeError {
        let attribute = self.assembly.current().map(Into::into);
        DecodeError { fault, offset, attribute, header: self.header }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

/// Decodes a message that is here whole, with or without a document behind it.
///
/// # Errors
/// [`DecodeError`] where it is malformed, exceeds the limits, or is not here whole.
pub fn decode(octets: &[u8], limits: Limits) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder::new(limits);
    match decoder.feed(octets)? {
        Progress::Done(decoded) => Ok(decoded),
        Progress::NeedMore => Err(decoder.truncated()),
    }
}

fn header(mut reader: Reader<'_>) -> Option<Header> {
    let version = (reader.u8()?, reader.u8()?);
    Some(Header { version, code: reader.u16()?, request_id: reader.i32()? })
}

/// A delimiter tag alone, or a whole field.
fn field<'a>(mut reader: Reader<'a>) -> Option<Field<'a>> {
    let tag = reader.u8()?;
    if tag < tag::FIRST_VALUE {
        return Some(Field { tag, name: &[], value: &[] });
    }
    let mut part = || {
        let length = reader.u16()?;
        reader.sub(length.into()).map(Reader::remainder)
    };
    Some(Field { tag, name: part()?, value: part()? })
}
