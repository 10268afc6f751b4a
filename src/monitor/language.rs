//! LanguageMonitor: what a bidirectional printer says, and how to make it say it.
//!
//! Each language is a pure core behind [`Language`]: bytes and `now` in, bytes and findings out. The actor puts the core
//! between a print processor and the port monitor, and tells the provider what the core found out. It adds bytes only
//! where the language's own rules ask for them: before, between and after jobs, never inside the document.
//!
//! ```text
//!   processor ── StartDocPort, WritePort, EndDocPort ──► actor ──► port monitor
//!                                                    │ begin(), end(), greet(): bytes of the language
//!   provider ◄── Report ── heard() ◄── back channel ─┘
//! ```

mod pjl;

use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use despool_spool::JobId;

use super::port::{DocAborted, How, Listen, News, PortMonitor, PortNews, Retell, Say};
use super::{EndDocPort, FromMonitor, Outcome, PlayId, StartDocPort, WritePort};
use crate::config::LanguageName;
use crate::piece::Piece;
use crate::provider::{LocalPrintProvider, Part, Reborn};
use crate::supervise::{Live, Obituary};

/// A printer language, as far as status is concerned. No I/O, no clock.
pub trait Language: Send {
    /// Bytes that make the device talk, to be said outside a job: when it comes on the line, and (on wires where each job
    /// is a connection) before each job.
    fn greet(&mut self) -> Vec<u8>;

    /// Bytes before the document.
    fn begin(&mut self, job: &JobNote) -> Vec<u8>;

    /// Bytes after the document.
    fn end(&mut self, job: &JobNote) -> Vec<u8>;

    /// Bytes that bring the device to its senses after a document was broken off.
    fn canceled(&mut self) -> Vec<u8>;

    /// The device went away: whatever half of a message was heard is void.
    fn lost(&mut self);

    /// Takes what the device sent. `found` is called for each thing that it means.
    fn heard(&mut self, bytes: &[u8], now: Instant, found: &mut dyn FnMut(Finding));
}

/// What a language needs to know of a job.
#[derive(Clone, Debug)]
pub struct JobNote {
    /// Its number.
    pub job: JobId,
    /// Its title.
    pub title: Box<str>,
    /// Its user.
    pub user: Box<str>,
}

/// What a device was found to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// How it is.
    Status(Status),
    /// It has printed this many pages of the running job.
    Pages(u32),
    /// It has printed a job to its end.
    Printed {
        /// The job, where the device said which.
        job: Option<JobId>,
        /// Pages of it, where the device counts them.
        pages: Option<u32>,
    },
    /// What it is.
    Identity(String),
}

/// How a device says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// `printer-state-reasons` keywords (RFC 8011 §5.4.12, IANA registry), without severity.
    pub reasons: Vec<Reason>,
    /// What its display shows.
    pub message: String,
}

/// A reason for the state of a printer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason {
    /// The keyword.
    pub keyword: &'static str,
    /// Whether it keeps the device from printing.
    pub stops: bool,
}

impl Reason {
    /// A condition that keeps the device from printing.
    pub const fn stops(keyword: &'static str) -> Self {
        Self { keyword, stops: true }
    }

    /// A condition that people should know of.
    pub const fn warns(keyword: &'static str) -> Self {
        Self { keyword, stops: false }
    }
}

/// What a language monitor tells the provider.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Report {
    /// The printer.
    pub printer: Arc<str>,
    /// The job that is on its way, if one is.
    pub job: Option<JobId>,
    /// What was found.
    pub finding: Finding,
}

/// Makes the core of a language. Told whether the language's envelope is to be put around each job.
pub type Make = fn(envelope: bool) -> Box<dyn Language>;

/// How to make the core of a language; `None` for a printer that speaks none that we know.
pub fn core(name: LanguageName) -> Option<Make> {
    match name {
        LanguageName::Pjl => Some(|envelope| Box::new(pjl::Pjl::new(envelope))),
        LanguageName::None
        | LanguageName::Escpos
        | LanguageName::Zpl
        | LanguageName::Ieee1284_4
        | LanguageName::Auto => None,
    }
}

/// See the module.
pub struct LanguageMonitor {
    printer: Arc<str>,
    core: Box<dyn Language>,
    port: Live<PortMonitor>,
    provider: Live<LocalPrintProvider>,
    doc: Option<Doc>,
    /// The job before this one: a device reports its end late.
    last_job: Option<JobId>,
    /// What the device said of itself last.
    status: Status,
    job_is_connection: bool,
    present: bool,
    obituary: Obituary,
}

