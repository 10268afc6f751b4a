//! From a request's attributes to a job's ticket (RFC 8011 §4.2.1.1, §5.2).

use std::net::SocketAddr;

use despool_spool::{Hold, Ticket};
use jiff::Zoned;

use super::attributes::JOB_TICKET;
use super::hold;
use super::printer::FORMATS;
use super::reply::Failure;
use super::wire::{Attribute, Attributes, GroupTag, Message, OutOfBand, Status};
use crate::config::Datatype;

/// A ticket, and what of the request it could not take in.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) ticket: Ticket,
    /// Attributes that are ignored or were replaced.
    pub(super) ignored: Attributes,
}

/// Operation attributes of a new job that are not about the ticket.
const OPERATION: [&str; 17] = [
    "attributes-charset",
    "attributes-natural-language",
    "printer-uri",
    "requesting-user-name",
    "requesting-user-uri",
    "job-name",
    "ipp-attribute-fidelity",
    "document-name",
    "document-format",
    "document-natural-language",
    "compression",
    "job-k-octets",
    "job-impressions",
    "job-media-sheets",
    "last-document",
    "job-mandatory-attributes",
    "document-charset",
];

/// Reads a request for a new job for this printer.
pub(super) fn read(request: &Message, printer: &str, peer: SocketAddr) -> Result<Read, Failure> {
    let operation = request.operation_attributes();
    let mut ticket = Ticket::new(printer);
    ticket.user = user(operation)?.into();
    ticket.host = format!("ipp://{}", peer.ip()).into();
    ticket.format = format(operation)?.into();
    ticket.datatype = "".into();
    check_compression(operation)?;
    let title = operation.text("job-name")?.or(operation.text("document-name")?);
    ticket.title = title.filter(|title| !title.is_empty()).unwrap_or("untitled".into()).into();
    let mut ignored = Attributes::new();
    for attribute in request.attributes(GroupTag::Job).iter() {
        take(&mut ticket, attribute, request.attributes(GroupTag::Job), &mut ignored)?;
    }
    for attribute in operation.iter().filter(|attribute| !OPERATION.contains(&attribute.name())) {
        if JOB_TICKET.contains(&attribute.name()) {
            // Some clients put what belongs to the job here; CUPS takes it, so they never learn.
            take(&mut ticket, attribute, operation, &mut ignored)?;
        } else {
            ignored.put(attribute.name(), OutOfBand::Unsupported);
        }
    }
    if operation.boolean("ipp-attribute-fidelity")? == Some(true) && !ignored.is_empty() {
        return Err(Failure::unsupported(ignored));
    }
    Ok(Read { ticket, ignored })
}

/// Who asks; `anonymous` where nobody says.
pub(super) fn user(operation: &Attributes) -> Result<String, Failure> {
    let user = operation.text("requesting-user-name")?.filter(|user| !user.is_empty());
    Ok(user.map_or_else(|| "anonymous".to_owned(), std::borrow::Cow::into_owned))
}

/// The document format, checked.
pub(super) fn format(operation: &Attributes) -> Result<String, Failure> {
    let Some(format) = operation.mime_type("document-format")? else {
        return Ok(FORMATS.first().map(|format| (*format).to_owned()).unwrap_or_default());
    };
    if FORMATS.iter().any(|known| known.eq_ignore_ascii_case(format)) {
        return Ok(format.to_owned());
    }
    let sentence = format!(
        "document-format: {format} is not known; send application/octet-stream to print it as it is"
    );
    Err(Failure::new(Status::DocumentFormatNotSupported, sentence))
}

/// Documents come as they are to be printed.
pub(super) fn check_compression(operation: &Attributes) -> Result<(), Failure> {
    match operation.keyword("compression")? {
        None | Some("none") => Ok(()),
        Some(other) => Err(Failure::new(
            Status::CompressionNotSupported,
            format!("compression: {other} is not supported; send none"),
        )),
    }
}

