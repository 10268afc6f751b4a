//! How many null calls a second does the RPC server answer, beside Samba's?
//!
//! The call is `is_server_listening` of the management interface, one after the other on one connection: open, and
//! sealed with NTLM. Samba's endpoint server (`samba-dcerpcd` of Debian's `samba`) and ours listen on loopback in a network
//! of the bench's own, where port 135 can be had; the same client calls both, in turns.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench that cannot measure stops"
)]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::Criterion;
use despool::accounts::{Account, Accounts, NtHash};
use despool::rpc::auth::{Credentials, Level, Session, Step, WINNT, providers};
use despool::rpc::mgmt;
use despool::rpc::pdu::{Bind, Flags, Header, Kind, Pdu, Proposal, Request, encode};
use despool::rpc::protection::{Mark, protect};
use despool::rpc::server::{Config, Listen, Server};
use despool::rpc::uuid::SyntaxId;
use support::turns::{Effort, Lap, in_turns};
use support::{Closing, quick_or, shown};
use tempfile::TempDir;

/// Ours answers at least as many as Samba's.
const SPEED: f64 = 1.0;
const USER: &str = "root";
const PASSWORD: &str = "pw";
const DOMAIN: &str = "PEER";
const MARK: Mark = Mark { auth_type: WINNT, level: Level::Privacy, context_id: 1 };
const INSIDE: &str = "DESPOOL_BENCH_OWN_NETWORK";
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let Some(daemon) = samba() else {
        println!("skipped: rpc_calls: there is no samba-dcerpcd (Debian's package samba)");
        return ExitCode::SUCCESS;
    };
    if !rustix::process::geteuid().is_root() {
        // In a user namespace its workers cannot change their groups, and die.
        println!("skipped: rpc_calls: Samba's endpoint server needs root");
        return ExitCode::SUCCESS;
    }
    if std::env::var_os(INSIDE).is_none() {
        let mut inside = Command::new("unshare");
        inside.arg("-n").arg(std::env::current_exe().unwrap()).args(std::env::args_os().skip(1));
        panic!("unshare: {}", inside.env(INSIDE, "1").exec());
    }
    assert!(Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success());
    let mut criterion = Criterion::default().configure_from_args();
    let mut closing = Closing::new();
    let samba = Samba::start(daemon);
    let ours = ours();
    for (name, level) in [("rpc_calls/open", None), ("rpc_calls/sealed", Some(Level::Privacy))] {
        let effort = Effort::new((20, 3), (50, 10));
        let calls = quick_or(200, 1000);
        let mut peer = Client::connect(samba.address, level);
        let mut own = Client::connect(ours.addresses()[0], level);
        let turns = in_turns(&mut criterion, name, effort, || peer.lap(calls), || own.lap(calls));
        let Some(turns) = turns else { continue };
        let (limit, took) = turns.times();
        println!("{name}: {} a call (Samba {})", shown(took / calls), shown(limit / calls));
        closing.ratio(name, turns.speed(), SPEED);
    }
    criterion.final_summary();
    closing.end()
}

fn samba() -> Option<&'static Path> {
    let places = [
        "/usr/libexec/samba/samba-dcerpcd",
        "/usr/lib/x86_64-linux-gnu/samba/samba-dcerpcd",
        "/usr/lib/aarch64-linux-gnu/samba/samba-dcerpcd",
    ];
    places.into_iter().map(Path::new).find(|path| path.is_file())
}

/// Samba's endpoint server.
struct Samba {
    child: Child,
    address: SocketAddr,
    _dir: TempDir,
}

impl Samba {
    fn start(daemon: &Path) -> Self {
        let dir = support::dir_on_disk();
        let place = |name: &str| {
            let place = dir.path().join(name);
            std::fs::create_dir(&place).unwrap();
            place.display().to_string()
        };
        let dirs = ["private dir", "lock directory", "state directory", "cache directory"];
        let dirs = dirs.into_iter().chain(["pid directory", "ncalrpc dir"]);
        let dirs: String = dirs.map(|name| format!("\t{name} = {}\n", place(name))).collect();
        let conf = dir.path().join("smb.conf");
        let text = format!(
            "[global]\n\tworkgroup = {DOMAIN}\n\tnetbios name = {DOMAIN}\n\tserver role = standalone server\n\
             \tinterfaces = 127.0.0.1/8\n\tbind interfaces only = yes\n\tpassdb backend = tdbsam\n\
             \trpc start on demand helpers = no\n\tdisable netbios = yes\n\tlog level = 0\n\
             \tlog file = {}/log\n{dirs}",
            dir.path().display()
        );
        std::fs::write(&conf, text).unwrap();
        let mut account = Command::new("smbpasswd");
        account.arg("-c").arg(&conf).args(["-s", "-a", USER]).stdin(Stdio::piped());
        let mut account = account.stdout(Stdio::null()).spawn().unwrap();
        let mut stdin = account.stdin.take().unwrap();
        stdin.write_all(format!("{PASSWORD}\n{PASSWORD}\n").as_bytes()).unwrap();
        drop(stdin);
        assert!(account.wait().unwrap().success());
        let mut command = Command::new(daemon);
        command.args(["-F", "--libexec-rpcds"]).arg(format!("--configfile={}", conf.display()));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let samba = Self {
            child: child.process_group(0).spawn().unwrap(),
            address: ([127, 0, 0, 1], 135).into(),
            _dir: dir,
        };
        let begun = Instant::now();
        while TcpStream::connect(samba.address).is_err() {
            assert!(begun.elapsed() < PATIENCE, "samba-dcerpcd does not listen");
            std::thread::yield_now();
        }
        samba
    }
}

