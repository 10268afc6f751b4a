//! `pName`: which server, and which of its printers ([MS-PAN] 3.1.1.4.1).
//!
//! `\\SERVER\PRINTER`, or NULL for the server itself. What it is not: a path, or anything that is opened.

use std::net::IpAddr;

/// A printer's name has at most this many UTF-16 units, with both parts, backslashes and terminator. Windows allows 220
/// for a queue behind a server's name.
pub const NAME_UNITS: usize = 1024;

/// What `pName` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrinterName<'a> {
    /// The server as the client calls it: DNS, NetBIOS, IPv4 or IPv6.
    pub server: &'a str,
    /// The printer.
    pub printer: &'a str,
}

/// A `pName` that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl<'a> PrinterName<'a> {
    /// Takes it apart.
    pub fn parse(name: &'a str) -> Result<Self, Malformed> {
        let (server, printer) =
            name.strip_prefix("\\\\").and_then(|rest| rest.split_once('\\')).ok_or(Malformed)?;
        let bad = |part: &str| part.is_empty() || part.contains(['\\', ',']);
        if bad(server) || bad(printer) || server.contains(char::is_whitespace) {
            return Err(Malformed);
        }
        Ok(Self { server, printer })
    }

    /// Whether the server part means the server called `ours`, on which the call came in at `local`.
    ///
    /// Its name, with or without a domain behind it, `localhost`, any address of ours by which it was reached. An IPv6
    /// address may be raw, in brackets, or written as `…ipv6-literal.net`, since [MS-PAN] does not say.
    pub fn is_at(&self, ours: &str, local: IpAddr) -> bool {
        let first = |name: &str| name.split('.').next().map(str::to_ascii_lowercase);
        match address(self.server) {
            Some(address) => {
                let address = address.to_canonical();
                address == local.to_canonical() || address.is_loopback()
            }
            None => {
                self.server.eq_ignore_ascii_case("localhost") || first(self.server) == first(ours)
            }
        }
    }
}

fn address(server: &str) -> Option<IpAddr> {
    const LITERAL: &str = ".ipv6-literal.net";
    let bare = server.trim_start_matches('[').trim_end_matches(']');
    let cut = bare.len().checked_sub(LITERAL.len()).filter(|at| bare.is_char_boundary(*at));
    let literal =
        cut.map(|at| bare.split_at(at)).filter(|(_, end)| end.eq_ignore_ascii_case(LITERAL));
    match literal {
        Some((digits, _)) => digits.replace('-', ":").replace('s', "%").parse().ok(),
        None => bare.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are() {
        for (name, server, printer) in [
            ("\\\\srv\\lp", "srv", "lp"),
            ("\\\\print.example.org\\Label 1", "print.example.org", "Label 1"),
            ("\\\\10.0.0.5\\lp", "10.0.0.5", "lp"),
            ("\\\\fe80::1\\lp", "fe80::1", "lp"),
        ] {
            assert_eq!(PrinterName::parse(name), Ok(PrinterName { server, printer }));
        }
    }

    #[test]
    fn names_that_are_not() {
        for name in [
            "",
            "lp",
            "\\\\",
            "\\\\srv",
            "\\\\srv\\",
            "\\\\\\lp",
            "\\srv\\lp",
            "\\\\srv\\a\\b",
            "\\\\srv\\a,b",
            "\\\\s rv\\lp",
            "//srv/lp",
        ] {
            assert_eq!(PrinterName::parse(name), Err(Malformed), "{name}");
        }
    }

    #[test]
    fn which_server_is_ours() {
        let local: IpAddr = "10.0.0.5".parse().unwrap();
        let is = |server| PrinterName { server, printer: "lp" }.is_at("PrintSrv", local);
        for server in
            ["printsrv", "PRINTSRV.example.org", "localhost", "10.0.0.5", "127.0.0.1", "[::1]"]
        {
            assert!(is(server), "{server}");
        }
        for server in ["other", "10.0.0.6", "printsrv2", "printsrv-.x"] {
            assert!(!is(server), "{server}");
        }
        let local: IpAddr = "2001:db8::5".parse().unwrap();
        let is = |server| PrinterName { server, printer: "lp" }.is_at("PrintSrv", local);
        assert!(is("2001:db8::5") && is("[2001:db8::5]") && is("2001-db8--5.ipv6-literal.net"));
        assert!(!is("2001-db8--6.IPv6-Literal.Net"));
    }
}
