//! A client for the tests: writes PDUs, drives an association with them, and takes apart what comes back, signatures too.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) use super::desk::*;
use super::*;
use crate::rpc::auth::{Credentials, GSS_NEGOTIATE, Level, Session, Step, WINNT};
use crate::rpc::pdu::{
    AckResult, Bind, BindAck, Body, HEADER_BYTES, Proposal, Request, Trailer, set_lengths,
};
use crate::rpc::protection::{Mark, protect};
use crate::rpc::uuid::SyntaxId;

impl World {
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
