//! The actor around a language's core.
//!
//! ```text
//!   StartDocPort, WritePort, EndDocPort ─┐                ┌─► Write, End, Say, Ask ──► port monitor
//!   back channel, lines, stalls ─────────┼─► core (Seat) ─┼─► Room ──► owner of the playing
//!   the clock ───────────────────────────┘                └─► Found ──► provider (only what is new)
//! ```
//!
//! The core outlives the actor in its [`Seat`]: a language monitor that is made anew finds half a message where it was,
//! and a language that puts the document into packets knows which packet the device is in.

use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use bytes::Bytes;
use despool_hw::{DeviceId, PortFacts};
use despool_spool::{JobId, Progress};

use super::reading::Reading;
use super::seat::Seat;
use super::{Action, DeviceNote, Finding, JobNote, Language, Over, Status};
use crate::limits::FINDINGS;
use crate::monitor::port::{
    DocAborted, Interject, Listen, News, PortMonitor, PortNews, Retell, Say,
};
use crate::monitor::{EndDocPort, FromMonitor, Outcome, PlayId, StartDocPort, WritePort};
use crate::provider::{LocalPrintProvider, Part, Reborn};
use crate::supervise::{Live, Obituary};

/// What a language monitor tells the provider.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Report {
    /// The printer.
    pub printer: Arc<str>,
    /// The job that is on its way, if one is; else the one before.
    pub job: Option<JobId>,
    /// What was found.
    pub finding: Finding,
}

/// See the module.
pub struct LanguageMonitor {
    printer: Arc<str>,
    seat: Arc<Seat>,
    port: Live<PortMonitor>,
    provider: Live<LocalPrintProvider>,
    doc: Option<Doc>,
    /// The job before this one: a device reports its end late.
    last_job: Option<JobId>,
    /// What the device said of itself last.
    status: Status,
    facts: Option<PortFacts>,
    /// When the core is to be woken.
    alarm: Option<(Instant, SpawnHandle)>,
    obituary: Obituary,
}

/// The document on its way.
struct Doc {
    play: PlayId,
    job: JobId,
    owner: Recipient<FromMonitor>,
    progress: Progress,
    /// Where a question may stand in it; `None` where none is wanted.
    reading: Option<Reading>,
}

impl LanguageMonitor {
    /// The monitor of a printer whose language's core is in `seat`.
    pub fn new(
        printer: Arc<str>,
        seat: Arc<Seat>,
        port: Live<PortMonitor>,
        provider: Live<LocalPrintProvider>,
        obituary: Obituary,
    ) -> Self {
        Self {
            printer,
            seat,
            port,
            provider,
            doc: None,
            last_job: None,
            status: Status::default(),
            facts: None,
            alarm: None,
            obituary,
        }
    }

