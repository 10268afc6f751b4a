//! A client for the tests: writes PDUs, drives an association with them, and takes apart what comes back, signatures too.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::*;
use crate::accounts::{Account, Accounts, NtHash};
use crate::rpc::auth::{
    Credentials, GSS_NEGOTIATE, Level, Provider, Session, Step, WINNT, providers,
};
use crate::rpc::endpoint::Budget;
use crate::rpc::interface::{Call, Context, Delivery, Handler, Interface, Reply};
use crate::rpc::pdu::{
    AckResult, Bind, BindAck, Body, HEADER_BYTES, Proposal, Request, Trailer, set_lengths,
};
use crate::rpc::protection::{Mark, protect};
use crate::rpc::uuid::{SyntaxId, Uuid};

/// An interface for everybody …
pub(super) const OPEN: SyntaxId = SyntaxId::new(Uuid::from_u128(1), 1, 0);
/// … and one for those who are known, and send more.
pub(super) const SAFE: SyntaxId = SyntaxId::new(Uuid::from_u128(2), 1, 0);
/// Stub bytes of a request to it.
pub(super) const SAFE_BYTES: usize = 10 * 1024 * 1024 + 64;

/// What both of them do.
pub(super) mod op {
    pub(in super::super) const ECHO: u16 = 0;
    /// Parks; the first octet of the stub names the call.
    pub(in super::super) const PARK: u16 = 1;
    /// Likewise, without a hook.
    pub(in super::super) const WORK: u16 = 2;
    /// Gives a context handle.
    pub(in super::super) const OPEN: u16 = 3;
    /// Takes one.
    pub(in super::super) const USE: u16 = 4;
    /// Gives as many octets as a u32 says, and logs what becomes of them.
    pub(in super::super) const MAKE: u16 = 5;
    pub(super) const COUNT: u16 = 6;
}

/// What happened, in order.
pub(super) type Log = Arc<Mutex<Vec<String>>>;

/// The handler of both interfaces.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) parked: Mutex<HashMap<u8, Vec<Reply>>>,
    pub(super) log: Log,
    /// How many handles and tracked responses there were.
    pub(super) opened: AtomicUsize,
    pub(super) made: AtomicUsize,
}

struct Thing(Log);

impl Context for Thing {
    fn run_down(self: Arc<Self>) {
        self.0.lock().unwrap().push("run down".into());
    }
}

impl Handler for Desk {
    fn call(&self, call: Call) {
        let name = call.stub.first().copied().unwrap_or_default();
        let log = self.log.clone();
        match call.opnum {
            op::ECHO => call.answer(|call| Ok(call.stub.to_vec())),
            op::PARK => {
                call.reply.on_gone(move |why| log.lock().unwrap().push(format!("{name} {why:?}")));
                self.park(name, call.reply);
            }
            op::WORK => self.park(name, call.reply),
            op::OPEN => call.answer(|call| {
                let handle = call.handles.create(Arc::new(Thing(log.clone())))?;
                self.opened.fetch_add(1, Ordering::Relaxed);
                let mut results = call.writer();
                results.context_handle(&handle);
                Ok(results.finish())
            }),
            op::USE => call.answer(|call| {
                call.handles.lookup::<Thing>(&call.reader().context_handle()?)?;
                Ok(Vec::new())
            }),
            _ => {
                self.made.fetch_add(1, Ordering::Relaxed);
                let count = call.reader().u32().unwrap_or_default().min(1 << 20) as usize;
                let then =
                    move |delivery: Delivery| log.lock().unwrap().push(format!("{delivery:?}"));
                call.reply.respond_tracked(vec![7; count], then);
            }
        }
    }
}

impl Desk {
    /// Answers a call that waits.
    pub(super) fn answer(&self, name: u8) {
        self.unpark(name).unwrap().respond(vec![name; 3]);
    }

    fn park(&self, name: u8, reply: Reply) {
        self.parked.lock().unwrap().entry(name).or_default().push(reply);
    }

