//! LanguageMonitor: what a bidirectional printer says, and how to make it say it.
//!
//! Each language is a pure core behind [`Language`]: bytes, lines and `now` in, [`Action`]s out. The actor
//! ([`LanguageMonitor`]) puts the core between a print processor and the port monitor, and tells the provider what the core
//! found out.
//!
//! ```text
//!   processor ── StartDocPort, WritePort, EndDocPort ──► begin(), write(), end() ──► port monitor
//!                                                            core ──► Say, Ask ──►     │
//!   provider ◄── Report ◄── Found ◄── heard(), line(), tick() ◄── back channel, lines ◄┘
//! ```
//!
//! | language | status comes | while a job prints |
//! | --- | --- | --- |
//! | `pjl` | unsolicited (`USTATUS`) | by itself |
//! | `escpos` | unsolicited (automatic status back), asked for (`DLE EOT`) | by itself until the job resets the printer; asked |
//! | `zpl` | asked for (`~HS`, `~HQES`) | asked |
//! | `ieee1284.4` | in packets beside the data; PJL within | by itself |
//! | `usb-printer-class` | the port's status lines | by itself |
//! | `auto` | as one of these, by the device id | |
//!
//! The invariant: of the document not one byte is added, dropped or moved. What a language says, it says before, between and
//! after jobs; and in the middle of one only where its own rules take a command out of the data wherever it stands
//! *between two commands*, at a place that was seen to be one ([`Boundaries`]), and only where the printer's
//! `status_queries` lets it. (`ieee1284.4` puts the document into packets; the device takes it out again.)
//!
//! A device that sends garbage, too much, or nothing is one of which nothing is known: its status is empty, and jobs go on.

mod actor;
mod asking;
mod auto;
mod escpos;
mod finding;
mod ieee1284_4;
mod pjl;
mod questions;
mod reading;
mod seat;
mod usb_printer_class;
mod zpl;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use despool_hw::{DeviceId, Line};
use despool_spool::{JobId, Ticket};

pub use self::actor::{LanguageMonitor, Report};
pub use self::finding::{Finding, Reason, Status, Supply, SupplyKind};
pub use self::seat::Seat;
pub(crate) use self::usb_printer_class::status as line_status;
use super::port::{How, Stopped};
use crate::config::{LanguageName, StatusQueries};
use crate::piece::Piece;

/// A printer language, as far as status is concerned. No I/O, no clock.
pub trait Language: Send {
    /// The device is there. Also told again of a device that was there all the time.
    fn present(&mut self, device: &DeviceNote, now: Instant, out: &mut Vec<Action>);

    /// The device went away: whatever was half heard or half said is void.
    fn absent(&mut self);

    /// A document begins, or goes on where it was stopped.
    fn begin(&mut self, job: &JobNote, now: Instant, out: &mut Vec<Action>);

    /// The next piece of the document.
    fn write(&mut self, piece: Piece, _now: Instant, out: &mut Vec<Action>) {
        out.push(Action::Write(piece));
    }

    /// A piece of the document that was written has gone.
    fn room(&mut self, _now: Instant, out: &mut Vec<Action>) {
        out.push(Action::Room);
    }

    /// The document's last piece was given.
    fn end(&mut self, _now: Instant, out: &mut Vec<Action>) {
        out.push(Action::End);
    }

    /// The document is over.
    fn over(&mut self, _how: Over, _now: Instant, _out: &mut Vec<Action>) {}

    /// An [`Action::Ask`] found no place, and was not asked.
    fn unasked(&mut self) {}

    /// Bytes were lost between those that were heard and those that will be.
    fn torn(&mut self) {}

    /// The device sent bytes.
    fn heard(&mut self, bytes: &[u8], now: Instant, out: &mut Vec<Action>);

    /// The port's lines changed.
    fn line(&mut self, _line: Line, _now: Instant, _out: &mut Vec<Action>) {}

