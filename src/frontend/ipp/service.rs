//! The IPP service: checks that go for every request, and who carries it out.
//!
//! The order of the checks is RFC 8011 §4.1 and RFC 3196 §3.1: version, operation, request-id, charset and natural
//! language (first and in this order), then what the operation itself needs.

use std::net::SocketAddr;
use std::time::Duration;

use super::http::Document;
use super::printer::Here;
use super::reply::Failure;
use super::submit::OpenJobs;
use super::wire::{Message, Operation, Status};
use crate::error::Result;
use crate::router::Router;
use crate::supervise::Live;

/// Every operation that is carried out.
pub(super) const OPERATIONS: [Operation; 30] = [
    Operation::PrintJob,
    Operation::ValidateJob,
    Operation::CreateJob,
    Operation::SendDocument,
    Operation::CancelJob,
    Operation::GetJobAttributes,
    Operation::GetJobs,
    Operation::GetPrinterAttributes,
    Operation::HoldJob,
    Operation::ReleaseJob,
    Operation::RestartJob,
    Operation::PausePrinter,
    Operation::ResumePrinter,
    Operation::PurgeJobs,
    Operation::SetJobAttributes,
    Operation::EnablePrinter,
    Operation::DisablePrinter,
    Operation::PausePrinterAfterCurrentJob,
    Operation::CancelCurrentJob,
    Operation::CancelJobs,
    Operation::CancelMyJobs,
    Operation::CloseJob,
    Operation::CupsGetDefault,
    Operation::CupsGetPrinters,
    Operation::CupsGetClasses,
    Operation::CupsAcceptJobs,
    Operation::CupsRejectJobs,
    Operation::CupsMoveJob,
    Operation::ReprocessJob,
    Operation::PromoteJob,
];

/// Who asks, and how it reached us.
pub(super) struct Caller {
    pub(super) peer: SocketAddr,
    pub(super) here: Here,
}

/// See the module.
pub(super) struct Service {
    pub(super) router: Live<Router>,
    pub(super) open: OpenJobs,
    /// How long a client in the middle of a request may be silent.
    pub(super) idle: Duration,
}

impl Service {
    pub(super) fn new(router: Live<Router>, idle: Duration) -> Self {
        Self { router, open: OpenJobs::default(), idle }
    }

    /// Carries a request out. There is always an answer.
    pub(super) async fn serve(
        &self,
        request: &Message,
        caller: &Caller,
        document: &mut Document,
    ) -> Message {
        let done = match check(request) {
            Ok(operation) => self.dispatch(operation, request, caller, document).await,
            Err(failure) => Err(failure),
        };
        let response = done.unwrap_or_else(|failure| failure.response(request));
        tracing::debug!(peer = %caller.peer, operation = %request.operation(), status = %response.status(), "IPP");
        response
    }

    async fn dispatch(
        &self,
        operation: Operation,
        request: &Message,
        caller: &Caller,
        document: &mut Document,
    ) -> std::result::Result<Message, Failure> {
        match operation {
            Operation::PrintJob => self.print_job(request, caller, document).await,
            Operation::ValidateJob => self.validate_job(request, caller).await,
            Operation::CreateJob => self.create_job(request, caller).await,
            Operation::SendDocument => self.send_document(request, caller, document).await,
            Operation::CloseJob => self.close_job(request, caller).await,
            Operation::GetPrinterAttributes => self.printer_attributes(request, caller).await,
            Operation::GetJobAttributes => self.job_attributes(request, caller).await,
            Operation::GetJobs => self.jobs(request, caller).await,
            Operation::CupsGetDefault => self.default_printer(request, caller).await,
            Operation::CupsGetPrinters => self.printers(request, caller).await,
            Operation::CupsGetClasses => Ok(Message::response(request, Status::Ok)),
            _ => self.control(operation, request).await,
        }
    }

    /// Asks the router.
    pub(super) async fn ask<M, T>(&self, message: M) -> std::result::Result<T, Failure>
    where
        M: actix::Message<Result = Result<T>> + Send + 'static,
        T: Send,
        Router: actix::Handler<M>,
    {
        Ok(self.router.ask(message).await??)
    }
}

fn check(request: &Message) -> std::result::Result<Operation, Failure> {
    let bad = |sentence: &str| Err(Failure::new(Status::BadRequest, sentence));
    if !(1..=2).contains(&request.version.0) {
        let (major, minor) = request.version;
        return Err(Failure::new(
            Status::VersionNotSupported,
            format!("IPP/{major}.{minor} is not supported; use 1.1 or 2.0"),
        ));
    }
    let operation = request.operation();
    if !OPERATIONS.contains(&operation) {
        return Err(Failure::new(
            Status::OperationNotSupported,
            format!("{operation} is not supported"),
        ));
    }
    if request.request_id <= 0 {
        return bad("request-id: it is a number from 1");
    }
    let attributes = request.operation_attributes();
    let mut names = attributes.iter().map(super::wire::Attribute::name);
    if (names.next(), names.next())
        != (Some("attributes-charset"), Some("attributes-natural-language"))
    {
        return bad("attributes-charset and attributes-natural-language come first, in this order");
    }
    let charset =
        attributes.charset("attributes-charset")?.unwrap_or_default().to_ascii_lowercase();
    if !["utf-8", "us-ascii"].contains(&charset.as_str()) {
        return Err(Failure::new(
            Status::CharsetNotSupported,
            format!("{charset} is not supported; use utf-8"),
        ));
    }
    attributes.language("attributes-natural-language")?;
    Ok(operation)
}
