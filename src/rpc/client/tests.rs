//! Our client against our server, over real sockets.

mod hostile;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::accounts::{Account, Accounts, NtHash};
use crate::rpc::auth::{GSS_NEGOTIATE, WINNT, providers};
use crate::rpc::interface::{Call, Gone, Handler, Interface, Reply};
use crate::rpc::ndr::Syntax;
use crate::rpc::server::{self, Listen, Server};
use crate::rpc::uuid::Uuid;

const ONE: SyntaxId = SyntaxId::new(Uuid::from_u128(0x0101), 1, 0);
const TWO: SyntaxId = SyntaxId::new(Uuid::from_u128(0x0202), 2, 3);
const NOT_THERE: SyntaxId = SyntaxId::new(Uuid::from_u128(0x0303), 1, 0);
const LIMIT: Duration = Duration::from_secs(60);

/// Gives back what it gets.
const ECHO: u16 = 0;
/// Waits to be released by its number.
const PARK: u16 = 1;
/// Releases one.
const RELEASE: u16 = 2;
const FAULT: u16 = 3;
/// So many bytes.
const LARGE: u16 = 4;
/// The caller's group.
const GROUP: u16 = 5;

/// What tests are told: a call is parked, or gone.
#[derive(Debug, PartialEq)]
enum News {
    Parked(u32),
    Gone(u32, Gone),
}

struct Rig {
    parked: Mutex<HashMap<u32, Reply>>,
    news: mpsc::UnboundedSender<News>,
}

fn number(stub: &[u8]) -> u32 {
    u32::from_le_bytes(*stub.first_chunk().unwrap())
}

impl Handler for Rig {
    fn call(&self, call: Call) {
        match call.opnum {
            ECHO => call.answer(|call| Ok(call.stub.to_vec())),
            PARK => {
                let number = number(&call.stub);
                let news = self.news.clone();
                call.reply.on_gone(move |why| news.send(News::Gone(number, why)).unwrap());
                self.parked.lock().unwrap().insert(number, call.reply);
                let _ = self.news.send(News::Parked(number));
            }
            RELEASE => {
                let number = number(&call.stub);
                let reply = self.parked.lock().unwrap().remove(&number).unwrap();
                reply.respond(number.to_le_bytes().to_vec());
                call.answer(|_| Ok(Vec::new()));
            }
            FAULT => call.answer(|_| Err(Status::CONTEXT_MISMATCH)),
            LARGE => call.answer(|call| {
                let bytes = usize::try_from(number(&call.stub)).unwrap();
                Ok((0..=250).cycle().take(bytes).collect())
            }),
            _ => call.answer(|call| Ok(call.caller.group.to_le_bytes().to_vec())),
        }
    }
}

struct World {
    server: Server,
    news: mpsc::UnboundedReceiver<News>,
}

fn world() -> World {
    let (told, news) = mpsc::unbounded_channel();
    let handler = Arc::new(Rig { parked: Mutex::default(), news: told });
    let interface = |id| Interface {
        max_request_bytes: 11 << 20,
        ..Interface::new(id, "test", 6, handler.clone())
    };
    let account = Account {
        name: "ann".into(),
        nt_hash: NtHash::of("Secret.1"),
        admin: false,
        created: jiff::Timestamp::UNIX_EPOCH,
    };
    let accounts = Arc::new(Accounts::in_memory("WORKGROUP", [account]));
    let server = Server::start(server::Config {
        endpoints: vec![Listen {
            address: ([127, 0, 0, 1], 0).into(),
            interfaces: vec![interface(ONE), interface(TWO)],
        }],
        mapper: Some(([127, 0, 0, 1], 0).into()),
        providers: providers(&accounts, "WORKGROUP", "srv"),
        principal: "host/srv".to_owned(),
    });
    World { server: server.unwrap(), news }
}

impl World {
    async fn connect(&self, options: Options) -> Result<Client, Failure> {
        Client::connect(self.server.addresses()[0], options, &ONE).await
    }

    async fn news(&mut self) -> News {
        timeout(LIMIT, self.news.recv()).await.unwrap().unwrap()
    }
}

fn security(auth_type: u8, level: Level) -> Security {
    let credentials = Credentials::new("WORKGROUP", "ann", "Secret.1");
    Security { credentials, auth_type, level, target: Some("host/srv".to_owned()) }
}

fn secured(auth_type: u8, level: Level) -> Options {
    Options::with(security(auth_type, level))
}

