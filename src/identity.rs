//! Identity: who somebody is, once they have proved it.
//!
//! Not how it was proved (that is `rpc::auth`), and not what they may do to jobs. Invariant: two identities are the same
//! person exactly when their `id`s are equal; names for people are never compared.

use std::sync::Arc;

/// A person or program that has proved who it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// What is compared: the canonical account, lower case, `domain\name`.
    pub id: Arc<str>,
    /// The account's name as it was written when it was made.
    pub name: Arc<str>,
    /// Whether configuration makes it an administrator.
    pub admin: bool,
}
