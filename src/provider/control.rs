//! Printers: showing them, what people do to them, what their devices say, and the end of the server.

use std::future::ready;
use std::sync::Arc;

use actix::prelude::*;
use despool_spool::{Cause, Change, Confirmed, JobId};
use tokio::sync::oneshot;

use super::entry::{Phase, Stop};
use super::messages::{
    ControlPrinter, Park, Part, Printer, PrinterControl, Printers, Reborn, Subscribe,
};
use super::view::PrinterView;
use super::{LocalPrintProvider, now_ms};
use crate::error::Result;
use crate::event::{PortChange, PortEvent, What};
use crate::monitor::language::{Finding, Report};
use crate::monitor::port::{News, PortNews};

impl Handler<Printers> for LocalPrintProvider {
    type Result = MessageResult<Printers>;

    fn handle(&mut self, _: Printers, _: &mut Self::Context) -> Self::Result {
        // In the order of the configuration: the first is the default.
        let views = self.config.printers.iter().filter_map(|config| self.entry(&config.name).ok());
        MessageResult(views.map(|entry| Arc::new(entry.view())).collect())
    }
}

impl Handler<Printer> for LocalPrintProvider {
    type Result = Result<Arc<PrinterView>>;

    fn handle(&mut self, Printer { name }: Printer, _: &mut Self::Context) -> Self::Result {
        Ok(Arc::new(self.entry(&name)?.view()))
    }
}

impl Handler<ControlPrinter> for LocalPrintProvider {
    type Result = Result<()>;

    fn handle(
        &mut self,
        ControlPrinter { name, what, why }: ControlPrinter,
        ctx: &mut Self::Context,
    ) -> Self::Result {
        let entry = self.entry(&name)?;
        let (printer, mut said) = (entry.config.name.clone(), entry.said.clone());
        match what {
            PrinterControl::Pause => said.paused = true,
            PrinterControl::Resume => said.paused = false,
            PrinterControl::Accept => said.accepting = true,
            PrinterControl::Reject => said.accepting = false,
        }
        if said.is_usual() {
            said.why.clear();
        } else if !why.is_empty() {
            said.why = why;
        }
        // On a full disk people have to be able to stop a printer, too.
        if let Err(error) = self.states.set(&printer, said.clone()) {
            tracing::error!(%printer, ?what, %error, "after a restart of the server this may not hold");
        }
        // For a provider that is made anew.
        self.road.shared().states = Some(self.states.clone());
        if let Some(entry) = self.entry_mut(&printer) {
            entry.said = said;
        }
        self.schedule(&printer, ctx);
        Ok(())
    }
}

impl Handler<Subscribe> for LocalPrintProvider {
    type Result = ();

    fn handle(&mut self, Subscribe { to }: Subscribe, _: &mut Self::Context) {
        self.road.subscribe(to);
    }
}

impl LocalPrintProvider {
    /// Printers on a port.
    fn on_port(&self, port: &str) -> Vec<Arc<str>> {
        let on_it = self.printers.values().filter(|entry| &*entry.parts.port_key == port);
        on_it.map(|entry| entry.config.name.clone()).collect()
    }

    fn tell_port(&self, port: Arc<str>, printers: Vec<Arc<str>>, news: &News) {
        let what = match news {
            News::Present { device_id, .. } => PortChange::Attached { identity: device_id.clone() },
            News::Absent { why } => PortChange::Detached { why: why.clone() },
            News::Line(line) => PortChange::Line(*line),
            News::Back { bytes, dropped } => {
                PortChange::BackChannel { bytes: bytes.clone(), dropped: *dropped }
            }
            News::Stalled(_) => return,
        };
        self.road.tell(now_ms(), What::Port(PortEvent { port, printers, what }));
    }

    /// Notes what the device itself has confirmed of a job.
    fn confirm(&mut self, job: JobId, pages: Option<u32>, all: bool) {
        let Ok(shadow) = self.road.spool.job(job) else { return };
        let bytes = if all { shadow.played.accepted } else { shadow.confirmed.bytes };
        let confirmed = Confirmed { bytes, pages: pages.unwrap_or(shadow.confirmed.pages) };
        if confirmed != shadow.confirmed
            && let Ok(shadow) = self.road.spool.update(job, Change::Confirm(confirmed), None)
        {
            self.tell_job(shadow);
        }
    }

