//! The `despool` command in the hands of an operator: what each command does, its exit status, its JSON, its errors.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::document;
use support::process::{Ended, end_of, run};
use support::server::{Server, despool};
use support::sink::{self, Sink};
use support::site::{Setup, Site};

struct Office {
    label: Sink,
    laser: Sink,
    server: Server,
    site: Site,
}

fn office() -> Office {
    let (label, laser) = (Sink::start(), Sink::start());
    let setup = Setup::new()
        .printer("label", &label.uri(), "info = \"Labels\"; location = \"Dock 4\"")
        .printer("laser", &laser.uri(), "");
    let site = Site::with(&setup);
    let server = site.start();
    Office { label, laser, server, site }
}

impl Office {
    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        self.server.cli(arguments).ok()
    }

    /// Submits; the job's number, as it was printed.
    #[track_caller]
    fn print(&self, arguments: &[&str], input: &[u8]) -> String {
        let arguments = [&["print"], arguments, &["-"]].concat();
        let said = self.server.cli_with(&arguments, input).ok();
        let number = said.strip_suffix('\n').unwrap().to_owned();
        assert!(number.parse::<i32>().is_ok_and(|number| number > 0), "{said:?}");
        number
    }

    #[track_caller]
    fn job(&self, number: &str) -> Value {
        let jobs = self.server.cli(&["jobs", "--all", "--json"]).json();
        let number: i32 = number.parse().unwrap();
        jobs.into_iter().find(|job| job["id"] == number).unwrap()
    }
}

/// One line on stderr that names the command and says this, and status 1.
#[track_caller]
fn fails(ended: &Ended, command: &str, says: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    let line = ended.stderr.strip_suffix('\n').unwrap();
    assert!(line.starts_with(&format!("despool {command}: ")), "{line}");
    assert!(!line.contains('\n') && line.contains(says), "{says}: {line}");
}

#[test]
fn print_and_what_it_takes() {
    let office = office();
    let dir = office.site.path("files");
    std::fs::create_dir(&dir).unwrap();
    let (one, two) = (dir.join("one.prn"), dir.join("two.prn"));
    std::fs::write(&one, document(1, 70_000)).unwrap();
    std::fs::write(&two, b"two").unwrap();
    let (one, two) = (one.to_str().unwrap(), two.to_str().unwrap());
    let job = office.done(&["print", "--wait", "-p", "laser", "-n", "2", one, two]);
    let job = office.job(job.trim_end());
    let both = [document(1, 70_000), b"two".to_vec()].concat().repeat(2);
    assert!(sink::documents(office.laser.ended(1))[0] == both, "both files, twice");
    let expected = json!({
        "printer": "laser", "title": "one.prn", "state": "completed", "copies": 2, "datatype": "RAW",
        "bytes_total": both.len(), "bytes_done": both.len(), "attempts": 1, "recovery": null
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&job[key], value, "{key}");
    }

    let held = office.print(&["--hold", "-t", "a title", "--priority", "90"], b"held");
    let job = office.job(&held);
    assert_eq!((&job["printer"], &job["state"]), (&json!("label"), &json!("pending-held")));
    assert_eq!((&job["title"], &job["priority"]), (&json!("a title"), &json!(90)));
    office.print(&["--wait", "--datatype", "TEXT"], b"a\nb");
    assert_eq!(sink::documents(office.label.ended(1)), [b"a\r\nb\x0c"]);
    let waits = office.server.cli(&["print", "--wait", "-p", "nowhere", one]);
    fails(&waits, "print", "there is no printer \"nowhere\"");
    let missing = office.server.cli(&["print", "/no/such/file"]);
    fails(&missing, "print", "/no/such/file: No such file or directory (os error 2); name a file");
    fails(&office.server.cli(&["print", "/"]), "print", "is a directory");
}

