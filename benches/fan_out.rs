//! How long does it take until the last of 1,000 clients has a notification?
//!
//! An [MS-PAN] server in this process, and 1,000 clients on a thread of their own, each on a connection of its own, all at
//! level "privacy". The clock runs from the send on the source's channel until the last client's `GetNotification` has
//! returned; clients that have theirs ask for the next one at once, as clients do. Taken in turns: a bare loop that writes
//! 1,000 messages of the sealed response's size to 1,000 sockets, and a thread that reads them all.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot measure stops"
)]

mod support;

use std::cell::Cell;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::Criterion;
use despool::accounts::{Account, Accounts, NtHash};
use despool::asyncui::{Balloon, Request, Text};
use despool::notify::{
    Audience, Broker, NotificationType, Object, SourceChannel, Style, Topic, UserFilter,
};
use despool::pan::client::{Heard, Registration, Server as Place, Wanted};
use despool::pan::hresult::HResult;
use despool::pan::server::{Options, interfaces};
use despool::pan::stub::{Notified, Stub};
use despool::rpc::auth::{Credentials, Level, providers};
use despool::rpc::ndr::Syntax;
use despool::rpc::pdu::{HEADER_BYTES, Response, TRAILER_BYTES};
use despool::rpc::server::{Config, Listen, Server};
use despool::rpc::uuid::Uuid;
use support::scatter::Scatter;
use support::turns::{Effort, Lap, in_turns};
use support::{Closing, shown};
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

const CLIENTS: usize = 1000;

/// At least this part of the bare loop's speed: within 8 times.
const SPEED: f64 = 1.0 / 8.0;

/// Clients that connect at a time: the kernel's backlog takes no more than some.
const CONNECTING: usize = 64;

/// Sockets of both measurements, two for each client, and some.
const DESCRIPTORS: u64 = 4 * CLIENTS as u64 + 100;

/// What does not happen within this never will.
const PATIENCE: Duration = Duration::from_secs(120);

const TYPE: NotificationType = NotificationType::new(0x0b20_806a_328a_4e1c_931c_0250_3085_74c7);
const USER: &str = "root";
const PASSWORD: &str = "pw";
const DOMAIN: &str = "PEER";
const SIGNATURE_BYTES: usize = 16;
const STUB_ALIGN: usize = 16;

fn main() -> ExitCode {
    support::descriptors::allow_descriptors(DESCRIPTORS);
    let mut criterion = Criterion::default().configure_from_args();
    let mut closing = Closing::new();
    let event = balloon();
    let bytes = sealed_bytes(&event);
    let ours = Ours::start();
    let mut bare = Scatter::start(CLIENTS, bytes);
    let effort = Effort::new((10, 2), (50, 10));
    let turns =
        in_turns(&mut criterion, "fan_out/sealed", effort, || bare.lap(), || ours.lap(&event));
    if let Some(turns) = turns {
        let (limit, took) = turns.times();
        println!(
            "fan_out/sealed: {} until the last of {CLIENTS} has {bytes} bytes (bare loop {})",
            shown(took),
            shown(limit)
        );
        closing.ratio("fan_out/sealed", turns.speed(), SPEED);
    }
    criterion.final_summary();
    closing.end()
}

/// What a client is told when its document was printed.
fn balloon() -> Bytes {
    let text = Text::literal;
    Request::Balloon(Balloon {
        icon: None,
        title: text("Document printed"),
        body: vec![text("\u{201c}shipping label 4711\u{201d} (job 4711) was printed on label.")],
        action: None,
    })
    .encode()
}

/// Octets on the wire of the response with this notification. It fits into one fragment.
fn sealed_bytes(event: &Bytes) -> usize {
    let notified = Notified {
        notification_type: Some(Uuid::from_u128(1)),
        data: Some(event.clone()),
        result: HResult::OK,
    };
    let stub = notified.encode(Syntax::Ndr64).len().next_multiple_of(STUB_ALIGN);
    HEADER_BYTES + Response::BYTES + stub + TRAILER_BYTES + SIGNATURE_BYTES
}

/// A server, all its clients, and a source.
struct Ours {
    broker: Broker,
    source: SourceChannel,
    told: Receiver<Instant>,
    _server: Server,
}

impl Ours {
    fn start() -> Self {
        let broker = Broker::default();
        broker.add_printer("label");
        let topic = Topic {
            object: Object::printer("label"),
            notification_type: TYPE,
            style: Style::Unidirectional,
        };
        let source = broker.open(topic, Audience::AllUsers, |_| ()).unwrap();
        let server = serve(&broker);
        let (tell, told) = channel();
        let address = server.addresses()[0];
        std::thread::spawn(move || run_clients(address, &tell));
        Self { broker, source, told, _server: server }
    }

    /// From the send until the last one has it.
    fn lap(&self, event: &Bytes) -> Lap {
        self.wait_until_all_wait();
        let begun = Instant::now();
        self.source.send(event.clone()).unwrap();
        let last = self.told.recv_timeout(PATIENCE).unwrap();
        Lap { took: last - begun, cpu: Duration::ZERO }
    }

    fn wait_until_all_wait(&self) {
        let begun = Instant::now();
        while self.broker.counts().parked < CLIENTS {
            assert!(begun.elapsed() < PATIENCE, "{:?}", self.broker.counts());
            std::thread::yield_now();
        }
    }
}

fn serve(broker: &Broker) -> Server {
    let account = Account {
        name: USER.into(),
        nt_hash: NtHash::of(PASSWORD),
        admin: false,
        created: jiff::Timestamp::UNIX_EPOCH,
    };
    let accounts = Arc::new(Accounts::in_memory(DOMAIN, [account]));
    let options = Options { server_name: "srv".into(), min_level: Level::Privacy, throws: true };
    let interfaces = interfaces(broker.clone(), options).to_vec();
    let config = Config {
        endpoints: vec![Listen { address: ([127, 0, 0, 1], 0).into(), interfaces }],
        mapper: None,
        providers: providers(&accounts, DOMAIN, "srv"),
        principal: "host/srv".into(),
    };
    Server::start(config).unwrap()
}

/// Clients that register, and tell when the last of them has heard what the others have.
fn run_clients(server: SocketAddr, tell: &Sender<Instant>) {
    let credentials = Credentials::new(DOMAIN, USER, PASSWORD);
    let place = Place::new(&server.ip().to_string(), credentials).at_port(server.port());
    let wanted = Wanted {
        name: Some("\\\\srv\\label".to_owned()),
        notification_type: TYPE,
        filter: UserFilter::PerUser,
        style: Style::Unidirectional,
    };
    let (connecting, heard) = (Semaphore::new(CONNECTING), Cell::new(0));
    let shared = Rc::new((place, wanted, connecting, heard, tell.clone()));
    let local = LocalSet::new();
    for _ in 0..CLIENTS {
        let shared = shared.clone();
        local.spawn_local(async move {
            let (place, wanted, connecting, heard, tell) = &*shared;
            let permit = connecting.acquire().await.unwrap();
            let client = place.connect().await.unwrap();
            let mut registration = Registration::new(client, wanted).await.unwrap();
            drop(permit);
            while let Ok(Heard::Data(_)) = registration.next().await {
                heard.set(heard.get() + 1);
                if heard.get() == CLIENTS {
                    heard.set(0);
                    let _ = tell.send(Instant::now());
                }
            }
        });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(local);
}
