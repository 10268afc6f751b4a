//! Our initiator and our acceptor against each other, and whoever stands between them.

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

/// Every single bit of every token: wherever one is flipped, somebody refuses.
#[test]
fn any_flipped_bit_is_refused() {
    let accounts = accounts("alice", "secret");
    for auth_type in TYPES {
        let mut lengths = Vec::new();
        let exchange =
            || (client(auth_type, Level::Privacy), server(&accounts, auth_type, Level::Privacy));
        let (client, server) = exchange();
        run(client, server, |_, token| lengths.push(token.len())).ok().unwrap();
        for (at, length) in lengths.iter().enumerate() {
            for bit in 0..length * 8 {
                let (client, server) = exchange();
                let outcome = run(client, server, |n, token| {
                    if n == at {
                        // Lengths differ by what DER needs for them: the same bit of what there is.
                        let bit = bit % (token.len() * 8);
                        token[bit / 8] ^= 1 << (bit % 8);
                    }
                });
                // SPNEGO's own fields may say another thing that is as good; the keys must then be the same.
                if let Ok((mut client, mut server, peer)) = outcome {
                    assert_eq!(auth_type, GSS_NEGOTIATE, "token {at}, bit {bit}");
                    assert_eq!(&*peer.id, "workgroup\\alice");
                    talk(&mut *client, &mut *server, Level::Privacy, &[vec![1; 30], vec![2; 30]]);
                }
            }
        }
    }
}

#[test]
fn a_token_again_is_refused() {
    let accounts = accounts("alice", "secret");
    let mut tokens = Vec::new();
    run(client(WINNT, Level::Privacy), server(&accounts, WINNT, Level::Privacy), |_, token| {
        tokens.push(token.clone());
    })
    .ok()
    .unwrap();
    let mut again = server(&accounts, WINNT, Level::Privacy);
    assert!(matches!(again.step(&tokens[0]), Step::More(_)));
    let denied = Refusal::Denied { account: "WORKGROUP\\ALICE".into() };
    assert!(matches!(again.step(&tokens[2]), Step::Refused(why) if why == denied));
    let over = Refusal::Malformed("the exchange is over");
    assert!(matches!(again.step(&tokens[2]), Step::Refused(why) if why == over));
    assert!(matches!(again.step(&tokens[0]), Step::Refused(why) if why == over));
}

/// Changes the message of this kind in the way of an exchange of bare NTLM.
fn tampered(level: Level, kind: u8, change: impl Fn(&mut Vec<u8>)) -> Refusal {
    let accounts = accounts("alice", "secret");
    let outcome = run(client(WINNT, level), server(&accounts, WINNT, level), |_, token| {
        if token.get(8) == Some(&kind) {
            change(token);
        }
    });
    outcome.err().unwrap()
}

#[test]
fn weak_flags_are_refused() {
    for (level, flag, why) in [
        (Level::Connect, Flags::EXTENDED_SESSION_SECURITY, "no extended session security"),
        (Level::Packet, Flags::BITS_128, "no keys of 128 bits"),
        (Level::Packet, Flags::SIGN, "no signatures"),
        (Level::Integrity, Flags::SIGN, "no signatures"),
        (Level::Privacy, Flags::SEAL, "no encryption"),
        (Level::Privacy, Flags::UNICODE, "no Unicode"),
        (Level::Privacy, Flags::NTLM, "no NTLM"),
    ] {
        let negotiate = tampered(level, 1, |token| {
            let flags = Negotiate::decode(token).unwrap().flags;
            *token = Negotiate { flags: Flags(flags.0 & !flag.0) }.encode();
        });
        assert_eq!(negotiate, Refusal::Weak(why), "asked for");
        let challenge = tampered(level, 2, |token| {
            let message = Challenge::decode(token).unwrap();
            let flags = Flags(message.flags.0 & !flag.0);
            *token = Challenge { flags, ..message }.encode();
        });
        assert_eq!(challenge, Refusal::Weak(why), "offered");
        let authenticate = tampered(level, 3, |token| {
            let message = Authenticate::decode(token).unwrap();
            let flags = Flags(message.flags.0 & !flag.0);
            *token = Authenticate { flags, ..message }.encode();
        });
        assert_eq!(authenticate, Refusal::Weak(why), "agreed on");
    }
}

fn with(change: impl Fn(Authenticate) -> Authenticate) -> Refusal {
    tampered(Level::Privacy, 3, |token| {
        *token = change(Authenticate::decode(token).unwrap()).encode();
    })
}

#[test]
fn old_responses_and_nobody_are_refused() {
    let anonymous = |message| Authenticate {
        user: String::new(),
        domain: String::new(),
        nt_response: Vec::new(),
        lm_response: vec![0],
        ..message
    };
    assert_eq!(with(anonymous), Refusal::Weak("anonymous"));
    let flagged = |message: Authenticate| {
        let flags = message.flags | Flags::ANONYMOUS;
        Authenticate { flags, ..message }
    };
    assert_eq!(with(flagged), Refusal::Weak("anonymous"));
    let nt_response = || vec![0; 24];
    let v1 = with(|message| Authenticate { nt_response: nt_response(), ..message });
    assert_eq!(v1, Refusal::Weak("an NTLMv1 response"));
    let lm = with(|message| Authenticate { nt_response: Vec::new(), ..message });
    assert_eq!(lm, Refusal::Weak("an LM response only"));
}

#[test]
fn a_mic_that_was_promised_must_be_there_and_fit() {
    let missing = with(|message| Authenticate { mic: None, ..message });
    assert_eq!(missing, Refusal::Tampered("the MIC that was promised is missing"));
    let zero = with(|message| Authenticate { mic: Some([0; 16]), ..message });
    assert_eq!(zero, Refusal::Tampered("the MIC does not fit"));
    let key = with(|message| Authenticate { session_key: vec![0; 15], ..message });
    assert_eq!(key, Refusal::Malformed("the session key has no 16 bytes"));
    let greeting = tampered(Level::Privacy, 1, |token| token[20] ^= 1);
    assert_eq!(greeting, Refusal::Tampered("the MIC does not fit"));
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
