//! Our client against a server that we did not write: Samba's endpoint mapper and what it offers, over TCP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use despool::rpc::auth::{Credentials, GSS_NEGOTIATE, Level, WINNT};
use despool::rpc::client::{Answer, Client, Failure, Options, Security, mapper};
use despool::rpc::ndr::{ContextHandle, Syntax, Writer};
use despool::rpc::status::Status;
use despool::rpc::uuid::{SyntaxId, Uuid};
use despool::rpc::{epm, mgmt};
use support::pan::{in_time, run};
use support::rpc::{DOMAIN, PASSWORD, in_own_network_as_root};
use support::{process, tiers};

/// Samba's accounts must be accounts of the system, too; this one is everywhere.
const USER: &str = "root";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SAMR: SyntaxId = SyntaxId::new(Uuid::from_u128(0x12345778_1234_abcd_ef00_0123456789ac), 1, 0);
const OURS: SyntaxId = despool::pan::REMOTE_OBJECT;

/// Samba's RPC server without its file server. Killed where it is dropped.
struct Samba {
    child: Child,
    _dir: tempfile::TempDir,
}

impl Samba {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("smb.conf");
        std::fs::write(&config, configuration(dir.path())).unwrap();
        let mut account = Command::new(tiers::program("smbpasswd"));
        account.arg("-c").arg(&config).args(["-s", "-a", USER]);
        process::run_with(&mut account, format!("{PASSWORD}\n{PASSWORD}\n").as_bytes()).ok();
        let mut server = Command::new(tiers::program("usr/libexec/samba/samba-dcerpcd"));
        server.args(["-F", "--libexec-rpcds", "--ready-signal-fd=1", "--configfile"]).arg(&config);
        server.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = server.spawn().unwrap();
        // It closes this when it is ready.
        let mut said = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut said).unwrap();
        Self { child, _dir: dir }
    }
}

