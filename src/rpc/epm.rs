//! The endpoint mapper: tells on which port an interface is served ([C706] appendix O, [MS-RPCE] 2.2.1.2).
//!
//! Open to everybody, and read-only: entries come from our own endpoints. A search that does not fit into one answer goes
//! on by a context handle.
//!
//! ```text
//!   a full answer    handle, status 0       ask again
//!   a short one      null handle, status 0  that was all (some clients take any other status for a failure)
//!   nothing (left)   null handle, 0x16C9A0D6
//! ```
//!
//! Invariant: what a search costs is its context handle, of which a client has a bounded number.

mod search;
#[cfg(test)]
mod tests;
mod tower;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

pub use tower::{BadTower, Tower};

use self::search::{Query, Search};
use super::interface::{Call, Handler, Interface};
use super::limits::{ANNOTATION_BYTES, MAPPER_ENTRIES, TOWER_BYTES};
use super::ndr::{ContextHandle, Reader, Syntax, Writer};
use super::status::Status;
use super::uuid::{SyntaxId, Uuid};

/// The interface's identifier.
pub const ID: SyntaxId =
    SyntaxId::new(Uuid::from_u128(0xe1af8308_5d1f_11c9_91a4_08002b14a0fa), 3, 0);

/// Operation numbers. Entries cannot be inserted or deleted from outside.
pub mod op {
    /// Lists entries.
    pub const LOOKUP: u16 = 2;
    /// Finds where an interface is served.
    pub const MAP: u16 = 3;
    /// Ends a search.
    pub const LOOKUP_HANDLE_FREE: u16 = 4;
    /// How many there are.
    pub const COUNT: u16 = 7;
}

/// `ept_s_not_registered`: nothing found, or nothing more.
pub const NOT_REGISTERED: u32 = 0x16C9_A0D6;

/// An interface and where it is served.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The interface.
    pub interface: SyntaxId,
    /// What is told of it.
    pub annotation: &'static str,
    /// The TCP port.
    pub port: u16,
}

struct Mapper {
    entries: Arc<[Entry]>,
}

/// The endpoint mapper's interface, with these entries.
pub fn interface(entries: Vec<Entry>) -> Interface {
    let handler = Arc::new(Mapper { entries: entries.into() });
    Interface { is_mapped: false, ..Interface::new(ID, "epmapper", op::COUNT, handler) }
}

impl Handler for Mapper {
    fn call(&self, call: Call) {
        match call.opnum {
            op::LOOKUP => call.answer(|call| self.lookup(call)),
            op::MAP => call.answer(|call| self.map(call)),
            op::LOOKUP_HANDLE_FREE => call.answer(free),
            _ => call.reply.reject(Status::OP_RANGE_ERROR),
        }
    }
}

impl Mapper {
    fn lookup(&self, call: &Call) -> Result<Vec<u8>, Status> {
        let mut parameters = call.reader();
        let query = Query::read(&mut parameters)?;
        let handle = parameters.context_handle()?;
        let max = count(&mut parameters)?;
        let (found, handle) = self.go_on(call, &handle, query, max, max)?;
        let mut results = call.writer();
        results.context_handle(&handle).u32(u32::try_from(found.len()).unwrap_or(0));
        results.count(max).count(0).count(found.len());
        for entry in &found {
            results.align(call.syntax.word()).uuid(Uuid::NIL).pointer(true);
            write_annotation(&mut results, entry.annotation);
        }
        for entry in &found {
            write_tower(&mut results, &tower(entry, SyntaxId::NDR, call));
        }
        results.u32(if found.is_empty() { NOT_REGISTERED } else { 0 });
        Ok(results.finish())
    }

