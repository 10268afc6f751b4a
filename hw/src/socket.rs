//! Raw TCP printing (AppSocket, JetDirect, port 9100).
//!
//! ```text
//!          begin_job                end_job                    drained
//!   idle ─────────────► job ───────────────────► draining ─────────────► idle
//!          connect,            half-close,                the printer has closed its side
//!          or keep             or (hold) nothing          or (hold, waiteof=false) acknowledged every byte
//! ```
//!
//! The end of the back channel is no fault: a printer may close its side and go on reading. That it closed both shows in
//! the answer to the next bytes, a reset. Then the port is gone, and [`Port::tail`] still says how much was not
//! acknowledged: zero where the printer resets a connection that it has read to the end (cheap print servers do).
//!
//! `SO_KEEPALIVE` finds out that an idle printer is dead, `TCP_USER_TIMEOUT` that a busy one is. The latter is lifted while
//! the printer's window is closed: it would end the connection to a printer that is merely out of paper (measured: the
//! kernel counts a closed window as no answer, though every probe is answered).
//!
//! With `hold`, a connection that lies idle for too long is closed by the next `wait` or `begin_job`.
//!
//! The one invariant: what the printer sent before it closed comes out of `read` before the end does.

mod dial;
mod link;
mod lookup;
mod options;
mod wait;

use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::fault::{failed, gone};
use crate::limits::{SENT_CHECK_FIRST, SENT_CHECK_LAST};
use crate::poll::{Ladder, after};
use crate::{Bell, Canceled, Error, Interest, Lent, Line, Port, PortFacts, Ready, SocketUri, Tail};
use link::Link;
use lookup::Lookup;

/// A printer's TCP port. Opening it does nothing; each job connects (or, with `hold`, finds the connection open).
#[derive(Debug)]
pub struct SocketPort {
    name: String,
    uri: SocketUri,
    lookup: Lookup,
    link: Option<Link>,
    stage: Stage,
    /// When to look again at bytes that are on the way.
    checks: Ladder,
    /// What `line` said last about being held back.
    told_held: Option<bool>,
}

/// Where the port is in the order of calls, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Between jobs. The link, if there is one, is held or has unread bytes.
    Idle(Instant),
    /// Between `begin_job` and `end_job`.
    Job,
    /// The last byte was taken; since when nothing has happened.
    Draining(Instant),
}

impl SocketPort {
    /// A port that is not connected yet.
    pub fn new(uri: &SocketUri) -> Self {
        Self {
            name: uri.to_string(),
            uri: uri.clone(),
            lookup: Lookup::default(),
            link: None,
            stage: Stage::Idle(Instant::now()),
            checks: Ladder::new(SENT_CHECK_FIRST, SENT_CHECK_LAST),
            told_held: None,
        }
    }

    fn hold(&self) -> Option<Duration> {
        self.uri.hold_seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// When a held connection has been idle for long enough.
    fn hold_ends(&self) -> Option<Instant> {
        match (self.stage, self.hold()) {
            (Stage::Idle(since), Some(hold)) if self.link.is_some() => since.checked_add(hold),
            _ => None,
        }
    }

    /// Closes an idle connection that has been held for long enough, or whose other end was closed.
    fn tidy(&mut self) {
        let Stage::Idle(_) = self.stage else { return };
        let over = self.hold_ends().is_some_and(|end| end <= Instant::now());
        // With unread bytes it stays until they are read.
        let finished = self.link.as_mut().is_some_and(|link| {
            let read = link.look();
            !read && (over || self.uri.hold_seconds.is_none() || link.has_ended())
        });
        if finished {
            self.link = None;
        }
    }

    fn held_back(&self) -> Option<bool> {
        self.link.as_ref().map(|link| link.stall().held())
    }

    fn failed(&self, doing: &'static str, errno: Errno) -> Error {
        failed(&self.name, doing, errno)
    }

    fn no_link(&self) -> Error {
        gone(&self.name, "there is no connection")
    }

    fn connect(&mut self, bell: &Bell, until: Instant) -> Result<Link, Error> {
        let limit = self.uri.connect_seconds.map(|seconds| Duration::from_secs(seconds.into()));
        let until = limit.and_then(after).map_or(until, |limit| limit.min(until));
        let addresses = self.lookup.addresses(&self.uri, bell, until, &self.name)?;
        Ok(Link::new(dial::dial(&addresses, bell, until, &self.name)?))
    }
}

impl Port for SocketPort {
    fn facts(&self) -> PortFacts {
        let job_is_connection = self.uri.hold_seconds.is_none();
        PortFacts { back_channel: true, job_is_connection, keeps_place: false }
    }

