//! `despool check`: every problem of a configuration is a line that names file, line, key, and what would be right.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use support::process::{Ended, run};
use support::server::despool;
use support::site::Site;

/// A printer that is right but for what follows.
macro_rules! printer {
    ($more:literal) => {
        concat!("[[printer]]\nname = \"label\"\nport = \"file:/dev/null\"\n", $more, "\n")
    };
}

/// A broken configuration: its text, the line and the key at fault, and what the message must say is right.
const BROKEN: [(&str, usize, &str, &str); 39] = [
    ("[server\nname = \"x\"\n", 1, "", ""),
    ("[server]\nname = printsrv\n", 2, "", ""),
    ("[sever]\n", 1, "sever", "did you mean `server`?"),
    ("[server]\nstate_dir = \"var/lib\"\n", 2, "server.state_dir", "begin with /"),
    ("[server]\nstate_dir = 5\n", 2, "server.state_dir", "write it in quotes"),
    ("[server]\nname = \"a\\\\b\"\n", 2, "server.name", "none of / \\"),
    ("[server]\nstop_grace = \"soon\"\n", 2, "server.stop_grace", "\"60s\""),
    ("[listen]\nipp = \"localhost\"\n", 2, "listen.ipp", "127.0.0.1:631"),
    ("[listen]\nipp = 631\n", 2, "listen.ipp", "write it in quotes"),
    ("[listen]\nhttp = \"127.0.0.1:99999\"\n", 2, "listen.http", "127.0.0.1:631"),
    ("[listen]\n\n\nidle_timeout = \"1 year\"\n", 4, "listen.idle_timeout", "\"60s\""),
    ("[spool]\nmax_job_bytes = \"4 gigs\"\n", 2, "spool.max_job_bytes", "\"4GiB\""),
    ("[spool]\nmin_free_bytes = 0.5\n", 2, "spool.min_free_bytes", "a number or a text"),
    ("[spool]\nmax_bytes = -1\n", 2, "spool.max_bytes", "not a size"),
    ("[spool]\nkeep_jobs = \"all\"\n", 2, "spool.keep_jobs", "a number of jobs"),
    ("[spool]\nkeep_for = 24\n", 2, "spool.keep_for", "write it in quotes"),
    ("[scheduler]\nio_pressure = \"120%\"\n", 2, "scheduler.io_pressure", "0% to 100%"),
    ("[scheduler]\njobs_per_controller = 0\n", 2, "scheduler.jobs_per_controller", "at least 1"),
    ("[printer]\nname = \"label\"\n", 1, "printer", "[[printer]]"),
    ("[[printer]]\nport = \"file:/x\"\n", 1, "printer[1].name", "is missing; write name ="),
    ("[[printer]]\nname = \"label\"\n", 1, "printer[1].port", "is missing; write port ="),
    ("[[printer]]\nname = \"a b\"\nport = \"file:/x\"\n", 2, "printer[1].name", "no spaces"),
    (
        "[[printer]]\nname = \"a\"\nport = \"serial:/dev/ttyS0?baud=fast\"\n",
        3,
        "printer[1].port",
        "`baud=fast`",
    ),
    ("[[printer]]\nname = \"a\"\nport = \"lpt1\"\n", 3, "printer[1].port", "lpt1"),
    ("[[printer]]\nname = \"a\"\nport = \"sim:fax\"\n", 3, "printer[1].port", "sim:plain"),
    (printer!("language = \"pcl6\""), 4, "printer[1].language", "\"pjl\""),
    (printer!("datatype = \"emf\""), 4, "printer[1].datatype", "\"RAW [FF auto]\""),
    (printer!("start = \"later\""), 4, "printer[1].start", "\"immediately\""),
    (printer!("recover = true"), 4, "printer[1].recover", "write it in quotes"),
    (printer!("direct = \"yes\""), 4, "printer[1].direct", "true or false"),
    (printer!("ask = [\"toner\"]"), 4, "printer[1].ask", "\"media-empty\""),
    (printer!("hours = \"nine to five\""), 4, "printer[1].hours", "\"08:00-18:30\""),
    (printer!("recovr = \"hold\""), 4, "printer[1].recovr", "did you mean `recover`?"),
    (printer!("idle_timeout = \"0s\""), 4, "printer[1].idle_timeout", "at least \"1s\""),
    (
        concat!(
            "[[printer]]\nname = \"a\"\nport = \"serial:/dev/ttyS0\"\n",
            "[[printer]]\nname = \"b\"\nport = \"serial:/dev/ttyS0?baud=19200\"\n"
        ),
        6,
        "printer[2].port",
        "write serial:/dev/ttyS0?baud=9600+",
    ),
    (
        "[[printer]]\nname = \"a\"\nport = \"file:/dev/lp0\"\n[[printer]]\nname = \"b\"\nport = \"parallel:/dev/lp0\"\n",
        6,
        "printer[2].port",
        "the device of printer[1]",
    ),
    (
        concat!(printer!(""), "\n[[printer]]\nname = \"LABEL\"\nport = \"file:/y\"\n"),
        7,
        "printer[2].name",
        "the name of printer[1] already",
    ),
    ("[listen]\nipp = \"127.0.0.1:631\"\nipp = \"127.0.0.1:632\"\n", 3, "ipp", "is there twice"),
    (
        concat!("[listen]\nipp = \"127.0.0.1:9100\"\n", printer!("appsocket = \"0.0.0.0:9100\"")),
        6,
        "printer[1].appsocket",
        "0.0.0.0:9100 is listened to by listen.ipp already",
    ),
];

