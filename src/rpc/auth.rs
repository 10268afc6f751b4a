//! What the runtime needs of a security provider: an exchange of tokens, then a session that protects PDUs.
//!
//! ```text
//!   server:  Provider::accept ─► Exchange ── step(token) ──► More(token) … ──► Done(token, Session, Identity)
//!   client:  Credentials      ─► Exchange ── step([])    ──► More(token) … ──► Done(token, Session)
//! ```
//!
//! Providers know nothing of PDUs beyond "these bytes are signed, this part of them is sealed", and do no I/O. Invariant:
//! no session exists before its exchange is done, and one that refused or whose signature failed is never used again.

pub mod credentials;
pub mod ntlm;
pub mod spnego;
pub mod throttle;

use std::ops::Range;
use std::sync::Arc;

use crate::accounts::Accounts;
use crate::identity::Identity;
pub use credentials::Credentials;
use ntlm::{Names, Ntlm};
use spnego::acceptor::Acceptor;
use spnego::mechanism::{Bare, Mechanism};

/// `auth_type` of the `sec_trailer`: SPNEGO ([MS-RPCE] 2.2.1.1.7).
pub const GSS_NEGOTIATE: u8 = 9;
/// `auth_type` of the `sec_trailer`: NTLM.
pub const WINNT: u8 = 10;

/// How the PDUs of a security context are protected ([MS-RPCE] 2.2.1.1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// 2: the client is known, its PDUs are not protected.
    Connect,
    /// 4: every PDU is signed (on connections the same as integrity).
    Packet,
    /// 5: every PDU is signed.
    Integrity,
    /// 6: every PDU is signed and its stub is encrypted.
    Privacy,
}

/// Makes the server's side of exchanges for one `auth_type`.
pub trait Provider: Send + Sync {
    /// The `auth_type` it serves.
    fn auth_type(&self) -> u8;

    /// Begins an exchange for a security context of this level.
    fn accept(&self, level: Level) -> Box<dyn Exchange>;

    /// Begins an exchange that lets clients in that are nobody in particular, too: an endpoint without secrets does that.
    /// Such a client has no identity, and its session's key is known to everybody.
    fn accept_anyone(&self, level: Level) -> Box<dyn Exchange> {
        self.accept(level)
    }
}

/// One side of an exchange that is under way.
pub trait Exchange: Send {
    /// Takes the peer's token (empty for the first step of a client) and says what to do next.
    fn step(&mut self, token: &[u8]) -> Step;
}

/// What comes after a token. `S` is what the session can do beside protecting PDUs: nothing, but for the mechanisms within
/// SPNEGO ([`spnego::mechanism`]).
pub enum Step<S: Session + ?Sized = dyn Session> {
    /// Send this token and wait for the next one.
    More(Vec<u8>),
    /// The peer has proved who it is.
    Done {
        /// The last token for the peer; empty when there is none.
        token: Vec<u8>,
        /// Protects what comes now.
        session: Box<S>,
        /// Server: who the peer is; none of [`Provider::accept_anyone`]'s who is nobody. Client: none.
        peer: Option<Identity>,
    },
    /// The peer is refused. The reason is for our log, never for the wire.
    Refused(Refusal),
}

/// Why a peer was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Peer: a token that is not of the mechanism's form.
    #[error("its token is malformed: {0}")]
    Malformed(&'static str),
    /// Peer: the account is unknown, or the proof is wrong. Which one is not told.
    #[error("unknown account or wrong password for \"{account}\"")]
    Denied {
        /// The account it claims.
        account: String,
    },
    /// Peer: it was wrong too often, and is refused for a while whatever it proves.
    #[error("too many wrong passwords for \"{account}\" from there")]
    TooOften {
        /// The account.
        account: String,
    },
    /// Peer: what it offers is too weak.
    #[error("it offers too little: {0}")]
    Weak(&'static str),
    /// Peer: a token was changed on the way, or played again.
    #[error("a token was tampered with: {0}")]
    Tampered(&'static str),
    /// Ours: the accounts cannot be read, or there are no random numbers.
    #[error("we could not check it: {0}")]
    Unable(String),
}

/// Protects the PDUs of one security context. Each direction has its own sequence: calls must come in wire order.
pub trait Session: Send {
    /// Bytes of a signature (`auth_length`) at every level that has one.
    fn signature_bytes(&self) -> usize;

    /// Protects a PDU that goes out: `pdu` is everything before the signature (header to `sec_trailer`), `stub` the part
    /// of it (body and padding) that privacy encrypts in place. Gives the signature: [`signature_bytes`] long, empty at
    /// [`Level::Connect`]. Refused, with `pdu` as it was, where the exchange agreed on less than `level` or the session is
    /// spent.
    ///
    /// [`signature_bytes`]: Self::signature_bytes
    fn protect(
        &mut self,
        pdu: &mut [u8],
        stub: Range<usize>,
        level: Level,
    ) -> Result<Vec<u8>, Refusal>;

    /// Checks a PDU that came in, decrypting `stub` in place for privacy. After an error the session is spent. At
    /// [`Level::Connect`] nothing is checked, whatever the signature ([MS-RPCE] has none there, yet some clients send one).
    fn check(
        &mut self,
        pdu: &mut [u8],
        stub: Range<usize>,
        signature: &[u8],
        level: Level,
    ) -> Result<(), Refusal>;
}

/// The providers of a server: SPNEGO ([`GSS_NEGOTIATE`]) and NTLM by itself ([`WINNT`]), both for these accounts.
/// `domain` and `server_name` are what clients are told.
pub fn providers(
    accounts: &Arc<Accounts>,
    domain: &str,
    server_name: &str,
) -> Vec<Arc<dyn Provider>> {
    let names = Names { domain: domain.into(), server: server_name.into() };
    let ntlm: Arc<dyn Mechanism> = Arc::new(Ntlm::new(accounts.clone(), names));
    vec![Arc::new(Spnego(Arc::new([ntlm.clone()]))), Arc::new(Winnt(ntlm))]
}

struct Spnego(Arc<[Arc<dyn Mechanism>]>);

impl Provider for Spnego {
    fn auth_type(&self) -> u8 {
        GSS_NEGOTIATE
    }

    fn accept(&self, level: Level) -> Box<dyn Exchange> {
        Box::new(Acceptor::new(self.0.clone(), level))
    }

    fn accept_anyone(&self, level: Level) -> Box<dyn Exchange> {
        Box::new(Acceptor::for_anyone(self.0.clone(), level))
    }
}

struct Winnt(Arc<dyn Mechanism>);

impl Provider for Winnt {
    fn auth_type(&self) -> u8 {
        WINNT
    }

    fn accept(&self, level: Level) -> Box<dyn Exchange> {
        Box::new(Bare(self.0.accept(level)))
    }

    fn accept_anyone(&self, level: Level) -> Box<dyn Exchange> {
        Box::new(Bare(self.0.accept_anyone(level)))
    }
}

#[cfg(test)]
mod tests;
