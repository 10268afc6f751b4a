//! The monitors: what stands between a print processor and a wire.
//!
//! ```text
//!   PrintProcessor ──► LanguageMonitor ──► PortMonitor ──► port thread ──► wire
//!        ▲                  ▲   └ news ────────┘ ▲              │
//!        └── FromMonitor ───┴──── FromMonitor ───┴── events ────┘
//! ```
//!
//! Both monitors take the same three messages downwards ([`StartDocPort`], [`WritePort`], [`EndDocPort`]) and answer the owner of
//! the playing with the same message upwards ([`FromMonitor`]). So a print processor does not know which of them it talks
//! to: a printer that speaks no language has no language monitor, and its processor writes to the port monitor.

pub mod language;
pub mod port;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix::prelude::*;
use despool_spool::{Cause, JobId, Played, Progress, Ticket};

use crate::follow::Follower;
use crate::monitor::language::LanguageMonitor;
use crate::monitor::port::PortMonitor;
use crate::piece::Piece;
use crate::supervise::Live;

/// One playing of one job. A job that is cut off and goes on later has another: messages of the first are stale then.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlayId(u64);

impl PlayId {
    /// One that no other playing has had in this process.
    pub fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Debug for PlayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "play {}", self.0)
    }
}

/// A document begins.
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub struct StartDocPort {
    /// This playing.
    pub play: PlayId,
    /// Its job.
    pub job: JobId,
    /// What its submitter said of it, for envelopes and messages.
    pub ticket: Arc<Ticket>,
    /// Bytes of the job that the device has already: more than 0 when a job goes on where it was cut off.
    pub from: u64,
    /// Where the accepted offset is noted.
    pub progress: Progress,
    /// Who wants to hear what the device says meanwhile.
    pub follower: Option<Follower>,
    /// Who hears of it.
    pub owner: Recipient<FromMonitor>,
}

/// A piece of the document. At most [`crate::limits::LANE_PIECES`] of them may be under way: each is answered by a
/// [`Outcome::Room`].
#[derive(Message)]
#[rtype(result = "()")]
pub struct WritePort {
    /// The playing.
    pub play: PlayId,
    /// The bytes.
    pub piece: Piece,
}

/// The document's last piece was given.
#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
pub struct EndDocPort {
    /// The playing.
    pub play: PlayId,
}

/// What a monitor tells the owner of a playing.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct FromMonitor {
    /// The playing.
    pub play: PlayId,
    /// What happened.
    pub outcome: Outcome,
}

/// What happens to a playing.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A piece has gone: another may come.
    Room,
    /// Everything has left for the device.
    Ended(Played),
    /// The device went away, or we lost hold of it.
    Lost {
        /// Which of the two.
        cause: Cause,
        /// What the driver had accepted.
        played: Played,
        /// What the port says.
        why: String,
    },
    /// It cannot go on by our own fault or the disk's.
    Failed {
        /// What the driver had accepted.
        played: Played,
        /// What went wrong.
        why: String,
    },
}

/// Where a print processor writes to.
#[derive(Clone)]
pub enum Monitor {
    /// A bidirectional printer's language monitor.
    Language(Live<LanguageMonitor>),
    /// The port monitor of a printer that speaks no language.
    Port(Live<PortMonitor>),
}

impl Monitor {
    /// Sends to whichever monitor this is.
    pub fn tell<M>(&self, message: M)
    where
        M: Message<Result = ()> + Send + 'static,
        LanguageMonitor: Handler<M>,
        PortMonitor: Handler<M>,
    {
        match self {
            Self::Language(monitor) => monitor.tell(message),
            Self::Port(monitor) => monitor.tell(message),
        }
    }
}
