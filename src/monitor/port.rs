//! PortMonitor: the sole owner of one port.
//!
//! The blocking work is done by the port's thread; this actor hands it orders, and hands what it tells to whoever it
//! concerns: the owner of the playing, the language monitors that listen to the device, and the provider.
//!
//! It is *not* where a document is kept: what is under way lives in the thread, so that this actor can be made anew in the
//! middle of a job and find the wire as it was.

mod lane;
mod stream;
mod thread;
mod upward;

use std::collections::HashMap;
use std::sync::Arc;

use actix::prelude::*;
use bytes::Bytes;
use despool_hw::{Line, PortFacts};
use despool_spool::Played;
use tokio::sync::oneshot;

use self::lane::{Begin, Order, PortEvent, Urgent};
pub use self::lane::{How, PortThread};
use super::{EndDocPort, FromMonitor, Outcome, PlayId, StartDocPort, WritePort};
use crate::error::{Error, Result};
use crate::follow::Follower;
use crate::piece::Piece;
use crate::provider::{LocalPrintProvider, Part, Reborn};
use crate::supervise::{Live, Obituary};

/// What a port tells those who listen to it.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct PortNews {
    /// The port, as [`despool_hw::DeviceUri::port_key`] names it.
    pub port: Arc<str>,
    /// What is new.
    pub news: News,
}

/// What is new at a port.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The device is there.
    Present {
        /// What kind of wire it is on.
        facts: PortFacts,
        /// Its IEEE 1284 device id, where the wire can carry one.
        device_id: Option<String>,
    },
    /// The device is not there.
    Absent {
        /// Why, for people.
        why: String,
    },
    /// The lines changed.
    Line(Line),
    /// The device sent bytes.
    Back {
        /// The bytes.
        bytes: Bytes,
        /// How many were dropped before them because nobody took them in time.
        dropped: u64,
    },
    /// The device takes nothing although bytes wait, or takes again.
    Stalled(bool),
}

/// From now on, tell me what is new.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Listen {
    /// Who listens; one of each name.
    pub name: Arc<str>,
    /// Where to tell.
    pub to: Recipient<PortNews>,
}

/// Nobody listens under this name any more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Unlisten {
    /// The name given to [`Listen`].
    pub name: Arc<str>,
}

/// Tell the provider what you know of the device: it is new.
#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
pub struct Retell;

/// Stops a playing at once, whatever the device does.
#[derive(Message, Clone, Copy)]
#[rtype(result = "Result<Option<Played>>")]
pub struct AbortDoc {
    /// The playing.
    pub play: PlayId,
    /// For good, or to go on later.
    pub how: How,
}

/// Bytes for the device between documents (status requests). Dropped where a job is on its way or nobody is connected.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Say {
    /// The bytes.
    pub bytes: Bytes,
}

/// See the module.
pub struct PortMonitor {
    key: Arc<str>,
    thread: Arc<PortThread>,
    provider: Live<LocalPrintProvider>,
    owner: Option<Owner>,
    aborting: HashMap<PlayId, Vec<oneshot::Sender<Option<Played>>>>,
    /// What a new listener must be told.
    presence: Option<News>,
    line: Option<Line>,
    obituary: Obituary,
}

/// Who a playing belongs to.
struct Owner {
    play: PlayId,
    to: Recipient<FromMonitor>,
    follower: Option<Follower>,
}

impl PortMonitor {
    /// The monitor of the port that `thread` owns. `key` names it in what it tells.
    pub fn new(
        key: Arc<str>,
        thread: Arc<PortThread>,
        provider: Live<LocalPrintProvider>,
        obituary: Obituary,
    ) -> Self {
        Self {
            key,
            thread,
            provider,
            owner: None,
            aborting: HashMap::new(),
            presence: None,
            line: None,
            obituary,
        }
    }

    /// What somebody new must be told.
    fn known(&self) -> Vec<News> {
        self.presence.clone().into_iter().chain(self.line.map(News::Line)).collect()
    }

    fn news(&self, news: News) -> PortNews {
        PortNews { port: self.key.clone(), news }
    }

    /// Tells the listeners everything, and the provider all but the device's own words.
    fn tell_all(&self, news: &News) {
        for to in self.thread.listeners().values() {
            to.do_send(self.news(news.clone()));
        }
        if !matches!(news, News::Back { .. }) {
            self.provider.tell(self.news(news.clone()));
        }
    }

    /// Tells the owner of a playing; the last word of a playing ends the ownership.
    fn tell_owner(&mut self, play: PlayId, outcome: Outcome) {
        let last = !matches!(outcome, Outcome::Room);
        if let Some(owner) = self.owner.as_ref().filter(|owner| owner.play == play) {
            owner.to.do_send(FromMonitor { play, outcome });
            if last {
                self.owner = None;
            }
        }
    }

    fn order(&mut self, play: PlayId, order: Order) {
        if !self.thread.order(order) {
            tracing::error!(port = %self.key, ?play, "the lane of the port is full; the playing is stopped");
            self.thread.urge(Urgent::Abort { play, how: How::Park });
            let why = "the lane of the port overflowed".to_owned();
            self.tell_owner(play, Outcome::Failed { played: Played::default(), why });
        }
    }

    fn aborted(&mut self, play: PlayId, played: Option<Played>) {
        self.owner.take_if(|owner| owner.play == play);
        for waiting in self.aborting.remove(&play).unwrap_or_default() {
            // Who asked may be gone.
            let _ = waiting.send(played);
        }
    }
}

