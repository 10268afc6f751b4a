//! despool in the guest, as an operator has it: a configuration file, `despool serve`, and the command line.

mod news;
mod record;

use std::time::Duration;

use serde_json::Value;

use super::Stage;
use super::check::holds;
use news::{About, News};
pub use record::{Job, Queue};

use crate::Bench;
use crate::error::{Error, Result};
use crate::limits::{COMMAND, EVENT};
use crate::patience::Patience;
use crate::vm::{Output, Running};

/// Where things lie for programs of the host; the bare guest has them below `/host`.
const CONFIG: &str = "/tmp/despool.toml";
const STATE: &str = "/tmp/state";

/// Where it logs to: by the bench's own line each word of it would cost the guest's processor more than it cost the server.
const LOG: &str = "/host/tmp/despool.log";

/// What the server is listened to for.
const TYPES: [[&str; 2]; 2] = [["--type", "job"], ["--type", "printer"]];

/// A server that runs in the guest. Dropping it kills it.
#[derive(Debug)]
pub struct Server<'a> {
    bench: &'a Bench,
    despool: String,
    serving: Running,
    news: News,
    configured: bool,
}

/// A server that was killed.
#[derive(Debug)]
pub struct Killed<'a> {
    bench: &'a Bench,
    despool: String,
    configured: bool,
}

impl<'a> Killed<'a> {
    /// Starts it again.
    pub fn restart(self) -> Result<Server<'a>> {
        Server::begin(self.bench, self.despool, self.configured)
    }
}

impl<'a> Server<'a> {
    /// Writes the configuration, and serves.
    pub fn start(bench: &'a Bench, stage: &Stage, queues: &[Queue]) -> Result<Self> {
        let mut text = format!(
            "[server]\nstate_dir = \"{STATE}\"\n[listen]\nipp = \"127.0.0.1:8631\"\nrpc = \"127.0.0.1:0\"\n"
        );
        queues.iter().for_each(|queue| text += &queue.section());
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
        Self::begin(bench, despool, config.is_some())
    }

    fn begin(bench: &'a Bench, despool: String, configured: bool) -> Result<Self> {
        let serving = start(bench, &words(&despool, "serve", configured, &[]))?;
        wait_until_it_listens(bench)?;
        let watch = [["--json"].as_slice(), TYPES.as_flattened()].concat();
        let watch = words(&despool, "watch", configured, &watch);
        let news = News::listen(bench.guest().spawn_host(&watch)?, TYPES.len())?;
        Ok(Self { bench, despool, serving, news, configured })
    }

