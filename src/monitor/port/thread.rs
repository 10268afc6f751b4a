//! The thread that owns a port.
//!
//! ```text
//!              open                     Begin              last byte             wire empty
//!   absent ──────────► idle ──────────────────► Writing ──────────────► Draining ──────────► idle
//!     ▲                 │                          │                       │
//!     └──── gone ───────┴─────── Lost ─────────────┴───────────────────────┘
//! ```
//!
//! It blocks in one place ([`Port::wait`], or [`Arrival::wait`] while the device is not there), and everything wakes it
//! there: room, bytes, lines, the bell. Aborts are looked at before anything else. A panic in a port's code is caught
//! here: the playing is reported as lost with what was noted, and the port opened anew.
//!
//! The invariant: one playing at a time, and each that began is reported exactly once as ended, lost, failed or aborted.

mod device;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use despool_hw::{Arrival, Bell, Canceled, Error, Interest, Port, Tail};
use despool_spool::{Cause, JobId, Played, Progress};

use super::lane::{Begin, Ends, How, Order, PortEvent, Urgent};
use super::stream::{Mark, Phase, Step, Stop, Stream};
use super::upward::Upward;
use crate::limits::{CLOSE_WAIT, LANE_ORDERS, REOPEN_FIRST, REOPEN_LAST, TIMER_SLACK_NS};
use crate::monitor::PlayId;
use crate::piece::Piece;

/// Runs until told to stop.
pub(super) fn run(ends: &Ends) {
    if let Err(error) = rustix::thread::set_current_timer_slack(Some(TIMER_SLACK_NS)) {
        tracing::debug!(%error, "the port's thread wakes when the kernel likes");
    }
    let current = Mutex::new(None);
    while catch_unwind(AssertUnwindSafe(|| Driver::new(ends, &current).run())).is_err() {
        tracing::error!(port = %ends.uri, "the port's thread panicked; the port is opened anew");
        if let Some((play, progress, mark)) = take(&current) {
            let why = "the code of the port failed".to_owned();
            let played = mark.settle(&progress);
            ends.sink.tell(PortEvent::Lost { play, cause: Cause::Crash, played, why });
        }
    }
}

/// Takes back what the driver holds, where that is wanted.
fn take_back(port: &mut dyn Port, how: How, bell: &Bell) -> Option<Canceled> {
    let wanted = match how {
        How::Cancel => true,
        How::Park => port.in_flight() > 0,
        // The device drops half a job with its connection anyway.
        How::Close if !port.facts().keeps_place => true,
        How::Close => port.end_job().and_then(|()| drain(port, bell)).is_ok_and(|drained| !drained),
    };
    wanted.then(|| {
        port.cancel().unwrap_or_else(|error| {
            tracing::warn!(%error, "the port could not be canceled");
            let withdrawn_bytes = port.withheld();
            let unknown_bytes = port.in_flight().saturating_sub(withdrawn_bytes);
            Canceled { withdrawn_bytes, unknown_bytes }
        })
    })
}

/// Waits a moment for the driver to get rid of what it holds. Whoever rings meanwhile waits for that too.
fn drain(port: &mut dyn Port, bell: &Bell) -> Result<bool, Error> {
    let now = Instant::now();
    let until = now.checked_add(CLOSE_WAIT).unwrap_or(now);
    let interest = Interest { drained: true, ..Interest::default() };
    let (mut drained, mut rung) = (false, false);
    while !drained && Instant::now() < until {
        let ready = port.wait(interest, bell, Some(until))?;
        drained = ready.drained;
        rung |= ready.bell;
    }
    if rung {
        bell.ring();
    }
    Ok(drained)
}

/// The playing under way, where a panic cannot lose it.
type Current = Mutex<Option<(PlayId, Progress, Arc<Mark>)>>;

fn take(current: &Current) -> Option<(PlayId, Progress, Arc<Mark>)> {
    current.lock().unwrap_or_else(PoisonError::into_inner).take()
}

struct Driver<'a> {
    ends: &'a Ends,
    current: &'a Current,
    upward: Upward,
    port: Option<Box<dyn Port>>,
    arrival: Option<Arrival>,
    /// After a failure: when the port is opened anew, and how long that was put off.
    rest: Option<(Instant, Duration)>,
    stream: Option<Stream>,
    /// What monitors want to say between documents.
    idle: std::collections::VecDeque<Piece>,
    idle_cursor: usize,
    /// A job that was parked in the middle, on a connection that still stands.
    parked: Option<(JobId, u64)>,
    /// The question that was half out then.
    half_aside: Option<(Piece, usize)>,
    stalled: bool,
    /// When the back channel was looked at last.
    looked: Instant,
    /// No room in the device for `idle`.
    blocked: bool,
    stop: bool,
}

