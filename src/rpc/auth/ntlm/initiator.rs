//! The client's side of an NTLMv2 exchange ([MS-NLMP] 3.1.5).
//!
//! ```text
//!   Start ── (nothing) / NEGOTIATE ──► Greeted ── CHALLENGE / AUTHENTICATE ──► Over (session)
//! ```
//!
//! Invariant: neither an LM nor an NTLMv1 response is ever made, whatever the server asks for.

use super::Fresh;
use super::av_pairs::{AvId, AvPairs};
use super::crypto::{self, Key, Side};
use super::flags::Flags;
use super::message::{Authenticate, Challenge, MIC_AT, Negotiate, VERSION};
use super::response::Blob;
use super::session::NtlmSession;
use crate::rpc::auth::credentials::Credentials;
use crate::rpc::auth::spnego::mechanism::{Context, Conversation};
use crate::rpc::auth::{Level, Refusal, Step};

/// What the client draws for one exchange.
pub struct Nonces {
    /// Its challenge, and the time.
    pub fresh: Fresh,
    /// The key of the session.
    pub session_key: Key,
}

/// One exchange.
pub struct Initiator {
    credentials: Credentials,
    /// The principal that is meant: `host/printsrv`.
    target: Option<String>,
    level: Level,
    state: State,
}

enum State {
    Start(Nonces),
    Greeted { nonces: Nonces, negotiate: Vec<u8> },
    Over,
}

impl Initiator {
    /// An exchange for a security context of this level. `nonces` must be used for no other exchange.
    pub fn new(
        credentials: Credentials,
        target: Option<String>,
        level: Level,
        nonces: Nonces,
    ) -> Self {
        Self { credentials, target, level, state: State::Start(nonces) }
    }

    fn flags(&self) -> Flags {
        Flags::needed_for(self.level)
            | Flags::REQUEST_TARGET
            | Flags::ALWAYS_SIGN
            | Flags::TARGET_INFO
            | Flags::VERSION
            | Flags::KEY_EXCHANGE
    }

    fn greet(&mut self, nonces: Nonces) -> Step<dyn Context> {
        let negotiate = Negotiate { flags: self.flags() }.encode();
        self.state = State::Greeted { nonces, negotiate: negotiate.clone() };
        Step::More(negotiate)
    }

    fn answer(
        &self,
        token: &[u8],
        nonces: &Nonces,
        negotiate: &[u8],
    ) -> Result<Step<dyn Context>, Refusal> {
        let challenge = Challenge::decode(token)?;
        let flags = challenge.flags & self.flags();
        flags.check(self.level)?;
        let Credentials { domain, user, nt_hash } = &self.credentials;
        let blob = self.blob(&challenge, nonces).encode();
        let key = crypto::response_key(nt_hash, user, domain);
        let proof = crypto::proof(&key, &challenge.server_challenge, &blob);
        let base = crypto::session_base_key(&key, &proof);
        let exchange = flags.contains(Flags::KEY_EXCHANGE);
        let (session_key, sent) = if exchange {
            let sent = crypto::exchange_key(&base, &nonces.session_key);
            (nonces.session_key.clone(), sent.to_vec())
        } else {
            (base, Vec::new())
        };
        let message = Authenticate {
            lm_response: vec![0; 24],
            nt_response: [proof.as_slice(), &blob].concat(),
            domain: domain.clone(),
            user: user.clone(),
            workstation: String::new(),
            session_key: sent,
            flags,
            version: VERSION,
            mic: Some([0; 16]),
        };
        let mut message = message.encode();
        let mic = crypto::mic(&session_key, [negotiate, token, &message]);
        message.get_mut(MIC_AT).into_iter().flatten().zip(mic).for_each(|(to, mic)| *to = mic);
        Ok(Step::Done {
            token: message,
            session: Box::new(NtlmSession::new(&session_key, flags, Side::Client, true)),
            peer: None,
        })
    }

    /// What the proof covers: the server's pairs, and ours. A MIC is promised always ([MS-NLMP] asks for it where the server
    /// tells its time), so that nobody can talk us out of it by changing the challenge.
    fn blob(&self, challenge: &Challenge, nonces: &Nonces) -> Blob {
        let mut pairs: AvPairs = challenge.target_info.clone();
        let time = pairs.timestamp();
        pairs.set_mic();
        pairs.put(AvId::CHANNEL_BINDINGS, vec![0; 16]);
        if let Some(target) = &self.target {
            pairs.put_text(AvId::TARGET_NAME, target);
        }
        Blob {
            time: time.unwrap_or(nonces.fresh.filetime),
            client_challenge: nonces.fresh.challenge,
            pairs,
        }
    }
}

impl Conversation for Initiator {
    fn step(&mut self, token: &[u8]) -> Step<dyn Context> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Start(nonces) if token.is_empty() => self.greet(nonces),
            State::Start(_) => Step::Refused(Refusal::Malformed("the client speaks first")),
            State::Greeted { nonces, negotiate } => {
                self.answer(token, &nonces, &negotiate).unwrap_or_else(Step::Refused)
            }
            State::Over => Step::Refused(Refusal::Malformed("the exchange is over")),
        }
    }
}
