//! What a parked call costs: 10,000 of them on 1,000 sealed connections, as the clients of [MS-PAN] leave them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[path = "support/descriptors.rs"]
mod descriptors;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use descriptors::allow_descriptors;
use despool::accounts::{Account, Accounts, NtHash};
use despool::rpc::auth::{Credentials, Level, Step, WINNT, providers};
use despool::rpc::interface::{Call, Handler, Interface, Reply};
use despool::rpc::pdu::{Bind, Flags, Header, Kind, Pdu, Proposal, Request, Trailer, encode};
use despool::rpc::protection::{Mark, protect};
use despool::rpc::server::{Config, Listen, Server};
use despool::rpc::uuid::{SyntaxId, Uuid};
use jiff::Timestamp;

const ID: SyntaxId = SyntaxId::new(Uuid::from_u128(7), 1, 0);
const CONNECTIONS: usize = 1000;
const CALLS: u32 = 10;
/// Resident memory, in KiB, that a parked call may take with its part of the connection.
const KIB_MOST: usize = 12;
const PATIENCE: Duration = Duration::from_secs(60);

/// Parks whatever comes.
struct Parking {
    parked: Mutex<Vec<Reply>>,
    tell: Sender<()>,
}

impl Handler for Parking {
    fn call(&self, call: Call) {
        call.reply.on_gone(|_| {});
        self.parked.lock().unwrap().push(call.reply);
        let _ = self.tell.send(());
    }
}

fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut fragment = vec![0; 16];
    stream.read_exact(&mut fragment).unwrap();
    fragment.resize(Header::fragment_length(&fragment).unwrap(), 0);
    stream.read_exact(&mut fragment[16..]).unwrap();
    fragment
}

/// A client that has proved who it is and has so many calls parked; nothing is left of it but its socket.
fn park(to: SocketAddr, credentials: &Credentials) -> TcpStream {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mark = Mark { auth_type: WINNT, level: Level::Privacy, context_id: 1 };
    let mut exchange = credentials.exchange(WINNT, Level::Privacy, None);
    let Step::More(token) = exchange.step(&[]) else { panic!("a client begins") };
    let contexts = vec![Proposal { id: 0, interface: ID, transfers: vec![SyntaxId::NDR] }];
    let bind = Bind { max_transmit: 5840, max_receive: 5840, group: 0, contexts };
    let header = Header::new(Kind::Bind, Flags(0x17), 1);
    let trailer: Trailer = mark.trailer();
    stream.write_all(&encode(&header, |pdu| bind.encode(pdu), Some((&trailer, &token)))).unwrap();
    let answer = read(&mut stream);
    let token = Pdu::decode(&answer).unwrap().trailer.unwrap().token;
    let Step::Done { token, mut session, .. } = exchange.step(&answer[token]) else {
        panic!("the server is refused")
    };
    let header = Header::new(Kind::Auth3, Flags::WHOLE, 1);
    let mut octets = encode(&header, |pdu| pdu.extend([0; 4]), Some((&trailer, &token)));
    for call_id in 0..CALLS {
        let mut pdu = Vec::new();
        Header::new(Kind::Request, Flags::WHOLE, call_id).encode(&mut pdu);
        Request { alloc_hint: 0, context_id: 0, opnum: 0, object: None }.encode(&mut pdu);
        pdu.extend([5; 20]);
        protect(&mut pdu, 24, Some((&mut *session, &mark))).unwrap();
        octets.extend(pdu);
    }
    stream.write_all(&octets).unwrap();
    stream
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// CPU time of this process, in ticks of 10 ms.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn start() -> (Server, Arc<Parking>, std::sync::mpsc::Receiver<()>) {
    let (tell, told) = channel();
    let parking = Arc::new(Parking { parked: Mutex::default(), tell });
    let interface = Interface {
        min_level: Some(Level::Packet),
        ..Interface::new(ID, "parking", 1, parking.clone())
    };
    let account = Account {
        name: "alice".into(),
        nt_hash: NtHash::of("secret"),
        admin: false,
        created: Timestamp::UNIX_EPOCH,
    };
    let address = ([127, 0, 0, 1], 0).into();
    let config = Config {
        endpoints: vec![Listen { address, interfaces: vec![interface] }],
        mapper: None,
        providers: providers(&Arc::new(Accounts::in_memory("D", [account])), "D", "test"),
        principal: "host/test".into(),
    };
    (Server::start(config).unwrap(), parking, told)
}

#[test]
fn ten_thousand_parked_calls_are_little_memory_and_no_work() {
    allow_descriptors(2 * CONNECTIONS as u64 + 100);
    let (server, parking, told) = start();
    let credentials = Credentials::new("D", "alice", "secret");
    let to = server.addresses()[0];
    // The first brings what all share.
    let mut clients = vec![park(to, &credentials)];
    (0..CALLS).for_each(|_| told.recv_timeout(PATIENCE).unwrap());
    let before = resident_bytes();
    clients.extend((1..CONNECTIONS).map(|_| park(to, &credentials)));
    (0..CALLS * (CONNECTIONS as u32 - 1)).for_each(|_| told.recv_timeout(PATIENCE).unwrap());
    let calls = CALLS as usize * (CONNECTIONS - 1);
    let each = resident_bytes().saturating_sub(before) / calls;
    println!("{each} bytes for each of {calls} parked calls");
    assert!(each < KIB_MOST * 1024, "{each} bytes for each parked call");

    let begun = ticks();
    assert_eq!(told.recv_timeout(Duration::from_secs(1)), Err(RecvTimeoutError::Timeout));
    let spent = ticks() - begun;
    assert!(spent <= 2, "{spent} ticks of 10 ms in a second in which nothing happens");

    // All of them are answered, each to its client.
    let parked = std::mem::take(&mut *parking.parked.lock().unwrap());
    assert_eq!(parked.len(), CALLS as usize * CONNECTIONS);
    parked.into_iter().for_each(|reply| reply.respond(&b"1234"[..]));
    for client in &mut clients {
        let mut calls: Vec<u32> =
            (0..CALLS).map(|_| Pdu::decode(&read(client)).unwrap().header.call_id).collect();
        calls.sort_unstable();
        assert_eq!(calls, (0..CALLS).collect::<Vec<_>>());
    }
    server.stop();
}
