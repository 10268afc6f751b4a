//! The parts of the road, and what they share: made once, found again by a provider that is made anew.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use actix::prelude::*;
use despool_spool::{JobId, Spool};
use tokio::sync::oneshot;

use super::LocalPrintProvider;
use super::states::States;
use crate::config::{Config, PrinterConfig};
use crate::direct::Pipe;
use crate::error::Result;
use crate::event::{Event, Events, Feed, What};
use crate::follow::Follower;
use crate::limits::PORTS_CLOSE_WAIT;
use crate::monitor::language::{self, LanguageMonitor, Seat, Setup};
use crate::monitor::port::{PortMonitor, PortThread, Unlisten};
use crate::monitor::{Monitor, PlayId};
use crate::processor::PrintProcessor;
use crate::router::Router;
use crate::supervise::{Live, Wards};

/// What every part of the road may use.
pub struct Road {
    /// Keeps the parts alive.
    pub wards: Wards,
    /// Where the parts live.
    pub arbiter: ArbiterHandle,
    /// The spool.
    pub spool: Spool,
    /// The router.
    pub router: Live<Router>,
    /// The provider itself.
    pub provider: Live<LocalPrintProvider>,
    shared: Mutex<Shared>,
    seq: AtomicU64,
}

/// What a provider that is made anew must find again.
#[derive(Default)]
pub(super) struct Shared {
    /// The configuration that was read last; `None`: the first one holds.
    pub(super) config: Option<Arc<Config>>,
    /// What people said of printers; `None`: what is on the disk holds.
    pub(super) states: Option<States>,
    pub(super) ports: HashMap<Arc<str>, PortParts>,
    pub(super) printers: HashMap<Arc<str>, Parts>,
    /// What is being played where.
    pub(super) stage: HashMap<Arc<str>, (PlayId, JobId)>,
    /// Direct jobs, and who waits for their end.
    pub(super) direct: HashMap<JobId, DirectJob>,
    /// Senders that want to know how it goes.
    pub(super) followers: HashMap<JobId, Follower>,
    subscribers: Vec<Feed>,
}

/// A port: its monitor, and the thread that outlives it.
pub(super) struct PortParts {
    monitor: Live<PortMonitor>,
    thread: Arc<PortThread>,
}

/// A direct job on its way.
pub(super) struct DirectJob {
    pub(super) pipe: Pipe,
    pub(super) ended: Option<oneshot::Sender<Result<()>>>,
}

/// The actors of one printer.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) processor: Live<PrintProcessor>,
    pub(super) language: Option<Live<LanguageMonitor>>,
    pub(super) port: Live<PortMonitor>,
    pub(super) port_key: Arc<str>,
}

impl Parts {
    /// What a print processor writes to.
    pub(super) fn monitor(&self) -> Monitor {
        match &self.language {
            Some(language) => Monitor::Language(language.clone()),
            None => Monitor::Port(self.port.clone()),
        }
    }
}

impl Road {
    /// A road with nothing on it yet.
    pub fn new(
        wards: Wards,
        arbiter: ArbiterHandle,
        spool: Spool,
        router: Live<Router>,
        provider: Live<LocalPrintProvider>,
    ) -> Self {
        Self {
            wards,
            arbiter,
            spool,
            router,
            provider,
            shared: Mutex::default(),
            seq: AtomicU64::new(0),
        }
    }

    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The parts of this printer, made where they are missing.
    pub(super) fn parts(self: &Arc<Self>, config: &PrinterConfig) -> Result<Parts> {
        if let Some(parts) = self.shared().printers.get(&config.name) {
            return Ok(parts.clone());
        }
        let port_key: Arc<str> = config.port.port_key().into();
        let port = self.port(&port_key, config)?;
        let language = self.language(&port, config);
        let (router, provider, name) =
            (self.router.clone(), self.provider.clone(), config.name.clone());
        let processor =
            self.wards.keep(ward("processor", &config.name), &self.arbiter, move |obituary| {
                PrintProcessor::new(name.clone(), router.clone(), provider.clone(), obituary)
            });
        let parts = Parts { processor, language, port, port_key };
        self.shared().printers.insert(config.name.clone(), parts.clone());
        Ok(parts)
    }

