//! A server of [MS-PAN] within the test, and clients that reach it over real sockets.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use despool::accounts::{Account, Accounts, NtHash};
use despool::notify::{
    Audience, Broker, Limits, NotificationType, Object, SourceChannel, SourceEvent, Style, Topic,
    UserFilter,
};
use despool::pan::client::{Registration, Server as Place, Wanted};
use despool::pan::hresult::HResult;
use despool::pan::server::{Options as Served, interfaces};
use despool::pan::stub::{Created, Handle, Register, Registered, Stub};
use despool::pan::{ASYNC_NOTIFY, REMOTE_OBJECT, async_notify, remote_object};
use despool::rpc::auth::{Credentials, GSS_NEGOTIATE, Level, providers};
use despool::rpc::client::{Client, Failure, Options, Security};
use despool::rpc::ndr::{ContextHandle, Syntax};
use despool::rpc::server::{Config, Listen, Server};
use despool::rpc::status::Status;
use despool::rpc::uuid::{SyntaxId, Uuid};
use despool::rpc::wire::ByteOrder;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::PATIENCE;

/// The type of the tests' notifications.
pub(crate) const TYPE: NotificationType =
    NotificationType::new(0x0b20_806a_328a_4e1c_931c_0250_3085_74c7);

pub(crate) const UNI: Style = Style::Unidirectional;
pub(crate) const BI: Style = Style::Bidirectional;

/// What a source has heard.
pub(crate) type Heard = mpsc::UnboundedReceiver<SourceEvent>;

/// A server with one printer, `lp`, and three accounts: ann, bob, and root, who is an administrator.
pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) server: Server,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        let broker = Broker::new(limits);
        broker.add_printer("lp");
        let account = |name: &str| Account {
            name: name.into(),
            nt_hash: NtHash::of(&format!("Secret.{name}")),
            admin: name == "root",
            created: jiff::Timestamp::UNIX_EPOCH,
        };
        let accounts = Accounts::in_memory("WORKGROUP", ["ann", "bob", "root"].map(account));
        let options = Served { server_name: "srv".into(), min_level: Level::Packet, throws: true };
        let interfaces = interfaces(broker.clone(), options).to_vec();
        let server = Server::start(Config {
            endpoints: vec![Listen { address: ([127, 0, 0, 1], 0).into(), interfaces }],
            mapper: Some(([127, 0, 0, 1], 0).into()),
            providers: providers(&Arc::new(accounts), "WORKGROUP", "srv"),
            principal: "host/srv".to_owned(),
        });
        Self { broker, server: server.unwrap() }
    }

    /// A client process of somebody, at this level.
    pub(crate) async fn client(&self, name: &str, level: Level) -> Peer {
        self.client_with(options(name, level)).await.unwrap()
    }

    pub(crate) async fn client_with(&self, options: Options) -> Result<Peer, Failure> {
        let address = self.server.addresses()[0];
        let client = Client::connect(address, options, &REMOTE_OBJECT).await?;
        Ok(Peer(Rc::new(client)))
    }

    /// Somebody, encrypted.
    pub(crate) async fn peer(&self, name: &str) -> Peer {
        self.client(name, Level::Privacy).await
    }

    /// The way that programs take: by the endpoint mapper.
    pub(crate) fn place(&self, name: &str) -> Place {
        let credentials = Credentials::new("WORKGROUP", name, &format!("Secret.{name}"));
        Place::new("127.0.0.1", credentials).with_mapper_at(self.server.mapper().unwrap().port())
    }

    /// Opens a channel of the printer, and hears what comes back.
    pub(crate) fn open(&self, style: Style, audience: Audience) -> (SourceChannel, Heard) {
        let (to, heard) = mpsc::unbounded_channel();
        let topic = Topic { object: Object::printer("lp"), notification_type: TYPE, style };
        let sink = move |event| drop(to.send(event));
        (self.broker.open(topic, audience, sink).unwrap(), heard)
    }

    pub(crate) fn open_for_all(&self, style: Style) -> (SourceChannel, Heard) {
        self.open(style, Audience::AllUsers)
    }
}

