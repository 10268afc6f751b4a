//! `despool user`: accounts by the command, as scripts and people use it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use despool::accounts::{Accounts, NtHash};
use despool::config::Config;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use serde_json::json;
use support::process::{self, Ended};
use support::server::despool;
use support::soon;

fn user(state: &Path, args: &[&str], input: &str) -> Ended {
    let mut command = despool();
    command.args(["user", "--state-dir"]).arg(state).args(args);
    process::run_with(&mut command, input.as_bytes())
}

fn hash_of(state: &Path, name: &str) -> Option<NtHash> {
    let mut config = Config::without_file();
    config.server.state_dir = state.into();
    Accounts::of(&config).find(name).unwrap().map(|account| account.nt_hash)
}

#[track_caller]
fn refused(ended: &Ended, code: i32, words: &str) {
    assert_eq!((ended.code, &*ended.stdout), (code, ""), "{ended:?}");
    assert!(ended.stderr.contains(words), "{ended:?}");
    assert!(code == 2 || ended.stderr.lines().count() == 1, "one line: {ended:?}");
}

#[test]
fn made_listed_changed_removed() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("not/yet/there");
    let said = user(&state, &["add", "alice", "--admin", "--password-stdin"], "one\n").ok();
    assert_eq!(said, "account \"alice\" was made\n");
    user(&state, &["add", "Bob Müller", "--password-stdin"], "zwei €\r\n").ok();
    user(&state, &["add", "carol", "--password-stdin"], "no end of line").ok();
    assert_eq!(hash_of(&state, "alice"), Some(NtHash::of("one")));
    assert_eq!(hash_of(&state, "bob müller"), Some(NtHash::of("zwei €")));
    assert_eq!(hash_of(&state, "carol"), Some(NtHash::of("no end of line")));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&state), mode(&state.join("users"))), (0o700, 0o600));

    let mut listed = user(&state, &["list", "--json"], "").json();
    for account in &mut listed {
        let created = account.as_object_mut().unwrap().remove("created").unwrap();
        assert!(created.as_str().unwrap().ends_with('Z'), "{created}");
    }
    let expected = [
        json!({ "name": "alice", "id": "workgroup\\alice", "admin": true }),
        json!({ "name": "Bob Müller", "id": "workgroup\\bob müller", "admin": false }),
        json!({ "name": "carol", "id": "workgroup\\carol", "admin": false }),
    ];
    assert_eq!(listed, expected);
    let table = user(&state, &["list"], "").ok();
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(!table.contains("hash") && !table.contains("one"), "{table}");

    user(&state, &["passwd", "ALICE", "--password-stdin"], "other\n").ok();
    assert_eq!(hash_of(&state, "alice"), Some(NtHash::of("other")));
    user(&state, &["remove", "ALICE"], "").ok();
    assert_eq!(hash_of(&state, "alice"), None);
}

#[test]
fn the_configuration_says_where_and_who() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("despool.toml");
    let text = format!(
        "[server]\nstate_dir = \"{}\"\n[security]\nusers_file = \"people\"\ndomain = \"PRINT\"\nadmins = [\"Alice\"]\n",
        dir.path().join("state").display()
    );
    std::fs::write(&file, text).unwrap();
    let user = |args: &[&str], input: &[u8]| {
        process::run_with(despool().arg("user").args(args).arg("--config").arg(&file), input)
    };
    user(&["add", "alice", "--password-stdin"], b"x\n").ok();
    assert!(dir.path().join("state/people").is_file());
    let listed = user(&["list", "--json"], b"").json();
    assert_eq!((&listed[0]["id"], &listed[0]["admin"]), (&json!("print\\alice"), &json!(true)));

    std::fs::write(&file, "[security]\nadmins = [\"a/b\"]\ndomain = \"far too long a name\"\n")
        .unwrap();
    let ended = user(&["list"], b"");
    refused(&ended, 1, "despool.toml:2: security.admins: \"a/b\" holds '/'");
    refused(&ended, 1, "despool.toml:3: security.domain: \"far too long a name\" is not a domain");
}

