//! SPNEGO and NTLM against code that we did not write: Samba's client and server side, and impacket's client, over raw
//! tokens, without any RPC.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use despool::accounts::Accounts;
use despool::config::Config;
use despool::rpc::auth::ntlm::crypto::{Key, Side};
use despool::rpc::auth::ntlm::flags::Flags;
use despool::rpc::auth::ntlm::session::NtlmSession;
use despool::rpc::auth::spnego::token::Token;
use despool::rpc::auth::{
    Credentials, Exchange, GSS_NEGOTIATE, Level, Refusal, Session, Step, WINNT, providers,
};
use support::{process, soon, tiers};
use tempfile::TempDir;

const DOMAIN: &str = "WORKGROUP";
const USER: &str = "Zoë Ärger";
const PASSWORD: &str = "pässwörd €";

/// A foreign side, in a process of its own.
struct Peer {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Peer {
    fn start(python: &str, script: &str, args: &[&str]) -> Self {
        let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign");
        let mut command = Command::new(tiers::program(python));
        command.arg(format!("{scripts}/{script}")).args(args);
        command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, stdin, stdout: BufReader::new(stdout) }
    }

    /// One line out, one line back.
    fn ask(&mut self, verb: &str, args: &[&[u8]]) -> Vec<String> {
        let args = args.iter().map(|octets| format!(" {}", hex(octets)));
        writeln!(self.stdin, "{verb}{}", args.collect::<String>()).unwrap();
        assert!(process::readable(&[self.stdout.get_ref().as_fd()], soon())[0], "no answer");
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "{verb}: the foreign side has died; it says why above");
        line.split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hex(octets: &[u8]) -> String {
    let text: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    if text.is_empty() { "-".to_owned() } else { text }
}

fn octets(text: &str) -> Vec<u8> {
    let digits = if text == "-" { "" } else { text };
    (0..digits.len() / 2)
        .map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).unwrap())
        .collect()
}

/// The accounts of a server in a directory of their own, and a configuration of Samba beside them.
struct Bench {
    dir: TempDir,
    accounts: Arc<Accounts>,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::without_file();
        config.server.state_dir = dir.path().into();
        config.security.domain = DOMAIN.into();
        let accounts = Arc::new(Accounts::of(&config));
        accounts.add(USER, PASSWORD, true).unwrap();
        let places =
            ["private dir", "lock dir", "state directory", "cache directory", "pid directory"];
        let places = places.map(|place| format!("{place} = {}\n", dir.path().display()));
        let conf = format!("[global]\nworkgroup = {DOMAIN}\n{}", places.concat());
        std::fs::write(dir.path().join("smb.conf"), conf).unwrap();
        Self { dir, accounts }
    }

    fn conf(&self) -> String {
        self.dir.path().join("smb.conf").display().to_string()
    }

    fn server(&self, auth_type: u8, level: Level) -> Box<dyn Exchange> {
        let providers = providers(&self.accounts, DOMAIN, "printsrv");
        providers.iter().find(|provider| provider.auth_type() == auth_type).unwrap().accept(level)
    }

    fn samba(&self, mechanism: &str, level: Level, options: &[&str]) -> Peer {
        self.samba_as(USER, PASSWORD, mechanism, level, options)
    }

    fn samba_as(
        &self,
        user: &str,
        password: &str,
        mechanism: &str,
        level: Level,
        options: &[&str],
    ) -> Peer {
        let level = samba_level(level);
        let conf = self.conf();
        let mut args = vec![&*conf, mechanism, level, DOMAIN, user, password];
        args.extend(options);
        Peer::start("/usr/bin/python3", "samba_peer.py", &args)
    }

    fn impacket(&self, form: &str, user: &str, password: &str) -> Peer {
        let args = [form, DOMAIN, user, password];
        let python = concat!(env!("CARGO_MANIFEST_DIR"), "/target/venv/bin/python");
        Peer::start(python, "impacket_peer.py", &args)
    }
}

fn samba_level(level: Level) -> &'static str {
    match level {
        Level::Connect => "connect",
        Level::Packet | Level::Integrity => "sign",
        Level::Privacy => "seal",
    }
}

/// A foreign client speaks with our server, until one of them ends it.
fn accept(
    client: &mut Peer,
    mut server: Box<dyn Exchange>,
    mut seen: impl FnMut(&mut Vec<u8>),
) -> Result<Box<dyn Session>, Refusal> {
    let mut token = Vec::new();
    loop {
        let words = client.ask("step", &[&token]);
        assert_ne!(words[0], "refused", "the client refuses: {words:?}");
        let mut said = octets(&words[1]);
        seen(&mut said);
        match server.step(&said) {
            Step::More(next) => token = next,
            Step::Done { token, session, peer } => {
                let peer = peer.unwrap();
                assert_eq!((&*peer.name, peer.admin), (USER, true));
                if words[0] == "more" {
                    let words = client.ask("step", &[&token]);
                    assert_eq!(words[0], "done", "{words:?}");
                }
                return Ok(session);
            }
            Step::Refused(refusal) => return Err(refusal),
        }
    }
}

