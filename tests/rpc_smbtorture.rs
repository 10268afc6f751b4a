//! Samba's smbtorture against our server: what can pass against one that is not Samba's, under every binding flag.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod support;

use std::process::Command;

use support::rpc::{DOMAIN, PASSWORD, USER, against};
use support::{process, tiers};
use tempfile::TempDir;

/// Flags of a binding that nobody in particular uses.
const OPEN: [&str; 4] = ["", ",bigendian", ",ndr64", ",validate,padcheck"];

/// Flags of a binding by a user; each with every mechanism.
const LEVELS: [&str; 7] = [
    ",connect",
    ",packet",
    ",sign",
    ",seal",
    ",seal,bigendian",
    ",seal,ndr64",
    ",sign,validate,padcheck",
];
const MECHANISMS: [&str; 3] = ["", ",ntlm", ",spnego"];

const SUITES: [&str; 2] = ["rpc.mgmt", "rpc.scanner"];

/// The other two of this suite insert entries, which a server may refuse and ours does.
const MAPPER: [&str; 3] = [
    "rpc.epmapper.epmapper.Map_simple",
    "rpc.epmapper.epmapper.Lookup_simple",
    "rpc.epmapper.epmapper.Lookup_terminate_search",
];

/// Runs a suite, and says what is wrong with its outcome.
fn torture(place: &TempDir, binding: &str, suite: &str, user: &str) -> Option<String> {
    let mut command = Command::new(tiers::program("smbtorture"));
    command.arg(format!("--configfile={}", place.path().join("smb.conf").display()));
    // Without this asyncbind passes and does nothing.
    command.arg("--option=torture:async=yes");
    command.args([binding, suite, &format!("-U{user}")]);
    let ended = process::run(&mut command);
    let said = |what: &str| ended.stdout.lines().filter(|line| line.starts_with(what)).count();
    let is_good = ended.code == 0
        && said("success:") == 1
        && said("failure:") + said("error:") == 0
        && !ended.stdout.contains("disabled");
    (!is_good).then(|| format!("{binding} {suite}: {}{}", ended.stdout, ended.stderr))
}

fn bindings() -> impl Iterator<Item = (String, bool)> {
    let open = OPEN.into_iter().map(|flags| (flags.to_owned(), false));
    let known =
        LEVELS.into_iter().flat_map(|level| MECHANISMS.map(|by| (format!("{level}{by}"), true)));
    open.chain(known)
}

#[test]
fn smbtorture() {
    against("smbtorture", 5000, |[_, lsarpc]| {
        let place = tempfile::tempdir().unwrap();
        let dirs = ["private", "lock", "state", "cache"]
            .map(|kind| format!("\t{kind} directory = {}\n", place.path().display()));
        let conf = format!("[global]\n\tlog level = 0\n{}", dirs.concat());
        std::fs::write(place.path().join("smb.conf"), conf).unwrap();
        let known = format!("{DOMAIN}\\{USER}%{PASSWORD}");
        let mut bad = Vec::new();
        for (flags, is_known) in bindings() {
            let user = if is_known { &known } else { "%" };
            let binding = format!("ncacn_ip_tcp:127.0.0.1[135{flags}]");
            // In NDR64 Samba reads the two counts of an entry's annotation as 32-bit numbers; [MS-RPCE] 2.2.5.3.3.1 has 64.
            let mapper = MAPPER.into_iter().filter(|_| !flags.contains("ndr64"));
            let suites = SUITES.into_iter().chain(mapper);
            let binds = format!("ncacn_ip_tcp:127.0.0.1[{lsarpc}{flags}]");
            bad.extend(torture(&place, &binds, "rpc.asyncbind", user));
            bad.extend(suites.filter_map(|suite| torture(&place, &binding, suite, user)));
        }
        assert!(bad.is_empty(), "{} failed:\n{}", bad.len(), bad.join("\n"));
    });
}
