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
//! The invariant: a question is open exactly as long as its cause is there and nobody has answered.

mod asking;
mod balloon;
mod configuration;
mod json;
mod notifications;
mod question;
pub mod types;

use std::collections::{HashMap, VecDeque};
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
use crate::event::{Event, PortEvent, What};
use crate::limits::{NOTIFY_PAYLOAD_BYTES, REMEMBERED_JOBS};
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

/// See the module.
pub struct Sources {
    links: Links,
    ask_again: Duration,
    told: HashMap<JobId, Told>,
    /// Those of `told` that have ended, oldest first.
    ended: VecDeque<JobId>,
    configurations: HashMap<Arc<str>, configuration::Known>,
    questions: HashMap<JobId, Question>,
    last_question: u64,
    _obituary: Obituary,
}

/// Something has changed that no event tells: look at all jobs.
#[derive(Message)]
#[rtype(result = "()")]
struct LookAgain;

impl Sources {
    pub(crate) fn new(links: Links, ask_again: Duration, obituary: Obituary) -> Self {
        Self {
            links,
            ask_again,
            told: HashMap::new(),
            ended: VecDeque::new(),
            configurations: HashMap::new(),
            questions: HashMap::new(),
            last_question: 0,
            _obituary: obituary,
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
        ctx.spawn(jobs.into_actor(self).map(|jobs, this, _| match jobs {
            Ok(jobs) => {
                for job in jobs {
                    if !this.told.contains_key(&job.shadow.id) {
                        this.remember(&job);
                    }
                    this.consider(&job);
                }
            }
            Err(error) => tracing::error!(%error, "the jobs could not be looked at for questions"),
        }));
    }

    fn job(&mut self, event: &Event, view: &JobView) {
        let objects = with_server(&view.shadow.ticket.printer);
        self.publish(&objects, types::JOB, &Audience::AllUsers, &json::job(event, view));
        if let Some(balloon) = balloon::about(self.told.get(&view.shadow.id), view) {
            self.publish(&objects, types::ASYNCUI, &self.owner(view), &balloon.encode());
        }
        self.remember(view);
        self.consider(view);
    }

    fn remember(&mut self, view: &JobView) {
        let id = view.shadow.id;
        let before = self.told.insert(id, Told::of(view));
        let had_ended = before.is_some_and(|told| told.state.has_ended());
        if view.state.has_ended() && !had_ended {
            self.ended.push_back(id);
            if self.ended.len() > REMEMBERED_JOBS
                && let Some(oldest) = self.ended.pop_front()
                && oldest != id
            {
                self.told.remove(&oldest);
            }
        }
    }

    fn printer(&mut self, event: &Event, view: &PrinterView) {
        let objects = with_server(&view.config.name);
        self.publish(&objects, types::PRINTER, &Audience::AllUsers, &json::printer(event, view));
        let known = self.configurations.entry(view.config.name.clone()).or_default();
        if let Some(changes) = configuration::news(known, view) {
            let payload = changes.encode(NOTIFY_PAYLOAD_BYTES);
            for guid in [types::PRINTER_CONFIGURATION, types::PRINTER_CONFIGURATION_AS_PRINTED] {
                self.publish(&objects, guid, &Audience::AllUsers, &payload);
            }
        }
    }

    fn port(&self, event: &Event, port: &PortEvent) {
        let printers = port.printers.iter().map(|name| Object::printer(name));
        let objects: Vec<Object> = printers.chain([Object::Server]).collect();
        self.publish(&objects, types::PORT, &Audience::AllUsers, &json::port(event, port));
    }

    /// Sends to everybody who listens now. Nobody has to.
    fn publish(
        &self,
        objects: &[Object],
        notification_type: NotificationType,
        audience: &Audience,
        payload: &Bytes,
    ) {
        for object in objects {
            let style = Style::Unidirectional;
            let topic = Topic { object: object.clone(), notification_type, style };
            let sent = self
                .links
                .broker
                .open(topic, audience.clone(), |_| {})
                .and_then(|channel| channel.send(payload.clone()));
            match sent {
                Ok(sent) => tracing::trace!(?object, %notification_type, ?sent, "notification"),
                // A printer that is just being removed, or the end of the server.
                Err(Refusal::NoSuchObject | Refusal::ShuttingDown) => {}
                Err(error) => {
                    tracing::warn!(?object, %notification_type, %error, "a notification was lost");
                }
            }
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

impl Handler<Event> for Sources {
    type Result = ();

    fn handle(&mut self, event: Event, _: &mut Self::Context) {
        match &event.what {
            What::Job(view) => self.job(&event, view),
            What::Printer(view) => self.printer(&event, view),
            What::Port(port) => self.port(&event, port),
        }
    }
}

impl Handler<LookAgain> for Sources {
    type Result = ();

    fn handle(&mut self, _: LookAgain, ctx: &mut Self::Context) {
        self.look(ctx);
    }
}

#[cfg(test)]
use crate::supervise::Crash;
#[cfg(test)]
crate::supervise::crashes!(Sources);
#[cfg(test)]
mod tests;