/// PDUs both ways, of growing length; then one that was tampered with.
fn talk(peer: &mut Peer, session: &mut dyn Session, level: Level) {
    for n in 0..50_u8 {
        let plain = vec![n; usize::from(n) * 7 + 1];
        let mut pdu = plain.clone();
        if level == Level::Privacy {
            let words = peer.ask("seal", &[&plain]);
            pdu = octets(&words[1]);
            session.check(&mut pdu, 0..plain.len(), &octets(&words[0]), level).unwrap();
            assert_eq!(pdu, plain);
            let signature = session.protect(&mut pdu, 0..plain.len(), level).unwrap();
            assert_eq!(peer.ask("open", &[&signature, &pdu]), [hex(&plain)]);
        } else {
            let words = peer.ask("sign", &[&plain]);
            session.check(&mut pdu, 0..0, &octets(&words[0]), level).unwrap();
            let signature = session.protect(&mut pdu, 0..0, level).unwrap();
            assert_eq!(peer.ask("check", &[&signature, &pdu]), ["good"]);
        }
    }
    let mut pdu = b"a last word".to_vec();
    let mut signature = session.protect(&mut pdu, 0..11, level).unwrap();
    signature[5] ^= 1;
    let verb = if level == Level::Privacy { "open" } else { "check" };
    assert_eq!(peer.ask(verb, &[&signature, &pdu]), ["bad"]);
}

/// True where a SPNEGO token has a MIC.
fn has_mic(token: &[u8]) -> bool {
    matches!(Token::decode(token), Ok(Token::Resp(resp)) if resp.mic.is_some())
}

#[test]
fn samba_s_client() {
    if !tiers::asked("foreign", "samba_s_client") {
        return;
    }
    let bench = Bench::new();
    let options: [(&[&str], bool); 4] = [
        (&[], true),
        (&["ntlmssp_client:keyexchange=no"], true),
        (&["ntlmssp_client:force_old_spnego=yes"], false),
        (&["client signing=required"], true),
    ];
    for (mechanism, auth_type) in
        [("ntlmssp", WINNT), ("spnego", GSS_NEGOTIATE), ("ntlmssp", GSS_NEGOTIATE)]
    {
        for level in [Level::Packet, Level::Integrity, Level::Privacy] {
            for (options, signs_list) in options {
                let mut client = bench.samba(mechanism, level, options);
                let mut signed = false;
                let session = accept(&mut client, bench.server(auth_type, level), |token| {
                    signed |= has_mic(token);
                });
                let mut session =
                    session.unwrap_or_else(|why| panic!("{mechanism} {options:?}: {why}"));
                assert_eq!(signed, signs_list && mechanism == "spnego", "{options:?}");
                talk(&mut client, &mut *session, level);
            }
        }
        let mut client = bench.samba(mechanism, Level::Connect, &[]);
        accept(&mut client, bench.server(auth_type, Level::Connect), |_| {}).ok().unwrap();
    }
}

#[test]
fn samba_s_client_is_refused() {
    if !tiers::asked("foreign", "samba_s_client_is_refused") {
        return;
    }
    let bench = Bench::new();
    let denied = |user: &str| Refusal::Denied { account: format!("{DOMAIN}\\{user}") };
    let strong: &[&str] = &[];
    for (user, password, options, level, why) in [
        (USER, "wrong", strong, Level::Privacy, denied(USER)),
        ("nobody", PASSWORD, strong, Level::Privacy, denied("nobody")),
        ("", "", strong, Level::Privacy, Refusal::Weak("anonymous")),
        (
            USER,
            PASSWORD,
            &["ntlmssp_client:128bit=no"],
            Level::Privacy,
            Refusal::Weak("no keys of 128 bits"),
        ),
        (
            USER,
            PASSWORD,
            &["ntlmssp_client:ntlm2=no"],
            Level::Privacy,
            Refusal::Weak("no extended session security"),
        ),
    ] {
        for (mechanism, auth_type) in [("ntlmssp", WINNT), ("spnego", GSS_NEGOTIATE)] {
            let mut client = bench.samba_as(user, password, mechanism, level, options);
            let outcome = accept(&mut client, bench.server(auth_type, level), |_| {});
            assert_eq!(outcome.err().as_ref(), Some(&why), "{mechanism} {options:?}");
        }
    }
}

