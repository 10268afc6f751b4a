//! The way into a port's thread: a bounded lane for data, a second one beside it for aborts, and a bell.
//!
//! ```text
//!   PortMonitor ── orders (LANE_ORDERS) ──► thread ──► port
//!        │ └────── urgent (LANE_URGENT) ──►   │
//!        │ bell ─────────────────────────►    │
//!        └◄── sink: PortEvent ────────────────┘
//! ```
//!
//! The thread outlives the actor: a port monitor that is made anew finds the port open and the wire as it was.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use actix::prelude::*;
use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, bounded};
use despool_hw::{Bell, DeviceUri, Line, PortFacts};
use despool_spool::{Cause, JobId, Played, Progress};

use super::{PortNews, thread};
use crate::error::{Error, Result};
use crate::limits::{LANE_ORDERS, LANE_URGENT};
use crate::monitor::PlayId;
use crate::piece::Piece;

/// What the thread is told, in order.
pub(super) enum Order {
    /// A document begins.
    Begin(Begin),
    /// Bytes: of a playing, or (`None`) of a monitor between documents.
    Write { play: Option<PlayId>, piece: Piece },
    /// A question, to go out where the playing has come to `at` bytes of the job.
    Aside { play: PlayId, at: u64, piece: Piece },
    /// The document's last piece was given.
    End(PlayId),
}

/// The beginning of a document.
pub(super) struct Begin {
    pub(super) play: PlayId,
    pub(super) job: JobId,
    pub(super) from: u64,
    pub(super) progress: Progress,
}

/// What does not queue behind data.
pub(super) enum Urgent {
    /// Stop this playing now.
    Abort { play: PlayId, how: How },
    /// Tell the sink everything again: it is new.
    Report,
    /// End.
    Stop,
    /// Die.
    #[cfg(test)]
    Crash,
    /// Hear nothing until this is dropped.
    #[cfg(test)]
    Hang(Receiver<Infallible>),
}

/// How to stop a playing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// For good: drop what the driver still holds.
    Cancel,
    /// For now: let what the driver has go out, and say exactly how much that is. The next playing of the same job may go
    /// on from there on the same connection.
    Park,
    /// For now, and the port is closed next: what the driver cannot get rid of in a moment is taken back.
    Close,
}

/// Where a playing was stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// Bytes of the job.
    pub played: Played,
    /// Bytes of monitors that the port took in this playing, before, between and after those of the job.
    pub said: u64,
}

/// What the thread tells.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub(super) enum PortEvent {
    /// The port is open.
    Opened { facts: PortFacts, device_id: Option<String> },
    /// The port cannot be opened, or a connection not be made; it is tried again.
    Absent { why: String },
    /// The lines changed.
    Line(Line),
    /// Bytes came back; how many were dropped before them because nobody took them.
    Back { bytes: Bytes, dropped: u64 },
    /// A piece has gone.
    Room(PlayId),
    /// Everything has left.
    Ended { play: PlayId, played: Played },
    /// The device went away during this playing, or we lost hold of it.
    Lost { play: PlayId, cause: Cause, played: Played, why: String },
    /// This playing cannot go on, by our fault or the disk's.
    Failed { play: PlayId, played: Played, why: String },
    /// This playing was aborted. `None`: there was no such playing (any more).
    Aborted { play: PlayId, stopped: Option<Stopped> },
    /// The device takes nothing, or takes again.
    Stalled(bool),
}

/// Where the thread's events go. Replaced when the port monitor is made anew.
#[derive(Clone, Default)]
pub(super) struct Sink(Arc<Mutex<Option<Recipient<PortEvent>>>>);

impl Sink {
    pub(super) fn set(&self, to: Recipient<PortEvent>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(to);
    }

    /// Nobody is told any more. The monitor holds the thread and the thread its monitor: one of them has to let go.
    fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Tells, or drops where nobody listens. The thread paces what it tells; see [`super::upward`].
    pub(super) fn tell(&self, event: PortEvent) {
        if let Some(to) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            to.do_send(event);
        }
    }
}

