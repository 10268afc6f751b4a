//! The client's side of SPNEGO (RFC 4178 4 and 5, [MS-SPNG] 3.2.5).
//!
//! ```text
//!   Start ── (nothing) / NegTokenInit ──► Talking ── Done / token, MIC ──► Waiting ── accept-completed, MIC ──► Over
//! ```
//!
//! Invariant: where the MIC of the list of mechanisms is due (another than our first mechanism was chosen, the server asks
//! for it, or the mechanism insists), no session is given before the server's was checked.

use super::mechanism::{Context, Conversation};
use super::oid::Oid;
use super::token::{Init, Mechanisms, NegState, Resp, Token};
use crate::rpc::auth::{Exchange, Refusal, Step};

/// A mechanism that we offer, and our side of it.
pub struct Offer {
    /// What it is called.
    pub oid: Oid,
    /// Our side.
    pub conversation: Box<dyn Conversation>,
}

/// One exchange.
pub struct Initiator {
    /// For the refusal, when the server rejects.
    account: String,
    state: State,
}

enum State {
    Start(Vec<Offer>),
    Talking(Talk),
    Waiting(Wait),
    Over,
}

/// A conversation with the mechanism that stands first, until the server chooses another.
struct Talk {
    offers: Vec<Offer>,
    offered: Mechanisms,
    /// The server has answered once.
    chosen: bool,
    mic_due: bool,
}

/// The mechanism is done, the server's last word is due.
struct Wait {
    context: Box<dyn Context>,
    offered: Mechanisms,
    mic_due: bool,
    /// The server's MIC was checked already.
    checked: bool,
}

impl Initiator {
    /// An exchange that offers these, by preference. `account` is for messages.
    pub fn new(account: String, offers: Vec<Offer>) -> Self {
        Self { account, state: State::Start(offers) }
    }

    /// Our first token. A server that spoke first has said what it has.
    fn start(&mut self, token: &[u8], mut offers: Vec<Offer>) -> Result<Step, Refusal> {
        if !token.is_empty() {
            let Token::Init(init) = Token::decode(token)? else {
                return Err(Refusal::Malformed("a NegTokenInit2 was due"));
            };
            offers.retain(|offer| init.mechanisms.list().contains(&offer.oid));
        }
        let offered = Mechanisms::new(offers.iter().map(|offer| offer.oid.clone()).collect());
        let mut talk = Talk { offers, offered, chosen: false, mic_due: false };
        let token = talk.first_token()?;
        let init =
            Init { mechanisms: talk.offered.clone(), token: Some(token), hints: false, mic: None };
        self.state = State::Talking(talk);
        Ok(Step::More(Token::Init(init).encode()))
    }

    fn talk(&mut self, token: &[u8], mut talk: Talk) -> Result<Step, Refusal> {
        let resp = self.resp(token)?;
        talk.mic_due |= resp.state == Some(NegState::RequestMic);
        if talk.choose(resp.mechanism.as_ref())? {
            let token = talk.first_token()?;
            self.state = State::Talking(talk);
            return Ok(more(Resp { token: Some(token), ..Resp::default() }));
        }
        match talk.conversation()?.step(&resp.token.unwrap_or_default()) {
            Step::More(token) => {
                self.state = State::Talking(talk);
                Ok(more(Resp { token: Some(token), ..Resp::default() }))
            }
            Step::Done { token, session, .. } => {
                let mic_due = session.can_sign() && (talk.mic_due || session.insists_on_mic());
                let wait =
                    Wait { context: session, offered: talk.offered, mic_due, checked: false };
                self.conclude(wait, token, resp.mic, resp.state)
            }
            Step::Refused(refusal) => Err(refusal),
        }
    }