    fn map(&self, call: &Call) -> Result<Vec<u8>, Status> {
        let mut parameters = call.reader();
        if parameters.full_pointer()? {
            parameters.uuid()?;
        }
        let asked =
            if parameters.full_pointer()? { Some(read_tower(&mut parameters)?) } else { None };
        let handle = parameters.context_handle()?;
        let max = count(&mut parameters)?;
        let asked = match asked {
            Some(Ok(tower)) => tower,
            Some(Err(BadTower)) => return Ok(nothing(call, max, Status::CANNOT_PERFORM.0)),
            None => return Ok(nothing(call, max, NOT_REGISTERED)),
        };
        if asked.tcp.is_none() || Syntax::of(&asked.transfer).is_none() {
            return Ok(nothing(call, max, NOT_REGISTERED));
        }
        // A full answer that was all needs no second question.
        let query = Query::compatible(asked.interface);
        let (found, handle) = self.go_on(call, &handle, query, max, max.saturating_add(1))?;
        let mut results = call.writer();
        results.context_handle(&handle).u32(u32::try_from(found.len()).unwrap_or(0));
        results.count(max).count(0).count(found.len());
        for _ in &found {
            results.pointer(true);
        }
        for entry in &found {
            write_tower(&mut results, &tower(entry, asked.transfer, call));
        }
        results.u32(if found.is_empty() { NOT_REGISTERED } else { 0 });
        Ok(results.finish())
    }

    /// The next entries of a search, at most `max`, and the handle to go on with: null where there are less than
    /// `enough` left.
    fn go_on(
        &self,
        call: &Call,
        handle: &ContextHandle,
        query: Query,
        max: usize,
        enough: usize,
    ) -> Result<(Vec<Entry>, ContextHandle), Status> {
        let search = if handle.is_null() {
            Arc::new(Mutex::new(Search::new(query)))
        } else {
            call.handles.lookup::<Mutex<Search>>(handle)?
        };
        // Nothing panics while it is held: a poisoned search is whole.
        let mut state = search.lock().unwrap_or_else(PoisonError::into_inner);
        // Who asks for none gets none, and nothing to go on with.
        let is_last = max == 0 || state.left(&self.entries) < enough;
        let found = state.take(&self.entries, max);
        drop(state);
        let handle = match (is_last, handle.is_null()) {
            (true, true) => ContextHandle::NULL,
            (true, false) => {
                call.handles.destroy::<Mutex<Search>>(handle)?;
                ContextHandle::NULL
            }
            (false, true) => call.handles.create(search)?,
            (false, false) => *handle,
        };
        Ok((found, handle))
    }
}

fn free(call: &Call) -> Result<Vec<u8>, Status> {
    let handle = call.reader().context_handle()?;
    if !handle.is_null() {
        call.handles.destroy::<Mutex<Search>>(&handle)?;
    }
    let mut results = call.writer();
    results.context_handle(&ContextHandle::NULL).u32(0);
    Ok(results.finish())
}

/// The answer of `ept_map` that finds nothing.
fn nothing(call: &Call, max: usize, status: u32) -> Vec<u8> {
    let mut results = call.writer();
    results.context_handle(&ContextHandle::NULL).u32(0).count(max).count(0).count(0).u32(status);
    results.finish()
}

/// `max_ents`, `max_towers`.
fn count(parameters: &mut Reader<'_>) -> Result<usize, Status> {
    let count = parameters.u32()?;
    if count > MAPPER_ENTRIES {
        return Err(parameters.bad("at most 500 entries can be asked for").into());
    }
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Where an entry is, for this client: at the address that it has found us by.
fn tower(entry: &Entry, transfer: SyntaxId, call: &Call) -> Tower {
    let address = match call.caller.local.ip().to_canonical() {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    };
    Tower { interface: entry.interface, transfer, tcp: Some((address, entry.port)) }
}

fn read_tower(parameters: &mut Reader<'_>) -> Result<Result<Tower, BadTower>, Status> {
    let room = parameters.conformance(1)?;
    let length = parameters.u32()?;
    let bytes = usize::try_from(length).unwrap_or(usize::MAX);
    if bytes != room || bytes > TOWER_BYTES {
        return Err(parameters.bad("the tower has not the length that was told").into());
    }
    Ok(Tower::decode(parameters.bytes(bytes)?))
}

fn write_tower(results: &mut Writer, tower: &Tower) {
    let octets = tower.encode();
    results.count(octets.len()).u32(u32::try_from(octets.len()).unwrap_or(0)).bytes(&octets);
}

/// `[string] char annotation[64]`: a varying array.
fn write_annotation(results: &mut Writer, annotation: &str) {
    let text = annotation.bytes().take(ANNOTATION_BYTES - 1).chain([0]);
    let text: Vec<u8> = text.collect();
    results.count(0).count(text.len()).bytes(&text);
}
