//! A real server in this process: the library's `despool::server`, on threads of its own, as `despool serve` runs it.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use bytes::Bytes;
use despool::config::Config;
use despool::notify::Broker;
use despool::provider::{
    ControlJob, ControlPrinter, Job, JobControl, JobState, PrinterControl, StartDocPrinter,
};
use despool::router::Router;
use despool::server::Server;
use despool::submission::Submission;
use despool::supervise::Live;
use despool_spool::{JobId, Spool, Ticket};
use tokio::sync::oneshot;

/// A running server, and a runtime for what a front end would do.
pub struct Rig {
    pub router: Live<Router>,
    pub spool: Spool,
    pub broker: Broker,
    pub state_dir: PathBuf,
    addresses: BTreeMap<String, SocketAddr>,
    runtime: tokio::runtime::Runtime,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A printer's part of the configuration.
pub fn printer(name: &str, port: &str, more: &str) -> String {
    format!("[[printer]]\nname = \"{name}\"\nport = \"{port}\"\n{more}\n")
}

impl Rig {
    /// Starts a server with these printers. Its scheduler does not look at the machine's pressure: the benches make some,
    /// and so may whoever else is at work here.
    pub fn start(state_dir: &Path, printers: &[String]) -> Self {
        Self::start_with(state_dir, "", printers)
    }

    /// The same with more lines under `[listen]`.
    pub fn start_with(state_dir: &Path, listen: &str, printers: &[String]) -> Self {
        let text = format!(
            "[server]\nstate_dir = \"{}\"\n[listen]\nipp = \"127.0.0.1:0\"\n{listen}\n[spool]\nmin_free_bytes = 0\n\
             [scheduler]\nmemory_pressure = 100\nio_pressure = 100\n{}",
            state_dir.display(),
            printers.concat()
        );
        let config = Config::parse(Path::new("bench.toml"), &text)
            .unwrap_or_else(|problems| panic!("{problems:?}"));
        let (told, started) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            actix::System::new().block_on(async move {
                let server = Server::start(config).unwrap();
                let addresses =
                    server.addresses().map(|(name, address)| (name.to_owned(), address)).collect();
                let parts =
                    (server.router().clone(), server.spool().clone(), server.broker().clone());
                told.send((parts, addresses)).unwrap();
                let _ = stopped.await;
                server.stop().await;
            });
        });
        let ((router, spool, broker), addresses) = started.recv().unwrap();
        Self {
            router,
            spool,
            broker,
            state_dir: state_dir.to_owned(),
            addresses,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Runs what a front end would do, on one thread, as front ends do.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The address of a listener: `ipp`, or `appsocket` and a printer's name.
    pub fn address(&self, listener: &str) -> SocketAddr {
        self.addresses[listener]
    }

    /// A job's spool file.
    pub fn document(&self, job: JobId) -> PathBuf {
        self.state_dir.join("spool").join(job.file_name())
    }

    /// Begins a document.
    pub async fn begin(&self, ticket: Ticket) -> Submission {
        let start =
            StartDocPrinter { ticket, expected_bytes: None, announce: false, follower: None };
        self.router.ask(start).await.unwrap().unwrap()
    }

    /// Submits a document; returns when it is accepted, that is durable.
    pub async fn submit(&self, ticket: Ticket, document: &Bytes) -> JobId {
        let mut submission = self.begin(ticket).await;
        let mut rest = document.clone();
        while !rest.is_empty() {
            submission.append(rest.split_to(rest.len().min(256 * 1024))).await.unwrap();
        }
        submission.finish().await.unwrap()
    }

    /// Does something to a job; returns when that is durable.
    pub async fn control(&self, id: JobId, what: JobControl) {
        self.router.ask(ControlJob { id, what }).await.unwrap().unwrap();
    }

    /// Does something to a printer.
    pub fn control_printer(&self, name: &str, what: PrinterControl) {
        let order = ControlPrinter { name: name.to_owned(), what, why: String::new() };
        self.run(self.router.ask(order)).unwrap().unwrap();
    }

    /// The state of a job.
    pub async fn state(&self, id: JobId) -> JobState {
        self.router.ask(Job { id }).await.unwrap().unwrap().state
    }

    /// Waits until a job has ended: the provider hears of that a moment after the sink has the last byte.
    pub fn wait_for_end(&self, id: JobId) {
        self.run(async {
            while !self.state(id).await.has_ended() {
                tokio::task::yield_now().await;
            }
        });
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A ticket as a front end makes it.
pub fn ticket(printer: &str) -> Ticket {
    let mut ticket = Ticket::new(printer);
    ticket.title = "shipping label 4711".into();
    ticket.user = "warehouse".into();
    ticket.host = "ipp://127.0.0.1".into();
    ticket
}

/// Runs several of a kind on this thread, in turns, until all are done.
pub async fn together<F: Future<Output = ()>>(how_many: usize, make: impl Fn(usize) -> F) {
    use std::task::Poll;
    let mut running: Vec<_> = (0..how_many).map(|n| Some(Box::pin(make(n)))).collect();
    std::future::poll_fn(|cx| {
        for one in &mut running {
            if one.as_mut().is_some_and(|future| future.as_mut().poll(cx).is_ready()) {
                *one = None;
            }
        }
        if running.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
