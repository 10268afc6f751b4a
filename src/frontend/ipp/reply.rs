//! What goes wrong, in IPP's words.

use despool_spool::Error as SpoolError;

use super::wire::{AttributeError, Attributes, GroupTag, Header, Message, Status};
use crate::error::Error;

/// A request that is not carried out: the status, and a sentence for people.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    status: Status,
    sentence: String,
    unsupported: Attributes,
}

impl Failure {
    pub(super) fn new(status: Status, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into(), unsupported: Attributes::new() }
    }

    /// Attributes or values that are not supported.
    pub(super) fn unsupported(unsupported: Attributes) -> Self {
        let names: Vec<&str> = unsupported.iter().map(super::wire::Attribute::name).collect();
        let sentence = format!("not supported: {}", names.join(", "));
        Self { unsupported, ..Self::new(Status::AttributesOrValuesNotSupported, sentence) }
    }

    pub(super) fn status(&self) -> Status {
        self.status
    }

    /// The response.
    pub(super) fn response(self, request: impl Into<Header>) -> Message {
        let mut response = Message::response(request, self.status);
        response.set_status_message(&self.sentence);
        if !self.unsupported.is_empty() {
            *response.add_group(GroupTag::Unsupported) = self.unsupported;
        }
        response
    }
}

impl From<AttributeError> for Failure {
    fn from(error: AttributeError) -> Self {
        Self::new(error.status(), error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(status(&error), error.to_string())
    }
}

fn status(error: &Error) -> Status {
    match error {
        Error::NoSuchPrinter { .. } => Status::NotFound,
        Error::NotAccepting { .. } => Status::NotAcceptingJobs,
        Error::NoSuchDatatype { .. } | Error::DirectOnce { .. } => {
            Status::AttributesOrValuesNotSupported
        }
        Error::Canceled { .. } => Status::JobCanceled,
        Error::BrokenOff { .. } => Status::Timeout,
        Error::Spool(error) => spool_status(error),
        Error::Port { .. } => Status::DeviceError,
        Error::Restarting => Status::TemporaryError,
        Error::Stopping => Status::ServiceUnavailable,
        Error::State { .. }
        | Error::NoSuchAccount { .. }
        | Error::AccountExists { .. }
        | Error::AccountRefused { .. }
        | Error::TooManyAccounts
        | Error::AccountsFile { .. }
        | Error::AccountsRights { .. } => Status::InternalError,
    }
}

fn spool_status(error: &SpoolError) -> Status {
    match error {
        SpoolError::Full { .. } | SpoolError::Quota { .. } => Status::TemporaryError,
        SpoolError::TooLarge { .. } => Status::RequestEntityTooLarge,
        SpoolError::TooManyWriters { .. } => Status::Busy,
        SpoolError::BadTicket { .. } => Status::RequestValueTooLong,
        SpoolError::NoSuchJob { .. } => Status::NotFound,
        SpoolError::WrongState { .. } => Status::NotPossible,
        SpoolError::Canceled { .. } => Status::JobCanceled,
        SpoolError::Poisoned { .. } | SpoolError::Closed => Status::ServiceUnavailable,
        _ => Status::InternalError,
    }
}
