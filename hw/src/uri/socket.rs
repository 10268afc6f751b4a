//! `socket://HOST[:9100][?hold=SECONDS&contimeout=SECONDS&waiteof=false]`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::options::Options;
use super::scan::{Fault, Part};
use crate::limits::{HOLD_SECONDS, HOST_BYTES};

const KNOWN: &[&str] = &["hold", "contimeout", "waiteof"];
const EXAMPLE: &str = "write socket://HOST:9100, with an IPv6 address in brackets";
const SECONDS: &str = "write a number of seconds";

/// The port of raw TCP printing (AppSocket, JetDirect).
pub const APPSOCKET_PORT: u16 = 9100;

/// A printer that takes its jobs over TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketUri {
    /// Name or address.
    pub host: Host,
    /// TCP port, not 0.
    pub port: u16,
    /// `hold`: keep the connection between jobs, for at most this long. `None`: one connection a job.
    pub hold_seconds: Option<u32>,
    /// `contimeout`: give a connection at most this long to come about. `None`: as long as the caller gives.
    pub connect_seconds: Option<u32>,
    /// `waiteof`: a job has left when the printer closes its side; false: when it has acknowledged the last byte.
    pub wait_eof: bool,
}

/// A host of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name, in small letters.
    Name(String),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address; the zone is the interface that a link-local address is reached through.
    V6(Ipv6Addr, Option<String>),
}

impl SocketUri {
    /// One connection a job to this host and port.
    pub fn new(host: Host, port: u16) -> Self {
        Self { host, port, hold_seconds: None, connect_seconds: None, wait_eof: true }
    }

    pub(super) fn parse(rest: Part<'_>) -> Result<Self, Fault> {
        let (address, query) = rest.cut(&['?']);
        let Some(authority) = address.strip("//") else {
            return Err(address.fault("names no host", EXAMPLE));
        };
        let (authority, path) = authority.cut(&['/']);
        if let Some(path) = path.filter(|path| !path.text.is_empty()) {
            return Err(path.fault("is a path, which a socket does not have", EXAMPLE));
        }
        let (host, port) = Host::parse(authority)?;
        let mut uri = Self::new(host, port.map_or(Ok(APPSOCKET_PORT), port_number)?);
        let options = Options::parse(query, &['&', '+'], KNOWN)?;
        let hold = options.find("hold").map(|hold| hold.number(1..=HOLD_SECONDS, SECONDS));
        uri.hold_seconds = hold.transpose()?;
        let connect = options.find("contimeout").map(|time| time.number(1..=HOLD_SECONDS, SECONDS));
        uri.connect_seconds = connect.transpose()?;
        if let Some(wait) = options.find("waiteof") {
            uri.wait_eof = wait.word(&BOOLEANS, "write waiteof=true or waiteof=false")?;
        }
        Ok(uri)
    }
}

const BOOLEANS: [(&str, bool); 6] =
    [("true", true), ("false", false), ("yes", true), ("no", false), ("on", true), ("off", false)];

fn port_number(port: Part<'_>) -> Result<u16, Fault> {
    let digits = port.text.bytes().all(|b| b.is_ascii_digit());
    let number = port.text.parse::<u16>().ok().filter(|&number| digits && number != 0);
    number.ok_or_else(|| {
        port.fault("is not a TCP port", "write a number from 1 to 65535, or leave it out for 9100")
    })
}

impl Host {
    /// The host of an authority, and its port part.
    fn parse(authority: Part<'_>) -> Result<(Self, Option<Part<'_>>), Fault> {
        if authority.text.is_empty() || authority.text.starts_with(':') {
            return Err(Part { text: "//", at: authority.at.saturating_sub(2) }
                .fault("is followed by no host", EXAMPLE));
        }
        if let Some(inside) = authority.strip("[") {
            return Self::parse_v6(authority, inside);
        }
        let (host, port) = authority.cut(&[':']);
        if port.is_some_and(|port| port.text.contains(':')) {
            return Err(authority.fault("is an IPv6 address without brackets", EXAMPLE));
        }
        if let Ok(address) = host.text.parse() {
            return Ok((Self::V4(address), port));
        }
        Self::check_name(host)?;
        Ok((Self::Name(host.text.to_ascii_lowercase()), port))
    }

    fn parse_v6<'a>(
        authority: Part<'a>,
        inside: Part<'a>,
    ) -> Result<(Self, Option<Part<'a>>), Fault> {
        let wrong = || {
            authority
                .fault("is not an IPv6 address in brackets", "write socket://[fe80::1%25eth0]:9100")
        };
        let (inside, Some(behind)) = inside.cut(&[']']) else { return Err(wrong()) };
        let (address, zone) = inside.cut(&['%']);
        let zone = zone.map(|zone| zone.strip("25").unwrap_or(zone));
        if zone.is_some_and(|zone| !is_zone(zone.text)) {
            return Err(wrong());
        }
        let address = address.text.parse().map_err(|_| wrong())?;
        let port = match (behind.text, behind.strip(":")) {
            ("", _) => None,
            (_, Some(port)) => Some(port),
            (_, None) => return Err(wrong()),
        };
        Ok((Self::V6(address, zone.map(|zone| zone.text.to_owned())), port))
    }

    fn check_name(host: Part<'_>) -> Result<(), Fault> {
        let known = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        if host.text.is_empty() || host.text.len() > HOST_BYTES || !host.text.bytes().all(known) {
            let right =
                "write a host name (letters, digits, - and .; punycode for others) or an address";
            return Err(host.fault("is not a host name", right));
        }
        let last = host.text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        if last.bytes().all(|b| b.is_ascii_digit()) {
            return Err(host.fault(
                "is neither a host name nor an IPv4 address",
                "write four numbers up to 255, as in 192.0.2.7",
            ));
        }
        Ok(())
    }
}

/// An interface name as Linux has them, of characters that need no percent code.
fn is_zone(zone: &str) -> bool {
    (1..16).contains(&zone.len())
        && zone.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => out.write_str(name),
            Self::V4(address) => write!(out, "{address}"),
            Self::V6(address, None) => write!(out, "[{address}]"),
            Self::V6(address, Some(zone)) => write!(out, "[{address}%25{zone}]"),
        }
    }
}

impl fmt::Display for SocketUri {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "socket://{}:{}", self.host, self.port)?;
        let mut separator = '?';
        for (name, seconds) in [("hold", self.hold_seconds), ("contimeout", self.connect_seconds)] {
            if let Some(seconds) = seconds {
                write!(out, "{separator}{name}={seconds}")?;
                separator = '&';
            }
        }
        if self.wait_eof { Ok(()) } else { write!(out, "{separator}waiteof=false") }
    }
}
