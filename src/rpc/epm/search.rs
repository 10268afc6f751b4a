//! A search in the endpoint map, and how far it is.
//!
//! Invariant: an entry is told once in a search.

use std::sync::{Arc, Mutex};

use super::Entry;
use crate::rpc::interface::Context;
use crate::rpc::ndr::Reader;
use crate::rpc::status::Status;
use crate::rpc::uuid::SyntaxId;

/// What is looked for. Our entries have no objects, so an object is not looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Query {
    interface: Option<SyntaxId>,
    version: Version,
}

/// Which versions will do ([MS-RPCE] 2.2.1.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    All,
    Compatible,
    Exact,
    Major,
    UpTo,
}

impl Query {
    /// An interface that somebody who asks for this one can use.
    pub(super) fn compatible(interface: SyntaxId) -> Self {
        Self { interface: Some(interface), version: Version::Compatible }
    }

    /// Reads the first parameters of `ept_lookup`.
    pub(super) fn read(parameters: &mut Reader<'_>) -> Result<Self, Status> {
        const BY_INTERFACE: u32 = 1;
        const BY_BOTH: u32 = 3;
        let inquiry = parameters.u32()?;
        if parameters.full_pointer()? {
            parameters.uuid()?;
        }
        let mut interface = None;
        if parameters.full_pointer()? {
            let uuid = parameters.uuid()?;
            interface = Some(SyntaxId::new(uuid, parameters.u16()?, parameters.u16()?));
        }
        let version = match parameters.u32()? {
            2 => Version::Compatible,
            3 => Version::Exact,
            4 => Version::Major,
            5 => Version::UpTo,
            _ => Version::All,
        };
        match inquiry {
            BY_INTERFACE | BY_BOTH => Ok(Self { interface, version }),
            _ => Ok(Self { interface: None, version }),
        }
    }

    fn fits(&self, entry: &Entry) -> bool {
        let Some(asked) = self.interface else { return true };
        let ours = entry.interface;
        let version = (ours.major, ours.minor);
        ours.uuid == asked.uuid
            && match self.version {
                Version::All => true,
                Version::Compatible => ours.major == asked.major && ours.minor >= asked.minor,
                Version::Exact => version == (asked.major, asked.minor),
                Version::Major => ours.major == asked.major,
                Version::UpTo => version <= (asked.major, asked.minor),
            }
    }
}

/// A search that has got so far.
pub(super) struct Search {
    query: Query,
    at: usize,
}

impl Search {
    pub(super) fn new(query: Query) -> Self {
        Self { query, at: 0 }
    }

    /// How many entries it would still find.
    pub(super) fn left(&self, entries: &Arc<[Entry]>) -> usize {
        entries.iter().skip(self.at).filter(|entry| self.query.fits(entry)).count()
    }

    /// The next entries.
    pub(super) fn take(&mut self, entries: &Arc<[Entry]>, max: usize) -> Vec<Entry> {
        let mut found = Vec::new();
        let rest = entries.iter().enumerate().skip(self.at);
        for (at, entry) in rest.filter(|(_, entry)| self.query.fits(entry)).take(max) {
            found.push(entry.clone());
            self.at = at.saturating_add(1);
        }
        found
    }
}

impl Context for Mutex<Search> {
    fn run_down(self: Arc<Self>) {}
}
