//! Waiting for a connection.
//!
//! Every event of the connection wakes the poll at most once: what is asked for depends on what is known already. Two
//! things are no events and are looked at again: acknowledgements at the end of a job, and a window that closes.

use std::time::Instant;

use rustix::event::{PollFd, PollFlags};

use super::link::Link;
use super::{SocketPort, Stage};
use crate::limits::{EOF_WAIT, LINE_RECHECK};
use crate::poll::{after, earlier, poll};
use crate::{Bell, Error, Interest, Ready};

impl SocketPort {
    pub(super) fn wait_for(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<Ready, Error> {
        // The first look does not wait.
        let mut at = Some(Instant::now());
        loop {
            let (rang, room) = self.sleep(interest, bell, at)?;
            self.tidy();
            let mut ready = match self.stage {
                Stage::Idle(_) => self.ready_idle(interest),
                Stage::Job | Stage::Draining(_) => self.ready_job(interest, room)?,
            };
            ready.bell = rang && bell.hush();
            if ready != Ready::default() || until.is_some_and(|until| until <= Instant::now()) {
                return Ok(ready);
            }
            at = earlier(until, self.next_look(interest));
        }
    }

    /// Sleeps until something comes or `until`: whether the bell rang, and whether there is room.
    fn sleep(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<(bool, bool), Error> {
        let mut fds = vec![PollFd::new(bell, PollFlags::IN)];
        // A connection that is known to be broken would wake every poll.
        let polled = self.link.as_ref().filter(|link| !link.is_over());
        fds.extend(polled.map(|link| PollFd::from_borrowed_fd(link.fd(), link.asks(interest))));
        let woken = poll(&mut fds, until);
        let mut said = fds.iter().map(PollFd::revents);
        let rang = said.next().is_some_and(|said| !said.is_empty());
        let line = said.next().unwrap_or(PollFlags::empty());
        woken.map_err(|errno| self.failed("waiting", errno))?;
        if let Some(link) = &mut self.link {
            link.told(line);
        }
        Ok((rang, line.contains(PollFlags::OUT)))
    }

    /// Between jobs: what the printer says unasked. Nothing is on the way, and a write is an error.
    fn ready_idle(&mut self, interest: Interest) -> Ready {
        let heard = interest.read && self.link.as_mut().is_some_and(Link::look);
        Ready {
            read: heard,
            write: interest.write,
            line: interest.line && self.held_back() != self.told_held,
            drained: interest.drained,
            bell: false,
        }
    }

    fn ready_job(&mut self, interest: Interest, room: bool) -> Result<Ready, Error> {
        let Some(link) = &mut self.link else { return Err(self.no_link()) };
        let heard = link.look();
        if link.reset && !interest.read && !interest.write {
            let errno = link.why();
            return Err(self.failed("waiting", errno));
        }
        let window = link.note_window();
        let reset = link.reset;
        window.map_err(|errno| self.failed("looking at the connection", errno))?;
        Ok(Ready {
            // A connection that broke says so after the last byte that came.
            read: interest.read && (heard || reset),
            write: interest.write && (room || reset),
            line: interest.line && self.held_back() != self.told_held,
            drained: interest.drained && !reset && self.is_drained(interest.read)?,
            bell: false,
        })
    }

    /// After `end_job`: true once the job has left; then the port is idle.
    fn is_drained(&mut self, is_read: bool) -> Result<bool, Error> {
        let (Stage::Draining(since), Some(link)) = (self.stage, &self.link) else {
            return Ok(false);
        };
        let left = link.unacknowledged();
        let closed = link.has_ended() || (link.their_end && !is_read);
        let now = Instant::now();
        if left.map_err(|errno| self.failed("counting unsent bytes", errno))? > 0 {
            self.stage = Stage::Draining(now);
            return Ok(false);
        }
        let silent = now.saturating_duration_since(since) >= EOF_WAIT;
        if !closed && !silent && self.awaits_close() {
            return Ok(false);
        }
        if silent && !closed && self.awaits_close() {
            tracing::warn!(port = %self.name, "the printer took the job and does not close its side");
        }
        self.stage = Stage::Idle(now);
        self.tidy();
        Ok(true)
    }

    /// True where a job is over only when the printer has closed its side.
    fn awaits_close(&self) -> bool {
        self.uri.hold_seconds.is_none() && self.uri.wait_eof
    }

    /// When to look at what is no event.
    fn next_look(&mut self, interest: Interest) -> Option<Instant> {
        let at = match self.stage {
            Stage::Idle(_) => return self.hold_ends(),
            Stage::Job => None,
            Stage::Draining(_) if !interest.drained => None,
            Stage::Draining(since) => match self.link.as_ref().map(Link::unacknowledged) {
                Some(Ok(0)) if self.awaits_close() => since.checked_add(EOF_WAIT),
                // The last byte was acknowledged since we looked.
                Some(Ok(0)) => Some(Instant::now()),
                _ => after(self.checks.step()),
            },
        };
        let link = self.link.as_ref()?;
        let again = match (link.stall().held(), link.stall().due()) {
            (true, _) => interest.line,
            (false, Some(due)) => return earlier(at, Some(due)),
            // Nobody tells when the window closes on bytes that are on the way.
            (false, None) => link.unacknowledged().is_ok_and(|bytes| bytes > 0),
        };
        earlier(at, after(LINE_RECHECK).filter(|_| again))
    }
}