#[test]
fn print_wait_fails_where_the_job_is_not_printed() {
    let office = office();
    office.done(&["pause", "label"]);
    let (server, mut command) = (&office.server, despool());
    command.args(["print", "--wait", "-", "--server", &server.address().to_string()]);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || run(&mut command));
        let job = server.until("the job", || server.ipp().jobs("not-completed").pop());
        let number = support::ipp::id_of(&job).to_string();
        office.done(&["cancel", &number]);
        let ended = waiting.join().unwrap();
        assert_eq!((ended.code, ended.stdout), (1, format!("{number}\n")));
        assert!(ended.stderr.contains("canceled"), "{}", ended.stderr);
    });
}

#[test]
fn printers_and_jobs_in_tables_and_in_json() {
    let office = office();
    office.done(&["pause", "label"]);
    office.done(&["reject", "laser"]);
    let job = office.print(&["-t", "a label"], b"12345");
    let printers = office.server.cli(&["printers", "--json"]).json();
    let expected = json!({
        "name": "label", "state": "stopped", "reasons": ["paused"], "message": "", "accepting": true,
        "queued": 1, "port": office.label.uri(), "info": "Labels", "location": "Dock 4",
        "uri": format!("ipp://{}/printers/label", office.server.address()),
        "model": "despool raw printer", "default": true,
    });
    assert_eq!(printers[0], expected);
    assert_eq!(
        (&printers[1]["accepting"], &printers[1]["default"]),
        (&json!(false), &json!(false))
    );
    let table = office.done(&["printers"]);
    assert!(table.lines().next().unwrap().starts_with("PRINTER"), "{table}");
    assert!(table.contains("paused") && table.lines().count() == 3, "{table}");

    let jobs = office.server.cli(&["jobs", "--json", "-p", "label"]).json();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0]["id"].to_string(), job);
    assert_eq!((&jobs[0]["state"], &jobs[0]["bytes_total"]), (&json!("pending"), &json!(5)));
    assert!(jobs[0]["submitted"].as_str().unwrap().ends_with('Z'), "{}", jobs[0]);
    let table = office.done(&["jobs"]);
    assert!(table.contains("a label") && table.lines().count() == 2, "{table}");
    assert_eq!(office.server.cli(&["jobs", "--json", "-p", "laser"]).json().len(), 0);
    fails(&office.server.cli(&["jobs", "-p", "nowhere"]), "jobs", "nowhere");
}

#[test]
fn jobs_are_canceled_held_released_moved_and_printed_again() {
    let office = office();
    office.done(&["pause", "label"]);
    let [one, two, three] = [b"one", b"two", b"3rd"].map(|document| office.print(&[], document));
    office.done(&["hold", &one, &two]);
    for held in [&one, &two] {
        assert_eq!(office.job(held)["state"], "pending-held");
    }
    office.done(&["release", &two]);
    office.done(&["cancel", &three]);
    assert_eq!(office.job(&three)["state"], "canceled");
    office.done(&["move", &two, "laser"]);
    assert_eq!(sink::documents(office.laser.ended(1)), [b"two"]);
    office.server.job_is(two.parse().unwrap(), "completed");
    office.done(&["reprint", &two]);
    assert_eq!(sink::documents(office.laser.ended(2)), [b"two", b"two"]);
    // What cannot be done to one is done to the others all the same.
    let some = office.server.cli(&["cancel", "4711", &one, &three]);
    fails(&some, "cancel", "job 4711: there is no such job; job 3 is canceled");
    assert_eq!(office.job(&one)["state"], "canceled");
    fails(&office.server.cli(&["release", &two]), "release", "it cannot be released");
    fails(&office.server.cli(&["hold", &two]), "hold", "it cannot be held");
    fails(&office.server.cli(&["move", &two, "label"]), "move", "it cannot be moved");
    fails(&office.server.cli(&["reprint", "4711"]), "reprint", "4711");
    fails(&office.server.cli(&["move", &one, "nowhere"]), "move", "nowhere");
}

