//! Debian's `lp`, `lpstat`, `lpq` and `cancel` (packages cups-client, cups-bsd), unchanged, and CUPS's own conformance suite
//! for IPP/1.1 (cups-ipp-utils): all they know of us is `-h 127.0.0.1:PORT`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::process::{Ended, run_with};
use support::server::Server;
use support::sink::{self, Sink};
use support::site::{Setup, Site};
use support::{document, tiers};

const CUPS: &str = "usr/share/cups/ipptool";

/// A server with two network printers, `label` (the default) and `laser`.
struct Office {
    site: Site,
    server: Server,
    label: Sink,
    laser: Sink,
}

impl Office {
    fn open() -> Self {
        let (label, laser) = (Sink::start(), Sink::start());
        let setup =
            Setup::new().printer("label", &label.uri(), "").printer("laser", &laser.uri(), "");
        let site = Site::with(&setup);
        let server = site.start();
        Self { site, server, label, laser }
    }

    /// Runs one of CUPS's programs against this server: `lp -d laser`.
    #[track_caller]
    fn run(&self, line: &str, input: &[u8]) -> Ended {
        let mut words = line.split_whitespace();
        let program = words.next().unwrap();
        let mut command =
            clean(Command::new(tiers::program(program)), self.site.path("").as_path());
        command.args(["-h", &self.server.address().to_string()]).args(words);
        run_with(&mut command, input)
    }

    /// The same; it must succeed. What it says.
    #[track_caller]
    fn say(&self, line: &str) -> String {
        self.run(line, b"").ok()
    }

    /// The same; it must fail. What it complains of.
    #[track_caller]
    fn refused(&self, line: &str) -> String {
        let ended = self.run(line, b"");
        assert_eq!(ended.code, 1, "{line}: {ended:?}");
        ended.stderr
    }

    /// Writes a file of the user's; its name.
    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.site.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }
}

/// A user without habits.
fn clean(mut command: Command, home: &Path) -> Command {
    for habit in ["CUPS_SERVER", "IPP_PORT", "LPDEST", "PRINTER"] {
        command.env_remove(habit);
    }
    command.current_dir(home).env("HOME", home).env("LC_ALL", "C").env("USER", "tester");
    command
}

#[test]
fn lp_says_why_a_large_document_is_refused() {
    if !tiers::asked("foreign", "lp_says_why_a_large_document_is_refused") {
        return;
    }
    let mut office = Office::open();
    let setup = Setup::new().spool("max_job_bytes = \"1MiB\"");
    office.site.configure(&setup.printer("label", &office.label.uri(), ""));
    office.server.reload();
    let large = office.file("large", b"");
    std::fs::File::options().write(true).open(&large).unwrap().set_len(300 << 20).unwrap();
    let why = office.refused(&format!("lp -d label {large}"));
    assert!(why.contains("larger than 1048576 bytes (max_job_bytes)"), "{why}");
}

#[test]
fn lp_prints_what_it_is_given() {
    if !tiers::asked("foreign", "lp_prints_what_it_is_given") {
        return;
    }
    let office = Office::open();
    let (first, second) = (document(1, 3000), document(2, 300_000));
    let (a, b) = (office.file("a", &first), office.file("b", &second));
    assert_eq!(office.say(&format!("lp {a}")), "request id is label-1 (1 file(s))\n");
    assert_eq!(office.say(&format!("lp -d laser {b}")), "request id is laser-2 (1 file(s))\n");
    let titled = office.say(&format!("lp -d laser -n 2 -t parcels -q 80 -o raw {a}"));
    assert_eq!(titled, "request id is laser-3 (1 file(s))\n");
    assert_eq!(office.say(&format!("lp {a} {b}")), "request id is label-4 (2 file(s))\n");
    let piped = office.run("lp -d label", &second).ok();
    assert_eq!(piped, "request id is label-5 (0 file(s))\n");
    for job in 1..=5 {
        office.server.job_is(job, "completed");
    }
    let both = [first.as_slice(), &second].concat();
    assert!(sink::documents(office.label.ended(3)) == [first.clone(), both, second.clone()]);
    let twice = first.repeat(2);
    assert!(sink::documents(office.laser.ended(2)).concat() == [second, twice].concat());
    let told = office.server.ipp().job(3);
    assert_eq!(support::ipp::text_of(&told, "job-name"), "parcels");
    assert_eq!(told.integer("job-priority").unwrap(), Some(80));
}

