//! AppSocket (JetDirect, port 9100): a connection is a job.
//!
//! ```text
//!   connect ──► first bytes: StartDocPrinter ──► bytes … ──► end of stream: accepted ──► close
//!                    │                             │ ▲ back channel
//!                    └─ refused: reset             ├─ silence: held or aborted, never complete
//!                                                  └─ reset: aborted, nothing is printed (again)
//! ```
//!
//! The protocol has no words for an error. So acceptance is an orderly close, and a refusal is a reset: a sender that
//! looks at how its connection ended knows.
//!
//! While a job is at the device, what the device sends goes to the job's sender.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use despool_spool::Ticket;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use super::listen::Serve;
use crate::config::{Idle, PrinterConfig};
use crate::error::{Error, Result};
use crate::follow::{Following, follow};
use crate::limits::{APPSOCKET_LINGER, APPSOCKET_READ_BYTES, APPSOCKET_WRITE};
use crate::provider::{JobState, Printer, StartDocPrinter};
use crate::router::Router;
use crate::submission::Submission;
use crate::supervise::Live;

/// Serves connections for the printer of this name.
pub fn serve(router: Live<Router>, printer: Arc<str>) -> Serve {
    Arc::new(move |stream, peer| {
        let (router, printer) = (router.clone(), printer.clone());
        Box::pin(connect(router, printer, stream, peer))
    })
}

/// Serves one connection as the printer is configured now: a reload does not close the listener.
async fn connect(router: Live<Router>, printer: Arc<str>, stream: TcpStream, peer: SocketAddr) {
    let named = Printer { name: printer.to_string() };
    match router.ask(named).await.and_then(|known| known) {
        Ok(view) => {
            let printer = view.config.clone();
            Connection { router, printer, peer }.run(stream).await;
        }
        Err(error) => {
            tracing::warn!(%printer, %peer, %error, "a raw connection was refused");
            let _ = stream.set_zero_linger();
        }
    }
}

struct Connection {
    router: Live<Router>,
    printer: Arc<PrinterConfig>,
    peer: SocketAddr,
}

/// How a sender ended.
enum Ending {
    /// It said that this is all.
    Whole,
    /// It fell silent.
    Silent,
}

/// The sender's end of the connection.
struct Line {
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    buffer: BytesMut,
}

impl Connection {
    async fn run(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let (read, write) = stream.into_split();
        let mut line = Line { read, write, buffer: BytesMut::new() };
        if let Err(error) = self.receive(&mut line).await {
            tracing::warn!(printer = %self.printer.name, peer = %self.peer, %error, "a raw job was refused");
            line.reset();
        }
    }

    async fn receive(&self, line: &mut Line) -> Result<()> {
        let Ok(first) = timeout(self.printer.idle_timeout, line.read()).await else {
            return Ok(());
        };
        let Some(first) = first? else { return Ok(()) };
        let (mut submission, mut following) = self.begin().await?;
        let taken = submission.append(first).await;
        let ending = match taken {
            Ok(()) => self.pass_on(line, &mut submission, &mut following).await,
            Err(error) => Err(error),
        };
        match ending {
            Ok(Ending::Whole) => {
                submission.finish().await?;
                line.linger(following).await;
                Ok(())
            }
            Ok(Ending::Silent) => self.silence(submission).await,
            Err(error) => {
                submission.abort(&error.to_string()).await;
                Err(error)
            }
        }
    }

    async fn begin(&self) -> Result<(Submission, Following)> {
        let mut ticket = Ticket::new(self.printer.name.clone());
        ticket.title = format!("raw job from {}", self.peer.ip()).into();
        ticket.user = "anonymous".into();
        ticket.host = format!("socket://{}", self.peer).into();
        ticket.datatype = "".into();
        let (follower, following) = follow();
        let start = StartDocPrinter {
            ticket,
            expected_bytes: None,
            announce: false,
            follower: Some(follower),
        };
        let submission = self.router.ask(start).await??;
        Ok((submission, following))
    }

    /// Bytes from the sender to the job, words from the device to the sender.
    async fn pass_on(
        &self,
        line: &mut Line,
        submission: &mut Submission,
        following: &mut Following,
    ) -> Result<Ending> {
        loop {
            tokio::select! {
                next = timeout(self.printer.idle_timeout, read_some(&mut line.read, &mut line.buffer)) => {
                    match next {
                        Err(_) => return Ok(Ending::Silent),
                        Ok(next) => match next? {
                            Some(bytes) => submission.append(bytes).await?,
                            None => return Ok(Ending::Whole),
                        },
                    }
                }
                Some(bytes) = following.back.recv() => answer(&mut line.write, &bytes).await?,
            }
        }
    }

    /// Silence is not an end: what came is held for a person, or thrown away.
    async fn silence(&self, submission: Submission) -> Result<()> {
        let why = format!("the sender was silent for {} s", self.printer.idle_timeout.as_secs());
        match self.printer.idle {
            Idle::Hold => {
                let job = submission.finish_held(&why).await?;
                tracing::warn!(printer = %self.printer.name, %job, why, "what came is held");
            }
            Idle::Abort => submission.abort(&why).await,
        }
        Err(Error::BrokenOff { why })
    }
}

impl Line {
    async fn read(&mut self) -> Result<Option<Bytes>> {
        read_some(&mut self.read, &mut self.buffer).await
    }

    /// Keeps the sender of an accepted job on the line as long as the device may have something to tell it: while the job
    /// is there, and a moment for it to get there.
    async fn linger(&mut self, mut following: Following) {
        loop {
            let at_device = *following.state.borrow() == Some(JobState::Processing);
            let patience = if at_device { Duration::MAX } else { APPSOCKET_LINGER };
            tokio::select! {
                bytes = following.back.recv() => match bytes {
                    Some(bytes) if answer(&mut self.write, &bytes).await.is_ok() => {}
                    _ => break,
                },
                changed = following.state.changed() => if changed.is_err() { break },
                () = tokio::time::sleep(patience) => break,
            }
            if following.state.borrow().is_some_and(JobState::has_ended) {
                while let Ok(bytes) = following.back.try_recv() {
                    let _ = answer(&mut self.write, &bytes).await;
                }
                break;
            }
        }
        let _ = self.write.shutdown().await;
    }

    /// Ends a connection so that the sender knows its job was not accepted.
    fn reset(self) {
        if let Ok(stream) = self.read.reunite(self.write) {
            let _ = stream.set_zero_linger();
        }
    }
}

/// The next bytes, as many as there are; `None` at the end of the stream.
async fn read_some(read: &mut OwnedReadHalf, buffer: &mut BytesMut) -> Result<Option<Bytes>> {
    buffer.reserve(APPSOCKET_READ_BYTES);
    match read.read_buf(buffer).await {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(buffer.split().freeze())),
        Err(error) => {
            Err(Error::BrokenOff { why: format!("the sender broke the connection ({error})") })
        }
    }
}

/// Passes the device's words on. A sender that does not listen is no reason to stop its job.
async fn answer(write: &mut OwnedWriteHalf, bytes: &Bytes) -> Result<()> {
    match timeout(APPSOCKET_WRITE, write.write_all(bytes)).await {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::BrokenOff {
            why: "the sender does not take what the device says".to_owned(),
        }),
    }
}