impl<'a> Driver<'a> {
    fn new(ends: &'a Ends, current: &'a Current) -> Self {
        Self {
            ends,
            current,
            upward: Upward::new(ends.sink.clone()),
            port: None,
            arrival: None,
            rest: None,
            stream: None,
            idle: std::collections::VecDeque::new(),
            idle_cursor: 0,
            parked: None,
            half_aside: None,
            stalled: false,
            looked: Instant::now(),
            blocked: false,
            stop: false,
        }
    }

    fn run(mut self) {
        loop {
            self.take_urgent();
            // Before anything is waited for: the bell that came with it has been heard.
            if self.stop {
                break;
            }
            self.take_orders();
            if let Err(stop) = self.turn() {
                self.fail(stop);
            }
        }
        if let Some(stream) = &mut self.stream {
            let begun = stream.phase != Phase::Beginning;
            let port = self.port.as_deref_mut().filter(|port| begun && port.in_flight() > 0);
            match port.map(Port::cancel) {
                Some(Ok(canceled)) => stream.withdraw(canceled),
                _ => stream.lost(self.port.as_deref()),
            };
        }
    }

    fn take_urgent(&mut self) {
        while let Ok(urgent) = self.ends.urgent.try_recv() {
            match urgent {
                Urgent::Abort { play, how } => self.abort(play, how),
                Urgent::Report => self.upward.report(),
                Urgent::Stop => self.stop = true,
                #[cfg(test)]
                Urgent::Crash => panic!("injected: the port's thread dies"),
                #[cfg(test)]
                Urgent::Hang(until) => drop(until.recv()),
            }
        }
    }

    fn take_orders(&mut self) {
        while let Ok(order) = self.ends.orders.try_recv() {
            match order {
                Order::Begin(begin) => self.begin(begin),
                Order::Write { play: None, piece } => self.say(piece),
                Order::Write { play: Some(play), piece } => {
                    if let Some(stream) = self.playing(play) {
                        stream.push(piece);
                    }
                }
                Order::Aside { play, at, piece } => {
                    if let Some(stream) = self.playing(play) {
                        stream.put_aside(at, piece);
                    }
                }
                Order::End(play) => {
                    if let Some(stream) = self.playing(play) {
                        stream.end();
                    }
                }
            }
        }
    }

    /// The stream of this playing; orders of another are stale.
    fn playing(&mut self, play: PlayId) -> Option<&mut Stream> {
        self.stream.as_mut().filter(|stream| stream.play == play)
    }

    /// Queues what a monitor says between documents, dropping the oldest when nobody takes it. Where each job is a
    /// connection there is nobody to say it to.
    fn say(&mut self, piece: Piece) {
        if self.port.as_ref().is_none_or(|port| port.facts().job_is_connection) {
            return;
        }
        if self.idle.len() >= LANE_ORDERS {
            // What has begun to go out goes out whole.
            self.idle.remove(usize::from(self.idle_cursor > 0));
        }
        self.idle.push_back(piece);
        self.blocked = false;
    }

    fn begin(&mut self, begin: Begin) {
        if let Some(mut old) = self.stream.take() {
            // Its abort comes too late: whoever waited for it gave us up.
            tracing::error!(old = ?old.play, new = ?begin.play, "a document began before the last one ended");
            let played = match self.port.as_deref_mut().map(Port::cancel) {
                Some(Ok(canceled)) if old.phase != Phase::Beginning => old.withdraw(canceled),
                _ => old.lost(self.port.as_deref()),
            };
            let stopped = Some(old.stopped(played));
            self.upward.tell(PortEvent::Aborted { play: old.play, stopped });
        }
        let parked = self.parked.take().filter(|_| self.port.is_some());
        let goes_on = parked == Some((begin.job, begin.from));
        if let (Some(_), false, Some(port)) = (parked, goes_on, self.port.as_deref_mut()) {
            // Half of another job is on the wire: end that connection before this one begins.
            let _ = port.cancel();
        }
        let mut stream = Stream::new(begin, Instant::now());
        let half_aside = self.half_aside.take();
        if goes_on {
            stream.phase = Phase::Writing;
            if let Some((piece, cursor)) = half_aside {
                stream.precede([piece].into(), cursor);
            }
        } else {
            // What was said before the job goes out before it.
            stream.precede(std::mem::take(&mut self.idle), std::mem::take(&mut self.idle_cursor));
        }
        let (progress, mark) = stream.mark();
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((stream.play, progress, mark));
        self.stream = Some(stream);
    }

    fn finish(&mut self) -> Option<Stream> {
        take(self.current);
        self.stall(false);
        self.stream.take()
    }