#[test]
fn the_jobs_of_a_printer_that_is_gone_say_so_and_can_be_moved() {
    let mut office = office();
    office.done(&["pause", "label"]);
    let job = office.print(&[], b"left behind");
    office.site.configure(&Setup::new().printer("laser", &office.laser.uri(), ""));
    office.server.reload();
    let left = office.job(&job);
    let message = left["message"].as_str().unwrap();
    assert!(message.contains("\"label\" is not configured any more; move the job"), "{left}");
    office.done(&["move", &job, "laser"]);
    assert_eq!(sink::documents(office.laser.ended(1)), [b"left behind"]);
}

#[test]
fn a_direct_printer_refuses_what_needs_the_spool() {
    let sink = Sink::start();
    let site = Site::with(&Setup::new().printer("label", &sink.uri(), "direct = true"));
    let server = site.start();
    for option in [&["--hold"][..], &["-n", "2"]] {
        let refused = server.cli_with(&[&["print", "-"], option].concat(), b"once");
        fails(&refused, "print", "past the spool: one copy only, no hold, and no reprint");
    }
    server.cli_with(&["print", "-"], b"once").ok();
    assert_eq!(sink::documents(sink.ended(1)), [b"once"]);
}

#[test]
fn a_large_document_that_is_refused_is_refused_with_the_reason() {
    const LARGE: u64 = 300 << 20;
    let setup =
        Setup::new().spool("max_job_bytes = \"1MiB\"").printer("label", "file:/dev/null", "");
    let site = Site::with(&setup);
    let server = site.start();
    let large = site.path("large");
    std::fs::File::create(&large).unwrap().set_len(LARGE).unwrap();
    let large = large.to_str().unwrap();
    fails(&server.cli(&["print", large]), "print", "larger than 1048576 bytes (max_job_bytes)");
    // The same where the server cannot know before.
    let unknown = server.cli(&["print", large, "/dev/null"]);
    fails(&unknown, "print", "larger than 1048576 bytes (max_job_bytes)");
    assert_eq!(server.nameless_documents(), 0);
}

#[test]
fn whoever_has_read_enough_breaks_nothing() {
    let office = office();
    let config = office.site.config();
    for command in [&["printers"][..], &["jobs", "--json"], &["check"], &["print", "/dev/null"]] {
        let mut command_line = despool();
        command_line.args(command).arg("--config").arg(&config);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = command_line.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(end_of(&mut child, command[0]).success(), "{command:?}: {said}");
        assert_eq!(said, "", "{command:?}");
    }
}

#[test]
fn printers_are_paused_resumed_and_closed_to_new_jobs_and_stay_so() {
    let office = office();
    office.done(&["pause", "label"]);
    office.done(&["reject", "LASER"]);
    let refused = office.server.cli(&["print", "-p", "laser", "-"]);
    fails(&refused, "print", "`despool accept laser` changes that");
    let job = office.print(&[], b"waits");
    for command in ["pause", "resume", "accept", "reject"] {
        fails(&office.server.cli(&[command, "nowhere"]), command, "nowhere");
    }
    office.server.kill();
    let server = office.site.start();
    let state = |name: &str, key: &str| {
        let printers = server.cli(&["printers", "--json"]).json();
        printers.into_iter().find(|printer| printer["name"] == name).unwrap()[key].clone()
    };
    assert_eq!(state("label", "state"), "stopped");
    assert_eq!(state("laser", "accepting"), false);
    assert!(office.label.connections().is_empty());
    server.cli(&["resume", "label"]).ok();
    server.cli(&["accept", "laser"]).ok();
    server.job_is(job.parse().unwrap(), "completed");
    assert_eq!(state("laser", "accepting"), true);
}

