//! A place where a server lives: its state directory and its configuration. It outlasts the server.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::server::Server;

/// A directory of a test's own.
pub(crate) struct Site {
    dir: tempfile::TempDir,
}

/// A configuration under construction.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    server: String,
    listen: String,
    spool: String,
    printers: String,
}

impl Setup {
    /// IPP on any free port, and nothing else.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// More lines of `[server]`.
    pub(crate) fn server(mut self, lines: &str) -> Self {
        writeln!(self.server, "{lines}").unwrap();
        self
    }

    /// More lines of `[listen]`.
    pub(crate) fn listen(mut self, lines: &str) -> Self {
        writeln!(self.listen, "{lines}").unwrap();
        self
    }

    /// More lines of `[spool]`.
    pub(crate) fn spool(mut self, lines: &str) -> Self {
        writeln!(self.spool, "{lines}").unwrap();
        self
    }

    /// One more printer.
    pub(crate) fn printer(mut self, name: &str, port: &str, lines: &str) -> Self {
        writeln!(
            self.printers,
            "[[printer]]\nname = \"{name}\"\nport = \"{port}\"\n{}",
            lines.replace("; ", "\n")
        )
        .unwrap();
        self
    }

    /// The text of the file. How busy this machine is must not keep a test's jobs waiting: pressure is not looked at.
    pub(crate) fn text(&self, state_dir: &Path) -> String {
        let Self { server, listen, spool, printers } = self;
        let free = if spool.contains("min_free_bytes") { "" } else { "min_free_bytes = 0\n" };
        format!(
            "[server]\nstate_dir = \"{}\"\n{server}[listen]\nipp = \"127.0.0.1:0\"\n{listen}[spool]\n{free}{spool}\
             [scheduler]\nmemory_pressure = 100\nio_pressure = 100\n{printers}",
            state_dir.display()
        )
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A site that is configured.
    pub(crate) fn with(setup: &Setup) -> Self {
        let site = Self::new();
        site.configure(setup);
        site
    }

    /// A path in the site.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.path("state")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("despool.toml")
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, setup: &Setup) {
        std::fs::write(self.config(), setup.text(&self.state_dir())).unwrap();
    }

    /// Starts a server here, and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(&self) -> Server {
        Server::start(self)
    }

    /// The documents in the spool, by file name.
    pub(crate) fn documents(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.state_dir().join("spool")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut documents: Vec<String> = names.filter(|name| name.ends_with(".spl")).collect();
        documents.sort();
        documents
    }
}

/// The URI of a simulated printer in the server, with its control socket in the site.
pub(crate) fn sim(site: &Site, language: &str, name: &str) -> String {
    format!("sim:{language}?control={}", site.path(name).display())
}