impl Drop for Samba {
    fn drop(&mut self) {
        // Its helpers are in its process group.
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

fn ours() -> Server {
    let account = Account {
        name: USER.into(),
        nt_hash: NtHash::of(PASSWORD),
        admin: false,
        created: jiff::Timestamp::UNIX_EPOCH,
    };
    let address = ([127, 0, 0, 1], 0).into();
    let accounts = Arc::new(Accounts::in_memory(DOMAIN, [account]));
    let config = Config {
        endpoints: vec![Listen { address, interfaces: Vec::new() }],
        mapper: None,
        providers: providers(&accounts, DOMAIN, "bench"),
        principal: "host/bench".into(),
    };
    Server::start(config).unwrap()
}

struct Client {
    stream: TcpStream,
    session: Option<Box<dyn Session>>,
    call_id: u32,
    answer: Vec<u8>,
}

impl Client {
    fn connect(to: SocketAddr, level: Option<Level>) -> Self {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Self { stream, session: None, call_id: 1, answer: Vec::new() };
        client.bind(level);
        client
    }

    fn bind(&mut self, level: Option<Level>) {
        let contexts =
            vec![Proposal { id: 0, interface: mgmt::ID, transfers: vec![SyntaxId::NDR] }];
        let bind = Bind { max_transmit: 5840, max_receive: 5840, group: 0, contexts };
        let header = Header::new(Kind::Bind, Flags::WHOLE, 1);
        let Some(level) = level else {
            self.stream.write_all(&encode(&header, |pdu| bind.encode(pdu), None)).unwrap();
            return self.read();
        };
        let credentials = Credentials::new(DOMAIN, USER, PASSWORD);
        let mut exchange = credentials.exchange(WINNT, level, None);
        let Step::More(token) = exchange.step(&[]) else { panic!("a client begins") };
        let trailer = MARK.trailer();
        let octets = encode(&header, |pdu| bind.encode(pdu), Some((&trailer, &token)));
        self.stream.write_all(&octets).unwrap();
        self.read();
        let token = Pdu::decode(&self.answer).unwrap().trailer.unwrap().token;
        let Step::Done { token, session, .. } = exchange.step(&self.answer[token]) else {
            panic!("the server is refused")
        };
        let header = Header::new(Kind::Auth3, Flags::WHOLE, 1);
        let octets = encode(&header, |pdu| pdu.extend([0; 4]), Some((&trailer, &token)));
        self.stream.write_all(&octets).unwrap();
        self.session = Some(session);
    }

    fn read(&mut self) {
        self.answer.resize(16, 0);
        self.stream.read_exact(&mut self.answer).unwrap();
        let length = Header::fragment_length(&self.answer).unwrap();
        self.answer.resize(length, 0);
        self.stream.read_exact(&mut self.answer[16..]).unwrap();
    }

    fn lap(&mut self, calls: u32) -> Lap {
        let begun = Instant::now();
        (0..calls).for_each(|_| self.call());
        Lap { took: begun.elapsed(), cpu: Duration::ZERO }
    }

    fn call(&mut self) {
        self.call_id += 1;
        let mut pdu = Vec::with_capacity(64);
        Header::new(Kind::Request, Flags::WHOLE, self.call_id).encode(&mut pdu);
        let opnum = mgmt::op::IS_SERVER_LISTENING;
        Request { alloc_hint: 0, context_id: 0, opnum, object: None }.encode(&mut pdu);
        match &mut self.session {
            Some(session) => protect(&mut pdu, 24, Some((&mut **session, &MARK))).unwrap(),
            None => protect(&mut pdu, 24, None).unwrap(),
        }
        self.stream.write_all(&pdu).unwrap();
        self.read();
        // A response (2), not a fault.
        assert_eq!(self.answer[2], 2);
        assert_eq!(self.answer[12..16], self.call_id.to_le_bytes());
    }
}
