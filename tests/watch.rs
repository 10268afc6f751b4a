//! `despool watch` against `despool serve`: what scripts and people see of a server by [MS-PAN].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;
use support::control::Control;
use support::log::Log;
use support::process::{self, Ended, end_of};
use support::server::{Server, despool};
use support::site::{Setup, Site, sim};

/// A `despool watch --json` that runs. Killed where it is dropped.
struct Watching {
    child: Child,
    stdin: Option<ChildStdin>,
    said: Log,
}

impl Watching {
    fn start(arguments: &[&str], input: &str) -> Self {
        let mut command = despool();
        command.args(["watch", "--json"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let said = Log::read(child.stdout.take().unwrap());
        let stdin = child.stdin.take();
        let mut watching = Self { child, stdin, said };
        watching.write(input);
        watching
    }

    /// Of the server at this site, by its secret.
    fn local(site: &Site, arguments: &[&str]) -> Self {
        let config = site.config();
        let mut all = vec!["--config", config.to_str().unwrap()];
        all.extend(arguments);
        Self::start(&all, "")
    }

    fn write(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Waits for something like that, and gives it.
    #[track_caller]
    fn next(&self, after: usize, wanted: impl Fn(&Value) -> bool) -> Value {
        let line = self.said.wait_for(after, |line| wanted(&parse(line)));
        parse(&line)
    }

    #[track_caller]
    fn event(&self, after: usize, event: &str) -> Value {
        self.next(after, |line| line["event"] == event)
    }

    /// Waits until so many subscriptions are registered.
    #[track_caller]
    fn registered(self, count: usize) -> Self {
        // Nothing else is told before.
        for after in 0..count {
            self.event(after, "registered");
        }
        self
    }

    #[track_caller]
    fn end(mut self) {
        process::signal(&self.child, Signal::TERM);
        assert!(end_of(&mut self.child, "despool watch").success());
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

const RPC: &str = "rpc = \"127.0.0.1:0\"\nepm = \"127.0.0.1:0\"";

fn setup(site: &Site) -> Setup {
    Setup::new().listen(RPC).printer("laser", &sim(site, "pjl", "laser"), "language = \"pjl\"")
}

fn printing(server: &Server, user: &str) -> i32 {
    let mut command = despool();
    command.args([
        "print",
        "-p",
        "laser",
        "-t",
        "letter",
        "--server",
        &server.address().to_string(),
    ]);
    command.arg("-").env("LOGNAME", user);
    let said = process::run_with(&mut command, b"a letter").ok();
    said.split_whitespace().find_map(|word| word.parse().ok()).unwrap()
}

fn is_balloon(line: &Value, title: &str) -> bool {
    line["event"] == "notification" && line["data"]["title"] == title
}

#[test]
fn a_job_on_its_way() {
    let site = Site::new();
    site.configure(&setup(&site));
    let server = site.start();
    let secret = std::fs::metadata(site.state_dir().join("local-credential")).unwrap();
    assert_eq!(secret.permissions().mode() & 0o7777, 0o600);
    let everything = Watching::local(&site, &["laser"]).registered(5);
    let jobs = Watching::local(&site, &["--type", "job"]).registered(1);
    let id = printing(&server, "ann");
    for watching in [&everything, &jobs] {
        let done = watching
            .next(0, |line| line["type"] == "job" && line["data"]["job"]["state"] == "completed");
        assert_eq!(done["guid"], "5d1c0b52-8f0e-4d55-9b3a-6d1f3c7a1e01");
        assert_eq!(done["data"]["job"]["id"], id);
        assert_eq!(done["data"]["job"]["bytes_done"], 8);
        assert_eq!(done["style"], "unidirectional");
    }
    // The server's administrator sees what is for ann.
    let printed = everything.next(0, |line| is_balloon(line, "Document printed"));
    assert_eq!(printed["data"]["kind"], "balloon");
    assert_eq!(printed["printer"], "laser");
    assert_eq!(jobs.event(0, "registered")["printer"], Value::Null);
    everything.end();
    jobs.end();
    let state = site.state_dir();
    assert!(server.terminate().success());
    assert!(!state.join("local-credential").exists() && !state.join("listeners.json").exists());
}

#[test]
fn a_question_is_left_by_one_and_answered_by_another() {
    let site = Site::new();
    site.configure(&setup(&site));
    let server = site.start();
    let mut control = Control::open(&server, &site.path("laser"));
    control.tell("paper-out on");
    let asked = ["laser", "--type", "asyncui", "--bidi"];
    let mut first = Watching::local(&site, &asked).registered(2);
    let mut second = Watching::local(&site, &asked).registered(2);
    let unasked = Watching::local(&site, &["laser", "--type", "asyncui"]).registered(1);
    let job = printing(&server, "ann");
    for watching in [&first, &second] {
        let question = watching.event(0, "question");
        assert_eq!(question["style"], "bidirectional");
        assert_eq!(question["data"]["kind"], "message-box");
        assert_eq!(question["data"]["title"], "Printer out of paper");
        let labels: Vec<&Value> =
            question["data"]["buttons"].as_array().unwrap().iter().map(|b| &b["label"]).collect();
        assert_eq!(labels, ["OK", "Cancel"]);
    }
    first.write("\n");
    assert_eq!(first.event(0, "given-up")["question"], 1);
    second.write("7\n1 cancel\n");
    let answered = second.event(0, "answered");
    assert_eq!((&answered["question"], &answered["answer"]), (&1.into(), &"2 Cancel".into()));
    server.job_is(job, "canceled");
    unasked.next(0, |line| is_balloon(line, "Document canceled"));
    // One who is too late hears it.
    let job = printing(&server, "ann");
    let after = first.said.len();
    let both = |line: &Value| line["event"] == "question" && line["question"] == 2;
    first.next(0, both);
    second.next(0, both);
    second.write("2 ok\n");
    second.next(0, |line| line["event"] == "answered" && line["question"] == 2);
    first.write("2\n");
    let late = first.event(after, "too-late");
    assert_eq!(late["question"], 2);
    control.tell("paper-out off");
    server.job_is(job, "completed");
    // The end of the input leaves what is asked to others.
    control.tell("paper-out on");
    printing(&server, "ann");
    first.next(0, |line| line["event"] == "question" && line["question"] == 3);
    drop(first.stdin.take());
    first.next(0, |line| line["event"] == "given-up" && line["question"] == 3);
    // A person who is gone is no answer.
    second.next(0, |line| line["event"] == "question" && line["question"] == 3);
    process::signal(&second.child, Signal::KILL);
    let mut third = Watching::local(&site, &asked).registered(2);
    third.event(0, "question");
    third.write("Cancel\n");
    third.event(0, "answered");
}

#[test]
fn it_comes_back_when_the_server_does() {
    let site = Site::new();
    site.configure(&setup(&site));
    let server = site.start();
    let watching = Watching::local(&site, &["laser", "--type", "job"]).registered(1);
    server.kill();
    let lost = watching.event(0, "lost");
    assert!(lost["pause_ms"].as_u64().unwrap() <= 1000, "{lost}");
    // Another port, and another secret.
    let mut server = site.start();
    let after = watching.said.len();
    watching.event(after.saturating_sub(1), "registered");
    printing(&server, "ann");
    watching.next(after, |line| line["data"]["job"]["state"] == "completed");
    // A reload that changes nothing there disturbs nobody.
    let before = server.listening.clone();
    server.reload();
    assert_eq!(server.listening, before);
    let after = watching.said.len();
    printing(&server, "ann");
    let first = watching.next(after, |_| true);
    assert_eq!(first["event"], "notification", "{first}");
    // One that takes the listener away, and gives it back.
    let after = watching.said.len();
    let port = sim(&site, "pjl", "laser");
    site.configure(&Setup::new().printer("laser", &port, "language = \"pjl\""));
    server.reload();
    assert_eq!((&server.listening["rpc"], &server.listening["epm"]), (&Value::Null, &Value::Null));
    watching.event(after, "lost");
    site.configure(&setup(&site));
    server.reload();
    assert!(server.listening["rpc"].is_string() && server.listening["epm"].is_string());
    watching.event(after, "registered");
    // A server that stops says so; that is no reason to give up either.
    let after = watching.said.len();
    assert!(server.terminate().success());
    let why = watching.event(after, "lost")["why"].as_str().unwrap().to_owned();
    assert!(why.contains("the server ended the wait"), "{why}");
    let mut server = site.start();
    watching.event(after, "registered");
    // The printer is taken away: nothing more will come.
    let after = watching.said.len();
    site.configure(&Setup::new().listen(RPC));
    server.reload();
    watching.event(after, "released");
    let mut watching = watching;
    assert!(end_of(&mut watching.child, "despool watch of a deleted printer").success());
}

/// Runs `despool watch` where it must fail; what it says.
#[track_caller]
fn fails(arguments: &[&str], input: &str) -> Ended {
    let mut command: Command = despool();
    let ended = process::run_with(command.arg("watch").args(arguments), input.as_bytes());
    assert_eq!((ended.code, &*ended.stdout), (1, ""), "{ended:?}");
    ended
}

#[test]
fn accounts_and_what_they_may_hear() {
    let site = Site::new();
    site.configure(&setup(&site));
    let mut server = site.start();
    let config = site.config();
    for name in ["ann", "bob"] {
        let mut command = despool();
        command.args(["user", "add", name, "--password-stdin", "--config"]).arg(&config);
        process::run_with(&mut command, format!("Secret.{name}\n").as_bytes()).ok();
    }
    let epm = server.listening["epm"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
    let mapped = |name| ["--server", "127.0.0.1", "--mapper-port", &epm, "--user", name];
    let rpc = server.listening["rpc"].as_str().unwrap().to_owned();
    let asyncui = ["--type", "asyncui", "--password-stdin"];
    let ann = [&mapped("ann")[..], &asyncui].concat();
    let bob = [&["--server", &rpc, "--user", "WORKGROUP\\BOB"][..], &asyncui].concat();
    let watching = [
        Watching::start(&ann, "Secret.ann\n").registered(1),
        Watching::start(&bob, "Secret.bob\n").registered(1),
    ];
    for user in ["ann", "bob"] {
        let id = printing(&server, user);
        server.job_is(id, "completed");
    }
    for (watching, id) in watching.iter().zip([1, 2]) {
        let balloon = watching.event(0, "notification");
        let body = balloon["data"]["body"].as_str().unwrap().to_owned();
        assert!(body.contains(&format!("(job {id})")), "{body}");
    }
    // Everybody's is for administrators, …
    let all = [&ann[..], &["--all-users"]].concat();
    let refused = fails(&all, "Secret.ann\n");
    assert!(refused.stderr.contains("administrator"), "{refused:?}");
    // … which configuration can make somebody.
    let admins = std::fs::read_to_string(&config).unwrap() + "[security]\nadmins = [\"ann\"]\n";
    std::fs::write(&config, admins).unwrap();
    server.reload();
    let epm = server.listening["epm"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
    let mut all = all;
    all[3] = &epm;
    Watching::start(&all, "Secret.ann\n").registered(1).end();
    let refused = fails(
        &[&["--server", server.listening["rpc"].as_str().unwrap(), "--user", "ann"][..], &asyncui]
            .concat(),
        "wrong\n",
    );
    assert!(refused.stderr.contains("account and password"), "{refused:?}");
    server.log.wait_for(0, |line| line.contains("an authentication is refused"));
    server.log.wait_for(0, |line| line.contains("a registration is refused"));
    let slip = fails(&[&all[..], &["labl"]].concat(), "Secret.ann\n");
    assert!(slip.stderr.contains("no such printer") && slip.stderr.contains("`despool printers`"));
    let unnamed = fails(&["--server", &rpc], "");
    assert!(unnamed.stderr.contains("--user"), "{unnamed:?}");
}

#[test]
fn wrong_usage() {
    for arguments in [&["--type", "balloons"][..], &["--password-stdin"], &["a", "b"]] {
        let mut command = despool();
        let ended = process::run(command.arg("watch").args(arguments));
        assert_eq!(ended.code, 2, "{ended:?}");
    }
}
