//! Samba's black-box suite of DCE/RPC against our server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod support;

use std::process::Command;

use support::rpc::{DOMAIN, PASSWORD, USER, in_own_network, start};
use support::tiers;

/// Runs the tests of these classes (see the script): so many must pass, and none fail. `DESPOOL_RAW_ONLY` names one to
/// look at.
fn run(test: &str, classes: &[&str], count: u32) {
    if !tiers::asked("foreign", test) {
        return;
    }
    in_own_network(test, || {
        let _server = start(([127, 0, 0, 1], 0).into(), ([127, 0, 0, 1], 135).into());
        let mut suite = Command::new(tiers::program("usr/bin/python3"));
        suite.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/raw_protocol.py"));
        suite.args(["--user", USER, "--password", PASSWORD, "--domain", DOMAIN]).args(classes);
        if let Ok(only) = std::env::var("DESPOOL_RAW_ONLY") {
            suite.args(["--only", &only, "--verbose"]).status().unwrap();
            return;
        }
        let output = suite.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        assert_eq!(last, format!("passed {count} failed 0"), "{text}");
    });
}

/// The 154 that need mgmt, the endpoint mapper, a user and nobody, and the 16 of fragments and cancels.
#[test]
fn raw_protocol() {
    run("raw_protocol", &["plain", "ntlm", "anonymous", "netlogon"], 170);
}
