//! PrintProcessor: plays one job at a time.
//!
//! It reads pieces of the spooled document (`ReadPrinter`), does with them what the datatype says ([`Playback`]), and writes
//! them (`WritePort`) to the printer's monitor, which it opens through the router and the provider as any client would
//! open a printer for a direct job.
//!
//! ```text
//!   Play ──► open the printer ──► StartDocPort ──► WritePort … (4 under way, one more for each Room) ──► EndDocPort
//!                                                                                                        │
//!   provider ◄── Played ◄──────────────────── ended, lost, failed ◄──────────────────────────────────────┘
//! ```
//!
//! The invariant: at most [`LANE_PIECES`] pieces are under way, so that the port's speed is the speed of reading.

mod playback;
mod text;

use std::sync::Arc;

use actix::prelude::*;
use despool_spool::{Cause, Document, End, Played as PlayedBytes, Progress, Shadow};

pub use playback::{Next, Playback, Reach, Source, total_as_played};

use crate::config::Datatype;
use crate::direct::Pipe;
use crate::follow::Follower;
use crate::limits::LANE_PIECES;
use crate::monitor::{EndDocPort, FromMonitor, Monitor, Outcome, PlayId, StartDocPort, WritePort};
use crate::piece::Piece;
use crate::provider::{LocalPrintProvider, Part, Played, Reborn};
use crate::router::{OpenPrinter, Router};
use crate::supervise::{Live, Obituary};

/// Play this job.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Play {
    /// This playing.
    pub play: PlayId,
    /// The job.
    pub job: Arc<Shadow>,
    /// What to make of the document.
    pub datatype: Datatype,
    /// Where its bytes are.
    pub bytes: PlaySource,
    /// Where to begin, in bytes as played.
    pub from: u64,
    /// Where the accepted offset is noted.
    pub progress: Progress,
    /// Who wants to hear what the device says meanwhile.
    pub follower: Option<Follower>,
}

/// This playing is over; the provider has seen to it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Forget {
    /// The playing.
    pub play: PlayId,
}

/// What became of a playing? `None`: never heard of it. `Some(None)`: it is under way.
#[derive(Message)]
#[rtype(result = "Option<Option<Outcome>>")]
pub struct WhatOf {
    /// The playing.
    pub play: PlayId,
}

/// The document has grown.
#[derive(Message)]
#[rtype(result = "()")]
struct More {
    play: PlayId,
}

/// Where a job's bytes are.
#[derive(Clone, Debug)]
pub enum PlaySource {
    /// In the spool.
    Spooled(Document),
    /// On their way from the sender.
    Direct(Pipe),
}

impl PlaySource {
    fn when_beyond(&self, offset: u64, then: impl FnOnce() + Send + 'static) {
        match self {
            Self::Spooled(document) => document.when_beyond(offset, then),
            Self::Direct(pipe) => pipe.when_beyond(offset, then),
        }
    }
}

impl Source for PlaySource {
    type Error = despool_spool::Error;

    fn reach(&self) -> Reach {
        match self {
            Self::Direct(pipe) => pipe.reach(),
            Self::Spooled(document) => {
                let extent = document.extent();
                match extent.end {
                    End::Open => Reach::Open(extent.bytes),
                    End::Whole => Reach::Whole(extent.bytes),
                    End::Broken => Reach::Broken,
                }
            }
        }
    }

    fn lend(&self, from: u64, limit_bytes: usize) -> Result<Option<Piece>, Self::Error> {
        match self {
            Self::Spooled(document) => Ok(document.read(from, limit_bytes)?.map(Piece::document)),
            Self::Direct(pipe) => pipe.lend(from, limit_bytes),
        }
    }

    fn copy(&self, from: u64, buf: &mut [u8]) -> Result<usize, Self::Error> {
        match self {
            Self::Spooled(document) => document.copy(buf, from),
            Self::Direct(pipe) => pipe.copy(from, buf),
        }
    }
}

/// See the module.
pub struct PrintProcessor {
    printer: Arc<str>,
    router: Live<Router>,
    provider: Live<LocalPrintProvider>,
    /// What it writes to. Opened once: it leads to the living monitor for as long as the printer is on the road.
    monitor: Option<Monitor>,
    playing: Option<Playing>,
    /// What was told last, for a provider that was made anew and did not hear it.
    told: Option<(PlayId, Outcome)>,
    obituary: Obituary,
}

struct Playing {
    play: PlayId,
    bytes: PlaySource,
    playback: Playback,
    progress: Progress,
    under_way: usize,
    /// Everything was read, or the document has to grow first.
    paused: bool,
}

impl PrintProcessor {
    /// The processor of this printer.
    pub fn new(
        printer: Arc<str>,
        router: Live<Router>,
        provider: Live<LocalPrintProvider>,
        obituary: Obituary,
    ) -> Self {
        Self { printer, router, provider, monitor: None, playing: None, told: None, obituary }
    }

    fn playing(&mut self, play: PlayId) -> Option<&mut Playing> {
        self.playing.as_mut().filter(|playing| playing.play == play)
    }

