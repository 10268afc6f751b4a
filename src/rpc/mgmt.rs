//! The management interface, which every endpoint has ([C706] appendix Q, [MS-RPCE] 2.2.1.3).
//!
//! Open to everybody. It is not decoration: clients ask it for the server's principal before they authenticate.
//!
//! Invariant: nothing can be changed by it.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::endpoint::Statistics;
use super::interface::{Call, Handler, Interface};
use super::limits::PRINCIPAL_BYTES;
use super::status::Status;
use super::uuid::{SyntaxId, Uuid};

/// The interface's identifier.
pub const ID: SyntaxId =
    SyntaxId::new(Uuid::from_u128(0xafa8bd80_7d8a_11c9_bef4_08002b102989), 1, 0);

/// Operation numbers.
pub mod op {
    /// Which interfaces are here.
    pub const INQ_IF_IDS: u16 = 0;
    /// What went on here.
    pub const INQ_STATS: u16 = 1;
    /// Whether the server serves: it does.
    pub const IS_SERVER_LISTENING: u16 = 2;
    /// Refused.
    pub const STOP_SERVER_LISTENING: u16 = 3;
    /// By which name the server authenticates.
    pub const INQ_PRINC_NAME: u16 = 4;
    /// How many there are.
    pub const COUNT: u16 = 5;
}

/// Counters that `inq_stats` may be asked for.
const STATISTICS_MOST: u32 = 50;
/// Win32: the buffer is too small.
const INSUFFICIENT_BUFFER: u32 = 122;

struct Management {
    interfaces: Vec<SyntaxId>,
    services: Vec<u8>,
    principal: String,
    statistics: Arc<Statistics>,
}

/// The management interface of an endpoint with these interfaces and these authentication services.
pub fn interface(
    interfaces: Vec<SyntaxId>,
    services: Vec<u8>,
    principal: &str,
    statistics: Arc<Statistics>,
) -> Interface {
    let interfaces = interfaces.into_iter().chain([ID]).collect();
    let management = Management { interfaces, services, principal: principal.into(), statistics };
    let interface = Interface::new(ID, "mgmt", op::COUNT, Arc::new(management));
    Interface { is_mapped: false, ..interface }
}

impl Handler for Management {
    fn call(&self, call: Call) {
        call.answer(|call| match call.opnum {
            op::INQ_IF_IDS => Ok(self.inq_if_ids(call)),
            op::INQ_STATS => self.inq_stats(call),
            op::IS_SERVER_LISTENING => {
                let mut results = call.writer();
                results.u32(0).u32(1);
                Ok(results.finish())
            }
            op::STOP_SERVER_LISTENING => {
                let mut results = call.writer();
                results.u32(Status::ACCESS_DENIED.0);
                Ok(results.finish())
            }
            op::INQ_PRINC_NAME => self.inq_princ_name(call),
            _ => Err(Status::OP_RANGE_ERROR),
        });
    }
}

impl Management {
    /// A pointer to a counted array of pointers to identifiers, and a status.
    fn inq_if_ids(&self, call: &Call) -> Vec<u8> {
        let mut results = call.writer();
        let count = self.interfaces.len();
        results.pointer(true).count(count).u32(u32::try_from(count).unwrap_or(0));
        for _ in &self.interfaces {
            results.pointer(true);
        }
        for id in &self.interfaces {
            results.uuid(id.uuid).u16(id.major).u16(id.minor);
        }
        results.u32(0);
        results.finish()
    }

    fn inq_stats(&self, call: &Call) -> Result<Vec<u8>, Status> {
        let mut parameters = call.reader();
        let asked = parameters.u32()?;
        if asked > STATISTICS_MOST {
            return Err(parameters.bad("at most 50 statistics can be asked for").into());
        }
        let all = self.statistics.all();
        let asked = usize::try_from(asked).unwrap_or(0).min(all.len());
        let mut results = call.writer();
        results.u32(u32::try_from(asked).unwrap_or(0)).count(asked);
        for counter in all.iter().take(asked) {
            results.u32(*counter);
        }
        results.u32(0);
        Ok(results.finish())
    }

    fn inq_princ_name(&self, call: &Call) -> Result<Vec<u8>, Status> {
        let mut parameters = call.reader();
        let (service, size) = (parameters.u32()?, parameters.u32()?);
        let size = usize::try_from(size).ok().filter(|size| *size <= PRINCIPAL_BYTES);
        let size = size.ok_or_else(|| parameters.bad("the name is at most 4096 octets"))?;
        let is_known = self.services.iter().any(|known| u32::from(*known) == service);
        let (name, status) = match self.principal.as_str() {
            _ if !is_known => ("", Status::UNKNOWN_AUTHN_SERVICE.0),
            name if name.len() >= size => ("", INSUFFICIENT_BUFFER),
            name => (name, 0),
        };
        let mut results = call.writer();
        // A string has a terminator, if there is room for anything.
        let octets: Vec<u8> = name.bytes().chain([0]).take(size).collect();
        results.count(size).count(0).count(octets.len()).bytes(&octets).u32(status);
        Ok(results.finish())
    }
}
