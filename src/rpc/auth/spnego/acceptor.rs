//! The server's side of SPNEGO (RFC 4178 4 and 5, [MS-SPNG] 3.3.5).
//!
//! ```text
//!   Start ─┬─ NTLM without SPNEGO ──► Bare ──────────────────────────────────────────► Over
//!          ├─ nothing ──► Start (NegTokenInit2: what we have)
//!          └─ NegTokenInit ──► Talking ─┬─ Done, MIC good or not needed ─────────────► Over
//!                                       └─ Done with a token of ours, MIC due ──► Signing ──► Over
//! ```
//!
//! The MIC of the list of mechanisms is due where the client's first choice was not taken, and where the mechanism insists.
//! Invariant: where it is due, no session is given without it.

use std::sync::Arc;

use super::mechanism::{Bare, Context, Conversation, Mechanism};
use super::oid::Oid;
use super::token::{Init, Mechanisms, NegState, Resp, Token};
use crate::identity::Identity;
use crate::rpc::auth::{Exchange, Level, Refusal, Step};

/// One exchange.
pub struct Acceptor {
    mechanisms: Arc<[Arc<dyn Mechanism>]>,
    level: Level,
    state: State,
}

enum State {
    Start { hinted: bool },
    Bare(Bare),
    Talking(Talk),
    Signing(Signing),
    Over,
}

/// A conversation with the mechanism that was chosen.
struct Talk {
    conversation: Box<dyn Conversation>,
    offered: Mechanisms,
    mic_due: bool,
}

/// The mechanism is done, the client's MIC is due.
struct Signing {
    context: Box<dyn Context>,
    peer: Option<Identity>,
    offered: Mechanisms,
}

impl Acceptor {
    /// An exchange for a security context of this level, with one of these mechanisms.
    pub fn new(mechanisms: Arc<[Arc<dyn Mechanism>]>, level: Level) -> Self {
        Self { mechanisms, level, state: State::Start { hinted: false } }
    }

    fn start(&mut self, token: &[u8], hinted: bool) -> Result<Step, Refusal> {
        if token.is_empty() && !hinted {
            self.state = State::Start { hinted: true };
            return Ok(Step::More(self.hint()));
        }
        if let Some(mechanism) = self.mechanisms.iter().find(|mechanism| mechanism.knows(token)) {
            return Ok(self.bare(Bare(mechanism.accept(self.level)), token));
        }
        let Token::Init(init) = Token::decode(token)? else {
            return Err(Refusal::Malformed("a NegTokenInit was due"));
        };
        self.choose(init)
    }

    /// What we have, for a client that lets us speak first.
    fn hint(&self) -> Vec<u8> {
        let oids = self.mechanisms.iter().flat_map(|mechanism| mechanism.oids()).cloned();
        let mechanisms = Mechanisms::new(oids.collect());
        Token::Init(Init { mechanisms, token: None, hints: true, mic: None }).encode()
    }

    /// Takes the first of the client's mechanisms that we have.
    fn choose(&mut self, init: Init) -> Result<Step, Refusal> {
        let ours = |oid: &Oid| self.mechanisms.iter().find(|ours| ours.oids().contains(oid));
        let offered = init.mechanisms.list().iter();
        let mut chosen = offered.enumerate().filter_map(|(n, oid)| Some((n, oid, ours(oid)?)));
        let none = Refusal::Weak("it offers no mechanism that we have");
        let (n, oid, mechanism) = chosen.next().ok_or(none)?;
        let (first, oid) = (n == 0, oid.clone());
        let conversation = mechanism.accept(self.level);
        let talk = Talk { conversation, offered: init.mechanisms, mic_due: !first };
        match init.token.filter(|_| first) {
            Some(token) => self.talk(talk, &token, None, Some(oid)),
            None => {
                self.state = State::Talking(talk);
                let state = if first { NegState::AcceptIncomplete } else { NegState::RequestMic };
                Ok(more(state, Resp { mechanism: Some(oid), ..Resp::default() }))
            }
        }
    }

