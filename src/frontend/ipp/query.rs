//! What there is: Get-Printer-Attributes, Get-Job-Attributes, Get-Jobs, CUPS-Get-Default, CUPS-Get-Printers.

use std::sync::Arc;

use super::reply::Failure;
use super::service::{Caller, Service};
use super::target::Target;
use super::ticket;
use super::wire::{AttributeError, Attributes, GroupTag, Message, Status};
use super::{job, printer};
use crate::provider::{Job, Jobs, Printer, PrinterView, Printers, Which};

impl Service {
    pub(super) async fn printer_attributes(
        &self,
        request: &Message,
        caller: &Caller,
    ) -> Result<Message, Failure> {
        let operation = request.operation_attributes();
        let name = match Target::of(operation)? {
            Target::Printer(name) => name,
            Target::Server => self.default_name().await?,
            Target::Job(_) => {
                return Err(Failure::new(Status::BadRequest, "printer-uri names a job"));
            }
        };
        let wanted = printer::wanted(operation)?;
        let views = self.router.ask(Printers).await?;
        let view = self.ask(Printer { name }).await?;
        let number = number_of(&views, &view);
        Ok(with_groups(
            request,
            GroupTag::Printer,
            [printer::attributes(&view, number, &caller.here, &wanted)],
        ))
    }

    pub(super) async fn default_printer(
        &self,
        request: &Message,
        caller: &Caller,
    ) -> Result<Message, Failure> {
        let wanted = printer::wanted(request.operation_attributes())?;
        let name = self.default_name().await?;
        let view = self.ask(Printer { name }).await?;
        Ok(with_groups(
            request,
            GroupTag::Printer,
            [printer::attributes(&view, 1, &caller.here, &wanted)],
        ))
    }

    pub(super) async fn printers(
        &self,
        request: &Message,
        caller: &Caller,
    ) -> Result<Message, Failure> {
        let operation = request.operation_attributes();
        let wanted = printer::wanted(operation)?;
        let limit = limit(operation)?;
        let first = operation.text("first-printer-name")?;
        let views = self.router.ask(Printers).await?;
        let from_first = |view: &&Arc<PrinterView>| {
            first.as_ref().is_some_and(|first| *view.config.name != **first)
        };
        let groups =
            views.iter().skip_while(from_first).take(limit).map(|view| {
                printer::attributes(view, number_of(&views, view), &caller.here, &wanted)
            });
        Ok(with_groups(request, GroupTag::Printer, groups))
    }

    pub(super) async fn job_attributes(
        &self,
        request: &Message,
        caller: &Caller,
    ) -> Result<Message, Failure> {
        let operation = request.operation_attributes();
        let Target::Job(id) = Target::of(operation)? else {
            return Err(AttributeError::missing("job-id").into());
        };
        let wanted = job::wanted(operation, &["all"])?;
        let view = self.ask(Job { id }).await?;
        Ok(with_groups(request, GroupTag::Job, [job::attributes(&view, &caller.here, &wanted)]))
    }

    pub(super) async fn jobs(
        &self,
        request: &Message,
        caller: &Caller,
    ) -> Result<Message, Failure> {
        let operation = request.operation_attributes();
        let printer = match Target::of(operation)? {
            Target::Printer(name) => Some(name),
            Target::Server => None,
            Target::Job(_) => {
                return Err(Failure::new(Status::BadRequest, "printer-uri names a job"));
            }
        };
        let which = match operation.keyword("which-jobs")? {
            None | Some("not-completed") => Which::NotCompleted,
            Some("completed") => Which::Completed,
            Some("all") => Which::All,
            Some(_) => {
                let mut unsupported = Attributes::new();
                unsupported.extend(operation.find("which-jobs").cloned());
                return Err(Failure::unsupported(unsupported));
            }
        };
        let mine = operation.boolean("my-jobs")? == Some(true);
        let user = if mine { Some(ticket::user(operation)?) } else { None };
        let wanted = job::wanted(operation, &["job-id", "job-uri"])?;
        let first =
            operation.integer("first-job-id")?.and_then(|id| u32::try_from(id).ok()).unwrap_or(0);
        let limit = Some(limit(operation)?);
        let jobs = self.ask(Jobs { printer, user, which, first, limit }).await?;
        let groups = jobs.iter().map(|view| job::attributes(view, &caller.here, &wanted));
        Ok(with_groups(request, GroupTag::Job, groups))
    }
}

/// `limit`; a number below 1 is an error (RFC 8011 §4.2.6.1).
fn limit(operation: &Attributes) -> Result<usize, Failure> {
    match operation.integer("limit")? {
        None => Ok(usize::MAX),
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| *limit > 0)
            .ok_or_else(|| Failure::new(Status::BadRequest, "limit: it is a number from 1")),
    }
}

fn number_of(views: &[Arc<PrinterView>], view: &PrinterView) -> i32 {
    let place = views.iter().position(|other| other.config.name == view.config.name).unwrap_or(0);
    i32::try_from(place).unwrap_or(i32::MAX).saturating_add(1)
}

/// A response with these groups. Attributes that were asked for by a name that nobody has are not an error: they are
/// simply not there (RFC 8011 §4.1.7 leaves listing them to the server).
fn with_groups(
    request: &Message,
    tag: GroupTag,
    groups: impl IntoIterator<Item = Attributes>,
) -> Message {
    let mut response = Message::response(request, Status::Ok);
    for attributes in groups {
        *response.add_group(tag) = attributes;
    }
    response
}
