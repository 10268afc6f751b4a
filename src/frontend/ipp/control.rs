//! What people do to jobs and printers.

use despool_spool::{Hold, JobId, Shadow};
use jiff::Zoned;

use super::reply::Failure;
use super::service::Service;
use super::target::Target;
use super::wire::{AttributeError, Attributes, GroupTag, Message, Operation, Status};
use super::{hold, ticket};
use crate::provider::{ControlJob, ControlPrinter, Job, JobControl, Jobs, PrinterControl};

impl Service {
    /// Carries out an operation that changes something and answers with no more than a status.
    pub(super) async fn control(
        &self,
        operation: Operation,
        request: &Message,
    ) -> Result<Message, Failure> {
        let attributes = request.operation_attributes();
        match operation {
            Operation::CancelJob if Target::is_current_job(attributes)? => {
                self.cancel_first(attributes).await?;
            }
            Operation::PausePrinter | Operation::PausePrinterAfterCurrentJob => {
                self.printer(attributes, PrinterControl::Pause).await?;
            }
            Operation::ResumePrinter => self.printer(attributes, PrinterControl::Resume).await?,
            Operation::EnablePrinter | Operation::CupsAcceptJobs => {
                self.printer(attributes, PrinterControl::Accept).await?;
            }
            Operation::DisablePrinter | Operation::CupsRejectJobs => {
                self.printer(attributes, PrinterControl::Reject).await?;
            }
            Operation::PurgeJobs | Operation::CancelJobs => {
                self.cancel_all(attributes, None).await?;
            }
            Operation::CancelMyJobs => {
                self.cancel_all(attributes, Some(ticket::user(attributes)?)).await?;
            }
            Operation::CancelCurrentJob => self.cancel_current(attributes).await?,
            Operation::SetJobAttributes => return self.set_job_attributes(request).await,
            Operation::CupsMoveJob => self.move_jobs(request).await?,
            _ => self.job(operation, request).await?,
        }
        Ok(Message::response(request, Status::Ok))
    }

    /// What is done to one job.
    async fn job(&self, operation: Operation, request: &Message) -> Result<(), Failure> {
        let attributes = request.operation_attributes();
        let Target::Job(id) = Target::of(attributes)? else {
            return Err(AttributeError::missing("job-id").into());
        };
        let what = match operation {
            Operation::CancelJob => {
                JobControl::Cancel { why: format!("canceled by {}", ticket::user(attributes)?) }
            }
            Operation::HoldJob => {
                JobControl::Hold(hold_of(attributes)?.unwrap_or(Hold::Indefinite))
            }
            Operation::ReleaseJob => JobControl::Release,
            Operation::RestartJob | Operation::ReprocessJob => JobControl::Reprint,
            Operation::PromoteJob => JobControl::Prioritize(100),
            other => {
                return Err(Failure::new(
                    Status::OperationNotSupported,
                    format!("{other} is not supported"),
                ));
            }
        };
        let held = if operation == Operation::RestartJob { hold_of(attributes)? } else { None };
        self.ask(ControlJob { id, what }).await?;
        if let Some(hold) = held.filter(|hold| *hold != Hold::No) {
            self.ask(ControlJob { id, what: JobControl::Hold(hold) }).await?;
        }
        Ok(())
    }

    async fn printer(&self, attributes: &Attributes, what: PrinterControl) -> Result<(), Failure> {
        let Target::Printer(name) = Target::of(attributes)? else {
            return Err(Failure::new(Status::BadRequest, "printer-uri does not name a printer"));
        };
        // `cupsdisable -r` and `cupsreject -r` bring it; it is for people.
        let why = attributes.text("printer-state-message")?.unwrap_or_default().into_owned();
        self.ask(ControlPrinter { name, what, why }).await
    }

    /// Cancels what has not ended: of one printer or of all, of one user or of all, or just the jobs named.
    async fn cancel_all(
        &self,
        attributes: &Attributes,
        user: Option<String>,
    ) -> Result<(), Failure> {
        let printer = match Target::queue(attributes)? {
            Target::Printer(name) => Some(name),
            Target::Server => None,
            Target::Job(_) => {
                return Err(Failure::new(Status::BadRequest, "printer-uri names a job"));
            }
        };
        let mine = attributes.boolean("my-jobs")? == Some(true);
        let by = ticket::user(attributes)?;
        let user = if mine { Some(by.clone()) } else { user };
        let named = attributes.integers("job-ids")?;
        let jobs = self.ask(Jobs { printer, user, ..Jobs::default() }).await?;
        for view in jobs {
            let id = view.shadow.id;
            let wanted = named.is_empty()
                || named.iter().any(|named| u32::try_from(*named) == Ok(id.number()));
            if wanted {
                self.cancel(id, &by).await?;
            }
        }
        Ok(())
    }

