//! The IPP client behind the commands.

use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{At, Failed};
use crate::config::{Config, default_state_dir};
use crate::frontend::ipp::wire::{
    AttributeError, Attributes, GroupTag, Limits, Message, Operation, Status, decode, encode,
};
use crate::limits::{ANSWER_WAIT, CONNECT_WAIT, IPP_GATHER_BYTES};

/// The port that a server without a configuration file listens on.
const DEFAULT: &str = "127.0.0.1:8631";

/// A server, as its clients know it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    address: String,
    user: String,
}

/// What a request went wrong with.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The server says no.
    Status(Status, String),
    /// It did not come to that.
    Other(String),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status, sentence) if sentence.is_empty() => {
                write!(f, "the server answers {status}")
            }
            Self::Status(_, sentence) | Self::Other(sentence) => f.write_str(sentence),
        }
    }
}

impl From<AttributeError> for Refused {
    fn from(error: AttributeError) -> Self {
        Self::Other(format!("the server's answer is not understood: {error}"))
    }
}

impl Client {
    /// The server that the command line means.
    pub(crate) fn find(at: &At) -> Result<Self, Failed> {
        let address = match &at.server {
            Some(address) => with_port(address),
            None => local_server(at)?,
        };
        Ok(Self::new(address))
    }

    /// The server at this address.
    pub(crate) fn new(address: String) -> Self {
        let named = ["LOGNAME", "USER"].iter().find_map(|name| std::env::var(name).ok());
        let user = named.or_else(|| {
            let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
            account(&accounts, rustix::process::geteuid().as_raw())
        });
        Self { address, user: user.unwrap_or_else(|| "anonymous".to_owned()) }
    }

    /// A request about the server, a printer or a job.
    pub(crate) fn request(&self, operation: Operation, about: &About<'_>) -> Message {
        let mut request = Message::request(operation, 1);
        let attributes = request.attributes_mut(GroupTag::Operation);
        match about {
            About::Server => attributes.put_uri("printer-uri", &format!("ipp://{}/", self.address)),
            About::Printer(name) => attributes.put_uri("printer-uri", &self.printer_uri(name)),
            About::Job(id) => {
                attributes.put_uri("job-uri", &format!("ipp://{}/jobs/{id}", self.address))
            }
        };
        attributes.put_name("requesting-user-name", &self.user);
        request
    }

    pub(crate) fn printer_uri(&self, name: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let encoded: String =
            name.bytes()
                .map(|byte| {
                    if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
                })
                .collect();
        format!("ipp://{}/printers/{encoded}", self.address)
    }

    /// Sends a request without a document.
    pub(crate) async fn ask(&self, request: &Message) -> Result<Message, Refused> {
        let answer = tokio::time::timeout(ANSWER_WAIT, self.send(request, Upload::nothing())).await;
        answer.unwrap_or_else(|_| {
            let waited = ANSWER_WAIT.as_secs();
            let address = &self.address;
            Err(Refused::Other(format!(
                "{address}: no answer within {waited} s; is it an IPP server?"
            )))
        })
    }

    /// Sends a request with a document behind it.
    pub(crate) async fn send(
        &self,
        request: &Message,
        mut document: Upload,
    ) -> Result<Message, Refused> {
        let other = |error: String| Refused::Other(format!("{}: {error}", self.address));
        document.head = Some(encode(request).map_err(|error| other(error.to_string()))?.into());
        let dialed = tokio::time::timeout(CONNECT_WAIT, TcpStream::connect(&self.address)).await;
        let stream = dialed.unwrap_or_else(|late| Err(late.into())).map_err(|error| {
            other(format!("no server answers there ({error}); start one with `despool serve`, or give --server"))
        })?;
        let _ = stream.set_nodelay(true);
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| other(error.to_string()))?;
        tokio::task::spawn_local(connection);
        let http = Request::builder()
            .method(Method::POST)
            .uri("/")
            .header("Host", &self.address)
            .header("Content-Type", "application/ipp")
            .header("Expect", "100-continue")
            .body(document)
            .map_err(|error| other(error.to_string()))?;
        let response = sender.send_request(http).await.map_err(|error| other(error.to_string()))?;
        if response.status() != StatusCode::OK {
            return Err(other(format!(
                "the server answers HTTP {}; is it an IPP server?",
                response.status()
            )));
        }
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|error| other(error.to_string()))?
            .to_bytes();
        let message =
            decode(&body, Limits::RESPONSE).map_err(|error| other(error.to_string()))?.message;
        let status = message.status();
        if status.is_success() {
            return Ok(message);
        }
        let sentence =
            message.operation_attributes().text("status-message")?.unwrap_or_default().into_owned();
        Err(Refused::Status(status, sentence))
    }

    /// The attributes of a job that are named.
    pub(crate) async fn job(&self, id: i32, wanted: &[&str]) -> Result<Attributes, Refused> {
        let mut request = self.request(Operation::GetJobAttributes, &About::Job(&id.to_string()));
        request
            .attributes_mut(GroupTag::Operation)
            .put_keywords("requested-attributes", wanted.iter().copied());
        Ok(self.ask(&request).await?.attributes(GroupTag::Job).clone())
    }
}

