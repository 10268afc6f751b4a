//! despool in the guest, as an operator has it: a configuration file, `despool serve`, and the command line.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::Stage;
use super::check::holds;
use crate::Bench;
use crate::error::{Error, Result};
use crate::limits::{COMMAND, EVENT};
use crate::vm::{Output, Running};

/// Where things lie for programs of the host; the bare guest has them below `/host`.
const CONFIG: &str = "/tmp/despool.toml";
const STATE: &str = "/tmp/state";

/// A printer of the configuration.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its device URI.
    pub port: String,
    /// More lines of its section.
    pub more: String,
}

impl Queue {
    /// A printer on a port, with what is the default otherwise.
    pub fn new(name: &str, port: &str) -> Self {
        Self { name: name.to_owned(), port: port.to_owned(), more: String::new() }
    }

    /// With a recover policy.
    pub fn recover(self, policy: &str) -> Self {
        Self { more: format!("recover = \"{policy}\"\n"), ..self }
    }
}

/// A job, as `despool jobs` shows it.
#[derive(Clone, Debug)]
pub struct Job(Value);

impl Job {
    /// Its state.
    pub fn state(&self) -> &str {
        self.0.get("state").and_then(Value::as_str).unwrap_or_default()
    }

    /// What was done about it when it was cut off; `None`: it was not.
    pub fn recovery(&self) -> Option<&str> {
        self.0.get("recovery").and_then(Value::as_str)
    }

    /// Bytes that may be on paper from before it was cut off.
    pub fn maybe_on_paper(&self) -> u64 {
        self.0.get("bytes_maybe_on_paper").and_then(Value::as_u64).unwrap_or_default()
    }
}

/// A server that runs in the guest. Dropping it kills it.
#[derive(Debug)]
pub struct Server<'a> {
    bench: &'a Bench,
    despool: String,
    serving: Running,
    configured: bool,
}

impl<'a> Server<'a> {
    /// Writes the configuration, and serves.
    pub fn start(bench: &'a Bench, stage: &Stage, queues: &[Queue]) -> Result<Self> {
        let mut text =
            format!("[server]\nstate_dir = \"{STATE}\"\n[listen]\nipp = \"127.0.0.1:8631\"\n");
        for Queue { name, port, more } in queues {
            text += &format!("[[printer]]\nname = \"{name}\"\nport = \"{port}\"\n{more}");
        }
        Self::serve(bench, stage, Some(&text))
    }

    /// Serves what is there, with no configuration.
    pub fn start_without_configuration(bench: &'a Bench, stage: &Stage) -> Result<Self> {
        Self::serve(bench, stage, None)
    }

    fn serve(bench: &'a Bench, stage: &Stage, config: Option<&str>) -> Result<Self> {
        let despool = program(stage);
        // It makes the guest's own /tmp within the host's files.
        bench.guest().run_host(&["/bin/true"])?;
        if let Some(text) = config {
            bench.guest().write(&format!("/host{CONFIG}"), text.as_bytes())?;
        }
        let serving = spawn(bench, &despool, config.is_some())?;
        let server = Self { bench, despool, serving, configured: config.is_some() };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    fn wait_until_it_listens(&self) -> Result<()> {
        let file = format!("/host{STATE}/listeners.json");
        let listens = self.bench.until("[ -e \"$0\" ]", &file, EVENT);
        listens.map_err(|error| {
            let said = self.serving.so_far();
            Error::Unexpected(format!("{error}; despool says: {}", said.complaints()))
        })
    }

    /// Ends it in the middle of what it does, as a crash would, and starts it again.
    pub fn kill_and_restart(self) -> Result<Self> {
        const KILL: i32 = 9;
        let Self { bench, despool, serving, configured } = self;
        serving.signal(KILL)?;
        serving.wait(EVENT)?;
        bench.guest().run(&["/bin/busybox", "rm", &format!("/host{STATE}/listeners.json")])?;
        let serving = spawn(bench, &despool, configured)?;
        let server = Self { bench, despool, serving, configured };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.serving.so_far().complaints()
    }

    /// Runs `despool` with these words to its end.
    pub fn run(&self, words: &[&str]) -> Result<Output> {
        self.spawn(words)?.wait(COMMAND)?.successful()
    }

    /// Starts `despool` with these words.
    pub fn spawn(&self, words: &[&str]) -> Result<Running> {
        let (command, words) = words.split_first().unwrap_or((&"help", &[]));
        let head = [self.despool.as_str(), command];
        let at = if self.configured { ["--config", CONFIG].as_slice() } else { &[] };
        self.bench.guest().spawn_host(&[&head, at, words].concat())
    }

    /// Submits a document, and gives its job's number.
    pub fn print(&self, printer: &str, content: &[u8]) -> Result<String> {
        self.bench.guest().write("/host/tmp/document", content)?;
        let output = self.run(&["print", "-p", printer, "/tmp/document"])?;
        Ok(output.text())
    }

    /// Waits until a job has come to this state.
    pub fn wait_for_state(&self, job: &str, state: &str, limit: Duration) -> Result<Job> {
        self.wait(job, state, limit, |found| found.state() == state)
    }

    /// Waits until a job is as wanted.
    pub fn wait_until(&self, job: &str, what: &str, wanted: impl Fn(&Job) -> bool) -> Result<Job> {
        self.wait(job, what, EVENT, wanted)
    }

    fn wait(
        &self,
        job: &str,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Job) -> bool,
    ) -> Result<Job> {
        let until = Instant::now() + limit;
        loop {
            let found = self.job(job)?;
            if wanted(&found) {
                return Ok(found);
            }
            let ended = ["completed", "canceled", "aborted"].contains(&found.state());
            if ended || Instant::now() >= until {
                let what = format!("job {job} does not become {what}: {found:?}\n{}", self.log());
                return Err(Error::TooLate { what, waited: limit });
            }
        }
    }

