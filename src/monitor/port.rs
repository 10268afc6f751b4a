//! PortMonitor: the sole owner of one port.
//!
//! The blocking work is done by the port's thread; this actor hands it orders, and hands what it tells to whoever it
//! concerns: the owner of the playing, the language monitors that listen to the device, and the provider.
//!
//! It is *not* where a document is kept: what is under way lives in the thread, so that this actor can be made anew in the
//! middle of a job and find the wire as it was.

mod lane;
mod messages;
mod stream;
mod thread;
mod upward;

use std::collections::HashMap;
use std::sync::Arc;

use actix::prelude::*;
use despool_hw::Line;
use despool_spool::Played;
use tokio::sync::oneshot;

use self::lane::{Begin, Order, PortEvent, Urgent};
pub use self::lane::{How, PortThread, Stopped};
pub use self::messages::{
    AbortDoc, DocAborted, Interject, Listen, News, PortNews, Retell, Say, Unlisten,
};
use super::{EndDocPort, FromMonitor, Outcome, PlayId, StartDocPort, WritePort};
use crate::error::{Error, Result};
use crate::follow::Follower;
use crate::piece::Piece;
use crate::provider::{LocalPrintProvider, Part, Reborn};
use crate::supervise::{Live, Obituary};

/// See the module.
pub struct PortMonitor {
    key: Arc<str>,
    thread: Arc<PortThread>,
    provider: Live<LocalPrintProvider>,
    owner: Option<Owner>,
    aborting: HashMap<PlayId, Vec<oneshot::Sender<Option<Stopped>>>>,
    /// What a new listener must be told.
    presence: Option<News>,
    line: Option<Line>,
    /// The thread will be woken.
    rings: bool,
    obituary: Obituary,
}

/// Wake the thread, once for all that was ordered in this turn: a short document comes together with its end.
#[derive(Message)]
#[rtype(result = "()")]
struct Ring;

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
            rings: false,
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

    /// Tells the listeners everything; the provider too, but of the device's own words only those that nobody takes or
    /// that were too many.
    fn tell_all(&self, news: &News) {
        let listeners = self.thread.listeners();
        for to in listeners.values() {
            to.do_send(self.news(news.clone()));
        }
        let taken = matches!(news, News::Back { dropped: 0, .. }) && !listeners.is_empty();
        if !taken {
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

    fn ring(&mut self, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.rings, true) {
            ctx.notify(Ring);
        }
    }

    fn order(&mut self, play: PlayId, order: Order, ctx: &mut Context<Self>) {
        self.ring(ctx);
        if !self.thread.order(order) {
            tracing::error!(port = %self.key, ?play, "the lane of the port is full; the playing is stopped");
            self.thread.urge(Urgent::Abort { play, how: How::Park });
            let why = "the lane of the port overflowed".to_owned();
            self.tell_owner(play, Outcome::Failed { played: Played::default(), why });
        }
    }

    fn aborted(&mut self, play: PlayId, stopped: Option<Stopped>) {
        self.owner.take_if(|owner| owner.play == play);
        for waiting in self.aborting.remove(&play).unwrap_or_default() {
            // Who asked may be gone.
            let _ = waiting.send(stopped);
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

    fn handle(&mut self, doc: StartDocPort, ctx: &mut Self::Context) {
        let StartDocPort { play, job, from, progress, follower, owner, .. } = doc;
        self.owner = Some(Owner { play, to: owner, follower });
        self.order(play, Order::Begin(Begin { play, job, from, progress }), ctx);
    }
}

impl Handler<WritePort> for PortMonitor {
    type Result = ();

    fn handle(&mut self, write: WritePort, ctx: &mut Self::Context) {
        let WritePort { play, piece } = write;
        self.order(play, Order::Write { play: Some(play), piece }, ctx);
    }
}

impl Handler<EndDocPort> for PortMonitor {
    type Result = ();

    fn handle(&mut self, EndDocPort { play }: EndDocPort, ctx: &mut Self::Context) {
        self.order(play, Order::End(play), ctx);
    }
}

impl Handler<DocAborted> for PortMonitor {
    type Result = ();

    /// The one who aborted it knows already.
    fn handle(&mut self, _: DocAborted, _: &mut Self::Context) {}
}

impl Handler<Say> for PortMonitor {
    type Result = ();

    fn handle(&mut self, Say { bytes }: Say, ctx: &mut Self::Context) {
        self.thread.order(Order::Write { play: None, piece: Piece::monitor(bytes) });
        self.ring(ctx);
    }
}

impl Handler<Interject> for PortMonitor {
    type Result = ();

    fn handle(&mut self, Interject { play, at, bytes }: Interject, ctx: &mut Self::Context) {
        self.thread.order(Order::Aside { play, at, piece: Piece::monitor(bytes) });
        self.ring(ctx);
    }
}

impl Handler<Ring> for PortMonitor {
    type Result = ();

    fn handle(&mut self, Ring: Ring, _: &mut Self::Context) {
        self.rings = false;
        self.thread.ring();
    }
}

impl Handler<AbortDoc> for PortMonitor {
    type Result = ResponseFuture<Result<Option<Stopped>>>;

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
            PortEvent::Aborted { play, stopped } => self.aborted(play, stopped),
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
