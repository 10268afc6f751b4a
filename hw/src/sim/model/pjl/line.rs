//! One PJL command line: `@PJL COMMAND [words] [KEY = VALUE]… [CR] LF` (HP PJL Technical Reference Manual ch. 2,
//! "Format of PJL Commands"). Command words and keys are read without regard to case.

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request<'a> {
    /// Understood, without an effect that could be seen here: `COMMENT`, `SET`, `DEFAULT`, `RESET`, `INITIALIZE`,
    /// `@PJL`.
    Nothing,
    /// `ECHO words`.
    Echo(&'a [u8]),
    /// `INFO category`.
    Info(Category),
    /// `USTATUS variable = value`.
    Ustatus(Variable),
    /// `USTATUSOFF`.
    UstatusOff,
    /// `JOB [NAME = "…"] [START = n] [END = n]`.
    Job(Job<'a>),
    /// `EOJ [NAME = "…"]`.
    Eoj(Option<&'a [u8]>),
    /// `ENTER LANGUAGE = …`: what follows is not PJL.
    Enter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Category {
    Id,
    Status,
    PageCount,
    Supplies,
    Ustatus,
}

/// Unsolicited status that is to be switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    Device(Device),
    Job(bool),
    Page(bool),
    /// Seconds; 0: off.
    Timed(u16),
}

/// Unsolicited device status: none, on a change, on a change and on a faulty command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Device {
    #[default]
    Off,
    On,
    Verbose,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Job<'a> {
    pub(super) name: Option<&'a [u8]>,
    /// First and last page that are printed.
    pub(super) range: Option<(u64, u64)>,
}

/// Why a line was not carried out: the code that `USTATUS DEVICE = VERBOSE` reports (the manual's appendix D, "PJL
/// Parser Errors (20xxx)", where each is listed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// 20001: generic syntax error.
    Syntax,
    /// 20002: unsupported command.
    Unsupported,
    /// 20005: command buffer overflow.
    Overflow,
    /// 20006: illegal character, or line terminated by a UEL.
    Illegal,
}

impl Fault {
    pub(super) fn code(self) -> u32 {
        match self {
            Self::Syntax => 20001,
            Self::Unsupported => 20002,
            Self::Overflow => 20005,
            Self::Illegal => 20006,
        }
    }
}

/// Reads a line, without its LF; it begins with `@PJL`.
pub(super) fn parse(line: &[u8]) -> Result<Request<'_>, Fault> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let rest = line.get(4..).unwrap_or_default();
    if !rest.first().is_none_or(u8::is_ascii_whitespace) {
        return Err(Fault::Syntax);
    }
    if rest.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err(Fault::Illegal);
    }
    let (command, words) = word(rest.trim_ascii_start());
    match command.to_ascii_uppercase().as_slice() {
        b"" | b"COMMENT" | b"SET" | b"DEFAULT" | b"RESET" | b"INITIALIZE" => Ok(Request::Nothing),
        b"ECHO" => Ok(Request::Echo(words.strip_prefix(b" ").unwrap_or(words))),
        b"INFO" => info(words.trim_ascii()).map(Request::Info),
        b"USTATUS" => ustatus(words).map(Request::Ustatus),
        b"USTATUSOFF" => Ok(Request::UstatusOff),
        b"JOB" => job(words).map(Request::Job),
        b"EOJ" => Ok(Request::Eoj(job(words)?.name)),
        b"ENTER" => enter(words),
        _ => Err(Fault::Unsupported),
    }
}

fn info(category: &[u8]) -> Result<Category, Fault> {
    match category.to_ascii_uppercase().as_slice() {
        b"ID" => Ok(Category::Id),
        b"STATUS" => Ok(Category::Status),
        b"PAGECOUNT" => Ok(Category::PageCount),
        b"SUPPLIES" => Ok(Category::Supplies),
        b"USTATUS" => Ok(Category::Ustatus),
        _ => Err(Fault::Unsupported),
    }
}

fn ustatus(words: &[u8]) -> Result<Variable, Fault> {
    let ((key, value), rest) = option(words).ok_or(Fault::Syntax)?;
    if !rest.trim_ascii().is_empty() {
        return Err(Fault::Syntax);
    }
    let on_off = match value.to_ascii_uppercase().as_slice() {
        b"ON" => Ok(true),
        b"OFF" => Ok(false),
        _ => Err(Fault::Syntax),
    };
    match key.to_ascii_uppercase().as_slice() {
        b"DEVICE" if value.eq_ignore_ascii_case(b"VERBOSE") => {
            Ok(Variable::Device(Device::Verbose))
        }
        b"DEVICE" if on_off? => Ok(Variable::Device(Device::On)),
        b"DEVICE" => Ok(Variable::Device(Device::Off)),
        b"JOB" => on_off.map(Variable::Job),
        b"PAGE" => on_off.map(Variable::Page),
        b"TIMED" => match number(value) {
            Some(seconds @ (0 | 5..=300)) => Ok(Variable::Timed(seconds)),
            _ => Err(Fault::Syntax),
        },
        _ => Err(Fault::Syntax),
    }
}