fn signed() -> Options {
    secured(GSS_NEGOTIATE, Level::Integrity)
}

async fn call(client: &Client, opnum: u16, stub: &[u8]) -> Result<Vec<u8>, Failure> {
    let answered = client.call(&ONE, opnum, |_| stub.to_vec());
    timeout(LIMIT, answered).await.unwrap().map(|answer| answer.stub.to_vec())
}

#[tokio::test]
async fn every_way_to_log_on_and_every_level() {
    let world = world();
    let mut ways = vec![Options::anonymous()];
    for auth_type in [GSS_NEGOTIATE, WINNT] {
        for level in [Level::Connect, Level::Packet, Level::Integrity, Level::Privacy] {
            ways.push(secured(auth_type, level));
        }
    }
    for options in ways {
        for ndr64 in [false, true] {
            let options = Options { ndr64, ..options.clone() };
            let client = world.connect(options).await.unwrap();
            for id in [ONE, TWO, ONE] {
                let answer = client.call(&id, ECHO, |_| b"good day".to_vec()).await.unwrap();
                assert_eq!(&answer.stub[..], b"good day");
                assert_eq!(answer.syntax == Syntax::Ndr64, ndr64);
            }
        }
    }
}

#[tokio::test]
async fn what_is_refused_and_what_is_not_there() {
    let world = world();
    for (user, password) in [("ann", "wrong"), ("nobody", "Secret.1")] {
        let credentials = Credentials::new("WORKGROUP", user, password);
        let mut options = signed();
        options.security = Some(Security {
            credentials: credentials.clone(),
            ..security(GSS_NEGOTIATE, Level::Packet)
        });
        let refused = world.connect(options.clone()).await.map(drop).unwrap_err();
        assert!(matches!(refused, Failure::Refused(_)), "{refused}");
        // NTLM by itself hears nothing of it before its first call.
        options.security = Some(Security { credentials, ..security(WINNT, Level::Packet) });
        let client = world.connect(options).await.unwrap();
        let refused = call(&client, ECHO, b"").await.unwrap_err();
        assert!(
            matches!(refused, Failure::Fault { status: Status::ACCESS_DENIED, .. }),
            "{refused}"
        );
    }
    let unknown = Security { auth_type: 16, ..security(WINNT, Level::Packet) };
    let refused = world.connect(Options::with(unknown)).await.map(drop).unwrap_err();
    assert!(matches!(refused, Failure::Refused(_)), "{refused}");
    let address = world.server.addresses()[0];
    let nothing = Client::connect(address, signed(), &NOT_THERE).await.map(drop);
    assert_eq!(nothing, Err(Failure::NoInterface(NOT_THERE)));
    let client = world.connect(signed()).await.unwrap();
    let nothing = client.call(&NOT_THERE, ECHO, |_| Vec::new()).await;
    assert_eq!(nothing, Err(Failure::NoInterface(NOT_THERE)));
    let fault = |status, did_not_execute| Err(Failure::Fault { status, did_not_execute });
    assert_eq!(call(&client, FAULT, b"").await, fault(Status::CONTEXT_MISMATCH, false));
    assert_eq!(call(&client, 6, b"").await, fault(Status::OP_RANGE_ERROR, true));
    assert_eq!(call(&client, ECHO, b"still there").await.unwrap(), b"still there");
    drop(world);
    let lost = call(&client, ECHO, b"").await;
    assert!(matches!(lost, Err(Failure::Lost(_))), "{lost:?}");
    let lost = Client::connect(address, signed(), &ONE).await.map(drop);
    assert!(matches!(lost, Err(Failure::Lost(_))), "{lost:?}");
}

#[tokio::test]
async fn long_requests_and_responses_in_fragments() {
    let world = world();
    let large: Vec<u8> = (0..=250).cycle().take(300_001).collect();
    for level in [Level::Packet, Level::Privacy] {
        for fragment_bytes in [2048, 5840] {
            let options = Options { fragment_bytes, ..secured(GSS_NEGOTIATE, level) };
            let client = world.connect(options).await.unwrap();
            for bytes in [0, 1, 15, 16, 17, 2000, 2048, 5840, 300_001] {
                let stub = &large[..bytes];
                assert!(call(&client, ECHO, stub).await.unwrap() == stub, "{bytes}");
            }
        }
    }
    let options = Options { response_bytes: 100_000, ..signed() };
    let client = world.connect(options).await.unwrap();
    let (fits, not) = (100_000u32.to_le_bytes(), 100_001u32.to_le_bytes());
    assert_eq!(call(&client, LARGE, &fits).await.unwrap().len(), 100_000);
    assert_eq!(call(&client, LARGE, &not).await, Err(Failure::TooLarge(100_000)));
    let far = 1_000_000u32.to_le_bytes();
    assert_eq!(call(&client, LARGE, &far).await, Err(Failure::TooLarge(100_000)));
    assert_eq!(call(&client, LARGE, &fits).await.unwrap().len(), 100_000);
}

