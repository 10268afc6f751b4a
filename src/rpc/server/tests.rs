//! The edge, over real sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::*;
use crate::rpc::interface::{Call, Gone, Handler, Reply};
use crate::rpc::pdu::{Bind, Body, Flags, Header, Kind, Pdu, Proposal, Request, encode};
use crate::rpc::status::Status;
use crate::rpc::uuid::{SyntaxId, Uuid};

const ID: SyntaxId = SyntaxId::new(Uuid::from_u128(7), 1, 0);
/// The longest wait for anything that must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Operation 0 gives back what it gets, operation 1 parks until the server stops.
struct Desk {
    parked: Mutex<Vec<Reply>>,
    tell: Sender<String>,
}

impl Handler for Desk {
    fn call(&self, call: Call) {
        if call.opnum == 0 {
            return call.answer(|call| Ok(call.stub.to_vec()));
        }
        let tell = self.tell.clone();
        call.reply.on_gone(move |why: Gone| drop(tell.send(format!("{why:?}"))));
        self.parked.lock().unwrap().push(call.reply);
        let _ = self.tell.send("parked".into());
    }

    fn stop(&self) {
        let parked = std::mem::take(&mut *self.parked.lock().unwrap());
        parked.into_iter().for_each(|reply| reply.fault(Status(0x8007_071A)));
    }
}

fn local() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

fn start() -> (Server, Receiver<String>) {
    let (tell, told) = channel();
    let desk = Arc::new(Desk { parked: Mutex::default(), tell });
    let config = Config {
        endpoints: vec![Listen {
            address: local(),
            interfaces: vec![Interface::new(ID, "desk", 2, desk)],
        }],
        mapper: Some(local()),
        providers: Vec::new(),
        principal: "host/test".into(),
    };
    (Server::start(config).unwrap(), told)
}

struct Client(TcpStream);

impl Client {
    fn connect(to: SocketAddr, interface: SyntaxId) -> Self {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Self(stream);
        let contexts = vec![Proposal { id: 0, interface, transfers: vec![SyntaxId::NDR] }];
        let bind = Bind { max_transmit: 5840, max_receive: 5840, group: 0, contexts };
        let header = Header::new(Kind::Bind, Flags(0x13), 1);
        client.0.write_all(&encode(&header, |pdu| bind.encode(pdu), None)).unwrap();
        assert!(matches!(client.read().body, Body::BindAck(_)));
        client
    }

    fn send(&mut self, call_id: u32, opnum: u16, stub: &[u8]) {
        let header = Header::new(Kind::Request, Flags::WHOLE, call_id);
        let head = Request { alloc_hint: 0, context_id: 0, opnum, object: None };
        let write = |pdu: &mut Vec<u8>| {
            head.encode(pdu);
            pdu.extend(stub);
        };
        self.0.write_all(&encode(&header, write, None)).unwrap();
    }

    fn read(&mut self) -> Pdu {
        let mut fragment = vec![0; 16];
        self.0.read_exact(&mut fragment).unwrap();
        fragment.resize(Header::fragment_length(&fragment).unwrap(), 0);
        self.0.read_exact(&mut fragment[16..]).unwrap();
        Pdu::decode(&fragment).unwrap()
    }
}

#[test]
fn calls_over_many_connections_and_the_endpoint_mapper() {
    let (server, _told) = start();
    let mut clients: Vec<Client> =
        (0..50).map(|_| Client::connect(server.addresses()[0], ID)).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.send(n as u32, 0, b"abc");
    }
    for (n, client) in clients.iter_mut().enumerate().rev() {
        let pdu = client.read();
        assert_eq!(pdu.header.call_id, n as u32);
        assert!(matches!(pdu.body, Body::Response(_, stub) if stub.len() == 3));
    }
    let mut mapper = Client::connect(server.mapper().unwrap(), epm::ID);
    mapper.send(1, epm::op::LOOKUP_HANDLE_FREE, &[0; 20]);
    assert!(matches!(mapper.read().body, Body::Response(..)));
    server.stop();
}

#[test]
fn a_client_that_goes_takes_its_parked_calls_along() {
    let (server, told) = start();
    let mut client = Client::connect(server.addresses()[0], ID);
    client.send(1, 1, b"");
    client.send(2, 1, b"");
    let wait = || told.recv_timeout(PATIENCE).unwrap();
    assert_eq!([wait(), wait()], ["parked", "parked"]);
    drop(client);
    assert_eq!([wait(), wait()], ["Disconnected", "Disconnected"]);
}

#[test]
fn when_the_server_stops_parked_calls_are_answered() {
    let (server, told) = start();
    let address = server.addresses()[0];
    let mut client = Client::connect(address, ID);
    client.send(1, 1, b"");
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "parked");
    server.stop();
    let Body::Fault(fault) = client.read().body else { panic!("no fault") };
    assert_eq!(fault.status, 0x8007_071A);
    assert_eq!(client.0.read(&mut [0]).unwrap(), 0);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_server_that_is_dropped_waits_for_nobody() {
    let (server, told) = start();
    let mut client = Client::connect(server.addresses()[0], ID);
    client.send(1, 1, b"");
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "parked");
    drop(server);
    // The interface may still give an answer, which nobody gets; otherwise it hears that its peer is gone.
    match told.recv_timeout(PATIENCE) {
        Ok(why) => assert_eq!(why, "Disconnected"),
        Err(error) => assert_eq!(error, RecvTimeoutError::Disconnected, "somebody still waits"),
    }
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = StdListener::bind(local()).unwrap();
    let config = Config {
        endpoints: Vec::new(),
        mapper: Some(taken.local_addr().unwrap()),
        providers: Vec::new(),
        principal: String::new(),
    };
    let Err(error) = Server::start(config) else { panic!("it was taken") };
    assert!(error.to_string().contains(&taken.local_addr().unwrap().to_string()), "{error}");
}