    /// Cancels a job; one that has ended meanwhile is as good.
    async fn cancel(&self, id: JobId, by: &str) -> Result<(), Failure> {
        let what = JobControl::Cancel { why: format!("canceled by {by}") };
        match self.ask(ControlJob { id, what }).await {
            Err(failure) if !matches!(failure.status(), Status::NotPossible | Status::NotFound) => {
                Err(failure)
            }
            _ => Ok(()),
        }
    }

    async fn cancel_current(&self, attributes: &Attributes) -> Result<(), Failure> {
        let Target::Printer(name) = Target::of(attributes)? else {
            return Err(Failure::new(Status::BadRequest, "printer-uri does not name a printer"));
        };
        let by = ticket::user(attributes)?;
        let jobs = self.ask(Jobs { printer: Some(name), ..Jobs::default() }).await?;
        let running = jobs.iter().find(|view| view.state.is_at_device());
        let none = || Failure::new(Status::NotPossible, "no job is being printed");
        self.cancel(running.ok_or_else(none)?.shadow.id, &by).await
    }

    /// Cancels the job that a printer prints, or else the one that it would print next.
    async fn cancel_first(&self, attributes: &Attributes) -> Result<(), Failure> {
        let Target::Printer(name) = Target::queue(attributes)? else {
            return Err(Failure::new(Status::BadRequest, "printer-uri does not name a printer"));
        };
        let by = ticket::user(attributes)?;
        let jobs = self.ask(Jobs { printer: Some(name), ..Jobs::default() }).await?;
        let running = jobs.iter().find(|view| view.state.is_at_device());
        let none = || Failure::new(Status::NotPossible, "there is no job");
        self.cancel(running.or(jobs.first()).ok_or_else(none)?.shadow.id, &by).await
    }

    /// CUPS-Move-Job: one job, or all of a printer, to another printer.
    async fn move_jobs(&self, request: &Message) -> Result<(), Failure> {
        let to = request.attributes(GroupTag::Job).uri("job-printer-uri")?;
        let to = to.ok_or_else(|| AttributeError::missing("job-printer-uri"))?;
        let mut target = Attributes::new();
        target.put_uri("printer-uri", to);
        let Target::Printer(printer) = Target::of(&target)? else {
            return Err(Failure::new(
                Status::BadRequest,
                "job-printer-uri does not name a printer",
            ));
        };
        let ids: Vec<JobId> = match Target::of(request.operation_attributes())? {
            Target::Job(id) => vec![id],
            Target::Printer(from) => {
                let jobs = self.ask(Jobs { printer: Some(from), ..Jobs::default() }).await?;
                jobs.iter().map(|view| view.shadow.id).collect()
            }
            Target::Server => return Err(AttributeError::missing("job-id").into()),
        };
        for id in ids {
            self.ask(ControlJob { id, what: JobControl::Move { printer: printer.clone() } })
                .await?;
        }
        Ok(())
    }

    /// Set-Job-Attributes (RFC 3380 §4.2): priority and hold; anything else cannot be set.
    async fn set_job_attributes(&self, request: &Message) -> Result<Message, Failure> {
        let Target::Job(id) = Target::of(request.operation_attributes())? else {
            return Err(AttributeError::missing("job-id").into());
        };
        let job = request.attributes(GroupTag::Job);
        let settable = ["job-priority", "job-hold-until"];
        let mut unsupported = Attributes::new();
        unsupported
            .extend(job.iter().filter(|attribute| !settable.contains(&attribute.name())).cloned());
        let priority = ticket::priority(job)?;
        let hold = ticket::hold_until(job)?;
        let given = |name: &str, known: bool| job.contains(name) && !known;
        if given("job-priority", priority.is_some())
            || given("job-hold-until", hold.is_some())
            || !unsupported.is_empty()
        {
            unsupported
                .extend(job.iter().filter(|attribute| given(attribute.name(), false)).cloned());
            return Err(Failure::unsupported(unsupported));
        }
        if let Some(priority) = priority {
            self.ask(ControlJob { id, what: JobControl::Prioritize(priority) }).await?;
        }
        if let Some(hold) = hold {
            let view = self.ask(Job { id }).await?;
            if hold != Hold::No || is_held(&view.shadow) {
                self.ask(ControlJob { id, what: JobControl::Hold(hold) }).await?;
            }
        }
        Ok(Message::response(request, Status::Ok))
    }
}

fn is_held(shadow: &Shadow) -> bool {
    matches!(shadow.state, despool_spool::State::Held { .. })
}

/// `job-hold-until` of a request, checked.
fn hold_of(attributes: &Attributes) -> Result<Option<Hold>, Failure> {
    let Some(value) = attributes.keyword("job-hold-until")? else { return Ok(None) };
    let known = hold::until(value, &Zoned::now()).map(Some);
    known.ok_or_else(|| {
        let mut unsupported = Attributes::new();
        unsupported.extend(attributes.find("job-hold-until").cloned());
        Failure::unsupported(unsupported)
    })
}
