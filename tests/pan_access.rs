//! Ways into [MS-PAN] that must be shut: nobody, guests, old and weak proofs, low levels, and what was bound before
//! somebody proved who they are. Each is tried over a real socket, PDU by PDU; beside it stands the way that is open.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use despool::accounts::NtHash;
use despool::pan::{ASYNC_NOTIFY, REMOTE_OBJECT};
use despool::rpc::auth::ntlm::crypto::{Key, Side};
use despool::rpc::auth::ntlm::flags::Flags as Ntlm;
use despool::rpc::auth::ntlm::message::{Authenticate, Negotiate};
use despool::rpc::auth::ntlm::session::NtlmSession;
use despool::rpc::auth::{Credentials, GSS_NEGOTIATE, Level, Session, Step, WINNT};
use despool::rpc::mgmt;
use despool::rpc::pdu::{
    Bind, BindNak, Body, Flags, Header, Kind, Pdu, Proposal, Request, Trailer, encode,
};
use despool::rpc::protection::{Mark, protect};
use despool::rpc::status::Status;
use despool::rpc::uuid::SyntaxId;
use support::PATIENCE;
use support::pan::World;

const LEVELS: [Level; 4] = [Level::Connect, Level::Packet, Level::Integrity, Level::Privacy];
const KINDS: [Kind; 2] = [Kind::Bind, Kind::AlterContext];
const DENIED: Heard = Heard::Fault(Status::ACCESS_DENIED.0);

/// What the server says.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    /// Taken, with this token.
    Ack(Vec<u8>),
    Nak(u16),
    /// The call was made.
    Response,
    Fault(u32),
}

/// A connection whose owner may do everything wrong.
struct Raw {
    stream: TcpStream,
    call_id: u32,
}

type Guard = (Box<dyn Session>, Mark);
type Forgery = fn(Authenticate) -> Authenticate;