/// How somebody connects.
pub(crate) fn options(name: &str, level: Level) -> Options {
    let credentials = Credentials::new("WORKGROUP", name, &format!("Secret.{name}"));
    let target = Some("host/srv".to_owned());
    Options::with(Security { credentials, auth_type: GSS_NEGOTIATE, level, target })
}

pub(crate) fn wanted(style: Style, filter: UserFilter) -> Wanted {
    let name = Some("\\\\srv\\lp".to_owned());
    Wanted { name, notification_type: TYPE, filter, style }
}

/// The type as stubs have it.
pub(crate) fn guid(notification_type: NotificationType) -> Uuid {
    Uuid::from_wire(notification_type.to_wire(), ByteOrder::Little)
}

/// A client process.
#[derive(Clone)]
pub(crate) struct Peer(pub(crate) Rc<Client>);

impl Peer {
    /// Calls a method.
    pub(crate) async fn call<A: Stub>(
        &self,
        interface: &SyntaxId,
        opnum: u16,
        stub: impl FnOnce(Syntax) -> Vec<u8>,
    ) -> Result<A, Failure> {
        let answer = in_time(self.0.call(interface, opnum, stub)).await?;
        Ok(A::read(&mut answer.reader()).unwrap())
    }

    /// Calls a method of `IRPCAsyncNotify` on a handle.
    pub(crate) async fn on<A: Stub>(
        &self,
        opnum: u16,
        handle: ContextHandle,
    ) -> Result<A, Failure> {
        self.call(&ASYNC_NOTIFY, opnum, |syntax| Handle(handle).encode(syntax)).await
    }

    /// Makes a call that waits, and waits until the server has it.
    pub(crate) async fn park<A: Stub + 'static>(
        &self,
        opnum: u16,
        stub: impl Stub + 'static,
    ) -> JoinHandle<Result<A, Failure>> {
        let peer = self.clone();
        let parked = tokio::task::spawn_local(async move {
            peer.call(&ASYNC_NOTIFY, opnum, |syntax| stub.encode(syntax)).await
        });
        // What was sent before on the same connection is served before.
        tokio::task::yield_now().await;
        self.create().await;
        parked
    }

    pub(crate) async fn create(&self) -> ContextHandle {
        let opnum = remote_object::CREATE;
        let created: Created = self.call(&REMOTE_OBJECT, opnum, |_| Vec::new()).await.unwrap();
        assert_eq!(created.result, HResult::OK);
        created.object
    }

    pub(crate) async fn register(
        &self,
        object: ContextHandle,
        style: Style,
        filter: u32,
    ) -> Result<HResult, Failure> {
        let register = Register {
            object,
            name: Some("\\\\srv\\lp".to_owned()),
            notification_type: guid(TYPE),
            filter,
            style: u32::from(style == UNI),
        };
        let opnum = async_notify::REGISTER_CLIENT;
        let registered: Result<Registered, _> =
            self.call(&ASYNC_NOTIFY, opnum, |syntax| register.encode(syntax)).await;
        registered.map(|registered| registered.result)
    }

    /// A remote object that is registered for what is its own.
    pub(crate) async fn registered(&self, style: Style) -> ContextHandle {
        let object = self.create().await;
        assert_eq!(self.register(object, style, 0).await, Ok(HResult::OK));
        object
    }

    /// The same by the API.
    pub(crate) async fn listens(&self, style: Style, filter: UserFilter) -> Registration {
        Registration::new(self.0.clone(), &wanted(style, filter)).await.unwrap()
    }
}

/// Waits, but not for ever.
pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it does not come")
}

/// The next thing that a source hears.
pub(crate) async fn next(heard: &mut Heard) -> SourceEvent {
    in_time(heard.recv()).await.expect("the channel is over")
}

/// Who answered, and what.
pub(crate) async fn response(heard: &mut Heard) -> (String, Bytes) {
    match next(heard).await {
        SourceEvent::Response { from, data } => (from.id.to_string(), data),
        other => panic!("{other:?}"),
    }
}

/// Runs a test with tasks of its own.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async { timeout(3 * PATIENCE, test).await.expect("too long") });
}

/// What a call comes back with that ended in this fault.
pub(crate) fn fault<T>(status: u32) -> Result<T, Failure> {
    Err(Failure::Fault { status: Status(status), did_not_execute: false })
}