fn job(mut words: &[u8]) -> Result<Job<'_>, Fault> {
    let (mut name, mut start, mut end) = (None, None, None);
    while !words.trim_ascii().is_empty() {
        let ((key, value), rest) = option(words).ok_or(Fault::Syntax)?;
        match key.to_ascii_uppercase().as_slice() {
            b"NAME" => name = Some(value),
            b"START" => start = Some(number(value).ok_or(Fault::Syntax)?),
            b"END" => end = Some(number(value).ok_or(Fault::Syntax)?),
            // PASSWORD and what later models added.
            _ => {}
        }
        words = rest;
    }
    let range =
        (start.is_some() || end.is_some()).then(|| (start.unwrap_or(1), end.unwrap_or(u64::MAX)));
    Ok(Job { name, range })
}

fn enter(words: &[u8]) -> Result<Request<'_>, Fault> {
    match option(words) {
        Some(((key, _), _)) if key.eq_ignore_ascii_case(b"LANGUAGE") => Ok(Request::Enter),
        _ => Err(Fault::Syntax),
    }
}

/// Cuts the first word off, which ends at a blank or a `=`.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'=';
    let at = text.iter().position(ends).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, &[]))
}

type Pair<'a> = (&'a [u8], &'a [u8]);

/// Cuts `KEY = VALUE` or `KEY = "VALUE"` off, the value without its quotes.
fn option(text: &[u8]) -> Option<(Pair<'_>, &[u8])> {
    let (key, rest) = word(text.trim_ascii_start());
    let value = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    if key.is_empty() {
        return None;
    }
    if let Some(quoted) = value.strip_prefix(b"\"") {
        let end = quoted.iter().position(|byte| *byte == b'"')?;
        let (value, rest) = quoted.split_at_checked(end)?;
        return Some(((key, value), rest.get(1..)?));
    }
    let (value, rest) = word(value);
    (!value.is_empty()).then_some(((key, value), rest))
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        let cases: [(&[u8], Request<'_>); 16] = [
            (b"@PJL", Request::Nothing),
            (b"@PJL\r", Request::Nothing),
            (b"@PJL COMMENT despool\r", Request::Nothing),
            (b"@PJL SET COPIES = 2", Request::Nothing),
            (b"@PJL ECHO 17:45:22.5 05-17-92 \r", Request::Echo(b"17:45:22.5 05-17-92 ")),
            (b"@PJL ECHO", Request::Echo(b"")),
            (b"@pjl info status\r", Request::Info(Category::Status)),
            (b"@PJL INFO PAGECOUNT \r", Request::Info(Category::PageCount)),
            (b"@PJL USTATUS DEVICE = VERBOSE", Request::Ustatus(Variable::Device(Device::Verbose))),
            (b"@PJL ustatus job=on", Request::Ustatus(Variable::Job(true))),
            (b"@PJL USTATUS TIMED = 300\r", Request::Ustatus(Variable::Timed(300))),
            (b"@PJL USTATUSOFF", Request::UstatusOff),
            (b"@PJL JOB", Request::Job(Job::default())),
            (
                b"@PJL JOB NAME = \"a = b\" START=2 END = 3",
                Request::Job(Job { name: Some(b"a = b"), range: Some((2, 3)) }),
            ),
            (b"@PJL EOJ NAME=\"\xE9\"\r", Request::Eoj(Some(b"\xE9"))),
            (b"@PJL ENTER LANGUAGE = POSTSCRIPT\r", Request::Enter),
        ];
        for (line, request) in cases {
            assert_eq!(parse(line), Ok(request), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn faults() {
        let cases: [(&[u8], Fault); 11] = [
            (b"@PJLX", Fault::Syntax),
            (b"@PJL ECO wrong sample", Fault::Unsupported),
            (b"@PJL INFO VARIABLES", Fault::Unsupported),
            (b"@PJL USTATUS TIMED = 4", Fault::Syntax),
            (b"@PJL USTATUS TIMED = ON", Fault::Syntax),
            (b"@PJL USTATUS JOB = VERBOSE", Fault::Syntax),
            (b"@PJL USTATUS DEVICE", Fault::Syntax),
            (b"@PJL USTATUS DEVICE = ON x", Fault::Syntax),
            (b"@PJL JOB NAME = \"open", Fault::Syntax),
            (b"@PJL ENTER", Fault::Syntax),
            (b"@PJL ECHO a\x0cb", Fault::Illegal),
        ];
        for (line, fault) in cases {
            assert_eq!(parse(line), Err(fault), "{}", line.escape_ascii());
        }
    }
}
