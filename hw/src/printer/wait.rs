//! Waiting for a printer behind a node: one poll over what the driver tells, the bell, and timers for what it does not.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use super::PrinterPort;
use crate::fault::gone;
use crate::limits::{NODE_INBOX_BYTES, PARALLEL_LISTEN, USB_STATUS_BUSY, USB_STATUS_IDLE};
use crate::poll::{earlier, poll};
use crate::{Bell, Error, Interest, Ready};

impl PrinterPort {
    pub(super) fn wait_for(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<Ready, Error> {
        let mut retry = self.retry_at(interest);
        // The first look does not wait.
        let mut at = Some(Instant::now());
        loop {
            let rang = self.sleep(interest, bell, at)?;
            let now = Instant::now();
            self.listen(interest, now)?;
            self.ask(now)?;
            let settled = self.settle()?;
            // What tells of room: the driver, or the ladder's time.
            let told = self.driver.telling().is_some();
            let room = settled && (told || !self.refused || retry.is_some_and(|at| at <= now));
            let ready = Ready {
                write: interest.write && room,
                read: interest.read && !self.inbox.is_empty(),
                line: interest.line && self.told != self.line_now(),
                drained: interest.drained && settled,
                bell: rang && bell.hush(),
            };
            self.in_job &= !ready.drained;
            if ready != Ready::default() || until.is_some_and(|until| until <= now) {
                return Ok(ready);
            }
            if retry.is_some_and(|at| at <= now) {
                retry = self.retry_at(interest);
            }
            at = earlier(earlier(until, retry), self.next_look(interest));
        }
    }

    /// When to offer bytes again to a driver that tells nothing.
    fn retry_at(&mut self, interest: Interest) -> Option<Instant> {
        let blind = self.refused && self.driver.telling().is_none();
        (interest.write && blind)
            .then(|| self.ladder.step())
            .and_then(|wait| Instant::now().checked_add(wait))
    }

    /// When to look at what nobody tells of.
    fn next_look(&self, interest: Interest) -> Option<Instant> {
        // A driver that tells is looked at by time only where it said nothing, and would say so without end.
        let by_time = self.driver.telling().is_none() || self.listen_at > Instant::now();
        let listens = self.listens(interest) && by_time;
        earlier(Some(self.ask_at), listens.then_some(self.listen_at))
    }

    fn listens(&self, interest: Interest) -> bool {
        self.back_channel && interest.read && self.inbox.len() < NODE_INBOX_BYTES
    }

    /// Sleeps until the driver or the bell says something, or `until`; true if it was the bell.
    fn sleep(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<bool, Error> {
        let mut asked = PollFlags::empty();
        asked.set(PollFlags::IN, self.listens(interest) && self.listen_at <= Instant::now());
        // usblp claims room as long as it holds nothing: only a transfer under way is worth waiting for.
        let waits = (interest.write || interest.drained) && self.held > 0;
        asked.set(PollFlags::OUT, waits);
        let mut fds = vec![PollFd::new(bell, PollFlags::IN)];
        let telling = self.driver.telling();
        fds.extend(telling.as_ref().map(|fd| PollFd::new(fd, asked)));
        poll(&mut fds, until).map_err(|errno| self.failed("waiting", errno))?;
        let mut said = fds.iter().map(PollFd::revents);
        let rang = said.next().is_some_and(|said| !said.is_empty());
        match said.next().is_some_and(|said| said.intersects(PollFlags::HUP | PollFlags::ERR)) {
            true => Err(gone(&self.name, "it was unplugged or switched off")),
            false => Ok(rang),
        }
    }

    /// Takes in what the printer says.
    fn listen(&mut self, interest: Interest, now: Instant) -> Result<(), Error> {
        let tells = self.driver.telling().is_some();
        if !self.listens(interest) || now < self.listen_at {
            return Ok(());
        }
        let mut buf = [0; 1024];
        match self.driver.read(&mut buf) {
            Err(Errno::AGAIN | Errno::INTR) if tells => {}
            Ok(0) | Err(Errno::AGAIN | Errno::INTR) => {
                self.listen_at = later(now, PARALLEL_LISTEN);
            }
            // usblp: its read was taken back by a reset.
            Err(Errno::IO) if tells => {}
            Err(errno) => return Err(self.failed("reading", errno)),
            Ok(count) => {
                self.inbox.extend_from_slice(buf.get(..count).unwrap_or_default());
                self.listen_at = now;
            }
        }
        Ok(())
    }

    /// Asks how the printer is, when it is time.
    fn ask(&mut self, now: Instant) -> Result<(), Error> {
        let every = if self.in_job { USB_STATUS_BUSY } else { USB_STATUS_IDLE };
        self.ask_at = self.ask_at.min(later(now, every));
        if self.ask_at <= now {
            self.ask_at = later(now, every);
            let status = self.driver.status();
            self.status = status.map_err(|errno| self.failed("asking for the status", errno))?;
        }
        Ok(())
    }
}

fn later(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now)
}