/// What a request is about.
pub(crate) enum About<'a> {
    Server,
    Printer(&'a str),
    Job(&'a str),
}

/// The name of the account with this number, in the text of `passwd(5)`.
fn account(accounts: &str, number: u32) -> Option<String> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
    })
}

/// `HOST`, `HOST:PORT`, and what people have at hand: `ipp://HOST:PORT/…`.
fn with_port(address: &str) -> String {
    let address = address.strip_prefix("ipp://").unwrap_or(address);
    let address = address.split_once('/').map_or(address, |(host, _)| host);
    let has_port = address.rsplit_once(':').is_some_and(|(host, port)| {
        port.parse::<u16>().is_ok() && (!host.contains(':') || host.ends_with(']'))
    });
    if has_port { address.to_owned() } else { format!("{address}:631") }
}

/// The local server's address: as it says itself, or else as its configuration says.
fn local_server(at: &At) -> Result<String, Failed> {
    let file = at.config.clone().or_else(super::serve::default_config);
    let config = match &file {
        Some(file) => Some(Config::load(file).map_err(|problems| join(&problems))?),
        None => None,
    };
    let state_dir =
        config.as_ref().map_or_else(default_state_dir, |config| config.server.state_dir.clone());
    let listeners = std::fs::read_to_string(state_dir.join("listeners.json")).ok();
    let said = listeners.and_then(|text| {
        let json: serde_json::Value = serde_json::from_str(&text).ok()?;
        Some(json.get("ipp")?.as_str()?.to_owned())
    });
    let configured =
        || config.and_then(|config| config.listen.ipp).filter(|address| address.port() != 0);
    Ok(said
        .or_else(|| configured().map(|address| address.to_string()))
        .unwrap_or_else(|| DEFAULT.to_owned()))
}

pub(crate) fn join(problems: &[crate::config::Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// A request's body: the IPP message, then files.
pub(crate) struct Upload {
    head: Option<Bytes>,
    parts: std::vec::IntoIter<Box<dyn Read>>,
    current: Option<Box<dyn Read>>,
    /// Length of all files, where it is known.
    length: Option<u64>,
    /// Called with how much was sent.
    sent: Option<Box<dyn FnMut(u64)>>,
    so_far: u64,
}

impl Upload {
    pub(crate) fn nothing() -> Self {
        Self::new(Vec::new(), Some(0))
    }

    /// These files one after the other.
    pub(crate) fn new(parts: Vec<Box<dyn Read>>, length: Option<u64>) -> Self {
        Self { head: None, parts: parts.into_iter(), current: None, length, sent: None, so_far: 0 }
    }

    /// Tells how much was sent.
    pub(crate) fn telling(mut self, sent: impl FnMut(u64) + 'static) -> Self {
        self.sent = Some(Box::new(sent));
        self
    }

    fn read(&mut self) -> std::io::Result<Option<Bytes>> {
        loop {
            let Some(current) = &mut self.current else {
                self.current = self.parts.next();
                if self.current.is_none() {
                    return Ok(None);
                }
                continue;
            };
            let mut buf = vec![0; IPP_GATHER_BYTES];
            let got = current.read(&mut buf)?;
            if got == 0 {
                self.current = None;
                continue;
            }
            buf.truncate(got);
            self.so_far = self.so_far.saturating_add(u64::try_from(got).unwrap_or(0));
            if let Some(sent) = &mut self.sent {
                sent(self.so_far);
            }
            return Ok(Some(buf.into()));
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let next = match self.head.take() {
            Some(head) => Ok(Some(head)),
            None => self.read(),
        };
        Poll::Ready(next.transpose().map(|piece| piece.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        let head = self.head.as_ref().map_or(0, |head| u64::try_from(head.len()).unwrap_or(0));
        match self.length {
            Some(length) if self.so_far == 0 => SizeHint::with_exact(head.saturating_add(length)),
            _ => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_name() {
        let accounts =
            "root:x:0:0:root:/root:/bin/bash\nbroken\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(account(accounts, 1000).as_deref(), Some("ann"));
        assert_eq!(account(accounts, 1), None);
    }

    #[test]
    fn addresses_with_and_without_a_port() {
        for (given, expected) in [
            ("printsrv", "printsrv:631"),
            ("printsrv:8631", "printsrv:8631"),
            ("[::1]:8631", "[::1]:8631"),
            ("[::1]", "[::1]:631"),
            ("ipp://printsrv:8631/printers/label", "printsrv:8631"),
            ("ipp://printsrv", "printsrv:631"),
        ] {
            assert_eq!(with_port(given), expected);
        }
    }
}