    /// A job.
    pub fn job(&self, id: &str) -> Result<Job> {
        let wanted = id.parse().ok();
        let all = lines(&self.run(&["jobs", "--all", "--json"])?)?;
        let found = all.into_iter().find(|job| job.get("id").and_then(Value::as_i64) == wanted);
        found.map(Job).ok_or_else(|| Error::Unexpected(format!("there is no job {id}")))
    }

    /// A printer, as `despool printers` shows it.
    pub fn printer(&self, name: &str) -> Result<Value> {
        let all = lines(&self.run(&["printers", "--json"])?)?;
        let found = all.into_iter().find(|it| it.get("name").is_some_and(|it| it == name));
        found.ok_or_else(|| Error::Unexpected(format!("there is no printer {name}")))
    }

    /// Waits until a printer's reasons have this one, or have it no more.
    pub fn wait_for_reason(&self, printer: &str, reason: &str, there: bool) -> Result<()> {
        let until = Instant::now() + EVENT;
        loop {
            let found = self.printer(printer)?;
            let reasons = found.get("reasons").and_then(Value::as_array);
            let mut reasons = reasons.into_iter().flatten().filter_map(Value::as_str);
            if reasons.any(|it| it.starts_with(reason)) == there {
                return Ok(());
            }
            if Instant::now() >= until {
                let what = format!("{reason} of {printer} is not {there}: {found}\n{}", self.log());
                return Err(Error::TooLate { what, waited: EVENT });
            }
        }
    }

    /// Ends it as systemd does, and sees that it goes of itself.
    pub fn stop(self) -> Result<String> {
        const TERMINATE: i32 = 15;
        self.serving.signal(TERMINATE)?;
        let ended = self.serving.wait(EVENT)?;
        let said = ended.complaints();
        holds(&format!("the server ends well: {said}"), ended.status == 0)?;
        Ok(said)
    }
}

fn program(stage: &Stage) -> String {
    stage.despool.to_string_lossy().into_owned()
}

fn spawn(bench: &Bench, despool: &str, configured: bool) -> Result<Running> {
    let words: &[&str] = if configured { &["--config", CONFIG] } else { &["--state-dir", STATE] };
    bench.guest().spawn_host(&[&[despool, "serve"], words].concat())
}

/// The ports of the guest, as `despool ports` shows them.
pub fn ports(bench: &Bench, stage: &Stage) -> Result<Vec<Value>> {
    lines(&bench.guest().run_host(&[program(stage).as_str(), "ports", "--json"])?)
}

/// The only port whose URI begins so.
pub fn port(bench: &Bench, stage: &Stage, scheme: &str) -> Result<String> {
    let all = ports(bench, stage)?;
    let uris = all.iter().filter_map(|port| port.get("uri")?.as_str());
    let mut fitting = uris.filter(|uri| uri.starts_with(scheme));
    match (fitting.next(), fitting.next()) {
        (Some(uri), None) => Ok(uri.to_owned()),
        _ => Err(Error::Unexpected(format!("not one port is {scheme}…: {all:?}"))),
    }
}

fn lines(output: &Output) -> Result<Vec<Value>> {
    let parsed = |line: &str| {
        serde_json::from_str(line)
            .map_err(|error| Error::Unexpected(format!("`{line}` is no JSON: {error}")))
    };
    output.text().lines().map(parsed).collect()
}