    fn respond(&mut self, token: &[u8], talk: Talk) -> Result<Step, Refusal> {
        let resp = resp(token)?;
        let token = resp.token.ok_or(Refusal::Malformed("a NegTokenResp without a token"))?;
        self.talk(talk, &token, resp.mic, None)
    }

    /// Hands a token to the mechanism. `chosen` is told in our first answer.
    fn talk(
        &mut self,
        mut talk: Talk,
        token: &[u8],
        mic: Option<Vec<u8>>,
        chosen: Option<Oid>,
    ) -> Result<Step, Refusal> {
        let answer = |token: Vec<u8>| Resp {
            mechanism: chosen,
            token: Some(token).filter(|token| !token.is_empty()),
            ..Resp::default()
        };
        match talk.conversation.step(token) {
            Step::More(token) => {
                self.state = State::Talking(talk);
                Ok(more(NegState::AcceptIncomplete, answer(token)))
            }
            Step::Done { token, session, peer } => {
                let mic_due = talk.mic_due || session.insists_on_mic();
                let answer = answer(token);
                let signing = Signing { context: session, peer, offered: talk.offered };
                self.conclude(signing, answer, mic, mic_due)
            }
            Step::Refused(refusal) => Err(refusal),
        }
    }

    /// The mechanism is done; what of the MICs?
    fn conclude(
        &mut self,
        mut signing: Signing,
        mut answer: Resp,
        mic: Option<Vec<u8>>,
        mic_due: bool,
    ) -> Result<Step, Refusal> {
        let can_sign = signing.context.can_sign();
        match mic.filter(|_| can_sign) {
            Some(mic) => {
                signing.check(&mic)?;
                answer.mic = Some(signing.context.mic(signing.offered.der()));
            }
            None if mic_due && can_sign => {
                if answer.token.is_none() {
                    return Err(Refusal::Tampered("the list of mechanisms is not signed"));
                }
                answer.mic = Some(signing.context.mic(signing.offered.der()));
                self.state = State::Signing(signing);
                return Ok(more(NegState::AcceptIncomplete, answer));
            }
            None => {}
        }
        Ok(signing.done(answer))
    }

    fn bare(&mut self, mut bare: Bare, token: &[u8]) -> Step {
        let step = bare.step(token);
        if matches!(step, Step::More(_)) {
            self.state = State::Bare(bare);
        }
        step
    }
}

impl Signing {
    fn check(&mut self, mic: &[u8]) -> Result<(), Refusal> {
        self.context.check_mic(self.offered.der(), mic)
    }

    /// The client's MIC, in a token of its own.
    fn finish(mut self, token: &[u8]) -> Result<Step, Refusal> {
        let unsigned = Refusal::Tampered("the list of mechanisms is not signed");
        self.check(&resp(token)?.mic.ok_or(unsigned)?)?;
        Ok(self.done(Resp::default()))
    }

    fn done(self, answer: Resp) -> Step {
        let answer = Resp { state: Some(NegState::AcceptCompleted), ..answer };
        Step::Done { token: Token::Resp(answer).encode(), session: self.context, peer: self.peer }
    }
}

fn resp(token: &[u8]) -> Result<Resp, Refusal> {
    match Token::decode(token)? {
        Token::Resp(Resp { state: Some(NegState::Reject), .. }) => {
            Err(Refusal::Malformed("it rejects what it began"))
        }
        Token::Resp(resp) => Ok(resp),
        Token::Init(_) => Err(Refusal::Malformed("a NegTokenResp was due")),
    }
}

fn more(state: NegState, answer: Resp) -> Step {
    Step::More(Token::Resp(Resp { state: Some(state), ..answer }).encode())
}

impl Exchange for Acceptor {
    fn step(&mut self, token: &[u8]) -> Step {
        let step = match std::mem::replace(&mut self.state, State::Over) {
            State::Start { hinted } => self.start(token, hinted),
            State::Bare(bare) => Ok(self.bare(bare, token)),
            State::Talking(talk) => self.respond(token, talk),
            State::Signing(signing) => signing.finish(token),
            State::Over => Err(Refusal::Malformed("the exchange is over")),
        };
        step.unwrap_or_else(Step::Refused)
    }
}

#[cfg(test)]
mod tests;