    fn opened(&mut self, start: StartDocPort, monitor: Monitor, ctx: &mut Context<Self>) {
        self.monitor = Some(monitor.clone());
        if self.playing(start.play).is_some() {
            monitor.tell(start);
            self.pump(ctx);
        }
    }

    /// Reads and writes as long as there is room.
    fn pump(&mut self, ctx: &mut Context<Self>) {
        let (Some(playing), Some(monitor)) = (&mut self.playing, &self.monitor) else { return };
        let play = playing.play;
        while playing.under_way < LANE_PIECES && !playing.paused {
            match playing.playback.next(&playing.bytes) {
                Ok(Next::Piece(piece)) => {
                    monitor.tell(WritePort { play, piece });
                    playing.under_way = playing.under_way.saturating_add(1);
                }
                Ok(Next::Wait(offset)) => {
                    playing.paused = true;
                    let to = ctx.address().recipient();
                    playing.bytes.when_beyond(offset, move || to.do_send(More { play }));
                }
                Ok(Next::End) => {
                    playing.paused = true;
                    monitor.tell(EndDocPort { play });
                }
                Ok(Next::Broken) => return self.give_up("its sender gave it up".to_owned()),
                Err(error) => return self.give_up(error.to_string()),
            }
        }
    }

    /// The rest of the document cannot be played; the provider stops what is under way.
    fn give_up(&mut self, why: String) {
        if let Some(playing) = self.playing.take() {
            let played = playing.progress.played();
            self.tell(playing.play, Outcome::Failed { played, why });
        }
    }

    fn tell(&mut self, play: PlayId, outcome: Outcome) {
        self.told = Some((play, outcome.clone()));
        self.provider.tell(Played { printer: self.printer.clone(), play, outcome });
    }
}

impl Actor for PrintProcessor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        if self.obituary.incarnation() > 0 {
            self.provider.tell(Reborn { part: Part::Printer(self.printer.clone()) });
        }
    }
}

impl Handler<Play> for PrintProcessor {
    type Result = ();

    fn handle(&mut self, order: Play, ctx: &mut Self::Context) {
        let Play { play, job, datatype, bytes, from, progress, follower } = order;
        let piece_bytes = despool_spool::limits::PIECE_BYTES;
        self.playing = Some(Playing {
            play,
            bytes,
            playback: Playback::new(datatype, job.ticket.copies, from, piece_bytes),
            progress: progress.clone(),
            under_way: 0,
            paused: false,
        });
        let (ticket, owner) = (job.ticket.clone(), ctx.address().recipient());
        let start = StartDocPort { play, job: job.id, ticket, from, progress, follower, owner };
        if let Some(monitor) = self.monitor.clone() {
            return self.opened(start, monitor, ctx);
        }
        let (router, printer) = (self.router.clone(), self.printer.clone());
        let open =
            async move { router.ask(OpenPrinter { printer }).await.and_then(|opened| opened) };
        ctx.spawn(open.into_actor(self).map(move |opened, this, ctx| match opened {
            Ok(monitor) => this.opened(start, monitor, ctx),
            Err(error) => {
                this.playing = None;
                let played = PlayedBytes { accepted: from, offered: from };
                this.tell(
                    play,
                    Outcome::Lost { cause: Cause::ActorDied, played, why: error.to_string() },
                );
            }
        }));
    }
}

impl Handler<FromMonitor> for PrintProcessor {
    type Result = ();

    fn handle(&mut self, FromMonitor { play, outcome }: FromMonitor, ctx: &mut Self::Context) {
        let Some(playing) = self.playing(play) else { return };
        if matches!(outcome, Outcome::Room) {
            playing.under_way = playing.under_way.saturating_sub(1);
            self.pump(ctx);
        } else {
            self.playing = None;
            self.tell(play, outcome);
        }
    }
}

impl Handler<More> for PrintProcessor {
    type Result = ();

    fn handle(&mut self, More { play }: More, ctx: &mut Self::Context) {
        if let Some(playing) = self.playing(play) {
            playing.paused = false;
            self.pump(ctx);
        }
    }
}

impl Handler<Forget> for PrintProcessor {
    type Result = ();

    fn handle(&mut self, Forget { play }: Forget, _: &mut Self::Context) {
        self.playing.take_if(|playing| playing.play == play);
    }
}

impl Handler<WhatOf> for PrintProcessor {
    type Result = MessageResult<WhatOf>;

    fn handle(&mut self, WhatOf { play }: WhatOf, _: &mut Self::Context) -> Self::Result {
        let told = self
            .told
            .as_ref()
            .filter(|(told, _)| *told == play)
            .map(|(_, outcome)| outcome.clone());
        let under_way = self.playing(play).is_some();
        MessageResult(told.map(Some).or(under_way.then_some(None)))
    }
}

#[cfg(test)]
use crate::supervise::Crash;
#[cfg(test)]
crate::supervise::crashes!(PrintProcessor);