    /// Ends it in the middle of what it does, as a crash would.
    pub fn kill(self) -> Result<Killed<'a>> {
        const KILL: i32 = 9;
        let Self { bench, despool, serving, configured, .. } = self;
        serving.signal(KILL)?;
        serving.wait(EVENT)?;
        bench.guest().run(&["/bin/busybox", "rm", &format!("/host{STATE}/listeners.json")])?;
        Ok(Killed { bench, despool, configured })
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        log(self.bench)
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
        self.print_copies(printer, content, 1)
    }

    /// The same, to be printed so often.
    pub fn print_copies(&self, printer: &str, content: &[u8], copies: u16) -> Result<String> {
        self.bench.guest().write("/host/tmp/document", content)?;
        let copies = copies.to_string();
        let output = self.run(&["print", "-p", printer, "-n", &copies, "/tmp/document"])?;
        Ok(output.text())
    }

    /// Waits until a job has come to this state, as far as it was told; asks where nothing is told.
    pub fn wait_for_state(&self, job: &str, state: &str, limit: Duration) -> Result<()> {
        let until = Patience::new(limit);
        loop {
            let told = self.news.wait_until(&About::Job(job), |last| ends_in(state, last));
            if told && self.news.state_of(job).as_deref() == Some(state) {
                return Ok(());
            }
            let found = self.job(job)?;
            if found.state() == state {
                return Ok(());
            }
            if has_ended(found.state()) || until.is_over() {
                let what = format!("job {job} does not become {state}: {found:?}\n{}", self.log());
                return Err(Error::TooLate { what, waited: limit });
            }
        }
    }

    /// Asks for a job until it is as wanted: whenever something was told, and now and then, since not all that can be seen of a
    /// job is told.
    pub fn wait_until(&self, job: &str, what: &str, wanted: impl Fn(&Job) -> bool) -> Result<Job> {
        let until = Patience::new(EVENT);
        loop {
            let changes = self.news.changes();
            let found = self.job(job)?;
            if wanted(&found) {
                return Ok(found);
            }
            if has_ended(found.state()) || until.is_over() {
                let what = format!("job {job} does not become {what}: {found:?}\n{}", self.log());
                return Err(Error::TooLate { what, waited: EVENT });
            }
            self.news.wait_for_change(changes);
        }
    }

    /// A job.
    pub fn job(&self, id: &str) -> Result<Job> {
        let wanted = id.parse().ok();
        let all = lines(&self.run(&["jobs", "--all", "--json"])?)?;
        let found = all.into_iter().find(|job| job.get("id").and_then(Value::as_i64) == wanted);
        found.map(Job).ok_or_else(|| Error::Unexpected(format!("there is no job {id}")))
    }

    /// All printers, as `despool printers` shows them.
    pub fn printers(&self) -> Result<Vec<Value>> {
        lines(&self.run(&["printers", "--json"])?)
    }

    /// One of them.
    pub fn printer(&self, name: &str) -> Result<Value> {
        let found =
            self.printers()?.into_iter().find(|it| it.get("name").is_some_and(|it| it == name));
        found.ok_or_else(|| Error::Unexpected(format!("there is no printer {name}")))
    }

    /// Waits until there is a printer of this name.
    pub fn wait_for_printer(&self, name: &str) -> Result<()> {
        let until = Patience::new(EVENT);
        loop {
            let changes = self.news.changes();
            match self.printer(name) {
                Err(Error::Unexpected(_)) if !until.is_over() => {
                    self.news.wait_for_change(changes);
                }
                found => return found.map(drop),
            }
        }
    }

    /// Waits until a printer's reasons have this one, or have it no more.
    pub fn wait_for_reason(&self, printer: &str, reason: &str, there: bool) -> Result<()> {
        let has = |reasons: &[String]| reasons.iter().any(|it| it.starts_with(reason)) == there;
        let until = Patience::new(EVENT);
        while !self.news.wait_until(&About::Printer(printer), has) {
            let found = self.printer(printer)?;
            let reasons = found.get("reasons").and_then(Value::as_array).into_iter().flatten();
            let words = reasons.filter_map(|it| it.as_str().map(str::to_owned));
            if has(&words.collect::<Vec<_>>()) {
                return Ok(());
            }
            if until.is_over() {
                let what = format!("{reason} of {printer} is not {there}: {found}\n{}", self.log());
                return Err(Error::TooLate { what, waited: EVENT });
            }
        }
        Ok(())
    }

    /// Ends it as systemd does, and sees that it goes of itself.
    pub fn stop(self) -> Result<String> {
        const TERMINATE: i32 = 15;
        self.serving.signal(TERMINATE)?;
        let ended = self.serving.wait(EVENT)?;
        let said = log(self.bench);
        holds(&format!("the server ends well: {said}"), ended.status == 0)?;
        Ok(said)
    }
}

fn program(stage: &Stage) -> String {
    stage.despool.to_string_lossy().into_owned()
}

/// `despool COMMAND`, with its configuration or its state.
fn words<'a>(
    despool: &'a str,
    command: &'a str,
    configured: bool,
    more: &[&'a str],
) -> Vec<&'a str> {
    let at: &[&str] = if configured { &["--config", CONFIG] } else { &["--state-dir", STATE] };
    [&[despool, command], at, more].concat()
}

/// Starts a program of the host that logs to [`LOG`].
fn start(bench: &Bench, words: &[&str]) -> Result<Running> {
    let script = format!("exec busybox chroot /host \"$@\" 2>> {LOG}");
    bench.guest().spawn(&[&["/bin/sh", "-c", &script, "sh"], words].concat())
}

fn log(bench: &Bench) -> String {
    let read = bench.guest().shell(&format!("busybox cat {LOG}"));
    read.map_or_else(|error| format!("its log cannot be read: {error}"), |log| log.text())
}

fn wait_until_it_listens(bench: &Bench) -> Result<()> {
    let file = format!("/host{STATE}/listeners.json");
    bench
        .until("[ -e \"$0\" ]", &file, EVENT)
        .map_err(|error| Error::Unexpected(format!("{error}; despool says: {}", log(bench))))
}

fn has_ended(state: &str) -> bool {
    ["completed", "canceled", "aborted"].contains(&state)
}

/// True if a job that is in this last state need not be waited for any more: it is in it, or will never be.
fn ends_in(state: &str, last: &[String]) -> bool {
    last.iter().any(|last| last == state || has_ended(last))
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
