//! Device URIs: where a printer hangs, as one line that people can paste.
//!
//! The forms are CUPS's, so that what somebody has in `printers.conf` works here:
//!
//! ```text
//! serial:/dev/ttyS0?baud=9600+bits=8+parity=none+flow=none|soft|hard|dtrdsr+stop=1|2
//! usb://MAKE/MODEL?serial=SN&interface=N&port=1-2.3
//! parallel:/dev/parport0   parallel:/dev/lp0
//! socket://HOST[:9100][?hold=SECONDS]
//! file:/path
//! sim:plain|pjl|escpos|zpl[?control=/path/sock]
//! ```
//!
//! `Display` prints the canonical form, with every setting of a serial line spelled out. What it is *not*: a general URI
//! parser, and it does no I/O: whether the device is there is [`crate::open`]'s question.
//!
//! The one invariant: `text.parse::<DeviceUri>()?.to_string()` parses to the same value.

mod error;
mod options;
mod scan;
mod serial;
mod sim;
mod socket;
mod usb;

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use error::UriError;
pub use serial::{DataBits, Flow, Parity, SerialUri, StopBits};
pub use sim::{SimLanguage, SimUri};
pub use socket::{APPSOCKET_PORT, Host, SocketUri};
pub use usb::UsbUri;
pub(crate) use usb::is_port;

use crate::limits::URI_BYTES;
use scan::{Fault, Part, encode, encode_path};

const SCHEMES: &str =
    "write serial:, usb:, parallel:, socket:, file: or sim: and what belongs behind it";

/// Where a printer hangs.
///
/// Made by hand, a path must be absolute for the invariant of this module to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceUri {
    /// A serial line.
    Serial(SerialUri),
    /// A USB printer.
    Usb(UsbUri),
    /// A parallel port: `/dev/parportN` (ppdev) or `/dev/lpN`.
    Parallel(PathBuf),
    /// A TCP connection.
    Socket(SocketUri),
    /// A plain file, a FIFO or a character device.
    File(PathBuf),
    /// A simulated printer.
    Sim(SimUri),
}

impl DeviceUri {
    /// The device node, where the URI names one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Serial(serial) => Some(&serial.path),
            Self::Parallel(path) | Self::File(path) => Some(path),
            Self::Usb(_) | Self::Socket(_) | Self::Sim(_) => None,
        }
    }

    /// A key for the physical port: equal for two URIs that name the same port with other settings (`serial:` and `file:`
    /// on one node, a host with and without `hold`). It needs no device to be there and never changes.
    ///
    /// It compares names only: a symlink and its target, or two names of one host, have two keys. Opening tells them
    /// apart then ([`crate::Error::Busy`]).
    pub fn port_key(&self) -> String {
        match self {
            Self::Serial(SerialUri { path, .. }) | Self::Parallel(path) | Self::File(path) => {
                node_key(path)
            }
            Self::Usb(usb) => usb.to_string(),
            Self::Socket(socket) => format!("socket://{}:{}", socket.host, socket.port),
            Self::Sim(SimUri { control: Some(control), .. }) => node_key(control),
            Self::Sim(sim) => sim.to_string(),
        }
    }

    /// True where the device hangs on this machine.
    pub fn is_local(&self) -> bool {
        !matches!(self, Self::Socket(_))
    }
}

fn node_key(path: &Path) -> String {
    let mut key = String::from("node:");
    let path: PathBuf = path.components().collect();
    // Writing into a string cannot fail.
    let _ = encode(&mut key, path.as_os_str().as_bytes(), b"/");
    key
}

impl FromStr for DeviceUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        parse(text).map_err(|fault| UriError::new(text, fault))
    }
}

fn parse(text: &str) -> Result<DeviceUri, Fault> {
    let whole = Part::whole(text);
    if text.len() > URI_BYTES {
        return Err(
            whole.fault("is too long for a device URI", format!("write at most {URI_BYTES} bytes"))
        );
    }
    refuse_blanks(text)?;
    let (scheme, rest) = whole.cut(&[':']);
    let Some(rest) = rest else {
        return Err(whole.fault("is not a device URI", SCHEMES));
    };
    match scheme.text.to_ascii_lowercase().as_str() {
        "serial" => SerialUri::parse(rest).map(DeviceUri::Serial),
        "usb" => UsbUri::parse(rest).map(DeviceUri::Usb),
        "parallel" => node(rest, "parallel:/dev/parport0").map(DeviceUri::Parallel),
        "socket" => SocketUri::parse(rest).map(DeviceUri::Socket),
        "file" => node(rest, "file:/path").map(DeviceUri::File),
        "sim" => SimUri::parse(rest).map(DeviceUri::Sim),
        _ => Err(scheme.fault("is not a kind of port that despool knows", SCHEMES)),
    }
}

/// White space and control characters have no place in a URI, and would tear the messages that show it.
fn refuse_blanks(text: &str) -> Result<(), Fault> {
    let Some((at, blank)) = text.char_indices().find(|(_, c)| c.is_whitespace() || c.is_control())
    else {
        return Ok(());
    };
    let range = at..at + blank.len_utf8();
    let right = if blank == ' ' { "write %20 for a space" } else { "leave it out" };
    Err(Fault { range, wrong: "is not allowed in a URI".to_owned(), right: right.to_owned() })
}

/// A node without settings: `/path`, or `///path` with its empty host.
fn node(rest: Part<'_>, example: &str) -> Result<PathBuf, Fault> {
    if let (_, Some(query)) = rest.cut(&['?']) {
        return Err(query.fault(
            "is behind a `?`, but this kind of port has no options",
            "write %3F for a ? in a path",
        ));
    }
    local_path(rest, example)
}

/// The path of a local port; `//HOST/path` is refused, `///path` is `/path`.
fn local_path(rest: Part<'_>, example: &str) -> Result<PathBuf, Fault> {
    if rest.text.is_empty() {
        let right = format!("write {example}");
        return Err(Fault { range: 0..rest.at, wrong: "is followed by no path".to_owned(), right });
    }
    match rest.strip("//") {
        Some(path) if !path.text.starts_with('/') => Err(rest
            .fault("names a host, but the device is on this machine", format!("write {example}"))),
        Some(path) => path.decoded_path(example),
        None => rest.decoded_path(example),
    }
}

impl fmt::Display for DeviceUri {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial(serial) => serial.fmt(out),
            Self::Usb(usb) => usb.fmt(out),
            Self::Parallel(path) => {
                out.write_str("parallel:")?;
                encode_path(out, path)
            }
            Self::Socket(socket) => socket.fmt(out),
            Self::File(path) => {
                out.write_str("file:")?;
                encode_path(out, path)
            }
            Self::Sim(sim) => sim.fmt(out),
        }
    }
}

#[cfg(test)]
mod tests;
