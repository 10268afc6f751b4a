//! The server: the one place (beside `main`) that knows everybody.
//!
//! ```text
//!   system arbiter     supervisor
//!   road arbiter       router, provider, processors, language monitors, port monitors
//!   client arbiter     listeners, connections
//!   notify arbiter     sources of notifications
//!   threads            spool-small, spool-disk, rpc, one for each port
//! ```
//!
//! Starting: spool (recovered) → sockets (of RPC, too) → what becomes of jobs that were cut off → road → listeners →
//! `listeners.json`. Where the spool or an address cannot be had, nothing has begun.
//! Stopping goes the other way: no new connections, running jobs end or are parked, who waits for notifications is told,
//! the spool is closed.

mod rpc;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix::prelude::*;
use despool_spool::{Options, Report, Spool};

use self::rpc::{Prepared, Rpc};
use crate::accounts::local;
use crate::config::{Config, PrinterConfig, SpoolConfig};
use crate::error::{Error, Result};
use crate::frontend::listen::{Bound, Listener, Serve, StopListening};
use crate::frontend::{appsocket, ipp};
use crate::notify::Broker;
use crate::provider::{EndDocPrinter, LocalPrintProvider, Park, Reload, Road, recover_interrupted};
use crate::router::Router;
use crate::sources::Notifications;
use crate::supervise::{Live, Wards, vacant};

/// A running server.
pub struct Server {
    config: Arc<Config>,
    wards: Wards,
    spool: Spool,
    router: Live<Router>,
    provider: Live<LocalPrintProvider>,
    road: Arbiter,
    clients: Arbiter,
    listeners: BTreeMap<String, (Bound, Live<Listener>)>,
    open_jobs: ipp::OpenJobs,
    report: Report,
    parts: Arc<Road>,
    notifications: Notifications,
    rpc: Rpc,
}

impl Server {
    /// Starts a server. Must be called inside an actix system.
    pub fn start(config: Config) -> Result<Self> {
        let config = Arc::new(config);
        despool_hw::set_quirks(config.usb.quirks.clone());
        make_state_dir(&config.server.state_dir)?;
        let (spool, report) =
            Spool::open(&config.server.state_dir.join("spool"), options(&config.spool))?;
        log_report(&report);
        let (sockets, prepared) = (sockets(&config)?, Prepared::new(&config)?);
        recover_interrupted(&spool, &report, &config);
        let (road_arbiter, clients) = (Arbiter::new(), Arbiter::new());
        let wards = Wards::new(&Arbiter::current());
        let (provider_slot, provider) = vacant();
        let (router_slot, router) = vacant();
        let road = Arc::new(Road::new(
            wards.clone(),
            road_arbiter.handle(),
            spool.clone(),
            router.clone(),
            provider.clone(),
        ));
        let parts = road.clone();
        let initial = config.clone();
        wards.keep_in(provider_slot, "provider", &road_arbiter.handle(), move |obituary| {
            LocalPrintProvider::new(road.clone(), initial.clone(), obituary)
        });
        let (local, durable) = (provider.clone(), provider.clone());
        spool.on_durable(Box::new(move |jobs| durable.tell(EndDocPrinter { jobs: jobs.to_vec() })));
        wards.keep_in(router_slot, "router", &road_arbiter.handle(), move |obituary| {
            Router::new(local.clone(), obituary)
        });
        let notifications = Notifications::start(&wards, &router, &config);
        let rpc = Rpc::start(prepared, &config, notifications.broker())?;
        let listeners = BTreeMap::new();
        let mut server = Self {
            config,
            wards,
            spool,
            router,
            provider,
            road: road_arbiter,
            clients,
            listeners,
            open_jobs: ipp::OpenJobs::default(),
            report,
            parts,
            notifications,
            rpc,
        };
        server.listen(sockets)?;
        server.write_listeners();
        Ok(server)
    }

    /// What opening the spool found.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The way to printers and jobs, for components in this process.
    pub fn router(&self) -> &Live<Router> {
        &self.router
    }

    /// Where notifications are published: to register, and to open channels.
    pub fn broker(&self) -> &Broker {
        self.notifications.broker()
    }

