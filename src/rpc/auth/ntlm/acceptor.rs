//! The server's side of an NTLMv2 exchange ([MS-NLMP] 3.2.5).
//!
//! ```text
//!   Greeting ── NEGOTIATE ──► Challenged ── AUTHENTICATE, proof and MIC good ──► Over (session, identity)
//!      └── anything else ──► Over (refused) ◄── anything else ──┘
//! ```
//!
//! Invariant: the identity is that of the account whose hash checked the proof, found by the name that the proof covers; a
//! challenge is answered once.

use std::sync::Arc;

use subtle::ConstantTimeEq;

use super::av_pairs::{AvId, AvPairs};
use super::crypto::{self, Key, Side};
use super::flags::Flags;
use super::message::{Authenticate, Challenge, MIC_AT, Negotiate, VERSION};
use super::response::{self, Blob};
use super::session::NtlmSession;
use super::{Fresh, Names};
use crate::accounts::{Account, Accounts, NtHash};
use crate::rpc::auth::spnego::mechanism::{Context, Conversation};
use crate::rpc::auth::{Level, Refusal, Step};

/// One exchange.
pub struct Acceptor {
    accounts: Arc<Accounts>,
    names: Names,
    level: Level,
    state: State,
}

enum State {
    Greeting(Fresh),
    Challenged(Box<Challenged>),
    Over,
}

/// What was said so far.
struct Challenged {
    negotiate: Vec<u8>,
    challenge: Vec<u8>,
    server_challenge: [u8; 8],
    flags: Flags,
}

/// What we do if the client does.
const OFFERED: Flags = Flags(
    Flags::UNICODE.0
        | Flags::REQUEST_TARGET.0
        | Flags::SIGN.0
        | Flags::SEAL.0
        | Flags::NTLM.0
        | Flags::ALWAYS_SIGN.0
        | Flags::EXTENDED_SESSION_SECURITY.0
        | Flags::VERSION.0
        | Flags::BITS_128.0
        | Flags::KEY_EXCHANGE.0
        | Flags::BITS_56.0,
);

impl Acceptor {
    /// An exchange for a security context of this level. `fresh` must be used for no other exchange.
    pub fn new(accounts: Arc<Accounts>, names: Names, level: Level, fresh: Fresh) -> Self {
        Self { accounts, names, level, state: State::Greeting(fresh) }
    }

    fn greet(&mut self, token: &[u8], fresh: &Fresh) -> Result<Step<dyn Context>, Refusal> {
        let negotiate = Negotiate::decode(token)?;
        if negotiate.flags.contains(Flags::ANONYMOUS) {
            return Err(Refusal::Weak("anonymous"));
        }
        negotiate.flags.check(self.level)?;
        let flags = negotiate.flags & OFFERED;
        let challenge = self.challenge(flags, fresh).encode();
        self.state = State::Challenged(Box::new(Challenged {
            negotiate: token.to_vec(),
            challenge: challenge.clone(),
            server_challenge: fresh.challenge,
            flags,
        }));
        Ok(Step::More(challenge))
    }

    fn challenge(&self, flags: Flags, fresh: &Fresh) -> Challenge {
        let Names { domain, server } = &self.names;
        let (computer, dns_domain) = server.split_once('.').unwrap_or((server, ""));
        let computer: String = computer.to_uppercase().chars().take(15).collect();
        let mut target_info = AvPairs::default();
        target_info.put_text(AvId::NB_DOMAIN, domain);
        target_info.put_text(AvId::NB_COMPUTER, &computer);
        target_info.put_text(AvId::DNS_DOMAIN, dns_domain);
        target_info.put_text(AvId::DNS_COMPUTER, server);
        target_info.put(AvId::TIMESTAMP, fresh.filetime.to_le_bytes().to_vec());
        let asked = flags.contains(Flags::REQUEST_TARGET);
        let kind = if asked { Flags::TARGET_TYPE_DOMAIN } else { Flags::default() };
        Challenge {
            flags: flags | Flags::TARGET_INFO | kind,
            server_challenge: fresh.challenge,
            target_name: if asked { domain.to_string() } else { String::new() },
            target_info,
            version: VERSION,
        }
    }