#[test]
fn samba_s_server() {
    if !tiers::asked("foreign", "samba_s_server") {
        return;
    }
    let bench = Bench::new();
    let program = tiers::program("ntlm_auth");
    assert!(program.is_file());
    for (mechanism, auth_type) in [("ntlmssp", WINNT), ("spnego", GSS_NEGOTIATE)] {
        for level in [Level::Connect, Level::Packet, Level::Integrity, Level::Privacy] {
            let conf = bench.conf();
            let args = [&*conf, mechanism, samba_level(level), DOMAIN, USER, PASSWORD];
            let mut server = Peer::start("/usr/bin/python3", "samba_acceptor.py", &args);
            let credentials = Credentials::new(DOMAIN, USER, PASSWORD);
            let client = credentials.exchange(auth_type, level, Some("host/printsrv"));
            let (mut client, signed) = initiate(client, &mut server)
                .unwrap_or_else(|why| panic!("{mechanism} {level:?}: {why}"));
            assert_eq!(signed, mechanism == "spnego" && level > Level::Connect);
            if mechanism == "ntlmssp" && level > Level::Connect {
                talk_by_key(&mut *client, &mut server, level);
            }
            let wrong = Credentials::new(DOMAIN, USER, "wrong").exchange(auth_type, level, None);
            let mut server = Peer::start("/usr/bin/python3", "samba_acceptor.py", &args);
            let why = initiate(wrong, &mut server).err().unwrap();
            assert!(why.contains("WRONG_PASSWORD") || why.contains("LOGON_FAILURE"), "{why}");
        }
    }
}

/// Our client speaks with a foreign server: the session, and whether the server signed the list of mechanisms.
fn initiate(
    mut client: Box<dyn Exchange>,
    server: &mut Peer,
) -> Result<(Box<dyn Session>, bool), String> {
    let (mut token, mut signed, mut done) = (Vec::new(), false, false);
    loop {
        let (said, session) = match client.step(&token) {
            Step::More(said) => (said, None),
            Step::Done { token, session, .. } => (token, Some(session)),
            Step::Refused(refusal) => return Err(refusal.to_string()),
        };
        if !done {
            let words = server.ask("step", &[&said]);
            if words[0] == "refused" {
                return Err(words.join(" "));
            }
            done = words[0] == "done";
            token = octets(&words[1]);
            signed |= has_mic(&token);
        }
        if let Some(session) = session {
            assert!(done, "the server goes on");
            return Ok((session, signed));
        }
    }
}

/// The server's side of the session is made of the key that Samba tells: so does its `ntlm_auth` join later.
fn talk_by_key(client: &mut dyn Session, server: &mut Peer, level: Level) {
    let words = server.ask("key", &[]);
    let key = Key::new(octets(&words[0]).try_into().unwrap());
    let flags = Flags(u32::from_str_radix(&words[1], 16).unwrap());
    let mut server = NtlmSession::new(&key, flags, Side::Server, true);
    for n in 0..20 {
        let mut pdu = vec![n; 40];
        let signature = client.protect(&mut pdu, 8..32, level).unwrap();
        server.check(&mut pdu, 8..32, &signature, level).unwrap();
        let signature = server.protect(&mut pdu, 8..32, level).unwrap();
        client.check(&mut pdu, 8..32, &signature, level).unwrap();
        assert_eq!(pdu, vec![n; 40]);
    }
}

#[test]
fn impacket_s_client() {
    if !tiers::asked("foreign", "impacket_s_client") {
        return;
    }
    let bench = Bench::new();
    for (form, auth_type) in
        [("bare", WINNT), ("bare", GSS_NEGOTIATE), ("kerberos-first", GSS_NEGOTIATE)]
    {
        for level in [Level::Connect, Level::Packet, Level::Integrity, Level::Privacy] {
            let mut client = bench.impacket(form, USER, PASSWORD);
            let session = accept(&mut client, bench.server(auth_type, level), |_| {});
            let mut session = session.unwrap_or_else(|why| panic!("{form} {level:?}: {why}"));
            if level > Level::Connect {
                talk(&mut client, &mut *session, level);
            }
        }
    }
}

#[test]
fn impacket_s_client_is_refused() {
    if !tiers::asked("foreign", "impacket_s_client_is_refused") {
        return;
    }
    let bench = Bench::new();
    for (form, user, password, why) in [
        ("bare", USER, "wrong", Refusal::Denied { account: format!("{DOMAIN}\\{USER}") }),
        ("v1", USER, PASSWORD, Refusal::Weak("an NTLMv1 response")),
        ("bare", "", "", Refusal::Weak("anonymous")),
        ("kerberos-first", USER, "wrong", Refusal::Denied { account: format!("{DOMAIN}\\{USER}") }),
    ] {
        let auth_type = if form == "kerberos-first" { GSS_NEGOTIATE } else { WINNT };
        let mut client = bench.impacket(form, user, password);
        let outcome = accept(&mut client, bench.server(auth_type, Level::Integrity), |_| {});
        assert_eq!(outcome.err(), Some(why), "{form} {user}");
    }
    // Without its MIC the list of mechanisms may have been another.
    let mut client = bench.impacket("kerberos-first", USER, PASSWORD);
    let outcome = accept(&mut client, bench.server(GSS_NEGOTIATE, Level::Integrity), |token| {
        if let Ok(Token::Resp(mut resp)) = Token::decode(token) {
            resp.mic = None;
            *token = Token::Resp(resp).encode();
        }
    });
    assert_eq!(outcome.err(), Some(Refusal::Tampered("the list of mechanisms is not signed")));
}
