//! Sources: what happens to jobs, printers and ports, published as notifications; and questions, whose answers are carried
//! out.
//!
//! Not here: who listens and how it reaches them (`notify`), and how payloads look on the wire (`asyncui`, `bidi`).
//!
//! ```text
//!   provider ── Event ──► Sources ── open, send, close ──► Broker ──► whoever has registered
//!      ▲                     ▲                                │
//!      └── ControlJob ───────┴──── Heard ◄── the answer ◄─────┘
//! ```
//!
//! | type | object | for | when |
//! | --- | --- | --- | --- |
//! | `job` | the printer, and the server | everybody | each event of a job |
//! | `printer` | the printer, and the server | everybody | its state, reasons or message changed |
//! | `port` | each printer on it, and the server | everybody | a device came or went, its lines changed |
//! | `printer-configuration` (both GUIDs) | the printer, and the server | everybody | a value changed |
//! | `asyncui`, unidirectional: balloons | the printer, and the server | the job's owner | it was printed, failed, was canceled, waits for the device, was held after a crash |
//! | `asyncui`, bidirectional: message boxes | the printer, and the server | the job's owner | a person can decide ([`crate::config::Ask`]) |
//!
//! Registrations match objects exactly ([`crate::notify::Topic`]); each event therefore goes out twice, as two channels:
//! who registers for the server sees all of it. A question stands on both, too: the answer that is handled first holds,
//! and withdraws the other.
//!
//! Events come through a bounded queue ([`crate::event::Events`]), at most [`QUESTIONS`] are asked
//! at a time, and a registration holds a bounded number of notifications: whatever happens, and however much, memory does
//! not grow with it. What a listener misses shows as a gap in `seq`.
//!
//! The invariant: a question is open exactly as long as its cause is there, nobody has answered, and there is room for it.

mod asking;
mod balloon;
mod configuration;
mod json;
mod notifications;
mod question;
pub mod types;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use bytes::Bytes;
use despool_spool::JobId;
use tokio::sync::watch;

use self::balloon::Told;
pub use self::notifications::Notifications;
use self::question::Question;
use crate::accounts::name;
use crate::config::Config;
use crate::event::{Event, Events, PortEvent, Taken, What};
use crate::limits::{ASK_AGAIN, EVENTS_PACE, NOTIFY_PAYLOAD_BYTES, QUESTIONS, REMEMBERED_JOBS};
use crate::notify::{Audience, Broker, NotificationType, Object, Refusal, Style, Topic};
use crate::provider::{JobView, Jobs, PrinterView, Subscribe, Which};
use crate::router::Router;
use crate::supervise::{Live, Obituary};

/// Whom the sources know.
pub(crate) struct Links {
    pub(crate) broker: Broker,
    pub(crate) router: Live<Router>,
    pub(crate) config: watch::Receiver<Arc<Config>>,
    pub(crate) myself: Live<Sources>,
}

/// How questions are asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking {
    /// So many at a time.
    pub(crate) most: usize,
    /// Again, when an answer has not removed the cause after this long.
    pub(crate) again: Duration,
}

impl Default for Asking {
    fn default() -> Self {
        Self { most: QUESTIONS, again: ASK_AGAIN }
    }
}

/// See the module.
pub struct Sources {
    links: Links,
    asking: Asking,
    told: HashMap<JobId, Told>,
    /// Those of `told` that have ended, oldest first.
    ended: VecDeque<JobId>,
    configurations: HashMap<Arc<str>, configuration::Known>,
    questions: HashMap<JobId, Question>,
    /// Jobs whose questions wait because there are so many others.
    unasked: BTreeMap<JobId, JobView>,
    last_question: u64,
    /// More may have happened, and is looked at after the rest.
    resting: Option<Events>,
    _obituary: Obituary,
}

/// Publish what has happened, without resting.
#[derive(Message)]
#[rtype(result = "()")]
struct Finish;

