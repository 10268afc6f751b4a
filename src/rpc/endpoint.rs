//! An endpoint: what the connections to one address have in common.
//!
//! Context handles are good for all interfaces of an endpoint, so interfaces that share them are served by one.
//!
//! Invariant: what it offers does not change while it is served.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::association::Groups;
use super::auth::throttle::Throttle;
use super::auth::{Exchange, Level, Provider};
use super::interface::Interface;
use super::limits::REASSEMBLY_BYTES;
use super::mgmt;

/// See the module.
pub struct Endpoint {
    /// The interfaces, the management interface among them.
    pub interfaces: Vec<Arc<Interface>>,
    /// How clients may prove who they are.
    pub providers: Vec<Arc<dyn Provider>>,
    /// Who was wrong about passwords too often.
    pub throttle: Arc<Throttle>,
    /// The association groups.
    pub groups: Arc<Groups>,
    /// What the requests that are being put together take.
    pub budget: Arc<Budget>,
    /// What went on here.
    pub statistics: Arc<Statistics>,
}

impl Endpoint {
    /// An endpoint with these interfaces, and the management interface, which every endpoint has.
    ///
    /// `principal` is the name that clients authenticate the server by, `host/` and a host name.
    pub fn new(
        interfaces: Vec<Interface>,
        providers: Vec<Arc<dyn Provider>>,
        principal: &str,
        budget: Arc<Budget>,
    ) -> Self {
        let statistics = Arc::new(Statistics::default());
        let ids = interfaces.iter().map(|interface| interface.id).collect();
        let services = providers.iter().map(|provider| provider.auth_type()).collect();
        let management = mgmt::interface(ids, services, principal, statistics.clone());
        let interfaces = interfaces.into_iter().chain([management]).map(Arc::new).collect();
        let (throttle, groups) = (Arc::default(), Arc::default());
        Self { interfaces, providers, throttle, groups, budget, statistics }
    }

    /// The provider for an `auth_type`.
    pub fn provider(&self, auth_type: u8) -> Option<Arc<dyn Provider>> {
        self.providers.iter().find(|provider| provider.auth_type() == auth_type).cloned()
    }

    /// Begins an exchange with a client at this address. Where every interface is for everybody, nobody in particular may
    /// come, too.
    pub fn accept(
        &self,
        provider: &dyn Provider,
        level: Level,
        address: IpAddr,
    ) -> Box<dyn Exchange> {
        let exchange = if self.interfaces.iter().all(|interface| interface.min_level.is_none()) {
            provider.accept_anyone(level)
        } else {
            provider.accept(level)
        };
        self.throttle.watch(exchange, address)
    }
}

/// What `inq_stats` tells; counters go round.
#[derive(Default)]
pub struct Statistics {
    calls_received: AtomicU32,
    pdus_received: AtomicU32,
    pdus_sent: AtomicU32,
}

impl Statistics {
    /// A call came.
    pub fn received_call(&self) {
        self.calls_received.fetch_add(1, Ordering::Relaxed);
    }

    /// A PDU came.
    pub fn received_pdu(&self) {
        self.pdus_received.fetch_add(1, Ordering::Relaxed);
    }

    /// A PDU is sent.
    pub fn sent_pdu(&self) {
        self.pdus_sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls received, calls made (none: we serve), PDUs received, PDUs sent.
    pub fn all(&self) -> [u32; 4] {
        let load = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        [load(&self.calls_received), 0, load(&self.pdus_received), load(&self.pdus_sent)]
    }
}

/// Octets that requests which are being put together may take, on all connections together.
pub struct Budget {
    free_bytes: AtomicUsize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { free_bytes: AtomicUsize::new(REASSEMBLY_BYTES) }
    }
}

impl Budget {
    /// A budget of so many octets.
    pub fn new(bytes: usize) -> Self {
        Self { free_bytes: AtomicUsize::new(bytes) }
    }

    /// A part of it, empty yet.
    pub fn reserve(self: &Arc<Self>) -> Reservation {
        Reservation { budget: self.clone(), bytes: 0 }
    }
}

/// A part of a [`Budget`], given back when it is dropped.
pub struct Reservation {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Reservation {
    /// Takes more; false where there is not so much.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let less = |free: usize| free.checked_sub(bytes);
        let free = &self.budget.free_bytes;
        let taken = free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok();
        if taken {
            self.bytes = self.bytes.saturating_add(bytes);
        }
        taken
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.free_bytes.fetch_add(self.bytes, Ordering::Relaxed);
    }
}