impl Actor for PortMonitor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.thread.listen(ctx.address().recipient());
        if self.obituary.incarnation() > 0 {
            self.provider.tell(Reborn { part: Part::Port(self.key.clone()) });
        }
    }
}

impl Handler<StartDocPort> for PortMonitor {
    type Result = ();

    fn handle(&mut self, doc: StartDocPort, _: &mut Self::Context) {
        let StartDocPort { play, job, from, progress, follower, owner, .. } = doc;
        self.owner = Some(Owner { play, to: owner, follower });
        self.order(play, Order::Begin(Begin { play, job, from, progress }));
    }
}

impl Handler<WritePort> for PortMonitor {
    type Result = ();

    fn handle(&mut self, write: WritePort, _: &mut Self::Context) {
        let WritePort { play, piece } = write;
        self.order(play, Order::Write { play: Some(play), piece });
    }
}

impl Handler<EndDocPort> for PortMonitor {
    type Result = ();

    fn handle(&mut self, EndDocPort { play }: EndDocPort, _: &mut Self::Context) {
        self.order(play, Order::End(play));
    }
}

/// A playing was stopped: how. For the language monitor, which may have to bring the device to its senses.
#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
pub struct DocAborted {
    /// The playing.
    pub play: PlayId,
    /// For good, or to go on later.
    pub how: How,
}

impl Handler<DocAborted> for PortMonitor {
    type Result = ();

    /// The one who aborted it knows already.
    fn handle(&mut self, _: DocAborted, _: &mut Self::Context) {}
}

impl Handler<Say> for PortMonitor {
    type Result = ();

    fn handle(&mut self, Say { bytes }: Say, _: &mut Self::Context) {
        self.thread.order(Order::Write { play: None, piece: Piece::monitor(bytes) });
    }
}

impl Handler<AbortDoc> for PortMonitor {
    type Result = ResponseFuture<Result<Option<Played>>>;

    fn handle(&mut self, AbortDoc { play, how }: AbortDoc, _: &mut Self::Context) -> Self::Result {
        let (told, tell) = oneshot::channel();
        self.aborting.entry(play).or_default().push(told);
        if !self.thread.urge(Urgent::Abort { play, how }) {
            self.aborting.remove(&play);
        }
        Box::pin(async move { tell.await.map_err(|_| Error::Restarting) })
    }
}

impl Handler<Listen> for PortMonitor {
    type Result = ();

    fn handle(&mut self, listen: Listen, _: &mut Self::Context) {
        let Listen { name, to } = listen;
        for news in self.known() {
            to.do_send(self.news(news));
        }
        self.thread.listeners().insert(name, to);
    }
}

impl Handler<Retell> for PortMonitor {
    type Result = ();

    fn handle(&mut self, _: Retell, _: &mut Self::Context) {
        for news in self.known() {
            self.provider.tell(self.news(news));
        }
    }
}

impl Handler<Unlisten> for PortMonitor {
    type Result = ();

    fn handle(&mut self, Unlisten { name }: Unlisten, _: &mut Self::Context) {
        self.thread.listeners().remove(&name);
    }
}

impl Handler<PortEvent> for PortMonitor {
    type Result = ();

    fn handle(&mut self, event: PortEvent, _: &mut Self::Context) {
        match event {
            PortEvent::Room(play) => self.tell_owner(play, Outcome::Room),
            PortEvent::Ended { play, played } => self.tell_owner(play, Outcome::Ended(played)),
            PortEvent::Lost { play, cause, played, why } => {
                self.tell_owner(play, Outcome::Lost { cause, played, why });
            }
            PortEvent::Failed { play, played, why } => {
                self.tell_owner(play, Outcome::Failed { played, why });
            }
            PortEvent::Aborted { play, played } => self.aborted(play, played),
            PortEvent::Opened { facts, device_id } => self.be(News::Present { facts, device_id }),
            PortEvent::Absent { why } => self.be(News::Absent { why }),
            PortEvent::Line(line) => {
                self.line = Some(line);
                self.tell_all(&News::Line(line));
            }
            PortEvent::Back { bytes, dropped } => {
                if let Some(follower) =
                    self.owner.as_ref().and_then(|owner| owner.follower.as_ref())
                {
                    follower.back(&bytes);
                }
                self.tell_all(&News::Back { bytes, dropped });
            }
            PortEvent::Stalled(stalled) => self.tell_all(&News::Stalled(stalled)),
        }
    }
}

impl PortMonitor {
    fn be(&mut self, news: News) {
        if matches!(news, News::Absent { .. }) {
            self.line = None;
        }
        self.tell_all(&news);
        self.presence = Some(news);
    }
}

#[cfg(test)]
use crate::supervise::Crash;
#[cfg(test)]
crate::supervise::crashes!(PortMonitor);

/// Kills the port's thread. For tests of what survives.
#[cfg(test)]
#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
pub(crate) struct CrashThread;

#[cfg(test)]
impl Handler<CrashThread> for PortMonitor {
    type Result = ();

    fn handle(&mut self, _: CrashThread, _: &mut Self::Context) {
        self.thread.urge(Urgent::Crash);
    }
}

/// Lets the port's thread hang as in a bad driver, until the other end is dropped.
#[cfg(test)]
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub(crate) struct HangThread(pub(crate) crossbeam_channel::Receiver<std::convert::Infallible>);

#[cfg(test)]
impl Handler<HangThread> for PortMonitor {
    type Result = ();

    fn handle(&mut self, HangThread(until): HangThread, _: &mut Self::Context) {
        self.thread.urge(Urgent::Hang(until));
    }
}

#[cfg(test)]
mod tests;