/// The document on its way.
struct Doc {
    play: PlayId,
    note: JobNote,
    owner: Recipient<FromMonitor>,
}

impl LanguageMonitor {
    /// The monitor of a printer that speaks `core`.
    pub fn new(
        printer: Arc<str>,
        core: Box<dyn Language>,
        port: Live<PortMonitor>,
        provider: Live<LocalPrintProvider>,
        obituary: Obituary,
    ) -> Self {
        Self {
            printer,
            core,
            port,
            provider,
            doc: None,
            last_job: None,
            status: Status::default(),
            job_is_connection: false,
            present: false,
            obituary,
        }
    }

    /// Bytes of the language, in the middle of a playing.
    fn add(&self, play: PlayId, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.port.tell(WritePort { play, piece: Piece::monitor(bytes) });
        }
    }

    /// Bytes of the language, outside of jobs.
    fn say(&self, bytes: Vec<u8>) {
        if !bytes.is_empty() && self.present && !self.job_is_connection {
            self.port.tell(Say { bytes: bytes.into() });
        }
    }

    fn heard(&mut self, bytes: &[u8]) {
        let job = self.doc.as_ref().map(|doc| doc.note.job);
        let (printer, provider, last) = (&self.printer, &self.provider, self.last_job);
        let known = &mut self.status;
        self.core.heard(bytes, Instant::now(), &mut |finding| {
            if let Finding::Status(status) = &finding {
                known.clone_from(status);
            }
            let job = job.or(last);
            provider.tell(Report { printer: printer.clone(), job, finding });
        });
    }

    fn finish(&mut self, play: PlayId) -> Option<Doc> {
        let doc = self.doc.take_if(|doc| doc.play == play);
        if let Some(doc) = &doc {
            self.last_job = Some(doc.note.job);
        }
        doc
    }
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
        let note = JobNote { job: doc.job, title: doc.title.clone(), user: doc.user.clone() };
        let (play, from) = (doc.play, doc.from);
        let owner = doc.owner.clone();
        self.port.tell(StartDocPort { owner: ctx.address().recipient(), ..doc });
        if self.job_is_connection {
            let greeting = self.core.greet();
            self.add(play, greeting);
        }
        // A job that goes on in the middle has had its beginning.
        if from == 0 {
            let beginning = self.core.begin(&note);
            self.add(play, beginning);
        }
        self.doc = Some(Doc { play, note, owner });
    }
}

impl Handler<WritePort> for LanguageMonitor {
    type Result = ();

    fn handle(&mut self, write: WritePort, _: &mut Self::Context) {
        self.port.tell(write);
    }
}

impl Handler<EndDocPort> for LanguageMonitor {
    type Result = ();

    fn handle(&mut self, end: EndDocPort, _: &mut Self::Context) {
        if let Some(doc) = self.doc.as_ref().filter(|doc| doc.play == end.play) {
            let bytes = self.core.end(&doc.note);
            self.add(end.play, bytes);
        }
        self.port.tell(end);
    }
}

impl Handler<FromMonitor> for LanguageMonitor {
    type Result = ();

    fn handle(&mut self, from: FromMonitor, _: &mut Self::Context) {
        let last = !matches!(from.outcome, Outcome::Room);
        if let Some(doc) = self.doc.as_ref().filter(|doc| doc.play == from.play) {
            doc.owner.do_send(from.clone());
        }
        if last {
            self.finish(from.play);
        }
    }
}

impl Handler<DocAborted> for LanguageMonitor {
    type Result = ();

    fn handle(&mut self, DocAborted { play, how }: DocAborted, _: &mut Self::Context) {
        if self.finish(play).is_some() && how == How::Cancel {
            let bytes = self.core.canceled();
            self.say(bytes);
        }
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

    fn handle(&mut self, PortNews { news, .. }: PortNews, _: &mut Self::Context) {
        match news {
            News::Present { facts, .. } => {
                self.job_is_connection = facts.job_is_connection;
                if !std::mem::replace(&mut self.present, true) {
                    let greeting = self.core.greet();
                    self.say(greeting);
                }
            }
            News::Absent { .. } => {
                self.present = false;
                self.status = Status::default();
                self.core.lost();
            }
            News::Back { bytes, dropped } => {
                if dropped > 0 {
                    tracing::warn!(printer = %self.printer, dropped, "the device says more than we can take in");
                    self.core.lost();
                }
                self.heard(&bytes);
            }
            News::Line(_) | News::Stalled(_) => {}
        }
    }
}

#[cfg(test)]
use crate::supervise::Crash;
#[cfg(test)]
crate::supervise::crashes!(LanguageMonitor);
