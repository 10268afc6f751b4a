//! What the submitter said of a job, and what of it the journal can keep.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::limits::{EXTRA_PAIRS, TEXT_BYTES};

/// What the submitter said of a job. Every text is at most [`TEXT_BYTES`] long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The printer it is for. Changed by a move.
    pub printer: Arc<str>,
    /// The job's name, as people see it.
    pub title: Box<str>,
    /// The user who submitted it.
    pub user: Box<str>,
    /// Where it came from, for example `ipp://127.0.0.1`.
    pub host: Box<str>,
    /// MIME type of the document; `application/octet-stream` where nothing is known.
    pub format: Box<str>,
    /// The print processor's datatype, for example `RAW`.
    pub datatype: Box<str>,
    /// How often to play the document, at least 1.
    pub copies: u16,
    /// 1 (lowest) to 100; 50 where nobody said.
    pub priority: u8,
    /// Not to be played before a person or the clock releases it.
    pub hold: Hold,
    /// When it was submitted, in ms since 1970.
    pub submitted_ms: u64,
    /// More that a front end wants to give back to its client, at most [`EXTRA_PAIRS`] pairs.
    pub extra: Vec<(Box<str>, Box<str>)>,
}

impl Ticket {
    /// A ticket for one copy at middle priority, all texts empty but the printer.
    pub fn new(printer: impl Into<Arc<str>>) -> Self {
        Self {
            printer: printer.into(),
            title: "".into(),
            user: "".into(),
            host: "".into(),
            format: "application/octet-stream".into(),
            datatype: "RAW".into(),
            copies: 1,
            priority: 50,
            hold: Hold::No,
            submitted_ms: 0,
            extra: Vec::new(),
        }
    }

    /// Refuses what the journal could not keep.
    pub fn check(&self) -> Result<()> {
        let bad = |field, why| Err(Error::BadTicket { field, why });
        let texts = [
            ("printer", &*self.printer),
            ("title", &self.title),
            ("user", &self.user),
            ("host", &self.host),
            ("format", &self.format),
            ("datatype", &self.datatype),
        ];
        if let Some((field, _)) = texts.iter().find(|(_, text)| text.len() > TEXT_BYTES) {
            return bad(field, "is longer than 1023 bytes");
        }
        if self.printer.is_empty() {
            return bad("printer", "is missing");
        }
        if self.copies == 0 {
            return bad("copies", "is 0; it is at least 1");
        }
        if !(1..=100).contains(&self.priority) {
            return bad("priority", "is not from 1 to 100");
        }
        if self.extra.len() > EXTRA_PAIRS {
            return bad("extra", "has more than 32 pairs");
        }
        if self.extra.iter().any(|(name, value)| name.len().max(value.len()) > TEXT_BYTES) {
            return bad("extra", "has a text longer than 1023 bytes");
        }
        Ok(())
    }
}

/// Whether a job waits for a person or for the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Play it when its turn comes.
    No,
    /// Until a person releases it.
    Indefinite,
    /// Until this time, in ms since 1970.
    Until(u64),
}