    /// Lets the core take a step, and does what it wants done.
    fn step(
        &mut self,
        ctx: &mut Context<Self>,
        step: impl FnOnce(&mut dyn Language, Instant, &mut Vec<Action>),
    ) {
        let mut out = Vec::new();
        let due = self.seat.with(|held| {
            step(&mut *held.core, Instant::now(), &mut out);
            held.core.due()
        });
        for action in latest(out) {
            self.act(action);
        }
        self.set_alarm(due, ctx);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Found(finding) => self.found(finding),
            Action::Say(bytes) => self.say(bytes),
            Action::Ask(bytes) if self.doc.is_none() => self.say(bytes),
            Action::Ask(bytes) => self.ask(bytes),
            Action::Write(piece) => {
                if let Some(Doc { play, .. }) = self.doc {
                    self.port.tell(WritePort { play, piece });
                }
            }
            Action::Room => {
                if let Some(doc) = &self.doc {
                    doc.owner.do_send(FromMonitor { play: doc.play, outcome: Outcome::Room });
                }
            }
            Action::End => {
                if let Some(Doc { play, .. }) = self.doc {
                    self.port.tell(EndDocPort { play });
                }
            }
        }
    }

    fn found(&mut self, finding: Finding) {
        if let Finding::Status(status) = &finding {
            if self.status == *status {
                return;
            }
            self.status.clone_from(status);
        }
        let job = self.doc.as_ref().map(|doc| doc.job).or(self.last_job);
        self.provider.tell(Report { printer: self.printer.clone(), job, finding });
    }

    fn say(&self, bytes: Bytes) {
        if self.facts.is_some_and(|facts| !facts.job_is_connection) {
            self.port.tell(Say { bytes });
        }
    }

    /// Has a question put in at the next place of the document where it is harmless.
    fn ask(&mut self, bytes: Bytes) {
        let Some(doc) = &mut self.doc else { return };
        let reached = doc.progress.played().offered;
        match doc.reading.as_mut().and_then(|reading| reading.find(reached)) {
            Some(at) => self.port.tell(Interject { play: doc.play, at, bytes }),
            None => self.seat.with(|held| held.core.unasked()),
        }
    }

    fn set_alarm(&mut self, due: Option<Instant>, ctx: &mut Context<Self>) {
        if self.alarm.as_ref().map(|(at, _)| *at) == due {
            return;
        }
        if let Some((_, alarm)) = self.alarm.take() {
            ctx.cancel_future(alarm);
        }
        let Some(at) = due else { return };
        let alarm = ctx.run_later(at.saturating_duration_since(Instant::now()), |this, ctx| {
            this.alarm = None;
            this.step(ctx, |core, now, out| core.tick(now, out));
        });
        self.alarm = Some((at, alarm));
    }

    /// The playing is over for the core, whether or not this actor was there when it began.
    fn over(&mut self, play: PlayId, how: Over, ctx: &mut Context<Self>) -> Option<Doc> {
        let doc = self.doc.take_if(|doc| doc.play == play);
        if let Some(doc) = &doc {
            self.last_job = Some(doc.job);
        }
        if self.seat.with(|held| held.playing.take_if(|playing| *playing == play)).is_some() {
            self.step(ctx, |core, now, out| core.over(how, now, out));
        }
        doc
    }

    fn present(&mut self, facts: PortFacts, id: Option<&String>, ctx: &mut Context<Self>) {
        self.facts = Some(facts);
        let device = DeviceNote {
            id: id.and_then(|id| DeviceId::parse(id.as_bytes())),
            back_channel: facts.back_channel,
            job_is_connection: facts.job_is_connection,
        };
        self.step(ctx, |core, now, out| core.present(&device, now, out));
    }
}

/// Of what was found at one stroke, only the last word on each matter: a device may chatter.
fn latest(actions: Vec<Action>) -> Vec<Action> {
    let mut seen = [false; 5];
    let mut printed = 0;
    let mut keep = |action: &Action| {
        let Action::Found(finding) = action else { return true };
        let matter = match finding {
            Finding::Printed { .. } => {
                printed += 1;
                return printed <= FINDINGS;
            }
            Finding::Status(_) => &mut seen[0],
            Finding::Pages(_) => &mut seen[1],
            Finding::Identity(_) => &mut seen[2],
            Finding::Supplies(_) => &mut seen[3],
            Finding::PageCount(_) => &mut seen[4],
        };
        !std::mem::replace(matter, true)
    };
    let mut kept: Vec<Action> = actions.into_iter().rev().filter(|action| keep(action)).collect();
    kept.reverse();
    kept
}

impl Actor for LanguageMonitor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.port.tell(Listen { name: self.printer.clone(), to: ctx.address().recipient() });
        if self.obituary.incarnation() > 0 {
            self.provider.tell(Reborn { part: Part::Printer(self.printer.clone()) });
        }
    }
}

impl Handler<StartDocPort> for LanguageMonitor {
    type Result = ();

    fn handle(&mut self, doc: StartDocPort, ctx: &mut Self::Context) {
        let note = JobNote { job: doc.job, ticket: doc.ticket.clone(), from: doc.from };
        let boundaries = self.seat.with(|held| {
            held.playing = Some(doc.play);
            held.core.boundaries()
        });
        self.doc = Some(Doc {
            play: doc.play,
            job: doc.job,
            owner: doc.owner.clone(),
            progress: doc.progress.clone(),
            // How a document that goes on in the middle stands there is not known.
            reading: boundaries.filter(|_| doc.from == 0).map(Reading::new),
        });
        self.port.tell(StartDocPort { owner: ctx.address().recipient(), ..doc });
        self.step(ctx, |core, now, out| core.begin(&note, now, out));
    }
}