/// Takes one attribute of the job template in, or puts it with the ignored ones.
fn take(
    ticket: &mut Ticket,
    attribute: &Attribute,
    job: &Attributes,
    ignored: &mut Attributes,
) -> Result<(), Failure> {
    let name = attribute.name();
    let taken = match name {
        "copies" => {
            let copies = job
                .integer(name)?
                .and_then(|copies| u16::try_from(copies).ok())
                .filter(|copies| *copies > 0);
            copies.map(|copies| ticket.copies = copies)
        }
        "job-priority" => priority(job)?.map(|priority| ticket.priority = priority),
        "job-hold-until" => hold_until(job)?.map(|hold| ticket.hold = hold),
        "despool-datatype" => {
            let named = job.text(name)?.and_then(|datatype| Datatype::named(&datatype));
            named.map(|datatype| ticket.datatype = datatype.name().into())
        }
        // CUPS clients say these of every job; for a raw job they mean what happens anyway.
        "job-sheets"
        | "multiple-document-handling"
        | "finishings"
        | "raw"
        | "number-up"
        | "document-format" => Some(()),
        _ => None,
    };
    if taken.is_none() {
        ignored.insert(attribute.clone());
    }
    Ok(())
}

/// `job-priority`; `None` where it is absent or not from 1 to 100.
pub(super) fn priority(job: &Attributes) -> Result<Option<u8>, Failure> {
    let priority = job.integer("job-priority")?;
    Ok(priority
        .and_then(|priority| u8::try_from(priority).ok())
        .filter(|priority| (1..=100).contains(priority)))
}

/// `job-hold-until`; `None` where it is absent or not supported.
pub(super) fn hold_until(attributes: &Attributes) -> Result<Option<Hold>, Failure> {
    Ok(attributes.keyword("job-hold-until")?.and_then(|until| hold::until(until, &Zoned::now())))
}

#[cfg(test)]
mod tests {
    use super::super::wire::Operation;
    use super::*;

    fn request() -> Message {
        let mut request = Message::request(Operation::PrintJob, 1);
        request
            .attributes_mut(GroupTag::Operation)
            .put_uri("printer-uri", "ipp://h/printers/label")
            .put_name("requesting-user-name", "me")
            .put_name("job-name", "a label");
        request
    }

    fn read_it(request: &Message) -> Result<Read, Status> {
        read(request, "label", "127.0.0.1:5".parse().unwrap()).map_err(|failure| failure.status())
    }

    #[test]
    fn what_is_understood() {
        let mut with = request();
        with.attributes_mut(GroupTag::Job)
            .put("copies", 3)
            .put("job-priority", 80)
            .put_keyword("job-hold-until", "indefinite")
            .put_name("despool-datatype", "raw-ff-auto");
        let Read { ticket, ignored } = read_it(&with).unwrap();
        assert!(ignored.is_empty());
        assert_eq!((ticket.copies, ticket.priority, ticket.hold), (3, 80, Hold::Indefinite));
        assert_eq!(
            (&*ticket.title, &*ticket.user, &*ticket.datatype),
            ("a label", "me", "RAW [FF auto]")
        );
    }

    #[test]
    fn what_is_not_is_ignored_or_with_fidelity_refused() {
        let mut with = request();
        with.attributes_mut(GroupTag::Job)
            .put("copies", 0)
            .put_keyword("media", "iso_a4_210x297mm");
        let Read { ticket, ignored } = read_it(&with).unwrap();
        assert_eq!(ticket.copies, 1);
        assert_eq!(ignored.iter().map(Attribute::name).collect::<Vec<_>>(), ["copies", "media"]);
        with.attributes_mut(GroupTag::Operation).put("ipp-attribute-fidelity", true);
        assert_eq!(read_it(&with).err(), Some(Status::AttributesOrValuesNotSupported));
    }

    #[test]
    fn formats_and_compressions() {
        let with = |name: &str, value: Value| {
            let mut request = request();
            request.attributes_mut(GroupTag::Operation).put(name, value);
            read_it(&request).map(|read| read.ticket.format.to_string())
        };
        use super::super::wire::Value;
        assert_eq!(
            with("document-format", Value::mime_type("text/plain")),
            Ok("text/plain".into())
        );
        assert_eq!(
            with("document-format", Value::mime_type("x/y")),
            Err(Status::DocumentFormatNotSupported)
        );
        assert_eq!(
            with("compression", Value::keyword("gzip")),
            Err(Status::CompressionNotSupported)
        );
        assert_eq!(with("document-format", Value::Integer(1)), Err(Status::BadRequest));
    }
}