    /// Takes a call of this name out of those that wait.
    pub(super) fn unpark(&self, name: u8) -> Option<Reply> {
        self.parked.lock().unwrap().get_mut(&name)?.pop()
    }

    /// Calls that wait, and that somebody waits for.
    pub(super) fn outstanding(&self) -> usize {
        let parked = self.parked.lock().unwrap();
        parked.values().flatten().filter(|reply| !reply.is_gone()).count()
    }

    pub(super) fn said(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

/// An endpoint and what serves it.
pub(super) struct World {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) desk: Arc<Desk>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with_budget(usize::MAX / 2)
    }

    /// With so many octets for requests that are being put together.
    pub(super) fn with_budget(bytes: usize) -> Self {
        let desk = Arc::new(Desk::default());
        let open = Interface::new(OPEN, "open", op::COUNT, desk.clone());
        let safe = Interface {
            min_level: Some(Level::Packet),
            max_request_bytes: SAFE_BYTES,
            ..Interface::new(SAFE, "safe", op::COUNT, desk.clone())
        };
        let budget = Arc::new(Budget::new(bytes));
        let endpoint = Endpoint::new(vec![open, safe], known(), "host/test", budget);
        Self { endpoint: Arc::new(endpoint), desk }
    }

    pub(super) fn connect(&self) -> Client {
        self.connect_from([10, 0, 0, 1].into())
    }

    pub(super) fn connect_from(&self, client: IpAddr) -> Client {
        let ends = Ends {
            peer: SocketAddr::new(client, 40_000),
            local: SocketAddr::new([10, 0, 0, 9].into(), 49_152),
        };
        let now = Instant::now();
        let outbox = Arc::new(Outbox::new(|| {}));
        let association = Association::new(self.endpoint.clone(), ends, outbox, now);
        Client { association, now, by: None, stubs: HashMap::new(), longest: 0 }
    }

    /// A connection with the open interface as context 0.
    pub(super) fn bound(&self) -> Client {
        let mut client = self.connect();
        client.bind(OPEN, 0);
        client
    }

    /// A connection with the safe interface as context 0, by somebody who is known.
    pub(super) fn known(&self, level: Level) -> Client {
        let mut client = self.connect();
        client.bind_as(WINNT, level, "secret");
        client
    }
}

