//! Documents on their way in: Print-Job, Validate-Job, Create-Job, Send-Document, Close-Job.
//!
//! ```text
//!   Print-Job ────────────────────────────────────────────► submission ──► accepted
//!   Create-Job ──► open job ◄── Send-Document (not the last) ──┐
//!                     └──────── Send-Document (the last), Close-Job ──► submission ──► accepted
//!                     └──────── IPP_OPEN_JOB without a word ──► aborted
//! ```
//!
//! Several documents of a job become one: their bytes one after the other, which is what a raw printer would get.

use std::collections::HashMap;
use std::sync::Arc;

use despool_spool::JobId;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::http::Document;
use super::job;
use super::reply::Failure;
use super::service::{Caller, Service};
use super::target::Target;
use super::ticket::{self, Read};
use super::wire::{AttributeError, Attributes, GroupTag, Message, Status};
use crate::error::{Error, Result};
use crate::limits::{IPP_OPEN_JOB, IPP_OPEN_JOBS};
use crate::provider::{Job, Printer, Printers, StartDocPrinter};
use crate::submission::Submission;

/// Jobs that were created and whose documents are not all there. They outlive the listener they came by.
#[derive(Clone, Default)]
pub struct OpenJobs(Arc<Mutex<HashMap<JobId, Open>>>);

/// One of them.
struct Open {
    /// `None` while a document is being received.
    submission: Option<Submission>,
    touched: Instant,
}

impl OpenJobs {
    async fn put(&self, submission: Submission) -> std::result::Result<(), Failure> {
        let job = submission.job();
        let mut open = self.0.lock().await;
        if open.len() >= IPP_OPEN_JOBS {
            drop(open);
            submission.abort("too many jobs are open").await;
            let sentence =
                format!("{IPP_OPEN_JOBS} jobs wait for their documents already; try again");
            return Err(Failure::new(Status::TooManyJobs, sentence));
        }
        open.insert(job, Open { submission: Some(submission), touched: Instant::now() });
        drop(open);
        actix::spawn(self.clone().time_out(job));
        Ok(())
    }

    /// Gives a job up whose client does not come back.
    async fn time_out(self, job: JobId) {
        loop {
            let due = match self.0.lock().await.get(&job) {
                Some(open) => open.touched.checked_add(IPP_OPEN_JOB).unwrap_or(open.touched),
                None => return,
            };
            tokio::time::sleep_until(due).await;
            let mut jobs = self.0.lock().await;
            let over = jobs.get(&job).is_some_and(|open| {
                open.submission.is_some() && open.touched.elapsed() >= IPP_OPEN_JOB
            });
            let gone = if over { jobs.remove(&job) } else { None };
            drop(jobs);
            if let Some(submission) = gone.and_then(|open| open.submission) {
                submission.abort("no document came in time").await;
                return;
            }
        }
    }

    /// Takes a job's submission out, to write to it.
    async fn take(&self, job: JobId) -> std::result::Result<Submission, Failure> {
        let mut jobs = self.0.lock().await;
        let Some(open) = jobs.get_mut(&job) else {
            return Err(Failure::new(
                Status::NotPossible,
                format!("job {job} takes no more documents"),
            ));
        };
        open.touched = Instant::now();
        let busy =
            || Failure::new(Status::Busy, format!("job {job} is receiving a document already"));
        open.submission.take().ok_or_else(busy)
    }

    /// Puts a submission back that goes on.
    async fn put_back(&self, submission: Submission) {
        let mut jobs = self.0.lock().await;
        if let Some(open) = jobs.get_mut(&submission.job()) {
            open.touched = Instant::now();
            open.submission = Some(submission);
        }
    }

    async fn remove(&self, job: JobId) {
        self.0.lock().await.remove(&job);
    }
}

impl Service {
    pub(super) async fn print_job(
        &self,
        request: &Message,
        caller: &Caller,
        document: &mut Document,
    ) -> std::result::Result<Message, Failure> {
        let Read { ticket, ignored } = self.read_ticket(request, caller).await?;
        let expected_bytes = document.expected_bytes();
        let start = StartDocPrinter { ticket, expected_bytes, announce: false, follower: None };
        let mut submission = self.ask(start).await?;
        match receive(&mut submission, document).await {
            Ok(()) => {
                let job = submission.finish().await?;
                self.accepted(request, caller, job, ignored).await
            }
            Err(error) => {
                submission.abort(&error.to_string()).await;
                Err(error.into())
            }
        }
    }