#[test]
fn what_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path();
    let add = |name: &str, input: &str| user(state, &["add", name, "--password-stdin"], input);
    add("alice", "x\n").ok();
    refused(&add("Alice", "x\n"), 1, "despool user: there is an account \"Alice\" already");
    refused(&add("bob", "\n"), 1, "despool user: the password is empty");
    refused(&add("bob", ""), 1, "despool user: the password is empty");
    refused(&add("bob", "a\0b\n"), 1, "holds a line end or a zero byte");
    refused(&add("bob", &"x".repeat(300)), 1, "the password is longer than 256 characters");
    refused(&add("bob", &"x".repeat(100_000)), 1, "the password is longer than 256 characters");
    refused(&user(state, &["remove", "bob"], ""), 1, "there is no account \"bob\"");
    refused(
        &user(state, &["passwd", "bob", "--password-stdin"], "x\n"),
        1,
        "there is no account \"bob\"",
    );
    refused(
        &user(state, &["add", "bob"], "x\nx\n"),
        1,
        "standard input is no terminal; give the password with --password-stdin",
    );
    let latin = despool()
        .args(["user", "add", "bob", "--password-stdin", "--state-dir"])
        .arg(state)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut latin = latin.unwrap();
    latin.stdin.take().unwrap().write_all(b"\xFCber\n").unwrap();
    let ended = latin.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "despool user: the password is not UTF-8\n");
    for name in ["a:b", "", "a\\b", "-"] {
        refused(&add(name, "x\n"), 2, "NAME");
    }
    refused(&user(state, &[], ""), 2, "write `despool user");
    assert_eq!(user(state, &["list", "--json"], "").json().len(), 1);

    let users = state.join("users");
    std::fs::set_permissions(&users, PermissionsExt::from_mode(0o640)).unwrap();
    for args in [&["list"][..], &["remove", "alice"]] {
        refused(&user(state, args, ""), 1, "users has mode 0640; make it 0600: chmod 600");
    }
}

/// A terminal, and the command at it.
struct AtTerminal {
    master: File,
    child: Child,
    stderr: std::process::ChildStderr,
}

impl AtTerminal {
    fn run(state: &Path, args: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let mut command: Command = despool();
        command.args(["user", "--state-dir"]).arg(state).args(args);
        command.stdin(slave).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        Self { master: master.into(), child, stderr }
    }

    /// Waits for this on stderr, then types that.
    #[track_caller]
    fn answer(&mut self, prompt: &str, keys: &[u8]) {
        let mut said = Vec::new();
        while !said.ends_with(prompt.as_bytes()) {
            assert!(process::readable(&[self.stderr.as_fd()], soon())[0], "{prompt:?} never came");
            let mut byte = [0];
            assert_eq!(
                self.stderr.read(&mut byte).unwrap(),
                1,
                "{}",
                String::from_utf8_lossy(&said)
            );
            said.push(byte[0]);
        }
        let modes = tcgetattr(&self.master).unwrap().local_modes;
        assert!(!modes.contains(LocalModes::ECHO), "it echoes");
        self.master.write_all(keys).unwrap();
    }

    /// What it said at last, and its status. The terminal must be as it was, and nothing on it.
    fn end(mut self) -> (i32, String) {
        // The slave's end is the child's alone: its modes are looked at before the terminal hangs up.
        let code = process::end_of(&mut self.child, "despool user").code().unwrap();
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        let modes = tcgetattr(&self.master).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG));
        rustix::io::ioctl_fionbio(&self.master, true).unwrap();
        let mut echoed = Vec::new();
        let _ = self.master.read_to_end(&mut echoed);
        assert_eq!(echoed, b"", "something was echoed");
        (code, said)
    }
}

#[test]
fn a_person_types_it_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut terminal = AtTerminal::run(dir.path(), &["add", "alice", "--admin"]);
    terminal.answer("Password for \"alice\": ", "sesam€x\x7F\r".as_bytes());
    terminal.answer("The same once more: ", "wrong\x15sesam€\r".as_bytes());
    assert_eq!(terminal.end(), (0, "\n".to_owned()));
    assert_eq!(hash_of(dir.path(), "alice"), Some(NtHash::of("sesam€")));

    let mut terminal = AtTerminal::run(dir.path(), &["passwd", "alice"]);
    terminal.answer("Password for \"alice\": ", b"one\r");
    terminal.answer("The same once more: ", b"two\r");
    let why = "\ndespool user: the two passwords are not the same\n".to_owned();
    assert_eq!(terminal.end(), (1, why));

    let mut terminal = AtTerminal::run(dir.path(), &["passwd", "alice"]);
    terminal.answer("Password for \"alice\": ", b"one\x03");
    assert_eq!(terminal.end(), (1, "\ndespool user: canceled\n".to_owned()));
    assert_eq!(hash_of(dir.path(), "alice"), Some(NtHash::of("sesam€")), "as it was");
}
