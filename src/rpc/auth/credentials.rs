//! What a client proves who it is with.

use super::ntlm::initiator::{Initiator as NtlmInitiator, Nonces};
use super::ntlm::{self, Fresh};
use super::spnego::initiator::{Initiator, Offer};
use super::spnego::mechanism::{Bare, Conversation, Refused};
use super::spnego::oid;
use super::{Exchange, GSS_NEGOTIATE, Level, Refusal, WINNT};
use crate::accounts::NtHash;

/// An account and its password's hash.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The account's domain; may be empty.
    pub domain: String,
    /// The account.
    pub user: String,
    /// The hash of its password.
    pub nt_hash: NtHash,
}

impl Credentials {
    /// Credentials by password.
    pub fn new(domain: &str, user: &str, password: &str) -> Self {
        Self::with_hash(domain, user, NtHash::of(password))
    }

    /// Credentials by hash.
    pub fn with_hash(domain: &str, user: &str, nt_hash: NtHash) -> Self {
        Self { domain: domain.to_owned(), user: user.to_owned(), nt_hash }
    }

    /// The client's side of an exchange under this `auth_type`: [`GSS_NEGOTIATE`] or [`WINNT`]. `target` is the principal
    /// that is meant, `host/SERVER` for [MS-PAN].
    pub fn exchange(&self, auth_type: u8, level: Level, target: Option<&str>) -> Box<dyn Exchange> {
        let conversation = match auth_type {
            GSS_NEGOTIATE | WINNT => self.ntlm(level, target),
            _ => Box::new(Refused(Refusal::Weak("an authentication type that we do not have"))),
        };
        if auth_type == GSS_NEGOTIATE {
            let account = format!("{}\\{}", self.domain, self.user);
            let offers = vec![Offer { oid: oid::NTLM, conversation }];
            return Box::new(Initiator::new(account, offers));
        }
        Box::new(Bare(conversation))
    }

    fn ntlm(&self, level: Level, target: Option<&str>) -> Box<dyn Conversation> {
        let nonces = || Ok(Nonces { fresh: Fresh::draw()?, session_key: ntlm::random()?.into() });
        match nonces() {
            Ok(nonces) => {
                let target = target.map(str::to_owned);
                Box::new(NtlmInitiator::new(self.clone(), target, level, nonces))
            }
            Err(refusal) => Box::new(Refused(refusal)),
        }
    }
}