    /// Connects, unless a held connection is still there. Addresses are tried in turn.
    ///
    /// Errors: [`Error::Absent`] (no such host, refused, no answer until `until` or `contimeout`), [`Error::Rang`].
    fn begin_job(&mut self, bell: &Bell, until: Instant) -> Result<(), Error> {
        self.stage = Stage::Idle(match self.stage {
            Stage::Idle(since) => since,
            Stage::Job | Stage::Draining(_) => Instant::now(),
        });
        self.tidy();
        let held =
            self.link.take().filter(|link| self.uri.hold_seconds.is_some() && link.is_usable());
        let mut link = match held {
            Some(link) => link,
            None => self.connect(bell, until)?,
        };
        link.taken = 0;
        self.link = Some(link);
        self.stage = Stage::Job;
        Ok(())
    }

    fn write(&mut self, lent: Lent<'_>) -> Result<usize, Error> {
        let Some(link) = self.link.as_mut().filter(|_| self.stage == Stage::Job) else {
            return Err(self.no_link());
        };
        link.send(lent).map_err(|errno| self.failed("sending", errno))
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        let idle = matches!(self.stage, Stage::Idle(_));
        let heard = match &mut self.link {
            Some(link) => link.receive(buf),
            None if idle => Ok(0),
            None => return Err(self.no_link()),
        };
        if let (Ok(1..), Stage::Draining(_)) = (heard, self.stage) {
            self.stage = Stage::Draining(Instant::now());
        }
        if heard != Ok(0) && !(idle && heard.is_err()) {
            return heard.map_err(|errno| self.failed("receiving", errno));
        }
        // Between jobs, a connection that ends is no news.
        self.tidy();
        Ok(0)
    }

    fn wait(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<Ready, Error> {
        self.wait_for(interest, bell, until)
    }

    fn end_job(&mut self) -> Result<(), Error> {
        let keep = self.uri.hold_seconds.is_some();
        match &mut self.link {
            Some(link) if !keep => {
                link.close_our_side().map_err(|errno| self.failed("closing our side", errno))?;
            }
            Some(_) => {}
            None => return Err(self.no_link()),
        }
        self.stage = Stage::Draining(Instant::now());
        self.checks.reset();
        Ok(())
    }

    /// Bytes that the printer has not acknowledged; also of a connection that broke. None where it reset the connection
    /// after our end of it, sooner than it had to acknowledge anything.
    fn tail(&mut self) -> Result<Tail, Error> {
        let Some(link) = &self.link else {
            let idle = matches!(self.stage, Stage::Idle(_));
            return if idle { Ok(Tail::Empty) } else { Err(self.no_link()) };
        };
        match link.left().map_err(|errno| self.failed("counting unsent bytes", errno))? {
            0 => Ok(Tail::Empty),
            bytes => Ok(Tail::Bytes(bytes)),
        }
    }

    /// Resets the connection, a held one too. Bytes that were not sent are withdrawn; of those that were sent and not
    /// acknowledged nobody can say.
    fn cancel(&mut self) -> Result<Canceled, Error> {
        if let Stage::Idle(_) = self.stage {
            return Ok(Canceled::default());
        }
        self.stage = Stage::Idle(Instant::now());
        Ok(self.link.take().map(Link::reset).unwrap_or_default())
    }

    /// Held back: the printer takes no bytes (its TCP window is closed).
    fn line(&mut self) -> Result<Line, Error> {
        self.told_held = self.held_back();
        Ok(Line { held_back: self.told_held, ..Line::default() })
    }
}

#[cfg(test)]
mod tests;