    /// The device takes nothing although bytes wait, or takes again.
    fn stalled(&mut self, _stalled: bool, _now: Instant, _out: &mut Vec<Action>) {}

    /// When [`Language::tick`] has something to do; `None`: not before something else happens.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// Does what is due by the clock.
    fn tick(&mut self, _now: Instant, _out: &mut Vec<Action>) {}

    /// How to find the places of a document where [`Action::Ask`] is harmless; `None` where it never is, or is not wanted.
    fn boundaries(&self) -> Option<Box<dyn Boundaries>> {
        None
    }
}

/// Reads a document as its device does, to tell where it stands between two commands.
pub trait Boundaries: Send {
    /// Reads on until the first place, at or after `from`, that is between two commands: how many bytes were read up to
    /// there. `None`: all bytes were read, and there is none (in `bytes`; their end counts as a place).
    ///
    /// A command whose length is not known ends all certainty: no place is found after it.
    fn find(&mut self, bytes: &[u8], from: usize) -> Option<usize>;
}

/// What a core wants done, in this order.
#[derive(Clone, Debug)]
pub enum Action {
    /// The provider is to know this.
    Found(Finding),
    /// Bytes for the device outside of documents. Lost where each job is a connection of its own.
    Say(Bytes),
    /// What goes out next in the running playing: a piece of the document, or bytes of the language.
    Write(Piece),
    /// Another piece of the document may come.
    Room,
    /// Everything of the running playing was written.
    End,
    /// A question that the device takes out of the data: for the next place where that is harmless, if there is one.
    Ask(Bytes),
}

impl Action {
    /// [`Action::Say`] of bytes that are there for ever.
    fn say(bytes: &'static [u8]) -> Self {
        Self::Say(Bytes::from_static(bytes))
    }

    /// Bytes of the language, in the running playing.
    fn write(bytes: impl Into<Bytes>) -> Self {
        Self::Write(Piece::monitor(bytes))
    }
}

/// What a language needs to know of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceNote {
    /// What it says of itself, where the wire can carry that.
    pub id: Option<DeviceId>,
    /// It can send bytes.
    pub back_channel: bool,
    /// Each job is a connection of its own: nothing can be said between them.
    pub job_is_connection: bool,
}

/// What a language needs to know of a job.
#[derive(Clone, Debug)]
pub struct JobNote {
    /// Its number.
    pub job: JobId,
    /// What its submitter said of it.
    pub ticket: Arc<Ticket>,
    /// Bytes of it, as played, that the device has already.
    pub from: u64,
}

/// How a document came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Everything has left for the device.
    Ended,
    /// It was stopped: how, and where as far as the port could say.
    Stopped(How, Option<Stopped>),
    /// The port failed, or the device went away.
    Lost,
}

/// How a core is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The language's envelope is put around each job.
    pub envelope: bool,
    /// When the device may be asked for its status.
    pub queries: StatusQueries,
}

/// Makes the core of a language.
pub type Make = fn(Setup) -> Box<dyn Language>;

/// How to make the core of a language; `None` for a printer that speaks none.
pub fn core(name: LanguageName) -> Option<Make> {
    match name {
        LanguageName::None => None,
        LanguageName::Pjl => Some(|setup| Box::new(pjl::Pjl::new(setup))),
        LanguageName::Escpos => Some(|setup| Box::new(escpos::Escpos::new(setup))),
        LanguageName::UsbPrinterClass => {
            Some(|_| Box::<usb_printer_class::UsbPrinterClass>::default())
        }
        LanguageName::Zpl => Some(|setup| Box::new(zpl::Zpl::new(setup))),
        LanguageName::Ieee1284_4 => Some(|setup| Box::new(ieee1284_4::Ieee1284_4::new(setup))),
        LanguageName::Auto => Some(|setup| Box::new(auto::Auto::new(setup))),
    }
}

/// The earlier of two times, where there are any.
fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod testing;
