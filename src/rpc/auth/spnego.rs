//! SPNEGO: agreeing on a mechanism (RFC 4178, [MS-SPNG]).
//!
//! ```text
//!   client                                        server
//!     NegTokenInit  mechanisms, first token  ──►
//!                                            ◄──  NegTokenResp  accept-incomplete, mechanism, token
//!     NegTokenResp  token, [mechListMIC]     ──►
//!                                            ◄──  NegTokenResp  accept-completed, [mechListMIC]
//! ```
//!
//! A first token for a mechanism that we do not have is dropped: the answer is `request-mic` with a mechanism that we have,
//! and the list of mechanisms must then be signed. Tokens of NTLM without SPNEGO around them are taken as they are, as
//! Windows does.
//!
//! # What joins later
//!
//! A mechanism is a [`mechanism::Mechanism`]: object identifiers, and conversations that end with a
//! [`mechanism::Context`]. The list given to [`acceptor::Acceptor`] and [`initiator::Initiator`] is in order of preference.
//!
//! *Kerberos*: object identifiers [`oid::KERBEROS`] and [`oid::MS_KERBEROS`], in front of NTLM. In DCE style its acceptor
//! answers `More` (AP-REP) and is `Done` with the third leg, which brings the MIC along; without, it is `Done` with a last
//! token of its own, and the MICs take one more round. Both are served here.
//!
//! *Samba's `ntlm_auth`*: object identifier [`oid::NTLM`] in the place of our acceptor. Its conversation hands the tokens to
//! `ntlm_auth --helper-protocol=squid-2.5-ntlmssp` (`YR`, `KK`; answers `TT`, `AF`) and makes a session of what `GK` and
//! `GF` give, by [`super::ntlm::session::NtlmSession::new`]; whether there was a MIC the AUTHENTICATE message says. It waits
//! for another process: exchanges are `Send`, so that a runtime can step them where blocking is allowed.

pub mod acceptor;
pub mod der;
pub mod initiator;
pub mod mechanism;
pub mod oid;
pub mod token;
