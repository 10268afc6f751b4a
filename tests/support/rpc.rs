//! An RPC server within the test, in a network of its own, for foreign clients.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;

use despool::accounts::{Account, Accounts, NtHash};
use despool::rpc::auth::{Provider, providers};
use despool::rpc::interface::{Call, Handler, Interface};
use despool::rpc::server::{Config, Listen, Server};
use despool::rpc::uuid::{SyntaxId, Uuid};

use jiff::Timestamp;

use super::capture::Capture;
use super::tiers;

pub(crate) const DOMAIN: &str = "WORKGROUP";
pub(crate) const USER: &str = "tester";
pub(crate) const PASSWORD: &str = "Passw0rd.1";

const INSIDE: &str = "DESPOOL_TEST_OWN_NETWORK";

/// Runs the test in a user and network namespace of its own, where it may bind port 135 and nobody else is.
pub(crate) fn in_own_network(test: &str, body: impl FnOnce()) {
    within("-Urn", test, body);
}

/// The same as the machine's root, for foreign servers that change to other users: they do not work in a user namespace.
pub(crate) fn in_own_network_as_root(test: &str, body: impl FnOnce()) {
    assert!(rustix::process::geteuid().is_root(), "{test} must be run by root");
    within("-n", test, body);
}

fn within(namespaces: &str, test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        assert!(Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success());
        return body();
    }
    let mut command = Command::new(tiers::program("unshare"));
    command.arg(namespaces).arg(std::env::current_exe().unwrap()).args([
        test,
        "--exact",
        "--nocapture",
    ]);
    let status = command.env(INSIDE, "1").stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "{test} failed in its own network; it says why above");
}

/// Runs a foreign client against a server with an endpoint mapper on port 135, in a network of its own. All that goes over
/// the wire is captured; the client gets the ports of the ten interfaces and of [`LSARPC`]. Of the server's frames there must
/// be so many at least, and none malformed.
pub(crate) fn against(test: &str, least_frames: usize, client: impl FnOnce([u16; 2])) {
    against_with(&[], test, least_frames, client);
}

/// The same with these interfaces beside the ten.
pub(crate) fn against_with(
    more: &[SyntaxId],
    test: &str,
    least_frames: usize,
    client: impl FnOnce([u16; 2]),
) {
    if !tiers::asked("foreign", test) {
        return;
    }
    in_own_network(test, || {
        let capture = Capture::start();
        let server = start_with(more, ([127, 0, 0, 1], 0).into(), ([127, 0, 0, 1], 135).into());
        let ports = [server.addresses()[0].port(), server.addresses()[1].port()];
        client(ports);
        server.stop();
        capture.judge(&[135, ports[0], ports[1]], least_frames);
    });
}

/// Gives back what it gets.
struct Echo;

impl Handler for Echo {
    fn call(&self, call: Call) {
        call.answer(|call| Ok(call.stub.to_vec()));
    }
}

/// The identifier of one of the server's ten interfaces.
pub(crate) fn echo(number: u8) -> SyntaxId {
    let uuid = 0xd0e5_900f_0000_4000_8000_0000_0000_0000 | u128::from(number);
    SyntaxId::new(Uuid::from_u128(uuid), 1, 0)
}

/// An interface of Samba's, by its name only: some of its tests bind this one and no other.
const LSARPC: SyntaxId =
    SyntaxId::new(Uuid::from_u128(0x12345778_1234_abcd_ef00_0123456789ab), 0, 0);

/// A server with ten interfaces (so many that smbtorture's search of the endpoint map ends as it wants to) and an endpoint
/// mapper, which lets [`USER`] in.
pub(crate) fn start(address: SocketAddr, mapper: SocketAddr) -> Server {
    start_with(&[], address, mapper)
}

fn start_with(more: &[SyntaxId], address: SocketAddr, mapper: SocketAddr) -> Server {
    // RUST_LOG=despool=debug shows what the server thinks of its peers.
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    let interface = |id| Interface {
        annotation: "an interface that gives back what it gets",
        ..Interface::new(id, "echo", 2, Arc::new(Echo))
    };
    let interfaces = (0..10).map(echo).chain(more.iter().copied()).map(interface).collect();
    let lsarpc =
        Interface { is_mapped: false, ..Interface::new(LSARPC, "lsarpc", 1, Arc::new(Echo)) };
    let config = Config {
        endpoints: vec![
            Listen { address, interfaces },
            Listen { address, interfaces: vec![lsarpc] },
        ],
        mapper: Some(mapper),
        providers: known(),
        principal: "host/localhost".to_owned(),
    };
    Server::start(config).unwrap()
}

fn known() -> Vec<Arc<dyn Provider>> {
    let account = Account {
        name: USER.into(),
        nt_hash: NtHash::of(PASSWORD),
        admin: false,
        created: Timestamp::now(),
    };
    providers(&Arc::new(Accounts::in_memory(DOMAIN, [account])), DOMAIN, "localhost")
}
