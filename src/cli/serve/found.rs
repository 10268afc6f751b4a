//! With no configuration at all, every printer that is found is served: those that are there, and those that come.
//!
//! ```text
//!   kernel: a device came ──► Arrivals (once it is quiet) ──► FoundPrinters::look ──► a new one? ──► reload
//! ```
//!
//! What it is *not*: how a printer that is served and was pulled comes back (its port waits for it). Invariant: a printer
//! that was found once stays, under the name that it got, whether it is plugged in or not.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use despool_hw::{Arrived, Bell, DeviceUri, Found, Hotplug, discover_printers_but};
use tokio::sync::mpsc;

use crate::cli::Failed;
use crate::config::PrinterConfig;
use crate::limits::ARRIVAL_QUIET;

/// The printers that were found since the start.
pub(super) struct FoundPrinters {
    printers: Vec<Arc<PrinterConfig>>,
    /// `None`: nobody tells us of devices.
    ear: Option<Hotplug>,
}

impl FoundPrinters {
    /// Listens from now on, so that nothing is missed after the first look.
    pub(super) fn listen() -> Self {
        let ear = Hotplug::listen();
        if let Err(error) = &ear {
            tracing::warn!(%error, "printers that are plugged in later are served after the next start only");
        }
        Self { printers: Vec::new(), ear: ear.ok() }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.printers.len()
    }

    /// All of them, those first that were known before.
    pub(super) fn look(&mut self) -> Vec<Arc<PrinterConfig>> {
        let known: Vec<DeviceUri> = self.printers.iter().map(|it| it.port.clone()).collect();
        for port in discover_printers_but(&known) {
            self.add(port);
        }
        self.printers.clone()
    }

    fn add(&mut self, port: Found) {
        let number = self.printers.len();
        let model = port.device_id.as_ref().and_then(|id| id.model.clone());
        let name = model.unwrap_or_else(|| format!("printer{number}"));
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let name: String = name.chars().map(plain).collect();
        let taken = self.printers.iter().any(|printer| printer.name.eq_ignore_ascii_case(&name));
        let name = if taken { format!("{name}-{number}") } else { name };
        let info = port.description;
        self.printers.push(Arc::new(PrinterConfig { info, ..PrinterConfig::new(&name, port.uri) }));
    }
}

/// Tells when some device has come.
pub(super) struct Arrivals {
    news: Option<mpsc::Receiver<()>>,
    bell: Bell,
    thread: Option<JoinHandle<()>>,
}

impl Arrivals {
    /// Of whoever looks for printers; never, where nobody does.
    pub(super) fn of(found: Option<&mut FoundPrinters>) -> Result<Self, Failed> {
        let bell = Bell::new()?;
        let Some(ear) = found.and_then(|found| found.ear.take()) else {
            return Ok(Self { news: None, bell, thread: None });
        };
        let (to, news) = mpsc::channel(1);
        let ours = bell.clone();
        let thread = std::thread::Builder::new().name("found".into());
        let thread = thread.spawn(move || listen(&ear, &ours, &to))?;
        Ok(Self { news: Some(news), bell, thread: Some(thread) })
    }

    /// Waits until something has come. May be dropped at any time.
    pub(super) async fn next(&mut self) {
        let news = match &mut self.news {
            Some(news) => news.recv().await,
            None => None,
        };
        if news.is_none() {
            // Nothing will ever come.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Tells once no more has come for [`ARRIVAL_QUIET`]: a device is told of in several steps, and known by name after the last.
fn listen(ear: &Hotplug, bell: &Bell, to: &mpsc::Sender<()>) {
    let mut until = None;
    loop {
        match ear.wait(bell, until) {
            Ok(Arrived::MayBeThere) => until = Instant::now().checked_add(ARRIVAL_QUIET),
            Ok(Arrived::TimedOut) => {
                until = None;
                // One that waits to be heard will see this too.
                let _ = to.try_send(());
            }
            Ok(Arrived::Rang) | Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(uri: &str, model: &str) -> Found {
        Found {
            uri: uri.parse().unwrap(),
            description: "a printer".to_owned(),
            path: "/dev/usb/lp0".into(),
            device_id: despool_hw::DeviceId::parse(model.as_bytes()),
            controller: None,
        }
    }

    #[test]
    fn names_stay_and_are_unique() {
        let mut found = FoundPrinters { printers: Vec::new(), ear: None };
        for uri in ["usb://HIL/A?serial=1", "usb://HIL/A?serial=2", "usb://HIL/B?serial=3"] {
            let model = if uri.contains("/A") { "MFG:HIL;MDL:Label 4;" } else { "MFG:HIL;" };
            found.add(port(uri, model));
        }
        let names: Vec<&str> = found.printers.iter().map(|printer| &*printer.name).collect();
        assert_eq!(names, ["Label-4", "Label-4-1", "printer2"]);
    }
}