    /// Answers who waits for the last job to end, when it has.
    pub(super) fn parked_if_idle(&mut self) {
        let busy = self.printers.values().any(|entry| entry.current.is_some());
        if busy || self.parking.is_none() {
            return;
        }
        self.tell_untold();
        for told in self.parking.iter_mut().flat_map(|waiting| waiting.drain(..)) {
            let _ = told.send(());
        }
    }

    fn park_running(&mut self, ctx: &mut Context<Self>) {
        let playing = self.printers.values().filter(|entry| {
            entry.current.as_ref().is_some_and(|current| matches!(current.phase, Phase::Playing))
        });
        let playing: Vec<Arc<str>> = playing.map(|entry| entry.config.name.clone()).collect();
        for printer in playing {
            self.stop(&printer, Stop::CutOff(Cause::Parked), ctx);
        }
    }
}

impl Handler<PortNews> for LocalPrintProvider {
    type Result = ();

    fn handle(&mut self, PortNews { port, news }: PortNews, ctx: &mut Self::Context) {
        let printers = self.on_port(&port);
        let mut changed = false;
        if let News::Back { .. } = news {
            self.tell_port(port, printers, &news);
            return;
        }
        for printer in &printers {
            if let Some(entry) = self.entry_mut(printer) {
                let before = entry.device.clone();
                entry.hear(news.clone());
                changed |= entry.device != before;
            }
        }
        if !changed {
            return;
        }
        match &news {
            News::Present { device_id, .. } => {
                tracing::info!(%port, ?printers, device_id, "the device is there");
            }
            News::Absent { why } => {
                tracing::warn!(%port, ?printers, why, "the device is not there; its jobs wait");
            }
            News::Line(_) | News::Back { .. } | News::Stalled(_) => {}
        }
        self.tell_port(port, printers.clone(), &news);
        for printer in printers {
            self.schedule(&printer, ctx);
            if let Some(current) = self.entry(&printer).ok().and_then(|entry| entry.current.clone())
            {
                self.tell_job_of(current.job);
            }
        }
    }
}

impl Handler<Report> for LocalPrintProvider {
    type Result = ();

    fn handle(&mut self, Report { printer, job, finding }: Report, _: &mut Self::Context) {
        match finding {
            Finding::Status(status) => {
                let Some(entry) = self.entry_mut(&printer) else { return };
                entry.device.set_status(status);
                let current = entry.current.clone();
                self.tell_printer(&printer);
                if let Some(current) = current {
                    self.tell_job_of(current.job);
                }
            }
            Finding::Identity(_) | Finding::Supplies(_) | Finding::PageCount(_) => {
                if let Some(entry) = self.entry_mut(&printer) {
                    entry.device.learn(finding);
                }
                self.tell_printer(&printer);
            }
            Finding::Pages(pages) => {
                if let Some(job) = job {
                    self.confirm(job, Some(pages), false);
                }
            }
            Finding::Printed { job: named, pages } => {
                if let Some(job) = named.or(job) {
                    self.confirm(job, pages, true);
                }
            }
        }
    }
}

impl Handler<Reborn> for LocalPrintProvider {
    type Result = ();

    /// What it was playing is stopped where it is, and goes on from there on the same wire.
    fn handle(&mut self, Reborn { part }: Reborn, ctx: &mut Self::Context) {
        let printers = match part {
            Part::Printer(printer) => vec![printer],
            Part::Port(port) => self.on_port(&port),
        };
        for printer in printers {
            let playing = self.entry(&printer).ok().and_then(|entry| entry.current.clone());
            if playing.is_some_and(|current| matches!(current.phase, Phase::Playing)) {
                self.stop(&printer, Stop::CutOff(Cause::ActorDied), ctx);
            }
        }
    }
}

impl Handler<Park> for LocalPrintProvider {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Park, ctx: &mut Self::Context) -> Self::Result {
        let (told, parked) = oneshot::channel();
        self.parking.get_or_insert_default().push(told);
        self.parked_if_idle();
        if self.printers.values().all(|entry| entry.current.is_none()) {
            return Box::pin(ready(()));
        }
        ctx.run_later(self.config.server.stop_grace, LocalPrintProvider::park_running);
        Box::pin(async move { drop(parked.await) })
    }
}
