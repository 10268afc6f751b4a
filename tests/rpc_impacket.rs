//! impacket against our server: its own tools, and what its client does otherwise.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod support;

use std::path::PathBuf;
use std::process::Command;

use despool::rpc::uuid::{SyntaxId, Uuid};
use support::rpc::{DOMAIN, PASSWORD, USER, against, against_with, echo};
use support::{process, tiers};

/// A program of the Python that `cargo xtask test` makes.
fn venv(name: &str) -> PathBuf {
    tiers::program(&format!("{}/target/venv/bin/{name}", env!("CARGO_MANIFEST_DIR")))
}

#[test]
fn impacket() {
    against("impacket", 700, |[port, _]| {
        let mut checks = Command::new(venv("python"));
        checks.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/impacket_rpc.py"));
        checks.args(["127.0.0.1", "135", &port.to_string(), &echo(0).uuid.to_string()]);
        let text = process::run(checks.args([DOMAIN, USER, PASSWORD])).ok();
        assert!(text.lines().all(|line| line.starts_with("ok ")), "{text}");
        assert_eq!(text.lines().count(), 39, "{text}");
    });
}

#[test]
fn rpcdump() {
    against("rpcdump", 2, |[port, _]| {
        let mut dump = Command::new(venv("python"));
        dump.arg(venv("rpcdump.py")).args(["-port", "135", "127.0.0.1"]);
        let text = process::run(&mut dump).ok();
        assert!(text.contains("Received 10 endpoints."), "{text}");
        assert_eq!(text.matches(&format!("ncacn_ip_tcp:127.0.0.1[{port}]")).count(), 10, "{text}");
        assert!(text.to_lowercase().contains(&echo(9).uuid.to_string()), "{text}");
    });
}

#[test]
fn rpcmap() {
    against("rpcmap", 300, |[port, _]| {
        for level in ["1", "2", "5", "6"] {
            let mut map = Command::new(venv("python"));
            map.arg(venv("rpcmap.py")).arg(format!("ncacn_ip_tcp:127.0.0.1[{port}]"));
            map.args(["-auth-rpc", &format!("{DOMAIN}/{USER}:{PASSWORD}"), "-auth-level", level]);
            map.args(["-brute-opnums", "-opnum-max", "8"]);
            let text = process::run(&mut map).ok();
            let known = (0..10).map(|n| echo(n).uuid.to_string().to_uppercase());
            known.for_each(|uuid| assert!(text.contains(&uuid), "level {level}: {text}"));
            // Operations 0 and 1 of each interface are there, and no others.
            let others = text.matches("Opnums 2-8: nca_s_op_rng_error").count();
            assert_eq!(others, 10, "level {level}: {text}");
        }
    });
}

/// Interfaces that impacket's own tests look up, by name only.
const LOOKED_UP: [SyntaxId; 3] = [
    // SAMR, ATSVC, SCMR.
    SyntaxId::new(Uuid::from_u128(0x12345778_1234_abcd_ef00_0123456789ac), 1, 0),
    SyntaxId::new(Uuid::from_u128(0x1ff70682_0a51_30e8_076d_740be8cee98b), 1, 0),
    SyntaxId::new(Uuid::from_u128(0x367abb81_9844_35f1_ad32_98f038001003), 2, 0),
];

/// impacket's own tests of DCE/RPC, the endpoint mapper and the management interface. Those that fail ask for what
/// a print server does not have: named pipes.
#[test]
fn its_own_tests() {
    against_with(&LOOKED_UP, "its_own_tests", 60, |_| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/target/venv/impacket-0.13.1");
        tiers::program(&format!("{source}/tests/__init__.py"));
        let mut suite = Command::new(venv("python"));
        suite.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/impacket_suite.py"));
        suite.args([source, "127.0.0.1", DOMAIN, USER, PASSWORD]);
        let said = process::run(&mut suite);
        assert_eq!(said.code, 0, "{said:?}");
        let (passed, failed): (Vec<&str>, Vec<&str>) =
            said.stderr.lines().partition(|line| line.ends_with(": ok"));
        assert!(failed.iter().all(|line| line.contains(".test_hept_map: ")), "{failed:#?}");
        assert_eq!((passed.len(), failed.len()), (40, 2), "{passed:#?}");
    });
}