    fn authenticate(&self, token: &[u8], said: &Challenged) -> Result<Step<dyn Context>, Refusal> {
        let message = Authenticate::decode(token)?;
        let flags = message.flags & said.flags;
        if message.flags.contains(Flags::ANONYMOUS) || message.user.is_empty() {
            return Err(Refusal::Weak("anonymous"));
        }
        flags.check(self.level)?;
        let (proof, blob) = response::split(&message.nt_response)?;
        let (account, key) = self.response_key(&message)?;
        let expected = crypto::proof(&key, &said.server_challenge, blob);
        // An account that is not there takes as long as one that is.
        let proved = bool::from(expected.ct_eq(proof));
        let Some(account) = account.filter(|_| proved) else {
            let account = format!("{}\\{}", message.domain, message.user);
            return Err(Refusal::Denied { account });
        };
        let base = crypto::session_base_key(&key, proof);
        let session_key = exported(&message, flags, base)?;
        let mic = Blob::decode(blob)?.pairs.promise_mic();
        if mic {
            check_mic(&message, token, said, &session_key)?;
        }
        Ok(Step::Done {
            token: Vec::new(),
            session: Box::new(NtlmSession::new(&session_key, flags, Side::Server, mic)),
            peer: Some(self.accounts.identity(&account)),
        })
    }

    /// The account that the message names, and the key that its proof must be made with.
    fn response_key(&self, message: &Authenticate) -> Result<(Option<Account>, Key), Refusal> {
        let Authenticate { user, domain, .. } = message;
        // A name like alice@printers.example comes without a domain ([MS-NLMP] 3.1.5.1.2).
        let local = user.split_once('@').filter(|_| domain.is_empty());
        let name = local.map_or(user.as_str(), |(name, _)| name);
        let found = self.accounts.find(name);
        let account = found.map_err(|error| Refusal::Unable(error.to_string()))?;
        let nobody = NtHash::new([0; NtHash::BYTES]);
        let hash = account.as_ref().map_or(&nobody, |account| &account.nt_hash);
        let key = crypto::response_key(hash, user, domain);
        Ok((account, key))
    }
}

/// The key of the session: the client's choice where keys are exchanged.
fn exported(message: &Authenticate, flags: Flags, base: Key) -> Result<Key, Refusal> {
    if !flags.contains(Flags::KEY_EXCHANGE) {
        return Ok(base);
    }
    let encrypted = message.session_key.as_slice().try_into();
    let encrypted = encrypted.map_err(|_| Refusal::Malformed("the session key has no 16 bytes"))?;
    Ok(crypto::exchange_key(&base, encrypted))
}

fn check_mic(
    message: &Authenticate,
    token: &[u8],
    said: &Challenged,
    session_key: &Key,
) -> Result<(), Refusal> {
    let mic = message.mic.ok_or(Refusal::Tampered("the MIC that was promised is missing"))?;
    let mut zeroed = token.to_vec();
    zeroed.get_mut(MIC_AT).into_iter().flatten().for_each(|byte| *byte = 0);
    let expected = crypto::mic(session_key, [&said.negotiate, &said.challenge, &zeroed]);
    if bool::from(expected.ct_eq(&mic)) {
        Ok(())
    } else {
        Err(Refusal::Tampered("the MIC does not fit"))
    }
}

impl Conversation for Acceptor {
    fn step(&mut self, token: &[u8]) -> Step<dyn Context> {
        let step = match std::mem::replace(&mut self.state, State::Over) {
            State::Greeting(fresh) => self.greet(token, &fresh),
            State::Challenged(said) => self.authenticate(token, &said),
            State::Over => Err(Refusal::Malformed("the exchange is over")),
        };
        step.unwrap_or_else(Step::Refused)
    }
}