/// A port's thread and those who listen to it: what outlives its monitor.
pub struct PortThread {
    orders: Sender<Order>,
    urgent: Sender<Urgent>,
    bell: Bell,
    sink: Sink,
    listeners: Mutex<HashMap<Arc<str>, Recipient<PortNews>>>,
    /// Disconnected when the thread has ended.
    ended: Receiver<Infallible>,
}

/// The thread's ends of the lanes.
#[derive(Clone)]
pub(super) struct Ends {
    pub(super) uri: Arc<DeviceUri>,
    pub(super) orders: Receiver<Order>,
    pub(super) urgent: Receiver<Urgent>,
    pub(super) bell: Bell,
    pub(super) sink: Sink,
}

impl PortThread {
    /// Starts the thread that owns the port of this URI.
    pub fn start(uri: DeviceUri) -> Result<Self> {
        let failed = |why: String| Error::Port { why };
        let bell = Bell::new().map_err(|error| failed(error.to_string()))?;
        let (orders, order_end) = bounded(LANE_ORDERS);
        let (urgent, urgent_end) = bounded(LANE_URGENT);
        let sink = Sink::default();
        let name = uri.port_key();
        let ends = Ends {
            uri: Arc::new(uri),
            orders: order_end,
            urgent: urgent_end,
            bell: bell.clone(),
            sink: sink.clone(),
        };
        let (alive, ended) = bounded(0);
        std::thread::Builder::new()
            .name("port".into())
            .spawn(move || {
                thread::run(&ends);
                ends.sink.clear();
                drop::<Sender<Infallible>>(alive);
            })
            .map_err(|error| failed(format!("{name}: no thread for the port: {error}")))?;
        Ok(Self { orders, urgent, bell, sink, listeners: Mutex::default(), ended })
    }

    /// Ends the thread and closes the port. Waits for that, but not longer than `until`: a driver may hold on to a port
    /// whose device takes nothing.
    pub fn stop(&self, until: Instant) {
        self.urge(Urgent::Stop);
        let _ = self.ended.recv_deadline(until);
    }

    pub(super) fn listen(&self, sink: Recipient<PortEvent>) {
        self.sink.set(sink);
        self.urge(Urgent::Report);
    }

    /// Those who listen to the device, by name.
    pub(super) fn listeners(&self) -> MutexGuard<'_, HashMap<Arc<str>, Recipient<PortNews>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an order into the lane; false where it is full, which the senders' bounds exclude. The thread sees it when
    /// [`Self::ring`] wakes it.
    pub(super) fn order(&self, order: Order) -> bool {
        self.orders.try_send(order).is_ok()
    }

    /// Wakes the thread.
    pub(super) fn ring(&self) {
        self.bell.ring();
    }

    /// Puts a request beside the lane; false where even that is full.
    pub(super) fn urge(&self, urgent: Urgent) -> bool {
        let sent = self.urgent.try_send(urgent).is_ok();
        self.ring();
        sent
    }
}

impl Drop for PortThread {
    fn drop(&mut self) {
        self.urge(Urgent::Stop);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crossbeam_channel::RecvTimeoutError;
    use despool_hw::sim::{Key, Language, device, retire};

    use super::*;

    #[test]
    fn a_thread_that_is_told_to_stop_ends_at_once() {
        let until = || Instant::now() + Duration::from_secs(20);
        for n in 0..10 {
            let control =
                std::env::temp_dir().join(format!("despool-lane-{}-{n}", std::process::id()));
            let key = Key::control(Language::Plain, &control);
            let uri = format!("sim:plain?control={}", control.display()).parse().unwrap();
            let thread = PortThread::start(uri).unwrap();
            let printer = device(&key).unwrap();
            assert!(printer.wait_for(|printer| printer.hosts == 1, until()));
            thread.urge(Urgent::Stop);
            let ended = thread.ended.recv_deadline(until());
            assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "it is still there");
            retire(&key);
        }
    }
}
