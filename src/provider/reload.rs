//! Another configuration, while jobs are being played.
//!
//! ```text
//!   Reload ──► printers that change begin nothing, their running jobs are parked ──► all stopped ──► applied, answered
//! ```
//!
//! A printer whose settings change but not its wire goes on as if nothing had happened.
//!
//! The invariant: a printer is taken off the road only when its port has said how much of its job the device has.

use std::sync::Arc;

use actix::prelude::*;
use despool_spool::Cause;
use tokio::sync::oneshot;

use super::entry::{Entry, Leaving, Phase, Stop};
use super::messages::Reload;
use super::{LocalPrintProvider, Waiting, now_ms};
use crate::config::{Config, PrinterConfig};

/// A configuration that waits until the jobs of the printers that it changes are parked.
pub(super) struct Reloading {
    config: Arc<Config>,
    /// Who waits for it.
    told: Vec<oneshot::Sender<()>>,
}

impl Handler<Reload> for LocalPrintProvider {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Reload { config }: Reload, ctx: &mut Self::Context) -> Self::Result {
        let (told, applied) = oneshot::channel();
        // One that waits still is overtaken.
        let mut waiting = self.reloading.take().map_or_else(Vec::new, |overtaken| overtaken.told);
        waiting.push(told);
        self.park_changed(&config, ctx);
        self.reloading = Some(Reloading { config, told: waiting });
        self.reload_if_parked(ctx);
        Box::pin(async move { drop(applied.await) })
    }
}

impl LocalPrintProvider {
    fn park_changed(&mut self, config: &Config, ctx: &mut Context<Self>) {
        let mut playing = Vec::new();
        for entry in self.printers.values_mut() {
            entry.leaving = leaving(entry, config);
            let is_playing = |entry: &Entry| {
                entry
                    .current
                    .as_ref()
                    .is_some_and(|current| matches!(current.phase, Phase::Playing))
            };
            if entry.leaving.is_some() && is_playing(entry) {
                playing.push(entry.config.name.clone());
            }
        }
        for printer in playing {
            self.stop(&printer, Stop::CutOff(Cause::Parked), ctx);
        }
    }

    /// Applies the configuration that waits, when no printer that it changes is playing any more.
    pub(super) fn reload_if_parked(&mut self, ctx: &mut Context<Self>) {
        let busy = |entry: &Entry| entry.leaving.is_some() && entry.current.is_some();
        if self.printers.values().any(busy) {
            return;
        }
        let Some(Reloading { config, told }) = self.reloading.take() else { return };
        self.apply(&config);
        self.ask_around();
        self.schedule_all(ctx);
        for told in told {
            // Who asked may be gone.
            let _ = told.send(());
        }
    }

    /// Printers that are new, gone or different.
    fn apply(&mut self, config: &Arc<Config>) {
        self.config = config.clone();
        self.road.shared().config = Some(config.clone());
        let leaving: Vec<Arc<str>> = self
            .printers
            .values()
            .filter(|entry| entry.leaving.is_some())
            .map(|entry| entry.config.name.clone())
            .collect();
        for name in leaving {
            self.printers.remove(&*super::key(&name));
            self.road.remove(&name);
        }
        let (known, new): (Vec<_>, Vec<_>) =
            config.printers.iter().partition(|printer| self.entry(&printer.name).is_ok());
        for printer in known {
            if let Some(entry) = self.entry_mut(&printer.name) {
                entry.config = printer.clone();
            }
        }
        let mut waiting = if new.is_empty() { Waiting::new() } else { self.waiting() };
        for printer in new {
            self.add_printer(printer, &mut waiting, now_ms());
        }
    }
}

/// Whether a printer has to leave the road under this configuration.
fn leaving(entry: &Entry, config: &Config) -> Option<Leaving> {
    let old = &*entry.config;
    let same_wire = |new: &PrinterConfig| {
        (&new.port, new.language, new.envelope, new.status_queries)
            == (&old.port, old.language, old.envelope, old.status_queries)
    };
    match config.printers.iter().find(|new| new.name == old.name) {
        Some(new) if same_wire(new) => None,
        Some(new) if new.port.port_key() == old.port.port_key() => Some(Leaving::Stays),
        Some(_) | None => Some(Leaving::Goes),
    }
}