/// Something has changed that no event tells: look at all jobs.
#[derive(Message)]
#[rtype(result = "()")]
struct LookAgain;

impl Sources {
    pub(crate) fn new(links: Links, asking: Asking, obituary: Obituary) -> Self {
        Self {
            links,
            asking,
            told: HashMap::new(),
            ended: VecDeque::new(),
            configurations: HashMap::new(),
            questions: HashMap::new(),
            unasked: BTreeMap::new(),
            last_question: 0,
            resting: None,
            _obituary: obituary,
        }
    }

    fn take_in(&mut self, Taken { events, lost }: Taken, ctx: &mut Context<Self>) {
        for event in events {
            match &event.what {
                What::Job(view) => self.job(&event, view, ctx),
                What::Printer(view) => self.printer(&event, view),
                What::Port(port) => self.port(&event, port),
            }
        }
        if lost > 0 {
            tracing::warn!(lost, "more happened than could be published");
            self.look(ctx);
        }
    }

    /// Looks at all jobs: what is the case already is not told as news, but it may be something to ask about.
    fn look(&self, ctx: &mut Context<Self>) {
        let router = self.links.router.clone();
        let jobs = async move {
            let ended =
                Jobs { which: Which::Completed, limit: Some(REMEMBERED_JOBS), ..Jobs::default() };
            let mut jobs = router.ask(Jobs::default()).await.and_then(|jobs| jobs)?;
            jobs.extend(router.ask(ended).await.and_then(|jobs| jobs)?);
            Ok::<_, crate::Error>(jobs)
        };
        ctx.spawn(jobs.into_actor(self).map(|jobs, this, ctx| match jobs {
            Ok(jobs) => {
                for job in jobs {
                    if !this.told.contains_key(&job.shadow.id) {
                        this.remember(&job);
                    }
                    this.consider(&job, ctx);
                }
            }
            Err(error) => tracing::error!(%error, "the jobs could not be looked at for questions"),
        }));
    }

    fn job(&mut self, event: &Event, view: &JobView, ctx: &mut Context<Self>) {
        let about = balloon::about(self.told.get(&view.shadow.id), view);
        // Who hears how a job is finds no question any more that does not fit it.
        self.remember(view);
        self.consider(view, ctx);
        if !self.links.broker.has_registrations() {
            return;
        }
        let objects = with_server(&view.shadow.ticket.printer);
        self.publish(&objects, types::JOB, || (Audience::AllUsers, json::job(event, view)));
        if let Some(about) = about {
            let balloon = || (self.owner(view), about.balloon(view).encode());
            self.publish(&objects, types::ASYNCUI, balloon);
        }
    }

    fn remember(&mut self, view: &JobView) {
        let id = view.shadow.id;
        let before = self.told.insert(id, Told::of(view));
        let had_ended = before.is_some_and(|told| told.state.has_ended());
        if view.state.has_ended() && !had_ended {
            self.ended.push_back(id);
            if self.ended.len() > REMEMBERED_JOBS
                && let Some(oldest) = self.ended.pop_front()
                && self.told.get(&oldest).is_some_and(|told| oldest != id && told.state.has_ended())
            {
                self.told.remove(&oldest);
            }
        }
    }

    fn printer(&mut self, event: &Event, view: &PrinterView) {
        let objects = with_server(&view.config.name);
        self.publish(&objects, types::PRINTER, || (Audience::AllUsers, json::printer(event, view)));
        let known = self.configurations.entry(view.config.name.clone()).or_default();
        if let Some(changes) = configuration::news(known, view) {
            for guid in [types::PRINTER_CONFIGURATION, types::PRINTER_CONFIGURATION_AS_PRINTED] {
                let payload = || changes.encode(NOTIFY_PAYLOAD_BYTES);
                self.publish(&objects, guid, || (Audience::AllUsers, payload()));
            }
        }
    }