#[test]
fn demo_bench_ports_and_check_need_no_server() {
    let site = Site::new();
    let file = site.path("document");
    std::fs::write(&file, document(1, 100_000)).unwrap();
    let demo = run(despool().arg("demo").arg(&file)).ok();
    assert!(demo.contains("100000"), "{demo}");
    let bench = |port: &str| {
        run(despool().args(["bench", port, "--size", "256KiB", "--runs", "1", "--json"]))
    };
    let printed = site.path("printed");
    let lines = bench(&format!("file:{}", printed.display())).json();
    assert!(!lines.is_empty());
    assert_eq!(std::fs::metadata(printed).unwrap().len(), 2 * 256 * 1024, "plain, and despooled");
    run(despool().arg("ports")).ok();
    for port in run(despool().args(["ports", "--json"])).json() {
        assert!(port["uri"].as_str().unwrap().contains(':'), "{port}");
    }
    site.configure(&Setup::new().printer("label", "file:/dev/null", ""));
    let good = run(despool().arg("check").arg("--config").arg(site.config())).ok();
    assert!(good.contains("good, 1 printer"), "{good}");
}

#[test]
fn wrong_usage_is_status_2_and_help_is_0() {
    let wrong: [&[&str]; 20] = [
        &[],
        &["prnt"],
        &["print"],
        &["print", "-n", "0", "x"],
        &["print", "--priority", "101", "x"],
        &["print", "--datatype", "EMF", "x"],
        &["printers", "extra"],
        &["jobs", "--nonsense"],
        &["cancel"],
        &["cancel", "x"],
        &["hold", "0"],
        &["release", "-1"],
        &["reprint"],
        &["move", "1"],
        &["pause"],
        &["resume"],
        &["accept", "a", "b"],
        &["reject"],
        &["bench", "nonsense:"],
        &["serve", "--port", "1"],
    ];
    for arguments in wrong {
        let ended = run(despool().args(arguments));
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}: {ended:?}");
        let one_line = ended.stderr.starts_with("despool: ") && ended.stderr.lines().count() == 1;
        assert!(one_line || arguments.is_empty(), "{arguments:?}: {}", ended.stderr);
    }
    for arguments in [["--help"], ["--version"], ["help"]] {
        assert!(run(despool().args(arguments)).ok().contains("despool"));
    }
    let commands = ["serve", "demo", "print", "printers", "jobs", "cancel", "hold", "release"];
    let more =
        ["reprint", "move", "pause", "resume", "accept", "reject", "ports", "bench", "check"];
    for command in commands.into_iter().chain(more) {
        assert!(run(despool().args([command, "--help"])).ok().contains("Usage:"), "{command}");
    }
}

#[test]
fn every_command_takes_a_server_and_those_without_one_take_this_machine() {
    let site = Site::new();
    site.configure(&Setup::new().printer("label", "file:/dev/null", ""));
    let config = site.config();
    let config = config.to_str().unwrap();
    for command in [
        &["ports"][..],
        &["check"],
        &["bench", "file:/dev/null", "--size", "1KiB"],
        &["user", "list"],
    ] {
        let with = |server: &str| {
            run(despool().args(command).args(["--server", server, "--config", config]))
        };
        with("127.0.0.1:631").ok();
        with("[::1]:631").ok();
        fails(&with("printsrv:631"), command[0], "run it there");
    }
}

#[test]
fn the_server_is_found_by_address_or_by_its_configuration() {
    let office = office();
    let by = |prepare: &dyn Fn(&mut Command) -> &mut Command| {
        let mut command = despool();
        prepare(command.args(["printers", "--json"]));
        run(&mut command)
    };
    let config = office.site.config();
    let config: &Path = &config;
    assert_eq!(by(&|command| command.arg("--config").arg(config)).json().len(), 2);
    assert_eq!(by(&|command| command.env("DESPOOL_CONFIG", config)).json().len(), 2);
    let address = office.server.address().to_string();
    assert_eq!(by(&|command| command.args(["--server", &address])).json().len(), 2);
    drop(office.server);
    let nobody = by(&|command| command.args(["--server", &address]));
    fails(&nobody, "printers", "no server answers there");
    let silent = by(&|command| command.args(["--config", "/no/such/file"]));
    fails(&silent, "printers", "/no/such/file");
}
