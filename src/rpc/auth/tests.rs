//! Our initiator and our acceptor against each other.

mod tampering;

use jiff::Timestamp;
use proptest::prelude::*;

use super::ntlm::av_pairs::AvId;
use super::ntlm::flags::Flags;
use super::ntlm::message::{Authenticate, Challenge, Negotiate};
use super::ntlm::session::NtlmSession;
use super::ntlm::{crypto, response};
use super::*;
use crate::accounts::{Account, NtHash};

const LEVELS: [Level; 4] = [Level::Connect, Level::Packet, Level::Integrity, Level::Privacy];
const TYPES: [u8; 2] = [GSS_NEGOTIATE, WINNT];

fn accounts(name: &str, password: &str) -> Arc<Accounts> {
    let nt_hash = NtHash::of(password);
    let created = Timestamp::UNIX_EPOCH;
    let account = Account { name: name.into(), nt_hash, admin: false, created };
    Arc::new(Accounts::in_memory("WorkGroup", [account]))
}

fn server(accounts: &Arc<Accounts>, auth_type: u8, level: Level) -> Box<dyn Exchange> {
    let providers = providers(accounts, "WorkGroup", "printsrv.example");
    providers.iter().find(|provider| provider.auth_type() == auth_type).unwrap().accept(level)
}

fn client(auth_type: u8, level: Level) -> Box<dyn Exchange> {
    Credentials::new("WORKGROUP", "ALICE", "secret").exchange(
        auth_type,
        level,
        Some("host/printsrv"),
    )
}

type Both = (Box<dyn Session>, Box<dyn Session>, Identity);

/// Lets the two speak until both are done; `between` sees every token, and may change it.
fn run(
    mut client: Box<dyn Exchange>,
    mut server: Box<dyn Exchange>,
    mut between: impl FnMut(usize, &mut Vec<u8>),
) -> Result<Both, Refusal> {
    let (mut ours, mut theirs) = (None, None);
    let mut token = Vec::new();
    for n in 0..10 {
        let is_client = n % 2 == 0;
        let (side, session) =
            if is_client { (&mut client, &mut ours) } else { (&mut server, &mut theirs) };
        if session.is_none() {
            match side.step(&token) {
                Step::More(next) => token = next,
                Step::Done { token: last, session: made, peer } => {
                    *session = Some((made, peer));
                    token = last;
                }
                Step::Refused(refusal) => return Err(refusal),
            }
            between(n, &mut token);
        }
        if let (Some(_), Some(_)) = (&ours, &theirs) {
            let ((client, nobody), (server, peer)) = (ours.unwrap(), theirs.unwrap());
            assert_eq!(nobody, None);
            return Ok((client, server, peer.unwrap()));
        }
    }
    panic!("they never come to an end");
}

/// Sends PDUs both ways.
fn talk(client: &mut dyn Session, server: &mut dyn Session, level: Level, pdus: &[Vec<u8>]) {
    for (n, plain) in pdus.iter().enumerate() {
        let (from, to): (&mut dyn Session, &mut dyn Session) =
            if n % 3 == 0 { (&mut *server, &mut *client) } else { (&mut *client, &mut *server) };
        let mut pdu = plain.clone();
        let stub = pdu.len() / 3..pdu.len() * 2 / 3;
        let signature = from.protect(&mut pdu, stub.clone(), level).unwrap();
        let bytes = if level == Level::Connect { 0 } else { from.signature_bytes() };
        assert_eq!(signature.len(), bytes);
        to.check(&mut pdu, stub, &signature, level).unwrap();
        assert_eq!(pdu, *plain);
    }
}

#[test]
fn every_type_at_every_level() {
    let accounts = accounts("Alice", "secret");
    for (auth_type, level) in TYPES.into_iter().flat_map(|t| LEVELS.map(|level| (t, level))) {
        let (mut client, mut server, peer) =
            run(client(auth_type, level), server(&accounts, auth_type, level), |_, _| {}).unwrap();
        assert_eq!((&*peer.id, &*peer.name, peer.admin), ("workgroup\\alice", "Alice", false));
        let pdus: Vec<Vec<u8>> = (0..3000).map(|n| vec![n as u8; n % 50]).collect();
        talk(&mut *client, &mut *server, level, &pdus);
    }
}