    pub(super) async fn validate_job(
        &self,
        request: &Message,
        caller: &Caller,
    ) -> std::result::Result<Message, Failure> {
        let Read { ticket, ignored } = self.read_ticket(request, caller).await?;
        ticket.check().map_err(Error::from)?;
        let view = self.ask(Printer { name: ticket.printer.to_string() }).await?;
        if !view.accepting {
            return Err(Error::NotAccepting { printer: view.config.name.clone() }.into());
        }
        Ok(with_ignored(request, ignored))
    }

    pub(super) async fn create_job(
        &self,
        request: &Message,
        caller: &Caller,
    ) -> std::result::Result<Message, Failure> {
        let Read { ticket, ignored } = self.read_ticket(request, caller).await?;
        let start =
            StartDocPrinter { ticket, expected_bytes: None, announce: true, follower: None };
        let submission = self.ask(start).await?;
        let job = submission.job();
        self.open.put(submission).await?;
        self.accepted(request, caller, job, ignored).await
    }

    pub(super) async fn send_document(
        &self,
        request: &Message,
        caller: &Caller,
        document: &mut Document,
    ) -> std::result::Result<Message, Failure> {
        let operation = request.operation_attributes();
        let job = self.target_job(operation)?;
        let last = operation
            .boolean("last-document")?
            .ok_or_else(|| AttributeError::missing("last-document"))?;
        ticket::format(operation)?;
        ticket::check_compression(operation)?;
        self.ask(Job { id: job }).await?;
        let mut submission = self.open.take(job).await?;
        match receive(&mut submission, document).await {
            Ok(()) if last => {
                self.open.remove(job).await;
                submission.finish().await?;
            }
            Ok(()) => self.open.put_back(submission).await,
            Err(error) => {
                self.open.remove(job).await;
                submission.abort(&error.to_string()).await;
                return Err(error.into());
            }
        }
        self.accepted(request, caller, job, Attributes::new()).await
    }

    pub(super) async fn close_job(
        &self,
        request: &Message,
        caller: &Caller,
    ) -> std::result::Result<Message, Failure> {
        let job = self.target_job(request.operation_attributes())?;
        self.ask(Job { id: job }).await?;
        let submission = self.open.take(job).await?;
        self.open.remove(job).await;
        submission.finish().await?;
        self.accepted(request, caller, job, Attributes::new()).await
    }

    fn target_job(&self, operation: &Attributes) -> std::result::Result<JobId, Failure> {
        match Target::of(operation)? {
            Target::Job(job) => Ok(job),
            _ => Err(AttributeError::missing("job-id").into()),
        }
    }

    async fn read_ticket(
        &self,
        request: &Message,
        caller: &Caller,
    ) -> std::result::Result<Read, Failure> {
        let printer = match Target::of(request.operation_attributes())? {
            Target::Printer(name) => name,
            Target::Server => self.default_name().await?,
            Target::Job(_) => {
                return Err(Failure::new(Status::BadRequest, "printer-uri names a job"));
            }
        };
        // An unknown printer is said before anything is said about the attributes.
        let view = self.ask(Printer { name: printer }).await?;
        ticket::read(request, &view.config.name, caller.peer)
    }

    /// The name of the default printer: the first of the configuration.
    pub(super) async fn default_name(&self) -> std::result::Result<String, Failure> {
        let printers = self.router.ask(Printers).await?;
        let first = printers.first().map(|view| view.config.name.to_string());
        first.ok_or_else(|| Failure::new(Status::NotFound, "there is no printer yet"))
    }

    async fn accepted(
        &self,
        request: &Message,
        caller: &Caller,
        id: JobId,
        ignored: Attributes,
    ) -> std::result::Result<Message, Failure> {
        let view = self.ask(Job { id }).await?;
        let mut response = with_ignored(request, ignored);
        *response.add_group(GroupTag::Job) = job::of_new_job(&view, &caller.here);
        Ok(response)
    }
}

fn with_ignored(request: &Message, ignored: Attributes) -> Message {
    if ignored.is_empty() {
        return Message::response(request, Status::Ok);
    }
    let mut response = Message::response(request, Status::OkIgnoredOrSubstitutedAttributes);
    *response.add_group(GroupTag::Unsupported) = ignored;
    response
}

/// The document, from the network into the spool.
async fn receive(submission: &mut Submission, document: &mut Document) -> Result<()> {
    while let Some(bytes) = document.next().await? {
        submission.append(bytes).await?;
    }
    Ok(())
}
