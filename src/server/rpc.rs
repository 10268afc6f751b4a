//! The server's DCE/RPC endpoint: [MS-PAN] with the management interface on one port, and the endpoint mapper.
//!
//! Not here: the protocol (`rpc`), the methods (`pan`), who may log on (`accounts`).
//!
//! ```text
//!   [listen] rpc ──► IRPCRemoteObject, IRPCAsyncNotify, mgmt ◄── clients that were told the port
//!   [listen] epm ──► endpoint mapper                         ◄── clients that were not
//! ```
//!
//! Invariant: it runs by the configuration that was applied last. A reload that changes nothing here disturbs no client;
//! one that does ends their connections, and they register again ([MS-PAN] 3.1.1.4.1).

use std::net::SocketAddr;
use std::sync::Arc;

use crate::accounts::{Account, Accounts, local};
use crate::config::{Config, RpcLevel, SecurityConfig};
use crate::error::Result;
use crate::notify::Broker;
use crate::pan::server::{Options, interfaces};
use crate::rpc::auth::{Level, providers};
use crate::rpc::server::{self as runtime, Listen, Sockets};

/// See the module.
pub(super) struct Rpc {
    broker: Broker,
    local: Account,
    running: Option<Running>,
}

/// What it needs of the machine, had before anything begins.
pub(super) struct Prepared {
    local: Account,
    sockets: Sockets,
}

impl Prepared {
    /// Binds where the configuration says, and draws the secret of local commands.
    pub(super) fn new(config: &Config) -> Result<Self> {
        let sockets = sockets(config)?;
        Ok(Self { local: local::create(&config.server.state_dir)?, sockets })
    }
}

struct Running {
    by: Settings,
    server: runtime::Server,
}

/// What it runs by.
#[derive(Clone, PartialEq, Eq)]
struct Settings {
    rpc: Option<SocketAddr>,
    epm: Option<SocketAddr>,
    server_name: String,
    security: SecurityConfig,
}

impl Settings {
    fn of(config: &Config) -> Self {
        Self {
            rpc: config.listen.rpc,
            epm: config.listen.epm,
            server_name: config.server.name.clone(),
            security: config.security.clone(),
        }
    }

    fn is_off(&self) -> bool {
        self.rpc.is_none() && self.epm.is_none()
    }
}

impl Rpc {
    /// Serves these sockets.
    pub(super) fn start(prepared: Prepared, config: &Config, broker: &Broker) -> Result<Self> {
        let Prepared { local, sockets } = prepared;
        let mut rpc = Self { broker: broker.clone(), local, running: None };
        rpc.serve(sockets, config)?;
        Ok(rpc)
    }

    /// Goes by another configuration.
    pub(super) fn reload(&mut self, config: &Config) -> Result<()> {
        let wanted = Settings::of(config);
        if self.running.as_ref().is_some_and(|running| running.by == wanted) {
            return Ok(());
        }
        // The old one must let go of its addresses first.
        self.running = None;
        self.serve(sockets(config)?, config)
    }

    fn serve(&mut self, sockets: Sockets, config: &Config) -> Result<()> {
        let by = Settings::of(config);
        if !by.is_off() {
            let server = self.listen(sockets, config, &by)?;
            self.running = Some(Running { by, server });
        }
        Ok(())
    }

    /// What it listens on, by the keys of `listeners.json`.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        let server = self.running.as_ref().map(|running| &running.server);
        let rpc = server.and_then(|server| server.addresses().first().copied());
        let epm = server.and_then(runtime::Server::mapper);
        [("rpc", rpc), ("epm", epm)]
            .into_iter()
            .filter_map(|(key, address)| address.map(|address| (key, address)))
    }

    /// Stops. Calls that wait were answered by the broker's end; blocks until the answers are sent.
    pub(super) fn stop(self) {
        if let Some(running) = self.running {
            running.server.stop();
        }
    }

    fn listen(
        &self,
        sockets: Sockets,
        config: &Config,
        settings: &Settings,
    ) -> Result<runtime::Server> {
        let accounts = Arc::new(Accounts::of(config).with_local(self.local.clone()));
        let options = Options {
            server_name: settings.server_name.as_str().into(),
            min_level: level(settings.security.rpc_min_level),
            throws: true,
        };
        let interfaces = interfaces(self.broker.clone(), options);
        let listen = |address| Listen { address, interfaces: interfaces.to_vec() };
        let config = runtime::Config {
            endpoints: settings.rpc.map(listen).into_iter().collect(),
            mapper: settings.epm,
            providers: providers(&accounts, &settings.security.domain, &settings.server_name),
            principal: format!("host/{}", settings.server_name),
        };
        runtime::Server::start_on(sockets, config)
    }
}

fn sockets(config: &Config) -> Result<Sockets> {
    Sockets::bind(config.listen.rpc, config.listen.epm)
}

fn level(level: RpcLevel) -> Level {
    match level {
        RpcLevel::Packet => Level::Packet,
        RpcLevel::Integrity => Level::Integrity,
        RpcLevel::Privacy => Level::Privacy,
    }
}