    fn port(self: &Arc<Self>, key: &Arc<str>, config: &PrinterConfig) -> Result<Live<PortMonitor>> {
        if let Some(port) = self.shared().ports.get(key) {
            return Ok(port.monitor.clone());
        }
        let thread = Arc::new(PortThread::start(config.port.clone())?);
        let (provider, port_key, kept) = (self.provider.clone(), key.clone(), thread.clone());
        let monitor = self.wards.keep(ward("port", key), &self.arbiter, move |obituary| {
            PortMonitor::new(port_key.clone(), thread.clone(), provider.clone(), obituary)
        });
        self.shared()
            .ports
            .insert(key.clone(), PortParts { monitor: monitor.clone(), thread: kept });
        Ok(monitor)
    }

    fn language(
        self: &Arc<Self>,
        port: &Live<PortMonitor>,
        config: &PrinterConfig,
    ) -> Option<Live<LanguageMonitor>> {
        let make = language::core(config.language)?;
        let setup = Setup { envelope: config.envelope, queries: config.status_queries };
        let (name, seat) = (config.name.clone(), Arc::new(Seat::new(make, setup)));
        let (port, provider) = (port.clone(), self.provider.clone());
        Some(self.wards.keep(ward("language", &config.name), &self.arbiter, move |obituary| {
            let (name, seat) = (name.clone(), seat.clone());
            LanguageMonitor::new(name, seat, port.clone(), provider.clone(), obituary)
        }))
    }

    /// Takes a printer's parts off the road. The port goes with the last printer on it.
    pub(super) fn remove(&self, name: &Arc<str>) {
        let mut shared = self.shared();
        let Some(parts) = shared.printers.remove(name) else { return };
        self.wards.release(&ward("processor", name));
        self.wards.release(&ward("language", name));
        parts.port.tell(Unlisten { name: name.clone() });
        if !shared.printers.values().any(|other| other.port_key == parts.port_key) {
            self.wards.release(&ward("port", &parts.port_key));
            if let Some(port) = shared.ports.remove(&parts.port_key) {
                port.thread.stop(Instant::now());
            }
        }
    }

    /// Closes all ports, for good.
    pub fn close(&self) {
        let ports: Vec<PortParts> = self.shared().ports.drain().map(|(_, port)| port).collect();
        let now = Instant::now();
        let until = now.checked_add(PORTS_CLOSE_WAIT).unwrap_or(now);
        // All of them are told before the first is waited for.
        for port in &ports {
            port.thread.stop(now);
        }
        for port in ports {
            port.thread.stop(until);
        }
    }

    /// The actors of a printer, to be killed.
    #[cfg(test)]
    #[allow(clippy::type_complexity)]
    pub(crate) fn parts_for_tests(
        &self,
        printer: &str,
    ) -> (Live<PrintProcessor>, Option<Live<LanguageMonitor>>, Live<PortMonitor>) {
        let parts = self.shared().printers.get(printer).cloned().unwrap();
        (parts.processor, parts.language, parts.port)
    }

    pub(super) fn subscribe(&self, to: Recipient<Events>) {
        self.shared().subscribers.push(Feed::new(to));
    }

    /// Tells everybody outside what has happened.
    pub(super) fn tell(&self, at_ms: u64, what: What) {
        what.log();
        let mut shared = self.shared();
        if shared.subscribers.is_empty() {
            return;
        }
        let event = Event { seq: self.seq.fetch_add(1, Ordering::Relaxed), at_ms, what };
        shared.subscribers.retain(Feed::is_wanted);
        for feed in &shared.subscribers {
            feed.push(event.clone());
        }
    }
}

/// The name that an actor has with the supervisor.
pub(super) fn ward(kind: &str, of: &str) -> String {
    format!("{kind} {of}")
}
