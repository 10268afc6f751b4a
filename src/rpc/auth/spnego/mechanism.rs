//! What SPNEGO needs of a mechanism: NTLM today, Kerberos and Samba's `ntlm_auth` later ([`super`] says how).
//!
//! A mechanism can also go without SPNEGO, under an `auth_type` of its own: [`Bare`].

use super::oid::Oid;
use crate::rpc::auth::{Exchange, Level, Refusal, Session, Step};

/// The server's side of a mechanism.
pub trait Mechanism: Send + Sync {
    /// What it is called; each of these means it.
    fn oids(&self) -> &[Oid];

    /// Begins a conversation for a security context of this level.
    fn accept(&self, level: Level) -> Box<dyn Conversation>;

    /// True for its tokens that come without SPNEGO around them.
    fn knows(&self, token: &[u8]) -> bool;
}

/// One side of a mechanism's conversation.
pub trait Conversation: Send {
    /// Takes the peer's token (empty for the first step of a client) and says what to do next.
    fn step(&mut self, token: &[u8]) -> Step<dyn Context>;
}

/// A session that can sign the list of mechanisms beside PDUs.
pub trait Context: Session {
    /// Whether there are signatures at all.
    fn can_sign(&self) -> bool;

    /// Whether the list must be signed even where the first choice was taken ([MS-SPNG] 3.3.5.1: NTLM with a MIC).
    fn insists_on_mic(&self) -> bool;

    /// Signs a message that is no PDU. How that counts in the sequence of PDUs is the mechanism's affair.
    fn mic(&mut self, message: &[u8]) -> Vec<u8>;

    /// Checks such a signature. After an error the session is spent.
    fn check_mic(&mut self, message: &[u8], mic: &[u8]) -> Result<(), Refusal>;
}

/// A conversation without SPNEGO around it.
pub struct Bare(pub Box<dyn Conversation>);

impl Exchange for Bare {
    fn step(&mut self, token: &[u8]) -> Step {
        match self.0.step(token) {
            Step::More(token) => Step::More(token),
            Step::Done { token, session, peer } => Step::Done { token, session, peer },
            Step::Refused(refusal) => Step::Refused(refusal),
        }
    }
}

/// A conversation that could not begin.
pub struct Refused(pub Refusal);

impl Conversation for Refused {
    fn step(&mut self, _: &[u8]) -> Step<dyn Context> {
        Step::Refused(self.0.clone())
    }
}
