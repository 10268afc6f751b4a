//! AsyncUI: what a notification of that type shows to a person, and what the person answers ([MS-PAN] 2.2.7).
//!
//! ```text
//!   source ── Request::encode ──► balloon, message box, custom UI, custom data ── Request::parse ──► client
//!   source ◄── Reply::parse ───── which button, or a custom UI's text ◄────────── Reply::encode ─── client
//! ```
//!
//! Payloads are XML 1.0 in UTF-16LE, as the samples of the WDK send them: no byte-order mark, one NUL at the end. Reading
//! accepts everything that [MS-PAN] 3.2.3.4.1 wants accepted. Nothing here shows, loads or runs anything: `dll` and
//! `entrypoint` are data.

mod reply;
mod request;
mod show;
mod strings;

pub use reply::Reply;
pub use request::{Balloon, Button, ButtonId, Code, MessageBox, Parameter, Request, Text, Words};
pub use show::show;
pub use strings::default_string;

pub use crate::xml::Malformed;

/// Namespace of requests.
pub const REQUEST: &str = "http://schemas.microsoft.com/2003/print/asyncui/v1/request";
/// Namespace of responses.
pub const RESPONSE: &str = "http://schemas.microsoft.com/2003/print/asyncui/v1/response";

/// Whether a namespace is this one. Pages of the WDK show it with `https`: both are taken.
fn is_namespace(given: Option<&str>, wanted: &str) -> bool {
    let bare = |uri: &str| -> Option<usize> {
        let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"))?;
        wanted.strip_prefix("http://").filter(|wanted| *wanted == rest).map(str::len)
    };
    given.and_then(bare).is_some()
}

/// An integer as clients read it: blanks, a sign, the leading digits; what does not begin so is 0.
fn integer(text: &str) -> i64 {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let digits = digits.get(..end).unwrap_or_default();
    digits.bytes().fold(0_i64, |number, digit| {
        let digit = i64::from(digit.wrapping_sub(b'0'));
        let number = number.saturating_mul(10);
        if negative { number.saturating_sub(digit) } else { number.saturating_add(digit) }
    })
}

#[cfg(test)]
mod tests;