#[test]
fn lpstat_and_lpq_tell_what_there_is() {
    if !tiers::asked("foreign", "lpstat_and_lpq_tell_what_there_is") {
        return;
    }
    let office = Office::open();
    assert_eq!(office.say("lpstat -r"), "scheduler is running\n");
    assert_eq!(office.say("lpstat -d"), "system default destination: label\n");
    assert_eq!(office.say("lpstat -e"), "label\nlaser\n");
    let devices = office.say("lpstat -v");
    assert!(devices.contains(&format!("device for laser: {}", office.laser.uri())), "{devices}");
    let accepting = office.say("lpstat -a");
    assert!(accepting.contains("label accepting requests"), "{accepting}");

    office.laser.stall_at(10_000);
    let big = office.file("big", &document(1, 3_000_000));
    office.say(&format!("lp -d laser {big}"));
    office.say(&format!("lp -d laser -H hold {big}"));
    office.laser.took(10_000);
    office.server.job_is(1, "processing");
    let printers = office.say("lpstat -p laser");
    assert!(printers.starts_with("printer laser now printing laser-1."), "{printers}");
    let jobs = office.say("lpstat -o");
    let ids: Vec<&str> = jobs.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(ids, ["laser-1", "laser-2"], "{jobs}");
    let queue = office.say("lpq -P laser");
    assert!(queue.starts_with("laser is ready and printing\n"), "{queue}");
    assert!(
        queue.lines().any(|line| line.starts_with("active ") && line.contains(" 1       big")),
        "{queue}"
    );
    assert_eq!(office.say("lpq -P label"), "label is ready\nno entries\n");
    assert!(office.say("lpq -a").lines().count() >= 3);

    office.laser.go_on();
    office.server.job_is(1, "completed");
    let completed = office.say("lpstat -W completed -o laser");
    assert!(completed.starts_with("laser-1 ") && completed.lines().count() == 1, "{completed}");
    assert!(office.say("lpstat -t").contains("printer label is idle."));
}

#[test]
fn jobs_are_held_resumed_and_canceled() {
    if !tiers::asked("foreign", "jobs_are_held_resumed_and_canceled") {
        return;
    }
    let office = Office::open();
    let file = office.file("a", b"one");
    for _ in 0..4 {
        office.say(&format!("lp -H hold {file}"));
    }
    assert_eq!(office.say("lp -i label-1 -H resume"), "");
    office.server.job_is(1, "completed");
    assert_eq!(office.say("cancel label-2"), "");
    assert_eq!(office.say("cancel 3"), "");
    assert_eq!(office.say("lp -i 4 -q 90"), "");
    assert_eq!(office.say("lpstat -o").lines().count(), 1);
    assert_eq!(office.say("cancel -a laser"), "");
    assert_eq!(office.say("lpstat -o").lines().count(), 1, "that was another printer's");
    assert_eq!(office.say("cancel label"), "");
    assert_eq!(office.say("lpstat -o"), "");
    assert!(office.refused("cancel label").contains("there is no job"));
    office.say(&format!("lp -H hold {file}"));
    office.say(&format!("lp -H hold -d laser {file}"));
    assert_eq!(office.say("cancel -a label"), "");
    assert_eq!(office.say("lpstat -o").lines().count(), 1);
    assert_eq!(office.say("cancel -a"), "");
    office.say(&format!("lp -H hold {file}"));
    assert_eq!(office.say("lprm -"), "");
    for job in 2..=7 {
        office.server.job_is(job, "canceled");
    }
    assert_eq!(office.say("lp -i 1 -H restart"), "");
    office.server.job_is(1, "completed");
    assert_eq!(sink::documents(office.label.ended(2)), [b"one", b"one"]);
}

