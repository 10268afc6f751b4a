//! What goes wrong for a client, by method.

use crate::notify::MalformedGuid;
use crate::pan::hresult::HResult;
use crate::rpc::ndr::BadStub;
use crate::rpc::status::Status;

/// Why a method of a client failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Peer, or the network: no call gets through.
    #[error("{0}")]
    Unreachable(String),
    /// Peer: it does not take these credentials.
    #[error("{0}")]
    NotAuthenticated(String),
    /// Peer: the method returned a failure. What the code means depends on the method.
    #[error("{method}: {result}")]
    Failed {
        /// The method.
        method: &'static str,
        /// What it returned, or threw.
        result: HResult,
    },
    /// Peer: the call was answered with a fault that is no result of the method.
    #[error("{method}: {status}")]
    Fault {
        /// The method.
        method: &'static str,
        /// The fault.
        status: Status,
    },
    /// Peer: an answer that is not what the interface says.
    #[error("{method}: the server's answer is malformed, {bad}")]
    Malformed {
        /// The method.
        method: &'static str,
        /// Where and how.
        bad: BadStub,
    },
    /// Ours: what was asked for has no such form.
    #[error(transparent)]
    NotAType(#[from] MalformedGuid),
}

impl Error {
    /// Whether trying again, with a new remote object, could help ([MS-PAN] 3.1.1.4.1, 3.1.1.4.3, 3.1.1.4.5): not where
    /// the caller may not, where the name is malformed, where the server has ended the wait.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Failed { result, .. } => matches!(
                *result,
                HResult::ACCESS_DENIED
                    | HResult::INVALID_NAME
                    | HResult::INVALID_ARGUMENT
                    | HResult::TERMINATED
            ),
            Self::NotAuthenticated(_) | Self::NotAType(_) => true,
            Self::Fault { status, .. } => *status == Status::ACCESS_DENIED,
            Self::Unreachable(_) | Self::Malformed { .. } => false,
        }
    }
}