#[test]
fn wrong_password_and_unknown_account_are_told_alike() {
    for (name, password) in [("alice", "Secret"), ("bob", "secret")] {
        for auth_type in TYPES {
            let server = server(&accounts(name, password), auth_type, Level::Privacy);
            let outcome = run(client(auth_type, Level::Privacy), server, |_, _| {});
            let denied = Refusal::Denied { account: "WORKGROUP\\ALICE".into() };
            assert_eq!(outcome.err(), Some(denied));
        }
    }
}

#[test]
fn the_account_is_that_of_the_name_in_the_proof() {
    let accounts = accounts("alice", "secret");
    for (domain, user, good) in [
        ("WORKGROUP", "alice", true),
        ("", "alice", true),
        ("ALICES-PC", "Alice", true),
        ("", "alice@printers.example", true),
        ("X", "alice@printers.example", false),
        ("", "bob@alice", false),
        ("", "alicf", false),
    ] {
        let client = Credentials::new(domain, user, "secret").exchange(WINNT, Level::Privacy, None);
        let outcome = run(client, server(&accounts, WINNT, Level::Privacy), |_, _| {});
        let id = outcome.ok().map(|(_, _, peer)| peer.id);
        assert_eq!(id.as_deref(), good.then_some("workgroup\\alice"), "{domain}\\{user}");
    }
}

/// The tokens of somebody who comes as nobody, signing nothing.
fn nobody(server: &mut dyn Exchange) -> Step {
    let flags = Flags(Flags::needed_for(Level::Connect).0 | Flags::ANONYMOUS.0);
    if let Step::Refused(refusal) = server.step(&Negotiate { flags }.encode()) {
        return Step::Refused(refusal);
    }
    let message = Authenticate {
        lm_response: vec![0],
        nt_response: Vec::new(),
        domain: String::new(),
        user: String::new(),
        workstation: "PC".into(),
        session_key: Vec::new(),
        flags,
        version: [0; 8],
        mic: None,
    };
    server.step(&message.encode())
}

#[test]
fn nobody_comes_in_where_anyone_may_and_protects_nothing() {
    let providers = providers(&accounts("alice", "secret"), "WORKGROUP", "printsrv");
    for provider in providers {
        for level in LEVELS {
            let refused = nobody(&mut *provider.accept(level));
            assert!(matches!(refused, Step::Refused(Refusal::Weak("anonymous"))), "{level:?}");
            let Step::Done { mut session, peer, .. } = nobody(&mut *provider.accept_anyone(level))
            else {
                panic!("nobody was refused")
            };
            assert_eq!(peer, None);
            let checked = session.check(&mut [0; 32], 8..16, &[0; 16], level);
            assert_eq!(checked.is_ok(), level == Level::Connect, "{level:?}");
        }
    }
}

/// What an old client makes of a challenge: no MIC, and no key of its own.
fn old_answer(challenge: &[u8]) -> Authenticate {
    let challenge = Challenge::decode(challenge).unwrap();
    let key = crypto::response_key(&NtHash::of("secret"), "alice", "");
    let pairs = challenge.target_info;
    let blob = response::Blob { time: 0, client_challenge: [7; 8], pairs }.encode();
    let proof = crypto::proof(&key, &challenge.server_challenge, &blob);
    Authenticate {
        lm_response: vec![0; 24],
        nt_response: [proof.as_slice(), &blob].concat(),
        domain: String::new(),
        user: "alice".into(),
        workstation: "PC".into(),
        session_key: Vec::new(),
        flags: Flags::needed_for(Level::Privacy),
        version: [0; 8],
        mic: None,
    }
}

#[test]
fn without_a_promise_there_is_no_mic() {
    let accounts = accounts("alice", "secret");
    let mut server = server(&accounts, WINNT, Level::Privacy);
    let negotiate = Negotiate { flags: Flags::needed_for(Level::Privacy) }.encode();
    let Step::More(challenge) = server.step(&negotiate) else { panic!("no challenge") };
    let message = old_answer(&challenge);
    let proof = message.nt_response[..16].try_into().unwrap();
    let Step::Done { token, session: mut server, .. } = server.step(&message.encode()) else {
        panic!("refused");
    };
    assert_eq!(token, b"");
    let key = crypto::response_key(&NtHash::of("secret"), "alice", "");
    let key = crypto::session_base_key(&key, &proof);
    let mut client = NtlmSession::new(&key, message.flags, crypto::Side::Client, false);
    talk(&mut client, &mut *server, Level::Privacy, &[vec![1; 30], vec![2; 30]]);
}