    /// The mechanism is done; what of the MICs, and of the server's last word?
    fn conclude(
        &mut self,
        mut wait: Wait,
        token: Vec<u8>,
        mic: Option<Vec<u8>>,
        state: Option<NegState>,
    ) -> Result<Step, Refusal> {
        if let Some(mic) = mic.filter(|_| wait.context.can_sign()) {
            wait.check(&mic)?;
            wait.mic_due = true;
        }
        let token = Some(token).filter(|token| !token.is_empty());
        let completed = state == Some(NegState::AcceptCompleted);
        if completed && token.is_none() && (wait.checked || !wait.mic_due) {
            return Ok(wait.done());
        }
        let mic = wait.mic_due.then(|| wait.context.mic(wait.offered.der()));
        self.state = State::Waiting(wait);
        Ok(more(Resp { token, mic, ..Resp::default() }))
    }

    fn finish(&self, token: &[u8], mut wait: Wait) -> Result<Step, Refusal> {
        let resp = self.resp(token)?;
        if resp.state.is_some_and(|state| state != NegState::AcceptCompleted) {
            return Err(Refusal::Malformed("the server goes on where nothing is left"));
        }
        match resp.mic {
            Some(mic) if wait.context.can_sign() && !wait.checked => wait.check(&mic)?,
            _ if wait.mic_due && !wait.checked => {
                return Err(Refusal::Tampered("the list of mechanisms is not signed"));
            }
            _ => {}
        }
        Ok(wait.done())
    }

    fn resp(&self, token: &[u8]) -> Result<Resp, Refusal> {
        match Token::decode(token)? {
            Token::Resp(Resp { state: Some(NegState::Reject), .. }) => {
                Err(Refusal::Denied { account: self.account.clone() })
            }
            Token::Resp(resp) => Ok(resp),
            Token::Init(_) => Err(Refusal::Malformed("a NegTokenResp was due")),
        }
    }
}

impl Talk {
    fn conversation(&mut self) -> Result<&mut dyn Conversation, Refusal> {
        let first = self.offers.first_mut();
        let first = first.ok_or(Refusal::Weak("it has no mechanism that we have"))?;
        Ok(&mut *first.conversation)
    }

    fn first_token(&mut self) -> Result<Vec<u8>, Refusal> {
        match self.conversation()?.step(&[]) {
            Step::More(token) => Ok(token),
            Step::Done { .. } => {
                Err(Refusal::Unable("the mechanism is done without the server".to_owned()))
            }
            Step::Refused(refusal) => Err(refusal),
        }
    }

    /// The server's choice, in its first answer: true where it is another than the one that we began with.
    fn choose(&mut self, oid: Option<&Oid>) -> Result<bool, Refusal> {
        let first = !std::mem::replace(&mut self.chosen, true);
        let Some(oid) = oid else { return Ok(false) };
        match self.offers.iter().position(|offer| offer.oid == *oid) {
            Some(0) => Ok(false),
            Some(n) if first => {
                self.offers.drain(..n);
                self.mic_due = true;
                Ok(true)
            }
            _ => Err(Refusal::Malformed("the server chooses what was not offered")),
        }
    }
}

impl Wait {
    fn check(&mut self, mic: &[u8]) -> Result<(), Refusal> {
        self.checked = true;
        self.context.check_mic(self.offered.der(), mic)
    }

    fn done(self) -> Step {
        Step::Done { token: Vec::new(), session: self.context, peer: None }
    }
}

fn more(answer: Resp) -> Step {
    let state = Some(NegState::AcceptIncomplete);
    Step::More(Token::Resp(Resp { state, ..answer }).encode())
}

impl Exchange for Initiator {
    fn step(&mut self, token: &[u8]) -> Step {
        let step = match std::mem::replace(&mut self.state, State::Over) {
            State::Start(offers) => self.start(token, offers),
            State::Talking(talk) => self.talk(token, talk),
            State::Waiting(wait) => self.finish(token, wait),
            State::Over => Err(Refusal::Malformed("the exchange is over")),
        };
        step.unwrap_or_else(Step::Refused)
    }
}