    fn abort(&mut self, play: PlayId, how: How) {
        // What was ordered before the abort belongs to it.
        self.take_orders();
        let port = self.port.as_deref_mut();
        let Some(stream) = self.stream.as_mut().filter(|stream| stream.play == play) else {
            self.upward.tell(PortEvent::Aborted { play, stopped: None });
            return;
        };
        let begun = stream.phase != Phase::Beginning;
        let taken_back =
            port.filter(|_| begun).and_then(|port| take_back(port, how, &self.ends.bell));
        let played = match taken_back {
            Some(canceled) => stream.withdraw(canceled),
            None => stream.lost(self.port.as_deref()),
        };
        let stopped = Some(stream.stopped(played));
        self.half_aside = stream.take_half_aside().filter(|_| how == How::Park);
        let (mut preceding, cursor) = stream.take_preceding();
        // Before all of that has gone nothing of the job has.
        let parks = how == How::Park && begun && preceding.is_empty();
        self.parked = parks.then_some((stream.job, played.accepted));
        if !preceding.is_empty() {
            preceding.append(&mut self.idle);
            (self.idle, self.idle_cursor) = (preceding, cursor);
        }
        self.finish();
        self.upward.tell(PortEvent::Aborted { play, stopped });
    }

    /// One turn: do what can be done, then wait for what must be waited for.
    fn turn(&mut self) -> Result<(), Stop> {
        if self.port.is_none() {
            self.open();
            return Ok(());
        }
        if self.stream.as_ref().is_some_and(|stream| stream.phase == Phase::Beginning)
            && !self.begin_job()?
        {
            return Ok(());
        }
        match self.write()? {
            Step::Moved => self.glance(),
            Step::Done => self.end_job(),
            Step::Blocked | Step::Starved => self.wait(),
        }
    }

    fn ended(&mut self) -> Result<(), Stop> {
        if let (Some(port), Some(stream)) = (self.port.as_deref(), self.stream.as_mut()) {
            stream.settle(port)?;
        }
        self.tell_end();
        Ok(())
    }

    fn tell_end(&mut self) {
        self.rest = None;
        let port = self.port.as_deref();
        if let Some((play, played)) =
            self.stream.as_ref().map(|stream| (stream.play, stream.played(port)))
        {
            let over = self.finish();
            self.upward.tell(PortEvent::Ended { play, played });
            // With it goes the mapping of its last piece: not before the next job is on its way.
            drop(over);
        }
    }

    /// True where the device broke off a connection that was for this job alone, and has acknowledged all of the job:
    /// cheap print servers reset what they have read to the end. Printing it again would never end.
    fn was_the_end(&mut self, stop: &Stop) -> bool {
        let (Some(port), Some(stream)) = (self.port.as_deref_mut(), self.stream.as_mut()) else {
            return false;
        };
        let over = matches!(stop, Stop::Port(Error::Gone { .. }))
            && port.facts().job_is_connection
            && stream.is_all_taken()
            && matches!(port.tail(), Ok(Tail::Empty))
            && stream.settle(port).is_ok();
        // What is left of the connection is of no use to the next job.
        over && port.cancel().is_ok()
    }

    /// The port, the disk or we failed. A device that went away is waited for; whatever else happened, the port is opened
    /// anew, since nobody knows in which state it is, but not again and again.
    fn fail(&mut self, stop: Stop) {
        if self.was_the_end(&stop) {
            return self.tell_end();
        }
        if let (Stop::Note(despool_spool::Error::Closed), Some(stream)) = (&stop, &mut self.stream)
        {
            stream.phase = Phase::Over;
            return;
        }
        let pause = self.rest.map_or(REOPEN_FIRST, |(_, pause)| pause.saturating_mul(2));
        let pause = pause.min(REOPEN_LAST);
        self.rest = Instant::now().checked_add(pause).map(|at| (at, pause));
        let mut port = self.port.take();
        let ours =
            matches!(stop, Stop::Note(_) | Stop::Port(Error::Document { .. } | Error::Note { .. }));
        let why = match stop {
            Stop::Port(error) => error.to_string(),
            Stop::Note(error) => error.to_string(),
        };
        let played: Option<(PlayId, Played)> = self.stream.as_mut().map(|stream| {
            if ours && let Some(Ok(canceled)) = port.as_deref_mut().map(Port::cancel) {
                return (stream.play, stream.withdraw(canceled));
            }
            (stream.play, stream.lost(port.as_deref()))
        });
        drop(port);
        self.idle.clear();
        self.idle_cursor = 0;
        self.parked = None;
        self.finish();
        match played {
            Some((play, played)) if ours => {
                self.upward.tell(PortEvent::Failed { play, played, why });
            }
            Some((play, played)) => {
                self.upward.absent(why.clone());
                self.upward.tell(PortEvent::Lost { play, cause: Cause::DeviceGone, played, why });
            }
            None => self.upward.absent(why),
        }
    }
}
