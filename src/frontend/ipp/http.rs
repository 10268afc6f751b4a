//! The HTTP edge: hyper in, IPP messages and document bytes out.
//!
//! hyper answers `Expect: 100-continue` by itself when the body is first asked for, that is after nothing but the headers
//! were looked at. The IPP message is decoded as it arrives; what follows it is the document, which the operation takes
//! piece by piece.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HOST};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::printer::Here;
use super::reply::Failure;
use super::service::{Caller, Service};
use super::wire::{Decoder, Limits, Message, Progress, Status, encode};
use crate::error::{Error, Result};
use crate::limits::{
    HTTP_HEADER_WAIT, HTTP_LINGER, HTTP_LINGER_BYTES, IPP_DRAIN_BYTES, IPP_DRAIN_WAIT,
    IPP_GATHER_BYTES,
};

const IPP: &str = "application/ipp";

/// Serves one connection until it ends.
pub(super) async fn serve(stream: TcpStream, peer: SocketAddr, service: Arc<Service>) {
    let _ = stream.set_nodelay(true);
    let Ok(local) = stream.local_addr() else { return };
    let answer = service_fn(move |request| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(answer(&service, request, peer, local).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HTTP_HEADER_WAIT).half_close(true);
    match http.serve_connection(TokioIo::new(stream), answer).without_shutdown().await {
        Ok(parts) => linger(parts.io.into_inner()).await,
        Err(error) => tracing::debug!(%peer, %error, "an HTTP connection ended early"),
    }
}

/// Closes a connection whose client may still be sending: closed at once, it would be reset, and with it an answer that
/// the client has not read yet.
async fn linger(mut stream: TcpStream) {
    let mut unwanted = vec![0; HTTP_LINGER_BYTES];
    let rest = async {
        let _ = stream.shutdown().await;
        while stream.read(&mut unwanted).await.is_ok_and(|bytes| bytes > 0) {}
    };
    let _ = timeout(HTTP_LINGER, rest).await;
}

async fn answer(
    service: &Service,
    request: Request<Incoming>,
    peer: SocketAddr,
    local: SocketAddr,
) -> Response<Full<Bytes>> {
    if request.method() != Method::POST {
        let mut refusal = plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "This is an IPP server: POST application/ipp to it.\n",
        );
        refusal.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("POST"));
        return refusal;
    }
    let kind =
        request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(IPP) {
        return plain(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "This is an IPP server: POST application/ipp to it.\n",
        );
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let caller = Caller { peer, here: Here::new(host, local) };
    let mut document = Document::new(request.into_body(), service.idle);
    let response = match document.message().await {
        Ok(message) => service.serve(&message, &caller, &mut document).await,
        Err(refused) => refused,
    };
    document.drain().await;
    match encode(&response) {
        Ok(octets) => {
            let mut answer = Response::new(Full::new(octets.into()));
            answer.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(IPP));
            answer
        }
        Err(error) => {
            tracing::error!(%error, "an answer cannot be said in IPP");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "The answer cannot be said in IPP.\n")
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}

/// The body of a request: first the IPP message, then the document.
pub(super) struct Document {
    body: Incoming,
    /// What came with the end of the message.
    first: Bytes,
    /// Length of the document, where the client said it.
    expected_bytes: Option<u64>,
    /// How long the client may be silent.
    idle: Duration,
}

impl Document {
    fn new(body: Incoming, idle: Duration) -> Self {
        let expected_bytes = body.size_hint().exact();
        Self { body, first: Bytes::new(), expected_bytes, idle }
    }

    /// Length of the document, where the client said it.
    pub(super) fn expected_bytes(&self) -> Option<u64> {
        self.expected_bytes
    }

    /// The IPP message; what to answer where there is none.
    async fn message(&mut self) -> std::result::Result<Message, Message> {
        let mut decoder = Decoder::new(Limits::default());
        loop {
            let piece = match self.frame().await {
                Ok(Some(piece)) => piece,
                Ok(None) => {
                    return Err(refused(
                        &decoder,
                        &decoder.truncated().to_string(),
                        Status::BadRequest,
                    ));
                }
                Err(error) => return Err(refused(&decoder, &error.to_string(), Status::Timeout)),
            };
            match decoder.feed(&piece) {
                Ok(Progress::NeedMore) => self.passed(piece.len()),
                Ok(Progress::Done(decoded)) => {
                    self.passed(decoded.consumed);
                    self.first = piece.slice(decoded.consumed.min(piece.len())..);
                    return Ok(decoded.message);
                }
                Err(error) => return Err(refused(&decoder, &error.to_string(), error.status())),
            }
        }
    }

    /// Takes what is left of a document that nobody wanted, within bounds: then the connection goes on.
    async fn drain(&mut self) {
        let mut left = IPP_DRAIN_BYTES;
        let drained = async {
            while let Ok(Some(piece)) = self.frame().await {
                left = left.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                if left == 0 {
                    break;
                }
            }
        };
        let _ = timeout(IPP_DRAIN_WAIT, drained).await;
    }

    fn passed(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.expected_bytes = self.expected_bytes.map(|expected| expected.saturating_sub(bytes));
    }

    /// The next bytes of the document, as many as are there (so that the spool is not fed in crumbs); `None` at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        let first = std::mem::take(&mut self.first);
        let first = if first.is_empty() { self.frame().await? } else { Some(first) };
        let Some(first) = first else { return Ok(None) };
        let mut gathered = BytesMut::new();
        while first.len().saturating_add(gathered.len()) < IPP_GATHER_BYTES {
            match self.at_hand().await? {
                Some(more) => gathered.extend_from_slice(&more),
                None => break,
            }
        }
        if gathered.is_empty() {
            return Ok(Some(first));
        }
        let mut all = BytesMut::with_capacity(first.len().saturating_add(gathered.len()));
        all.extend_from_slice(&first);
        all.extend_from_slice(&gathered);
        Ok(Some(all.freeze()))
    }

    /// The next piece of the body; `None` at its end.
    async fn frame(&mut self) -> Result<Option<Bytes>> {
        loop {
            let next =
                timeout(self.idle, poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx))).await;
            match next {
                Err(_) => {
                    let why = format!("the client was silent for {} s", self.idle.as_secs());
                    return Err(Error::BrokenOff { why });
                }
                Ok(None) => return Ok(None),
                Ok(Some(frame)) => {
                    if let Ok(data) = frame.map_err(broken_off)?.into_data()
                        && !data.is_empty()
                    {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// The next piece, if it is there already.
    async fn at_hand(&mut self) -> Result<Option<Bytes>> {
        let frame = poll_fn(|cx| match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => Poll::Ready(frame),
            Poll::Pending => Poll::Ready(None),
        });
        match frame.await {
            None => Ok(None),
            Some(frame) => Ok(frame.map_err(broken_off)?.into_data().ok()),
        }
    }
}

fn broken_off(error: hyper::Error) -> Error {
    Error::BrokenOff { why: format!("the client broke the connection ({error})") }
}

/// The answer to what is not a whole message: with its version and request-id, as far as those were read.
fn refused(decoder: &Decoder, sentence: &str, status: Status) -> Message {
    let header =
        decoder.header().unwrap_or(super::wire::Header { version: (1, 1), code: 0, request_id: 1 });
    Failure::new(status, sentence).response(header)
}