impl Drop for Samba {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(dir: &Path) -> String {
    let mut text = format!(
        "[global]\nworkgroup = {DOMAIN}\nnetbios name = REF\nserver role = standalone server\n\
         interfaces = 127.0.0.1/8\nbind interfaces only = yes\npassdb backend = tdbsam\n\
         rpc start on demand helpers = no\ndisable netbios = yes\n\
         allow dcerpc auth level connect = yes\n"
    );
    for (key, name) in [
        ("private dir", "private"),
        ("lock directory", "lock"),
        ("state directory", "state"),
        ("cache directory", "cache"),
        ("pid directory", "pid"),
        ("ncalrpc dir", "ncalrpc"),
        ("log file", "log"),
    ] {
        let path = dir.join(name);
        if name != "log" {
            std::fs::create_dir(&path).unwrap();
        }
        text += &format!("{key} = {}\n", path.display());
    }
    text
}

fn security(auth_type: u8, level: Level, password: &str) -> Security {
    let credentials = Credentials::new(DOMAIN, USER, password);
    Security { credentials, auth_type, level, target: Some("host/127.0.0.1".to_owned()) }
}

/// How many interfaces the management interface tells of.
async fn interfaces(client: &Client) -> Result<u32, Failure> {
    // What comes after the parameters (there are none) is not looked at: a request of several fragments.
    let stub = |_| vec![0; 20_000];
    let answer = in_time(client.call(&mgmt::ID, mgmt::op::INQ_IF_IDS, stub)).await?;
    let mut reader = answer.reader();
    assert!(reader.pointer().unwrap());
    reader.count().unwrap();
    Ok(reader.u32().unwrap())
}

/// `ept_lookup` of everything: an answer of many fragments.
async fn everything(client: &Client) -> Result<Answer, Failure> {
    let request = |syntax: Syntax| {
        let mut stub = Writer::new(syntax);
        stub.u32(0).pointer(false).pointer(false).u32(1);
        stub.context_handle(&ContextHandle::NULL).u32(500);
        stub.finish()
    };
    in_time(client.call(&epm::ID, epm::op::LOOKUP, request)).await
}

#[test]
fn samba_s_server() {
    if !tiers::asked("foreign", "samba_s_server") {
        return;
    }
    in_own_network_as_root("samba_s_server", || {
        let _samba = Samba::start();
        run(async {
            let endpoint_mapper = SocketAddr::new(HERE, mapper::PORT);
            let found = in_time(mapper::find("127.0.0.1", mapper::PORT, &SAMR)).await.unwrap();
            assert!(found.port() > 1024, "{found}");
            let nothing = mapper::ask(endpoint_mapper, &OURS).await;
            assert_eq!(nothing, Err(Failure::NoInterface(OURS)));
            let mut ways = vec![None];
            for auth_type in [GSS_NEGOTIATE, WINNT] {
                for level in [Level::Connect, Level::Packet, Level::Integrity, Level::Privacy] {
                    ways.push(Some(security(auth_type, level, PASSWORD)));
                }
            }
            for security in ways {
                for fragment_bytes in [2048, 5840] {
                    let options = Options {
                        security: security.clone(),
                        fragment_bytes,
                        ..Options::anonymous()
                    };
                    let way = format!("{security:?} {fragment_bytes}");
                    let client = Client::connect(endpoint_mapper, options, &epm::ID).await;
                    let client = client.unwrap_or_else(|why| panic!("{way}: {why}"));
                    let all =
                        everything(&client).await.unwrap_or_else(|why| panic!("{way}: {why}"));
                    assert!(all.stub.len() > 4096, "{way}: {}", all.stub.len());
                    // A second context of the same connection, by alter_context.
                    assert!(interfaces(&client).await.unwrap() > 0, "{way}");
                    let again = everything(&client).await.unwrap();
                    assert_eq!(again.stub.len(), all.stub.len(), "{way}");
                }
            }
        });
    });
}

#[test]
fn samba_s_server_refuses() {
    if !tiers::asked("foreign", "samba_s_server_refuses") {
        return;
    }
    in_own_network_as_root("samba_s_server_refuses", || {
        let _samba = Samba::start();
        run(async {
            let samr = in_time(mapper::find("127.0.0.1", mapper::PORT, &SAMR)).await.unwrap();
            let connect =
                async |security| Client::connect(samr, Options::with(security), &SAMR).await;
            let wrong = connect(security(GSS_NEGOTIATE, Level::Integrity, "wrong")).await.map(drop);
            assert!(matches!(wrong, Err(Failure::Refused(_))), "{wrong:?}");
            let wrong = connect(security(WINNT, Level::Integrity, "wrong")).await.unwrap();
            let refused = interfaces(&wrong).await;
            assert!(
                matches!(refused, Err(Failure::Fault { .. } | Failure::Lost(_))),
                "{refused:?}"
            );
            // Many calls on one protected connection, one of them canceled, one that does not exist.
            let client = connect(security(GSS_NEGOTIATE, Level::Privacy, PASSWORD)).await.unwrap();
            let client = Arc::new(client);
            for _ in 0..3 {
                let calls = (0..20).map(|_| {
                    let client = client.clone();
                    tokio::task::spawn_local(async move { interfaces(&client).await })
                });
                let calls: Vec<_> = calls.collect();
                calls[7].abort();
                for (n, call) in calls.into_iter().enumerate() {
                    let answered = in_time(call).await;
                    assert!(n == 7 || answered.unwrap().unwrap() > 0, "{n}");
                }
                let nothing = in_time(client.call(&SAMR, 999, |_| Vec::new())).await;
                let out_of_range = Status::OP_RANGE_ERROR;
                assert!(
                    matches!(nothing, Err(Failure::Fault { status, .. }) if status == out_of_range),
                    "{nothing:?}"
                );
            }
            let nothing = client.call(&OURS, 0, |_| Vec::new()).await;
            assert_eq!(nothing, Err(Failure::NoInterface(OURS)));
        });
    });
}
