//! Samba's black-box suite of DCE/RPC against our server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod support;

use std::process::Command;

use support::rpc::{DOMAIN, PASSWORD, USER, against};
use support::tiers;

/// The 154 tests that need mgmt, the endpoint mapper, a user and nobody, and the 16 of fragments and cancels. Names in
/// `DESPOOL_RAW_ONLY` (a glob) are looked at more closely.
#[test]
fn raw_protocol() {
    against("raw_protocol", 450, |_| {
        let mut suite = Command::new(tiers::program("usr/bin/python3"));
        suite.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/raw_protocol.py"));
        suite.args(["--user", USER, "--password", PASSWORD, "--domain", DOMAIN]);
        suite.args(["plain", "ntlm", "anonymous", "netlogon"]);
        if let Ok(only) = std::env::var("DESPOOL_RAW_ONLY") {
            suite.args(["--only", &only, "--verbose"]).status().unwrap();
            return;
        }
        let output = suite.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        assert_eq!(last, "passed 170 failed 0", "{text}");
    });
}