fn known() -> Vec<Arc<dyn Provider>> {
    let account = Account {
        name: "alice".into(),
        nt_hash: NtHash::of("secret"),
        admin: false,
        created: jiff::Timestamp::UNIX_EPOCH,
    };
    providers(&Arc::new(Accounts::in_memory("D", [account])), "D", "test")
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Heard {
    Ack(Flags, BindAck),
    Nak(u16),
    /// A whole response: call, stub.
    Response(u32, Vec<u8>),
    /// Call, context, status, did not execute.
    Fault(u32, u16, Status, bool),
}

pub(super) struct Client {
    pub(super) association: Association,
    pub(super) now: Instant,
    /// What protects the PDUs.
    pub(super) by: Option<(Box<dyn Session>, Mark)>,
    stubs: HashMap<u32, Vec<u8>>,
    /// Octets of the longest fragment that came.
    pub(super) longest: usize,
}

pub(super) const BOTH: Flags = Flags(0x17);

impl Client {
    /// Hands octets over and takes what comes back.
    pub(super) fn send(&mut self, mut octets: Vec<u8>) -> Vec<Heard> {
        self.association.receive(&mut octets, self.now);
        self.hear()
    }

    pub(super) fn hear(&mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        for octets in self.take() {
            self.longest = self.longest.max(octets.len());
            heard.extend(self.read(octets));
        }
        heard
    }

    /// The fragments that come back.
    fn take(&mut self) -> Vec<Vec<u8>> {
        self.association.collect(self.now);
        let mut all = Vec::new();
        loop {
            let octets = self.association.output().to_vec();
            if octets.is_empty() {
                break;
            }
            self.association.took(octets.len(), self.now);
            all.extend(octets);
        }
        let (mut fragments, mut rest) = (Vec::new(), all.as_slice());
        while let Some(length) = Header::fragment_length(rest) {
            let (fragment, after) = rest.split_at(length);
            fragments.push(fragment.to_vec());
            rest = after;
        }
        assert!(rest.is_empty());
        fragments
    }

    fn read(&mut self, mut octets: Vec<u8>) -> Option<Heard> {
        let Pdu { header, body, trailer } = Pdu::decode(&octets).unwrap();
        let call_id = header.call_id;
        Some(match body {
            Body::BindAck(ack) | Body::AlterContextResp(ack) => Heard::Ack(header.flags, ack),
            Body::BindNak(nak) => Heard::Nak(nak.reason),
            Body::Fault(fault) => {
                let did_not_execute = header.flags.has(Flags::DID_NOT_EXECUTE);
                Heard::Fault(call_id, fault.context_id, Status(fault.status), did_not_execute)
            }
            Body::Response(_, stub) => {
                if let Some((session, mark)) = &mut self.by
                    && mark.level != Level::Connect
                {
                    let trailer = trailer.unwrap();
                    protection::check(&mut octets, &stub, &trailer, &mut **session, mark.level)
                        .unwrap();
                }
                let so_far = self.stubs.entry(call_id).or_default();
                assert_eq!(so_far.is_empty(), header.flags.has(Flags::FIRST));
                so_far.extend(&octets[stub]);
                if !header.flags.has(Flags::LAST) {
                    return None;
                }
                Heard::Response(call_id, self.stubs.remove(&call_id).unwrap())
            }
            other => panic!("a server does not send {other:?}"),
        })
    }

    pub(super) fn bind(&mut self, interface: SyntaxId, group: u32) -> BindAck {
        let heard = self.send(bind(Kind::Bind, BOTH, &proposing(0, interface, group), None));
        let [Heard::Ack(flags, ack)] = heard.as_slice() else { panic!("{heard:?}") };
        assert_eq!(*flags, BOTH);
        ack.clone()
    }

    /// Binds the safe interface, proving the name by this password.
    pub(super) fn bind_as(&mut self, auth_type: u8, level: Level, password: &str) {
        let mut exchange =
            Credentials::new("D", "alice", password).exchange(auth_type, level, None);
        let mark = Mark { auth_type, level, context_id: 5 };
        let mut token = Vec::new();
        let mut kind = Kind::Bind;
        loop {
            let (to_server, session) = match exchange.step(&token) {
                Step::More(token) => (token, None),
                Step::Done { token, session, .. } => (token, Some(session)),
                Step::Refused(refusal) => panic!("{refusal}"),
            };
            if let Some(session) = session {
                self.by = Some((session, mark));
            }
            if self.by.is_some() && to_server.is_empty() {
                return;
            }
            if self.by.is_some() && auth_type == WINNT {
                kind = Kind::Auth3;
            }
            let trailer = (mark.trailer(), to_server);
            let octets = match kind {
                Kind::Auth3 => auth3(&trailer),
                _ => bind(kind, BOTH, &proposing(0, SAFE, 0), Some(&trailer)),
            };
            self.association.receive(&mut octets.clone(), self.now);
            let Some(answer) = self.take().pop() else { return };
            let pdu = Pdu::decode(&answer).unwrap();
            assert!(matches!(pdu.body, Body::BindAck(_) | Body::AlterContextResp(_)), "{pdu:?}");
            token = pdu.trailer.map(|trailer| answer[trailer.token].to_vec()).unwrap_or_default();
            if self.by.is_some() && token.is_empty() {
                return;
            }
            kind = Kind::AlterContext;
        }
    }

    /// A whole request, of context 0, protected as was agreed on.
    pub(super) fn request(&mut self, call_id: u32, opnum: u16, stub: &[u8]) -> Vec<u8> {
        let size = 5840 - HEADER_BYTES - Request::BYTES - 24;
        let mut parts: Vec<&[u8]> = stub.chunks(size).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        let last = parts.len() - 1;
        let mut all = Vec::new();
        for (n, part) in parts.into_iter().enumerate() {
            let flags = Flags::FIRST.when(n == 0) | Flags::LAST.when(n == last);
            all.extend(self.fragment(flags, call_id, opnum, part));
        }
        all
    }

    pub(super) fn fragment(
        &mut self,
        flags: Flags,
        call_id: u32,
        opnum: u16,
        stub: &[u8],
    ) -> Vec<u8> {
        let mut pdu = Vec::new();
        Header::new(Kind::Request, flags, call_id).encode(&mut pdu);
        Request { alloc_hint: 0, context_id: 0, opnum, object: None }.encode(&mut pdu);
        let stub_at = pdu.len();
        pdu.extend(stub);
        match &mut self.by {
            Some((session, mark)) => protect(&mut pdu, stub_at, Some((&mut **session, mark))),
            None => protect(&mut pdu, stub_at, None),
        }
        .unwrap();
        pdu
    }

    /// Makes a call and takes what comes back.
    pub(super) fn call(&mut self, call_id: u32, opnum: u16, stub: &[u8]) -> Vec<Heard> {
        let octets = self.request(call_id, opnum, stub);
        self.send(octets)
    }

    /// Makes a call that is answered.
    pub(super) fn ask(&mut self, opnum: u16, stub: &[u8]) -> Vec<u8> {
        match self.call(1, opnum, stub).as_slice() {
            [Heard::Response(1, stub)] => stub.clone(),
            heard => panic!("{heard:?}"),
        }
    }

    pub(super) fn handle(&mut self) -> Vec<u8> {
        let handle = self.ask(op::OPEN, b"");
        assert_ne!(handle, [0; 20]);
        assert_eq!(handle.len(), 20);
        handle
    }

    pub(super) fn later(&mut self, by: Duration) {
        self.now += by;
        self.association.expire(self.now);
    }
}

pub(super) fn proposing(id: u16, interface: SyntaxId, group: u32) -> Bind {
    let contexts = vec![Proposal { id, interface, transfers: vec![SyntaxId::NDR] }];
    Bind { max_transmit: 5840, max_receive: 5840, group, contexts }
}

pub(super) fn bind(
    kind: Kind,
    flags: Flags,
    bind: &Bind,
    trailer: Option<&(Trailer, Vec<u8>)>,
) -> Vec<u8> {
    let trailer = trailer.map(|(trailer, token)| (trailer, token.as_slice()));
    encode(&Header::new(kind, flags, 1), |pdu| bind.encode(pdu), trailer)
}

pub(super) fn auth3((trailer, token): &(Trailer, Vec<u8>)) -> Vec<u8> {
    let header = Header::new(Kind::Auth3, Flags::WHOLE, 1);
    encode(&header, |pdu| pdu.extend([0; 4]), Some((trailer, token)))
}

/// A PDU without a body.
pub(super) fn bare(kind: Kind, call_id: u32) -> Vec<u8> {
    encode(&Header::new(kind, Flags::WHOLE, call_id), |_| {}, None)
}

/// A fault with which the connection stays.
pub(super) fn fault(call_id: u32, status: Status) -> Vec<Heard> {
    vec![Heard::Fault(call_id, 0, status, false)]
}

/// A fault that says the operation was not begun.
pub(super) fn rejected(call_id: u32, status: Status) -> Vec<Heard> {
    vec![Heard::Fault(call_id, 0, status, true)]
}

pub(super) const ACCEPTED: AckResult = AckResult::Accepted(SyntaxId::NDR);
pub(super) const TYPES: [u8; 2] = [WINNT, GSS_NEGOTIATE];

/// Makes a PDU's lengths fit it again.
pub(super) fn sized(mut pdu: Vec<u8>) -> Vec<u8> {
    set_lengths(&mut pdu, 0);
    pdu
}
