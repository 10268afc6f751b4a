//! What a request is about: `printer-uri` and `job-uri`, or `job-id`.
//!
//! | path | means |
//! | --- | --- |
//! | `/`, empty | the server |
//! | `/printers/NAME`, `/ipp/print/NAME` | that printer |
//! | `/ipp/print`, `/printers` | the default printer |
//! | `/jobs/ID`, `/printers/NAME/ID` | that job |
//!
//! Scheme, host and port are not looked at: a client names us as it reaches us, which may be through a tunnel or by
//! another name.

use despool_spool::JobId;

use super::reply::Failure;
use super::wire::{AttributeError, Attributes, Status};

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The server, or (for those who need a printer) the default one.
    Server,
    /// A printer.
    Printer(String),
    /// A job.
    Job(JobId),
}

impl Target {
    /// Reads what `printer-uri` names, whatever stands beside it: `cancel -a label` and `lprm -` of CUPS send a `job-id` of 0
    /// or -1 along.
    pub(super) fn queue(operation: &Attributes) -> Result<Self, Failure> {
        let uri =
            operation.uri("printer-uri")?.ok_or_else(|| AttributeError::missing("printer-uri"))?;
        parse(uri)
    }

    /// True where the job is the current one of a printer, as CUPS's `cancel label` and `lprm -P label` say it.
    pub(super) fn is_current_job(operation: &Attributes) -> Result<bool, Failure> {
        Ok(!operation.contains("job-uri") && operation.integer("job-id")? == Some(0))
    }

    /// Reads the target of a request from its operation attributes.
    pub(super) fn of(operation: &Attributes) -> Result<Self, Failure> {
        if let Some(uri) = operation.uri("job-uri")? {
            return match parse(uri)? {
                job @ Self::Job(_) => Ok(job),
                _ => Err(Failure::new(
                    Status::BadRequest,
                    format!("job-uri: {uri} does not name a job"),
                )),
            };
        }
        let printer = Self::queue(operation)?;
        match operation.integer("job-id")? {
            None => Ok(printer),
            Some(number) => {
                let id = u32::try_from(number).ok().and_then(JobId::new);
                id.map(Self::Job).ok_or_else(|| {
                    Failure::new(Status::BadRequest, format!("job-id: {number} is no job"))
                })
            }
        }
    }
}

fn parse(uri: &str) -> Result<Target, Failure> {
    let bad = |why: &str| Failure::new(Status::BadRequest, format!("{uri}: {why}"));
    let (scheme, rest) = uri.split_once(':').ok_or_else(|| bad("is not a URI"))?;
    if !["ipp", "ipps", "http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(Failure::new(Status::UriSchemeNotSupported, format!("{scheme}: is not ipp")));
    }
    let rest = rest.strip_prefix("//").ok_or_else(|| bad("has no host"))?;
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let path = decode(path).ok_or_else(|| bad("has a broken % escape"))?;
    let job = |id: &str| id.parse().map(Target::Job).map_err(|why: &str| bad(why));
    match path.split('/').collect::<Vec<_>>().as_slice() {
        [""] | ["printers"] | ["ipp"] | ["ipp", "print"] | ["admin"] | ["jobs"] => {
            Ok(Target::Server)
        }
        ["printers", name] | ["ipp", "print", name] | ["classes", name] => {
            Ok(Target::Printer((*name).to_owned()))
        }
        ["jobs", id] | ["printers" | "classes", _, id] | ["ipp", "print", _, id] => job(id),
        _ => Err(Failure::new(Status::NotFound, format!("{uri}: there is nothing here"))),
    }
}

/// Takes `%XX` escapes out; `None` where one is broken or what comes out is not UTF-8.
fn decode(path: &str) -> Option<String> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes().iter();
    while let Some(byte) = rest.next() {
        if *byte == b'%' {
            let digit = |byte: &u8| char::from(*byte).to_digit(16);
            let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
            out.push(u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()?);
        } else {
            out.push(*byte);
        }
    }
    String::from_utf8(out).ok()
}

/// A name as part of a URI's path.
pub(super) fn encode(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(uri: &str) -> Result<Target, Status> {
        parse(uri).map_err(|failure| failure.status())
    }

    #[test]
    fn the_paths() {
        let printer = |name: &str| Ok(Target::Printer(name.to_owned()));
        let job = |number| Ok(Target::Job(JobId::new(number).unwrap()));
        for (uri, expected) in [
            ("ipp://localhost/", Ok(Target::Server)),
            ("ipp://localhost", Ok(Target::Server)),
            ("ipp://localhost:631/printers/label", printer("label")),
            ("IPP://[::1]:631/printers/label/", printer("label")),
            ("http://h/ipp/print/b%C3%BCro", printer("b\u{fc}ro")),
            ("ipp://h/ipp/print", Ok(Target::Server)),
            ("ipp://h/jobs/42", job(42)),
            ("ipp://h/printers/label/42", job(42)),
            ("ipp://h/jobs/x", Err(Status::BadRequest)),
            ("ipp://h/jobs/0", Err(Status::BadRequest)),
            ("ipp://h/printers/a%2", Err(Status::BadRequest)),
            ("ipp://h/printers/%ff", Err(Status::BadRequest)),
            ("ipp:printers", Err(Status::BadRequest)),
            ("ftp://h/printers/label", Err(Status::UriSchemeNotSupported)),
            ("ipp://h/nowhere/at/all", Err(Status::NotFound)),
        ] {
            assert_eq!(target(uri), expected, "{uri}");
        }
    }

    #[test]
    fn names_survive_a_uri() {
        for name in ["label", "b\u{fc}ro 2", "a%b"] {
            let uri = format!("ipp://h/printers/{}", encode(name));
            assert_eq!(target(&uri), Ok(Target::Printer(name.to_owned())));
        }
    }
}
