//! NTLMv2 ([MS-NLMP]): the mechanism that proves a password without sending it.
//!
//! Not here: SPNEGO around it ([`super::spnego`]), the accounts ([`crate::accounts`]). The codecs and both sides do no I/O
//! beyond the look-up of an account; randomness and time come in as [`Fresh`].
//!
//! Invariant: nothing below NTLMv2 with keys of 128 bits and extended session security is ever agreed on.

pub mod acceptor;
pub mod av_pairs;
pub mod crypto;
pub mod flags;
pub mod initiator;
pub mod message;
mod rc4;
pub mod response;
pub mod session;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::spnego::mechanism::{Conversation, Mechanism, Refused};
use super::spnego::oid::{self, Oid};
use super::{Level, Refusal};
use crate::accounts::Accounts;

/// What the server calls itself.
#[derive(Clone, Debug)]
pub struct Names {
    /// Its domain.
    pub domain: Arc<str>,
    /// Its own name.
    pub server: Arc<str>,
}

/// What makes one exchange another than all before.
#[derive(Clone, Copy)]
pub struct Fresh {
    /// Random.
    pub challenge: [u8; 8],
    /// Now, in 100 ns since 1601 (`FILETIME`).
    pub filetime: u64,
}

impl Fresh {
    /// Draws anew.
    pub fn draw() -> Result<Self, Refusal> {
        Ok(Self { challenge: random()?, filetime: filetime(SystemTime::now()) })
    }
}

/// Random octets from the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut octets = [0; N];
    let drawn = getrandom::fill(&mut octets);
    drawn.map_err(|error| Refusal::Unable(format!("no random numbers: {error}")))?;
    Ok(octets)
}

/// 1601 to 1970, in units of 100 ns.
const EPOCH: u64 = 116_444_736_000_000_000;

fn filetime(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() / 100;
    EPOCH.saturating_add(u64::try_from(since).unwrap_or_default())
}

/// The server's side of NTLM, as a mechanism.
pub struct Ntlm {
    accounts: Arc<Accounts>,
    names: Names,
}

impl Ntlm {
    /// NTLM for these accounts.
    pub fn new(accounts: Arc<Accounts>, names: Names) -> Self {
        Self { accounts, names }
    }
}

impl Mechanism for Ntlm {
    fn oids(&self) -> &[Oid] {
        static OIDS: [Oid; 1] = [oid::NTLM];
        &OIDS
    }

    fn accept(&self, level: Level) -> Box<dyn Conversation> {
        match Fresh::draw() {
            Ok(fresh) => {
                let (accounts, names) = (self.accounts.clone(), self.names.clone());
                Box::new(acceptor::Acceptor::new(accounts, names, level, fresh))
            }
            Err(refusal) => Box::new(Refused(refusal)),
        }
    }

    fn knows(&self, token: &[u8]) -> bool {
        token.starts_with(message::SIGNATURE)
    }
}

#[cfg(test)]
pub(in crate::rpc::auth) mod tests;
