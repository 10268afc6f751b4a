//! `despool serve`: runs the server in the foreground.

mod found;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use actix::System;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format;

use self::found::{Arrivals, FoundPrinters};
use super::client::join;
use super::{Failed, Outcome};
use crate::config::Config;
use crate::server::Server;
use crate::systemd;

/// Where the configuration is looked for when nobody names it.
const DEFAULT_CONFIG: &str = "/etc/despool/despool.toml";

#[derive(Args, Debug)]
pub(super) struct Serve {
    /// The configuration file [default: /etc/despool/despool.toml if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the spool and the state are kept, whatever the configuration says
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

/// The configuration file that is used when nobody names one.
pub(crate) fn default_config() -> Option<PathBuf> {
    let named = std::env::var_os("DESPOOL_CONFIG").map(PathBuf::from);
    named.or_else(|| Some(PathBuf::from(DEFAULT_CONFIG)).filter(|path| path.exists()))
}

impl Serve {
    /// The configuration; without a file, with the printers that were found so far.
    fn load(&self, found: &mut Option<FoundPrinters>) -> Result<Config, Failed> {
        let mut config = load(self.config.clone(), self.state_dir.as_deref())?;
        if let Some(found) = found.as_mut().filter(|_| self.has_no_file()) {
            config.printers = found.look();
        }
        Ok(config)
    }

    fn has_no_file(&self) -> bool {
        self.config.is_none() && default_config().is_none()
    }
}

/// The configuration that a command line means; the one without a file where there is none.
pub(super) fn load(file: Option<PathBuf>, state_dir: Option<&Path>) -> Result<Config, Failed> {
    let mut config = match file.or_else(default_config) {
        Some(file) => Config::load(&file).map_err(|problems| join(&problems))?,
        None => Config::without_file(),
    };
    if let Some(state_dir) = state_dir {
        config.server.state_dir = std::path::absolute(state_dir)?;
    }
    Ok(config)
}

pub(super) fn run(args: &Serve) -> Outcome {
    start_log();
    let mut found = args.has_no_file().then(FoundPrinters::listen);
    let config = args.load(&mut found)?;
    System::new().block_on(async {
        // Before anybody is told that we are there, and may send one.
        let signals = Signals::new()?;
        let server = Server::start(config)?;
        announce(&server);
        systemd::notify("READY=1");
        attend(args, server, signals, found).await
    })
}

fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("DESPOOL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // The library's own way to write fields looks for styles at each of them, also where there are none. Every job writes a
    // line.
    let plain = format::debug_fn(|line, field, value| match field.name() {
        "message" => write!(line, "{value:?}"),
        name => write!(line, "{name}={value:?}"),
    });
    let plain = plain.delimited(" ");
    let started = if systemd::is_parent() {
        // systemd adds the time itself.
        log.without_time().with_ansi(false).fmt_fields(plain).try_init()
    } else if std::io::stderr().is_terminal() {
        log.try_init()
    } else {
        log.with_ansi(false).fmt_fields(plain).try_init()
    };
    if let Err(error) = started {
        eprintln!("despool serve: no log: {error}");
    }
}

fn announce(server: &Server) {
    for (name, address) in server.addresses() {
        tracing::info!(listener = name, %address, "listening");
    }
    for key in server.not_yet() {
        tracing::warn!(key, "this version has no such listener yet; the setting is ignored");
    }
}

/// What the administrator says.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// Waits for what the administrator says.
async fn attend(
    args: &Serve,
    mut server: Server,
    mut signals: Signals,
    mut found: Option<FoundPrinters>,
) -> Outcome {
    let mut watchdog = systemd::watchdog();
    let mut arrivals = Arrivals::of(found.as_mut())?;
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
            _ = signals.hang_up.recv() => reload(args, &mut server, &mut found).await,
            () = arrivals.next() => welcome(args, &mut server, &mut found).await,
            () = systemd::tick(&mut watchdog) => {
                // A word from the provider: alive means that the road answers, not that this thread does.
                if server.is_alive().await {
                    systemd::notify("WATCHDOG=1");
                }
            }
        }
    }
    tracing::info!("stopping: no new connections, running jobs end or are parked");
    systemd::notify("STOPPING=1");
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// A configuration that is wrong changes nothing.
async fn reload(args: &Serve, server: &mut Server, found: &mut Option<FoundPrinters>) {
    systemd::reloading();
    match args.load(found) {
        Ok(config) => match server.reload(config).await {
            Ok(()) => tracing::info!("the configuration was read again"),
            Err(error) => tracing::error!(%error, "the configuration applies, but for this"),
        },
        Err(Failed(problems)) => tracing::error!(problems, "the configuration stays as it was"),
    }
    systemd::notify("READY=1");
}

/// Some device came. Where that is a printer that nobody knew, it is served from now on.
async fn welcome(args: &Serve, server: &mut Server, found: &mut Option<FoundPrinters>) {
    let before = found.as_ref().map_or(0, FoundPrinters::count);
    let Ok(config) = args.load(found) else { return };
    let newcomers = config.printers.get(before..).unwrap_or_default().to_vec();
    if newcomers.is_empty() {
        return;
    }
    match server.reload(config).await {
        Ok(()) => newcomers.iter().for_each(|printer| {
            tracing::info!(printer = %printer.name, port = %printer.port, "plugged in; it is served");
        }),
        Err(error) => tracing::error!(%error, "a printer was plugged in, and is served, but for this"),
    }
}