#[test]
fn a_printer_is_stopped_with_a_reason_that_everybody_reads() {
    if !tiers::asked("foreign", "a_printer_is_stopped_with_a_reason_that_everybody_reads") {
        return;
    }
    let mut office = Office::open();
    let file = office.file("a", b"one");
    assert_eq!(office.say("cupsdisable -r ribbon-ordered label"), "");
    office.say(&format!("lp {file}"));
    let printers = |office: &Office| office.say("lpstat -p label");
    assert!(printers(&office).contains("label disabled"), "{}", printers(&office));
    assert!(printers(&office).contains("ribbon-ordered"), "{}", printers(&office));
    assert!(office.server.terminate().success());
    office.server = office.site.start();
    assert!(printers(&office).contains("ribbon-ordered"), "{}", printers(&office));
    assert_eq!(office.say("cupsenable label"), "");
    office.server.job_is(1, "completed");
    assert!(!printers(&office).contains("ribbon-ordered"), "{}", printers(&office));
    assert_eq!(office.say("cupsreject -r moving-house label"), "");
    assert!(office.refused(&format!("lp {file}")).contains("label"));
    assert!(office.say("lpstat -a").contains("moving-house"), "{}", office.say("lpstat -a"));
}

#[test]
fn what_cannot_be_done_is_refused_with_the_reason() {
    if !tiers::asked("foreign", "what_cannot_be_done_is_refused_with_the_reason") {
        return;
    }
    let office = Office::open();
    let file = office.file("a", b"one");
    let unknown = office.refused(&format!("lp -d nosuch {file}"));
    assert!(unknown.contains("does not exist"), "{unknown}");
    assert!(office.refused("cancel 99").contains("no such job"));
    office.say(&format!("lp {file}"));
    office.server.job_is(1, "completed");
    assert!(office.refused("cancel label-1").contains("completed"));
    office.server.cli(&["reject", "label"]).ok();
    assert!(office.refused(&format!("lp {file}")).contains("does not accept jobs"));
    let stopped = office.say("lpstat -a label");
    assert!(stopped.starts_with("label not accepting requests"), "{stopped}");
    office.server.cli(&["pause", "laser"]).ok();
    let stopped = office.say("lpstat -p laser");
    assert!(stopped.starts_with("printer laser disabled"), "{stopped}");
    assert_eq!(office.label.ended(1).len(), 1);
}

#[test]
fn cupss_own_suite_for_ipp_1_1_passes() {
    if !tiers::asked("foreign", "cupss_own_suite_for_ipp_1_1_passes") {
        return;
    }
    let office = Office::open();
    // It wants documents beside it that Debian does not ship.
    let suite: PathBuf = office.site.path("ipp-1.1.test");
    std::fs::copy(tiers::program(&format!("{CUPS}/ipp-1.1.test")), &suite).unwrap();
    let text = std::fs::read_to_string(&suite).unwrap();
    for wanted in text.lines().filter_map(|line| line.trim().strip_prefix("FILE ")) {
        if !wanted.contains('$') {
            office.file(wanted, b"%PDF-1.4\n");
        }
    }
    let printed = office.file("document", &document(1, 20_000));
    let mut command = clean(Command::new(tiers::program("ipptool")), &office.site.path(""));
    let uri = format!("ipp://{}/printers/label", office.server.address());
    command.args(["-t", "-f", &printed, &uri]).arg(&suite);
    let ended = run_with(&mut command, b"");
    assert!(ended.code == 0 && ended.stdout.contains(" 0 failed,"), "{ended:?}");
    let ran = ended.stdout.lines().filter(|line| line.ends_with("[PASS]")).count();
    assert!(ran >= 30, "{ran} of its tests ran:\n{}", ended.stdout);
}