    fn port(&self, event: &Event, port: &PortEvent) {
        let printers = port.printers.iter().map(|name| Object::printer(name));
        let objects: Vec<Object> = printers.chain([Object::Server]).collect();
        self.publish(&objects, types::PORT, || (Audience::AllUsers, json::port(event, port)));
    }

    /// Sends to everybody who listens now. Nobody has to; then nothing is made either, for events come at the pace of jobs.
    fn publish(
        &self,
        objects: &[Object],
        notification_type: NotificationType,
        make: impl FnOnce() -> (Audience, Bytes),
    ) {
        let topic = |object: &Object| Topic {
            object: object.clone(),
            notification_type,
            style: Style::Unidirectional,
        };
        let mut topics =
            objects.iter().map(topic).filter(|topic| self.links.broker.is_listened_to(topic));
        let Some(first) = topics.next() else { return };
        let (audience, payload) = make();
        for topic in [first].into_iter().chain(topics) {
            self.send(topic, audience.clone(), payload.clone());
        }
    }

    fn send(&self, topic: Topic, audience: Audience, payload: Bytes) {
        let (object, of) = (topic.object.clone(), topic.notification_type);
        let channel = self.links.broker.open(topic, audience, |_| {});
        match channel.and_then(|channel| channel.send(payload)) {
            Ok(sent) => tracing::trace!(?object, %of, ?sent, "notification"),
            // A printer that is just being removed, or the end of the server.
            Err(Refusal::NoSuchObject | Refusal::ShuttingDown) => {}
            Err(error) => tracing::warn!(?object, %of, %error, "a notification was lost"),
        }
    }

    /// Whom notifications about a job are for: the account that has its user's name.
    fn owner(&self, view: &JobView) -> Audience {
        let domain = self.links.config.borrow().security.domain.clone();
        Audience::User(account_of(&view.shadow.ticket.user, &domain).into())
    }
}

/// The objects of an event of a printer.
fn with_server(printer: &str) -> [Object; 2] {
    [Object::printer(printer), Object::Server]
}

/// The id of the identity that a job's user name means. A name that brings its domain keeps it.
fn account_of(user: &str, domain: &str) -> String {
    let (domain, user) = user.split_once('\\').unwrap_or((domain, user));
    format!("{}\\{}", name::canonical(domain), name::canonical(user))
}

impl Actor for Sources {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (router, to) = (self.links.router.clone(), ctx.address().recipient());
        let subscribed = async move { router.ask(Subscribe { to }).await };
        ctx.spawn(subscribed.into_actor(self).map(|subscribed, this, ctx| {
            if let Err(error) = subscribed {
                // Supervision makes another, which tries again.
                tracing::error!(%error, "the sources hear nothing of jobs and printers");
                ctx.stop();
            }
            this.look(ctx);
        }));
    }
}

impl Handler<Events> for Sources {
    type Result = ();

    fn handle(&mut self, events: Events, ctx: &mut Self::Context) {
        if let Some(taken) = events.take() {
            self.take_in(taken, ctx);
            ctx.notify_later(events.clone(), EVENTS_PACE);
            self.resting = Some(events);
        } else {
            self.resting = None;
        }
    }
}

impl Handler<Finish> for Sources {
    type Result = ();

    fn handle(&mut self, _: Finish, ctx: &mut Self::Context) {
        let resting = self.resting.take();
        for taken in std::iter::from_fn(|| resting.as_ref()?.take()) {
            self.take_in(taken, ctx);
        }
    }
}

impl Handler<LookAgain> for Sources {
    type Result = ();

    fn handle(&mut self, _: LookAgain, ctx: &mut Self::Context) {
        let config = self.links.config.borrow().clone();
        self.configurations.retain(|name, _| config.printer(name).is_some());
        self.look(ctx);
    }
}

#[cfg(test)]
use crate::supervise::Crash;
#[cfg(test)]
crate::supervise::crashes!(Sources);
#[cfg(test)]
mod tests;