fn check(text: &str) -> (Ended, String) {
    let site = Site::new();
    std::fs::write(site.config(), text).unwrap();
    let ended = run(despool().arg("check").arg("--config").arg(site.config()));
    (ended, site.config().display().to_string())
}

#[test]
fn every_problem_names_file_line_key_and_what_is_right() {
    for (text, line, key, right) in BROKEN {
        let (ended, file) = check(text);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{text}");
        let place = format!("{file}:{line}: ");
        let place = if key.is_empty() { place } else { format!("{place}{key}: ") };
        let said: Vec<&str> = ended.stderr.lines().collect();
        let found = said.iter().any(|said| said.starts_with(&place) && said.contains(right));
        assert!(found, "{text}\nwanted {place}… {right}\nsaid {said:#?}");
        assert!(key.is_empty() || said.len() == 1, "one problem, one line: {said:#?}");
    }
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_file() {
    let (ended, _) = check("[listen]\nipp = 1\n[spool]\nturbo = true\nkeep_jobs = \"x\"\n");
    let keys: Vec<&str> =
        ended.stderr.lines().map(|line| line.split(": ").nth(1).unwrap()).collect();
    assert_eq!((ended.code, keys), (1, vec!["listen.ipp", "spool.turbo", "spool.keep_jobs"]));
}

#[test]
fn a_file_that_is_not_there_and_one_that_is_no_text() {
    let missing = run(despool().args(["check", "--config", "/no/such.toml"]));
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.starts_with("/no/such.toml:1: cannot be read: "), "{missing:?}");
    let site = Site::new();
    std::fs::write(site.config(), b"\xff\xfe\x00").unwrap();
    let binary = run(despool().arg("check").arg("--config").arg(site.config()));
    assert!(binary.code == 1 && binary.stderr.contains("UTF-8"), "{binary:?}");
}

#[test]
fn what_the_documents_show_as_an_example_is_right() {
    let (ended, _) = check(printer!(
        "appsocket = \"127.0.0.1:9100\"\nhours = \"22:00-06:00\"\nidle = \"hold\"\nidle_timeout = \"5min\""
    ));
    assert!(ended.ok().ends_with("good, 1 printer\n"));
}