    /// The spool.
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// The address of a listener: `ipp`, `rpc`, `epm`, or `appsocket` and a printer's name.
    pub fn address(&self, listener: &str) -> Option<SocketAddr> {
        self.addresses().find(|(name, _)| *name == listener).map(|(_, address)| address)
    }

    /// All listeners and their addresses.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        let listeners = self.listeners.iter();
        let listeners = listeners.map(|(name, (bound, _))| (name.as_str(), bound.address()));
        listeners.chain(self.rpc.addresses().map(|(name, address)| (name as &str, address)))
    }

    /// Keys of `[listen]` that are set and that this version has no listener for.
    pub fn not_yet(&self) -> Vec<&'static str> {
        let listen = &self.config.listen;
        let keys = [("lpd", listen.lpd), ("http", listen.http)];
        keys.into_iter().filter(|(_, address)| address.is_some()).map(|(key, _)| key).collect()
    }

    /// True where the road answers.
    pub async fn is_alive(&self) -> bool {
        self.router.ask(crate::provider::Printers).await.is_ok()
    }

    /// Stops the listeners; their sockets stay open as long as the answer does.
    fn hush(&mut self) -> BTreeMap<String, Bound> {
        let hushed =
            std::mem::take(&mut self.listeners).into_iter().map(|(name, (bound, listener))| {
                self.wards.release(&name);
                listener.tell(StopListening);
                (name, bound)
            });
        hushed.collect()
    }

    /// Listens as the configuration says, on these sockets where they are still wanted, and closes the rest. Says what
    /// cannot be had first, and listens to the others all the same.
    fn listen(&mut self, mut sockets: BTreeMap<String, Bound>) -> Result<()> {
        let mut failed = None;
        for door in self.wanted() {
            match door.socket(&mut sockets) {
                Ok(bound) => self.open(door, bound),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        sockets.values().for_each(Bound::close);
        failed.map_or(Ok(()), Err)
    }

    fn open(&mut self, door: Door, bound: Bound) {
        let (clients, serving) = (self.clients.handle(), bound.clone());
        let listener = Listener::start(&self.wards, &clients, &door.name, serving, door.serve);
        self.listeners.insert(door.name, (bound, listener));
    }

    fn wanted(&self) -> Vec<Door> {
        let appsocket = |printer: &Arc<PrinterConfig>| {
            let serve = appsocket::serve(self.router.clone(), printer.name.clone());
            printer.appsocket.map(|address| Door { name: appsocket_of(printer), address, serve })
        };
        let serve = ipp::serve(
            self.router.clone(),
            self.open_jobs.clone(),
            self.config.listen.idle_timeout,
        );
        let ipp =
            self.config.listen.ipp.map(|address| Door { name: "ipp".to_owned(), address, serve });
        ipp.into_iter().chain(self.config.printers.iter().filter_map(appsocket)).collect()
    }

    /// Applies another configuration. `state_dir` stays what it is; a listener that cannot be had is an error, and
    /// everything else applies all the same.
    pub async fn reload(&mut self, mut config: Config) -> Result<()> {
        if config.server.state_dir != self.config.server.state_dir {
            tracing::warn!("state_dir cannot change while the server runs; restart it for that");
            config.server.state_dir.clone_from(&self.config.server.state_dir);
        }
        self.config = Arc::new(config);
        despool_hw::set_quirks(self.config.usb.quirks.clone());
        self.spool.set_options(options(&self.config.spool));
        self.provider.ask(Reload { config: self.config.clone() }).await?;
        self.notifications.reload(&self.config);
        let sockets = self.hush();
        let listening = self.listen(sockets).and(self.rpc.reload(&self.config));
        self.write_listeners();
        listening
    }

    /// Stops in good order: nothing new is taken, running jobs end within their grace or are parked, everything is on
    /// disk when this returns. Simulated printers stay, as real ones do (see [`despool_hw::sim::retire_all`]).
    pub async fn stop(mut self) {
        let listeners = self.listeners_path();
        self.hush().values().for_each(Bound::close);
        if let Err(error) = self.provider.ask(Park).await {
            tracing::error!(%error, "running jobs could not be parked");
        }
        self.wards.close();
        self.notifications.stop().await;
        let (parts, rpc) = (self.parts.clone(), self.rpc);
        let _ = tokio::task::spawn_blocking(move || {
            rpc.stop();
            parts.close();
        })
        .await;
        let _ = std::fs::remove_file(&listeners);
        local::remove(&self.config.server.state_dir);
        self.spool.close();
        self.clients.stop();
        self.road.stop();
    }

    fn listeners_path(&self) -> PathBuf {
        self.config.server.state_dir.join("listeners.json")
    }

    /// Writes where we listen, for scripts. Atomically: whoever sees the file sees all of it. A disk that has no room even
    /// for that must not keep us from printing what is on it.
    fn write_listeners(&self) {
        let path = self.listeners_path();
        let mut json = serde_json::Map::new();
        json.insert("pid".into(), std::process::id().into());
        let mut appsockets = serde_json::Map::new();
        for (name, address) in self.addresses() {
            let address = address.to_string().into();
            match name.strip_prefix("appsocket ") {
                Some(printer) => appsockets.insert(printer.into(), address),
                None => json.insert(name.to_owned(), address),
            };
        }
        if !appsockets.is_empty() {
            json.insert("appsocket".into(), appsockets.into());
        }
        let text = serde_json::Value::Object(json).to_string();
        if let Err(error) = write_atomically(&path, &text) {
            let error = state_error("writing", &path, &error);
            tracing::error!(%error, "commands on this machine find the server only with --server");
            // What another server left there would lead them astray.
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// An address to listen on, and what is done there.
struct Door {
    name: String,
    address: SocketAddr,
    serve: Serve,
}

impl Door {
    /// A socket for it: the one it had, one that another had at this address, or a new one.
    fn socket(&self, old: &mut BTreeMap<String, Bound>) -> Result<Bound> {
        let mine = old.get(&self.name).is_some_and(|bound| self.is_at(bound.address()));
        let here = |(_, bound): &(&String, &Bound)| bound.address() == self.address;
        let owner =
            if mine { Some(&self.name) } else { old.iter().find(here).map(|(name, _)| name) };
        let found = owner.cloned().and_then(|name| old.remove(&name));
        found.map_or_else(|| Bound::new(&self.name, self.address), Ok)
    }

    /// True where that is as wanted; any port will do where none was named.
    fn is_at(&self, address: SocketAddr) -> bool {
        address == self.address || (self.address.port() == 0 && address.ip() == self.address.ip())
    }
}

/// The name of a printer's raw TCP listener.
fn appsocket_of(printer: &PrinterConfig) -> String {
    format!("appsocket {}", printer.name)
}

/// A socket for each listener of a configuration.
fn sockets(config: &Config) -> Result<BTreeMap<String, Bound>> {
    let ipp = config.listen.ipp.map(|address| ("ipp".to_owned(), address));
    let appsockets = config
        .printers
        .iter()
        .filter_map(|printer| printer.appsocket.map(|address| (appsocket_of(printer), address)));
    ipp.into_iter()
        .chain(appsockets)
        .map(|(name, address)| Bound::new(&name, address).map(|bound| (name, bound)))
        .collect()
}

fn options(spool: &SpoolConfig) -> Options {
    Options {
        max_job_bytes: spool.max_job_bytes,
        max_bytes: spool.max_bytes,
        min_free_bytes: spool.min_free_bytes,
    }
}

fn make_state_dir(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| state_error("making", path, &error))
}

fn state_error(doing: &'static str, path: &Path, error: &std::io::Error) -> Error {
    Error::State { doing, path: path.display().to_string(), why: error.to_string() }
}

fn write_atomically(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut file = std::fs::File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    std::fs::rename(&new, path)
}

fn log_report(report: &Report) {
    tracing::info!(jobs = report.jobs, power_lost = report.power_lost, "the spool is open");
    for job in &report.half_received {
        tracing::warn!(%job, "was being received when the server ended; it is aborted");
    }
    for job in &report.rebuilt {
        tracing::info!(%job, "was made anew from the journal after a loss of power");
    }
    for (job, why) in &report.damaged {
        tracing::error!(%job, why, "is damaged and cannot be printed");
    }
    if let Some((bytes, kept)) = &report.torn {
        tracing::warn!(bytes, kept, "the end of the journal did not check and was put aside");
    }
    for (name, kept) in &report.orphans {
        tracing::warn!(name, kept, "a spool file that no job knows was put aside");
    }
}

#[cfg(test)]
mod tests;