impl Handler<WritePort> for LanguageMonitor {
    type Result = ();

    fn handle(&mut self, WritePort { play, piece }: WritePort, ctx: &mut Self::Context) {
        let Some(doc) = self.doc.as_mut().filter(|doc| doc.play == play) else { return };
        if let Some(reading) = &mut doc.reading {
            reading.push(&piece);
        }
        self.step(ctx, |core, now, out| core.write(piece, now, out));
    }
}

impl Handler<EndDocPort> for LanguageMonitor {
    type Result = ();

    fn handle(&mut self, EndDocPort { play }: EndDocPort, ctx: &mut Self::Context) {
        if self.doc.as_ref().is_some_and(|doc| doc.play == play) {
            self.step(ctx, |core, now, out| core.end(now, out));
        }
    }
}

impl Handler<FromMonitor> for LanguageMonitor {
    type Result = ();

    fn handle(&mut self, from: FromMonitor, ctx: &mut Self::Context) {
        let how = match &from.outcome {
            Outcome::Room if self.doc.as_ref().is_some_and(|doc| doc.play == from.play) => {
                return self.step(ctx, |core, now, out| core.room(now, out));
            }
            Outcome::Room => return,
            Outcome::Ended(_) => Over::Ended,
            Outcome::Lost { .. } | Outcome::Failed { .. } => Over::Lost,
        };
        // What the language says after a job goes out before the next begins.
        if let Some(doc) = self.over(from.play, how, ctx) {
            doc.owner.do_send(from);
        }
    }
}

impl Handler<DocAborted> for LanguageMonitor {
    type Result = ();

    fn handle(&mut self, aborted: DocAborted, ctx: &mut Self::Context) {
        self.over(aborted.play, Over::Stopped(aborted.how, aborted.stopped), ctx);
    }
}

impl Handler<Retell> for LanguageMonitor {
    type Result = ();

    fn handle(&mut self, _: Retell, _: &mut Self::Context) {
        let finding = Finding::Status(self.status.clone());
        self.provider.tell(Report { printer: self.printer.clone(), job: None, finding });
    }
}

impl Handler<PortNews> for LanguageMonitor {
    type Result = ();

    fn handle(&mut self, PortNews { news, .. }: PortNews, ctx: &mut Self::Context) {
        match news {
            News::Present { facts, device_id } => self.present(facts, device_id.as_ref(), ctx),
            News::Absent { .. } => {
                self.facts = None;
                self.status = Status::default();
                self.step(ctx, |core, _, _| core.absent());
            }
            News::Back { bytes, dropped } => {
                if dropped > 0 {
                    tracing::warn!(printer = %self.printer, dropped, "the device says more than we can take in");
                    self.step(ctx, |core, _, _| core.torn());
                }
                self.step(ctx, |core, now, out| core.heard(&bytes, now, out));
            }
            News::Line(line) => self.step(ctx, |core, now, out| core.line(line, now, out)),
            News::Stalled(stalled) => {
                self.step(ctx, |core, now, out| core.stalled(stalled, now, out));
            }
        }
    }
}

#[cfg(test)]
use crate::supervise::Crash;
#[cfg(test)]
crate::supervise::crashes!(LanguageMonitor);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::language::Reason;

    #[test]
    fn only_the_last_word_on_each_matter_is_told() {
        let status = |keyword| Finding::Status(Status::new([Reason::stops(keyword)], ""));
        let printed = Finding::Printed { job: None, pages: None };
        let mut actions = vec![
            Action::Found(status("media-empty")),
            Action::Found(Finding::Pages(1)),
            Action::Room,
            Action::Found(status("cover-open")),
            Action::Found(Finding::Pages(2)),
        ];
        actions.extend(std::iter::repeat_n(Action::Found(printed), 3 * FINDINGS));
        let kept = latest(actions);
        assert_eq!(kept.len(), 3 + FINDINGS);
        assert!(matches!(kept[0], Action::Room));
        assert!(matches!(&kept[1], Action::Found(found) if *found == status("cover-open")));
        assert!(matches!(kept[2], Action::Found(Finding::Pages(2))));
    }
}