impl Raw {
    fn connect(world: &World) -> Self {
        let stream = TcpStream::connect(world.server.addresses()[0]).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, call_id: 1 }
    }

    /// A connection of somebody who has said nothing about who they are.
    fn bound(world: &World) -> Self {
        let mut raw = Self::connect(world);
        assert_eq!(raw.bind(Kind::Bind, None), Heard::Ack(Vec::new()));
        raw
    }

    /// A connection on which a PDU of this kind is what comes next.
    fn ready_for(kind: Kind, world: &World) -> Self {
        if kind == Kind::Bind { Self::connect(world) } else { Self::bound(world) }
    }

    fn hear(&mut self) -> Heard {
        let mut fragment = vec![0; 16];
        self.stream.read_exact(&mut fragment).unwrap();
        fragment.resize(Header::fragment_length(&fragment).unwrap(), 0);
        self.stream.read_exact(&mut fragment[16..]).unwrap();
        let pdu = Pdu::decode(&fragment).unwrap();
        match pdu.body {
            Body::BindAck(_) | Body::AlterContextResp(_) => {
                let token = pdu.trailer.map(|trailer| fragment[trailer.token].to_vec());
                Heard::Ack(token.unwrap_or_default())
            }
            Body::BindNak(nak) => Heard::Nak(nak.reason),
            Body::Response(..) => Heard::Response,
            Body::Fault(fault) => Heard::Fault(fault.status),
            other => panic!("{other:?}"),
        }
    }

    /// Asks for the remote objects (context 0), the channels (1) and the management interface (2).
    fn bind(&mut self, kind: Kind, by: Option<(&Trailer, &[u8])>) -> Heard {
        let proposal = |id, interface| Proposal { id, interface, transfers: vec![SyntaxId::NDR] };
        let wanted = [(0, REMOTE_OBJECT), (1, ASYNC_NOTIFY), (2, mgmt::ID)];
        for (id, interface) in wanted {
            // One context is taken at a time, the first by the bind.
            let contexts = vec![proposal(id, interface)];
            let bind = Bind { max_transmit: 5840, max_receive: 5840, group: 0, contexts };
            let (kind, by) = if id == 0 { (kind, by) } else { (Kind::AlterContext, None) };
            let header = Header::new(kind, Flags::WHOLE, self.call_id);
            self.stream.write_all(&encode(&header, |pdu| bind.encode(pdu), by)).unwrap();
            let heard = self.hear();
            if by.is_some() || heard != Heard::Ack(Vec::new()) {
                return heard;
            }
        }
        Heard::Ack(Vec::new())
    }

    /// The third token, which is not answered.
    fn auth3(&mut self, trailer: &Trailer, token: &[u8]) {
        let header = Header::new(Kind::Auth3, Flags::WHOLE, self.call_id);
        let octets = encode(&header, |pdu| pdu.extend([0; 4]), Some((trailer, token)));
        self.stream.write_all(&octets).unwrap();
    }

    /// Proves who they are, as clients do; `change` may forge the last message.
    fn log_on(
        &mut self,
        kind: Kind,
        mark: Mark,
        who: &Credentials,
        change: impl FnOnce(Authenticate) -> Authenticate,
    ) -> Guard {
        let mut exchange = who.exchange(WINNT, mark.level, None);
        let Step::More(token) = exchange.step(&[]) else { panic!("a client begins") };
        let Heard::Ack(challenge) = self.bind(kind, Some((&mark.trailer(), &token))) else {
            panic!("no challenge")
        };
        let Step::Done { token, session, .. } = exchange.step(&challenge) else {
            panic!("the server is refused")
        };
        let message = Authenticate::decode(&token).unwrap();
        let forged = change(message.clone());
        let token = if forged == message { token } else { forged.encode() };
        self.auth3(&mark.trailer(), &token);
        (session, mark)
    }

    /// Comes as nobody, which the first message says or only the last. What the server says of the first one, and what
    /// would protect the calls: the key of nobody is zero.
    fn come_as_nobody(&mut self, kind: Kind, mark: Mark, says_so: bool) -> (Heard, Guard) {
        let flags = Ntlm::needed_for(Level::Privacy);
        let greeting = if says_so { flags | Ntlm::ANONYMOUS } else { flags };
        let greeting = Negotiate { flags: greeting }.encode();
        let heard = self.bind(kind, Some((&mark.trailer(), &greeting)));
        if matches!(heard, Heard::Ack(_)) {
            let message = Authenticate {
                lm_response: vec![0],
                nt_response: Vec::new(),
                domain: String::new(),
                user: String::new(),
                workstation: String::new(),
                session_key: Vec::new(),
                flags: flags | Ntlm::ANONYMOUS,
                version: [0; 8],
                mic: None,
            };
            self.auth3(&mark.trailer(), &message.encode());
        }
        let session = NtlmSession::new(&Key::default(), flags, Side::Client, false);
        (heard, (Box::new(session), mark))
    }

    fn fragment(&self, context_id: u16, flags: Flags, by: Option<&mut Guard>) -> Vec<u8> {
        let mut pdu = Vec::new();
        Header::new(Kind::Request, flags, self.call_id).encode(&mut pdu);
        let opnum = if context_id == 2 { mgmt::op::IS_SERVER_LISTENING } else { 0 };
        Request { alloc_hint: 0, context_id, opnum, object: None }.encode(&mut pdu);
        let stub_at = pdu.len();
        let by = by.map(|(session, mark)| (&mut **session as &mut _, &*mark));
        protect(&mut pdu, stub_at, by).unwrap();
        pdu
    }

    /// Calls an operation: `IRPCRemoteObject_Create`, where the context is that of the remote objects.
    fn call_on(&mut self, context_id: u16, by: Option<&mut Guard>) -> Heard {
        self.call_id += 1;
        let pdu = self.fragment(context_id, Flags::WHOLE, by);
        self.stream.write_all(&pdu).unwrap();
        self.hear()
    }

    fn call(&mut self, by: Option<&mut Guard>) -> Heard {
        self.call_on(0, by)
    }
}