/// Fifty calls wait on one signed connection and are answered in another order: no signature is out of step.
#[tokio::test]
async fn fifty_parked_calls_end_in_any_order() {
    for level in [Level::Packet, Level::Privacy] {
        let mut world = world();
        let client = Arc::new(world.connect(secured(GSS_NEGOTIATE, level)).await.unwrap());
        let mut parked = Vec::new();
        for n in 0..50u32 {
            let client = client.clone();
            parked.push(tokio::spawn(async move { call(&client, PARK, &n.to_le_bytes()).await }));
        }
        for _ in 0..50 {
            assert!(matches!(world.news().await, News::Parked(_)));
        }
        let order: Vec<u32> = (0..50).map(|n| n * 37 % 50).collect();
        for n in &order {
            assert_eq!(call(&client, RELEASE, &n.to_le_bytes()).await, Ok(Vec::new()));
        }
        for (n, call) in (0..50u32).zip(parked) {
            assert_eq!(call.await.unwrap().unwrap(), n.to_le_bytes());
        }
    }
}

#[tokio::test]
async fn a_dropped_call_is_canceled_and_the_connection_goes_on() {
    let mut world = world();
    for options in [Options::anonymous(), signed()] {
        let client = Arc::new(world.connect(options).await.unwrap());
        let waiting = client.clone();
        let parked = tokio::spawn(async move { call(&waiting, PARK, &7u32.to_le_bytes()).await });
        assert_eq!(world.news().await, News::Parked(7));
        parked.abort();
        assert_eq!(world.news().await, News::Gone(7, Gone::Canceled));
        assert_eq!(call(&client, ECHO, b"next").await.unwrap(), b"next");
        // Its end is the end of what waits on it.
        let waiting = client.clone();
        let parked = tokio::spawn(async move { call(&waiting, PARK, &8u32.to_le_bytes()).await });
        assert_eq!(world.news().await, News::Parked(8));
        parked.abort();
        assert_eq!(world.news().await, News::Gone(8, Gone::Canceled));
    }
}

#[tokio::test]
async fn one_call_at_a_time_takes_connections_of_one_group() {
    let mut world = world();
    let options = Options { multiplexing: false, ..signed() };
    let client = Arc::new(world.connect(options).await.unwrap());
    let group = call(&client, GROUP, b"").await.unwrap();
    let mut parked = Vec::new();
    for n in 0..3u32 {
        let waiting = client.clone();
        parked.push(tokio::spawn(async move { call(&waiting, PARK, &n.to_le_bytes()).await }));
        assert_eq!(world.news().await, News::Parked(n));
        assert_eq!(call(&client, GROUP, b"").await.unwrap(), group);
    }
    for n in [2u32, 0, 1] {
        assert_eq!(call(&client, RELEASE, &n.to_le_bytes()).await, Ok(Vec::new()));
    }
    for (n, call) in (0..3u32).zip(parked) {
        assert_eq!(call.await.unwrap().unwrap(), n.to_le_bytes());
    }
    assert_eq!(client.single.lock().await.len(), 4);
}

#[tokio::test]
async fn the_endpoint_mapper_tells_the_port() {
    let world = world();
    let mapper = world.server.mapper().unwrap();
    let port = world.server.addresses()[0].port();
    assert_eq!(mapper::ask(mapper, &ONE).await, Ok(port));
    assert_eq!(mapper::ask(mapper, &NOT_THERE).await, Err(Failure::NoInterface(NOT_THERE)));
    let found = mapper::find("127.0.0.1", mapper.port(), &TWO).await.unwrap();
    assert_eq!(found, world.server.addresses()[0]);
    // What is no endpoint mapper.
    let nothing = mapper::ask(world.server.addresses()[0], &ONE).await;
    assert_eq!(nothing, Err(Failure::NoInterface(crate::rpc::epm::ID)));
}