#[test]
fn what_clients_are_told_of_the_server() {
    let accounts = accounts("alice", "secret");
    let mut server = server(&accounts, WINNT, Level::Privacy);
    let flags = Flags::needed_for(Level::Privacy) | Flags::REQUEST_TARGET;
    let Step::More(token) = server.step(&Negotiate { flags }.encode()) else { panic!() };
    let challenge = Challenge::decode(&token).unwrap();
    assert_eq!(challenge.target_name, "WorkGroup");
    let info = challenge.target_info;
    let text = |id| ntlm::message::text(info.value(id).unwrap()).unwrap();
    assert_eq!(text(AvId::NB_DOMAIN), "WorkGroup");
    assert_eq!(text(AvId::NB_COMPUTER), "PRINTSRV");
    assert_eq!(text(AvId::DNS_COMPUTER), "printsrv.example");
    assert_eq!(text(AvId::DNS_DOMAIN), "example");
    assert!(info.timestamp().is_some());
    assert_eq!(info.value(AvId::FLAGS), None, "where there are empty flags, Windows' MIC fails");
}

/// Windows takes NTLM as it is under the type of SPNEGO.
#[test]
fn ntlm_without_spnego_around_it() {
    let accounts = accounts("alice", "secret");
    let server = server(&accounts, GSS_NEGOTIATE, Level::Privacy);
    let (mut client, mut server, _) =
        run(client(WINNT, Level::Privacy), server, |_, _| {}).ok().unwrap();
    talk(&mut *client, &mut *server, Level::Privacy, &[vec![1; 30]]);
}

#[test]
fn accounts_that_cannot_be_read_are_our_fault() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let mut config = crate::config::Config::without_file();
    config.server.state_dir = dir.path().into();
    let accounts = Arc::new(Accounts::of(&config));
    accounts.add("alice", "secret", false).unwrap();
    let run =
        || run(client(WINNT, Level::Privacy), server(&accounts, WINNT, Level::Privacy), |_, _| {});
    assert!(run().is_ok());
    let users = dir.path().join("users");
    std::fs::set_permissions(users, PermissionsExt::from_mode(0o644)).unwrap();
    let refusal = run().err().unwrap();
    assert!(matches!(&refusal, Refusal::Unable(why) if why.contains("0644")), "{refusal}");
}

#[test]
fn another_type_is_refused() {
    let step = Credentials::new("", "alice", "secret").exchange(16, Level::Privacy, None).step(&[]);
    assert!(matches!(step, Step::Refused(Refusal::Weak(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whoever_knows_the_password_is_let_in(
        name in "[\\p{Lu}\\p{Ll}\\p{Lo}0-9]{1,20}", domain in "[\\PC&&[^@]]{0,15}",
        password in "\\PC{1,40}", auth_type in prop::sample::select(&TYPES[..]),
        level in prop::sample::select(&LEVELS[..]),
        pdus in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..60),
    ) {
        let accounts = accounts(&name, &password);
        let credentials = Credentials::new(&domain, &name, &password);
        let client = credentials.exchange(auth_type, level, None);
        let (mut client, mut server, peer) =
            run(client, server(&accounts, auth_type, level), |_, _| {}).ok().unwrap();
        prop_assert_eq!(&peer.name, &name.into());
        talk(&mut *client, &mut *server, level, &pdus);
    }

    #[test]
    fn any_token_gets_an_answer(tokens: Vec<Vec<u8>>, as_client: bool, auth_type in prop::sample::select(&TYPES[..])) {
        let accounts = accounts("alice", "secret");
        let mut exchange = if as_client {
            client(auth_type, Level::Privacy)
        } else {
            server(&accounts, auth_type, Level::Privacy)
        };
        for token in tokens {
            let done = matches!(exchange.step(&token), Step::Done { .. });
            prop_assert!(!done);
        }
    }
}