fn mark(level: Level, context_id: u32) -> Mark {
    Mark { auth_type: WINNT, level, context_id }
}

fn ann() -> Credentials {
    Credentials::new("WORKGROUP", "ann", "Secret.ann")
}

fn honest(message: Authenticate) -> Authenticate {
    message
}

#[test]
fn the_way_that_is_open() {
    let world = World::new();
    for kind in KINDS {
        for level in LEVELS {
            let mut raw = Raw::ready_for(kind, &world);
            let mut guard = raw.log_on(kind, mark(level, 1), &ann(), honest);
            let heard = if level == Level::Connect { DENIED } else { Heard::Response };
            assert_eq!(raw.call(Some(&mut guard)), heard, "{kind:?} {level:?}");
        }
    }
    // The management interface of the same endpoint is for everybody who says nothing of themselves.
    assert_eq!(Raw::bound(&world).call_on(2, None), Heard::Response);
    for context_id in [0, 1] {
        assert_eq!(Raw::bound(&world).call_on(context_id, None), DENIED);
    }
}

#[test]
fn nobody_is_refused_whenever_they_say_so() {
    let world = World::new();
    for kind in KINDS {
        for (auth_type, level) in
            [WINNT, GSS_NEGOTIATE].into_iter().flat_map(|t| LEVELS.map(|level| (t, level)))
        {
            let mark = Mark { auth_type, level, context_id: 1 };
            let (heard, _) = Raw::ready_for(kind, &world).come_as_nobody(kind, mark, true);
            let refused = match kind {
                Kind::Bind => Heard::Nak(BindNak::CHECKSUM),
                _ => Heard::Fault(Status::SEC_PKG_ERROR.0),
            };
            assert_eq!(heard, refused, "{kind:?} {auth_type} {level:?}");
            let mut raw = Raw::ready_for(kind, &world);
            let (heard, mut guard) = raw.come_as_nobody(kind, mark, false);
            assert!(matches!(heard, Heard::Ack(_)), "{heard:?}");
            let heard = raw.call(Some(&mut guard));
            assert_eq!(heard, DENIED, "{kind:?} {auth_type} {level:?}");
        }
    }
}

#[test]
fn guests_and_accounts_that_are_not_there_are_refused() {
    let world = World::new();
    let zero = NtHash::new([0; NtHash::BYTES]);
    for user in
        ["guest", "Guest", "Administrator", "#local", "ann", "ann ", "@ann", "WORKGROUP\\ann"]
    {
        // An empty password, and the key that unknown accounts are checked with so that they take as long.
        for nt_hash in [NtHash::of(""), zero.clone()] {
            let who = Credentials::with_hash("WORKGROUP", user, nt_hash);
            let mut raw = Raw::connect(&world);
            let mut guard = raw.log_on(Kind::Bind, mark(Level::Privacy, 1), &who, honest);
            assert_eq!(raw.call(Some(&mut guard)), DENIED, "{user}");
        }
    }
}

#[test]
fn old_and_forged_proofs_are_refused() {
    let world = World::new();
    let forgeries: [(&str, Forgery); 7] = [
        ("NTLMv1", |message| Authenticate { nt_response: vec![1; 24], ..message }),
        ("LM", |message| Authenticate { nt_response: Vec::new(), ..message }),
        ("no MIC", |message| Authenticate { mic: None, ..message }),
        ("another MIC", |message| Authenticate { mic: Some([7; 16]), ..message }),
        ("another account", |message| Authenticate { user: "root".into(), ..message }),
        ("another domain", |message| Authenticate { domain: "X".into(), ..message }),
        ("nobody after all", |message| Authenticate { user: String::new(), ..message }),
    ];
    for (what, forge) in forgeries {
        let mut raw = Raw::connect(&world);
        let mut guard = raw.log_on(Kind::Bind, mark(Level::Privacy, 1), &ann(), forge);
        assert_eq!(raw.call(Some(&mut guard)), DENIED, "{what}");
    }
}

