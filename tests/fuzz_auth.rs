//! Fuzz targets of SPNEGO and NTLM: `cargo test --test fuzz_auth` runs them on random input, `cargo bolero test
//! --test fuzz_auth NAME` fuzzes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use std::sync::Arc;

use bolero::check;
use despool::accounts::{Account, Accounts, NtHash};
use despool::rpc::auth::ntlm::av_pairs::AvPairs;
use despool::rpc::auth::ntlm::flags::Flags;
use despool::rpc::auth::ntlm::message::{Authenticate, Challenge, Negotiate};
use despool::rpc::auth::ntlm::response::{self, Blob};
use despool::rpc::auth::spnego::der;
use despool::rpc::auth::spnego::oid::{self, Oid};
use despool::rpc::auth::spnego::token::{Init, Mechanisms, NegState, Resp, Token};
use despool::rpc::auth::{
    Credentials, Exchange, GSS_NEGOTIATE, Level, Session, Step, WINNT, providers,
};

/// An NTLM message that was read means the same when it is written and read again.
fn ntlm(octets: &[u8]) {
    if let Ok(message) = Negotiate::decode(octets) {
        assert_eq!(Negotiate::decode(&message.encode()), Ok(message));
    }
    if let Ok(message) = Challenge::decode(octets) {
        // Pairs are written whether the flag says so or not, and read only where it does.
        let flags = message.flags | Flags::TARGET_INFO;
        let message = Challenge { flags, ..message };
        assert_eq!(Challenge::decode(&message.encode()), Ok(message));
    }
    if let Ok(message) = Authenticate::decode(octets) {
        let again = Authenticate::decode(&message.encode()).unwrap();
        // A message that points to nothing has no first part to tell by where the head ends.
        assert_eq!(Authenticate { mic: message.mic, version: message.version, ..again }, message);
        if let Ok((_, blob)) = response::split(&message.nt_response) {
            let _ = Blob::decode(blob);
        }
    }
    if let Ok(pairs) = AvPairs::decode(octets) {
        assert_eq!(AvPairs::decode(&pairs.encode()), Ok(pairs));
    }
}

#[test]
fn fuzz_ntlm() {
    check!().for_each(|octets: &[u8]| {
        ntlm(octets);
        for kind in 1..=3 {
            ntlm(&[b"NTLMSSP\0".as_slice(), &[kind, 0, 0, 0], octets].concat());
        }
    });
}

/// So does a SPNEGO token.
fn spnego(octets: &[u8]) {
    if let Ok(token) = Token::decode(octets) {
        assert_eq!(Token::decode(&token.encode()), Ok(token));
    }
}

#[test]
fn fuzz_spnego() {
    check!().for_each(|octets: &[u8]| {
        spnego(octets);
        let sequence = der::element(der::SEQUENCE, &[octets]);
        spnego(&der::element(der::context(1), &[&sequence]));
        let spnego_oid = der::element(der::OBJECT_IDENTIFIER, &[&oid::SPNEGO.0]);
        let init = der::element(der::context(0), &[&sequence]);
        spnego(&der::element(der::APPLICATION_0, &[&spnego_oid, &init]));
    });
}

fn server(auth_type: u8) -> Box<dyn Exchange> {
    let account = Account {
        name: "alice".into(),
        nt_hash: NtHash::of("secret"),
        admin: false,
        created: jiff::Timestamp::UNIX_EPOCH,
    };
    let accounts = Arc::new(Accounts::in_memory("D", [account]));
    let providers = providers(&accounts, "D", "printsrv");
    providers.iter().find(|p| p.auth_type() == auth_type).unwrap().accept(Level::Privacy)
}

fn client(auth_type: u8) -> Box<dyn Exchange> {
    Credentials::new("D", "alice", "secret").exchange(auth_type, Level::Privacy, None)
}

/// What stands between client and server does to a token.
fn tamper(token: &mut Vec<u8>, what: u8, at: u16, octet: u8) {
    let length = token.len().max(1);
    let at = usize::from(at) % length;
    match what % 6 {
        0 => token.truncate(at),
        1 => token.insert(at.min(token.len()), octet),
        2 if at < token.len() => drop(token.remove(at)),
        3 => token.extend(vec![octet; at]),
        _ if at < token.len() && octet != 0 => token[at] ^= octet,
        _ => {}
    }
}

type Done = [Option<Box<dyn Session>>; 2];

/// An exchange with somebody in between; both sessions, where both sides are content.
fn exchange(client_type: u8, server_type: u8, changes: &[(u8, u16, u8)]) -> Option<Done> {
    let mut sides = [client(client_type), server(server_type)];
    let mut done: Done = [None, None];
    let mut token = Vec::new();
    let mut changes = changes.iter();
    for n in 0..8 {
        let side = n % 2;
        if done[side].is_none() {
            match sides[side].step(&token) {
                Step::More(next) => token = next,
                Step::Done { token: last, session, .. } => {
                    done[side] = Some(session);
                    token = last;
                }
                Step::Refused(refusal) => {
                    assert!(!refusal.to_string().is_empty());
                    let again = matches!(sides[side].step(&token), Step::Refused(_));
                    assert!(again, "who has refused once goes on refusing");
                    return None;
                }
            }
            if let Some((what, at, octet)) = changes.next() {
                tamper(&mut token, *what, *at, *octet);
            }
        }
        if done.iter().all(Option::is_some) {
            return Some(done);
        }
    }
    None
}

/// Whoever changes anything is found out, or has changed nothing that counts: the keys are the same.
#[test]
fn fuzz_exchange() {
    check!().with_type::<(bool, bool, Vec<(u8, u16, u8)>)>().for_each(|(ours, theirs, changes)| {
        let kind = |spnego| if spnego { GSS_NEGOTIATE } else { WINNT };
        let done = exchange(kind(*ours), kind(*theirs), changes);
        if let Some([Some(mut client), Some(mut server)]) = done {
            let mut pdu = *b"head and stub and tail";
            let signature = client.protect(&mut pdu, 9..13, Level::Privacy).unwrap();
            server.check(&mut pdu, 9..13, &signature, Level::Privacy).unwrap();
            assert_eq!(&pdu, b"head and stub and tail");
        }
    });
}

/// Tokens that are well formed, in any order and with anything in them, bring nobody in.
#[test]
fn fuzz_well_formed() {
    type Part = (u8, Option<Vec<u8>>, Option<Vec<u8>>, Vec<bool>);
    check!().with_type::<Vec<Part>>().for_each(|parts| {
        let mut sides = [server(GSS_NEGOTIATE), client(GSS_NEGOTIATE)];
        for (state, token, mic, list) in parts {
            let (token, mic) = (token.clone(), mic.clone());
            let states =
                [NegState::AcceptCompleted, NegState::AcceptIncomplete, NegState::RequestMic];
            let oids = list.iter().map(|ours| if *ours { oid::NTLM } else { oid::KERBEROS });
            let oids: Vec<Oid> = oids.take(8).collect();
            let mechanism = oids.first().cloned();
            let token = if state.is_multiple_of(3) {
                let mechanisms = Mechanisms::new(oids);
                Token::Init(Init { mechanisms, token, hints: false, mic })
            } else {
                let state = states.get(usize::from(*state) % 4).copied();
                Token::Resp(Resp { state, mechanism, token, mic })
            };
            for side in &mut sides {
                let done = matches!(side.step(&token.encode()), Step::Done { .. });
                assert!(!done, "nobody has proved anything");
            }
        }
    });
}
