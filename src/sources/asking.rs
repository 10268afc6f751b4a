//! Questions: opened, withdrawn, answered, carried out.

use actix::prelude::*;
use despool_spool::JobId;

use super::question::{Deed, Kind, Question};
use super::{Sources, types, with_server};
use crate::notify::{Refusal, SourceChannel, SourceEvent, Style, Topic};
use crate::provider::{ControlJob, Job, JobControl, JobView};

/// The source of a question hears this.
#[derive(Message)]
#[rtype(result = "()")]
struct Heard {
    job: JobId,
    question: u64,
    event: SourceEvent,
}

impl Sources {
    /// Asks about a job, or withdraws what was asked, as the job stands now.
    pub(super) fn consider(&mut self, view: &JobView, ctx: &mut Context<Self>) {
        let id = view.shadow.id;
        let wanted = self.wanted(view);
        self.unasked.remove(&id);
        if self.questions.get(&id).map(|question| question.kind) == wanted {
            return;
        }
        self.withdraw(id, ctx);
        if let Some(kind) = wanted {
            self.ask(view, kind, ctx);
        }
    }

    fn wanted(&self, view: &JobView) -> Option<Kind> {
        let config = self.links.config.borrow();
        Kind::wanted(view, &config.printer(&view.shadow.ticket.printer)?.ask)
    }

    /// Forgets a question; its channels close with it. Another one may have waited for its place.
    fn withdraw(&mut self, id: JobId, ctx: &mut Context<Self>) {
        self.questions.remove(&id);
        while self.questions.len() < self.asking.most
            && let Some((_, view)) = self.unasked.pop_first()
        {
            if let Some(kind) = self.wanted(&view) {
                self.ask(&view, kind, ctx);
            }
        }
    }

    fn ask(&mut self, view: &JobView, kind: Kind, ctx: &mut Context<Self>) {
        let job = view.shadow.id;
        if self.questions.len() >= self.asking.most {
            self.unasked.insert(job, view.clone());
            return;
        }
        self.last_question = self.last_question.saturating_add(1);
        let number = self.last_question;
        let channels = self.offer(view, kind, number);
        if channels.is_empty() {
            self.ask_again_later(job, number, ctx);
        }
        self.questions.insert(job, Question { kind, number, channels });
    }

    /// The channels of a question.
    fn offer(&self, view: &JobView, kind: Kind, question: u64) -> Vec<SourceChannel> {
        let job = view.shadow.id;
        let payload = kind.message_box(view).encode();
        let audience = self.owner(view);
        let channels = with_server(&view.shadow.ticket.printer).map(|object| {
            let (notification_type, style) = (types::ASYNCUI, Style::Bidirectional);
            let topic = Topic { object, notification_type, style };
            let myself = self.links.myself.clone();
            let sink = move |event| myself.tell(Heard { job, question, event });
            let channel = self.links.broker.open(topic, audience.clone(), sink)?;
            channel.send(payload.clone())?;
            Ok::<_, Refusal>(channel)
        });
        for refusal in channels.iter().filter_map(|channel| channel.as_ref().err()) {
            tracing::warn!(%job, error = %refusal, "a question could not be asked");
        }
        channels.into_iter().filter_map(Result::ok).collect()
    }

    /// An answer came: it holds, and nobody else is asked any more.
    fn answered(&mut self, heard: &Heard, by: &str, data: &[u8], ctx: &mut Context<Self>) {
        let Some(question) = self.questions.get_mut(&heard.job) else { return };
        if question.number != heard.question || question.channels.is_empty() {
            return;
        }
        question.channels.clear();
        match question.kind.deed(data) {
            Ok(deed) => self.carry_out(heard.job, deed, by, ctx),
            Err(why) => tracing::warn!(job = %heard.job, by, why, "an answer cannot be understood"),
        }
        self.ask_again_later(heard.job, heard.question, ctx);
    }

    fn carry_out(&self, id: JobId, deed: Deed, by: &str, ctx: &mut Context<Self>) {
        tracing::info!(job = %id, by, ?deed, "a question was answered");
        let what = match deed {
            // The job goes on by itself as soon as the device can.
            Deed::Retry => return,
            Deed::Cancel => JobControl::Cancel { why: format!("by {by}, who was asked") },
            Deed::Resolve(deed) => JobControl::Resolve(deed),
        };
        let router = self.links.router.clone();
        let done = async move { router.ask(ControlJob { id, what }).await.and_then(|done| done) };
        ctx.spawn(done.into_actor(self).map(move |done, _, _| {
            if let Err(error) = done {
                tracing::warn!(job = %id, %error, "what was answered could not be done");
            }
        }));
    }

    /// If the cause is still there after a while, the question is asked anew.
    fn ask_again_later(&self, job: JobId, question: u64, ctx: &mut Context<Self>) {
        ctx.run_later(self.asking.again, move |this, ctx| {
            if this.questions.get(&job).is_none_or(|asked| asked.number != question) {
                return;
            }
            let router = this.links.router.clone();
            let view = async move { router.ask(Job { id: job }).await.and_then(|view| view) };
            ctx.spawn(view.into_actor(this).map(move |view, this, ctx| {
                this.withdraw(job, ctx);
                // A job that is not there any more has no question.
                if let Ok(view) = view {
                    this.consider(&view, ctx);
                }
            }));
        });
    }
}

impl Handler<Heard> for Sources {
    type Result = ();

    fn handle(&mut self, heard: Heard, ctx: &mut Self::Context) {
        match &heard.event {
            SourceEvent::Response { from, data } => {
                self.answered(&heard, &from.name, data, ctx);
            }
            // It has answered before.
            SourceEvent::ClosedByClient => {}
            SourceEvent::ShuttingDown => {}
            SourceEvent::ObjectDeleted => {
                let asked = self.questions.get(&heard.job);
                if asked.is_some_and(|question| question.number == heard.question) {
                    self.withdraw(heard.job, ctx);
                }
            }
        }
    }
}