#[test]
fn levels_that_there_are_not() {
    let world = World::new();
    let Step::More(token) = ann().exchange(WINNT, Level::Privacy, None).step(&[]) else {
        panic!("a client begins")
    };
    for (level, reason) in [
        (0, BindNak::NOT_SPECIFIED),
        (1, BindNak::NOT_SPECIFIED),
        (3, BindNak::CHECKSUM),
        (7, BindNak::NOT_SPECIFIED),
    ] {
        let trailer = Trailer::new(WINNT, level, 1);
        let mut raw = Raw::connect(&world);
        assert_eq!(raw.bind(Kind::Bind, Some((&trailer, &token))), Heard::Nak(reason), "{level}");
        let mut raw = Raw::bound(&world);
        assert_eq!(raw.bind(Kind::AlterContext, Some((&trailer, &token))), DENIED, "{level}");
    }
}

/// Bound at a level that is too low, or at none, then proved at privacy: only what is protected by the proof is served.
#[test]
fn what_was_bound_below_stays_below() {
    let world = World::new();
    for below in [None, Some(Level::Connect)] {
        let begin = || {
            let mut raw = match below {
                None => Raw::bound(&world),
                Some(_) => Raw::connect(&world),
            };
            if let Some(level) = below {
                raw.log_on(Kind::Bind, mark(level, 1), &ann(), honest);
            }
            let guard = raw.log_on(Kind::AlterContext, mark(Level::Privacy, 2), &ann(), honest);
            (raw, guard)
        };
        let (mut raw, mut guard) = begin();
        assert_eq!(raw.call(None), DENIED, "{below:?}");
        assert_eq!(raw.call(Some(&mut guard)), Heard::Response, "{below:?}");
        // A call that is begun bare does not become another one's by its last fragment.
        let (mut raw, mut guard) = begin();
        let bare = raw.fragment(0, Flags::FIRST, None);
        let sealed = raw.fragment(0, Flags::LAST, Some(&mut guard));
        raw.stream.write_all(&[bare, sealed].concat()).unwrap();
        assert_eq!(raw.hear(), DENIED, "{below:?}");
    }
}

/// A proof that is under way protects nothing yet.
#[test]
fn a_call_before_the_proof_is_over_is_refused() {
    let world = World::new();
    for kind in KINDS {
        let mut raw = Raw::ready_for(kind, &world);
        let (low, high) = (mark(Level::Packet, 1), mark(Level::Privacy, 1));
        let Step::More(token) = ann().exchange(WINNT, high.level, None).step(&[]) else {
            panic!("a client begins")
        };
        assert!(matches!(raw.bind(kind, Some((&high.trailer(), &token))), Heard::Ack(_)));
        let flags = Ntlm::needed_for(Level::Privacy);
        let session = NtlmSession::new(&Key::default(), flags, Side::Client, false);
        let mut guard: Guard = (Box::new(session), high);
        assert_eq!(raw.call(Some(&mut guard)), Heard::Fault(Status::PROTOCOL_ERROR.0), "{kind:?}");
        // Nor does it go on at another level.
        let mut raw = Raw::ready_for(kind, &world);
        let mut exchange = ann().exchange(WINNT, high.level, None);
        let Step::More(token) = exchange.step(&[]) else { panic!("a client begins") };
        let Heard::Ack(challenge) = raw.bind(kind, Some((&high.trailer(), &token))) else {
            panic!("no challenge")
        };
        let Step::Done { token, .. } = exchange.step(&challenge) else {
            panic!("the server is refused")
        };
        raw.auth3(&low.trailer(), &token);
        assert_eq!(raw.hear(), Heard::Fault(Status::REMOTE_NO_MEMORY.0), "{kind:?}");
    }
}
