//! For tests: a server without a wire. Peers' calls go straight to the handlers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::identity::Identity;
use crate::notify::{Audience, Broker, NotificationType, SourceChannel, SourceEvent, Style, Topic};
use crate::pan::client::Transport;
use crate::pan::client::transport::{Called, Failure, Response};
use crate::pan::hresult::HResult;
use crate::pan::server::{Options, interfaces};
use crate::pan::stub::{
    Close, Created, Handle, NewChannels, Notified, Register, Registered, Responded, Returned,
    SendResponse, Stub,
};
use crate::pan::{ASYNC_NOTIFY, async_notify, guid, remote_object};
use crate::rpc::auth::Level;
use crate::rpc::interface::{
    Call, Caller, Gone, HandleTable, Interface, Outcome, Pending, Receipt, Reply, Sink,
};
use crate::rpc::ndr::{ContextHandle, Reader, Syntax};
use crate::rpc::status::Status;
use crate::rpc::uuid::SyntaxId;
use crate::rpc::wire::ByteOrder;

pub(crate) struct World {
    pub(crate) broker: Broker,
    interfaces: Arc<[Interface; 2]>,
}

/// What a source has heard: the event's name, and who said what.
type Heard = Vec<(&'static str, Option<(Arc<str>, Bytes)>)>;

impl World {
    pub(crate) fn new() -> Self {
        Self::with(true)
    }

    pub(crate) fn that_returns() -> Self {
        Self::with(false)
    }

    fn with(throws: bool) -> Self {
        let broker = Broker::default();
        broker.add_printer("lp");
        let options = Options { server_name: "srv".into(), min_level: Level::Packet, throws };
        let interfaces = Arc::new(interfaces(broker.clone(), options));
        Self { broker, interfaces }
    }

    pub(crate) fn peer(&self, id: &str, admin: bool) -> Peer {
        Peer {
            interfaces: self.interfaces.clone(),
            table: Arc::new(HandleTable::new()),
            identity: Identity { id: id.into(), name: id.into(), admin },
            syntax: Syntax::Ndr,
            last: Mutex::default(),
        }
    }

    /// A channel for everybody, and what its source has heard so far.
    pub(crate) fn source(&self, topic: Topic) -> (SourceChannel, impl Fn() -> Heard + use<>) {
        let heard = Arc::new(Mutex::new(Heard::new()));
        let log = heard.clone();
        let sink = move |event| {
            let entry = match event {
                SourceEvent::Response { from, data } => ("response", Some((from.id, data))),
                SourceEvent::ClosedByClient => ("closed", None),
                SourceEvent::ObjectDeleted => ("deleted", None),
                SourceEvent::ShuttingDown => ("stopping", None),
            };
            log.lock().unwrap().push(entry);
        };
        let channel = self.broker.open(topic, Audience::AllUsers, sink).unwrap();
        (channel, move || heard.lock().unwrap().clone())
    }
}

/// A client process.
pub(crate) struct Peer {
    interfaces: Arc<[Interface; 2]>,
    table: Arc<HandleTable>,
    identity: Identity,
    syntax: Syntax,
    /// Interface and operation of its last call.
    last: Mutex<Option<(usize, u16)>>,
}

impl Peer {
    pub(crate) fn ndr64(self) -> Self {
        Self { syntax: Syntax::Ndr64, ..self }
    }

    pub(crate) fn same_process_as(&self, id: &str) -> Self {
        let identity = Identity { id: id.into(), name: id.into(), admin: false };
        let (interfaces, table) = (self.interfaces.clone(), self.table.clone());
        Self { interfaces, table, identity, syntax: self.syntax, last: Mutex::default() }
    }

    /// Its connection ends.
    pub(crate) fn gone(&self) {
        self.table.run_down();
    }

    pub(crate) fn has_deleted(&self) -> bool {
        *self.last.lock().unwrap() == Some((0, remote_object::DELETE))
    }

    pub(crate) fn call_notify(&self, opnum: u16, stub: Vec<u8>) -> Calling {
        self.call(1, opnum, stub)
    }

    fn call(&self, interface: usize, opnum: u16, stub: Vec<u8>) -> Calling {
        *self.last.lock().unwrap() = Some((interface, opnum));
        let answers = Arc::new(Answers::default());
        let (reply, pending) = Reply::new(answers.clone(), 1);
        let address = SocketAddr::from(([10, 0, 0, 5], 4711));
        let call = Call {
            opnum,
            object: None,
            syntax: self.syntax,
            order: ByteOrder::Little,
            stub: stub.into(),
            caller: Caller {
                identity: Some(self.identity.clone()),
                level: Some(Level::Packet),
                group: 1,
                peer: address,
                local: address,
            },
            handles: self.table.of(Some(self.identity.clone())),
            reply,
        };
        self.interfaces[interface].handler.call(call);
        Calling { answers, pending, syntax: self.syntax }
    }

    pub(crate) fn create(&self) -> ContextHandle {
        let created = self.call(0, remote_object::CREATE, Vec::new()).decoded::<Created>();
        assert_eq!(created.result, HResult::OK);
        created.object
    }

    pub(crate) fn delete(&self, handle: ContextHandle) -> Answer {
        self.call(0, remote_object::DELETE, Handle(handle).encode(self.syntax)).answer().unwrap()
    }

    pub(crate) fn register(
        &self,
        object: ContextHandle,
        name: Option<&str>,
        notification_type: NotificationType,
        filter: u32,
        style: Style,
    ) -> HResult {
        let style = u32::from(style == Style::Unidirectional);
        let name = name.map(str::to_owned);
        let notification_type = guid(notification_type);
        let register = Register { object, name, notification_type, filter, style };
        let call = self.call_notify(async_notify::REGISTER_CLIENT, register.encode(self.syntax));
        call.decoded::<Registered>().result
    }

    pub(crate) fn registered(
        &self,
        notification_type: NotificationType,
        style: Style,
    ) -> ContextHandle {
        let object = self.create();
        let result = self.register(object, Some("\\\\srv\\lp"), notification_type, 0, style);
        assert_eq!(result, HResult::OK);
        object
    }

    pub(crate) fn unregister(&self, object: ContextHandle) -> HResult {
        let stub = Handle(object).encode(self.syntax);
        self.call_notify(async_notify::UNREGISTER_CLIENT, stub).decoded::<Returned>().0
    }

    pub(crate) fn get_notification(&self, object: ContextHandle) -> Calling {
        self.call_notify(async_notify::GET_NOTIFICATION, Handle(object).encode(self.syntax))
    }

    pub(crate) fn get_new_channel(&self, object: ContextHandle) -> Calling {
        self.call_notify(async_notify::GET_NEW_CHANNEL, Handle(object).encode(self.syntax))
    }

    pub(crate) fn wait(&self, object: ContextHandle, style: Style) -> Calling {
        match style {
            Style::Unidirectional => self.get_notification(object),
            Style::Bidirectional => self.get_new_channel(object),
        }
    }

    pub(crate) fn exchange(
        &self,
        channel: ContextHandle,
        notification_type: Option<NotificationType>,
        data: &'static str,
    ) -> Calling {
        self.exchange_bytes(channel, notification_type, data.into())
    }

    pub(crate) fn exchange_bytes(
        &self,
        channel: ContextHandle,
        notification_type: Option<NotificationType>,
        data: Bytes,
    ) -> Calling {
        let notification_type = notification_type.map(guid);
        let data = Some(data).filter(|data| !data.is_empty());
        let request = SendResponse { channel, notification_type, data };
        let stub = request.encode(self.syntax);
        self.call_notify(async_notify::GET_NOTIFICATION_SEND_RESPONSE, stub)
    }

    pub(crate) fn close(
        &self,
        channel: ContextHandle,
        notification_type: NotificationType,
        reason: &'static str,
    ) -> Answer {
        let reason = Some(Bytes::from(reason)).filter(|reason| !reason.is_empty());
        let close = Close { channel, notification_type: guid(notification_type), reason };
        let call = self.call_notify(async_notify::CLOSE_CHANNEL, close.encode(self.syntax));
        call.answer().unwrap()
    }
}

/// What `NOTIFICATION_RELEASE` looks like to who was too late.
pub(crate) fn lost() -> Responded {
    let notification_type = Some(guid(NotificationType::RELEASE));
    let notified = Notified { notification_type, data: None, result: HResult::OK };
    Responded { channel: ContextHandle::NULL, notified }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Stub(Vec<u8>),
    Fault(Status),
}

impl Answer {
    pub(crate) fn of(stub: &impl Stub, peer: &Peer) -> Self {
        Self::Stub(stub.encode(peer.syntax))
    }
}

#[derive(Default)]
struct Answers(Mutex<(Option<Answer>, Option<Receipt>)>, tokio::sync::Notify);

impl Sink for Answers {
    fn completed(&self, _key: u64, outcome: Outcome) {
        *self.0.lock().unwrap() = match outcome {
            Outcome::Response(stub, receipt) => (Some(Answer::Stub(stub.to_vec())), Some(receipt)),
            Outcome::Fault { status, .. } => (Some(Answer::Fault(status)), None),
            Outcome::Gone(_) => (None, None),
        };
        self.1.notify_one();
    }
}

/// A call that is answered, or waits.
pub(crate) struct Calling {
    answers: Arc<Answers>,
    pub(crate) pending: Pending,
    syntax: Syntax,
}

impl Calling {
    pub(crate) fn answer(&self) -> Option<Answer> {
        self.answers.0.lock().unwrap().0.clone()
    }

    pub(crate) fn decoded<S: Stub>(&self) -> S {
        let Some(Answer::Stub(stub)) = self.answer() else { panic!("{:?}", self.answer()) };
        S::read(&mut Reader::new(&stub, self.syntax, ByteOrder::Little)).unwrap()
    }

    pub(crate) fn notified(&self) -> Notified {
        self.decoded()
    }

    pub(crate) fn responded(&self) -> Responded {
        self.decoded()
    }

    pub(crate) fn channels(&self) -> Vec<ContextHandle> {
        self.decoded::<NewChannels>().channels
    }

    /// The connection ended before the response was written.
    pub(crate) fn lose(&self) {
        let receipt = self.answers.0.lock().unwrap().1.take();
        drop(receipt);
    }
}

/// A peer is what a client calls through. A call that is dropped while it waits is canceled.
impl Transport for Peer {
    fn call<'a>(
        &'a self,
        interface: SyntaxId,
        opnum: u16,
        stub: &'a dyn Fn(Syntax) -> Vec<u8>,
    ) -> Called<'a> {
        let interface = usize::from(interface == ASYNC_NOTIFY);
        Box::pin(async move {
            let calling = self.call(interface, opnum, stub(self.syntax));
            loop {
                match calling.answer() {
                    Some(Answer::Fault(status)) => return Err(Failure::Fault(status)),
                    Some(Answer::Stub(stub)) => {
                        let (syntax, order) = (self.syntax, ByteOrder::Little);
                        return Ok(Response { stub: stub.into(), syntax, order });
                    }
                    None => calling.answers.1.notified().await,
                }
            }
        })
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        self.pending.go(Gone::Canceled);
        // Whoever did not lose the response has got it.
        if let Ok(mut answers) = self.answers.0.lock()
            && let Some(receipt) = answers.1.take()
        {
            receipt.written();
        }
    }
}
