//! The broker of a server and its sources, started and stopped together.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::watch;

use super::{Asking, Finish, Links, LookAgain, Sources};
use crate::config::Config;
use crate::notify::{Broker, Limits};
use crate::router::Router;
use crate::supervise::{Live, Wards, vacant};

/// The broker of a server and its sources.
pub struct Notifications {
    broker: Broker,
    sources: Live<Sources>,
    config: watch::Sender<Arc<Config>>,
    arbiter: Arbiter,
}

impl Notifications {
    /// Starts them, on a thread of their own: what a thousand listeners cost must not delay the road.
    pub fn start(wards: &Wards, router: &Live<Router>, config: &Arc<Config>) -> Self {
        let limits = Limits { queue: config.notify.queue, ..Limits::default() };
        let broker = Broker::new(limits);
        for printer in &config.printers {
            broker.add_printer(&printer.name);
        }
        let (arbiter, (slot, sources)) = (Arbiter::new(), vacant());
        let (config, read) = watch::channel(config.clone());
        let (to, router, myself) = (broker.clone(), router.clone(), sources.clone());
        wards.keep_in(slot, "sources", &arbiter.handle(), move |obituary| {
            let links = Links {
                broker: to.clone(),
                router: router.clone(),
                config: read.clone(),
                myself: myself.clone(),
            };
            Sources::new(links, Asking::default(), obituary)
        });
        Self { broker, sources, config, arbiter }
    }

    /// Where to register, and to open channels.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// The road goes by another configuration now: printers that are gone release their listeners.
    pub fn reload(&self, config: &Arc<Config>) {
        let old = self.config.send_replace(config.clone());
        for gone in old.printers.iter().filter(|printer| config.printer(&printer.name).is_none()) {
            self.broker.remove_printer(&gone.name);
        }
        for printer in &config.printers {
            self.broker.add_printer(&printer.name);
        }
        self.sources.tell(LookAgain);
    }

    /// What has happened is published; then every call that waits returns, and nothing new is taken.
    pub async fn stop(&self) {
        if let Err(error) = self.sources.ask(Finish).await {
            tracing::debug!(%error, "what happened last is not published");
        }
        self.broker.shut_down();
        self.arbiter.stop();
    }

    /// Kills the sources, to see what survives.
    #[cfg(test)]
    pub(crate) async fn crash_for_tests(&self) {
        assert!(self.sources.ask(crate::supervise::Crash).await.is_err(), "they survived");
    }
}
