//! A running `despool serve`.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use despool::frontend::ipp::wire::Attributes;
use rustix::process::{PidfdFlags, Signal, pidfd_open};
use serde_json::Value;

use super::ipp::{Ipp, state_of};
use super::log::Log;
use super::process::{self, Ended, end_of, pid, readable};
use super::site::Site;

/// What is logged: all that happens to jobs, printers and ports, and every IPP request.
const LOGGED: &str = "info,despool::event=debug,despool::frontend::ipp=debug";

/// A server process. Killed where it is dropped.
pub(crate) struct Server {
    child: Child,
    notify: UnixDatagram,
    listeners: PathBuf,
    pub(crate) log: Log,
    /// `STATE/listeners.json` as it was when the server became ready.
    pub(crate) listening: Value,
}

/// The `despool` command.
pub(crate) fn despool() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_despool"));
    command.env_remove("DESPOOL_CONFIG").env_remove("NOTIFY_SOCKET").env("RUST_BACKTRACE", "0");
    command
}

/// `despool serve` with the configuration of a site.
pub(crate) fn serve(site: &Site) -> Command {
    let mut command = despool();
    command.args(["serve", "--config"]).arg(site.config());
    command
}

impl Server {
    #[track_caller]
    pub(super) fn start(site: &Site) -> Self {
        Self::launch(site, serve(site))
    }

    /// Starts a server by this command, and waits until it says that it is ready.
    #[track_caller]
    pub(crate) fn launch(site: &Site, command: Command) -> Self {
        let mut server = Self::spawn(site, command);
        server.await_word("READY=1");
        // A server in a namespace of its own is seen through its own eyes.
        let root = PathBuf::from(format!("/proc/{}/root", server.child.id()));
        server.listeners = root.join(server.listeners.strip_prefix("/").unwrap());
        server.listening = server.read_listeners();
        server
    }

    /// Starts a server by this command, and waits for nothing.
    #[track_caller]
    pub(crate) fn spawn(site: &Site, mut command: Command) -> Self {
        let socket = site.path("notify");
        let _ = std::fs::remove_file(&socket);
        let notify = UnixDatagram::bind(&socket).unwrap();
        command.env("NOTIFY_SOCKET", &socket).env("DESPOOL_LOG", LOGGED);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = Log::read(child.stderr.take().unwrap());
        let listeners = site.state_dir().join("listeners.json");
        Self { child, notify, listeners, log, listening: Value::Null }
    }

    /// Waits until the server tells its service manager this.
    #[track_caller]
    pub(crate) fn await_word(&self, word: &str) {
        let pidfd = pidfd_open(pid(&self.child), PidfdFlags::empty()).unwrap();
        let mut buf = [0; 256];
        loop {
            let came = readable(&[self.notify.as_fd(), pidfd.as_fd()], super::soon());
            assert!(came[0], "the server does not say {word}:\n{}", self.log.tail());
            let len = self.notify.recv(&mut buf).unwrap();
            if buf[..len].starts_with(word.as_bytes()) {
                return;
            }
        }
    }

    /// `STATE/listeners.json` as it is now.
    pub(crate) fn read_listeners(&self) -> Value {
        serde_json::from_slice(&std::fs::read(&self.listeners).unwrap()).unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The IPP address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listening["ipp"].as_str().unwrap().parse().unwrap()
    }

    /// A printer's own raw TCP port.
    pub(crate) fn raw(&self, printer: &str) -> SocketAddr {
        self.listening["appsocket"][printer].as_str().unwrap().parse().unwrap()
    }

    /// A new IPP connection.
    pub(crate) fn ipp(&self) -> Ipp {
        Ipp::connect(self.address())
    }

    /// Runs a `despool` command against this server.
    #[track_caller]
    pub(crate) fn cli(&self, arguments: &[&str]) -> Ended {
        self.cli_with(arguments, b"")
    }

    /// The same, with this on its standard input.
    #[track_caller]
    pub(crate) fn cli_with(&self, arguments: &[&str], input: &[u8]) -> Ended {
        let mut command = despool();
        command.args(arguments).args(["--server", &self.address().to_string()]);
        process::run_with(&mut command, input)
    }

    /// Asks again and again, whenever something has happened in the server, until there is an answer.
    #[track_caller]
    pub(crate) fn until<T>(&self, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
        let deadline = super::soon();
        loop {
            let seen = self.log.events();
            if let Some(answer) = ask() {
                return answer;
            }
            let more = self.log.wait_beyond(seen, deadline);
            assert!(more, "waited in vain for {what}:\n{}", self.log.tail());
        }
    }

    /// Waits until a job is as wanted; its attributes.
    #[track_caller]
    pub(crate) fn job_when(&self, job: i32, wanted: impl Fn(&Attributes) -> bool) -> Attributes {
        let mut ipp = self.ipp();
        let mut last = String::new();
        let deadline = super::soon();
        loop {
            let seen = self.log.events();
            let attributes = ipp.job(job);
            if wanted(&attributes) {
                return attributes;
            }
            last.clear();
            last += &format!("{attributes:?}");
            let more = self.log.wait_beyond(seen, deadline);
            assert!(more, "job {job} is still {last}\n{}", self.log.tail());
        }
    }

    /// Waits until a job is in this state; its attributes.
    #[track_caller]
    pub(crate) fn job_is(&self, job: i32, state: &str) -> Attributes {
        self.job_when(job, |attributes| state_of(attributes) == state)
    }

    /// Waits until a printer is as wanted; its attributes.
    #[track_caller]
    pub(crate) fn printer_when(
        &self,
        printer: &str,
        wanted: impl Fn(&Attributes) -> bool,
    ) -> Attributes {
        let mut ipp = self.ipp();
        self.until(&format!("printer {printer}"), || Some(ipp.printer(printer)).filter(&wanted))
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        process::signal(&self.child, Signal::KILL);
        end_of(&mut self.child, "the killed server");
    }

    /// `kill -9`, while others still speak with it.
    pub(crate) fn kill_now(&self) {
        process::signal(&self.child, Signal::KILL);
    }

    /// SIGTERM; how it ended.
    #[track_caller]
    pub(crate) fn terminate(mut self) -> ExitStatus {
        process::signal(&self.child, Signal::TERM);
        end_of(&mut self.child, "the server that was told to stop")
    }

    /// SIGHUP, and waits until the server has followed.
    #[track_caller]
    pub(crate) fn reload(&mut self) {
        process::signal(&self.child, Signal::HUP);
        self.await_word("RELOADING=1");
        self.await_word("READY=1");
        self.listening = self.read_listeners();
    }

    /// Documents that have no name (any more) and that the server still has open: space that is not free yet.
    pub(crate) fn nameless_documents(&self) -> usize {
        let fds = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap();
        let links = fds.filter_map(|fd| std::fs::read_link(fd.unwrap().path()).ok());
        let nameless = |link: &PathBuf| {
            let text = link.to_string_lossy();
            text.contains("/spool/") && text.ends_with("(deleted)")
        };
        links.filter(nameless).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the server's log ends like this:\n{}", self.log.tail());
        }
    }
}
